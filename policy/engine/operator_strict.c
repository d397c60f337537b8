#include "policy/engine/operator_private.h"

/*
 * Which operator may stand in for another: a for b only when a's output can be computed from b's
 * output alone, whatever the rows, with not found, ambiguous and unknown carried over. Everything
 * listed here is proved below and tested over generated rows; everything else is incomparable.
 *
 * ADDR_LEVEL(6) is not a function of ADDR_LEVEL(9): a code of six digits gives the first its six
 * digits and the second nothing. A view that serves both names both. PSEUDO and TOKEN are nobody's
 * function but their own: who holds a value could not make them without the provider's key; and so
 * is SHARE, which says nothing alone.
 */

static bool same_call(const struct lb_op_call *a, const struct lb_op_call *b)
{
    if (a->op != b->op || a->num_args != b->num_args)
        return false;
    for (size_t i = 0; i < a->num_args; i++)
        if (strcmp(a->args[i], b->args[i]) != 0)
            return false;
    return true;
}

/* min(rows, c1) = min(min(rows, c2), c1) for c1 <= c2; a row exists iff min(rows, cap) > 0; and
 * min(rows, 1) is whether one exists. All three answer a missing row alike. */
static bool strict_count(const struct lb_op_call *a, const struct lb_op_call *b)
{
    int64_t cap_a = a->op == LB_OP_COUNT ? lb_op_number_arg(a, 0) : 1;
    int64_t cap_b = b->op == LB_OP_COUNT ? lb_op_number_arg(b, 0) : 1;
    return cap_a <= cap_b;
}

/* Does b tell c - 1 from c? b only rises or only falls, so then it tells all below c from all at
 * and above it. */
static bool splits(const struct lb_op_call *b, const struct lb_rules *rules, int64_t c)
{
    int64_t below = 0;
    int64_t at = 0;
    return lb_op_step(b, rules, c - 1, &below) && lb_op_step(b, rules, c, &at) && below != at;
}

/* x >= t and x < t change between t - 1 and t, x > t and x <= t between t and t + 1. */
static bool strict_cmp(const struct lb_op_call *a, const struct lb_op_call *b,
                       const struct lb_rules *rules)
{
    int64_t limit = lb_rules_threshold(rules, a->args[1])->value;
    bool at_limit = strcmp(a->args[0], "<") == 0 || strcmp(a->args[0], ">=") == 0;
    return splits(b, rules, at_limit ? limit : limit + 1);
}

static bool strict_bucket(const struct lb_op_call *a, const struct lb_op_call *b,
                          const struct lb_rules *rules)
{
    size_t num = 0;
    const int64_t *edges = lb_rules_edges(rules, a->args[0], &num);
    for (size_t i = 0; i < num; i++)
        if (!splits(b, rules, edges[i]))
            return false;
    return true;
}

/* Rounding down to 1000 goes by way of rounding down to 100. Half to even does not: 500 and 549 are
 * both 500 in hundreds, but 0 and 1000 in thousands. */
static bool strict_round(const struct lb_op_call *a, const struct lb_op_call *b)
{
    if (b->op != LB_OP_ROUND || strcmp(a->args[1], "floor") != 0 ||
        strcmp(b->args[1], "floor") != 0)
        return false;
    return lb_op_number_arg(a, 0) % lb_op_number_arg(b, 0) == 0;
}

/* min(x, s) = min(min(x, t), s) for s <= t; max likewise for s >= t. */
static bool strict_cut(const struct lb_op_call *a, const struct lb_op_call *b,
                       const struct lb_rules *rules)
{
    if (a->op != b->op)
        return false;
    int64_t limit_a = lb_rules_threshold(rules, a->args[0])->value;
    int64_t limit_b = lb_rules_threshold(rules, b->args[0])->value;
    return a->op == LB_OP_TOPCODE ? limit_a <= limit_b : limit_a >= limit_b;
}

static bool is_step(enum lb_op op)
{
    return op == LB_OP_CMP || op == LB_OP_BUCKET || op == LB_OP_ROUND || op == LB_OP_TOPCODE ||
           op == LB_OP_BOTTOMCODE;
}

