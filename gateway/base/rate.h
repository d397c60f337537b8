#ifndef GATEWAY_BASE_RATE_H
#define GATEWAY_BASE_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How much is done in a second of work: what is done divided by the time in which anything was in
 * hand. It does not fall because nobody comes. Believed is the second best of the last spans of
 * busy time: the worst may be one in which somebody hung, and the best what had piled up behind
 * him. Zeroed is one that knows nothing. The caller locks.
 */
#define LB_RATE_SPAN_MS 500
#define LB_RATE_SPANS 16

struct lb_rate {
    int64_t busy_since_ms;  /* since when anything is in hand, or the span began */
    int64_t busy_ms;        /* of the span, before that */
    uint64_t done;          /* in the span */
    uint64_t spans[LB_RATE_SPANS];  /* in 1000 s */
    size_t next;
};

/* lb_rate_busy: something is in hand from now on, and nothing was. lb_rate_done: so much is done.
 * lb_rate_look: something was given back; `idle` says that nothing is in hand any more. */
void lb_rate_busy(struct lb_rate *rate, int64_t now_ms);
void lb_rate_done(struct lb_rate *rate, uint64_t num);
void lb_rate_look(struct lb_rate *rate, int64_t now_ms, bool idle);

/* lb_rate_per_1000_s is what is believed; 0: nothing is known yet. */
uint64_t lb_rate_per_1000_s(const struct lb_rate *rate);

#endif
