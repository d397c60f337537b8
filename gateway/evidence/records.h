#ifndef GATEWAY_EVIDENCE_RECORDS_H
#define GATEWAY_EVIDENCE_RECORDS_H

#include "gateway/base/arena.h"
#include "gateway/evidence/detail.h"
#include "gateway/evidence/merkle.h"
#include "gateway/evidence/tree.h"
#include "gateway/store/store.h"

/*
 * The tables of a log, without any secondary index:
 *
 *   leaf(idx, bytes)                               the tree's leaves, 0, 1, 2 ... without a gap
 *   tile(key, hashes)                              full tiles; key = level << 56 | n
 *   checkpoint(id = 1, size, root, note)           the newest one, changed with the leaves it signs
 *   detail(idx, kid, nonce, sealed, plain_hash)    encrypted details; detail.h gives the bytes
 *   detail_key(kid, subject, sealed, key_hash, erased_by)   data keys 1, 2, 3 ... by first use;
 *       once erased, key_hash and erased_by (the ERASURE leaf's index) stand for the other two
 *
 * The owner's tables in the same file (replay memory, use counters) are working state, not
 * evidence: no leaf covers them, and lb_log_reader_verify does not read them. Leaves, details and
 * tiles of level 0 that are in a linked shard are no longer here (shards.h).
 */
#define LB_RECORDS_APPLICATION_ID 0x4C424C47U  /* "LBLG" */

/* lb_records_migrations is the log's own schema steps, NULL-terminated. */
const char *const *lb_records_migrations(void);

/* lb_records_tile_key joins a tile's level and number. */
static inline int64_t lb_records_tile_key(unsigned level, uint64_t n)
{
    return (int64_t)((uint64_t)level << 56 | n);
}

struct lb_shards;

/* Statements of one connection; those that write are NULL on a read-only one. */
struct lb_records {
    struct lb_store *store;
    struct lb_shards *shards;  /* where removed leaves and tiles are; NULL: not asked */
    struct lb_stmt *get_leaf;
    struct lb_stmt *get_leaves;
    struct lb_stmt *get_tile;
    struct lb_stmt *get_bounds;
    struct lb_stmt *get_checkpoint;
    struct lb_stmt *put_leaf;
    struct lb_stmt *put_tile;
    struct lb_stmt *put_detail;
    struct lb_stmt *put_key;
    struct lb_stmt *drop_key;
    struct lb_stmt *find_keys;
    struct lb_stmt *erase_key;
    struct lb_stmt *put_checkpoint;
    struct lb_stmt *move_checkpoint;
};

/* lb_records_prepare compiles the statements; they belong to the store. STORE_FAILED. */
LB_MUST lb_status lb_records_prepare(struct lb_records *records, struct lb_store *store,
                                     bool read_only);

/* lb_records_column borrows a blob of exactly len bytes (any length for 0); STORE_FAILED for
 * another type or length. */
LB_MUST lb_status lb_records_column(const struct lb_stmt *stmt, int column, size_t len,
                                    struct lb_span *out_blob);

/* lb_records_leaf copies one leaf's bytes into out[LB_MAX_LEAF_BYTES], out of a shard when it is
 * not in the table; ABSENT; statuses of lb_shards_leaf. */
LB_MUST lb_status lb_records_leaf(struct lb_records *records, uint64_t index, uint8_t *out,
                                  size_t *out_len);
/* lb_records_each_leaf visits the stored leaves from an index on, until there are no more or visit
 * fails; the bytes are borrowed, and no longer than a leaf may be. STORE_FAILED, or what visit
 * says. */
LB_MUST lb_status lb_records_each_leaf(struct lb_records *records, uint64_t from,
                                       lb_status (*visit)(void *ctx, uint64_t index,
                                                          struct lb_span bytes),
                                       void *ctx);
/* lb_records_source makes tiles and leaves available to a tree. */
struct lb_tree_source lb_records_source(struct lb_records *records);

struct lb_records_bounds {
    int64_t num_leaves;  /* largest index + 1; 0 for none */
    int64_t max_kid;     /* 0 for none */
};
/* lb_records_bounds reads both from the tables' ends. What they and the checkpoint say is on disk
 * when it is told, since the writer may have committed it without waiting. STORE_FAILED. */
LB_MUST lb_status lb_records_bounds(struct lb_records *records, struct lb_records_bounds *out);

/* A checkpoint row as it is stored: its columns repeat what the note says. */
struct lb_records_checkpoint {
    uint64_t size;
    struct lb_hash root;
    struct lb_span note;
};
/* lb_records_checkpoint reads the row, the note into the arena; ABSENT when there is none. */
LB_MUST lb_status lb_records_checkpoint(struct lb_records *records, struct lb_arena *arena,
                                        struct lb_records_checkpoint *out);

/* Writing, inside the caller's transaction; STORE_FAILED, STORE_CONFLICT. */
LB_MUST lb_status lb_records_put_leaf(struct lb_records *records, uint64_t index,
                                      struct lb_span bytes);
LB_MUST lb_status lb_records_put_tile(struct lb_records *records, unsigned level, uint64_t n,
                                      const struct lb_hash *hashes);
LB_MUST lb_status lb_records_put_detail(struct lb_records *records, uint64_t index,
                                        const struct lb_detail_row *row);
LB_MUST lb_status lb_records_put_key(struct lb_records *records, uint64_t kid,
                                     const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                                     const uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES]);
/* lb_records_touch_keys writes the page that a new key would be on, and leaves nothing there. */
LB_MUST lb_status lb_records_touch_keys(struct lb_records *records);
LB_MUST lb_status lb_records_put_checkpoint(struct lb_records *records,
                                            const struct lb_records_checkpoint *checkpoint);
/* lb_records_move_checkpoint replaces the row if it still is `from` (compare and swap); LOG_FORK
 * when somebody else has moved it. */
LB_MUST lb_status lb_records_move_checkpoint(struct lb_records *records, uint64_t from_size,
                                             const struct lb_hash *from_root,
                                             const struct lb_records_checkpoint *to);
/* One ERASURE entry destroys at most this many data keys of its subject; a subject with more needs
 * another entry. Each adds this many bytes, u64 kid || key_hash, to what the leaf commits to. */
#define LB_RECORDS_MAX_ERASED 65536U
#define LB_RECORDS_ERASED_BYTES 40U
/* lb_records_erasure_hash is the request_hash of an ERASURE leaf over these bytes by rising kid. */
void lb_records_erasure_hash(struct lb_span commitments, uint8_t out[32]);
/* lb_records_erase destroys a subject's keys in favour of their commitments, marked with the
 * ERASURE leaf's index, and computes that leaf's request_hash and count (see detail.h). */
LB_MUST lb_status lb_records_erase(struct lb_records *records, uint64_t index,
                                   const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                                   struct lb_leaf *leaf);

#endif
