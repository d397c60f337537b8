#ifndef GATEWAY_SERVICES_CLIENT_CALLS_H
#define GATEWAY_SERVICES_CLIENT_CALLS_H

#include "gateway/ctl/port.h"
#include "gateway/rpc/client.h"

/* lb_client_remote gives the command line its way to other processes: the window agent over its
 * Unix socket, the consent office over mutual TLS as the desk's profile says. */
struct lb_ctl_remote lb_client_remote(void);

/* lb_client_stream makes a call that is answered by a stream and waits for its end; on_event
 * gets each message, one at a time, on a poller. The server's code, or as lb_rpc_open and
 * lb_rpc_stream_send. */
LB_MUST lb_status lb_client_stream(struct lb_rpc_channel *channel, const char *method,
                                   struct lb_span request, int64_t timeout_ms,
                                   void (*on_event)(void *arg, struct lb_span event), void *arg);

#endif
