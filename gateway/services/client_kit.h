#ifndef GATEWAY_SERVICES_CLIENT_KIT_H
#define GATEWAY_SERVICES_CLIENT_KIT_H

#include "gateway/ctl/port.h"

/* lb_client_open_kit opens the way of the conformance kit to an adapter: mutual TLS as a broker and
 * as a window. Statuses of lb_rpc_channel_new, with a sentence in diag. */
LB_MUST lb_status lb_client_open_kit(void *ctx, const struct lb_ctl_kit_options *options,
                                     struct lb_diag *diag, struct lb_ctl_kit_port *out);

#endif
