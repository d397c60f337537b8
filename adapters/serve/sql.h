#ifndef ADAPTERS_SERVE_SQL_H
#define ADAPTERS_SERVE_SQL_H

#include "gateway/store/store.h"

#define LB_SERVE_MAX_SQL 20

/* Statements of one file, prepared when first used in the store that the sequencer passes. They
 * belong to that store. */
struct lb_serve_sql {
    const char *const *texts;
    size_t num;
    struct lb_store *store;
    struct lb_stmt *stmts[LB_SERVE_MAX_SQL];
};

/* lb_serve_sql_get gives statement number `which`, reset. INTERNAL for a number that is not there,
 * STORE_FAILED. */
LB_MUST lb_status lb_serve_sql_get(struct lb_serve_sql *sql, struct lb_store *store, size_t which,
                                   struct lb_stmt **out_stmt);
/* lb_serve_sql_run runs statement number `which` with one integer bound, such as a time before
 * which rows go. */
LB_MUST lb_status lb_serve_sql_run(struct lb_serve_sql *sql, struct lb_store *store, size_t which,
                                   int64_t value);

/* lb_serve_sql_copy_blob copies a column of just this length, and leaves *out alone for any other;
 * lb_serve_sql_copy_text copies a text, cut to the size with its NUL. */
void lb_serve_sql_copy_blob(struct lb_stmt *stmt, int column, uint8_t *out, size_t len);
void lb_serve_sql_copy_text(struct lb_stmt *stmt, int column, char *out, size_t size);

#endif
