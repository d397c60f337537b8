#include "bench/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_MS 1000000
#define MAX_FAILURE_BYTES 160

/* Times in nanoseconds, in the order they came. */
struct series {
    int64_t *ns;
    size_t num;
    size_t room;
};

struct lb_bench_run {
    const struct lb_bench_options *options;
    const struct lb_bench_work *work;
    struct lb_bench_lane *lanes;
    size_t num_active;
    int64_t from_ns;  /* 0: all cases are counted, from the start until there are no more */
    int64_t first_ns; /* 0: nothing is counted yet */
    int64_t last_ns;
    int64_t cpu_us; /* of this process while it ran */
    bool stopping;
    size_t num_ended;
    size_t num_failed;
    char failure[MAX_FAILURE_BYTES];
    struct series cases;
    struct series steps[LB_BENCH_MAX_STEPS];
};

int64_t lb_bench_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static int64_t cpu_us(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
           used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

/* --- series --- */

static void append(struct series *series, int64_t ns)
{
    if (series->num == series->room) {
        series->room = series->room == 0 ? 1024 : 2 * series->room;
        series->ns = realloc(series->ns, series->room * sizeof(series->ns[0]));
        if (series->ns == NULL)
            lb_bench_die("out of memory");
    }
    series->ns[series->num++] = ns;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The nearest-rank percentile of a sorted series, in ms. */
static double percentile_ms(const struct series *series, size_t percent)
{
    if (series->num == 0)
        return 0;
    size_t rank = (series->num * percent + 99) / 100;
    return (double)series->ns[rank - 1] / NS_PER_MS;
}

static double mean_ms(const struct series *series)
{
    double sum = 0;
    for (size_t i = 0; i < series->num; i++)
        sum += (double)series->ns[i];
    return series->num == 0 ? 0 : sum / (double)series->num / NS_PER_MS;
}

/* --- lanes --- */

/* Whether the measured time is over. */
static bool is_over(struct lb_bench_run *run, int64_t now_ns)
{
    const struct lb_bench_options *options = run->options;
    if (run->from_ns == 0)
        return false;
    size_t num_counted = run->cases.num + run->num_failed;
    run->stopping = run->stopping || (now_ns > run->from_ns + options->measured_ms * NS_PER_MS &&
                                      num_counted >= options->at_least);
    return run->stopping;
}

static void begin(struct lb_bench_lane *lane)
{
    struct lb_bench_run *run = lane->run;
    memset(lane->step_ns, 0, sizeof(lane->step_ns));
    lane->began_ns = lb_bench_now_ns();
    if (!is_over(run, lane->began_ns) && run->work->begin(lane->work))
        return;
    run->num_active--;
}

static void fail(struct lb_bench_run *run, const char *failure)
{
    if (run->num_failed++ == 0)
        (void)snprintf(run->failure, sizeof(run->failure), "%s", failure);
}

static void count(struct lb_bench_run *run, const struct lb_bench_lane *lane, int64_t now_ns)
{
    bool warming = now_ns < run->from_ns ||
                   (run->from_ns > 0 && run->num_ended <= run->options->in_flight);
    if (warming || run->stopping)
        return;
    run->last_ns = now_ns;
    if (run->first_ns == 0) {
        run->first_ns = now_ns;
        return;
    }
    append(&run->cases, now_ns - lane->began_ns);
    for (size_t i = 0; i < run->work->num_steps; i++) {
        if (lane->step_ns[i] > 0)
            append(&run->steps[i], lane->step_ns[i]);
    }
}

void lb_bench_lane_done(struct lb_bench_lane *lane, const char *failure)
{
    struct lb_bench_run *run = lane->run;
    run->num_ended++;
    if (failure == NULL)
        count(run, lane, lb_bench_now_ns());
    else
        fail(run, failure);
    begin(lane);
}

/* --- report --- */

static void print_failure(const char *text)
{
    (void)printf(", \"failure\": \"");
    for (; *text != 0; text++)
        (void)putchar(*text < ' ' || *text == '"' || *text == '\\' ? '?' : *text);
    (void)putchar('"');
}

static void print_steps(struct lb_bench_run *run)
{
    const char *between = "";
    (void)printf(", \"steps\": {");
    for (size_t i = 0; i < run->work->num_steps; i++) {
        struct series *step = &run->steps[i];
        if (step->num == 0)
            continue;
        qsort(step->ns, step->num, sizeof(step->ns[0]), compare);
        (void)printf("%s\"%s\": {\"p50_ms\": %.3f, \"mean_ms\": %.3f}", between,
                     run->work->step_names[i], percentile_ms(step, 50), mean_ms(step));
        between = ", ";
    }
    (void)putchar('}');
}

static void print(struct lb_bench_run *run)
{
    struct series *cases = &run->cases;
    double seconds = (double)(run->last_ns - run->first_ns) / (1000.0 * NS_PER_MS);
    if (cases->num > 0)
        qsort(cases->ns, cases->num, sizeof(cases->ns[0]), compare);
    (void)printf("{\"in_flight\": %zu, \"ended\": %zu, \"n\": %zu, \"failed\": %zu",
                 run->options->in_flight, run->num_ended, cases->num, run->num_failed);
    (void)printf(", \"seconds\": %.3f, \"per_second\": %.2f, \"mean_ms\": %.3f", seconds,
                 seconds > 0 ? (double)cases->num / seconds : 0, mean_ms(cases));
    (void)printf(", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"cpu_us\": %lld",
                 percentile_ms(cases, 50), percentile_ms(cases, 99), (long long)run->cpu_us);
    if (run->num_failed > 0)
        print_failure(run->failure);
    print_steps(run);
    (void)puts("}");
}

/* --- the run --- */

static void drive(struct lb_bench_run *run)
{
    const struct lb_bench_options *options = run->options;
    run->num_active = options->in_flight;
    for (size_t i = 0; i < options->in_flight; i++) {
        struct lb_bench_lane *lane = &run->lanes[i];
        lane->run = run;
        lane->work = run->work->lane(run->work->ctx, lane);
    }
    for (size_t i = 0; i < options->in_flight; i++)
        begin(&run->lanes[i]);
    while (run->num_active > 0) {
        grpc_event event =
            grpc_completion_queue_next(options->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        struct lb_bench_tag *tag = event.tag;
        tag->done(tag, event.success != 0);
    }
}

size_t lb_bench_run_all(const struct lb_bench_options *options, const struct lb_bench_work *work,
                        bool quiet)
{
    struct lb_bench_run run = {.options = options, .work = work};
    int64_t now_ns = lb_bench_now_ns();
    run.lanes = calloc(options->in_flight, sizeof(run.lanes[0]));
    if (run.lanes == NULL)
        lb_bench_die("out of memory");
    if (options->measured_ms > 0)
        run.from_ns = now_ns + options->warm_ms * NS_PER_MS;
    else
        run.first_ns = now_ns;
    int64_t before_us = cpu_us();
    drive(&run);
    run.cpu_us = cpu_us() - before_us;
    if (!quiet)
        print(&run);
    else if (run.num_failed > 0)
        (void)fprintf(stderr, "bench: %s\n", run.failure);
    for (size_t i = 0; i < LB_BENCH_MAX_STEPS; i++)
        free(run.steps[i].ns);
    free(run.cases.ns);
    free(run.lanes);
    return run.num_failed;
}
