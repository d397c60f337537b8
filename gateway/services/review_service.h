#ifndef GATEWAY_SERVICES_REVIEW_SERVICE_H
#define GATEWAY_SERVICES_REVIEW_SERVICE_H

#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"

/*
 * Evidence.RecordReview: what a member's own officer asks of the log is an entry of the log,
 * durable before the officer gets what it needs to ask. Pseudonyms of identity numbers come from
 * here and nowhere else, so that nobody tries numbers without a trace.
 */
#define LB_REVIEW_MAX_NAMES 16

/* How a person is called in the node's evidence: the name that is written now first, then those of
 * the pseudonym keys before (at most LB_REVIEW_MAX_NAMES). */
struct lb_review_names {
    size_t (*of)(void *ctx, const char id_no[19], uint8_t (*out_names)[32]);
    void *ctx;
};

struct lb_review_service {
    const char *organization;
    struct lb_log *log;
    struct lb_trust *trust;
    struct lb_review_names names;  /* of NULL at a node that keeps no pseudonyms */
    bool sealed;                   /* the log has an officer's key, so details are kept */
};

#define LB_REVIEW_METHODS 1
/* lb_review_service_methods fills the table for a server; the service outlives it. */
void lb_review_service_methods(struct lb_review_service *service,
                               struct lb_rpc_method out[LB_REVIEW_METHODS]);

#endif
