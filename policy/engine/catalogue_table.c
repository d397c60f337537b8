#include "policy/engine/catalogue_internal.h"

/* The filling of a table: conditions are decided one by one in this order, and what is decided
 * while others are open is decided for all of their combinations. */
struct filling {
    struct catalogue_policy *policy;
    size_t order[LB_CATALOGUE_MAX_CONDITIONS];
    struct lb_expr_value values[LB_CATALOGUE_MAX_CONDITIONS];
};

static lb_status evaluate(struct filling *filling, enum lb_truth *out_truth)
{
    struct lb_expr_value out;
    LB_TRY(lb_expr_eval(filling->policy->when, filling->values, LB_EXPR_TRUTH, &out));
    *out_truth = out.kind != LB_EXPR_TRUTH ? LB_UNKNOWN : out.truth ? LB_TRUE : LB_FALSE;
    return LB_OK;
}

static void decide(struct filling *filling, size_t index, bool truth)
{
    filling->values[index] = (struct lb_expr_value){.kind = LB_EXPR_TRUTH, .truth = truth};
}

static void leave_open(struct filling *filling, size_t index)
{
    filling->values[index] = (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
}

/* Without these the policy can't match; to decide them first decides most combinations at once. */
static lb_status put_necessary_first(struct filling *filling, size_t num)
{
    size_t num_first = 0;
    size_t num_last = num;
    for (size_t i = 0; i < num; i++) {
        enum lb_truth truth = LB_UNKNOWN;
        decide(filling, i, false);
        LB_TRY(evaluate(filling, &truth));
        leave_open(filling, i);
        filling->order[truth == LB_FALSE ? num_first++ : --num_last] = i;
    }
    return LB_OK;
}

static void mark_all(struct catalogue_policy *policy, unsigned holding, unsigned open)
{
    for (unsigned part = open;; part = (part - 1) & open) {
        unsigned combination = holding | part;
        policy->table[combination / 8] |= (uint8_t)(1u << combination % 8);
        if (part == 0)
            return;
    }
}

static lb_status fill(struct filling *filling, size_t depth, unsigned holding, unsigned open)
{
    enum lb_truth truth = LB_UNKNOWN;
    LB_TRY(evaluate(filling, &truth));
    if (truth == LB_TRUE)
        mark_all(filling->policy, holding, open);
    if (truth != LB_UNKNOWN)
        return LB_OK;
    LB_ENSURE(depth < filling->policy->policy.num_conditions, LB_STORE_FAILED,
              "a policy is open although nothing is");
    size_t index = filling->order[depth];
    open &= ~(1u << index);
    decide(filling, index, true);
    LB_TRY(fill(filling, depth + 1, holding | 1u << index, open));
    decide(filling, index, false);
    LB_TRY(fill(filling, depth + 1, holding, open));
    leave_open(filling, index);
    return LB_OK;
}

lb_status lb_catalogue_fill_table(struct catalogue_policy *policy, struct lb_arena *arena)
{
    size_t num = policy->policy.num_conditions;
    struct filling filling = {.policy = policy};
    policy->table = lb_arena_array(arena, ((size_t)1 << num) / 8 + 1, 1);
    LB_ENSURE(policy->table != NULL, LB_NO_MEMORY, "a policy's table");
    LB_TRY(put_necessary_first(&filling, num));
    return fill(&filling, 0, 0, (1u << num) - 1);
}

bool lb_catalogue_holds(const struct catalogue_policy *policy, unsigned combination)
{
    return (policy->table[combination / 8] >> combination % 8 & 1) != 0;
}

/* `when` counts no condition against anybody, so a condition decides as often as there are more
 * combinations that hold with it than without it. */
void lb_catalogue_influence(const struct catalogue_policy *policy, unsigned holding, unsigned open,
                            unsigned out_influence[LB_CATALOGUE_MAX_CONDITIONS])
{
    unsigned whole = 1u << __builtin_popcount(open);
    unsigned total = 0;
    unsigned with[LB_CATALOGUE_MAX_CONDITIONS] = {0};
    /* every subset of `open`, from itself down to none */
    for (unsigned part = open;; part = (part - 1) & open) {
        if (lb_catalogue_holds(policy, holding | part)) {
            total++;
            for (unsigned rest = part; rest != 0; rest &= rest - 1)
                with[__builtin_ctz(rest)]++;
        }
        if (part == 0)
            break;
    }
    for (size_t i = 0; i < LB_CATALOGUE_MAX_CONDITIONS; i++)
        out_influence[i] = (open >> i & 1) == 0 ? 0
                                                : (2 * with[i] - total) *
                                                      ((2u << LB_CATALOGUE_MAX_CONDITIONS) / whole);
}
