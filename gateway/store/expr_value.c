#include <strings.h>

#include "gateway/store/expr_state.h"

/* Puts `sql` before what was written since `start`. */
static void put_before(struct lb_expr_state *state, size_t start, const char *sql)
{
    size_t len = strlen(sql);
    lb_expr_put(state, sql);
    if (state->sql->failed)
        return;
    uint8_t *at = state->sql->ptr + start;
    memmove(at + len, at, state->sql->len - len - start);
    memcpy(at, sql, len);
}

static lb_status read_name(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    struct lb_span name = state->token.text;
    for (size_t i = 0; i < state->names->count; i++) {
        if (!lb_span_is(name, state->names->names[i]))
            continue;
        lb_buf_printf(state->sql, "?%zu", i + 1);
        lb_expr_emit(state, LB_EXPR_OP_NAME, (int64_t)i);
        state->shape->uses[i] = true;
        *out_kind = state->names->kinds[i];
        return lb_expr_advance(state);
    }
    int len = name.len > 64 ? 64 : (int)name.len;
    return lb_expr_refuse(state,
                          "unknown name \"%.*s\"; use the form's own names, and abs, ceil, min, "
                          "max, floor_div, ceil_div or as_number as functions",
                          len, (const char *)name.ptr);
}

struct function {
    const char *name;
    const char *sql;
    size_t min_args;
    size_t max_args;
    enum lb_expr_kind takes;
    enum lb_expr_op op;
};

/* One argument or several of a kind, separated by commas, up to the closing parenthesis. */
static lb_status read_arguments(struct lb_expr_state *state, const struct function *function,
                                size_t *out_count)
{
    enum lb_expr_kind want = function->takes;
    size_t count = 0;
    do {
        enum lb_expr_kind kind;
        if (count > 0) {
            LB_TRY(lb_expr_advance(state));
            lb_expr_put(state, ",");
        }
        LB_TRY(want == LB_EXPR_TRUTH ? lb_expr_read_or(state, &kind)
                                     : lb_expr_read_sum(state, &kind));
        LB_TRY(lb_expr_need(state, kind, want));
        if (count++ > 0)
            lb_expr_emit(state, function->op, 0);
    } while (state->token.kind == LB_TOKEN_COMMA);
    *out_count = count;
    return LB_OK;
}

/* min and max of one argument would be SQL's aggregates. SQLite's abs fails on the least integer;
 * ours is unknown there. */
static const struct function functions[] = {
    {"abs", "lb_abs(", 1, 1, LB_EXPR_NUMBER, LB_EXPR_OP_ABS},
    {"ceil", "ceil(", 1, 1, LB_EXPR_NUMBER, LB_EXPR_OP_CEIL},
    {"min", "min(", 2, SIZE_MAX, LB_EXPR_NUMBER, LB_EXPR_OP_MIN},
    {"max", "max(", 2, SIZE_MAX, LB_EXPR_NUMBER, LB_EXPR_OP_MAX},
    {"floor_div", "lb_floor_div(", 2, 2, LB_EXPR_NUMBER, LB_EXPR_OP_FLOOR_DIV},
    {"ceil_div", "lb_ceil_div(", 2, 2, LB_EXPR_NUMBER, LB_EXPR_OP_CEIL_DIV},
    {"as_number", "lb_as_number(", 1, 1, LB_EXPR_TRUTH, LB_EXPR_OP_AS_NUMBER},
};

#define LAST_FUNCTION (sizeof(functions) / sizeof(functions[0]) - 1)

/* The scanner makes a FUNCTION of these names only; the last is what is left. */
static const struct function *function_of(struct lb_span name)
{
    const struct function *at = functions;
    while (at != &functions[LAST_FUNCTION] &&
           (strlen(at->name) != name.len ||
            strncasecmp(at->name, (const char *)name.ptr, name.len) != 0))
        at++;
    return at;
}

static lb_status read_call(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    const struct function *function = function_of(state->token.text);
    lb_expr_put(state, function->sql);
    LB_TRY(lb_expr_deeper(state));
    LB_TRY(lb_expr_advance(state));
    LB_TRY(lb_expr_expect(state, LB_TOKEN_OPEN));
    size_t count;
    LB_TRY(read_arguments(state, function, &count));
    if (count < function->min_args || count > function->max_args)
        return lb_expr_refuse(state,
                              "abs and ceil take one number, floor_div and ceil_div two, min and "
                              "max two or more, as_number a truth value; correct it");
    if (function->max_args == 1)
        lb_expr_emit(state, function->op, 0);
    lb_expr_put(state, ")");
    state->level--;
    *out_kind = LB_EXPR_NUMBER;
    return lb_expr_expect(state, LB_TOKEN_CLOSE);
}

