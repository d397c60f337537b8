#include "bench/load_reads.h"

#include <stdio.h>

#define PARTS 1000

size_t lb_bench_sizes_read(const char *text, struct lb_bench_size out[LB_BENCH_MAX_SIZES])
{
    size_t num = 0, total = 0;
    int used = 0;
    for (const char *rest = text; *rest != 0; rest += used + (rest[used] == ',')) {
        struct lb_bench_size *size = &out[num];
        used = 0;
        if (num == LB_BENCH_MAX_SIZES ||
            sscanf(rest, "%u:%u%n", &size->bytes, &size->of_thousand, &used) != 2 ||
            (rest[used] != 0 && rest[used] != ','))
            lb_bench_die("--sizes is BYTES:OF_THOUSAND,...");
        total += size->of_thousand;
        num++;
    }
    if (total != PARTS)
        lb_bench_die("--sizes must come to %d of a thousand", PARTS);
    return num;
}

static struct lb_bench_pool *make_pool(const struct lb_bench_reads_settings *settings)
{
    static struct lb_bench_plan plan;
    struct lb_bench_pool_options options = {.num = settings->num, .cached = settings->cached};
    if (settings->plan == NULL || settings->people == NULL)
        lb_bench_die("--plan and --people are needed");
    if (settings->sizes != NULL)
        options.num_sizes = lb_bench_sizes_read(settings->sizes, options.sizes);
    lb_bench_plan_read(settings->plan, settings->people, &plan);
    return lb_bench_pool_make(&plan, &options);
}

size_t lb_bench_run_link(const struct lb_bench_options *run, grpc_channel *channel,
                         const struct lb_bench_reads_settings *settings)
{
    if (settings->status == NULL)
        lb_bench_die("--status is needed");
    struct lb_bench_pool *pool = make_pool(settings);
    struct lb_bench_link *link =
        lb_bench_link_open(run->queue, channel, pool, settings->status);
    const struct lb_bench_work work = lb_bench_link_work(link);
    size_t num_failed = lb_bench_run_all(run, &work, false);
    lb_bench_link_close(link);
    return num_failed;
}

size_t lb_bench_run_through(const struct lb_bench_options *run, grpc_channel *channel,
                            const struct lb_bench_reads_settings *settings)
{
    struct lb_bench_pool *pool = make_pool(settings);
    const struct lb_bench_work work = lb_bench_collect_work(run->queue, channel, pool);
    return lb_bench_run_all(run, &work, false);
}
