#include "gateway/exchange/gather.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/base/limits.h"

/* As many as one commit takes. */
#define MOST LB_LOG_BATCH

struct lb_gather {
    struct lb_log *log;
    pthread_mutex_t lock;
    pthread_cond_t changed;         /* something waits, or less long, or it is time to stop */
    struct lb_log_entry *held[MOST];
    size_t num;
    int64_t due_us;                 /* monotonic: when the first of them has waited enough */
    bool stopping;
    pthread_t thread;
};

static int64_t now_us(void)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

/* One that the log does not take says nothing about those behind it: a full disk takes less of some
 * kinds than of others. */
static void send_on(struct lb_log *log, struct lb_log_entry *const *entries, size_t num)
{
    while (num > 0) {
        lb_status status = LB_OK;
        size_t queued = lb_log_append_list(log, entries, num, &status);
        entries += queued;
        num -= queued;
        if (num == 0)
            return;
        entries[0]->done(entries[0], status);
        entries++;
        num--;
    }
}

/* Under lock. */
static size_t take(struct lb_gather *gather, struct lb_log_entry *out[MOST])
{
    size_t num = gather->num;
    memcpy(out, gather->held, num * sizeof(out[0]));
    gather->num = 0;
    return num;
}

/* Under lock, which is given up meanwhile. */
static void wait_until(struct lb_gather *gather, int64_t due_us)
{
    const struct timespec until = {.tv_sec = (time_t)(due_us / 1000000),
                                   .tv_nsec = (long)(due_us % 1000000) * 1000};
    (void)pthread_cond_timedwait(&gather->changed, &gather->lock, &until);
}

static void *watch(void *arg)
{
    struct lb_gather *gather = arg;
    struct lb_log_entry *entries[MOST];
    (void)pthread_mutex_lock(&gather->lock);
    while (!gather->stopping) {
        if (gather->num == 0) {
            (void)pthread_cond_wait(&gather->changed, &gather->lock);
        } else if (now_us() < gather->due_us) {
            wait_until(gather, gather->due_us);
        } else {
            size_t num = take(gather, entries);
            (void)pthread_mutex_unlock(&gather->lock);
            send_on(gather->log, entries, num);
            (void)pthread_mutex_lock(&gather->lock);
        }
    }
    (void)pthread_mutex_unlock(&gather->lock);
    return NULL;
}

lb_status lb_gather_new(struct lb_log *log, struct lb_gather **out_gather)
{
    struct lb_gather *gather = calloc(1, sizeof(*gather));
    LB_ENSURE(gather != NULL, LB_NO_MEMORY, "gather");
    gather->log = log;
    (void)pthread_mutex_init(&gather->lock, NULL);
    lb_clock_cond_init(&gather->changed);
    if (pthread_create(&gather->thread, NULL, watch, gather) != 0) {
        (void)pthread_cond_destroy(&gather->changed);
        (void)pthread_mutex_destroy(&gather->lock);
        free(gather);
        LB_FAIL(LB_NO_MEMORY, "the gathering thread cannot be started");
    }
    *out_gather = gather;
    return LB_OK;
}

void lb_gather_free(struct lb_gather *gather)
{
    if (gather == NULL)
        return;
    (void)pthread_mutex_lock(&gather->lock);
    gather->stopping = true;
    (void)pthread_cond_signal(&gather->changed);
    (void)pthread_mutex_unlock(&gather->lock);
    (void)pthread_join(gather->thread, NULL);
    (void)pthread_cond_destroy(&gather->changed);
    (void)pthread_mutex_destroy(&gather->lock);
    free(gather);
}

/* Adds as many as there is room for and returns how many; *out_num of *out are to be sent on. */
static size_t add_some(struct lb_gather *gather, struct lb_log_entry *const *entries, size_t num,
                       int64_t wait_us, struct lb_log_entry *out[MOST], size_t *out_num)
{
    (void)pthread_mutex_lock(&gather->lock);
    bool was_empty = gather->num == 0;
    size_t some = num < MOST - gather->num ? num : MOST - gather->num;
    memcpy(gather->held + gather->num, entries, some * sizeof(entries[0]));
    gather->num += some;
    int64_t due_us = wait_us == 0 ? 0 : now_us() + wait_us;
    bool now = wait_us == 0 || gather->num == MOST;
    if (now) {
        *out_num = take(gather, out);
    } else if (was_empty || due_us < gather->due_us) {
        gather->due_us = due_us;
        (void)pthread_cond_signal(&gather->changed);
    }
    (void)pthread_mutex_unlock(&gather->lock);
    return some;
}

void lb_gather_add(struct lb_gather *gather, struct lb_log_entry *const *entries, size_t num,
                   int64_t wait_us)
{
    struct lb_log_entry *due[MOST];
    while (num > 0) {
        size_t num_due = 0;
        size_t some = add_some(gather, entries, num,
                               wait_us < LB_GATHER_MOST_US ? wait_us : LB_GATHER_MOST_US, due,
                               &num_due);
        send_on(gather->log, due, num_due);
        entries += some;
        num -= some;
    }
}
