#include "gateway/evidence/helper.h"

#include <pthread.h>
#include <stdlib.h>

struct lb_helper {
    pthread_mutex_t lock;
    pthread_cond_t offered;
    pthread_cond_t finished;
    void (*run)(void *ctx);  /* NULL: nothing is on offer */
    void *ctx;
    bool busy;
    bool stopping;
    bool running;
    pthread_t thread;
};

static void *help(void *arg)
{
    struct lb_helper *helper = arg;
    (void)pthread_mutex_lock(&helper->lock);
    while (true) {
        while (helper->run == NULL && !helper->stopping)
            (void)pthread_cond_wait(&helper->offered, &helper->lock);
        if (helper->stopping)
            break;
        void (*run)(void *ctx) = helper->run;
        helper->run = NULL;
        helper->busy = true;
        (void)pthread_mutex_unlock(&helper->lock);
        run(helper->ctx);
        (void)pthread_mutex_lock(&helper->lock);
        helper->busy = false;
        (void)pthread_cond_signal(&helper->finished);
    }
    (void)pthread_mutex_unlock(&helper->lock);
    return NULL;
}

lb_status lb_helper_new(struct lb_helper **out_helper)
{
    struct lb_helper *helper = calloc(1, sizeof(*helper));
    LB_ENSURE(helper != NULL, LB_NO_MEMORY, "helper");
    (void)pthread_mutex_init(&helper->lock, NULL);
    (void)pthread_cond_init(&helper->offered, NULL);
    (void)pthread_cond_init(&helper->finished, NULL);
    helper->running = pthread_create(&helper->thread, NULL, help, helper) == 0;
    if (!helper->running) {
        lb_helper_free(helper);
        LB_FAIL(LB_NO_MEMORY, "a helping thread cannot be started");
    }
    *out_helper = helper;
    return LB_OK;
}

void lb_helper_free(struct lb_helper *helper)
{
    if (helper == NULL)
        return;
    (void)pthread_mutex_lock(&helper->lock);
    helper->stopping = true;
    (void)pthread_cond_signal(&helper->offered);
    (void)pthread_mutex_unlock(&helper->lock);
    if (helper->running)
        (void)pthread_join(helper->thread, NULL);
    (void)pthread_cond_destroy(&helper->finished);
    (void)pthread_cond_destroy(&helper->offered);
    (void)pthread_mutex_destroy(&helper->lock);
    free(helper);
}

void lb_helper_offer(struct lb_helper *helper, void (*run)(void *ctx), void *ctx)
{
    (void)pthread_mutex_lock(&helper->lock);
    helper->run = run;
    helper->ctx = ctx;
    (void)pthread_cond_signal(&helper->offered);
    (void)pthread_mutex_unlock(&helper->lock);
}

bool lb_helper_settle(struct lb_helper *helper)
{
    (void)pthread_mutex_lock(&helper->lock);
    bool taken = helper->run == NULL;
    helper->run = NULL;
    while (helper->busy)
        (void)pthread_cond_wait(&helper->finished, &helper->lock);
    (void)pthread_mutex_unlock(&helper->lock);
    return taken;
}

bool lb_helper_done(struct lb_helper *helper)
{
    (void)pthread_mutex_lock(&helper->lock);
    bool done = helper->run == NULL && !helper->busy;
    (void)pthread_mutex_unlock(&helper->lock);
    return done;
}
