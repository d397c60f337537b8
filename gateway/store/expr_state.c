#include "gateway/store/expr_state.h"

#include <stdarg.h>
#include <stdio.h>

/* Parentheses, calls, NOT and signs inside each other; it bounds the recursion. */
#define MAX_LEVELS 24

lb_status lb_expr_refuse(const struct lb_expr_state *state, const char *format, ...)
{
    struct lb_diag what;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what.text, sizeof(what.text), format, args);
    va_end(args);
    lb_diag_set(state->diag, "at character %zu: %s", state->token.place, what.text);
    LB_FAIL(LB_CONFIG_INVALID, "a rule is not a valid expression");
}

lb_status lb_expr_refuse_token(const struct lb_expr_state *state)
{
    const struct lb_token *token = &state->token;
    int len = token->text.len > 64 ? 64 : (int)token->text.len;
    const char *text = (const char *)token->text.ptr;
    if (token->kind == LB_TOKEN_END)
        return lb_expr_refuse(state, "the expression ends too early; complete it");
    if (token->kind == LB_TOKEN_BANNED)
        return lb_expr_refuse(state,
                              "\"%.*s\" is not allowed: it could make an unknown value look known; "
                              "use AND, OR, NOT and comparisons",
                              len, text);
    if (token->kind == LB_TOKEN_TEXT)
        return lb_expr_refuse(state, "a text is not expected here; check what stands before it");
    return lb_expr_refuse(state,
                          "\"%.*s\" is not expected here; check what stands before it, and set "
                          "parentheses around comparisons in a row",
                          len, text);
}

lb_status lb_expr_advance(struct lb_expr_state *state)
{
    return lb_token_next(&state->scanner, state->diag, &state->token);
}

lb_status lb_expr_expect(struct lb_expr_state *state, enum lb_token_kind kind)
{
    if (state->token.kind != kind)
        return lb_expr_refuse_token(state);
    return lb_expr_advance(state);
}

void lb_expr_put(struct lb_expr_state *state, const char *sql)
{
    lb_buf_put_str(state->sql, sql);
}

void lb_expr_put_token(struct lb_expr_state *state)
{
    lb_expr_put(state, " ");
    lb_buf_put(state->sql, state->token.text);
    lb_expr_put(state, " ");
}

static void emit(struct lb_expr_state *state, const struct lb_expr_step *step)
{
    lb_buf_put(state->code, lb_span_of(step, sizeof(*step)));
}

void lb_expr_emit(struct lb_expr_state *state, enum lb_expr_op op, int64_t number)
{
    struct lb_expr_step step;
    memset(&step, 0, sizeof(step)); /* its gaps as well */
    step.op = op;
    step.number = number;
    emit(state, &step);
}

/* A text stands in quotes, with two for one inside. */
static void emit_text(struct lb_expr_state *state)
{
    struct lb_span text = state->token.text;
    struct lb_expr_step step;
    size_t len = 0;
    memset(&step, 0, sizeof(step));
    step.op = LB_EXPR_OP_TEXT;
    for (size_t i = 1; i + 1 < text.len && !step.too_long; i++) {
        i += text.ptr[i] == '\'' ? 1 : 0;
        step.too_long = len + 1 >= sizeof(step.text);
        if (!step.too_long)
            step.text[len++] = (char)text.ptr[i];
    }
    emit(state, &step);
}

void lb_expr_emit_constant(struct lb_expr_state *state)
{
    int64_t number = 0;
    switch (state->token.kind) {
    case LB_TOKEN_TEXT:
        emit_text(state);
        return;
    case LB_TOKEN_NUMBER:
        for (size_t i = 0; i < state->token.text.len; i++)
            number = number * 10 + (state->token.text.ptr[i] - '0');
        lb_expr_emit(state, LB_EXPR_OP_NUMBER, number);
        return;
    case LB_TOKEN_UNKNOWN:
        lb_expr_emit(state, LB_EXPR_OP_NOTHING, 0);
        return;
    default:
        lb_expr_emit(state, LB_EXPR_OP_TRUTH, state->token.kind == LB_TOKEN_TRUE);
        return;
    }
}

static const char *kind_name(enum lb_expr_kind kind)
{
    static const char *const names[] = {"nothing", "a truth value", "a number", "a text"};
    return names[kind];
}

lb_status lb_expr_need(const struct lb_expr_state *state, enum lb_expr_kind kind,
                       enum lb_expr_kind want)
{
    if (kind == want)
        return LB_OK;
    return lb_expr_refuse(state, "before this stands %s where %s is needed; change one of them",
                          kind_name(kind), kind_name(want));
}

lb_status lb_expr_deeper(struct lb_expr_state *state)
{
    if (state->level == MAX_LEVELS)
        return lb_expr_refuse(state, "nested too deeply; split the rule");
    state->level++;
    return LB_OK;
}
