#ifndef GATEWAY_MAINS_NODE_LOG_H
#define GATEWAY_MAINS_NODE_LOG_H

#include "gateway/mains/node.h"

/* A node's own evidence log: what it is called, and opening it. A log that took the place of a lost
 * one was begun by `lianban node recover begin`, and opens only with the recovery that the
 * directory has as its first entry. */

/* lb_node_name_log sets log_origin by the directory. NO_MEMORY. */
LB_MUST lb_status lb_node_name_log(struct lb_node_program *node);
/* lb_node_open_log opens or, with --init, begins it, and sets recovered_unix_s. As lb_log_open;
 * FILE_FAILED without a log, LOG_FORK for one that begins otherwise, with a sentence in diag. */
LB_MUST lb_status lb_node_open_log(struct lb_node_program *node);

#endif
