#ifndef GATEWAY_WINDOW_PARTS_H
#define GATEWAY_WINDOW_PARTS_H

#include "gateway/window/window.h"

/*
 * What happens to a case once its class stands: each department gets its part, sealed to it, and
 * says what becomes of it (docs/PROTOCOL.md, section 11). A part is on disk before it first leaves,
 * and stays until its department's own receipt is checked; it goes on by itself, whatever dies
 * meanwhile, and no department waits for another. What is said to a window system is read from disk
 * each time.
 */

/* lb_window_submit makes the parts of the case's class, or for an emergency those that wait for
 * none, and gives them. A part that there is stays as it is, but for one that was returned.
 * CASE_UNKNOWN; CASE_STATE while collecting; CASE_UNDECIDED; TOO_LARGE when a part does not fit
 * into a parcel; what lb_window_operators_token says of who opened the case. */
LB_MUST lb_status lb_window_submit(struct lb_window *window,
                                   const Lianban__V1__SubmitCaseRequest *request,
                                   struct lb_arena *arena, Lianban__V1__CaseParts **out);
/* lb_window_supplement sends after what a department wants. CASE_STATE unless it does;
 * PART_UNKNOWN; MALFORMED for texts out of their bounds. */
LB_MUST lb_status lb_window_supplement(struct lb_window *window,
                                       const Lianban__V1__SupplementRequest *request,
                                       struct lb_arena *arena, Lianban__V1__CaseParts **out);
/* lb_window_withdraw asks the departments to stop, once each. PART_UNKNOWN; MALFORMED. */
LB_MUST lb_status lb_window_withdraw(struct lb_window *window,
                                     const Lianban__V1__WithdrawRequest *request,
                                     struct lb_arena *arena, Lianban__V1__CaseParts **out);
/* lb_window_retry sends off again, under its name and with its content, what is dead. PART_UNKNOWN.
 * */
LB_MUST lb_status lb_window_retry(struct lb_window *window,
                                  const Lianban__V1__RetryRequest *request,
                                  struct lb_arena *arena, Lianban__V1__CaseParts **out);
/* lb_window_overdue lists parts that are overdue today, or dead. */
LB_MUST lb_status lb_window_overdue(struct lb_window *window,
                                    const Lianban__V1__ListOverdueRequest *request,
                                    struct lb_arena *arena, Lianban__V1__ListOverdueResponse **out);

/*
 * The courier: sends what is due, follows every broker, and takes what comes. One thread does all
 * the work on the disk; one a broker waits for its news.
 */
struct lb_courier;
LB_MUST lb_status lb_courier_new(struct lb_window *window, struct lb_courier **out_courier);
/* lb_courier_free ends its threads, within seconds; NULL is allowed. */
void lb_courier_free(struct lb_courier *courier);

#endif
