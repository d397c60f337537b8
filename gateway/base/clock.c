#include "gateway/base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_unix_ms(const struct lb_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(const struct lb_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

const struct lb_clock *lb_clock_system(void)
{
    static const struct lb_clock system_clock = {system_unix_ms, system_monotonic_ms};
    return &system_clock;
}

static int64_t fixed_unix_ms(const struct lb_clock *clock)
{
    return ((const struct lb_clock_fixed *)clock)->now_unix_ms;
}

static int64_t fixed_monotonic_ms(const struct lb_clock *clock)
{
    return ((const struct lb_clock_fixed *)clock)->now_monotonic_ms;
}

void lb_clock_fixed_init(struct lb_clock_fixed *fixed, int64_t unix_ms)
{
    *fixed = (struct lb_clock_fixed){
        .clock = {fixed_unix_ms, fixed_monotonic_ms},
        .now_unix_ms = unix_ms,
        .now_monotonic_ms = unix_ms,
    };
}

struct timespec lb_clock_after_ms(int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return until;
}

void lb_clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}
