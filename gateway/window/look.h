#ifndef GATEWAY_WINDOW_LOOK_H
#define GATEWAY_WINDOW_LOOK_H

#include "gateway/window/run.h"

/*
 * Inside gateway/window: triggers (policy/engine/form.h, docs/OUTREACH.md). A case of one is a
 * watch: it stands for as long as the citizens' standing grants do, and each collect of it is a
 * look, at most one in the trigger's interval. A look ends in a signal or in nothing; what was
 * found is then forgotten. What was cut short goes on with the same reads for a day.
 *
 * A watch ends when a grant was withdrawn or refused, and when the department has reached the
 * citizen.
 */

/* lb_case_is_watch says whether a case is one. */
bool lb_case_is_watch(const struct lb_window_case *entry);
/* lb_look_open says whether this agent may open a watch of a form, or the form is no trigger:
 * WRONG_REQUESTER unless it is the trigger's source. */
LB_MUST lb_status lb_look_open(const struct lb_window *window, const struct lb_form *form);
/* lb_look_may says whether a look may begin or go on: EVENT_TOO_SOON; GRANT_REVOKED when the watch
 * is over. LB_OK for a case that is no watch. Takes the case's lock. */
LB_MUST lb_status lb_look_may(struct lb_window_case *entry);
/* lb_look_without hands on why there is no grant. A watch that somebody refused, or withdrew before
 * the agent had fetched it, is over. Takes the case's lock. */
LB_MUST lb_status lb_look_without(struct lb_window_case *entry, lb_status granted);
/* lb_look_begin begins a look or goes on with the one that was cut short, once the grants are
 * there; it is on disk before the first read goes out. Takes the case's lock. */
void lb_look_begin(struct lb_window_case *entry);
/* lb_look_conclude makes the signal of a look that found a candidate, tells the result, and forgets
 * what was found. A signal is on disk before this returns, and is made once. Under the case's
 * lock. What lb_part_make and the store say. */
LB_MUST lb_status lb_look_conclude(struct lb_window_case *entry);
/* lb_look_next_s is when the next look may begin, 0 for at once. Under the case's lock. */
int64_t lb_look_next_s(const struct lb_window_case *entry);
/* lb_look_settle forgets the events of a look that is done, and ends a watch that is over: signals
 * that nobody acted upon are withdrawn, and once they are, the case is closed. What fails is tried
 * again next time. To be called while nobody waits for events; takes the case's locks. */
void lb_look_settle(struct lb_window_case *entry);

#endif
