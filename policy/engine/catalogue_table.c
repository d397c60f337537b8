#include "policy/engine/catalogue_internal.h"

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
