#include "adapters/serve/sql.h"

#include <stdio.h>
#include <string.h>

lb_status lb_serve_sql_get(struct lb_serve_sql *sql, struct lb_store *store, size_t which,
                           struct lb_stmt **out_stmt)
{
    LB_ENSURE(which < sql->num && which < LB_SERVE_MAX_SQL, LB_INTERNAL, "no such statement");
    if (sql->store != store) {
        memset(sql->stmts, 0, sizeof(sql->stmts));
        sql->store = store;
    }
    if (sql->stmts[which] == NULL)
        LB_TRY(lb_stmt_prepare(store, sql->texts[which], &sql->stmts[which]));
    lb_stmt_reset(sql->stmts[which]);
    *out_stmt = sql->stmts[which];
    return LB_OK;
}

lb_status lb_serve_sql_run(struct lb_serve_sql *sql, struct lb_store *store, size_t which,
                           int64_t value)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(sql, store, which, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, value));
    return lb_stmt_run(stmt);
}

void lb_serve_sql_copy_blob(struct lb_stmt *stmt, int column, uint8_t *out, size_t len)
{
    struct lb_span blob = lb_stmt_blob(stmt, column);
    if (blob.len == len)
        memcpy(out, blob.ptr, len);
}

void lb_serve_sql_copy_text(struct lb_stmt *stmt, int column, char *out, size_t size)
{
    struct lb_span text = lb_stmt_text(stmt, column);
    (void)snprintf(out, size, "%.*s", (int)text.len, text.len > 0 ? (const char *)text.ptr : "");
}
