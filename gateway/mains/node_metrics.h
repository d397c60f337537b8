#ifndef GATEWAY_MAINS_NODE_METRICS_H
#define GATEWAY_MAINS_NODE_METRICS_H

#include "gateway/mains/node.h"

/*
 * A node's numbers for Prometheus (docs/OPERATIONS.md, "Metrics"). Configuration, may be missing:
 *
 *   metrics: 127.0.0.1:9464     # or [::1]:PORT; plain HTTP stays on this machine
 */

/* lb_node_metrics_read reads and checks the key; node->metrics_listen is NULL without. */
LB_MUST lb_status lb_node_metrics_read(struct lb_node_program *node);
/* lb_node_metrics_begin makes meter and sightings, before the server and the role are made, when
 * there is anybody to read them. NO_MEMORY. */
LB_MUST lb_status lb_node_metrics_begin(struct lb_node_program *node);
/* lb_node_metrics_serve opens the port; `methods` are the server's. CONFIG_INVALID with a sentence
 * in node->diag. */
LB_MUST lb_status lb_node_metrics_serve(struct lb_node_program *node,
                                        const struct lb_rpc_method *methods, size_t num_methods);
/* lb_node_metrics_stop closes it; lb_node_metrics_free releases the rest, at the very end. */
void lb_node_metrics_stop(struct lb_node_program *node);
void lb_node_metrics_free(struct lb_node_program *node);
/* lb_node_metrics_queue has a queue of the role's shown as well. */
void lb_node_metrics_queue(struct lb_node_program *node, const char *name,
                           struct lb_workers *workers);

#endif
