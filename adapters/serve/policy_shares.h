#ifndef ADAPTERS_SERVE_POLICY_SHARES_H
#define ADAPTERS_SERVE_POLICY_SHARES_H

#include "adapters/serve/policy.h"
#include "gateway/config/yaml.h"

/* Inside adapters/serve. lb_serve_policy_read_shares reads the policy's `shares`, which may be
 * absent, once views and accepted forms are there. CONFIG_INVALID with line and advice in diag;
 * NO_MEMORY. */
LB_MUST lb_status lb_serve_policy_read_shares(struct lb_serve_policy *policy,
                                              const struct lb_yaml_node *root,
                                              struct lb_diag *diag);

#endif
