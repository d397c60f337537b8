#include "gateway/evidence/records.h"

#include "gateway/crypto/hash.h"
#include "gateway/evidence/shards.h"

/* Where a row of no key is for a moment: 2^62, past every real kid. */
#define IDLE_KID (UINT64_C(1) << 62)

static const char *const MIGRATIONS[] = {
    "CREATE TABLE leaf(idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE tile(key INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;"
    "CREATE TABLE checkpoint(id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL,"
    " root BLOB NOT NULL, note BLOB NOT NULL) STRICT;"
    "CREATE TABLE detail(idx INTEGER PRIMARY KEY, kid INTEGER NOT NULL, nonce BLOB NOT NULL,"
    " sealed BLOB NOT NULL, plain_hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE detail_key(kid INTEGER PRIMARY KEY, subject BLOB, sealed BLOB, key_hash BLOB,"
    " erased_by INTEGER) STRICT;",
    NULL,
};

const char *const *lb_records_migrations(void)
{
    return MIGRATIONS;
}

static lb_status prepare_writes(struct lb_records *records)
{
    const struct {
        struct lb_stmt **stmt;
        const char *sql;
    } writes[] = {
        {&records->put_leaf, "INSERT INTO leaf(idx, bytes) VALUES (?1, ?2)"},
        {&records->put_tile, "INSERT INTO tile(key, hashes) VALUES (?1, ?2)"},
        {&records->put_detail, "INSERT INTO detail(idx, kid, nonce, sealed, plain_hash)"
                               " VALUES (?1, ?2, ?3, ?4, ?5)"},
        {&records->put_key, "INSERT INTO detail_key(kid, subject, sealed) VALUES (?1, ?2, ?3)"},
        {&records->drop_key, "DELETE FROM detail_key WHERE kid = ?1"},
        {&records->find_keys, "SELECT kid, sealed FROM detail_key WHERE subject = ?1 ORDER BY kid"},
        {&records->erase_key, "UPDATE detail_key SET subject = NULL, sealed = NULL, key_hash = ?2,"
                              " erased_by = ?3 WHERE kid = ?1"},
        {&records->put_checkpoint,
         "INSERT INTO checkpoint(id, size, root, note) VALUES (1, ?1, ?2, ?3)"},
        {&records->move_checkpoint, "UPDATE checkpoint SET size = ?1, root = ?2, note = ?3"
                                    " WHERE id = 1 AND size = ?4 AND root = ?5"},
    };
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        LB_TRY(lb_stmt_prepare(records->store, writes[i].sql, writes[i].stmt));
    return LB_OK;
}

lb_status lb_records_prepare(struct lb_records *records, struct lb_store *store, bool read_only)
{
    *records = (struct lb_records){.store = store};
    LB_TRY(lb_stmt_prepare(store, "SELECT bytes FROM leaf WHERE idx = ?1", &records->get_leaf));
    LB_TRY(lb_stmt_prepare(store, "SELECT idx, bytes FROM leaf WHERE idx >= ?1 ORDER BY idx",
                           &records->get_leaves));
    LB_TRY(lb_stmt_prepare(store, "SELECT hashes FROM tile WHERE key = ?1", &records->get_tile));
    LB_TRY(lb_stmt_prepare(store,
                           "SELECT (SELECT coalesce(max(idx) + 1, 0) FROM leaf),"
                           " (SELECT coalesce(max(kid), 0) FROM detail_key)",
                           &records->get_bounds));
    LB_TRY(lb_stmt_prepare(store, "SELECT size, root, note FROM checkpoint WHERE id = 1",
                           &records->get_checkpoint));
    return read_only ? LB_OK : prepare_writes(records);
}

lb_status lb_records_column(const struct lb_stmt *stmt, int column, size_t len,
                            struct lb_span *out_blob)
{
    LB_ENSURE(lb_stmt_type(stmt, column) == LB_COL_BLOB, LB_STORE_FAILED, "not a blob");
    struct lb_span blob = lb_stmt_blob(stmt, column);
    LB_ENSURE(len == 0 || blob.len == len, LB_STORE_FAILED, "a blob of the wrong length");
    *out_blob = blob;
    return LB_OK;
}

static lb_status step_once(struct lb_stmt *stmt)
{
    bool row = false;
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_ABSENT, "no such row");
    return LB_OK;
}

/* Runs a query for one blob by number and copies it to out. The statement is left rewound,
 * because a pending read would hold back the WAL. */
