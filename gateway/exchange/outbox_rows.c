#include <stdlib.h>

#include "gateway/exchange/outbox_inside.h"

/* The parcels' table stands in the evidence log's own file. It is written in guards, inside the
 * transaction of the entry that says so, and read over a connection of our own. What is over keeps
 * no ciphertext, and what was told keeps nothing but its name and how it ended. */

const char *const lb_outbox_migrations[] = {
    "CREATE TABLE parcel(id INTEGER PRIMARY KEY, sender TEXT NOT NULL, name BLOB NOT NULL,"
    " recipient TEXT NOT NULL, since INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " held INTEGER NOT NULL, sha256 BLOB NOT NULL, bytes INTEGER NOT NULL, sealed BLOB,"
    " ended INTEGER, code TEXT NOT NULL DEFAULT '', receipt BLOB,"
    " told INTEGER NOT NULL DEFAULT 0, UNIQUE(sender, name)) STRICT;"
    "CREATE INDEX parcel_told ON parcel(told, expires);",
    NULL,
};

/* As many are forgotten with an entry, which is more than any entry adds. */
#define PURGED_AT_ONCE 8

struct rows {
    pthread_mutex_t lock;
    struct lb_store *store;
};

lb_status lb_rows_open(const char *path, struct rows **out_rows)
{
    const struct lb_store_options options = {
        .path = path, .read_only = true, .busy_timeout_ms = 10000};
    struct rows *rows = calloc(1, sizeof(*rows));
    LB_ENSURE(rows != NULL, LB_NO_MEMORY, "outbox");
    lb_status status = lb_store_open(&options, &rows->store);
    if (status != LB_OK) {
        free(rows);
        return status;
    }
    (void)pthread_mutex_init(&rows->lock, NULL);
    *out_rows = rows;
    return LB_OK;
}

void lb_rows_close(struct rows *rows)
{
    if (rows == NULL)
        return;
    lb_store_close(rows->store);
    (void)pthread_mutex_destroy(&rows->lock);
    free(rows);
}

/* --- reading --- */

static lb_status step_all(struct lb_stmt *stmt,
                          lb_status (*take)(void *ctx, const struct parcel_row *row), void *ctx)
{
    bool any = false;
    LB_TRY(lb_stmt_step(stmt, &any));
    while (any) {
        const struct parcel_row row = {
            .id = lb_stmt_int(stmt, 0),
            .sender = lb_stmt_text(stmt, 1),
            .name = lb_stmt_blob(stmt, 2),
            .recipient = lb_stmt_text(stmt, 3),
            .since_unix_s = lb_stmt_int(stmt, 4),
            .expires_unix_s = lb_stmt_int(stmt, 5),
            .held = (uint64_t)lb_stmt_int(stmt, 6),
            .sha256 = lb_stmt_blob(stmt, 7),
            .bytes = lb_stmt_int(stmt, 8),
            .over = lb_stmt_type(stmt, 9) != LB_COL_NULL,
            .ended = (uint64_t)lb_stmt_int(stmt, 9),
            .code = lb_stmt_text(stmt, 10),
        };
        LB_TRY(take(ctx, &row));
        LB_TRY(lb_stmt_step(stmt, &any));
    }
    return LB_OK;
}

lb_status lb_rows_each(struct rows *rows,
                       lb_status (*take)(void *ctx, const struct parcel_row *row), void *ctx)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(rows->store,
                           "SELECT id, sender, name, recipient, since, expires, held, sha256,"
                           " bytes, ended, code FROM parcel WHERE told = 0 ORDER BY id",
                           &stmt));
    lb_status status = step_all(stmt, take, ctx);
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_rows_last(struct rows *rows, int64_t *out_id)
{
    struct lb_stmt *stmt = NULL;
    bool any = false;
    LB_TRY(lb_stmt_prepare(rows->store, "SELECT coalesce(max(id), 0) FROM parcel", &stmt));
    lb_status status = lb_stmt_step(stmt, &any);
    if (status == LB_OK)
        *out_id = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return status;
}

