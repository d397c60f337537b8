#ifndef GATEWAY_SERVICES_NODE_SERVICE_H
#define GATEWAY_SERVICES_NODE_SERVICE_H

#include "gateway/drill/watch.h"
#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"

/* A status list in force, as this node tells its own people of it. */
struct lb_held_list {
    const char *uri;
    const char *issuer;
    uint64_t seq;
    int64_t issued_unix_s, expires_unix_s;
};

/* Where the lists come from; `list` NULL for a node that holds none. */
struct lb_held_lists {
    void *ctx;
    lb_status (*list)(void *ctx, struct lb_arena *arena, struct lb_held_list **out, size_t *num);
};

/* lianban.v1.Node: what a node tells of itself. */
struct lb_node_service {
    const char *organization;  /* whose members are told everything */
    const char *version;
    struct lb_trust *trust;
    struct lb_log *log;        /* NULL when the node keeps none */
    const struct lb_clock *clock;
    struct lb_held_lists lists;
    struct lb_drill_watch *drill;  /* NULL for a node that takes no part */
};

#define LB_NODE_METHODS 1
/* lb_node_service_methods fills the table for a server; the service outlives it. */
void lb_node_service_methods(struct lb_node_service *service,
                             struct lb_rpc_method out[LB_NODE_METHODS]);

#endif
