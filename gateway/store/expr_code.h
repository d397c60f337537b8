#ifndef GATEWAY_STORE_EXPR_CODE_H
#define GATEWAY_STORE_EXPR_CODE_H

#include "gateway/base/buf.h"
#include "gateway/store/expr.h"

/* An expression as steps on a stack, in the order in which its SQL is written: what expr_range.c
 * reckons with. Only this folder includes it. */
enum lb_expr_op {
    LB_EXPR_OP_NUMBER,   /* push `number` */
    LB_EXPR_OP_TRUTH,    /* push `number` != 0 */
    LB_EXPR_OP_NOTHING,  /* push UNKNOWN */
    LB_EXPR_OP_TEXT,     /* push `text` */
    LB_EXPR_OP_NAME,     /* push the value of the name `number` */
    LB_EXPR_OP_NOT,      /* one is taken, one pushed */
    LB_EXPR_OP_NEGATE,
    LB_EXPR_OP_ABS,
    LB_EXPR_OP_CEIL,     /* a whole number is its own */
    LB_EXPR_OP_AS_NUMBER,
    LB_EXPR_OP_AND,      /* two are taken, one pushed */
    LB_EXPR_OP_OR,
    LB_EXPR_OP_EQUAL,
    LB_EXPR_OP_UNEQUAL,
    LB_EXPR_OP_LESS,
    LB_EXPR_OP_AT_MOST,
    LB_EXPR_OP_MORE,
    LB_EXPR_OP_AT_LEAST,
    LB_EXPR_OP_ADD,
    LB_EXPR_OP_MULTIPLY,
    LB_EXPR_OP_MIN,
    LB_EXPR_OP_MAX,
    LB_EXPR_OP_FLOOR_DIV,
    LB_EXPR_OP_CEIL_DIV,
    LB_EXPR_OP_BETWEEN,  /* three are taken, one pushed */
    LB_EXPR_OP_LISTED,   /* IN: value, found so far and an item become value and found */
    LB_EXPR_OP_DROP,     /* the end of IN: value and found become found */
};

/* Of LB_EXPR_OP_TEXT a text too long for any value is a text that nothing is equal to. */
struct lb_expr_step {
    enum lb_expr_op op;
    bool too_long;
    int64_t number;
    char text[LB_MAX_EXPR_TEXT_BYTES];
};

/* More steps than an expression of LB_MAX_EXPR_BYTES can have, as bytes of a buffer. */
#define LB_MAX_EXPR_CODE_BYTES (LB_MAX_EXPR_BYTES * sizeof(struct lb_expr_step))

/* lb_expr_code_of borrows the steps of a compiled expression. */
const struct lb_expr_step *lb_expr_code_of(const struct lb_expr *expr, size_t *out_num);

#endif
