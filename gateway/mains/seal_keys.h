#ifndef GATEWAY_MAINS_SEAL_KEYS_H
#define GATEWAY_MAINS_SEAL_KEYS_H

#include "adapters/serve/serve.h"
#include "gateway/mains/node.h"

#define LB_MAX_SEAL_KEYS 8

/* lb_node_seal_keys reads `seal_keys: [{id, file}]` into the array. A key whose id the directory
 * lists for this node with another public half is refused. */
LB_MUST lb_status lb_node_seal_keys(struct lb_node_program *node,
                                    struct lb_serve_key out_keys[LB_MAX_SEAL_KEYS],
                                    size_t *out_num);
/* lb_node_share_keys reads `share_keys` likewise; without it there are none. */
LB_MUST lb_status lb_node_share_keys(struct lb_node_program *node,
                                     struct lb_serve_key out_keys[LB_MAX_SEAL_KEYS],
                                     size_t *out_num);

/* lb_node_issuer_key reads a map {kid, key}: an ES256 key in PEM. */
LB_MUST lb_status lb_node_issuer_key(struct lb_node_program *node, const char *member,
                                     const char **out_kid, struct lb_sign_key **out_key);

#endif
