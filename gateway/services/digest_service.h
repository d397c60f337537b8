#ifndef GATEWAY_SERVICES_DIGEST_SERVICE_H
#define GATEWAY_SERVICES_DIGEST_SERVICE_H

#include <pthread.h>

#include "gateway/base/clock.h"
#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"

/*
 * The half of lianban.v1.Evidence by which two members compare their logs: GetDigests and
 * GetDigestEntries. Whoever asks gets what it has a part in, and nothing else: an adapter the reads
 * that were routed to it, an adapter's only broker the reads that it answered, an officer what the
 * nodes of their own organization would get. The log is read beside the node, by a connection of
 * its own, for one caller at a time.
 */
struct lb_digest_service {
    const char *self;              /* SPIFFE id; outlives the service, as do the others */
    const char *folder;            /* of the evidence log */
    struct lb_trust *trust;
    struct lb_log *log;            /* where refusals are counted */
    const struct lb_clock *clock;
    pthread_mutex_t reading;
};

#define LB_DIGEST_METHODS 2
/* lb_digest_service_init and _cleanup bracket its life; the other members are set by the caller. */
void lb_digest_service_init(struct lb_digest_service *service);
void lb_digest_service_cleanup(struct lb_digest_service *service);
/* lb_digest_service_methods fills the table for a server; the service outlives it. */
void lb_digest_service_methods(struct lb_digest_service *service,
                               struct lb_rpc_method out[LB_DIGEST_METHODS]);

#endif
