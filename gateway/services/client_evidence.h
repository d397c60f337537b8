#ifndef GATEWAY_SERVICES_CLIENT_EVIDENCE_H
#define GATEWAY_SERVICES_CLIENT_EVIDENCE_H

#include "gateway/ctl/port.h"

/* lb_client_open_evidence makes the port by which an officer's profile asks members about their
 * logs; `ctx` is not used. A member is connected to when it is first asked: PEER_UNLISTED when the
 * directory has no address of it. Failures of opening as lb_client_open_desk. */
LB_MUST lb_status lb_client_open_evidence(void *ctx, const struct lb_ctl_desk_profile *profile,
                                          const struct lb_clock *clock, struct lb_diag *diag,
                                          struct lb_ctl_evidence_port *out);

#endif