static bool strict_step(const struct lb_op_call *a, const struct lb_op_call *b,
                        const struct lb_rules *rules)
{
    switch (a->op) {
    case LB_OP_CMP:
        return strict_cmp(a, b, rules);
    case LB_OP_BUCKET:
        return strict_bucket(a, b, rules);
    case LB_OP_ROUND:
        return strict_round(a, b);
    default:
        return strict_cut(a, b, rules);
    }
}

/* a ratio < t and >= t are each other's negation, and so are <= and >. */
static bool strict_ratio(const struct lb_op_call *a, const struct lb_op_call *b)
{
    static const char *const pairs[][2] = {{"<", ">="}, {">=", "<"}, {"<=", ">"}, {">", "<="}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(a->args[0], pairs[i][0]) == 0 && strcmp(b->args[0], pairs[i][1]) == 0)
            return strcmp(a->args[1], b->args[1]) == 0;
    return false;
}

/* Every mask shows the length. One that keeps something on the left shows the first of two code
 * points and more, however short the text is for it; without any on the left, the last. Two kept
 * ones can't be had from a mask that a short text shrinks to one. */
static bool strict_mask(const struct lb_op_call *a, const struct lb_op_call *b)
{
    int64_t left_a = lb_op_number_arg(a, 0);
    int64_t right_a = lb_op_number_arg(a, 1);
    int64_t left_b = lb_op_number_arg(b, 0);
    int64_t right_b = lb_op_number_arg(b, 1);
    if (left_a == 0 && right_a == 0)
        return true;
    if (left_a == 1 && right_a == 0)
        return left_b >= 1;
    return left_a == 0 && right_a == 1 && left_b == 0 && right_b >= 1;
}

/* What is computed from one readable value and nothing else but the day and the asker's claim. */
static bool is_of_one_value(enum lb_op op)
{
    switch (op) {
    case LB_OP_EQ:
    case LB_OP_IN:
    case LB_OP_MAP:
    case LB_OP_DATE_TRUNC:
    case LB_OP_AGE_AT:
    case LB_OP_AGE_GE:
    case LB_OP_MASK:
    case LB_OP_NAME_MASK:
    case LB_OP_ID_MASK:
    case LB_OP_PHONE_MASK:
    case LB_OP_ADDR_LEVEL:
        return true;
    default:
        return is_step(op);
    }
}

/* What is computed from all texts as they stand. */
static bool is_of_texts(enum lb_op op)
{
    return op == LB_OP_PASS || op == LB_OP_EQ || op == LB_OP_MASK || op == LB_OP_PHONE_MASK;
}

static bool counts(enum lb_op op)
{
    return op == LB_OP_EXISTS || op == LB_OP_COUNT;
}

/* Both calls are well formed and all that they name exists. */
static bool strict_pair(const struct lb_op_call *a, const struct lb_op_call *b,
                        const struct lb_rules *rules)
{
    if (b->op == LB_OP_PASS)
        return is_of_one_value(a->op);
    if (b->op == LB_OP_LIST)
        return is_of_texts(a->op);
    if (counts(a->op) && counts(b->op))
        return strict_count(a, b);
    if (is_step(a->op) && is_step(b->op))
        return strict_step(a, b, rules);
    if (a->op == LB_OP_AGE_GE && b->op == LB_OP_AGE_AT)
        return strcmp(b->args[0], "today") == 0;
    if (a->op == LB_OP_AVG_M && b->op == LB_OP_SUM)
        return strcmp(a->args[0], b->args[0]) == 0;
    if (a->op != b->op)
        return false;
    if (a->op == LB_OP_RATIO_CMP)
        return strict_ratio(a, b);
    if (a->op == LB_OP_DATE_TRUNC)
        return strcmp(a->args[0], "Y") == 0;
    return a->op == LB_OP_MASK && strict_mask(a, b);
}

bool lb_op_at_least_as_strict(const struct lb_op_call *a, const struct lb_op_call *b,
                              const struct lb_rules *rules)
{
    if (same_call(a, b))
        return true;
    if (!lb_op_names_known(a, rules) || !lb_op_names_known(b, rules))
        return false;
    return a->op == LB_OP_OMIT || strict_pair(a, b, rules);
}
