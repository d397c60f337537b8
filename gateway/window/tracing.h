#ifndef GATEWAY_WINDOW_TRACING_H
#define GATEWAY_WINDOW_TRACING_H

#include "gateway/window/window.h"

/* lb_window_trace puts the next collect of a case under a trace (gateway/base/trace.h): the window
 * system's own `traceparent`, if it is of the right form; else the collect gets a random one.
 * CASE_UNKNOWN. */
LB_MUST lb_status lb_window_trace(struct lb_window *window, const char *case_id,
                                  struct lb_span traceparent);

#endif
