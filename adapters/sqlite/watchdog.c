#include "adapters/sqlite/watchdog.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/limits.h"

#define REPEAT_MS 10

struct lb_watchdog {
    struct lb_store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool reading;
    bool due;   /* time is up, or somebody cancelled */
    struct timespec deadline;
    bool idle;             /* the thread sleeps until it is signalled, */
    struct timespec wake;  /* or else at the latest until then */
};

static struct timespec after_ms(int64_t ms)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += (time_t)(ms / 1000);
    time.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (time.tv_nsec >= 1000000000L) {
        time.tv_sec += 1;
        time.tv_nsec -= 1000000000L;
    }
    return time;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static bool is_past(const struct timespec *time)
{
    struct timespec now = after_ms(0);
    return !is_before(&now, time);
}

/* These two are called with the lock held, which they give up while they wait. */
static void sleep_idle(struct lb_watchdog *watchdog)
{
    watchdog->idle = true;
    (void)pthread_cond_wait(&watchdog->changed, &watchdog->lock);
    watchdog->idle = false;
}

static void watch_read(struct lb_watchdog *watchdog)
{
    watchdog->wake = watchdog->deadline;
    watchdog->due = watchdog->due || is_past(&watchdog->deadline);
    if (watchdog->due) {
        lb_store_interrupt(watchdog->store);
        watchdog->wake = after_ms(REPEAT_MS);
    }
    (void)pthread_cond_timedwait(&watchdog->changed, &watchdog->lock, &watchdog->wake);
}

static void *watch(void *arg)
{
    struct lb_watchdog *watchdog = arg;
    (void)pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stopping) {
        if (watchdog->reading)
            watch_read(watchdog);
        else
            sleep_idle(watchdog);
    }
    (void)pthread_mutex_unlock(&watchdog->lock);
    return NULL;
}

/* Waits count on the monotonic clock, so that setting the time of day ends no read. */
static bool init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool done = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return done;
}

static bool start(struct lb_watchdog *watchdog)
{
    if (pthread_mutex_init(&watchdog->lock, NULL) != 0)
        return false;
    if (init_condition(&watchdog->changed)) {
        if (pthread_create(&watchdog->thread, NULL, watch, watchdog) == 0)
            return true;
        (void)pthread_cond_destroy(&watchdog->changed);
    }
    (void)pthread_mutex_destroy(&watchdog->lock);
    return false;
}

lb_status lb_watchdog_new(struct lb_store *store, struct lb_watchdog **out_watchdog)
{
    struct lb_watchdog *watchdog = calloc(1, sizeof(*watchdog));
    LB_ENSURE(watchdog != NULL, LB_NO_MEMORY, "memory is exhausted");
    watchdog->store = store;
    if (!start(watchdog)) {
        free(watchdog);
        LB_FAIL(LB_NO_MEMORY, "no thread can be started");
    }
    *out_watchdog = watchdog;
    return LB_OK;
}

void lb_watchdog_free(struct lb_watchdog *watchdog)
{
    if (watchdog == NULL)
        return;
    (void)pthread_mutex_lock(&watchdog->lock);
    watchdog->stopping = true;
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
    (void)pthread_join(watchdog->thread, NULL);
    (void)pthread_cond_destroy(&watchdog->changed);
    (void)pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}

void lb_watchdog_begin(struct lb_watchdog *watchdog, int64_t timeout_ms)
{
    int64_t bounded_ms = timeout_ms < LB_MAX_DEADLINE_MS ? timeout_ms : LB_MAX_DEADLINE_MS;
    (void)pthread_mutex_lock(&watchdog->lock);
    watchdog->reading = true;
    watchdog->due = bounded_ms <= 0;
    watchdog->deadline = after_ms(bounded_ms > 0 ? bounded_ms : 0);
    /* A thread that still sleeps towards an earlier read's deadline will look in time by itself:
     * under load it is woken once per timeout, not once per read. */
    if (watchdog->idle || is_before(&watchdog->deadline, &watchdog->wake))
        (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
}

bool lb_watchdog_end(struct lb_watchdog *watchdog)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    bool due = watchdog->due || is_past(&watchdog->deadline);
    watchdog->reading = false;
    watchdog->due = false;
    (void)pthread_mutex_unlock(&watchdog->lock);
    return due;
}

void lb_watchdog_cancel(struct lb_watchdog *watchdog)
{
    (void)pthread_mutex_lock(&watchdog->lock);
    watchdog->due = watchdog->reading;
    (void)pthread_cond_signal(&watchdog->changed);
    (void)pthread_mutex_unlock(&watchdog->lock);
}
