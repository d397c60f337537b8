#include "policy/engine/operator.h"
#include "policy/engine/words.h"

/*
 * Which operator may stand in for another: a for b only when a's output can be computed from b's
 * output alone, whatever the rows, with not found, ambiguous and unknown carried over. Everything
 * listed here is proved below and tested over generated rows; everything else is incomparable.
 *
 * ADDR_LEVEL(6) is not a function of ADDR_LEVEL(9): a code of six digits gives the first its six
 * digits and the second nothing. A view that serves both names both.
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

static bool cap_of(const struct lb_op_call *call, int64_t *out_cap)
{
    return call->num_args == 1 &&
           lb_word_count(lb_span_str(call->args[0]), LB_MAX_ROWS_PER_READ, out_cap) && *out_cap > 0;
}

/* min(rows, c1) = min(min(rows, c2), c1) for c1 <= c2; a row exists iff min(rows, cap) > 0; and
 * min(rows, 1) is whether one exists. All three answer a missing row alike. */
static bool strict_count(const struct lb_op_call *a, const struct lb_op_call *b)
{
    int64_t cap_a = 1;
    int64_t cap_b = 1;
    if (a->op == LB_OP_COUNT && !cap_of(a, &cap_a))
        return false;
    if (b->op == LB_OP_COUNT && !cap_of(b, &cap_b))
        return false;
    return cap_a <= cap_b;
}

/* x >= t is the negation of x < t, and x > t that of x <= t. */
static bool is_complement(const char *left, const char *right)
{
    static const char *const pairs[][2] = {{"<", ">="}, {">=", "<"}, {"<=", ">"}, {">", "<="}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(left, pairs[i][0]) == 0 && strcmp(right, pairs[i][1]) == 0)
            return true;
    return false;
}

static bool strict_cmp(const struct lb_op_call *a, const struct lb_op_call *b)
{
    return a->num_args == 2 && b->num_args == 2 && is_complement(a->args[0], b->args[0]) &&
           strcmp(a->args[1], b->args[1]) == 0;
}

static bool has_edge(const int64_t *edges, size_t num, int64_t value)
{
    for (size_t i = 0; i < num; i++)
        if (edges[i] == value)
            return true;
    return false;
}

/* When every edge of a is an edge of b, each interval of b lies in one interval of a. */
static bool strict_bucket(const struct lb_op_call *a, const struct lb_op_call *b,
                          const struct lb_rules *rules)
{
    size_t num_a = 0;
    size_t num_b = 0;
    const int64_t *edges_a = lb_rules_edges(rules, a->args[0], &num_a);
    const int64_t *edges_b = lb_rules_edges(rules, b->args[0], &num_b);
    if (edges_a == NULL || edges_b == NULL)
        return false;
    for (size_t i = 0; i < num_a; i++)
        if (!has_edge(edges_b, num_b, edges_a[i]))
            return false;
    return true;
}

/* Intervals are right-open: when t is an edge, each of them lies wholly below t or wholly at and
 * above it, so < and >= follow. <= and > would need to know x = t, and do not. */
static bool strict_cmp_of_bucket(const struct lb_op_call *a, const struct lb_op_call *b,
                                 const struct lb_rules *rules)
{
    size_t num = 0;
    const int64_t *edges = lb_rules_edges(rules, b->args[0], &num);
    const struct lb_threshold *threshold = lb_rules_threshold(rules, a->args[1]);
    bool splits = strcmp(a->args[0], "<") == 0 || strcmp(a->args[0], ">=") == 0;
    return splits && edges != NULL && threshold != NULL && has_edge(edges, num, threshold->value);
}

static bool counts(enum lb_op op)
{
    return op == LB_OP_EXISTS || op == LB_OP_COUNT;
}

bool lb_op_at_least_as_strict(const struct lb_op_call *a, const struct lb_op_call *b,
                              const struct lb_rules *rules)
{
    if (same_call(a, b))
        return true;
    if (counts(a->op) && counts(b->op))
        return strict_count(a, b);
    if (a->op == LB_OP_CMP && b->op == LB_OP_CMP)
        return strict_cmp(a, b);
    if (b->op != LB_OP_BUCKET || rules == NULL || a->num_args == 0 || b->num_args != 1)
        return false;
    if (a->op == LB_OP_BUCKET)
        return strict_bucket(a, b, rules);
    return a->op == LB_OP_CMP && a->num_args == 2 && strict_cmp_of_bucket(a, b, rules);
}
