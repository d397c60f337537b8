#ifndef GATEWAY_BASE_WORKERS_H
#define GATEWAY_BASE_WORKERS_H

#include <stddef.h>

#include "gateway/base/status.h"

/*
 * A bounded pool of threads for work that may block (a department's database, a disk), with a
 * bounded queue in front: when it is full, submit says BUSY and the caller refuses its request.
 */
struct lb_workers;

/* A job is embedded in the caller's own struct and must live until run is called. */
struct lb_job {
    void (*run)(struct lb_job *job);
    struct lb_job *next;
};

/* lb_workers_new starts num_threads threads (at least 1) behind a queue of at most max_queued. */
LB_MUST lb_status lb_workers_new(size_t num_threads, size_t max_queued,
                                 struct lb_workers **out_workers);

/* lb_workers_submit queues a job; BUSY when the queue is full, STOPPING once freeing has begun. */
LB_MUST lb_status lb_workers_submit(struct lb_workers *workers, struct lb_job *job);

/* How full the queue is. */
struct lb_workers_load {
    size_t num_threads, num_queued, max_queued;
};
/* lb_workers_load tells it, to any thread. */
void lb_workers_load(struct lb_workers *workers, struct lb_workers_load *out_load);

/* lb_workers_free runs what is queued, joins the threads and frees. NULL is allowed. */
void lb_workers_free(struct lb_workers *workers);

#endif
