#ifndef GATEWAY_MAINS_STORES_H
#define GATEWAY_MAINS_STORES_H

#include "gateway/base/arena.h"
#include "gateway/store/schema.h"
#include "gateway/trust/directory.h"

/* lb_stores_of lists the kinds of stores that a node of this kind may have in its state folder, the
 * evidence log's first. NO_MEMORY. */
LB_MUST lb_status lb_stores_of(enum lb_node_kind kind, struct lb_arena *arena,
                               const struct lb_store_schema **out_kinds, size_t *out_num);

#endif