/* The first column's blob, and the second's number. */
static lb_status read_blob(struct lb_store *store, const char *sql, int64_t id,
                           struct lb_arena *arena, struct lb_span *out, uint64_t *out_index)
{
    struct lb_stmt *stmt = NULL;
    bool any = false;
    LB_TRY(lb_stmt_prepare(store, sql, &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, id);
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &any);
    if (status == LB_OK && (!any || lb_stmt_type(stmt, 0) != LB_COL_BLOB))
        status = LB_FAULT(LB_ABSENT, "nothing stored");
    if (status == LB_OK)
        status = lb_arena_copy(arena, lb_stmt_blob(stmt, 0), out);
    if (status == LB_OK)
        *out_index = (uint64_t)lb_stmt_int(stmt, 1);
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_rows_sealed(struct rows *rows, int64_t id, struct lb_arena *arena, struct lb_span *out,
                         uint64_t *out_held)
{
    (void)pthread_mutex_lock(&rows->lock);
    lb_status status = read_blob(rows->store, "SELECT sealed, held FROM parcel WHERE id = ?1", id,
                                 arena, out, out_held);
    (void)pthread_mutex_unlock(&rows->lock);
    return status;
}

lb_status lb_rows_receipt(struct rows *rows, int64_t id, struct lb_arena *arena,
                          struct lb_span *out)
{
    uint64_t ended = 0;
    (void)pthread_mutex_lock(&rows->lock);
    lb_status status = read_blob(rows->store, "SELECT receipt, ended FROM parcel WHERE id = ?1",
                                 id, arena, out, &ended);
    (void)pthread_mutex_unlock(&rows->lock);
    return status;
}

static lb_status read_end(struct lb_stmt *stmt, const char *sender,
                          const uint8_t name[PARCEL_NAME_BYTES], uint64_t *out_ended,
                          char out_code[LB_MAX_CODE_BYTES])
{
    bool any = false;
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(sender)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(name, PARCEL_NAME_BYTES)));
    LB_TRY(lb_stmt_step(stmt, &any));
    LB_ENSURE(any, LB_ABSENT, "no such parcel");
    struct lb_span code = lb_stmt_text(stmt, 1);
    LB_ENSURE(code.len < LB_MAX_CODE_BYTES, LB_STORE_FAILED, "a row of no kind");
    memset(out_code, 0, LB_MAX_CODE_BYTES);
    memcpy(out_code, code.ptr, code.len);
    *out_ended = (uint64_t)lb_stmt_int(stmt, 0);
    return LB_OK;
}

lb_status lb_rows_find(struct rows *rows, const char *sender, const uint8_t name[PARCEL_NAME_BYTES],
                       uint64_t *out_ended, char out_code[LB_MAX_CODE_BYTES])
{
    struct lb_stmt *stmt = NULL;
    (void)pthread_mutex_lock(&rows->lock);
    lb_status status = lb_stmt_prepare(rows->store,
                                       "SELECT ended, code FROM parcel WHERE sender = ?1"
                                       " AND name = ?2 AND ended IS NOT NULL",
                                       &stmt);
    if (status == LB_OK)
        status = read_end(stmt, sender, name, out_ended, out_code);
    lb_stmt_free(stmt);
    (void)pthread_mutex_unlock(&rows->lock);
    return status;
}

/* --- writing, in guards --- */

static lb_status run_one(struct lb_store *store, struct lb_stmt *stmt, lb_status bound)
{
    lb_status status = bound == LB_OK ? lb_stmt_run(stmt) : bound;
    lb_stmt_free(stmt);
    LB_TRY(status);
    LB_ENSURE(lb_store_changes(store) == 1, LB_STORE_FAILED, "the parcel's row is not as it was");
    return LB_OK;
}

