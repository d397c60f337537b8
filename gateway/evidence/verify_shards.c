#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/shards.h"
#include "gateway/evidence/verify_state.h"

/* Verifying a log whose older entries lie in shards: their files are what the SHARD entries say,
 * their rows are read as if they were the log's own, and whatever of them the log still has itself
 * is the same. */

static lb_status tell(struct lb_verify *verify, lb_status status)
{
    const char *trouble = lb_log_reader_trouble(verify->reader);
    if (status != LB_OK && trouble != NULL)
        lb_verify_say(verify, "%s", trouble);
    return status;
}

lb_status lb_verify_shards(struct lb_verify *verify)
{
    struct lb_shards *shards = verify->reader->records.shards;
    LB_TRY(tell(verify, lb_shards_load(shards)));
    for (size_t i = 0; i < lb_shards_num(shards); i++)
        LB_TRY(tell(verify, lb_shards_hash(shards, i)));
    return LB_OK;
}

/* --- rows in order, shard after shard, and the log's own last --- */

static lb_status open_segment(struct lb_verify_rows *rows)
{
    struct lb_shards *shards = rows->reader->records.shards;
    bool own = rows->segment == lb_shards_num(shards);
    int64_t from = own ? (int64_t)lb_shards_end(shards) : INT64_MIN;
    if (!own)
        LB_TRY(lb_shards_open(shards, rows->segment, &rows->file));
    rows->segment++;
    LB_TRY(lb_stmt_prepare(own ? rows->reader->store : rows->file.store, rows->sql, &rows->stmt));
    return lb_stmt_bind_int(rows->stmt, 1, from);
}

static void close_segment(struct lb_verify_rows *rows)
{
    lb_stmt_free(rows->stmt);
    rows->stmt = NULL;
    lb_shard_file_close(&rows->file);
}

lb_status lb_verify_rows_next(struct lb_verify_rows *rows)
{
    LB_TRY(lb_stmt_step(rows->stmt, &rows->row));
    while (!rows->row && rows->reader != NULL &&
           rows->segment <= lb_shards_num(rows->reader->records.shards)) {
        close_segment(rows);
        LB_TRY(open_segment(rows));
        LB_TRY(lb_stmt_step(rows->stmt, &rows->row));
    }
    return LB_OK;
}

lb_status lb_verify_rows_start(struct lb_verify *verify, const char *sql,
                               struct lb_verify_rows *rows)
{
    rows->reader = verify->reader;
    rows->sql = sql;
    LB_TRY(tell(verify, open_segment(rows)));
    return tell(verify, lb_verify_rows_next(rows));
}

void lb_verify_rows_end(struct lb_verify_rows *rows)
{
    close_segment(rows);
}

/* --- rows that are in both places --- */

static lb_status same_leaf(struct lb_verify *verify, const struct lb_stmt *stmt)
{
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    struct lb_span own;
    int64_t index = lb_stmt_int(stmt, 0);
    LB_ENSURE(index >= 0, LB_LOG_FORK, "an entry before the first");
    LB_TRY(lb_shards_leaf(verify->reader->records.shards, (uint64_t)index, bytes, &len));
    LB_TRY(lb_records_column(stmt, 1, 0, &own));
    LB_ENSURE(lb_span_eq(own, lb_span_of(bytes, len)), LB_LOG_FORK, "an entry with two contents");
    return LB_OK;
}

static lb_status same_columns(const struct lb_stmt *stmt, const struct lb_stmt *other)
{
    struct lb_detail_row own;
    struct lb_detail_row copied;
    LB_TRY(lb_reader_detail_row(stmt, 1, &own));
    LB_TRY(lb_reader_detail_row(other, 0, &copied));
    bool same = own.kid == copied.kid && lb_span_eq(own.sealed, copied.sealed) &&
                memcmp(own.nonce, copied.nonce, sizeof(own.nonce)) == 0 &&
                memcmp(own.plain_hash, copied.plain_hash, sizeof(own.plain_hash)) == 0;
    LB_ENSURE(same, LB_LOG_FORK, "a detail with two contents");
    return LB_OK;
}

