#ifndef GATEWAY_SERVICES_CHANNELS_SERVICE_H
#define GATEWAY_SERVICES_CHANNELS_SERVICE_H

#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/services/metrics.h"
#include "gateway/trust/trust.h"

/* lianban.v1.Operations/GetChannels: how a broker's own connections and queues stand, for the
 * federation's operator. */
struct lb_channels_service {
    const char *self;          /* the broker's SPIFFE id */
    const char *organization;  /* the operator's */
    struct lb_rpc_runtime *runtime;
    struct lb_log *log;
    struct lb_trust *trust;
    const struct lb_clock *clock;
    struct lb_metrics_queue queues[LB_METRICS_QUEUES];
    size_t num_queues;
};

#define LB_CHANNELS_METHODS 1
/* lb_channels_service_methods fills the table for a server; the service outlives it. */
void lb_channels_service_methods(struct lb_channels_service *service,
                                 struct lb_rpc_method out[LB_CHANNELS_METHODS]);

#endif
