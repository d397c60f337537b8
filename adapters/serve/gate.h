#ifndef ADAPTERS_SERVE_GATE_H
#define ADAPTERS_SERVE_GATE_H

#include <stdint.h>

#include "gateway/base/status.h"

/* Counts reads in hand, so that the use case can end only after the last of them. */
struct lb_serve_gate;

/* lb_serve_gate_new makes an open gate with nobody inside; NO_MEMORY. lb_serve_gate_free takes NULL
 * and waits for nobody. Whoever enters leaves once, on any thread. */
LB_MUST lb_status lb_serve_gate_new(struct lb_serve_gate **out_gate);
void lb_serve_gate_free(struct lb_serve_gate *gate);
/* lb_serve_gate_enter: STOPPING once it is shut. */
LB_MUST lb_status lb_serve_gate_enter(struct lb_serve_gate *gate);
void lb_serve_gate_leave(struct lb_serve_gate *gate);
/* lb_serve_gate_shut lets nobody in any more. */
void lb_serve_gate_shut(struct lb_serve_gate *gate);
/* lb_serve_gate_wait returns when nobody is inside; lb_serve_gate_wait_ms after so long at the
 * latest. */
void lb_serve_gate_wait(struct lb_serve_gate *gate);
void lb_serve_gate_wait_ms(struct lb_serve_gate *gate, int64_t timeout_ms);

#endif
