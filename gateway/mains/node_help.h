#ifndef GATEWAY_MAINS_NODE_HELP_H
#define GATEWAY_MAINS_NODE_HELP_H

#include "gateway/mains/node.h"

/* lb_node_print_help prints what --help says, to standard output: options and every configuration
 * key. The manual pages are made from it. */
void lb_node_print_help(const struct lb_node_role *role);
/* lb_node_print_version prints the versions of the program, its protocol and its store. */
void lb_node_print_version(const struct lb_node_role *role);

#endif
