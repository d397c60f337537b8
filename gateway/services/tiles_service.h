#ifndef GATEWAY_SERVICES_TILES_SERVICE_H
#define GATEWAY_SERVICES_TILES_SERVICE_H

#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"

/* lianban.v1.Evidence, what is read of a log: tiles, and proofs of entries it knows, to any member;
 * entries to those who review. */
struct lb_tiles_service {
    struct lb_log *log;
    struct lb_trust *trust;
    const char *spiffe;  /* this node's own */
};

#define LB_TILES_METHODS 3
/* lb_tiles_service_methods fills the table for a server; the service outlives it. */
void lb_tiles_service_methods(struct lb_tiles_service *service,
                              struct lb_rpc_method out[LB_TILES_METHODS]);

#endif
