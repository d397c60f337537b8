#ifndef GATEWAY_BASE_TRACE_H
#define GATEWAY_BASE_TRACE_H

#include <stdbool.h>

#include "gateway/base/span.h"

/*
 * W3C trace context (Trace Context, version 00): a random number that goes with a request through
 * window system, agent, broker and adapter, outside of what is sealed, so that the operators' logs
 * of all of them can be laid side by side. It means nothing and is never made from a case or a
 * person. What comes from outside is taken only if it is exactly of this form; a `tracestate`,
 * which may hold anything, is not taken on.
 */
#define LB_TRACE_BYTES 56  /* the text "00-<32 hex>-<16 hex>-<2 hex>" and a NUL */

struct lb_trace {
    char id[33];    /* of the whole; "" when there is none */
    char span[17];  /* of the caller's step */
    bool sampled;   /* each hop writes a line about it */
};

/* lb_trace_parse reads a traceparent strictly: version 00, lower case, neither number all zeros, no
 * unknown flag. A trace id of decimal digits only is refused too: no random one looks so, and one
 * made from a person's or a case's number does. */
bool lb_trace_parse(struct lb_span text, struct lb_trace *out);
/* lb_trace_begin makes a random one that is not sampled; "" without randomness. */
void lb_trace_begin(struct lb_trace *out);
/* lb_trace_take is lb_trace_parse, or lb_trace_begin when that fails. */
void lb_trace_take(struct lb_span text, struct lb_trace *out);
/* lb_trace_step makes the next step under the same id. */
void lb_trace_step(const struct lb_trace *from, struct lb_trace *out);
/* lb_trace_format writes the text; "" for none. */
void lb_trace_format(const struct lb_trace *trace, char out[LB_TRACE_BYTES]);

#endif
