#ifndef GATEWAY_EVIDENCE_SHARD_FILE_H
#define GATEWAY_EVIDENCE_SHARD_FILE_H

#include <limits.h>

#include "gateway/base/limits.h"
#include "gateway/evidence/shard.h"
#include "gateway/store/store.h"

/*
 * One shard's file: an SQLite database in rollback mode, written once and never changed.
 *
 *   leaf(idx, bytes), detail(idx, kid, nonce, sealed, plain_hash)   as in evidence.db (records.h)
 *   tile(key, hashes)           the tiles of level 0 over these leaves; key = n
 *   shard(id = 1, name, origin, first, until, note, before, proof)
 *       what it holds, [first, until); a signed checkpoint of at least `until` entries; the right
 *       edge of the tree of `first` entries (a hash for each bit of `first` that is set, from the
 *       lowest on); and the consistency proof from `until` to the checkpoint. With them the file
 *       is verified by the log's key alone.
 *
 * Higher tiles and the data keys of details stay in evidence.db for good.
 */
#define LB_SHARD_APPLICATION_ID 0x4C425348U /* "LBSH" */

struct lb_shard_file {
    struct lb_store *store;
    struct lb_stmt *get_leaf;
    struct lb_stmt *get_tile;
    struct lb_stmt *get_detail;  /* kid, nonce, sealed, plain_hash */
};

/* What a shard says of itself. */
struct lb_shard_meta {
    char name[LB_SHARD_NAME_BYTES];
    char origin[256];
    uint64_t from, to;
    struct lb_span note;
    struct lb_merkle_frontier before;
    struct lb_hash proof[LB_MAX_PROOF_HASHES];
    size_t num_proof;
};

/* lb_shard_schema is the file's schema steps, NULL-terminated. */
const char *const *lb_shard_schema(void);

/* A path below a log's folder. */
struct lb_shard_path {
    char text[PATH_MAX];
};
/* lb_shard_path_make is "<folder>/shards/<name><suffix>"; FILE_FAILED when it is too long. */
LB_MUST lb_status lb_shard_path_make(const char *folder, const char *name, const char *suffix,
                                     struct lb_shard_path *out);
/* lb_shard_is_name says whether a text is a half-year's name, "2026h1". */
bool lb_shard_is_name(const char *text);

/* lb_shard_file_open opens read-only. FILE_FAILED, STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_shard_file_open(const char *path, struct lb_shard_file *out_file);
/* lb_shard_file_close releases; an empty one is allowed. */
void lb_shard_file_close(struct lb_shard_file *file);
/* lb_shard_file_meta reads what it says of itself, the note into the arena. STORE_FAILED for
 * anything that is not of its shape; NO_MEMORY. */
LB_MUST lb_status lb_shard_file_meta(const struct lb_shard_file *file, struct lb_arena *arena,
                                     struct lb_shard_meta *out_meta);
/* lb_shard_sync makes a shard durable: its file, its name, and the shards' folder in the log's.
 * FILE_FAILED. */
LB_MUST lb_status lb_shard_sync(const char *folder, const char *path);
/* lb_shard_file_hash is the RFC 6962 root over the file's pieces of LB_SHARD_PIECE_BYTES, and its
 * length. FILE_FAILED, NO_MEMORY. */
#define LB_SHARD_PIECE_BYTES (1024U * 1024)
LB_MUST lb_status lb_shard_file_hash(const char *path, struct lb_hash *out_hash,
                                     uint64_t *out_bytes);

#endif
