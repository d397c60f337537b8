#ifndef GATEWAY_CTL_CORRECTIONS_VIEW_H
#define GATEWAY_CTL_CORRECTIONS_VIEW_H

#include "gateway/ctl/case_view.h"

/* Requests for corrections for print, and as JSON with the names of the protocol (the caller frees
 * it). */

/* lb_ctl_corrections_print writes those of a case; nothing for none. NO_MEMORY. */
LB_MUST lb_status lb_ctl_corrections_print(const struct lb_ctl_env *env,
                                           const struct lb_ctl_case *view);
struct lb_json *lb_ctl_corrections_json(Lianban__V1__CaseCorrection *const *list, size_t num);

/* lb_ctl_overdue_corrections_print and _json do so with those of many cases. */
LB_MUST lb_status
lb_ctl_overdue_corrections_print(const struct lb_ctl_env *env,
                                 const Lianban__V1__ListOverdueResponse *overdue,
                                 struct lb_arena *arena);
struct lb_json *
lb_ctl_overdue_corrections_json(const Lianban__V1__ListOverdueResponse *overdue);

#endif
