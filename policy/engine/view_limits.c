#include "policy/engine/view_limits.h"

#include "policy/engine/view_private.h"

#define MAX_ANSWERS 1000000000
#define MAX_DAYS 366
#define MAX_THRESHOLDS 64
#define MAX_MISMATCHES 64

static lb_status load_budget(const struct lb_yaml_node *map, const char *who, struct lb_diag *diag,
                             struct lb_budget *out)
{
    static const char *const keys[] = {"hour", "day", NULL};
    const struct lb_yaml_node *budget = lb_yaml_get(map, who);
    if (budget == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(budget, keys, diag));
    if (lb_yaml_len(budget) == 0)
        return lb_yaml_fail(budget, diag, "a budget says hour, day or both; add one");
    LB_TRY(lb_yaml_opt_int(budget, "hour", 1, MAX_ANSWERS, 0, diag, &out->hour));
    return lb_yaml_opt_int(budget, "day", 1, MAX_ANSWERS, 0, diag, &out->day);
}

lb_status lb_view_load_budgets(const struct lb_yaml_node *root, struct lb_diag *diag,
                               struct lb_budgets *out_budgets)
{
    static const char *const keys[] = {"operator", "requester", NULL};
    const struct lb_yaml_node *map = lb_yaml_get(root, "budgets");
    struct lb_budgets budgets = {{0, 0}, {0, 0}};
    if (map != NULL) {
        LB_TRY(lb_yaml_only(map, keys, diag));
        LB_TRY(load_budget(map, "operator", diag, &budgets.each_operator));
        LB_TRY(load_budget(map, "requester", diag, &budgets.each_requester));
    }
    *out_budgets = budgets;
    return LB_OK;
}

static const struct lb_probing default_probing = {
    .thresholds = 8, .days = 30, .mismatches = 3, .mismatches_day = 6};

static lb_status load_probing(const struct lb_yaml_node *root, struct lb_diag *diag,
                              struct lb_probing *out)
{
    static const char *const keys[] = {"thresholds", "days", "mismatches", "mismatches_day", NULL};
    const struct lb_yaml_node *map = lb_yaml_get(root, "probing");
    struct lb_probing probing = default_probing;
    if (map != NULL) {
        LB_TRY(lb_yaml_only(map, keys, diag));
        LB_TRY(lb_yaml_opt_int(map, "thresholds", 1, MAX_THRESHOLDS, probing.thresholds, diag,
                               &probing.thresholds));
        LB_TRY(lb_yaml_opt_int(map, "days", 1, MAX_DAYS, probing.days, diag, &probing.days));
        LB_TRY(lb_yaml_opt_int(map, "mismatches", 1, MAX_MISMATCHES, probing.mismatches, diag,
                               &probing.mismatches));
        LB_TRY(lb_yaml_opt_int(map, "mismatches_day", 1, MAX_MISMATCHES, probing.mismatches_day,
                               diag, &probing.mismatches_day));
    }
    *out = probing;
    return LB_OK;
}

lb_status lb_view_load_limits(const struct lb_yaml_node *root, struct lb_diag *diag,
                              struct lb_view *view)
{
    LB_TRY(lb_view_load_budgets(root, diag, &view->budgets));
    return load_probing(root, diag, &view->probing);
}
