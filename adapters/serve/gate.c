#include "adapters/serve/gate.h"

#include <pthread.h>
#include <stdlib.h>

struct lb_serve_gate {
    pthread_mutex_t lock;
    pthread_cond_t empty;
    size_t inside;
};

lb_status lb_serve_gate_new(struct lb_serve_gate **out_gate)
{
    struct lb_serve_gate *gate = calloc(1, sizeof(*gate));
    LB_ENSURE(gate != NULL, LB_NO_MEMORY, "gate");
    (void)pthread_mutex_init(&gate->lock, NULL);
    (void)pthread_cond_init(&gate->empty, NULL);
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

void lb_serve_gate_enter(struct lb_serve_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->inside++;
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
