#ifndef GATEWAY_SERVICES_WINDOW_SERVICE_H
#define GATEWAY_SERVICES_WINDOW_SERVICE_H

#include <stdatomic.h>

#include "gateway/rpc/client.h"
#include "gateway/rpc/server.h"
#include "gateway/services/casework_service.h"
#include "gateway/services/parts_service.h"
#include "gateway/window/window.h"

/* lianban.v1.Window for the window system beside the agent, and the agent's port to the others. */
#define LB_WINDOW_OWN_METHODS 8
#define LB_WINDOW_METHODS (LB_WINDOW_OWN_METHODS + LB_PARTS_METHODS + LB_CASEWORK_METHODS)
/* lb_window_service_methods fills the table for a server; the agent outlives it. */
void lb_window_service_methods(struct lb_window *window,
                               struct lb_rpc_method out[LB_WINDOW_METHODS]);

struct lb_window_peers {
    /* In the agent's order; NULL for one that the directory does not list, until it does. */
    struct lb_rpc_channel *brokers[LB_WINDOW_MAX_BROKERS];
    struct lb_rpc_channel *consent;
    atomic_bool consent_away;  /* it was waited for in vain, and has not answered since */
};

/* lb_window_service_port makes the use case's port over channels; `peers` is borrowed. */
struct lb_window_port lb_window_service_port(struct lb_window_peers *peers);

#endif
