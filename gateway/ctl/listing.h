#ifndef GATEWAY_CTL_LISTING_H
#define GATEWAY_CTL_LISTING_H

#include "gateway/ctl/env.h"
#include "gateway/json/json.h"

/* A list of accesses as a window shows it to the citizen or to an authority, from the lines that a
 * department's officer gave (docs/PROTOCOL.md, section 6). */

/* lb_ctl_listing_print writes a table under the title. A line that is no entry is told as such,
 * never passed over. NO_MEMORY. */
LB_MUST lb_status lb_ctl_listing_print(const struct lb_ctl_env *env, struct lb_arena *arena,
                                       const char *title, const char *lines);
/* lb_ctl_listing_json gives the lines as an array of objects; what is none as its text. The caller
 * owns it. */
struct lb_json *lb_ctl_listing_json(const char *lines);

#endif
