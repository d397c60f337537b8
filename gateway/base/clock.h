#ifndef GATEWAY_BASE_CLOCK_H
#define GATEWAY_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/*
 * The one source of time. Judgements get a clock passed in, so that a test can set it.
 */
struct lb_clock {
    /* unix_ms returns wall time in milliseconds since 1970-01-01T00:00:00Z. */
    int64_t (*unix_ms)(const struct lb_clock *clock);
    /* monotonic_ms never goes back; its origin means nothing. */
    int64_t (*monotonic_ms)(const struct lb_clock *clock);
};

/* lb_clock_system returns the machine's clock. */
const struct lb_clock *lb_clock_system(void);

/* A clock for tests: both times are what was last set. */
struct lb_clock_fixed {
    struct lb_clock clock;
    int64_t now_unix_ms;
    int64_t now_monotonic_ms;
};

/* lb_clock_fixed_init sets both times to unix_ms. */
void lb_clock_fixed_init(struct lb_clock_fixed *fixed, int64_t unix_ms);

/* lb_clock_unix_ms and lb_clock_unix_s read the wall time since 1970-01-01T00:00:00Z, in
 * milliseconds and in seconds (rounded down); lb_clock_monotonic_ms reads what never goes back. */
static inline int64_t lb_clock_unix_ms(const struct lb_clock *clock)
{
    return clock->unix_ms(clock);
}

static inline int64_t lb_clock_unix_s(const struct lb_clock *clock)
{
    return clock->unix_ms(clock) / 1000;
}

static inline int64_t lb_clock_monotonic_ms(const struct lb_clock *clock)
{
    return clock->monotonic_ms(clock);
}

/* lb_clock_after_ms is a point of CLOCK_MONOTONIC, ms from now, for timed waits on a condition that
 * lb_clock_cond_init made: one that nobody who sets the wall clock shortens or prolongs. */
struct timespec lb_clock_after_ms(int64_t ms);
void lb_clock_cond_init(pthread_cond_t *cond);

#endif
