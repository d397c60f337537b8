#include "policy/engine/operator_private.h"

/* One number: compared, rounded, cut off, banded, set against another. */

#define BASIS_POINTS 10000

static int64_t saturate(lb_wide value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

/* At the ends of 64 bits the multiple may not exist; then the end itself stands for it, so that
 * rounding still rises with the number. */
static int64_t rounded(int64_t number, int64_t unit, bool half_even)
{
    int64_t rest = number % unit;
    if (rest < 0)
        rest += unit;
    lb_wide down = (lb_wide)number - rest;
    bool odd = down / unit % 2 != 0;
    bool up = half_even && (2 * rest > unit || (2 * rest == unit && odd));
    return saturate(up ? down + unit : down);
}

static int64_t band(const int64_t *edges, size_t num, int64_t number)
{
    size_t reached = 0;
    while (reached < num && edges[reached] <= number)
        reached++;
    return (int64_t)reached - 1;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool lb_op_compares(const char *sign, lb_wide left, lb_wide right)
{
    if (strcmp(sign, "<") == 0)
        return left < right;
    if (strcmp(sign, "<=") == 0)
        return left <= right;
    if (strcmp(sign, ">") == 0)
        return left > right;
    return left >= right;
}

bool lb_op_step(const struct lb_op_call *call, const struct lb_rules *rules, int64_t number,
                int64_t *out)
{
    size_t num = 0;
    if (!lb_op_names_known(call, rules))
        return false;
    switch (call->op) {
    case LB_OP_CMP:
        *out = lb_op_compares(call->args[0], number,
                              lb_rules_threshold(rules, call->args[1])->value);
        return true;
    case LB_OP_BUCKET: {
        const int64_t *edges = lb_rules_edges(rules, call->args[0], &num);
        *out = band(edges, num, number);
        return true;
    }
    case LB_OP_ROUND:
        *out = rounded(number, lb_op_number_arg(call, 0), strcmp(call->args[1], "half_even") == 0);
        return true;
    case LB_OP_TOPCODE:
        *out = lesser(number, lb_rules_threshold(rules, call->args[0])->value);
        return true;
    case LB_OP_BOTTOMCODE:
        *out = greater(number, lb_rules_threshold(rules, call->args[0])->value);
        return true;
    default:
        return false;
    }
}

lb_status lb_op_apply_step(const struct lb_op_run *run, struct lb_fact *out)
{
    int64_t number = 0;
    int64_t value = 0;
    *out = lb_fact_unknown();
    if (!lb_cell_number(lb_cell_at(run->input, 0), &number))
        return LB_OK;
    LB_ENSURE(lb_op_step(run->call, run->input->rules, number, &value), LB_INTERNAL,
              "operator that makes no step");
    *out = run->call->op == LB_OP_CMP ? lb_fact_truth(value != 0) : lb_fact_number(value);
    return LB_OK;
}

/* value / denominator against bp / 10000, without dividing. To nothing and to a debt there is no
 * ratio. */
lb_status lb_op_apply_ratio(const struct lb_op_run *run, struct lb_fact *out)
{
    const struct lb_op_input *input = run->input;
    int64_t number = 0;
    int64_t denominator = 0;
    *out = lb_fact_unknown();
    if (!lb_cell_number(lb_cell_at(input, 0), &number) ||
        !lb_cell_number(&input->rows->cells[input->denominator_column], &denominator) ||
        denominator <= 0)
        return LB_OK;
    int64_t limit = lb_rules_threshold(input->rules, run->call->args[1])->value;
    *out = lb_fact_truth(lb_op_compares(run->call->args[0], (lb_wide)number * BASIS_POINTS,
                                        (lb_wide)denominator * limit));
    return LB_OK;
}