static lb_status read_blob(struct lb_stmt *stmt, int64_t number, uint8_t *out, size_t max_len,
                           size_t *out_len)
{
    struct lb_span blob = LB_SPAN_EMPTY;
    lb_status status = lb_stmt_bind_int(stmt, 1, number);
    if (status == LB_OK)
        status = step_once(stmt);
    if (status == LB_OK)
        status = lb_records_column(stmt, 0, 0, &blob);
    if (status == LB_OK && blob.len > max_len)
        status = LB_FAULT(LB_STORE_FAILED, "a blob that is too long");
    if (status == LB_OK && blob.len > 0)
        memcpy(out, blob.ptr, blob.len);
    if (status == LB_OK)
        *out_len = blob.len;
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_records_leaf(struct lb_records *records, uint64_t index, uint8_t *out,
                          size_t *out_len)
{
    lb_status status =
        read_blob(records->get_leaf, (int64_t)index, out, LB_MAX_LEAF_BYTES, out_len);
    if (lb_status_code(status) == LB_ABSENT && records->shards != NULL)
        return lb_shards_leaf(records->shards, index, out, out_len);
    return status;
}

static lb_status visit_leaves(struct lb_stmt *stmt,
                              lb_status (*visit)(void *ctx, uint64_t index, struct lb_span bytes),
                              void *ctx)
{
    bool row = false;
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row) {
        struct lb_span bytes;
        LB_TRY(lb_records_column(stmt, 1, 0, &bytes));
        LB_ENSURE(bytes.len <= LB_MAX_LEAF_BYTES, LB_STORE_FAILED, "a leaf that is too long");
        LB_TRY(visit(ctx, (uint64_t)lb_stmt_int(stmt, 0), bytes));
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return LB_OK;
}

lb_status lb_records_each_leaf(struct lb_records *records, uint64_t from,
                               lb_status (*visit)(void *ctx, uint64_t index,
                                                  struct lb_span bytes),
                               void *ctx)
{
    lb_status status = lb_stmt_bind_int(records->get_leaves, 1, (int64_t)from);
    if (status == LB_OK)
        status = visit_leaves(records->get_leaves, visit, ctx);
    lb_stmt_reset(records->get_leaves);
    return status;
}

static lb_status load_tile(void *context, unsigned level, uint64_t n, struct lb_hash *out_hashes)
{
    struct lb_records *records = context;
    uint8_t bytes[LB_TILE_HASHES * LB_HASH_BYTES];
    size_t len = 0;
    lb_status status =
        read_blob(records->get_tile, lb_records_tile_key(level, n), bytes, sizeof(bytes), &len);
    if (lb_status_code(status) == LB_ABSENT && records->shards != NULL)
        return lb_shards_tile(records->shards, level, n, out_hashes);
    LB_TRY(status);
    LB_ENSURE(len == sizeof(bytes), LB_STORE_FAILED, "a tile of the wrong length");
    memcpy(out_hashes, bytes, sizeof(bytes));
    return LB_OK;
}

static lb_status load_leaf(void *context, uint64_t index, struct lb_hash *out_hash)
{
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    LB_TRY(lb_records_leaf(context, index, bytes, &len));
    lb_merkle_leaf(lb_span_of(bytes, len), out_hash);
    return LB_OK;
}

struct lb_tree_source lb_records_source(struct lb_records *records)
{
    return (struct lb_tree_source){load_tile, load_leaf, records};
}

lb_status lb_records_bounds(struct lb_records *records, struct lb_records_bounds *out)
{
    struct lb_records_bounds bounds = {.num_leaves = 0};
    lb_status status = step_once(records->get_bounds);
    if (status == LB_OK) {
        bounds.num_leaves = lb_stmt_int(records->get_bounds, 0);
        bounds.max_kid = lb_stmt_int(records->get_bounds, 1);
    }
    lb_stmt_reset(records->get_bounds);
    LB_TRY(status);
    LB_TRY(lb_store_sync(records->store));
    *out = bounds;
    return LB_OK;
}

static lb_status copy_checkpoint(const struct lb_stmt *stmt, struct lb_arena *arena,
                                 struct lb_records_checkpoint *out)
{
    struct lb_span root;
    struct lb_span note;
    LB_ENSURE(lb_stmt_type(stmt, 0) == LB_COL_INT && lb_stmt_int(stmt, 0) >= 0, LB_STORE_FAILED,
              "checkpoint size");
    LB_TRY(lb_records_column(stmt, 1, LB_HASH_BYTES, &root));
    LB_TRY(lb_records_column(stmt, 2, 0, &note));
    LB_TRY(lb_arena_copy(arena, note, &out->note));
    out->size = (uint64_t)lb_stmt_int(stmt, 0);
    memcpy(out->root.bytes, root.ptr, LB_HASH_BYTES);
    return LB_OK;
}

lb_status lb_records_checkpoint(struct lb_records *records, struct lb_arena *arena,
                                struct lb_records_checkpoint *out)
{
    struct lb_records_checkpoint row = {.size = 0};
    lb_status status = step_once(records->get_checkpoint);
    if (status == LB_OK)
        status = copy_checkpoint(records->get_checkpoint, arena, &row);
    lb_stmt_reset(records->get_checkpoint);
    LB_TRY(status);
    LB_TRY(lb_store_sync(records->store));
    *out = row;
    return LB_OK;
}

lb_status lb_records_put_leaf(struct lb_records *records, uint64_t index, struct lb_span bytes)
{
    LB_TRY(lb_stmt_bind_int(records->put_leaf, 1, (int64_t)index));
    LB_TRY(lb_stmt_bind_blob(records->put_leaf, 2, bytes));
    return lb_stmt_run(records->put_leaf);
}

lb_status lb_records_put_tile(struct lb_records *records, unsigned level, uint64_t n,
                              const struct lb_hash *hashes)
{
    struct lb_span bytes = lb_span_of(hashes, LB_TILE_HASHES * LB_HASH_BYTES);
    LB_TRY(lb_stmt_bind_int(records->put_tile, 1, lb_records_tile_key(level, n)));
    LB_TRY(lb_stmt_bind_blob(records->put_tile, 2, bytes));
    return lb_stmt_run(records->put_tile);
}

lb_status lb_records_put_detail(struct lb_records *records, uint64_t index,
                                const struct lb_detail_row *row)
{
    struct lb_stmt *stmt = records->put_detail;
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)index));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)row->kid));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(row->nonce, sizeof(row->nonce))));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, row->sealed));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, lb_span_of(row->plain_hash, sizeof(row->plain_hash))));
    return lb_stmt_run(stmt);
}

