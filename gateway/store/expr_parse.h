#ifndef GATEWAY_STORE_EXPR_PARSE_H
#define GATEWAY_STORE_EXPR_PARSE_H

#include "gateway/base/buf.h"
#include "gateway/store/expr_code.h"

/* The typed grammar of expr.h. Only this folder includes it. */

struct lb_expr_shape {
    enum lb_expr_kind kind;
    bool uses[LB_MAX_EXPR_NAMES];
};

/*
 * lb_expr_parse reads `text` and appends the SQL of its value to `sql`: names are parameters (?1 is
 * names[0]), sums and products are calls of lb_sum, lb_neg, lb_product and lb_abs, which give NULL
 * past 64 bits. Its steps (struct lb_expr_step) are appended to `code`. CONFIG_INVALID with the
 * reason in diag.
 */
LB_MUST lb_status lb_expr_parse(const char *text, const struct lb_expr_names *names,
                                struct lb_diag *diag, struct lb_buf *sql, struct lb_buf *code,
                                struct lb_expr_shape *out_shape);

#endif
