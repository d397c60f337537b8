#ifndef GATEWAY_EVIDENCE_LOG_STATE_H
#define GATEWAY_EVIDENCE_LOG_STATE_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "gateway/crypto/random_pool.h"
#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/denials.h"
#include "gateway/evidence/helper.h"
#include "gateway/evidence/keyring.h"
#include "gateway/evidence/log.h"
#include "gateway/evidence/ratchet.h"
#include "gateway/evidence/records.h"
#include "gateway/evidence/shard_keeper.h"
#include "gateway/evidence/space.h"
#include "gateway/evidence/watched.h"

/* The inside of a log, shared by its opening, its sequencer and its readers. */

/* A path below the folder. */
struct lb_log_path {
    char text[PATH_MAX];
};
LB_MUST lb_status lb_log_path_make(const char *folder, const char *name, struct lb_log_path *out);

#define LB_LOG_DATABASE "evidence.db"
#define LB_LOG_RATCHET "ratchet"

/* An entry of a batch between its guard and its rows. */
struct lb_log_job {
    struct lb_log_entry *entry;
    bool has_detail;
    struct lb_data_key key;
    struct lb_detail_text text;
    struct lb_detail_row row;
    lb_status status;    /* of sealing it, once it is */
    atomic_bool sealed;
};
/* So many jobs are worth a second thread. */
#define LB_LOG_SHARED_JOBS 8

/* Which jobs of the batch can be sealed, which nobody has begun, how many are (log_seal.c). */
struct lb_log_sealing {
    atomic_size_t num_ready;
    atomic_size_t next;
    atomic_size_t num_sealed;
    bool offered;  /* to the helper */
};

/* A batch that is committed and not yet public (log_publish.c). */
struct lb_log_pending {
    struct lb_log_entry *first;  /* NULL: there is none */
    size_t num_leaves;
    struct lb_tree *tree;        /* as it was then; of every batch in turn */
    bool offered;                /* the publisher may be at it */
    bool files_changed;          /* why it failed */
    lb_status status;            /* what came of it */
    struct lb_hash root;
    size_t note_len;
    uint8_t note[LB_RATCHET_MAX_NOTE_BYTES];
};

/* What the sequencer alone touches, once its thread runs. */
struct lb_log_writer {
    struct lb_store *store;
    struct lb_records records;
    struct lb_keyring *keyring;  /* NULL: entries have no detail */
    struct lb_tree *tree;        /* grows before the commit */
    struct lb_merkle_frontier check;  /* grows from re-read rows, by code of its own */
    struct lb_hash root;         /* of the last signed checkpoint */
    int ratchet_fd;
    unsigned ratchet_slot;       /* the slot written next */
    int64_t last_ms;             /* time of the last leaf */
    int64_t idle_since_ms;       /* monotonic: the last commit */
    int64_t flushed_ms;          /* monotonic: the last look at the denials */
    struct lb_arena *arena;      /* of one batch */
    struct lb_random_pool random;  /* of salts and nonces */
    struct lb_helper *helper;     /* seals and signs */
    struct lb_helper *publisher;  /* makes public */
    struct lb_arena *helper_arena;
    struct lb_log_job *jobs;     /* LB_LOG_BATCH of them */
    size_t num_jobs;
    struct lb_log_sealing sealing;
    struct lb_log_pending pending;
    struct lb_space space;
    struct lb_watched watched;
    enum lb_space_level announced;  /* the last level that has an entry */
    enum lb_log_state trouble;      /* why the batch failed, when its status alone can't say */
    int64_t looked_ms;              /* monotonic: the last look at disk and files */
    int64_t alerted_ms;             /* monotonic: the last line about the state */
    int64_t refusals_ms;            /* monotonic: the last entry about refusals for want of room */
    int64_t shed_ms;                /* monotonic: when rows of a shard were last removed */
};

/* What was committed and signed, as any thread may see it, under `lock`. */
struct lb_log_shown {
    pthread_mutex_t lock;
    struct lb_store *store;  /* a read-only connection of its own */
    struct lb_records records;
    struct lb_tree *tree;
    struct lb_hash root;
    uint8_t note[LB_RATCHET_MAX_NOTE_BYTES];
    size_t note_len;
};

struct lb_log_queue {
    pthread_mutex_t lock;
    pthread_cond_t work;      /* for the sequencer */
    pthread_cond_t finished;  /* for lb_log_append_wait */
    struct lb_log_entry *first;
    struct lb_log_entry **last;
    size_t num;
    size_t max_batch;
    bool stopping;
    bool failed;
    enum lb_log_state state;
    uint64_t free_bytes;
    uint32_t num_refused;     /* for want of room, since that was last written */
};

