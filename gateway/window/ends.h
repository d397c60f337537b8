#ifndef GATEWAY_WINDOW_ENDS_H
#define GATEWAY_WINDOW_ENDS_H

#include "gateway/window/parts_inside.h"

/*
 * Inside gateway/window: a case that is over ends by itself. It is over when it was decided, or
 * handed over as the rules suggest; when every part of its class was submitted and has come to its
 * end, and nothing is on its way; and when no hearing waits for a decision and no correction for an
 * answer. From the last thing that happened on runs the form's time to object, and then the agent's
 * own number of days (end_days); then it is closed as CloseCase does. Nothing is kept about that:
 * what is on disk says it each time.
 *
 * The wall clock alone destroys nothing: it must have gone with the monotonic one for an hour, so
 * that a machine that starts with a wrong time, or whose time jumps, is set right before.
 */
struct lb_case_ends {
    bool begun;
    int64_t unix_ms, monotonic_ms;  /* where both clocks were when they last disagreed */
    int64_t next_look_ms;           /* monotonic */
};

/* lb_case_ends_at is when a case ends by itself, in seconds since 1970; 0 while something is open.
 * Under the case's lock. What the store says. */
LB_MUST lb_status lb_case_ends_at(const struct lb_window_case *entry, int64_t *out_unix_s);

/* lb_case_ends_look closes what has come to its end, once an hour; called every second or so. */
void lb_case_ends_look(struct lb_window *window, struct lb_case_ends *ends);

#endif
