#include "policy/engine/operator_private.h"

/* Dates: cut to the year or month, or turned into an age. */

static bool read_date(const struct lb_op_run *run, struct lb_span *out_text, struct lb_date *out)
{
    return lb_cell_text(lb_cell_at(run->input, 0), LB_FIELD_DATE, out_text) &&
           lb_date_parse(*out_text, out);
}

lb_status lb_op_apply_trunc(const struct lb_op_run *run, struct lb_fact *out)
{
    struct lb_span text;
    struct lb_date date;
    size_t len = strcmp(run->call->args[0], "Y") == 0 ? 4 : 7;
    if (read_date(run, &text, &date))
        return lb_fact_set_text(lb_span_of(text.ptr, len), run->arena, out);
    *out = lb_fact_unknown();
    return LB_OK;
}

/* Who is not yet born on the day has no age. */
static bool read_age(const struct lb_op_run *run, const struct lb_date *day, int *out_years)
{
    struct lb_span text;
    struct lb_date birth;
    if (!read_date(run, &text, &birth))
        return false;
    *out_years = lb_date_age(&birth, day);
    return *out_years >= 0;
}

lb_status lb_op_apply_age_at(const struct lb_op_run *run, struct lb_fact *out)
{
    struct lb_date day = run->today;
    int years = 0;
    if (strcmp(run->call->args[0], "today") != 0)
        LB_ENSURE(lb_date_parse(lb_span_str(run->call->args[0]), &day), LB_INTERNAL,
                  "an unchecked date");
    *out = read_age(run, &day, &years) ? lb_fact_number(years) : lb_fact_unknown();
    return LB_OK;
}

lb_status lb_op_apply_age_ge(const struct lb_op_run *run, struct lb_fact *out)
{
    int years = 0;
    int64_t limit = lb_rules_threshold(run->input->rules, run->call->args[0])->value;
    *out = read_age(run, &run->today, &years) ? lb_fact_truth(years >= limit) : lb_fact_unknown();
    return LB_OK;
}