struct lb_log {
    char origin[256];
    char folder[PATH_MAX];
    const struct lb_sign_key *key;
    _Atomic(const struct lb_sign_key *) next_key;  /* signs as well; NULL: there is none */
    struct lb_note_verifier verifier;  /* of our own key */
    const struct lb_clock *clock;
    int lock_fd;
    struct lb_log_writer writer;
    struct lb_log_shown shown;
    struct lb_log_queue queue;
    struct lb_denials denials;
    _Atomic(bool) held;  /* nothing may be released */
    _Atomic(uint64_t) num_commits;
    _Atomic(bool) came_round;  /* the sequencer, since somebody asked */
    struct lb_shed shed;
    struct lb_shard_keeper *keeper;
    pthread_t sequencer;
    bool running;
};

/* lb_log_restore opens the files of a log whose options are set and brings both trees to the signed
 * size; statuses of lb_log_open. */
LB_MUST lb_status lb_log_restore(struct lb_log *log, const struct lb_log_options *options,
                                 struct lb_diag *diag);
/* lb_log_sequence is the sequencer's thread. */
void *lb_log_sequence(void *log);

/* lb_log_watch_begin looks at the disk and takes down what the files are, once they are open.
 * FILE_FAILED; CONFIG_INVALID with a sentence. */
LB_MUST lb_status lb_log_watch_begin(struct lb_log *log, const struct lb_log_options *options,
                                     struct lb_diag *diag);
/* The sequencer's looks. lb_log_watch sees to disk, files and WAL: a failure is the end of this
 * log's service (LOG_UNAVAILABLE). lb_log_announce writes the ADMIN entry of a changed level;
 * lb_log_alert repeats what is wrong once a minute; lb_log_fail finds the state for the first
 * failure. */
LB_MUST lb_status lb_log_watch(struct lb_log *log);
LB_MUST lb_status lb_log_announce(struct lb_log *log);
void lb_log_alert(struct lb_log *log);
void lb_log_fail(struct lb_log *log, lb_status failure);

/* lb_log_enqueue is lb_log_append for entries with or without `done`. */
LB_MUST lb_status lb_log_enqueue(struct lb_log *log, struct lb_log_entry *entry);
/* lb_log_check_entry says whether an entry can be written: MALFORMED, TOO_LARGE. */
LB_MUST lb_status lb_log_check_entry(const struct lb_log_entry *entry);
/* lb_log_write_batch writes at most LB_LOG_BATCH entries in one signed commit, which then is
 * pending; each entry's `outcome` says whether it became a leaf. The batch that was pending is
 * public when this returns. Any failure is the end of this log's service: LOG_UNAVAILABLE for the
 * entries, which remain the caller's to finish. Sequencer only. */
LB_MUST lb_status lb_log_write_batch(struct lb_log *log, struct lb_log_entry *first);
/* lb_log_write_own is the same for entries of the log's own: they are public when it returns. */
LB_MUST lb_status lb_log_write_own(struct lb_log *log, struct lb_log_entry *first);
/* lb_log_pend takes a committed batch, whose leaves are the writer's jobs, when none is pending.
 * lb_log_publish_beside lets the publisher's thread go on with it, and lb_log_publish waits for it
 * or does it here: ratchet, head, then the owners are told, of a failure too. LOG_UNAVAILABLE: the
 * log's service has ended. Nothing to do without a pending batch. Sequencer only; NO_MEMORY. */
LB_MUST lb_status lb_log_pend(struct lb_log *log, struct lb_log_entry *first,
                              const struct lb_records_checkpoint *head);
void lb_log_publish_beside(struct lb_log *log);
LB_MUST lb_status lb_log_publish(struct lb_log *log);
/* lb_log_finish tells the owners of these entries: the failure, or with LB_OK each its outcome. */
void lb_log_finish(struct lb_log *log, struct lb_log_entry *first, lb_status failure);
/* lb_log_seal_begin begins a batch without jobs; lb_log_seal_more says that there is one more,
 * which must not change any more; lb_log_seal waits until one is sealed and hashed: its entry's
 * leaf_bytes and leaf_hash, and its detail row (NO_MEMORY, CRYPTO_FAILED, TOO_LARGE).
 * lb_log_sealed says whether all are, lb_log_seal_all waits for them; lb_log_seal_stop waits until
 * nobody touches a job, when the batch has failed. */
void lb_log_seal_begin(struct lb_log *log);
void lb_log_seal_more(struct lb_log *log);
LB_MUST lb_status lb_log_seal(struct lb_log *log, const struct lb_log_job *job);
bool lb_log_sealed(const struct lb_log *log);
LB_MUST lb_status lb_log_seal_all(struct lb_log *log);
void lb_log_seal_stop(struct lb_log *log);
/* lb_log_housekeep writes due denials and canaries; `last` also those not due yet. */
LB_MUST lb_status lb_log_housekeep(struct lb_log *log, bool last);
/* lb_log_sign_head signs a checkpoint; the note is in the writer's arena. */
LB_MUST lb_status lb_log_sign_head(struct lb_log *log, uint64_t size, const struct lb_hash *root,
                                   struct lb_span *out_note);

#endif
