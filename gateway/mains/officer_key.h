#ifndef GATEWAY_MAINS_OFFICER_KEY_H
#define GATEWAY_MAINS_OFFICER_KEY_H

#include "gateway/mains/node.h"

/* The security officer's public key, under which details are written. It is said in the
 * configuration, or in a file, and then it is replaced by replacing the file. */

/* lb_node_officer_read reads `officer_key: <base64url>` or `officer_key_file: FILE`, of which there
 * may be one: CONFIG_INVALID, FILE_FAILED with a sentence in node->diag. */
LB_MUST lb_status lb_node_officer_read(struct lb_node_program *node);
/* lb_node_officer_look changes to the key in the file if it is another one, with an entry in the
 * log; a file that does not hold a key changes nothing and is told once. To be called once a
 * second. */
void lb_node_officer_look(struct lb_node_program *node);
/* lb_node_officer_start makes the entry of the start durable; it names the officer's key, so that a
 * key that was changed while the node stood still shows as well. Statuses of lb_log_append_wait. */
LB_MUST lb_status lb_node_officer_start(struct lb_node_program *node);

#endif
