#ifndef POLICY_ENGINE_VIEW_LIMITS_H
#define POLICY_ENGINE_VIEW_LIMITS_H

#include "gateway/config/yaml.h"
#include "policy/engine/view.h"

/* lb_view_load_budgets reads the optional member `budgets` of a view or of a department's policy
 * (view.h has the form); none: no limits. CONFIG_INVALID with line and advice. */
LB_MUST lb_status lb_view_load_budgets(const struct lb_yaml_node *root, struct lb_diag *diag,
                                       struct lb_budgets *out_budgets);

#endif
