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

/* lb_workers_submit_all queues jobs that are linked by `next`, in their order and all at once, and
 * wakes one thread for them. BUSY and STOPPING are about the first that was not queued, which
 * *out_left is; NULL with LB_OK. */
LB_MUST lb_status lb_workers_submit_all(struct lb_workers *workers, struct lb_job *first,
                                        struct lb_job **out_left);
/* lb_workers_take_along gives the thread that runs a job those that wait at the head of the queue
 * and have the same `run`, at most max, linked by `next`; it must run each. Returns how many. */
size_t lb_workers_take_along(struct lb_workers *workers, void (*run)(struct lb_job *job),
                             size_t max, struct lb_job **out_first);
/* lb_workers_give_back queues such jobs again, before all others and whatever the bound, and wakes
 * threads for them. */
void lb_workers_give_back(struct lb_workers *workers, struct lb_job *first);

/* How full the queue is. */
struct lb_workers_load {
    size_t num_threads, num_queued, max_queued;
};
/* lb_workers_load tells it, to any thread. */
void lb_workers_load(struct lb_workers *workers, struct lb_workers_load *out_load);

/* lb_workers_free runs what is queued, joins the threads and frees. NULL is allowed. */
void lb_workers_free(struct lb_workers *workers);

#endif
