#ifndef GATEWAY_EXCHANGE_OVERVIEW_H
#define GATEWAY_EXCHANGE_OVERVIEW_H

#include "gateway/base/admission.h"
#include "gateway/exchange/breaker.h"
#include "gateway/exchange/exchange.h"

/* How the broker stands with one adapter, for its operator. Nothing in it is about requests. */
struct lb_adapter_view {
    char spiffe[LB_MAX_SPIFFE_BYTES];
    bool linked;                 /* and greeted */
    enum lb_code quarantine;     /* LB_CODE_OK, or why */
    int64_t changed_unix_ms;     /* since when it is linked, or not; 0: never was */
    int64_t answered_unix_ms;    /* its last answer; 0: none yet */
    int64_t shown_unix_ms;       /* when it last showed a checkpoint that held; 0: not yet */
    uint64_t log_size;           /* of that checkpoint */
    uint64_t num_answers;
    size_t num_pending;          /* reads it has not answered yet */
    size_t num_unacknowledged;   /* newest status lists that it has not proved to have */
    enum lb_breaker_state circuit;  /* whether it is asked */
    bool circuit_for_all;        /* if it is not closed: for every requester, or for some */
    int64_t circuit_unix_ms;     /* since when; 0: it never changed */
};

/* lb_exchange_adapters tells of every adapter met since the start, at most max of them; returns how
 * many. Any thread. */
size_t lb_exchange_adapters(struct lb_exchange *exchange, struct lb_adapter_view *out, size_t max);

/* lb_exchange_load tells how full the broker is, in reads. Any thread. */
void lb_exchange_load(struct lb_exchange *exchange, struct lb_admission_view *out);

#endif
