#ifndef GATEWAY_SERVICES_STATUS_SERVICE_H
#define GATEWAY_SERVICES_STATUS_SERVICE_H

#include "gateway/exchange/overview.h"
#include "gateway/rpc/server.h"
#include "gateway/services/metrics.h"
#include "gateway/services/sightings.h"

/* lianban.v1.Operations: how a broker stands with every member, for the federation's operator. */
struct lb_status_service {
    const char *self;                /* the broker's SPIFFE id */
    const char *organization;        /* the operator's */
    const char *version;
    struct lb_exchange *exchange;
    struct lb_outbox *outbox;        /* NULL: nothing is told of parcels */
    struct lb_log *log;
    struct lb_trust *trust;
    struct lb_sightings *sightings;  /* NULL: nobody is ever seen */
    struct lb_drill_watch *drill;    /* NULL for a broker that takes no part */
    const struct lb_clock *clock;
};

#define LB_STATUS_METHODS 1
/* lb_status_service_methods fills the table for a server; the service outlives it. */
void lb_status_service_methods(struct lb_status_service *service,
                               struct lb_rpc_method out[LB_STATUS_METHODS]);

#define LB_STATUS_PARCEL_METHODS 1
/* lb_status_service_parcels fills what is about parcels, for a service with an outbox. */
void lb_status_service_parcels(struct lb_status_service *service,
                               struct lb_rpc_method out[LB_STATUS_PARCEL_METHODS]);

/* lb_status_service_links tells every adapter met since the start and whether it is linked (struct
 * lb_metrics_options); ctx is the service. */
size_t lb_status_service_links(void *ctx, struct lb_metrics_link *out, size_t max);

#endif
