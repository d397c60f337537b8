#ifndef BENCH_BARE_WORK_H
#define BENCH_BARE_WORK_H

#include "bench/run.h"

/* lb_bench_bare_work is one call of the bare method over and over, with a request of num_bytes. It
 * lives until the process ends. */
struct lb_bench_work lb_bench_bare_work(grpc_completion_queue *queue, grpc_channel *channel,
                                        size_t num_bytes);

#endif