static lb_status read_group(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    LB_TRY(lb_expr_deeper(state));
    lb_expr_put(state, "(");
    LB_TRY(lb_expr_advance(state));
    LB_TRY(lb_expr_read_or(state, out_kind));
    lb_expr_put(state, ")");
    state->level--;
    return lb_expr_expect(state, LB_TOKEN_CLOSE);
}

static lb_status read_constant(struct lb_expr_state *state, enum lb_expr_kind kind,
                               enum lb_expr_kind *out_kind)
{
    lb_expr_emit_constant(state);
    if (state->token.kind == LB_TOKEN_UNKNOWN)
        lb_expr_put(state, " NULL ");
    else if (state->token.kind == LB_TOKEN_TRUE || state->token.kind == LB_TOKEN_FALSE)
        lb_expr_put(state, state->token.kind == LB_TOKEN_TRUE ? "1" : "0");
    else
        lb_expr_put_token(state);
    *out_kind = kind;
    return lb_expr_advance(state);
}

static lb_status read_value(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    switch (state->token.kind) {
    case LB_TOKEN_NUMBER:
        return read_constant(state, LB_EXPR_NUMBER, out_kind);
    case LB_TOKEN_TEXT:
        return read_constant(state, LB_EXPR_TEXT, out_kind);
    case LB_TOKEN_TRUE:
    case LB_TOKEN_FALSE:
    case LB_TOKEN_UNKNOWN:
        return read_constant(state, LB_EXPR_TRUTH, out_kind);
    case LB_TOKEN_NAME:
        return read_name(state, out_kind);
    case LB_TOKEN_FUNCTION:
        return read_call(state, out_kind);
    case LB_TOKEN_OPEN:
        return read_group(state, out_kind);
    default:
        return lb_expr_refuse_token(state);
    }
}

static lb_status read_signed(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    if (state->token.kind != LB_TOKEN_MINUS)
        return read_value(state, out_kind);
    LB_TRY(lb_expr_deeper(state));
    LB_TRY(lb_expr_advance(state));
    lb_expr_put(state, "lb_neg(");
    enum lb_expr_kind kind;
    LB_TRY(read_signed(state, &kind));
    LB_TRY(lb_expr_need(state, kind, LB_EXPR_NUMBER));
    lb_expr_emit(state, LB_EXPR_OP_NEGATE, 0);
    lb_expr_put(state, ")");
    state->level--;
    *out_kind = kind;
    return LB_OK;
}

static lb_status read_product(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    size_t start = state->sql->len;
    enum lb_expr_kind kind;
    LB_TRY(read_signed(state, &kind));
    bool many = state->token.kind == LB_TOKEN_TIMES;
    if (many)
        put_before(state, start, "lb_product(");
    while (state->token.kind == LB_TOKEN_TIMES) {
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_NUMBER));
        LB_TRY(lb_expr_advance(state));
        lb_expr_put(state, ",");
        LB_TRY(read_signed(state, &kind));
        lb_expr_emit(state, LB_EXPR_OP_MULTIPLY, 0);
    }
    if (many) {
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_NUMBER));
        lb_expr_put(state, ")");
    }
    *out_kind = kind;
    return LB_OK;
}

static bool is_sign(const struct lb_expr_state *state)
{
    return state->token.kind == LB_TOKEN_PLUS || state->token.kind == LB_TOKEN_MINUS;
}

lb_status lb_expr_read_sum(struct lb_expr_state *state, enum lb_expr_kind *out_kind)
{
    size_t start = state->sql->len;
    enum lb_expr_kind kind;
    LB_TRY(read_product(state, &kind));
    bool many = is_sign(state);
    if (many)
        put_before(state, start, "lb_sum(");
    while (is_sign(state)) {
        bool minus = state->token.kind == LB_TOKEN_MINUS;
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_NUMBER));
        LB_TRY(lb_expr_advance(state));
        lb_expr_put(state, minus ? ",lb_neg(" : ",(");
        LB_TRY(read_product(state, &kind));
        if (minus)
            lb_expr_emit(state, LB_EXPR_OP_NEGATE, 0);
        lb_expr_emit(state, LB_EXPR_OP_ADD, 0);
        lb_expr_put(state, ")");
    }
    if (many) {
        LB_TRY(lb_expr_need(state, kind, LB_EXPR_NUMBER));
        lb_expr_put(state, ")");
    }
    *out_kind = kind;
    return LB_OK;
}
