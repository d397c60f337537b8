#ifndef GATEWAY_WINDOW_WITHDRAWN_H
#define GATEWAY_WINDOW_WITHDRAWN_H

#include "gateway/window/window.h"

/* The agent's look at what was withdrawn; one at a time. */
struct lb_withdrawn;

/* lb_withdrawn_new makes one for a window that outlives it; NO_MEMORY. lb_withdrawn_free takes
 * NULL. */
LB_MUST lb_status lb_withdrawn_new(struct lb_window *window, struct lb_withdrawn **out_withdrawn);
void lb_withdrawn_free(struct lb_withdrawn *withdrawn);

/* lb_withdrawn_look asks the consent office for its list and erases from every open case what
 * withdrawn grants brought; the departments that the law itself lets us ask keep theirs. Blocks.
 * What the port says; SIGNATURE_INVALID, ISSUER_UNKNOWN, GRANT_MALFORMED, STATUS_STALE, STATUS_FORK
 * for a list that does not hold: then nothing is changed. */
LB_MUST lb_status lb_withdrawn_look(struct lb_withdrawn *withdrawn);

#endif
