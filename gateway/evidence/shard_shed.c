#include <stdatomic.h>
#include <sys/stat.h>

#include "gateway/evidence/log_state.h"

/* The log's own rows of a linked shard go, a few at a time, between the entries. */

#define SHED_MS 100
#define SHED_ROWS 1024

static lb_status run_number(struct lb_store *store, const char *sql, int64_t below)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store, sql, &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, below);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

static lb_status first_leaf(struct lb_store *store, int64_t *out_index)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT min(idx) FROM leaf", &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    if (status == LB_OK && (!row || lb_stmt_type(stmt, 0) != LB_COL_INT))
        status = LB_FAULT(LB_LOG_FORK, "the log has no entries of its own");
    if (status == LB_OK)
        *out_index = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return status;
}

/* Tiles of level 0 stay until their parent is full and stored: the tree is restored from them, and
 * what a shard gives is held against the parent. The last one before `to` stays in any case, for a
 * ratchet that lags. */
static int64_t tiles_below(uint64_t below, uint64_t to)
{
    uint64_t full = (to - 1) / (LB_TILE_HASHES * LB_TILE_HASHES) * LB_TILE_HASHES;
    uint64_t tiles = below / LB_TILE_HASHES;
    return (int64_t)(tiles < full ? tiles : full);
}

static lb_status remove_rows(struct lb_store *store, uint64_t below, uint64_t to)
{
    LB_TRY(run_number(store, "DELETE FROM detail WHERE idx < ?1", (int64_t)below));
    LB_TRY(run_number(store, "DELETE FROM tile WHERE key < ?1", tiles_below(below, to)));
    return run_number(store, "DELETE FROM leaf WHERE idx < ?1", (int64_t)below);
}

/* One transaction; *out_done when nothing of the range is left. */
static lb_status step(struct lb_store *store, uint64_t to, bool *out_done)
{
    int64_t first = 0;
    LB_TRY(first_leaf(store, &first));
    LB_ENSURE(first >= 0, LB_LOG_FORK, "an entry before the first");
    *out_done = (uint64_t)first >= to;
    if (*out_done)
        return LB_OK;
    uint64_t below = (uint64_t)first + SHED_ROWS < to ? (uint64_t)first + SHED_ROWS : to;
    LB_TRY(lb_store_begin(store));
    lb_status status = remove_rows(store, below, to);
    if (status == LB_OK)
        status = lb_store_commit(store);
    if (status != LB_OK)
        lb_store_rollback(store);
    return status;
}

/* The rows that are left are the only ones if the file has gone. */
static bool file_is_there(const struct lb_shed *shed)
{
    struct stat info;
    return stat(shed->path, &info) == 0 && (uint64_t)info.st_size == shed->bytes;
}

static bool is_due(struct lb_log *log)
{
    struct lb_log_writer *writer = &log->writer;
    int64_t now = lb_clock_monotonic_ms(log->clock);
    if (writer->space.level > LB_SPACE_LOW || now - writer->shed_ms < SHED_MS)
        return false;
    writer->shed_ms = now;
    return true;
}

lb_status lb_log_shed(struct lb_log *log)
{
    uint64_t to = atomic_load(&log->shed.to);
    bool done = false;
    if (to == 0 || !is_due(log))
        return LB_OK;
    lb_status status = LB_OK;
    if (file_is_there(&log->shed))
        status = step(log->writer.store, to, &done);
    else
        done = true;
    if (lb_store_trouble(status) == LB_STORE_TROUBLE_FULL)
        return LB_OK;
    if (status != LB_OK) {
        lb_log_fail(log, status);
        LB_FAIL(LB_LOG_UNAVAILABLE, "the log has stopped");
    }
    if (done)
        atomic_store(&log->shed.to, 0);
    return LB_OK;
}
