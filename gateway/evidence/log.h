#ifndef GATEWAY_EVIDENCE_LOG_H
#define GATEWAY_EVIDENCE_LOG_H

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/crypto/sign.h"
#include "gateway/evidence/disk.h"
#include "gateway/evidence/leaf.h"
#include "gateway/evidence/merkle.h"
#include "gateway/note/note.h"
#include "gateway/store/schema.h"
#include "gateway/store/store.h"

/*
 * A node's evidence log: an RFC 6962 tree over leaves, with encrypted details beside them, in one
 * SQLite file (WAL) written by one sequencer thread with group commit: an idle log commits a single
 * entry at once, a busy one batches what queues while a commit runs. Every commit is synced to disk
 * before its checkpoint or its entries are known to anybody, beside the next batch's work.
 *
 * Files in the folder: evidence.db (leaves, tiles, details, keys, the owner's own tables through
 * `migrations`), ratchet (the two newest signed checkpoints, on disk before the newer one leaves
 * this process), lock, reserve (blocks for the entries of a node that stops on a full disk), shards
 * (half-years that are over, shard.h). The owner's tables are working state, not evidence: they
 * commit with the entry, but no leaf covers them. On open the tree is rebuilt from leaves and tiles
 * and compared with the stored checkpoint and the ratchet; anything shorter or different is refused
 * with LOG_BEHIND or LOG_FORK.
 */
struct lb_log;

struct lb_log_options {
    const char *folder;
    const char *origin;              /* checkpoint origin, e.g. "<federation>/adapter/tax" */
    const struct lb_sign_key *key;   /* Ed25519; borrowed */
    const struct lb_clock *clock;
    bool create;                     /* may a new log begin here? */
    /* X25519 public key of the node's security officer: details can only be opened with its private
     * half, which the node does not have. NULL: entries have no detail. */
    const uint8_t *officer_key;
    /* Tables of the owner in the same file (replay memory, use counters), appended to the log's
     * own migrations; NULL-terminated; may be NULL. Not named leaf, tile, checkpoint, detail,
     * detail_key, shard. */
    const char *const *migrations;
    struct lb_disk_marks marks;      /* all zero: the usual ones */
    size_t max_batch;                /* entries a commit takes at most; 0: LB_LOG_BATCH */
    const struct lb_disk *disk;      /* NULL: the machine's */
};

/* lb_log_open opens or begins a log and starts its sequencer. LOG_BEHIND, LOG_FORK, STATE_LOCKED,
 * FILE_FAILED, STORE_FAILED, VERSION_UNSUPPORTED; LOG_UNAVAILABLE when the clock is more than
 * LB_LOG_CLOCK_STEP_MS behind the last entry; CONFIG_INVALID for an origin or key that can't
 * sign, or marks that can't hold; with a sentence in diag. */
LB_MUST lb_status lb_log_open(const struct lb_log_options *options, struct lb_diag *diag,
                              struct lb_log **out_log);
/* lb_log_schema is the number of schema steps of a log's store with its owner's migrations (NULL
 * for none): a store that knows more was written by a later version. */
size_t lb_log_schema(const char *const *migrations);
/* lb_log_kind is that store as a kind, its steps in the arena: the log's own one, then its owner's.
 * A store has them in this order for ever, so whatever comes later comes last. NO_MEMORY. */
LB_MUST lb_status lb_log_kind(const char *const *migrations, struct lb_arena *arena,
                              struct lb_store_schema *out);

/* lb_log_add_key lets a second key sign every checkpoint from the next one on, so that the log's
 * key is replaced without a stop: peers that know either key go on. Append two entries then, and
 * both slots of the ratchet have it too; after that the log may be opened with the new key alone.
 * CONFIG_INVALID for a key that is not of Ed25519, is the log's own, comes third, or when two
 * signatures of this origin do not fit. The key is borrowed for the log's life. */
LB_MUST lb_status lb_log_add_key(struct lb_log *log, const struct lb_sign_key *key);
/* lb_log_change_officer makes an ADMIN entry OFFICER_KEY durable, whose request_hash is that of
 * lb_log_officer_hash and whose detail, for the officer before, has the new key. Behind it every
 * detail is encrypted under fresh data keys that only the new officer opens; what is before it
 * stays the old one's. CONFIG_INVALID for a key nothing can be sealed to, and for a log without
 * details; otherwise as lb_log_append_wait. */
