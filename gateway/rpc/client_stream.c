#include <pthread.h>

#include "gateway/rpc/client.h"

/* A call that is answered by a stream, for callers that can wait. */

struct waiting {
    const struct lb_rpc_stream_call *call;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool ended;
    lb_status status;
};

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    const struct waiting *waiting = self;
    (void)stream;
    waiting->call->on_event(waiting->call->arg, bytes);
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

static lb_status run(struct lb_rpc_channel *channel, struct waiting *waiting)
{
    const struct lb_rpc_stream_call *call = waiting->call;
    struct lb_rpc_stream *stream = NULL;
    LB_TRY(lb_rpc_open(channel, call->method, call->metadata, call->num_metadata, call->timeout_ms,
                       &events, waiting, &stream));
    lb_status sent = lb_rpc_stream_send(stream, call->request);
    if (sent == LB_OK)
        lb_rpc_stream_finish(stream, LB_OK);
    else
        lb_rpc_stream_cancel(stream, sent);
    await_end(waiting);
    lb_rpc_stream_unref(stream);
    return waiting->status;
}

lb_status lb_rpc_call_stream(struct lb_rpc_channel *channel, const struct lb_rpc_stream_call *call)
{
    struct waiting waiting = {.call = call};
    (void)pthread_mutex_init(&waiting.lock, NULL);
    (void)pthread_cond_init(&waiting.over, NULL);
    lb_status status = run(channel, &waiting);
    (void)pthread_cond_destroy(&waiting.over);
    (void)pthread_mutex_destroy(&waiting.lock);
    return status;
}
