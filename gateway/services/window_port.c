#include <pthread.h>

#include "gateway/services/window_service.h"
#include "gateway/wire/pb.h"

/* The agent's way to the broker and the consent office: blocking calls over channels. */

#define CALL_TIMEOUT_MS 10000

static lb_status call(struct lb_rpc_channel *channel, const char *method, const void *request,
                      const ProtobufCMessageDescriptor *reply_type, struct lb_arena *arena,
                      void *out)
{
    struct lb_span bytes = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(request, arena, &bytes));
    LB_TRY(lb_rpc_call(channel, method, NULL, 0, bytes, CALL_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(reply_type, reply, arena, out);
}

static lb_status notice(void *ctx, const Lianban__V1__NoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__NoticeResponse **out)
{
    const struct lb_window_peers *peers = ctx;
    return call(peers->consent, "/lianban.v1.ConsentOffice/Notice", request,
                &lianban__v1__notice_response__descriptor, arena, out);
}

static lb_status request_grant(void *ctx, const Lianban__V1__GrantRequest *request,
                               struct lb_arena *arena, Lianban__V1__GrantTicket **out)
{
    const struct lb_window_peers *peers = ctx;
    return call(peers->consent, "/lianban.v1.ConsentOffice/RequestGrant", request,
                &lianban__v1__grant_ticket__descriptor, arena, out);
}

static lb_status get_grant(void *ctx, const char *request_id, struct lb_arena *arena,
                           Lianban__V1__GetGrantResponse **out)
{
    const struct lb_window_peers *peers = ctx;
    Lianban__V1__GetGrantRequest request = LIANBAN__V1__GET_GRANT_REQUEST__INIT;
    request.request_id = (char *)(uintptr_t)request_id;
    return call(peers->consent, "/lianban.v1.ConsentOffice/GetGrant", &request,
                &lianban__v1__get_grant_response__descriptor, arena, out);
}

struct collect_wait {
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool ended;
    lb_status status;
    void (*on_event)(void *arg, struct lb_span event);
    void *arg;
};

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    const struct collect_wait *wait = self;
    (void)stream;
    wait->on_event(wait->arg, bytes);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct collect_wait *wait = self;
    (void)stream;
    (void)pthread_mutex_lock(&wait->lock);
    wait->ended = true;
    wait->status = status;
    (void)pthread_cond_signal(&wait->over);
    (void)pthread_mutex_unlock(&wait->lock);
}

static const struct lb_rpc_stream_events events = {.message = on_message, .closed = on_closed};

static void await_end(struct collect_wait *wait)
{
    (void)pthread_mutex_lock(&wait->lock);
    while (!wait->ended)
        (void)pthread_cond_wait(&wait->over, &wait->lock);
    (void)pthread_mutex_unlock(&wait->lock);
}

static lb_status run_collect(struct lb_rpc_channel *broker, struct lb_span operator_token,
                             struct lb_span request, int64_t timeout_ms, struct collect_wait *wait)
{
    const struct lb_rpc_metadata metadata = {"lianban-operator", operator_token};
    struct lb_rpc_stream *stream = NULL;
    LB_TRY(lb_rpc_open(broker, "/lianban.v1.Broker/Collect", &metadata, 1, timeout_ms, &events,
                       wait, &stream));
    lb_status status = lb_rpc_stream_send(stream, request);
    if (status == LB_OK)
        lb_rpc_stream_finish(stream, LB_OK);
    else
        lb_rpc_stream_cancel(stream, status);
    await_end(wait);
    lb_rpc_stream_unref(stream);
    return wait->status;
}

static lb_status collect(void *ctx, struct lb_span operator_token, struct lb_span request,
                         int64_t timeout_ms, void (*on_event)(void *arg, struct lb_span event),
                         void *arg)
{
    const struct lb_window_peers *peers = ctx;
    struct collect_wait wait = {.on_event = on_event, .arg = arg};
    (void)pthread_mutex_init(&wait.lock, NULL);
    (void)pthread_cond_init(&wait.over, NULL);
    lb_status status = run_collect(peers->broker, operator_token, request, timeout_ms, &wait);
    (void)pthread_cond_destroy(&wait.over);
    (void)pthread_mutex_destroy(&wait.lock);
    return status;
}

struct lb_window_port lb_window_service_port(struct lb_window_peers *peers)
{
    return (struct lb_window_port){peers, notice, request_grant, get_grant, collect};
}
