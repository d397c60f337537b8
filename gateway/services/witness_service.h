#ifndef GATEWAY_SERVICES_WITNESS_SERVICE_H
#define GATEWAY_SERVICES_WITNESS_SERVICE_H

#include "gateway/rpc/client.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"
#include "gateway/witness/submit.h"
#include "gateway/witness/witness.h"

/*
 * Evidence.AddCheckpoint: a member that is named in the configuration hands in its own log's
 * checkpoint. Its log's key is the directory's at the moment of the call.
 */
struct lb_witness_service {
    struct lb_trust *trust;
    struct lb_log *log;          /* who may not call is counted there */
    struct lb_witness *witness;
    size_t num_members;
    const char *const *members;  /* SPIFFE ids */
};

#define LB_WITNESS_METHODS 1
/* lb_witness_service_methods fills the table for a server; the service outlives it. */
void lb_witness_service_methods(struct lb_witness_service *service,
                                struct lb_rpc_method out[LB_WITNESS_METHODS]);

/* lb_witness_call makes the call as a log. The codes of lb_rpc_call; MALFORMED for a reply that is
 * none. */
LB_MUST lb_status lb_witness_call(struct lb_rpc_channel *channel, struct lb_span body,
                                  int64_t timeout_ms, struct lb_arena *arena,
                                  struct lb_submit_reply *out_reply);

#endif
