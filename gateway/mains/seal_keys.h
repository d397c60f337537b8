#ifndef GATEWAY_MAINS_SEAL_KEYS_H
#define GATEWAY_MAINS_SEAL_KEYS_H

#include "gateway/mains/node.h"
#include "gateway/trust/issuer_keys.h"
#include "gateway/trust/seal_ring.h"

/* The keys that a running node replaces; their owners tick them once a second. */

/* lb_node_seal_keys reads `seal_keys: [{id, file}]` and `seal_folder: FOLDER`, one of which may be
 * absent, and loads what is there. CONFIG_INVALID with a sentence in node->diag. */
LB_MUST lb_status lb_node_seal_keys(struct lb_node_program *node, struct lb_seal_ring **out_ring);

/* lb_node_share_keys reads `share_keys` and `share_folder` likewise; without them the ring is
 * empty. */
LB_MUST lb_status lb_node_share_keys(struct lb_node_program *node, struct lb_seal_ring **out_ring);

/* lb_node_issuer_keys reads a map {kid, key} or {kid, key, folder}: ES256 keys in PEM. */
LB_MUST lb_status lb_node_issuer_keys(struct lb_node_program *node, const char *member,
                                      struct lb_issuer_keys **out_keys);

#endif