LB_MUST lb_status lb_log_change_officer(struct lb_log *log, const uint8_t officer_key[32]);
/* lb_log_officer_hash names an officer's public key: SHA-256("lianban officer key v1" || key). */
void lb_log_officer_hash(const uint8_t officer_key[32], uint8_t out[32]);
/* lb_log_close commits what is queued, stops the sequencer and closes. NULL is allowed. */
void lb_log_close(struct lb_log *log);

/*
 * One entry on its way in. The owner keeps it alive until `done` is called, once, on a thread of
 * the log's, after the commit, while the guards of later entries may be running: then index,
 * leaf_hash and leaf_bytes are set; or with the failure (LOG_UNAVAILABLE; MALFORMED or TOO_LARGE
 * when the guard left a leaf that can't be written, and its changes were undone), and nothing may
 * be released.
 *
 * An entry of type ERASURE with a subject destroys that subject's data keys: its older details
 * can't be opened any more, by anyone, while every proof stays valid. Its request_hash and count
 * are set by the log, and its own detail is encrypted under the log's own key. One whose guard
 * refuses erases nothing and is written as ADMIN.
 */
struct lb_log_entry {
    struct lb_leaf leaf;       /* time_ms, fields_hash and detail_hash are set by the log; count 0
                                  is taken as 1 */
    struct lb_span detail;     /* JSON text, or empty; encrypted under the subject's key */
    struct lb_span fields;     /* the fields-and-operators text, or empty */
    bool has_subject;
    uint8_t subject[32];       /* pseudonym under whose key the detail is encrypted; without one
                                  the log's own key is used */
    /* Runs inside the entry's transaction, before the leaf is fixed: checks and changes the
     * owner's tables and may change the leaf (code, retry, hashes). A failure undoes this entry's
     * changes and the entry is still written with leaf.code = that failure's outer code name and
     * answer_hash zeroed; `refused` tells. It runs before the rows of its batch are written: of
     * the log's own tables it sees what was committed. `index` is set. NULL for none. */
    lb_status (*guard)(struct lb_log_entry *entry, struct lb_store *store);
    void (*done)(struct lb_log_entry *entry, lb_status status);
    void *owner;

    /* set before done */
    lb_status refused;         /* LB_OK, or what the guard said */
    uint64_t index;
    struct lb_hash leaf_hash;
    uint8_t leaf_bytes[LB_MAX_LEAF_BYTES];
    size_t leaf_len;
    struct lb_log_entry *next; /* the log's, as are those below */
    lb_status outcome;
    bool finished;
    const uint8_t *next_officer;  /* only lb_log_change_officer sets it */
};

/* lb_log_append queues an entry. MALFORMED or TOO_LARGE for one that can't be written (an
 * impossible leaf, detail or fields past LB_MAX_DETAIL_BYTES, no `done`); STOPPING while closing;
 * BUSY when LB_LOG_QUEUE entries wait; LOG_FULL when the disk has too little room for an entry of
 * this kind (counted, and evidenced by one DENY leaf a minute); LOG_UNAVAILABLE when the log has
 * stopped: then done is not called and nothing may be released. */
LB_MUST lb_status lb_log_append(struct lb_log *log, struct lb_log_entry *entry);
/* lb_log_append_list does so with several at once, in their order: the sequencer finds all of them
 * when it looks next, so they share a commit as far as one takes them. Returns how many were
 * queued: num with LB_OK in *out_status, or those before the first that could not be, with its
 * reason; of that one and those behind it `done` is not called. */
size_t lb_log_append_list(struct lb_log *log, struct lb_log_entry *const *entries, size_t num,
                          lb_status *out_status);
/* lb_log_append_wait appends and waits; done must be NULL. Not from a guard or a done, for which
 * the log waits. */
LB_MUST lb_status lb_log_append_wait(struct lb_log *log, struct lb_log_entry *entry);
/* lb_log_append_all does so with several at once, which mostly share a commit: those before the
 * first that could not be queued are waited for, and the first failure of any is returned. */
LB_MUST lb_status lb_log_append_all(struct lb_log *log, struct lb_log_entry *entries, size_t num);
/* lb_log_refusal is the code a caller is told when its entry could not be written: BUSY, LOG_FULL
 * or LOG_UNAVAILABLE. */
enum lb_code lb_log_refusal(lb_status status);

/* How a log stands. From CLOCK_BACK on it has stopped and must be opened anew; docs/EVIDENCE.md
 * says what to do about each. */
