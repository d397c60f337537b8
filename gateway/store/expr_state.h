#ifndef GATEWAY_STORE_EXPR_STATE_H
#define GATEWAY_STORE_EXPR_STATE_H

#include "gateway/store/expr_parse.h"
#include "gateway/store/expr_scan.h"

/* What the two halves of the grammar share: expr_value.c has values and sums, expr_parse.c
 * comparisons and logic. Nobody else includes it. Every lb_status is CONFIG_INVALID with diag
 * set. */
struct lb_expr_state {
    struct lb_token_scanner scanner;
    struct lb_token token;  /* the next one, not yet taken */
    const struct lb_expr_names *names;
    struct lb_diag *diag;
    struct lb_buf *sql;  /* what was read so far, as SQL; checked once at the end */
    struct lb_buf *code;  /* and as steps */
    struct lb_expr_shape *shape;
    unsigned level;
};

/* lb_expr_refuse tells what is wrong at the next token; _token, that this one can't stand here. */
LB_MUST lb_status lb_expr_refuse(const struct lb_expr_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
LB_MUST lb_status lb_expr_refuse_token(const struct lb_expr_state *state);

/* lb_expr_advance takes the next token; _expect refuses one of another kind. */
LB_MUST lb_status lb_expr_advance(struct lb_expr_state *state);
LB_MUST lb_status lb_expr_expect(struct lb_expr_state *state, enum lb_token_kind kind);

/* lb_expr_put appends SQL; _token the next token as written. */
void lb_expr_put(struct lb_expr_state *state, const char *sql);
void lb_expr_put_token(struct lb_expr_state *state);

/* lb_expr_emit appends a step, with its number where it has one. */
void lb_expr_emit(struct lb_expr_state *state, enum lb_expr_op op, int64_t number);
/* lb_expr_emit_constant appends the step of the next token: a number, text or truth value. */
void lb_expr_emit_constant(struct lb_expr_state *state);

/* lb_expr_need refuses what was just read when it is of another kind than is needed. */
LB_MUST lb_status lb_expr_need(const struct lb_expr_state *state, enum lb_expr_kind kind,
                               enum lb_expr_kind want);
/* lb_expr_deeper enters a level and refuses one too many; leaving is state->level--. */
LB_MUST lb_status lb_expr_deeper(struct lb_expr_state *state);

/* The grammar: each reads one part, writes its SQL and gives its kind. */
LB_MUST lb_status lb_expr_read_sum(struct lb_expr_state *state, enum lb_expr_kind *out_kind);
LB_MUST lb_status lb_expr_read_or(struct lb_expr_state *state, enum lb_expr_kind *out_kind);

#endif
