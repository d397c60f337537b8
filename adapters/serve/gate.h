#ifndef ADAPTERS_SERVE_GATE_H
#define ADAPTERS_SERVE_GATE_H

#include "gateway/base/status.h"

/* Counts reads in hand, so that the use case can end only after the last of them. */
struct lb_serve_gate;

/* lb_serve_gate_new makes an open gate with nobody inside; NO_MEMORY. lb_serve_gate_free takes NULL
 * and waits for nobody. Whoever enters leaves once, on any thread. */
LB_MUST lb_status lb_serve_gate_new(struct lb_serve_gate **out_gate);
void lb_serve_gate_free(struct lb_serve_gate *gate);
void lb_serve_gate_enter(struct lb_serve_gate *gate);
void lb_serve_gate_leave(struct lb_serve_gate *gate);
/* lb_serve_gate_wait returns when nobody is inside. */
void lb_serve_gate_wait(struct lb_serve_gate *gate);

#endif
