#ifndef GATEWAY_STORE_EXPR_GUARD_H
#define GATEWAY_STORE_EXPR_GUARD_H

#include <sqlite3.h>

#include "gateway/base/diag.h"
#include "gateway/base/status.h"

/*
 * The second guard of rule expressions: an in-memory SQLite that prepares nothing but one SELECT
 * without tables, with the functions the grammar writes. It holds whatever text it is given. Only
 * this folder includes it.
 */
struct lb_expr_guard {
    sqlite3 *db;
    unsigned num_selects;  /* of the statement being prepared */
};

/* lb_expr_guard_open opens it; the guard must stay where it is until lb_expr_guard_close.
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_expr_guard_open(struct lb_expr_guard *guard);
void lb_expr_guard_close(struct lb_expr_guard *guard);

/* lb_expr_guard_prepare compiles one statement. CONFIG_INVALID with the reason in diag,
 * NO_MEMORY. */
LB_MUST lb_status lb_expr_guard_prepare(struct lb_expr_guard *guard, const char *sql,
                                        struct lb_diag *diag, sqlite3_stmt **out_stmt);

#endif
