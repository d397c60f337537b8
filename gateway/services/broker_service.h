#ifndef GATEWAY_SERVICES_BROKER_SERVICE_H
#define GATEWAY_SERVICES_BROKER_SERVICE_H

#include "gateway/exchange/exchange.h"
#include "gateway/services/frames.h"

/* lianban.v1.Broker over the broker's use cases. */
struct lb_broker_service {
    struct lb_exchange *exchange;
    struct lb_outbox *outbox;
    struct lb_log *log;
    struct lb_trust *trust;
    const struct lb_clock *clock;
    struct lb_frames_set links;  /* accepted; lb_frames_set_init */
};

#define LB_BROKER_METHODS 9
#define LB_PARCEL_METHODS 3  /* the last of them */
/* lb_broker_service_methods fills the table for a server; the service outlives it. */
void lb_broker_service_methods(struct lb_broker_service *service,
                               struct lb_rpc_method out[LB_BROKER_METHODS]);
/* lb_parcel_service_methods fills those that are about parcels; for the former. */
void lb_parcel_service_methods(struct lb_broker_service *service,
                               struct lb_rpc_method out[LB_PARCEL_METHODS]);
/* lb_broker_service_end makes links for streams, dialled or accepted; the owner is the service. */
extern const struct lb_frames_end lb_broker_service_end;
/* lb_broker_service_held is a dialler's `held`: an adapter that has attached is not dialled. */
bool lb_broker_service_held(void *owner, const char *peer);

#endif
