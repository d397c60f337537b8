#ifndef GATEWAY_MAINS_NODE_CONFIG_H
#define GATEWAY_MAINS_NODE_CONFIG_H

#include "gateway/mains/node.h"

/* lb_node_configure reads the common part of node->config_path and opens the node's belief; any
 * failure has its sentence in node->diag. */
LB_MUST lb_status lb_node_configure(struct lb_node_program *node);
/* lb_node_read_disk reads the part `disk` into node->marks; CONFIG_INVALID with a sentence. */
LB_MUST lb_status lb_node_read_disk(struct lb_node_program *node);

#endif
