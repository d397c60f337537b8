#include "gateway/store/expr_parse.h"

#include "gateway/base/utf8.h"
#include "gateway/store/expr_state.h"

static lb_status read_between(struct lb_expr_state *state, enum lb_expr_kind left)
{
    enum lb_expr_kind kind;
    LB_TRY(lb_expr_need(state, left, LB_EXPR_NUMBER));
    lb_expr_put(state, " BETWEEN ");
    LB_TRY(lb_expr_advance(state));
    LB_TRY(lb_expr_read_sum(state, &kind));
    LB_TRY(lb_expr_need(state, kind, LB_EXPR_NUMBER));
    lb_expr_put(state, " AND ");
    LB_TRY(lb_expr_expect(state, LB_TOKEN_AND));
    LB_TRY(lb_expr_read_sum(state, &kind));
    lb_expr_emit(state, LB_EXPR_OP_BETWEEN, 0);
    return lb_expr_need(state, kind, LB_EXPR_NUMBER);
}

static lb_status read_in(struct lb_expr_state *state, enum lb_expr_kind left)
{
    if (left == LB_EXPR_TRUTH)
        return lb_expr_refuse(state, "IN takes numbers or texts; use the truth value itself");
    lb_expr_put(state, " IN (");
    lb_expr_emit(state, LB_EXPR_OP_TRUTH, 0);
    LB_TRY(lb_expr_advance(state));
    LB_TRY(lb_expr_expect(state, LB_TOKEN_OPEN));
    for (;;) {
        enum lb_expr_kind kind;
        LB_TRY(lb_expr_read_sum(state, &kind));
        LB_TRY(lb_expr_need(state, kind, left));
        lb_expr_emit(state, LB_EXPR_OP_LISTED, 0);
        if (state->token.kind != LB_TOKEN_COMMA)
            break;
        lb_expr_put(state, ",");
        LB_TRY(lb_expr_advance(state));
    }
    lb_expr_put(state, ")");
    lb_expr_emit(state, LB_EXPR_OP_DROP, 0);
    return lb_expr_expect(state, LB_TOKEN_CLOSE);
}

/* The scanner makes a comparison of these alone. */
static enum lb_expr_op comparison_of(struct lb_span sign)
{
    if (lb_span_is(sign, "="))
        return LB_EXPR_OP_EQUAL;
    if (lb_span_is(sign, "<"))
        return LB_EXPR_OP_LESS;
    if (lb_span_is(sign, "<="))
        return LB_EXPR_OP_AT_MOST;
    if (lb_span_is(sign, ">"))
        return LB_EXPR_OP_MORE;
    return lb_span_is(sign, ">=") ? LB_EXPR_OP_AT_LEAST : LB_EXPR_OP_UNEQUAL;
}

static lb_status read_comparison(struct lb_expr_state *state, enum lb_expr_kind left)
{
    bool order = state->token.kind == LB_TOKEN_ORDER;
    if (order)
        LB_TRY(lb_expr_need(state, left, LB_EXPR_NUMBER));
    enum lb_expr_op op = comparison_of(state->token.text);
    lb_expr_put_token(state);
    LB_TRY(lb_expr_advance(state));
    enum lb_expr_kind right;
    LB_TRY(lb_expr_read_sum(state, &right));
    lb_expr_emit(state, op, 0);
    return lb_expr_need(state, right, left);
}

static lb_status read_compare(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    enum lb_expr_kind left;
    LB_TRY(lb_expr_read_sum(state, &left));
    bool compared = true;
    bool negated = state->token.kind == LB_TOKEN_NOT;
    if (negated) {
        lb_expr_put(state, " NOT");
        LB_TRY(lb_expr_advance(state));
        if (state->token.kind != LB_TOKEN_IN && state->token.kind != LB_TOKEN_BETWEEN)
            return lb_expr_refuse_token(state);
    }
    if (state->token.kind == LB_TOKEN_EQUALITY || state->token.kind == LB_TOKEN_ORDER)
        LB_TRY(read_comparison(state, left));
    else if (state->token.kind == LB_TOKEN_IN)
        LB_TRY(read_in(state, left));
    else if (state->token.kind == LB_TOKEN_BETWEEN)
        LB_TRY(read_between(state, left));
    else
        compared = false;
    if (negated)
        lb_expr_emit(state, LB_EXPR_OP_NOT, 0);
    *out_kind = compared ? LB_EXPR_TRUTH : left;
    return LB_OK;
}

