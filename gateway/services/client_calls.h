#ifndef GATEWAY_SERVICES_CLIENT_CALLS_H
#define GATEWAY_SERVICES_CLIENT_CALLS_H

#include "gateway/ctl/port.h"
#include "gateway/rpc/client.h"

/* lb_client_remote gives the command line its way to other processes: the window agent over its
 * Unix socket, the consent office over mutual TLS as the desk's profile says. */
struct lb_ctl_remote lb_client_remote(void);

#endif
