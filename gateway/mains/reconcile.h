#ifndef GATEWAY_MAINS_RECONCILE_H
#define GATEWAY_MAINS_RECONCILE_H

#include "gateway/mains/node.h"

/*
 * A node's part in comparing logs: what it answers to others, and what it asks by itself.
 *
 *   reconcile: {every_minutes: 5}   # 1 to 1440; 0: this node asks nobody
 */
struct lb_node_reconcile;

/* lb_node_reconcile_configure reads the key; CONFIG_INVALID with a sentence in node->diag. */
LB_MUST lb_status lb_node_reconcile_configure(struct lb_node_program *node);
/* lb_node_reconcile_methods makes the service over the node's log and fills its methods.
 * NO_MEMORY. */
LB_MUST lb_status lb_node_reconcile_methods(struct lb_node_program *node,
                                            struct lb_rpc_method *methods, size_t *num);
/* lb_node_reconcile_start begins to ask, unless told not to; for brokers and adapters. */
LB_MUST lb_status lb_node_reconcile_start(struct lb_node_program *node);
/* lb_node_reconcile_stop asks nobody any more; lb_node_reconcile_free, once the server has stopped,
 * frees all of it. */
void lb_node_reconcile_stop(struct lb_node_program *node);
void lb_node_reconcile_free(struct lb_node_program *node);

#endif
