#ifndef GATEWAY_SERVICES_RECONCILER_H
#define GATEWAY_SERVICES_RECONCILER_H

#include "gateway/base/clock.h"
#include "gateway/evidence/log.h"
#include "gateway/rpc/client.h"
#include "gateway/trust/trust.h"

/*
 * A node's own reconciling: one thread that, every few minutes, runs a round (reconcile_round.h)
 * with each counterpart that can be asked. A broker asks every adapter with an address and looks in
 * its own log for what was never closed; an adapter asks every broker. It shares nothing with the
 * way of a read but the log that it writes its findings to.
 */
struct lb_reconciler;

struct lb_reconciler_options {
    const char *self;              /* SPIFFE id */
    bool is_broker;
    const char *folder;            /* of the own evidence log */
    const char *marks;             /* a folder that exists */
    struct lb_trust *trust;
    struct lb_log *log;
    const struct lb_clock *clock;
    int64_t every_ms;
    struct lb_rpc_runtime *runtime;
    struct lb_rpc_identity identity;
    struct lb_rpc_verifier verifier;
};

/* lb_reconciler_new starts the thread; strings are copied by nobody and outlive it, as does all
 * else. The first round is `every_ms` away. NO_MEMORY. */
LB_MUST lb_status lb_reconciler_new(const struct lb_reconciler_options *options,
                                    struct lb_reconciler **out_reconciler);
/* lb_reconciler_free ends what is under way (a call that waits, at most 5 s) and frees. NULL is
 * allowed. */
void lb_reconciler_free(struct lb_reconciler *reconciler);

#endif
