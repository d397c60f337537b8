#ifndef BENCH_READ_WORK_H
#define BENCH_READ_WORK_H

#include "bench/reads.h"
#include "bench/run.h"

/*
 * Two ways to have reads answered. Over a link, as the broker to one adapter: the ROUTE entries are
 * in the broker's own log before the clock starts, what queues while a frame is being written goes
 * together into the next, and every answer's entry is held against the adapter's signed log. Or
 * through the running broker, as the window agent: one Collect for each read, with the receipts of
 * both sides.
 */

/* lb_bench_link_open opens the broker's log and a link, brings the status list (from a file), and
 * makes the entries of all reads of the pool. What fails ends the program. */
struct lb_bench_link *lb_bench_link_open(grpc_completion_queue *queue, grpc_channel *channel,
                                         struct lb_bench_pool *pool, const char *status_file);
/* lb_bench_link_work is reads over it, each once; it ends with the pool. */
struct lb_bench_work lb_bench_link_work(struct lb_bench_link *link);
/* lb_bench_link_close leaves the broker's state as a broker that stopped does. */
void lb_bench_link_close(struct lb_bench_link *link);

/* lb_bench_collect_work is reads through a broker, each once; it lives until the process ends. */
struct lb_bench_work lb_bench_collect_work(grpc_completion_queue *queue, grpc_channel *channel,
                                           struct lb_bench_pool *pool);

#endif
