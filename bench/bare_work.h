#ifndef BENCH_BARE_WORK_H
#define BENCH_BARE_WORK_H

#include "bench/reads.h"
#include "bench/run.h"

/* lb_bench_bare_work is one call of the bare method over and over, with a request of num_bytes.
 * With sizes the request begins with how many bytes its answer must have at least, spread as
 * lb_bench_size_of does. It lives until the process ends. */
struct lb_bench_work lb_bench_bare_work(grpc_completion_queue *queue, grpc_channel *channel,
                                        size_t num_bytes, const struct lb_bench_size *sizes,
                                        size_t num_sizes);

#endif
