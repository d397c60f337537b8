#include "policy/engine/operator_private.h"
#include "policy/engine/rules_private.h"
#include "policy/engine/words.h"

/* The arguments of operators: their forms, and what they name in a rule set. */

#define MAX_KEEP 32
#define MAX_DAYS 366

#define COUNT_OF(words_) (sizeof(words_) / sizeof((words_)[0]))

static bool is_one_of(struct lb_span text, const char *const *words, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (lb_span_is(text, words[i]))
            return true;
    return false;
}

static bool is_word_of(enum lb_op_arg kind, struct lb_span arg)
{
    static const char *const comparisons[] = {"<", "<=", ">", ">="};
    static const char *const levels[] = {"2", "4", "6", "9", "12"};
    static const char *const roundings[] = {"floor", "half_even"};
    static const char *const parts[] = {"Y", "M"};
    switch (kind) {
    case LB_ARG_COMPARISON:
        return is_one_of(arg, comparisons, COUNT_OF(comparisons));
    case LB_ARG_LEVEL:
        return is_one_of(arg, levels, COUNT_OF(levels));
    case LB_ARG_ROUNDING:
        return is_one_of(arg, roundings, COUNT_OF(roundings));
    default:
        return is_one_of(arg, parts, COUNT_OF(parts));
    }
}

static bool is_number(struct lb_span arg, int64_t min, int64_t max)
{
    int64_t number = 0;
    return lb_word_count(arg, max, &number) && number >= min;
}

bool lb_op_arg_well_formed(enum lb_op_arg kind, struct lb_span arg)
{
    struct lb_date date;
    switch (kind) {
    case LB_ARG_COMPARISON:
    case LB_ARG_LEVEL:
    case LB_ARG_ROUNDING:
    case LB_ARG_PART:
        return is_word_of(kind, arg);
    case LB_ARG_CAP:
        return is_number(arg, 1, LB_MAX_ROWS_PER_READ);
    case LB_ARG_MONTHS:
        return is_number(arg, 1, LB_OP_MAX_MONTHS);
    case LB_ARG_MONTHS_OR_0:
        return is_number(arg, 0, LB_OP_MAX_MONTHS);
    case LB_ARG_UNIT:
        return is_number(arg, 2, LB_RULES_MAX_VALUE);
    case LB_ARG_KEEP:
        return is_number(arg, 0, MAX_KEEP);
    case LB_ARG_DAYS:
        return is_number(arg, 1, MAX_DAYS);
    case LB_ARG_DAY:
        return lb_span_is(arg, "today") || lb_date_parse(arg, &date);
    case LB_ARG_THRESHOLD:
    case LB_ARG_RATIO:
    case LB_ARG_SET:
    case LB_ARG_TABLE:
    case LB_ARG_EDGES:
        return lb_word_is(arg, LB_WORD_NAME);
    case LB_ARG_NONE:
    default:
        return false;
    }
}

int64_t lb_op_number_arg(const struct lb_op_call *call, size_t index)
{
    int64_t value = 0;
    return lb_word_count(lb_span_str(call->args[index]), INT64_MAX, &value) ? value : 0;
}

/* Is it there at all? A ratio is in basis points whatever the field. */
static bool arg_is_known(enum lb_op_arg kind, const char *arg, const struct lb_rules *rules)
{
    const struct lb_threshold *threshold = NULL;
    size_t num = 0;
    switch (kind) {
    case LB_ARG_THRESHOLD:
        return lb_rules_threshold(rules, arg) != NULL;
    case LB_ARG_RATIO:
        threshold = lb_rules_threshold(rules, arg);
        return threshold != NULL && strcmp(threshold->unit, "bp") == 0;
    case LB_ARG_SET:
        return lb_rules_has_set(rules, arg);
    case LB_ARG_TABLE:
        return lb_rules_has_table(rules, arg);
    case LB_ARG_EDGES:
        return lb_rules_edges(rules, arg, &num) != NULL;
    default:
        return true;
    }
}

/* Cents meet cents, years meet ages, and every other unit an integer. */
static bool unit_fits(const struct lb_threshold *threshold, enum lb_field_type type)
{
    if (type == LB_FIELD_DATE)
        return strcmp(threshold->unit, "years") == 0;
    return (type == LB_FIELD_CENTS) == (strcmp(threshold->unit, "cents") == 0);
}

static lb_status check_shape(const struct lb_op_call *call, const struct lb_op_row *row)
{
    LB_ENSURE(call->num_args == lb_op_num_args(row), LB_OPERATOR_UNKNOWN,
              "operator with another number of arguments");
    for (size_t i = 0; i < call->num_args; i++)
        LB_ENSURE(lb_op_arg_well_formed(row->args[i], lb_span_str(call->args[i])),
                  LB_OPERATOR_UNKNOWN, "operator with an argument it can't have");
    return LB_OK;
}

bool lb_op_names_known(const struct lb_op_call *call, const struct lb_rules *rules)
{
    const struct lb_op_row *row = lb_op_row(call->op);
    if (row == NULL || rules == NULL || check_shape(call, row) != LB_OK)
        return false;
    for (size_t i = 0; i < call->num_args; i++)
        if (!arg_is_known(row->args[i], call->args[i], rules))
            return false;
    return true;
}

lb_status lb_op_check(const struct lb_op_call *call, enum lb_field_type type, bool many,
                      const struct lb_rules *rules)
{
    const struct lb_op_row *row = lb_op_row(call->op);
    LB_ENSURE(row != NULL, LB_OPERATOR_UNKNOWN, "no operator of this number");
    LB_TRY(check_shape(call, row));
    LB_ENSURE((row->types & LB_OP_TYPE(type)) != 0, LB_OPERATOR_UNKNOWN,
              "operator that does not fit the field's type");
    LB_ENSURE(row->many || !many, LB_OPERATOR_UNKNOWN,
              "operator that does not fit a view of several rows");
    LB_ENSURE(lb_op_names_known(call, rules), LB_OPERATOR_UNKNOWN,
              "the rule set has no such entry, or its unit does not fit");
    for (size_t i = 0; i < call->num_args; i++)
        LB_ENSURE(row->args[i] != LB_ARG_THRESHOLD ||
                      unit_fits(lb_rules_threshold(rules, call->args[i]), type),
                  LB_OPERATOR_UNKNOWN, "the rule set has no such entry, or its unit does not fit");
    return LB_OK;
}

bool lb_op_reads_month(const struct lb_op_call *call)
{
    if (call->op == LB_OP_SUM || call->op == LB_OP_SHARE)
        return strcmp(call->args[0], "0") != 0;
    return call->op == LB_OP_AVG_M || call->op == LB_OP_TREND;
}

bool lb_op_sums_all(const struct lb_op_call *call)
{
    return (call->op == LB_OP_SUM || call->op == LB_OP_SHARE) && !lb_op_reads_month(call);
}

bool lb_op_reads_denominator(const struct lb_op_call *call)
{
    return call->op == LB_OP_RATIO_CMP;
}
