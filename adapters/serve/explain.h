#ifndef ADAPTERS_SERVE_EXPLAIN_H
#define ADAPTERS_SERVE_EXPLAIN_H

#include "gateway/base/diag.h"
#include "policy/engine/explain.h"

/* lb_serve_explain judges a described request by a department's policy file, with the code that
 * judges real ones. What a description can't have is taken as good: signatures, times, status, the
 * person, what is listed in the directory, and what was asked before. CONFIG_INVALID for the policy
 * with file, line and advice in diag; NO_MEMORY. */
LB_MUST lb_status lb_serve_explain(const char *policy_path,
                                   const struct lb_explain_request *request,
                                   struct lb_arena *arena, struct lb_diag *diag,
                                   struct lb_explanation *out_explanation);

#endif