static lb_status bind_insert(struct lb_stmt *stmt, const struct parcel *parcel,
                             struct lb_span packed)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, parcel->id));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(parcel->sender->party)));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(parcel->name, sizeof(parcel->name))));
    LB_TRY(lb_stmt_bind_text(stmt, 4, lb_span_str(parcel->recipient->party)));
    LB_TRY(lb_stmt_bind_int(stmt, 5, parcel->since_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 6, parcel->expires_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 7, (int64_t)parcel->held));
    LB_TRY(lb_stmt_bind_blob(stmt, 8, lb_span_of(parcel->sha256, sizeof(parcel->sha256))));
    LB_TRY(lb_stmt_bind_int(stmt, 9, (int64_t)parcel->bytes));
    return lb_stmt_bind_blob(stmt, 10, packed);
}

lb_status lb_rows_insert(struct lb_store *store, const struct parcel *parcel, struct lb_span packed)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "INSERT INTO parcel(id, sender, name, recipient, since, expires, held,"
                           " sha256, bytes, sealed)"
                           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                           &stmt));
    return run_one(store, stmt, bind_insert(stmt, parcel, packed));
}

static lb_status bind_renew(struct lb_stmt *stmt, const struct parcel *parcel,
                            struct lb_span packed)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, parcel->id));
    LB_TRY(lb_stmt_bind_int(stmt, 2, parcel->expires_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)parcel->held));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(parcel->sha256, sizeof(parcel->sha256))));
    LB_TRY(lb_stmt_bind_int(stmt, 5, (int64_t)parcel->bytes));
    return lb_stmt_bind_blob(stmt, 6, packed);
}

lb_status lb_rows_renew(struct lb_store *store, const struct parcel *parcel, struct lb_span packed)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "UPDATE parcel SET expires = ?2, held = ?3, sha256 = ?4, bytes = ?5,"
                           " sealed = ?6 WHERE id = ?1 AND ended IS NULL",
                           &stmt));
    return run_one(store, stmt, bind_renew(stmt, parcel, packed));
}

static lb_status bind_end(struct lb_stmt *stmt, int64_t id, uint64_t ended, const char *code,
                          struct lb_span receipt)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, id));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)ended));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(code)));
    return receipt.len == 0 ? lb_stmt_bind_null(stmt, 4) : lb_stmt_bind_blob(stmt, 4, receipt);
}

lb_status lb_rows_end(struct lb_store *store, int64_t id, uint64_t ended, const char *code,
                      struct lb_span receipt)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "UPDATE parcel SET ended = ?2, code = ?3, receipt = ?4, sealed = NULL,"
                           " bytes = 0 WHERE id = ?1 AND ended IS NULL",
                           &stmt));
    return run_one(store, stmt, bind_end(stmt, id, ended, code, receipt));
}

/* One that is gone is no harm. */
lb_status lb_rows_tell(struct lb_store *store, int64_t id)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "UPDATE parcel SET told = 1, receipt = NULL WHERE id = ?1"
                           " AND ended IS NOT NULL",
                           &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, id);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

static lb_status purge(struct lb_store *store, const char *sql, int64_t bound)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store, sql, &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, bound);
    if (status == LB_OK)
        status = lb_stmt_bind_int(stmt, 2, PURGED_AT_ONCE);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_rows_purge(struct lb_store *store, int64_t now_unix_s, int64_t last_id)
{
    LB_TRY(purge(store,
                 "DELETE FROM parcel WHERE id IN (SELECT id FROM parcel WHERE told = 1"
                 " AND expires < ?1 LIMIT ?2)",
                 now_unix_s - REMEMBER_S));
    return purge(store,
                 "DELETE FROM parcel WHERE id IN (SELECT id FROM parcel WHERE told = 1"
                 " AND id <= ?1 ORDER BY id LIMIT ?2)",
                 last_id);
}
