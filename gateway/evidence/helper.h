#ifndef GATEWAY_EVIDENCE_HELPER_H
#define GATEWAY_EVIDENCE_HELPER_H

#include <stdbool.h>

#include "gateway/base/status.h"

/*
 * A second thread for one owner's own work: what is offered runs there if the thread comes to it
 * before the owner has done without, so that a busy machine makes nobody wait for it.
 */
struct lb_helper;

/* lb_helper_new starts the thread. NO_MEMORY. */
LB_MUST lb_status lb_helper_new(struct lb_helper **out_helper);
/* lb_helper_free joins it; nothing may be on offer. NULL is allowed. */
void lb_helper_free(struct lb_helper *helper);
/* lb_helper_offer offers work, one at a time; run and ctx live until lb_helper_settle. */
void lb_helper_offer(struct lb_helper *helper, void (*run)(void *ctx), void *ctx);
/* lb_helper_settle takes back an offer that was not taken up (false) or waits until it is done
 * (true). */
bool lb_helper_settle(struct lb_helper *helper);
/* lb_helper_done says, without waiting, whether what was offered has been done. */
bool lb_helper_done(struct lb_helper *helper);

#endif
