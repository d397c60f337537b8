#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/date.h"
#include "policy/engine/operator_cells.h"
#include "policy/engine/words.h"

/* Room for any total of LB_MAX_ROWS_PER_READ amounts, so that the order of rows can't matter. */
__extension__ typedef __int128 wide_sum;

static struct lb_fact fact_state(enum lb_fact_state state)
{
    return (struct lb_fact){.state = state, .kind = LB_FACT_UNKNOWN};
}

static struct lb_fact fact_unknown(void)
{
    return fact_state(LB_FACT_OK);
}

static struct lb_fact fact_truth(bool truth)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_TRUTH, .truth = truth};
}

static struct lb_fact fact_number(int64_t number)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_NUMBER, .number = number};
}

static lb_status fact_text(struct lb_span text, struct lb_arena *arena, struct lb_fact *out)
{
    struct lb_fact fact = {.state = LB_FACT_OK, .kind = LB_FACT_TEXT};
    LB_TRY(lb_arena_copy(arena, text, &fact.text));
    *out = fact;
    return LB_OK;
}

/* What no row means: nothing known, unless the register is complete and the operator has a zero. A
 * claim is never refuted by a record that is not there, so EQ has none. */
static struct lb_fact fact_no_row(enum lb_op op, bool complete)
{
    if (!complete)
        return fact_state(LB_FACT_NOT_FOUND);
    if (op == LB_OP_EXISTS || op == LB_OP_IN)
        return fact_truth(false);
    if (op == LB_OP_COUNT || op == LB_OP_SUM)
        return fact_number(0);
    return fact_state(LB_FACT_NOT_FOUND);
}

/* A number among the arguments; its form is checked before anything is applied. */
static int64_t count_arg(const struct lb_op_call *call)
{
    int64_t value = 0;
    return lb_word_count(lb_span_str(call->args[0]), INT64_MAX, &value) ? value : 0;
}

static struct lb_fact apply_count(const struct lb_op_call *call, const struct lb_op_input *input)
{
    int64_t cap = count_arg(call);
    int64_t rows = (int64_t)input->rows->num_rows;
    return fact_number(rows < cap ? rows : cap);
}

static struct lb_fact apply_in(const struct lb_op_call *call, const struct lb_op_input *input)
{
    bool unreadable = false;
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        struct lb_span code;
        if (!lb_cell_text(lb_cell_at(input, i), input->type, &code))
            unreadable = true;
        else if (lb_rules_in_set(input->rules, call->args[0], code))
            return fact_truth(true);
    }
    return unreadable ? fact_unknown() : fact_truth(false);
}

static struct lb_fact apply_cmp(const struct lb_op_call *call, const struct lb_op_input *input)
{
    int64_t number = 0;
    int64_t limit = lb_rules_threshold(input->rules, call->args[1])->value;
    if (!lb_cell_number(lb_cell_at(input, 0), &number))
        return fact_unknown();
    if (strcmp(call->args[0], "<") == 0)
        return fact_truth(number < limit);
    if (strcmp(call->args[0], "<=") == 0)
        return fact_truth(number <= limit);
    if (strcmp(call->args[0], ">") == 0)
        return fact_truth(number > limit);
    return fact_truth(number >= limit);
}

static struct lb_fact apply_bucket(const struct lb_op_call *call, const struct lb_op_input *input)
{
    int64_t number = 0;
    size_t num = 0;
    const int64_t *edges = lb_rules_edges(input->rules, call->args[0], &num);
    if (!lb_cell_number(lb_cell_at(input, 0), &number))
        return fact_unknown();
    size_t reached = 0;
    while (reached < num && edges[reached] <= number)
        reached++;
    return fact_number((int64_t)reached - 1);
}

static struct lb_fact apply_age_ge(const struct lb_op_call *call, const struct lb_op_input *input,
                                   const struct lb_date *today)
{
    struct lb_span text;
    struct lb_date birth;
    const struct lb_threshold *threshold = lb_rules_threshold(input->rules, call->args[0]);
    if (!lb_cell_text(lb_cell_at(input, 0), input->type, &text) || !lb_date_parse(text, &birth))
        return fact_unknown();
    int years = lb_date_age(&birth, today);
    return years < 0 ? fact_unknown() : fact_truth(years >= threshold->value);
}

