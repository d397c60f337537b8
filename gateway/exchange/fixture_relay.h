#ifndef GATEWAY_EXCHANGE_FIXTURE_RELAY_H
#define GATEWAY_EXCHANGE_FIXTURE_RELAY_H

#include <pthread.h>

#include "gateway/exchange/fixture.h"

/* For tests: telling the played adapter of what ends grants, and what it says to it. */

/* fx_list signs a list of the hall whose index 7 has the given state. */
struct lb_span fx_list(struct fixture *fx, uint64_t seq, uint8_t state);

/* A relay in a thread of its own, as a call is. */
struct fx_told {
    struct fixture *fx;
    struct lb_span grant, token;  /* no grant: a list */
    int64_t timeout_ms;           /* for the adapter's word */
    struct lb_arena *arena;
    pthread_t thread;
    lb_status status;
    Lianban__V1__RelayStatusResponse *response;
};
#define FX_IMPATIENT_MS 200
void fx_tell(struct fixture *fx, struct fx_told *told, struct lb_span grant, struct lb_span token,
             int64_t timeout_ms);
/* fx_outcome waits for it: what became of it at the one adapter. */
const Lianban__V1__StatusReceipt *fx_outcome(struct fx_told *told);
void fx_forget(struct fx_told *told);

/* fx_ending waits for the next frame that ends grants, past logs that are shown; NULL when none
 * comes. */
Lianban__V1__Frame *fx_ending(struct fixture *fx);

/* What the played adapter says of a token, and how it lies. */
enum fx_lie { FX_HONEST, FX_NO_PROOF, FX_OTHER_TOKEN, FX_OTHER_EVENT, FX_A_READ, FX_NOT_COMMITTED };
lb_status fx_acknowledge(struct fixture *fx, struct lb_span token, bool list, enum fx_lie lie);

#endif
