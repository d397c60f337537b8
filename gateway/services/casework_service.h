#ifndef GATEWAY_SERVICES_CASEWORK_SERVICE_H
#define GATEWAY_SERVICES_CASEWORK_SERVICE_H

#include "gateway/rpc/server.h"
#include "gateway/window/casework.h"

/* Those methods of lianban.v1.Window that persons decide by. */
#define LB_CASEWORK_METHODS 9
/* lb_casework_service_methods fills the table for a server; the agent outlives it. */
void lb_casework_service_methods(struct lb_window *window,
                                 struct lb_rpc_method out[LB_CASEWORK_METHODS]);

#endif