static lb_status read_not(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    if (state->token.kind != LB_TOKEN_NOT)
        return read_compare(state, out_kind);
    LB_TRY(lb_expr_deeper(state));
    lb_expr_put(state, " NOT ");
    LB_TRY(lb_expr_advance(state));
    enum lb_expr_kind kind;
    LB_TRY(read_not(state, &kind));
    LB_TRY(lb_expr_need(state, kind, LB_EXPR_TRUTH));
    lb_expr_emit(state, LB_EXPR_OP_NOT, 0);
    state->level--;
    *out_kind = kind;
    return LB_OK;
}

/* parse_and and parse_or need no parentheses of their own: the order of binding is SQL's. */
static lb_status read_and(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    enum lb_expr_kind kind;
    LB_TRY(read_not(state, &kind));
    while (state->token.kind == LB_TOKEN_AND) {
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_TRUTH));
        lb_expr_put(state, " AND ");
        LB_TRY(lb_expr_advance(state));
        LB_TRY(read_not(state, &kind));
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_TRUTH));
        lb_expr_emit(state, LB_EXPR_OP_AND, 0);
    }
    *out_kind = kind;
    return LB_OK;
}

lb_status lb_expr_read_or(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    enum lb_expr_kind kind;
    LB_TRY(read_and(state, &kind));
    while (state->token.kind == LB_TOKEN_OR) {
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_TRUTH));
        lb_expr_put(state, " OR ");
        LB_TRY(lb_expr_advance(state));
        LB_TRY(read_and(state, &kind));
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_TRUTH));
        lb_expr_emit(state, LB_EXPR_OP_OR, 0);
    }
    *out_kind = kind;
    return LB_OK;
}

static lb_status check_names(const struct lb_expr_names *names, struct lb_diag *diag)
{
    for (size_t i = 0; i < names->count; i++) {
        if (lb_token_is_free_name(names->names[i]) && names->kinds[i] != LB_EXPR_UNKNOWN)
            continue;
        lb_diag_set(diag, "\"%.64s\" cannot be a name in rules; rename it", names->names[i]);
        LB_FAIL(LB_CONFIG_INVALID, "a name cannot be used in rules");
    }
    return LB_OK;
}

static lb_status check_text(struct lb_span text, const struct lb_expr_names *names,
                            struct lb_diag *diag)
{
    if (text.len > LB_MAX_EXPR_BYTES || names->count > LB_MAX_EXPR_NAMES) {
        lb_diag_set(diag, "a rule has at most %d bytes and %d names to choose from; split it",
                    LB_MAX_EXPR_BYTES, LB_MAX_EXPR_NAMES);
        LB_FAIL(LB_CONFIG_INVALID, "a rule is too large");
    }
    if (!lb_utf8_valid(text)) {
        lb_diag_set(diag, "a rule is not UTF-8; save the file as UTF-8");
        LB_FAIL(LB_CONFIG_INVALID, "a rule is not UTF-8");
    }
    return check_names(names, diag);
}

lb_status lb_expr_parse(const char *text, const struct lb_expr_names *names, struct lb_diag *diag,
                        struct lb_buf *sql, struct lb_buf *code, struct lb_expr_shape *out_shape)
{
    struct lb_expr_shape shape = {.kind = LB_EXPR_UNKNOWN};
    struct lb_expr_state state = {.scanner = {.text = lb_span_str(text)},
                          .names = names,
                          .diag = diag,
                          .sql = sql,
                          .code = code,
                          .shape = &shape};
    LB_TRY(check_text(state.scanner.text, names, diag));
    LB_TRY(lb_expr_advance(&state));
    LB_TRY(lb_expr_read_or(&state, &shape.kind));
    if (state.token.kind != LB_TOKEN_END)
        return lb_expr_refuse_token(&state);
    *out_shape = shape;
    return LB_OK;
}
