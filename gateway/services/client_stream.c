#include <pthread.h>

#include "gateway/services/client_calls.h"

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool ended;
    lb_status status;
    void (*on_event)(void *arg, struct lb_span event);
    void *arg;
};

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    const struct waiting *waiting = self;
    (void)stream;
    waiting->on_event(waiting->arg, bytes);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct waiting *waiting = self;
    (void)stream;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->ended = true;
    waiting->status = status;
    (void)pthread_cond_signal(&waiting->over);
    (void)pthread_mutex_unlock(&waiting->lock);
}

static const struct lb_rpc_stream_events events = {.message = on_message, .closed = on_closed};

static void await_end(struct waiting *waiting)
{
    (void)pthread_mutex_lock(&waiting->lock);
    while (!waiting->ended)
        (void)pthread_cond_wait(&waiting->over, &waiting->lock);
    (void)pthread_mutex_unlock(&waiting->lock);
}

static lb_status run(struct lb_rpc_channel *channel, const char *method, struct lb_span request,
                     int64_t timeout_ms, struct waiting *waiting)
{
    struct lb_rpc_stream *stream = NULL;
    LB_TRY(lb_rpc_open(channel, method, NULL, 0, timeout_ms, &events, waiting, &stream));
    lb_status sent = lb_rpc_stream_send(stream, request);
    if (sent == LB_OK)
        lb_rpc_stream_finish(stream, LB_OK);
    else
        lb_rpc_stream_cancel(stream, sent);
    await_end(waiting);
    lb_rpc_stream_unref(stream);
    return waiting->status;
}

lb_status lb_client_stream(struct lb_rpc_channel *channel, const char *method,
                           struct lb_span request, int64_t timeout_ms,
                           void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    struct waiting waiting = {.on_event = on_event, .arg = arg};
    (void)pthread_mutex_init(&waiting.lock, NULL);
    (void)pthread_cond_init(&waiting.over, NULL);
    lb_status status = run(channel, method, request, timeout_ms, &waiting);
    (void)pthread_cond_destroy(&waiting.over);
    (void)pthread_mutex_destroy(&waiting.lock);
    return status;
}
