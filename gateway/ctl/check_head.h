#ifndef GATEWAY_CTL_CHECK_HEAD_H
#define GATEWAY_CTL_CHECK_HEAD_H

#include "gateway/ctl/env.h"
#include "gateway/json/json.h"

/* How a file that whole federations share is named: its id, version and hash. */

/* lb_ctl_put_head prints it on a line; lb_ctl_head_json makes an object of it. */
void lb_ctl_put_head(const struct lb_ctl_env *env, const char *id, uint32_t version,
                     const uint8_t sha256[32]);
struct lb_json *lb_ctl_head_json(const char *id, uint32_t version, const uint8_t sha256[32]);

#endif