lb_status lb_records_put_key(struct lb_records *records, uint64_t kid,
                             const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                             const uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES])
{
    struct lb_stmt *stmt = records->put_key;
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)kid));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(subject, LB_DETAIL_SUBJECT_BYTES)));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(sealed, LB_DETAIL_SEALED_KEY_BYTES)));
    return lb_stmt_run(stmt);
}

lb_status lb_records_touch_keys(struct lb_records *records)
{
    static const uint8_t nobody[LB_DETAIL_SUBJECT_BYTES], nothing[LB_DETAIL_SEALED_KEY_BYTES];
    LB_TRY(lb_records_put_key(records, IDLE_KID, nobody, nothing));
    LB_TRY(lb_stmt_bind_int(records->drop_key, 1, (int64_t)IDLE_KID));
    return lb_stmt_run(records->drop_key);
}

static lb_status bind_checkpoint(struct lb_stmt *stmt,
                                 const struct lb_records_checkpoint *checkpoint)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)checkpoint->size));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(checkpoint->root.bytes, LB_HASH_BYTES)));
    return lb_stmt_bind_blob(stmt, 3, checkpoint->note);
}

lb_status lb_records_put_checkpoint(struct lb_records *records,
                                    const struct lb_records_checkpoint *checkpoint)
{
    LB_TRY(bind_checkpoint(records->put_checkpoint, checkpoint));
    return lb_stmt_run(records->put_checkpoint);
}

lb_status lb_records_move_checkpoint(struct lb_records *records, uint64_t from_size,
                                     const struct lb_hash *from_root,
                                     const struct lb_records_checkpoint *to)
{
    struct lb_stmt *stmt = records->move_checkpoint;
    LB_TRY(bind_checkpoint(stmt, to));
    LB_TRY(lb_stmt_bind_int(stmt, 4, (int64_t)from_size));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, lb_span_of(from_root->bytes, LB_HASH_BYTES)));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_store_changes(records->store) == 1, LB_LOG_FORK,
              "somebody else moved the checkpoint");
    return LB_OK;
}
