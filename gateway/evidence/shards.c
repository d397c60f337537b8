#include "gateway/evidence/shards.h"

#include <sys/stat.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/records.h"

/* The files of linked shards, and what is read from them. */

#define META_ARENA_BYTES (64U * 1024)

static lb_status refuse(struct lb_shards *shards, size_t which, lb_status status, const char *what)
{
    lb_shards_say(shards, which, what);
    return status;
}

/* A file that lasts cannot turn into what SQLite does not read: whoever changed it did. */
static lb_status damaged(struct lb_shards *shards, size_t which, lb_status status)
{
    if (lb_status_code(status) != LB_STORE_FAILED)
        return status;
    return refuse(shards, which, LB_FAULT(LB_LOG_FORK, "a shard of the log was changed"),
                  "was changed: it does not read any more");
}

/* --- opening --- */

static lb_status check_length(struct lb_shards *shards, size_t which, const char *path)
{
    const struct lb_shards_row *row = &shards->rows[which];
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return refuse(shards, which, LB_FAULT(LB_LOG_BEHIND, "a shard of the log is missing"),
                      "is missing");
    if ((uint64_t)info.st_size < row->file_bytes)
        return refuse(shards, which, LB_FAULT(LB_LOG_BEHIND, "a shard of the log was cut"),
                      "was cut short");
    if ((uint64_t)info.st_size > row->file_bytes)
        return refuse(shards, which, LB_FAULT(LB_LOG_FORK, "a shard of the log was changed"),
                      "was changed: it is longer than it was");
    return LB_OK;
}

static lb_status check_meta(struct lb_shards *shards, size_t which,
                            const struct lb_shard_file *file)
{
    const struct lb_shards_row *row = &shards->rows[which];
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(META_ARENA_BYTES);
    struct lb_shard_meta meta;
    uint8_t note_hash[LB_HASH_BYTES];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "shard");
    LB_TRY(lb_shard_file_meta(file, arena, &meta));
    lb_sha256(meta.note, note_hash);
    bool same = meta.from == row->from && meta.to == row->to &&
                strcmp(meta.name, row->name) == 0 &&
                memcmp(note_hash, row->note_hash.bytes, sizeof(note_hash)) == 0;
    if (!same)
        return refuse(shards, which, LB_FAULT(LB_LOG_FORK, "another shard than was linked"),
                      "is another file than was linked");
    return LB_OK;
}

lb_status lb_shards_open(struct lb_shards *shards, size_t i, struct lb_shard_file *out_file)
{
    struct lb_shard_path path;
    LB_DEFER(lb_shard_file_close) struct lb_shard_file file = {.store = NULL};
    LB_TRY(lb_shard_path_make(shards->folder, shards->rows[i].name, ".db", &path));
    LB_TRY(check_length(shards, i, path.text));
    lb_status status = lb_shard_file_open(path.text, &file);
    if (status == LB_OK)
        status = check_meta(shards, i, &file);
    LB_TRY(damaged(shards, i, status));
    *out_file = file;
    file.store = NULL;
    return LB_OK;
}

lb_status lb_shards_hash(struct lb_shards *shards, size_t i)
{
    const struct lb_shards_row *row = &shards->rows[i];
    struct lb_shard_path path;
    struct lb_hash hash;
    uint64_t bytes = 0;
    LB_TRY(lb_shard_path_make(shards->folder, row->name, ".db", &path));
    LB_TRY(check_length(shards, i, path.text));
    LB_TRY(lb_shard_file_hash(path.text, &hash, &bytes));
    bool same = bytes == row->file_bytes &&
                memcmp(hash.bytes, row->file_hash.bytes, LB_HASH_BYTES) == 0;
    if (!same)
        return refuse(shards, i, LB_FAULT(LB_LOG_FORK, "a shard of the log was changed"),
                      "was changed");
    return LB_OK;
}

/* Borrows an open file, until the next call for another shard. */
static lb_status borrow(struct lb_shards *shards, size_t which, struct lb_shard_file **out)
{
    struct lb_shards_slot *place = &shards->slots[0];
    for (size_t i = 0; i < LB_SHARDS_OPEN; i++) {
        struct lb_shards_slot *slot = &shards->slots[i];
        if (slot->tick != 0 && slot->which == which) {
            slot->tick = ++shards->tick;
            *out = &slot->file;
            return LB_OK;
        }
        if (slot->tick < place->tick)
            place = slot;
    }
    struct lb_shard_file file = {.store = NULL};
    LB_TRY(lb_shards_open(shards, which, &file));
    lb_shard_file_close(&place->file);
    *place = (struct lb_shards_slot){file, which, ++shards->tick};
    *out = &place->file;
    return LB_OK;
}

/* --- reading --- */

/* Steps a statement for one number to its row; ABSENT when there is none. */
static lb_status find(struct lb_stmt *stmt, int64_t number)
{
    bool row = false;
    lb_status status = lb_stmt_bind_int(stmt, 1, number);
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &row);
    if (status == LB_OK && !row)
        status = LB_FAULT(LB_ABSENT, "no such row");
    if (status != LB_OK)
        lb_stmt_reset(stmt);
    return status;
}

