#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "bench/ends.h"
#include "gateway/base/span.h"

/*
 * Keeps K cases in flight and notes how long each took: K lanes on one thread, each beginning its
 * next case as soon as its last has ended.
 */
#define LB_BENCH_MAX_LANES 4096
#define LB_BENCH_MAX_STEPS 8

struct lb_bench_run;

struct lb_bench_lane {
    struct lb_bench_run *run;
    void *work;                            /* what lb_bench_work.lane made */
    int64_t began_ns;
    int64_t step_ns[LB_BENCH_MAX_STEPS];   /* how long each step took; 0 for one not taken */
};

/* What is done. */
struct lb_bench_work {
    void *ctx;
    /* Makes a lane's own state. */
    void *(*lane)(void *ctx, struct lb_bench_lane *lane);
    /* Starts the lane's next case; false when there is none. lb_bench_lane_done must follow, not
     * before this has returned. */
    bool (*begin)(void *work);
    size_t num_steps;
    const char *const *step_names;
};

struct lb_bench_options {
    grpc_completion_queue *queue;
    size_t in_flight;
    int64_t warm_ms;
    int64_t measured_ms; /* 0: until the work has no more cases; all of them are counted */
    size_t at_least;     /* measure on until so many cases have ended, however slow they are */
};

/* lb_bench_now_ns is CLOCK_MONOTONIC. */
int64_t lb_bench_now_ns(void);

/* lb_bench_lane_done ends a lane's case and begins its next. A failed case is counted as such and
 * its time is not noted; why is kept of the first one only. */
void lb_bench_lane_done(struct lb_bench_lane *lane, const char *failure);

/*
 * lb_bench_run_all runs the work and prints one JSON object to standard output unless quiet:
 * ended (all of them), n (those counted), failed, failure, seconds, per_second, mean_ms, p50_ms,
 * p99_ms, cpu_us (this process's own, while it ran) and, by step, p50_ms and mean_ms. A quiet run
 * says on standard error why a case failed. Returns how many failed, counted or not.
 *
 * Counted are the cases that ended within the measured time, which begins after warm_ms and as many
 * ends as there are lanes. Seconds lie between the first such end and the last, and n is one less
 * than there were, so that neither the begin nor the end of the measurement favours anybody.
 */
size_t lb_bench_run_all(const struct lb_bench_options *options, const struct lb_bench_work *work,
                        bool quiet);

#endif
