#include "gateway/base/workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct lb_workers {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct lb_job *first;
    struct lb_job **last;
    size_t num_queued;
    size_t max_queued;
    bool stopping;
    size_t num_threads;
    pthread_t threads[];
};

/* Under the lock; NULL when nothing waits. */
static struct lb_job *take_first(struct lb_workers *workers)
{
    struct lb_job *job = workers->first;
    if (job == NULL)
        return NULL;
    workers->first = job->next;
    if (workers->first == NULL)
        workers->last = &workers->first;
    workers->num_queued--;
    return job;
}

static struct lb_job *take(struct lb_workers *workers)
{
    (void)pthread_mutex_lock(&workers->lock);
    while (workers->first == NULL && !workers->stopping)
        (void)pthread_cond_wait(&workers->work, &workers->lock);
    struct lb_job *job = take_first(workers);
    (void)pthread_mutex_unlock(&workers->lock);
    return job;
}

/* Under the lock. */
static lb_status enqueue(struct lb_workers *workers, struct lb_job *job)
{
    LB_ENSURE(!workers->stopping, LB_STOPPING, "workers are stopping");
    LB_ENSURE(workers->num_queued < workers->max_queued, LB_BUSY,
              "the queue of blocking work is full");
    job->next = NULL;
    *workers->last = job;
    workers->last = &job->next;
    workers->num_queued++;
    return LB_OK;
}

static void *work(void *arg)
{
    struct lb_workers *workers = arg;
    for (struct lb_job *job = take(workers); job != NULL; job = take(workers))
        job->run(job);
    return NULL;
}

lb_status lb_workers_new(size_t num_threads, size_t max_queued, struct lb_workers **out_workers)
{
    struct lb_workers *workers =
        calloc(1, sizeof(*workers) + num_threads * sizeof(workers->threads[0]));
    LB_ENSURE(workers != NULL, LB_NO_MEMORY, "workers");
    (void)pthread_mutex_init(&workers->lock, NULL);
    (void)pthread_cond_init(&workers->work, NULL);
    workers->last = &workers->first;
    workers->max_queued = max_queued;
    while (workers->num_threads < num_threads) {
        if (pthread_create(&workers->threads[workers->num_threads], NULL, work, workers) != 0) {
            lb_workers_free(workers);
            LB_FAIL(LB_NO_MEMORY, "a worker thread cannot be started");
        }
        workers->num_threads++;
    }
    *out_workers = workers;
    return LB_OK;
}

lb_status lb_workers_submit(struct lb_workers *workers, struct lb_job *job)
{
    (void)pthread_mutex_lock(&workers->lock);
    lb_status status = enqueue(workers, job);
    if (status == LB_OK)
        (void)pthread_cond_signal(&workers->work);
    (void)pthread_mutex_unlock(&workers->lock);
    return status;
}

lb_status lb_workers_submit_all(struct lb_workers *workers, struct lb_job *first,
                                struct lb_job **out_left)
{
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&workers->lock);
    while (first != NULL && status == LB_OK) {
        struct lb_job *next = first->next;
        status = enqueue(workers, first);
        first = status == LB_OK ? next : first;
    }
    if (workers->first != NULL)
        (void)pthread_cond_signal(&workers->work);
    (void)pthread_mutex_unlock(&workers->lock);
    *out_left = first;
    return status;
}

size_t lb_workers_take_along(struct lb_workers *workers, void (*run)(struct lb_job *job),
                             size_t max, struct lb_job **out_first)
{
    size_t num = 0;
    struct lb_job **end = out_first;
    (void)pthread_mutex_lock(&workers->lock);
    while (num < max && workers->first != NULL && workers->first->run == run) {
        *end = take_first(workers);
        end = &(*end)->next;
        num++;
    }
    *end = NULL;
    /* What is still there was announced to one thread only, which may be this one. */
    if (workers->first != NULL)
        (void)pthread_cond_signal(&workers->work);
    (void)pthread_mutex_unlock(&workers->lock);
    return num;
}

void lb_workers_give_back(struct lb_workers *workers, struct lb_job *first)
{
    if (first == NULL)
        return;
    struct lb_job *last = first;
    size_t num = 1;
    for (; last->next != NULL; last = last->next)
        num++;
    (void)pthread_mutex_lock(&workers->lock);
    if (workers->first == NULL)
        workers->last = &last->next;
    last->next = workers->first;
    workers->first = first;
    workers->num_queued += num;
    (void)pthread_cond_broadcast(&workers->work);
    (void)pthread_mutex_unlock(&workers->lock);
}

void lb_workers_load(struct lb_workers *workers, struct lb_workers_load *out_load)
{
    (void)pthread_mutex_lock(&workers->lock);
    *out_load = (struct lb_workers_load){workers->num_threads, workers->num_queued,
                                         workers->max_queued};
    (void)pthread_mutex_unlock(&workers->lock);
}

void lb_workers_free(struct lb_workers *workers)
{
    if (workers == NULL)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    (void)pthread_cond_broadcast(&workers->work);
    (void)pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->num_threads; i++)
        (void)pthread_join(workers->threads[i], NULL);
    (void)pthread_cond_destroy(&workers->work);
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers);
}
