#ifndef GATEWAY_SERVICES_ADAPTER_SERVICE_H
#define GATEWAY_SERVICES_ADAPTER_SERVICE_H

#include "adapters/serve/link.h"
#include "gateway/services/frames.h"
#include "gateway/services/metrics.h"
#include "gateway/services/node_service.h"

#define LB_ADAPTER_MAX_BROKERS 16  /* remembered for who runs the node */

/* lianban.v1.Adapter over the adapter's use cases. Only brokers that the department's policy names
 * get anything but Describe. */
struct lb_adapter_service {
    const char *organization;    /* the department, whose officers may stop grants */
    struct lb_serve *serve;
    struct lb_log *log;
    struct lb_trust *trust;
    struct lb_workers *workers;  /* for what ends grants, not for reads: a database may hang */
    const struct lb_serve_policy *policy;
    struct lb_seen *seen;
    struct lb_frames_set links;  /* accepted; lb_frames_set_init */
    pthread_mutex_t brokers_lock;  /* of what follows; made with the methods */
    pthread_cond_t brokers_changed;  /* monotonic */
    size_t num_brokers;            /* of those linked once */
    struct lb_linked_broker {
        char peer[LB_MAX_SPIFFE_BYTES];
        unsigned up;
    } brokers[LB_ADAPTER_MAX_BROKERS];
};

#define LB_ADAPTER_METHODS 5
/* lb_adapter_service_methods fills the method table. */
void lb_adapter_service_methods(struct lb_adapter_service *service,
                                struct lb_rpc_method out[LB_ADAPTER_METHODS]);
/* lb_adapter_service_end makes links for streams, dialled or accepted; the owner is the service. */
extern const struct lb_frames_end lb_adapter_service_end;
/* lb_adapter_service_links tells the brokers that were linked since the start; ctx is the
 * service. */
size_t lb_adapter_service_links(void *ctx, struct lb_metrics_link *out, size_t max);
/* lb_adapter_service_wait returns when no link is up, or after timeout_ms. */
void lb_adapter_service_wait(struct lb_adapter_service *service, int64_t timeout_ms);
/* lb_adapter_service_lists tells the status lists in force (struct lb_held_lists); ctx is the
 * service. NO_MEMORY. */
LB_MUST lb_status lb_adapter_service_lists(void *ctx, struct lb_arena *arena,
                                           struct lb_held_list **out, size_t *out_num);

#endif
