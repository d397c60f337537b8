#include "policy/engine/operator_private.h"

/* Totals by month. A window is half-open and ends before this month, which is not yet over. A month
 * without a row is a month without an amount only in a complete register; elsewhere it is missing,
 * and a missing month is never filled with zero. */

#define BASIS_POINTS 10000

struct window {
    int64_t from;   /* months as lb_month_parse counts them */
    int64_t until;
};

struct total {
    lb_wide cents;
    size_t num_rows;    /* inside the window */
    int64_t num_months; /* that have such a row */
    bool unreadable;
};

static struct window window_before(const struct lb_op_run *run, int64_t back)
{
    int64_t months = lb_op_number_arg(run->call, 0);
    int64_t until = lb_date_month(&run->today) - back * months;
    return (struct window){until - months, until};
}

static bool read_month(const struct lb_op_input *input, size_t row, int64_t *out)
{
    const struct lb_cell *cell =
        &input->rows->cells[row * input->rows->num_columns + input->month_column];
    return cell->kind == LB_CELL_TEXT && lb_month_parse(cell->text, out);
}

static void add_amount(const struct lb_op_input *input, size_t row, struct total *total)
{
    int64_t amount = 0;
    if (lb_cell_number(lb_cell_at(input, row), &amount))
        total->cents += amount;
    else
        total->unreadable = true;
    total->num_rows++;
}

static struct total total_of(const struct lb_op_input *input, const struct window *window)
{
    struct total total = {0};
    bool seen[LB_OP_MAX_MONTHS] = {false};
    for (size_t i = 0; i < input->rows->num_rows; i++) {
        int64_t month = 0;
        if (!read_month(input, i, &month)) {
            total.unreadable = true;
            continue;
        }
        if (month < window->from || month >= window->until)
            continue;
        add_amount(input, i, &total);
        bool *mark = &seen[month - window->from];
        total.num_months += *mark ? 0 : 1;
        *mark = true;
    }
    return total;
}

static bool is_known(const struct lb_op_input *input, const struct window *window,
                     const struct total *total)
{
    if (total->unreadable || total->cents > INT64_MAX || total->cents < INT64_MIN)
        return false;
    return input->complete || total->num_months == window->until - window->from;
}

static lb_status sum_all(const struct lb_op_run *run, struct lb_fact *out)
{
    struct total total = {0};
    for (size_t i = 0; i < run->input->rows->num_rows; i++)
        add_amount(run->input, i, &total);
    bool fits = total.cents <= INT64_MAX && total.cents >= INT64_MIN;
    *out = total.unreadable || !fits ? lb_fact_unknown() : lb_fact_number((int64_t)total.cents);
    return LB_OK;
}

/* Any order of the rows gives the same: the whole is judged, not its course. */
static void sum_window(const struct lb_op_run *run, struct lb_fact *out)
{
    struct window window = window_before(run, 0);
    struct total total = total_of(run->input, &window);
    if (total.num_rows == 0 && !total.unreadable)
        *out = lb_fact_no_row(run->call->op, run->input->complete);
    else if (is_known(run->input, &window, &total))
        *out = lb_fact_number((int64_t)total.cents);
    else
        *out = lb_fact_unknown();
}

lb_status lb_op_apply_sum(const struct lb_op_run *run, struct lb_fact *out)
{
    if (!lb_op_reads_month(run->call))
        return sum_all(run, out);
    sum_window(run, out);
    return LB_OK;
}

/* Bounded, so that no total of shares can wrap around into another one. */
lb_status lb_op_apply_share(const struct lb_op_run *run, struct lb_fact *out)
{
    LB_TRY(lb_op_apply_sum(run, out));
    if (out->kind == LB_FACT_NUMBER &&
        (out->number > LB_MAX_SHARE_VALUE || out->number < -LB_MAX_SHARE_VALUE))
        *out = lb_fact_unknown();
    return LB_OK;
}

/* Half to even, below zero as above. */
static int64_t divided(int64_t total, int64_t by)
{
    int64_t down = total / by;
    int64_t rest = total % by;
    if (rest < 0) {
        rest += by;
        down--;
    }
    bool up = 2 * rest > by || (2 * rest == by && down % 2 != 0);
    return up ? down + 1 : down;
}

lb_status lb_op_apply_average(const struct lb_op_run *run, struct lb_fact *out)
{
    sum_window(run, out);
    if (out->kind == LB_FACT_NUMBER)
        *out = lb_fact_number(divided(out->number, lb_op_number_arg(run->call, 0)));
    return LB_OK;
}

/* (before - now) / before >= bp / 10000, without dividing. From nothing there is no fall. */
lb_status lb_op_apply_trend(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_op_input *input = run->input;
    struct window recent = window_before(run, 0);
    struct window earlier = window_before(run, 1);
    struct total now = total_of(input, &recent);
    struct total before = total_of(input, &earlier);
    int64_t drop = lb_rules_threshold(input->rules, run->call->args[1])->value;
    *out = lb_fact_unknown();
    if (now.num_rows + before.num_rows == 0 && !now.unreadable)
        *out = lb_fact_no_row(run->call->op, input->complete);
    else if (is_known(input, &recent, &now) && is_known(input, &earlier, &before) &&
             before.cents > 0)
        *out = lb_fact_truth((before.cents - now.cents) * BASIS_POINTS >= before.cents * drop);
    return LB_OK;
}
