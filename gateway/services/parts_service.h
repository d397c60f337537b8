#ifndef GATEWAY_SERVICES_PARTS_SERVICE_H
#define GATEWAY_SERVICES_PARTS_SERVICE_H

#include "gateway/rpc/server.h"
#include "gateway/window/window.h"

/* The methods of lianban.v1.Window about a case's parts and its end. */
#define LB_PARTS_METHODS 6
void lb_parts_service_methods(struct lb_window *window,
                              struct lb_rpc_method out[LB_PARTS_METHODS]);

#endif
