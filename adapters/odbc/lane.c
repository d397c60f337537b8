#include "adapters/odbc/lane.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_UP_MS 100   /* how long the adapter's stopping may stay unnoticed */
#define FAREWELL_MS 500  /* a connection that is idle is closed before its owner goes on */

/* Lanes whose driver has not come back when their owner went. They outlive whoever began them, and
 * so the process itself counts them. */
#define MAX_LEFT 16
static atomic_int num_left;

struct lb_odbc_lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void *own;
    void (*free_own)(void *own);
    const atomic_bool *stopping;
    unsigned num_users;     /* the owner, the thread, and what runs aside */
    lb_odbc_work *work;     /* NULL: idle */
    lb_status status;       /* of the last work */
    bool cancelled;
    bool released;
    bool ended;             /* the thread */
    bool left;              /* counted above */
};

struct aside {
    struct lb_odbc_lane *lane;
    void (*work)(void *own);
};

int64_t lb_odbc_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* With the lock held, which it gives up. */
static void leave(struct lb_odbc_lane *lane)
{
    bool last = --lane->num_users == 0;
    if (last && lane->left)
        (void)atomic_fetch_sub(&num_left, 1);
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
    if (!last)
        return;
    lane->free_own(lane->own);
    (void)pthread_cond_destroy(&lane->changed);
    (void)pthread_mutex_destroy(&lane->lock);
    free(lane);
}

/* Drivers convert text by the thread's locale, and in the plain one they know ASCII alone. */
static locale_t speak_utf8(void)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8 != (locale_t)0)
        (void)uselocale(utf8);
    return utf8;
}

static void *serve(void *arg)
{
    struct lb_odbc_lane *lane = arg;
    locale_t utf8 = speak_utf8();
    (void)pthread_mutex_lock(&lane->lock);
    for (;;) {
        while (lane->work == NULL && !lane->released)
            (void)pthread_cond_wait(&lane->changed, &lane->lock);
        if (lane->work == NULL)
            break;
        lb_odbc_work *work = lane->work;
        (void)pthread_mutex_unlock(&lane->lock);
        lb_status status = work(lane->own);
        (void)pthread_mutex_lock(&lane->lock);
        lane->status = status;
        lane->work = NULL;
        (void)pthread_cond_broadcast(&lane->changed);
    }
    lane->ended = true;
    leave(lane);
    (void)uselocale(LC_GLOBAL_LOCALE);
    if (utf8 != (locale_t)0)
        freelocale(utf8);
    return NULL;
}

static bool start_detached(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, arg) != 0)
        return false;
    (void)pthread_detach(thread);
    return true;
}

static bool init(struct lb_odbc_lane *lane)
{
    pthread_condattr_t monotonic;
    if (pthread_mutex_init(&lane->lock, NULL) != 0 || pthread_condattr_init(&monotonic) != 0)
        return false;
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    bool done = pthread_cond_init(&lane->changed, &monotonic) == 0;
    (void)pthread_condattr_destroy(&monotonic);
    return done;
}

lb_status lb_odbc_lane_new(void *own, void (*free_own)(void *own), const atomic_bool *stopping,
                           struct lb_odbc_lane **out_lane)
{
    LB_ENSURE(atomic_load(&num_left) < MAX_LEFT, LB_SOURCE_UNAVAILABLE,
              "too many calls of the driver hang already");
    struct lb_odbc_lane *lane = calloc(1, sizeof(*lane));
    LB_ENSURE(lane != NULL, LB_NO_MEMORY, "memory is exhausted");
    *lane = (struct lb_odbc_lane){
        .own = own, .free_own = free_own, .stopping = stopping, .num_users = 2};
    if (!init(lane) || !start_detached(serve, lane)) {
        free(lane);
        LB_FAIL(LB_NO_MEMORY, "no thread can be started");
    }
    *out_lane = lane;
    return LB_OK;
}

static void wait_a_little(struct lb_odbc_lane *lane, int64_t until_ms)
{
    int64_t soon_ms = lb_odbc_now_ms() + LOOK_UP_MS;
    int64_t end_ms = soon_ms < until_ms ? soon_ms : until_ms;
    const struct timespec end = {.tv_sec = (time_t)(end_ms / 1000),
                                 .tv_nsec = (long)(end_ms % 1000) * 1000000L};
    (void)pthread_cond_timedwait(&lane->changed, &lane->lock, &end);
}

/* With the lock held: until the work is done. */
static lb_status wait_idle(struct lb_odbc_lane *lane, int64_t until_ms)
{
    while (lane->work != NULL) {
        LB_ENSURE(!lane->cancelled, LB_SOURCE_TIMEOUT, "read cancelled");
        LB_ENSURE(lane->stopping == NULL || !atomic_load(lane->stopping), LB_SOURCE_UNAVAILABLE,
                  "the adapter is stopping");
        LB_ENSURE(lb_odbc_now_ms() < until_ms, LB_SOURCE_TIMEOUT,
                  "the database did not answer in time");
        wait_a_little(lane, until_ms);
    }
    return LB_OK;
}

lb_status lb_odbc_lane_begin(struct lb_odbc_lane *lane, int64_t until_ms)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->cancelled = false;
    lb_status status = wait_idle(lane, until_ms);
    (void)pthread_mutex_unlock(&lane->lock);
    return status;
}

lb_status lb_odbc_lane_run(struct lb_odbc_lane *lane, lb_odbc_work *work, int64_t until_ms)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->work = work;
    (void)pthread_cond_broadcast(&lane->changed);
    lb_status status = wait_idle(lane, until_ms);
    if (status == LB_OK)
        status = lane->status;
    (void)pthread_mutex_unlock(&lane->lock);
    return status;
}

bool lb_odbc_lane_idle(struct lb_odbc_lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    bool idle = lane->work == NULL;
    (void)pthread_mutex_unlock(&lane->lock);
    return idle;
}

void lb_odbc_lane_cancel(struct lb_odbc_lane *lane)
{
    (void)pthread_mutex_lock(&lane->lock);
    lane->cancelled = lane->work != NULL;
    (void)pthread_cond_broadcast(&lane->changed);
    (void)pthread_mutex_unlock(&lane->lock);
}

static void *run_aside(void *arg)
{
    struct aside *aside = arg;
    struct lb_odbc_lane *lane = aside->lane;
    aside->work(lane->own);
    free(aside);
    (void)pthread_mutex_lock(&lane->lock);
    leave(lane);
    return NULL;
}

void lb_odbc_lane_aside(struct lb_odbc_lane *lane, void (*work)(void *own))
{
    struct aside *aside = calloc(1, sizeof(*aside));
    if (aside == NULL)
        return;
    *aside = (struct aside){lane, work};
    (void)pthread_mutex_lock(&lane->lock);
    lane->num_users++;
    (void)pthread_mutex_unlock(&lane->lock);
    if (start_detached(run_aside, aside))
        return;
    free(aside);
    (void)pthread_mutex_lock(&lane->lock);
    lane->num_users--;
    (void)pthread_mutex_unlock(&lane->lock);
}

void lb_odbc_lane_release(struct lb_odbc_lane *lane)
{
    int64_t until_ms = lb_odbc_now_ms() + FAREWELL_MS;
    (void)pthread_mutex_lock(&lane->lock);
    lane->released = true;
    (void)pthread_cond_broadcast(&lane->changed);
    while (!lane->ended && lb_odbc_now_ms() < until_ms)
        wait_a_little(lane, until_ms);
    lane->left = lane->num_users > 1;
    if (lane->left)
        (void)atomic_fetch_add(&num_left, 1);
    leave(lane);
}
