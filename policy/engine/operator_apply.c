#include "policy/engine/operator_private.h"

/* From a call and its rows to a fact: what holds for every operator alike. */

struct lb_fact lb_fact_of_state(enum lb_fact_state state)
{
    return (struct lb_fact){.state = state, .kind = LB_FACT_UNKNOWN};
}

struct lb_fact lb_fact_unknown(void)
{
    return lb_fact_of_state(LB_FACT_OK);
}

struct lb_fact lb_fact_truth(bool truth)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_TRUTH, .truth = truth};
}

struct lb_fact lb_fact_number(int64_t number)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_NUMBER, .number = number};
}

lb_status lb_fact_set_text(struct lb_span text, struct lb_arena *arena, struct lb_fact *out)
{
    struct lb_fact fact = {.state = LB_FACT_OK, .kind = LB_FACT_TEXT};
    LB_TRY(lb_arena_copy(arena, text, &fact.text));
    *out = fact;
    return LB_OK;
}

struct lb_fact lb_fact_no_row(enum lb_op op, bool complete)
{
    enum lb_fact_kind empty = lb_op_row(op)->empty;
    if (!complete || empty == LB_FACT_UNKNOWN)
        return lb_fact_of_state(LB_FACT_NOT_FOUND);
    return empty == LB_FACT_TRUTH ? lb_fact_truth(false) : lb_fact_number(0);
}

static lb_status check_columns(const struct lb_op_call *call, const struct lb_op_input *input)
{
    size_t num = input->rows->num_columns;
    LB_ENSURE(input->type == LB_FIELD_ROW || input->column < num, LB_INTERNAL,
              "the rows lack the field's column");
    if (lb_op_reads_denominator(call))
        LB_ENSURE(input->denominator_column < num, LB_INTERNAL, "the rows lack the denominator");
    bool has_month = input->month_column != SIZE_MAX;
    if (lb_op_reads_month(call)) {
        LB_ENSURE(has_month, LB_OPERATOR_UNKNOWN, "a window needs a month column");
        LB_ENSURE(input->month_column < num, LB_INTERNAL, "the rows lack the month column");
    }
    LB_ENSURE(!lb_op_sums_all(call) || !has_month, LB_OPERATOR_UNKNOWN,
              "a month column needs a window");
    return LB_OK;
}

static lb_status check_secrets(const struct lb_op_call *call, const struct lb_op_input *input)
{
    const struct lb_op_secrets *secrets = input->secrets;
    if (call->op == LB_OP_PSEUDO)
        LB_ENSURE(secrets != NULL && secrets->pseudo_key != NULL, LB_INTERNAL,
                  "no key for pseudonyms");
    if (call->op == LB_OP_TOKEN)
        LB_ENSURE(secrets != NULL && secrets->token_key != NULL && secrets->token_nonce != NULL,
                  LB_INTERNAL, "no key or nonce for tokens");
    return LB_OK;
}

static lb_status check_input(const struct lb_op_call *call, const struct lb_op_input *input,
                             struct lb_date *out_today)
{
    LB_TRY(lb_op_check(call, input->type, input->many, input->rules));
    LB_ENSURE(lb_date_parse(lb_span_str(input->today), out_today), LB_INTERNAL,
              "today is not a date");
    LB_TRY(check_columns(call, input));
    return check_secrets(call, input);
}

lb_status lb_op_apply(const struct lb_op_call *call, const struct lb_op_input *input,
                      struct lb_arena *arena, struct lb_fact *out_fact)
{
    struct lb_op_run run = {.call = call, .input = input, .arena = arena};
    LB_TRY(check_input(call, input, &run.today));
    const struct lb_op_row *row = lb_op_row(call->op);
    size_t num_rows = input->rows->num_rows;
    if (call->op == LB_OP_OMIT)
        return row->apply(&run, out_fact);
    if (num_rows == 0) {
        *out_fact = lb_fact_no_row(call->op, input->complete);
        return LB_OK;
    }
    if (num_rows > 1 && !input->many && input->type != LB_FIELD_ROW) {
        *out_fact = lb_fact_of_state(LB_FACT_AMBIGUOUS);
        return LB_OK;
    }
    struct lb_fact fact = {0};
    LB_TRY(row->apply(&run, &fact));
    *out_fact = fact;
    return LB_OK;
}
