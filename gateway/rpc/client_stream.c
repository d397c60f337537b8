#include <pthread.h>

#include "gateway/base/clock.h"
#include "gateway/rpc/client.h"
#include "gateway/rpc/core.h"

/* A call that is answered by a stream, for callers that can wait. */

struct waiting {
    const struct lb_rpc_stream_call *call;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool ended;
    int64_t heard_ms;  /* when something came, or was last missed; monotonic */
    lb_status status;
};

static int64_t now_ms(void)
{
    return lb_clock_monotonic_ms(lb_clock_system());
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct waiting *waiting = self;
    (void)stream;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->heard_ms = now_ms();
    (void)pthread_mutex_unlock(&waiting->lock);
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

/* Waits for the end, or until nothing has come for long enough; true for the end. */
static bool await_word(struct waiting *waiting)
{
    int64_t quiet_ms = waiting->call->quiet_ms, silent_ms;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->heard_ms = now_ms();
    while (!waiting->ended && (silent_ms = now_ms() - waiting->heard_ms) < quiet_ms) {
        const struct timespec until = lb_rpc_after_ms(quiet_ms - silent_ms);
        (void)pthread_cond_timedwait(&waiting->over, &waiting->lock, &until);
    }
    bool ended = waiting->ended;
    (void)pthread_mutex_unlock(&waiting->lock);
    return ended;
}

/* A server that is gone without a word, or stands still, would be waited for until the deadline. */
static void watch(struct waiting *waiting, struct lb_rpc_stream *stream)
{
    const struct lb_rpc_stream_call *call = waiting->call;
    while (!await_word(waiting)) {
        if (call->still_there(call->arg))
            continue;
        lb_rpc_stream_cancel(stream, LB_FAULT(LB_UNAVAILABLE, "the server has fallen silent"));
        return;
    }
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
    if (call->quiet_ms > 0)
        watch(waiting, stream);
    await_end(waiting);
    lb_rpc_stream_unref(stream);
    return waiting->status;
}

lb_status lb_rpc_call_stream(struct lb_rpc_channel *channel, const struct lb_rpc_stream_call *call)
{
    struct waiting waiting = {.call = call};
    (void)pthread_mutex_init(&waiting.lock, NULL);
    lb_rpc_cond_init(&waiting.over);
    lb_status status = run(channel, &waiting);
    (void)pthread_cond_destroy(&waiting.over);
    (void)pthread_mutex_destroy(&waiting.lock);
    return status;
}