enum lb_log_state {
    LB_LOG_STATE_OK,
    LB_LOG_STATE_SPACE_LOW,      /* serves; refusals before any signature wait in memory */
    LB_LOG_STATE_SPACE_FULL,     /* releases nothing: LOG_FULL; recovers by itself */
    LB_LOG_STATE_SPACE_SPENT,    /* writes only what administers or takes back; recovers too */
    LB_LOG_STATE_CLOCK_BACK,     /* more than LB_LOG_CLOCK_STEP_MS behind the last entry */
    LB_LOG_STATE_FILES_CHANGED,  /* a file was removed or replaced under the running log */
    LB_LOG_STATE_DISK_FULL,      /* a write found no room */
    LB_LOG_STATE_DISK_FAILED,    /* a write, a read or a sync failed */
    LB_LOG_STATE_READ_ONLY,      /* the file system can't be written any more */
    LB_LOG_STATE_DAMAGED,        /* what is read is not what was written */
    LB_LOG_STATE_STOPPED,        /* any other failure */
};
/* lb_log_state_name is its name for people and programs: "ok", "space_low" ... */
const char *lb_log_state_name(enum lb_log_state state);

struct lb_log_health {
    enum lb_log_state state;
    uint64_t free_bytes;   /* of the file system, when it was last looked at */
    size_t num_queued;     /* of LB_LOG_QUEUE */
    uint32_t num_refused;  /* for want of room, and not yet written down */
    uint64_t num_commits;  /* since it was opened */
    bool stopping;
};
/* lb_log_health tells it, to any thread. */
void lb_log_health(const struct lb_log *log, struct lb_log_health *out_health);
/* lb_log_healthy says whether entries of every kind are accepted. */
bool lb_log_healthy(const struct lb_log *log);

/* lb_log_progress says whether the sequencer has come round to its queue since this last said so;
 * without work it does a few times a second. For a watchdog. Any thread. */
bool lb_log_progress(struct lb_log *log);

/* lb_log_hold stops and allows releases while entries go on being written: past the limit without
 * witnesses. lb_log_may_release is LOG_UNWITNESSED while it is held; whoever is about to begin
 * something that ends in a release asks it first. Any thread; never block. */
void lb_log_hold(struct lb_log *log, bool held);
LB_MUST lb_status lb_log_may_release(const struct lb_log *log);

/* lb_log_count_denial aggregates a refusal that came before any signature was verified: one DENY
 * leaf per peer, code and second. With little room on the disk (SPACE_LOW and worse) they wait in
 * memory until there is more or the log closes. Never blocks; cheap. `peer` is a SPIFFE id or
 * "". */
void lb_log_count_denial(struct lb_log *log, const char *peer, enum lb_code code);

/* The newest signed checkpoint: durable before it is handed out. */
struct lb_log_head {
    uint64_t size;
    struct lb_hash root;
    struct lb_span checkpoint;  /* signed note, in the caller's arena */
};
LB_MUST lb_status lb_log_head(struct lb_log *log, struct lb_arena *arena,
                              struct lb_log_head *out_head);

/* lb_log_inclusion and lb_log_consistency make proofs in the arena; MALFORMED for index >= size,
 * size beyond the head, or from > to. from == 0 or from == to gives an empty proof. Any thread. */
LB_MUST lb_status lb_log_inclusion(struct lb_log *log, uint64_t index, uint64_t size,
                                   struct lb_arena *arena, struct lb_hash **out_path,
                                   size_t *out_num);
LB_MUST lb_status lb_log_consistency(struct lb_log *log, uint64_t from, uint64_t to,
                                     struct lb_arena *arena, struct lb_hash **out_path,
                                     size_t *out_num);
/* lb_log_leaf reads one leaf's bytes; ABSENT past the head. Any thread. */
LB_MUST lb_status lb_log_leaf(struct lb_log *log, uint64_t index, struct lb_arena *arena,
                              struct lb_span *out_leaf);
/* lb_log_tile reads the first `width` hashes (1..256) of a tile (tlog.h); MALFORMED when the
 * committed tree does not have as many. Any thread. */
LB_MUST lb_status lb_log_tile(struct lb_log *log, unsigned level, uint64_t n, unsigned width,
                              struct lb_hash *out_hashes);
/* lb_log_entries reads committed leaves from `index` on, as in a bundle (tlog.h): at least one, at
 * most `count` (1..256), and none that begins past max_bytes. MALFORMED for other counts and past
 * the head. The lock is held for one leaf at a time. Any thread. */
LB_MUST lb_status lb_log_entries(struct lb_log *log, uint64_t index, unsigned count,
                                 size_t max_bytes, struct lb_arena *arena,
                                 struct lb_span *out_entries);
const char *lb_log_origin(const struct lb_log *log);

#endif