/* The rows of the half-open window [this month - months, this month), or all when the view has no
 * month column. */
struct sum_window {
    bool all;
    int64_t from;
    int64_t until;
};

static bool in_window(const struct lb_op_input *input, const struct sum_window *window, size_t row,
                      bool *out_unreadable)
{
    struct lb_span text;
    int64_t month = 0;
    if (window->all)
        return true;
    const struct lb_cell *cell =
        &input->rows->cells[row * input->rows->num_columns + input->month_column];
    if (!lb_cell_text(cell, LB_FIELD_TEXT, &text) || !lb_month_parse(text, &month)) {
        *out_unreadable = true;
        return false;
    }
    return month >= window->from && month < window->until;
}

static struct lb_fact apply_sum(const struct lb_op_input *input, const struct sum_window *window)
{
    wide_sum total = 0;
    size_t num = 0;
    bool unreadable = false;
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        int64_t amount = 0;
        if (!in_window(input, window, i, &unreadable))
            continue;
        num++;
        if (lb_cell_number(lb_cell_at(input, i), &amount))
            total += amount;
        else
            unreadable = true;
    }
    if (unreadable || total > INT64_MAX || total < INT64_MIN)
        return fact_unknown();
    return num == 0 ? fact_no_row(LB_OP_SUM, input->complete) : fact_number((int64_t)total);
}

static struct sum_window window_of(const struct lb_op_call *call, const struct lb_op_input *input,
                                   const struct lb_date *today)
{
    int64_t until = lb_date_month(today);
    return (struct sum_window){
        .all = input->month_column == SIZE_MAX,
        .from = until - count_arg(call),
        .until = until,
    };
}

static lb_status apply_addr_level(const struct lb_op_call *call, const struct lb_op_input *input,
                                  struct lb_arena *arena, struct lb_fact *out)
{
    struct lb_span code;
    size_t digits = (size_t)count_arg(call);
    if (lb_cell_text(lb_cell_at(input, 0), input->type, &code) && code.len >= digits)
        return fact_text(lb_span_of(code.ptr, digits), arena, out);
    *out = fact_unknown();
    return LB_OK;
}

static lb_status apply_map(const struct lb_op_call *call, const struct lb_op_input *input,
                           struct lb_arena *arena, struct lb_fact *out)
{
    struct lb_span code;
    const char *to = NULL;
    if (lb_cell_text(lb_cell_at(input, 0), input->type, &code))
        to = lb_rules_map(input->rules, call->args[0], code);
    if (to != NULL)
        return fact_text(lb_span_str(to), arena, out);
    *out = fact_unknown();
    return LB_OK;
}

/* The claimed values, and which of them a row has matched. */
struct claims {
    size_t num;
    bool readable;
    bool seen[LB_MAX_CLAIM_VALUES];
    uint8_t digest[LB_MAX_CLAIM_VALUES][LB_SHA256_BYTES];
};

static void wipe_claims(struct claims *claims)
{
    lb_wipe(claims, sizeof(*claims));
}

static lb_status read_claims(const struct lb_op_input *input, struct lb_arena *arena,
                             struct claims *out)
{
    LB_ENSURE(input->num_claim <= LB_MAX_CLAIM_VALUES, LB_TOO_LARGE, "too many claimed values");
    out->num = input->num_claim;
    out->readable = input->num_claim > 0;
    for (size_t i = 0; i < out->num; i++) {
        bool readable = false;
        LB_TRY(lb_cell_digest(input->claim[i], input->type, arena, &readable, out->digest[i]));
        out->readable = out->readable && readable;
    }
    return LB_OK;
}

/* Compares with every claim whatever the outcome, so that time tells nothing. */
static bool match_claims(struct claims *claims, const uint8_t digest[LB_SHA256_BYTES])
{
    bool any = false;
    for (size_t i = 0; i < claims->num; i++) {
        bool same = lb_crypto_equal(lb_span_of(claims->digest[i], LB_SHA256_BYTES),
                                    lb_span_of(digest, LB_SHA256_BYTES));
        claims->seen[i] |= same;
        any |= same;
    }
    return any;
}

