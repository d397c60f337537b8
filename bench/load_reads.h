#ifndef BENCH_LOAD_READS_H
#define BENCH_LOAD_READS_H

#include "bench/read_work.h"

/* The commands of bench-load that seal reads themselves. */
struct lb_bench_reads_settings {
    const char *plan;   /* read_plan.c */
    const char *people;
    const char *status; /* file of the status list to bring over a link */
    const char *sizes;  /* "2048:300,32768:700": bytes of an answer, of how many in a thousand */
    size_t num;
    bool cached;
};

/* lb_bench_sizes_read reads such a text; anything else, and less or more than a thousand, ends the
 * program. */
size_t lb_bench_sizes_read(const char *text, struct lb_bench_size out[LB_BENCH_MAX_SIZES]);

/* lb_bench_run_link runs reads over a link to an adapter, lb_bench_run_through reads through a
 * broker; both return how many failed. */
size_t lb_bench_run_link(const struct lb_bench_options *run, grpc_channel *channel,
                         const struct lb_bench_reads_settings *settings);
size_t lb_bench_run_through(const struct lb_bench_options *run, grpc_channel *channel,
                            const struct lb_bench_reads_settings *settings);

#endif
