#include "adapters/serve/gate.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/clock.h"

struct lb_serve_gate {
    pthread_mutex_t lock;
    pthread_cond_t empty;
    size_t inside;
    bool shut;
};

lb_status lb_serve_gate_new(struct lb_serve_gate **out_gate)
{
    struct lb_serve_gate *gate = calloc(1, sizeof(*gate));
    LB_ENSURE(gate != NULL, LB_NO_MEMORY, "gate");
    (void)pthread_mutex_init(&gate->lock, NULL);
    lb_clock_cond_init(&gate->empty);
    *out_gate = gate;
    return LB_OK;
}

void lb_serve_gate_free(struct lb_serve_gate *gate)
{
    if (gate == NULL)
        return;
    (void)pthread_cond_destroy(&gate->empty);
    (void)pthread_mutex_destroy(&gate->lock);
    free(gate);
}

lb_status lb_serve_gate_enter(struct lb_serve_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    bool shut = gate->shut;
    gate->inside += shut ? 0 : 1;
    (void)pthread_mutex_unlock(&gate->lock);
    LB_ENSURE(!shut, LB_STOPPING, "the adapter is stopping");
    return LB_OK;
}

void lb_serve_gate_shut(struct lb_serve_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->shut = true;
    (void)pthread_mutex_unlock(&gate->lock);
}

void lb_serve_gate_leave(struct lb_serve_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    if (--gate->inside == 0)
        (void)pthread_cond_broadcast(&gate->empty);
    (void)pthread_mutex_unlock(&gate->lock);
}

void lb_serve_gate_wait(struct lb_serve_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->inside > 0)
        (void)pthread_cond_wait(&gate->empty, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
}

void lb_serve_gate_wait_ms(struct lb_serve_gate *gate, int64_t timeout_ms)
{
    const struct timespec until = lb_clock_after_ms(timeout_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&gate->lock);
    while (gate->inside > 0 && waited == 0)
        waited = pthread_cond_timedwait(&gate->empty, &gate->lock, &until);
    (void)pthread_mutex_unlock(&gate->lock);
}