/* Two sets are equal when every row is claimed and every claim has a row; doubles do not count. */
static lb_status apply_eq(const struct lb_op_input *input, struct lb_arena *arena,
                          struct lb_fact *out)
{
    struct claims LB_DEFER(wipe_claims) claims = {0};
    LB_TRY(read_claims(input, arena, &claims));
    bool readable = claims.readable;
    bool equal = true;
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        const struct lb_cell *cell = lb_cell_at(input, i);
        uint8_t digest[LB_SHA256_BYTES] = {0};
        bool cell_readable = false;
        if (cell->kind == LB_CELL_TEXT)
            LB_TRY(lb_cell_digest(cell->text, input->type, arena, &cell_readable, digest));
        equal &= match_claims(&claims, digest);
        readable &= cell_readable;
        lb_wipe(digest, sizeof(digest));
    }
    for (size_t i = 0; i < claims.num; i++)
        equal &= claims.seen[i];
    *out = readable ? fact_truth(equal) : fact_unknown();
    return LB_OK;
}

static lb_status check_input(const struct lb_op_call *call, const struct lb_op_input *input,
                             struct lb_date *out_today)
{
    LB_TRY(lb_op_check(call, input->type, input->many, input->rules));
    LB_ENSURE(lb_date_parse(lb_span_str(input->today), out_today), LB_INTERNAL,
              "today is not a date");
    LB_ENSURE(input->type == LB_FIELD_ROW || input->column < input->rows->num_columns, LB_INTERNAL,
              "the rows lack the field's column");
    if (call->op != LB_OP_SUM)
        return LB_OK;
    bool windowed = input->month_column != SIZE_MAX;
    LB_ENSURE(!windowed || input->month_column < input->rows->num_columns, LB_INTERNAL,
              "the rows lack the month column");
    LB_ENSURE(windowed == (strcmp(call->args[0], "0") != 0), LB_OPERATOR_UNKNOWN,
              "a window needs a month column, and a month column a window");
    return LB_OK;
}

static lb_status apply_rows(const struct lb_op_call *call, const struct lb_op_input *input,
                            const struct lb_date *today, struct lb_arena *arena,
                            struct lb_fact *out)
{
    struct sum_window window;
    switch (call->op) {
    case LB_OP_EXISTS:
        *out = fact_truth(true);
        return LB_OK;
    case LB_OP_EQ:
        return apply_eq(input, arena, out);
    case LB_OP_CMP:
        *out = apply_cmp(call, input);
        return LB_OK;
    case LB_OP_IN:
        *out = apply_in(call, input);
        return LB_OK;
    case LB_OP_BUCKET:
        *out = apply_bucket(call, input);
        return LB_OK;
    case LB_OP_COUNT:
        *out = apply_count(call, input);
        return LB_OK;
    case LB_OP_SUM:
        window = window_of(call, input, today);
        *out = apply_sum(input, &window);
        return LB_OK;
    case LB_OP_AGE_GE:
        *out = apply_age_ge(call, input, today);
        return LB_OK;
    case LB_OP_ADDR_LEVEL:
        return apply_addr_level(call, input, arena, out);
    case LB_OP_MAP:
        return apply_map(call, input, arena, out);
    case LB_NUM_OPS:
    default:
        LB_FAIL(LB_OPERATOR_UNKNOWN, "no operator of this number");
    }
}

lb_status lb_op_apply(const struct lb_op_call *call, const struct lb_op_input *input,
                      struct lb_arena *arena, struct lb_fact *out_fact)
{
    struct lb_date today;
    LB_TRY(check_input(call, input, &today));
    bool counts = call->op == LB_OP_EXISTS || call->op == LB_OP_COUNT;
    if (input->rows->num_rows == 0) {
        *out_fact = fact_no_row(call->op, input->complete);
        return LB_OK;
    }
    if (input->rows->num_rows > 1 && !input->many && !counts) {
        *out_fact = fact_state(LB_FACT_AMBIGUOUS);
        return LB_OK;
    }
    return apply_rows(call, input, &today, arena, out_fact);
}
