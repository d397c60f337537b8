#ifndef GATEWAY_CTL_PARTS_VIEW_H
#define GATEWAY_CTL_PARTS_VIEW_H

#include "gateway/ctl/env.h"
#include "gateway/json/json.h"
#include "lianban/v1/window.pb-c.h"

/* Parts of cases for print, and as JSON with the names of the protocol (the caller frees it). */

/* lb_ctl_parts_print writes parts with what departments said of them; nothing for none. NO_MEMORY.
 * */
LB_MUST lb_status lb_ctl_parts_print(const struct lb_ctl_env *env,
                                     Lianban__V1__CasePart *const *parts, size_t num,
                                     struct lb_arena *arena);
struct lb_json *lb_ctl_part_json(const Lianban__V1__CasePart *part);
struct lb_json *lb_ctl_parts_json(Lianban__V1__CasePart *const *parts, size_t num);

/* lb_ctl_overdue_print and _json do so with those of many cases. */
LB_MUST lb_status lb_ctl_overdue_print(const struct lb_ctl_env *env,
                                       const Lianban__V1__ListOverdueResponse *overdue,
                                       struct lb_arena *arena);
struct lb_json *lb_ctl_overdue_json(const Lianban__V1__ListOverdueResponse *overdue);

#endif
