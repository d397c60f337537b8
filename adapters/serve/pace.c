#include "adapters/serve/pace.h"

#include <errno.h>
#include <time.h>

#define FIRST_STEP_NS 250000
#define LARGEST_STEP_NS 16000000
#define SECOND_NS 1000000000

int64_t lb_pace_begin(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

void lb_pace_end(int64_t begun)
{
    int64_t step = FIRST_STEP_NS;
    while (begun + step < lb_pace_begin())
        step += step < LARGEST_STEP_NS ? step : LARGEST_STEP_NS;
    const struct timespec until = {.tv_sec = (time_t)((begun + step) / SECOND_NS),
                                   .tv_nsec = (long)((begun + step) % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}
