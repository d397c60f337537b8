#include "gateway/base/buf.h"
#include "policy/engine/operator_private.h"

/* Whole rows, sets of codes, and values as they stand. */

lb_status lb_op_apply_exists(const struct lb_op_run *run, struct lb_fact *out)
{
    (void)run;
    *out = lb_fact_truth(true);
    return LB_OK;
}

lb_status lb_op_apply_count(const struct lb_op_run *run, struct lb_fact *out)
{
    int64_t cap = lb_op_number_arg(run->call, 0);
    int64_t rows = (int64_t)run->input->rows->num_rows;
    *out = lb_fact_number(rows < cap ? rows : cap);
    return LB_OK;
}

/* All of it or nothing: a list with a line left out would look whole. */
lb_status lb_op_apply_list(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_op_input *input = run->input;
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_MAX_LIST_BYTES);
    *out = lb_fact_unknown();
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        struct lb_span line;
        if (!lb_cell_line(lb_cell_at(input, i), LB_MAX_LIST_LINE_BYTES, &line))
            return LB_OK;
        if (i > 0)
            lb_buf_put_str(&text, "\n");
        lb_buf_put(&text, line);
    }
    lb_status status = lb_buf_check(&text);
    if (lb_status_code(status) == LB_TOO_LARGE)
        return LB_OK;
    LB_TRY(status);
    return lb_fact_set_text(lb_buf_span(&text), run->arena, out);
}

lb_status lb_op_apply_in(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_op_input *input = run->input;
    bool unreadable = false;
    bool in_set = false;
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        struct lb_span code;
        if (!lb_cell_text(lb_cell_at(input, i), input->type, &code))
            unreadable = true;
        else if (lb_rules_in_set(input->rules, run->call->args[0], code))
            in_set = true;
    }
    *out = unreadable && !in_set ? lb_fact_unknown() : lb_fact_truth(in_set);
    return LB_OK;
}

lb_status lb_op_apply_map(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_op_input *input = run->input;
    struct lb_span code;
    const char *to = NULL;
    if (lb_cell_text(lb_cell_at(input, 0), input->type, &code))
        to = lb_rules_map(input->rules, run->call->args[0], code);
    if (to != NULL)
        return lb_fact_set_text(lb_span_str(to), run->arena, out);
    *out = lb_fact_unknown();
    return LB_OK;
}

static lb_status pass_number(const struct lb_cell *cell, struct lb_fact *out)
{
    int64_t number = 0;
    *out = lb_cell_number(cell, &number) ? lb_fact_number(number) : lb_fact_unknown();
    return LB_OK;
}

/* An identity number passes in its form of 18 characters, whatever the database keeps. */
lb_status lb_op_apply_pass(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_cell *cell = lb_cell_at(run->input, 0);
    enum lb_field_type type = run->input->type;
    char id[19];
    struct lb_span text;
    if (type == LB_FIELD_INT || type == LB_FIELD_CENTS)
        return pass_number(cell, out);
    if (type == LB_FIELD_ID && lb_cell_idno(cell, id))
        return lb_fact_set_text(lb_span_str(id), run->arena, out);
    if (type != LB_FIELD_ID && lb_cell_text(cell, type, &text))
        return lb_fact_set_text(text, run->arena, out);
    *out = lb_fact_unknown();
    return LB_OK;
}