static lb_status same_detail(struct lb_verify *verify, const struct lb_stmt *stmt)
{
    struct lb_stmt *other = NULL;
    int64_t index = lb_stmt_int(stmt, 0);
    LB_ENSURE(index >= 0, LB_LOG_FORK, "a detail before the first entry");
    LB_TRY(lb_shards_detail(verify->reader->records.shards, (uint64_t)index, &other));
    lb_status status = same_columns(stmt, other);
    lb_stmt_reset(other);
    return status;
}

static lb_status compare_rows(struct lb_verify *verify, struct lb_stmt *stmt,
                              lb_status (*same)(struct lb_verify *verify,
                                                const struct lb_stmt *stmt))
{
    bool row = false;
    uint64_t end = lb_shards_end(verify->reader->records.shards);
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)end));
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row) {
        lb_status status = same(verify, stmt);
        if (status != LB_OK)
            lb_verify_say(verify, "the log's own row of entry %lld, which is in a shard, differs",
                          (long long)lb_stmt_int(stmt, 0));
        LB_TRY(status);
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return LB_OK;
}

static lb_status compare_table(struct lb_verify *verify, const char *sql,
                               lb_status (*same)(struct lb_verify *verify,
                                                 const struct lb_stmt *stmt))
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(verify->reader->store, sql, &stmt));
    lb_status status = compare_rows(verify, stmt, same);
    lb_stmt_free(stmt);
    return status;
}

/* A link's entry must say what its row says. */
static lb_status check_link(struct lb_verify *verify, const struct lb_shards_row *row)
{
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    struct lb_leaf leaf;
    LB_ENSURE(row->leaf < verify->head.size, LB_LOG_FORK, "a link past the log");
    LB_TRY(lb_records_leaf(&verify->reader->records, row->leaf, bytes, &len));
    LB_TRY(lb_leaf_decode(lb_span_of(bytes, len), &leaf));
    bool same = leaf.type == LB_LEAF_SHARD && strcmp(leaf.code, "LINKED") == 0 &&
                memcmp(leaf.request_hash, row->note_hash.bytes, LB_HASH_BYTES) == 0 &&
                memcmp(leaf.answer_hash, row->file_hash.bytes, LB_HASH_BYTES) == 0;
    if (!same)
        lb_verify_say(verify, "entry %llu did not link shard %s as it is",
                      (unsigned long long)row->leaf, row->name);
    LB_ENSURE(same, LB_LOG_FORK, "a shard that was not linked so");
    return LB_OK;
}

lb_status lb_verify_shards_rest(struct lb_verify *verify)
{
    const struct lb_shards *shards = verify->reader->records.shards;
    LB_TRY(compare_table(verify, "SELECT idx, bytes FROM leaf WHERE idx < ?1", same_leaf));
    LB_TRY(compare_table(verify,
                         "SELECT idx, kid, nonce, sealed, plain_hash FROM detail WHERE idx < ?1",
                         same_detail));
    for (size_t i = 0; i < lb_shards_num(shards); i++)
        LB_TRY(check_link(verify, lb_shards_at(shards, i)));
    return LB_OK;
}

lb_status lb_verify_count_tiles(struct lb_verify *verify, int64_t *out_num)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    uint64_t sharded = lb_shards_end(verify->reader->records.shards) / LB_TILE_HASHES;
    LB_TRY(lb_stmt_prepare(verify->reader->store,
                           "SELECT count(*) FROM tile WHERE key < 0 OR key >= ?1", &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, (int64_t)sharded);
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &row);
    if (status == LB_OK)
        *out_num = lb_stmt_int(stmt, 0) + (int64_t)sharded;
    lb_stmt_free(stmt);
    return status;
}
