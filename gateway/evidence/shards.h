#ifndef GATEWAY_EVIDENCE_SHARDS_H
#define GATEWAY_EVIDENCE_SHARDS_H

#include "gateway/evidence/shard_file.h"
#include "gateway/evidence/tree.h"

/*
 * The shards a log has linked, as one connection to its evidence.db sees them. Which they are
 * stands in a table there, written with their SHARD entries and made with the first of them:
 *
 *   shard(first, until, name, note_hash, file_hash, file_bytes, leaf)
 *
 * Their files are opened when something in them is asked for, and a few are kept open. What is read
 * is held against evidence.db before it is believed: the file against its row, a tile against its
 * parent, which stays in evidence.db for good, and a leaf against its tile. One thread at a time,
 * that of the connection.
 *
 *   LOG_BEHIND   a shard's file is missing, or shorter than it was
 *   LOG_FORK     it is another file, or was changed; or the table can't be what a log wrote
 *
 * and after either lb_shards_trouble names the shard and says what to do.
 */
struct lb_shards;

struct lb_shards_row {
    char name[LB_SHARD_NAME_BYTES];
    uint64_t from, to;
    struct lb_hash note_hash;  /* SHA-256 of its signed checkpoint: the SHARD leaf's request_hash */
    struct lb_hash file_hash;  /* lb_shard_file_hash: the SHARD leaf's answer_hash */
    uint64_t file_bytes;
    uint64_t leaf;             /* index of the SHARD entry */
};

/* lb_shards_new reads the table of the log in a folder through a connection, which must outlive
 * it. STORE_FAILED, LOG_FORK, NO_MEMORY. */
LB_MUST lb_status lb_shards_new(const char *folder, struct lb_store *store,
                                struct lb_shards **out_shards);
/* lb_shards_free closes what is open; NULL is allowed. Before the connection is closed. */
void lb_shards_free(struct lb_shards *shards);
/* lb_shards_load reads the table again. As lb_shards_new. */
LB_MUST lb_status lb_shards_load(struct lb_shards *shards);
/* lb_shards_num counts them; lb_shards_at borrows one, oldest first; lb_shards_end is the first
 * entry that is in none. */
size_t lb_shards_num(const struct lb_shards *shards);
const struct lb_shards_row *lb_shards_at(const struct lb_shards *shards, size_t i);
uint64_t lb_shards_end(const struct lb_shards *shards);
/* lb_shards_trouble borrows the sentence of the last failure; NULL when there was none. */
const char *lb_shards_trouble(const struct lb_shards *shards);

/* lb_shards_leaf copies a leaf into out[LB_MAX_LEAF_BYTES], lb_shards_tile a full tile of level 0.
 * ABSENT for what is in no shard; LOG_BEHIND, LOG_FORK, FILE_FAILED, STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_shards_leaf(struct lb_shards *shards, uint64_t index, uint8_t *out,
                                 size_t *out_len);
LB_MUST lb_status lb_shards_tile(struct lb_shards *shards, unsigned level, uint64_t n,
                                 struct lb_hash *out_hashes);
/* lb_shards_detail finds an entry's detail: a statement at its row (kid, nonce, sealed,
 * plain_hash), which the caller resets before the next call. As lb_shards_leaf. */
LB_MUST lb_status lb_shards_detail(struct lb_shards *shards, uint64_t index,
                                   struct lb_stmt **out_stmt);

/* lb_shards_open opens a file of the caller's own, held against its row. As lb_shards_leaf. */
LB_MUST lb_status lb_shards_open(struct lb_shards *shards, size_t i,
                                 struct lb_shard_file *out_file);
/* lb_shards_hash holds all of a file's bytes against its row. As lb_shards_leaf. */
LB_MUST lb_status lb_shards_hash(struct lb_shards *shards, size_t i);
/* lb_shards_state looks for a shard's file. */
enum lb_shard_state lb_shards_state(const struct lb_shards *shards, size_t i);
/* lb_shards_present is LOG_BEHIND, with the sentence, when a file is missing and was not declared
 * to be away. */
LB_MUST lb_status lb_shards_present(struct lb_shards *shards);

/* lb_shards_insert writes a row, in a transaction of the log's own connection; the table is made
 * if need be. STORE_FAILED, STORE_CONFLICT. */
LB_MUST lb_status lb_shards_insert(struct lb_store *store, const struct lb_shards_row *row);

/* The inside, shared by the table and the files. */
#define LB_SHARDS_OPEN 4

struct lb_shards_slot {
    struct lb_shard_file file;
    size_t which;   /* row */
    uint64_t tick;  /* 0 for empty */
};

struct lb_shards {
    char *folder;
    struct lb_store *store;
    struct lb_stmt *get_tile;
    struct lb_shards_row rows[LB_SHARD_MAX];
    size_t num;
    struct lb_shards_slot slots[LB_SHARDS_OPEN];
    uint64_t tick;
    bool has_tile;  /* the last tile of level 0 that leaves were held against */
    uint64_t tile;
    struct lb_hash hashes[LB_TILE_HASHES];
    struct lb_diag trouble;
};

/* lb_shards_find is the row an entry is in, by a table that is read again when it may be out of
 * date. ABSENT, STORE_FAILED, LOG_FORK. */
LB_MUST lb_status lb_shards_find(struct lb_shards *shards, uint64_t index, size_t *out_which);
/* lb_shards_say keeps a sentence about a shard and what to do: "shard <name> (entries a to b)
 * <what>". */
void lb_shards_say(struct lb_shards *shards, size_t which, const char *what);

#endif
