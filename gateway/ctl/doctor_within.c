#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/ctl/doctor.h"

/* A resolver or a database may hang for good. Its thread is left behind then; the command ends soon
 * after anyway. */

struct box {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*work)(void *job);
    void (*release)(void *job);
    void *job;
    bool done;
    bool left;  /* nobody waits any more */
};

static void box_free(struct box *box)
{
    (void)pthread_cond_destroy(&box->changed);
    (void)pthread_mutex_destroy(&box->lock);
    free(box);
}

static void *run(void *arg)
{
    struct box *box = arg;
    box->work(box->job);
    (void)pthread_mutex_lock(&box->lock);
    box->done = true;
    bool left = box->left;
    (void)pthread_cond_signal(&box->changed);
    (void)pthread_mutex_unlock(&box->lock);
    if (left) {
        box->release(box->job);
        box_free(box);
    }
    return NULL;
}

static struct timespec after(int64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanos = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += (time_t)(ms / 1000 + nanos / 1000000000);
    until.tv_nsec = (long)(nanos % 1000000000);
    return until;
}

static struct box *box_new(void (*work)(void *job), void *job, void (*release)(void *job))
{
    struct box *box = calloc(1, sizeof(*box));
    pthread_condattr_t attributes;
    if (box == NULL)
        return NULL;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&box->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&box->lock, NULL);
    box->work = work;
    box->release = release;
    box->job = job;
    return box;
}

bool lb_doctor_within(int64_t wait_ms, void (*work)(void *job), void *job,
                      void (*release)(void *job))
{
    struct box *box = box_new(work, job, release);
    const struct timespec until = after(wait_ms);
    pthread_t thread;
    if (box == NULL || pthread_create(&thread, NULL, run, box) != 0) {
        if (box != NULL)
            box_free(box);
        work(job); /* without a thread it can only be waited for */
        return true;
    }
    int waited = 0;
    (void)pthread_mutex_lock(&box->lock);
    while (!box->done && waited == 0)
        waited = pthread_cond_timedwait(&box->changed, &box->lock, &until);
    bool done = box->done;
    box->left = !done;
    (void)pthread_mutex_unlock(&box->lock);
    if (!done) {
        (void)pthread_detach(thread);
        return false;
    }
    (void)pthread_join(thread, NULL);
    box_free(box);
    return true;
}
