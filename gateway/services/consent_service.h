#ifndef GATEWAY_SERVICES_CONSENT_SERVICE_H
#define GATEWAY_SERVICES_CONSENT_SERVICE_H

#include "gateway/consent/consent.h"
#include "gateway/rpc/client.h"
#include "gateway/rpc/server.h"

#define LB_CONSENT_MAX_BROKERS 8

/* lianban.v1.ConsentOffice over the consent office's use cases. A new status list is pushed to the
 * brokers, to all of them at once, before Revoke returns. */
struct lb_consent_service {
    struct lb_consent *consent;
    struct lb_log *log;
    struct lb_trust *trust;
    struct lb_workers *relays;   /* what tells brokers: each takes as long as it likes */
    struct lb_rpc_channel *brokers[LB_CONSENT_MAX_BROKERS];
    size_t num_brokers;          /* may rise meanwhile: lb_consent_service_add_broker */
};

/* lb_consent_service_add_broker lets another broker be told from now on; the channel stays the
 * caller's, who frees it after the last call. TOO_LARGE past LB_CONSENT_MAX_BROKERS. One thread. */
LB_MUST lb_status lb_consent_service_add_broker(struct lb_consent_service *service,
                                                struct lb_rpc_channel *broker);

#define LB_CONSENT_METHODS 6
/* lb_consent_service_methods fills the table for a server; the service outlives it. */
void lb_consent_service_methods(struct lb_consent_service *service,
                                struct lb_rpc_method out[LB_CONSENT_METHODS]);

/* lb_consent_service_push sends the current list to the brokers; for the main loop, so that brokers
 * and adapters that come late get it and lists never run out. */
LB_MUST lb_status lb_consent_service_push(struct lb_consent_service *service);

#endif
