#ifndef GATEWAY_SERVICES_LOCAL_ACCESS_H
#define GATEWAY_SERVICES_LOCAL_ACCESS_H

#include "gateway/rpc/server.h"

/*
 * Who may use the agent over a loopback port: any account of the machine can connect, so every call
 * brings the secret of the window system's own file, `Authorization: Bearer <64 hex digits>`.
 */
#define LB_LOCAL_SECRET_BYTES 32

/* lb_local_access_check compares a header's value with the secret, in constant time.
 * AGENT_SECRET_WRONG. */
LB_MUST lb_status lb_local_access_check(const uint8_t *secret, struct lb_span authorization);

/* lb_local_access_admit_http and _rpc are the same for the two servers; ctx is the secret. */
LB_MUST lb_status lb_local_access_admit_http(void *ctx, struct lb_span authorization);
LB_MUST lb_status lb_local_access_admit_rpc(void *ctx, const struct lb_rpc_call_info *info);

#endif
