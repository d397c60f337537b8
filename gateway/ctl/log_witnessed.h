#ifndef GATEWAY_CTL_LOG_WITNESSED_H
#define GATEWAY_CTL_LOG_WITNESSED_H

#include "gateway/evidence/cosigned.h"
#include "gateway/json/json.h"

/* Inside gateway/ctl only: what `log verify` says of witnesses. Nothing without a policy. */

/* lb_ctl_witnessed_text is "<size> (<witness>, ...)" in the arena, names as in the policy; NULL
 * without a policy or past the arena's cap. */
const char *lb_ctl_witnessed_text(const struct lb_witness_policy *policy,
                                  const struct lb_witnessed *witnessed, struct lb_arena *arena);
/* lb_ctl_witnessed_json adds "witnessed": {"size", "by": [name]}. */
void lb_ctl_witnessed_json(const struct lb_witness_policy *policy,
                           const struct lb_witnessed *witnessed, struct lb_json *out);

#endif