static lb_status read_tile(struct lb_stmt *stmt, int64_t key, struct lb_hash *out_hashes)
{
    struct lb_span blob;
    LB_TRY(find(stmt, key));
    lb_status status = lb_records_column(stmt, 0, LB_TILE_HASHES * LB_HASH_BYTES, &blob);
    if (status == LB_OK)
        memcpy(out_hashes, blob.ptr, blob.len);
    lb_stmt_reset(stmt);
    return status;
}

static void tile_root(const struct lb_hash *hashes, struct lb_hash *out)
{
    struct lb_merkle_frontier frontier;
    lb_merkle_frontier_init(&frontier);
    for (size_t i = 0; i < LB_TILE_HASHES; i++)
        lb_merkle_frontier_add(&frontier, &hashes[i]);
    lb_merkle_frontier_root(&frontier, out);
}

/* A tile of a file must be the one whose root its parent in evidence.db has. */
static lb_status checked_tile(struct lb_shards *shards, size_t which, uint64_t n,
                              struct lb_hash *out_hashes)
{
    struct lb_hash hashes[LB_TILE_HASHES];
    struct lb_hash parent[LB_TILE_HASHES];
    struct lb_hash root;
    struct lb_shard_file *file = NULL;
    LB_TRY(borrow(shards, which, &file));
    lb_status status = read_tile(file->get_tile, (int64_t)n, hashes);
    if (lb_status_code(status) == LB_ABSENT)
        status = LB_FAULT(LB_STORE_FAILED, "a tile of a shard is missing");
    LB_TRY(damaged(shards, which, status));
    status = read_tile(shards->get_tile, lb_records_tile_key(1, n / LB_TILE_HASHES), parent);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_LOG_FORK, "a tile's parent is missing");
    LB_TRY(status);
    tile_root(hashes, &root);
    if (memcmp(root.bytes, parent[n % LB_TILE_HASHES].bytes, LB_HASH_BYTES) != 0)
        return refuse(shards, which, LB_FAULT(LB_LOG_FORK, "a shard of the log was changed"),
                      "was changed: a tile is not the one that was signed");
    memcpy(out_hashes, hashes, sizeof(hashes));
    return LB_OK;
}

lb_status lb_shards_tile(struct lb_shards *shards, unsigned level, uint64_t n,
                         struct lb_hash *out_hashes)
{
    size_t which = 0;
    LB_ENSURE(level == 0 && n < (uint64_t)INT64_MAX / LB_TILE_HASHES, LB_ABSENT,
              "no such tile in a shard");
    LB_TRY(lb_shards_find(shards, n * LB_TILE_HASHES, &which));
    return checked_tile(shards, which, n, out_hashes);
}

/* The tile a leaf is held against: evidence.db has those below a parent that is not full yet. */
static lb_status need_tile(struct lb_shards *shards, size_t which, uint64_t n)
{
    if (shards->has_tile && shards->tile == n)
        return LB_OK;
    shards->has_tile = false;
    lb_status status = read_tile(shards->get_tile, lb_records_tile_key(0, n), shards->hashes);
    if (lb_status_code(status) == LB_ABSENT)
        status = checked_tile(shards, which, n, shards->hashes);
    LB_TRY(status);
    shards->has_tile = true;
    shards->tile = n;
    return LB_OK;
}

static lb_status read_leaf(struct lb_stmt *stmt, uint64_t index, uint8_t *out, size_t *out_len)
{
    struct lb_span blob = LB_SPAN_EMPTY;
    lb_status status = find(stmt, (int64_t)index);
    if (lb_status_code(status) == LB_ABSENT)
        status = LB_FAULT(LB_STORE_FAILED, "a leaf of a shard is missing");
    LB_TRY(status);
    status = lb_records_column(stmt, 0, 0, &blob);
    if (status == LB_OK && (blob.len == 0 || blob.len > LB_MAX_LEAF_BYTES))
        status = LB_FAULT(LB_STORE_FAILED, "a leaf of the wrong length");
    if (status == LB_OK) {
        memcpy(out, blob.ptr, blob.len);
        *out_len = blob.len;
    }
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_shards_leaf(struct lb_shards *shards, uint64_t index, uint8_t *out, size_t *out_len)
{
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    size_t which = 0;
    struct lb_hash hash;
    struct lb_shard_file *file = NULL;
    LB_TRY(lb_shards_find(shards, index, &which));
    LB_TRY(need_tile(shards, which, index / LB_TILE_HASHES));
    LB_TRY(borrow(shards, which, &file));
    LB_TRY(damaged(shards, which, read_leaf(file->get_leaf, index, bytes, &len)));
    lb_merkle_leaf(lb_span_of(bytes, len), &hash);
    if (memcmp(hash.bytes, shards->hashes[index % LB_TILE_HASHES].bytes, LB_HASH_BYTES) != 0)
        return refuse(shards, which, LB_FAULT(LB_LOG_FORK, "a shard of the log was changed"),
                      "was changed: an entry is not the one that was signed");
    memcpy(out, bytes, len);
    *out_len = len;
    return LB_OK;
}

lb_status lb_shards_detail(struct lb_shards *shards, uint64_t index, struct lb_stmt **out_stmt)
{
    size_t which = 0;
    struct lb_shard_file *file = NULL;
    LB_TRY(lb_shards_find(shards, index, &which));
    LB_TRY(borrow(shards, which, &file));
    LB_TRY(damaged(shards, which, find(file->get_detail, (int64_t)index)));
    *out_stmt = file->get_detail;
    return LB_OK;
}
