#include <stdlib.h>

#include "gateway/services/access.h"
#include "gateway/services/broker_service.h"
#include "gateway/wire/pb.h"

/* Submit, Follow and Take of lianban.v1.Broker: what agents do with parcels. */

static lb_status need_window(const struct lb_broker_service *service,
                             const struct lb_rpc_peer *peer)
{
    lb_status status = lb_access_need(service->trust, peer, 1U << LB_NODE_WINDOW);
    if (status != LB_OK)
        lb_log_count_denial(service->log, peer->spiffe, status->code);
    return status;
}

/* What was refused is counted, but not what the broker itself was not able to do. */
static void count(const struct lb_broker_service *service, const struct lb_rpc_peer *peer,
                  lb_status status)
{
    enum lb_code code = lb_code_outer(status->code);
    if (code != LB_BUSY && code != LB_LOG_FULL && code != LB_LOG_UNAVAILABLE &&
        code != LB_LOG_UNWITNESSED && code != LB_INTERNAL)
        lb_log_count_denial(service->log, peer->spiffe, code);
}

static lb_status submit(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                        struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_broker_service *service = ctx;
    Lianban__V1__SubmitRequest *ask = NULL;
    Lianban__V1__SubmitResponse response = LIANBAN__V1__SUBMIT_RESPONSE__INIT;
    LB_TRY(need_window(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__submit_request__descriptor, request, arena, &ask));
    lb_status status =
        lb_outbox_submit(service->outbox, info->peer->spiffe, ask, arena, &response);
    if (status != LB_OK)
        count(service, info->peer, status);
    LB_TRY(status);
    return lb_pb_pack(&response, arena, reply);
}

static lb_status take(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                      struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_broker_service *service = ctx;
    Lianban__V1__TakeRequest *ask = NULL;
    const Lianban__V1__TakeResponse response = LIANBAN__V1__TAKE_RESPONSE__INIT;
    LB_TRY(need_window(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__take_request__descriptor, request, arena, &ask));
    lb_status status = lb_outbox_take(service->outbox, info->peer->spiffe, ask);
    if (status != LB_OK)
        count(service, info->peer, status);
    LB_TRY(status);
    return lb_pb_pack(&response, arena, reply);
}

/* --- Follow --- */

struct follow_call {
    struct lb_broker_service *service;
    struct lb_outlet *outlet;  /* once the request has come */
};

static void kick(void *ctx)
{
    lb_rpc_stream_kick(ctx);
}

static void end(void *ctx, lb_status status)
{
    lb_rpc_stream_cancel(ctx, status);
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct follow_call *call = self;
    const struct lb_outlet_port port = {stream, kick, end};
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * LB_MAX_MESSAGE_BYTES);
    Lianban__V1__FollowRequest *ask = NULL;
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "follow")
                                     : lb_pb_unpack(&lianban__v1__follow_request__descriptor,
                                                    bytes, arena, &ask);
    if (status == LB_OK && call->outlet != NULL)
        status = LB_FAULT(LB_MALFORMED, "a second request");
    if (status == LB_OK)
        status = lb_outbox_follow(call->service->outbox, lb_rpc_stream_peer(stream)->spiffe, &port,
                                  &call->outlet);
    if (status == LB_OK)
        lb_rpc_stream_kick(stream);
    else
        lb_rpc_stream_cancel(stream, status);
}

static void on_half_closed(void *self, struct lb_rpc_stream *stream)
{
    const struct follow_call *call = self;
    if (call->outlet == NULL)
        lb_rpc_stream_finish(stream, LB_FAULT(LB_MALFORMED, "no request came"));
}

static bool on_fill(void *self, struct lb_rpc_stream *stream, struct lb_buf *out)
{
    const struct follow_call *call = self;
    (void)stream;
    return call->outlet != NULL && lb_follow_fill(call->outlet, out);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct follow_call *call = self;
    (void)stream;
    lb_status_ignore(status); /* what was given and not taken is given again */
    if (call->outlet != NULL)
        lb_outlet_close(call->outlet);
    free(call);
}

static const struct lb_rpc_stream_events follow_events = {
    .message = on_message,
    .half_closed = on_half_closed,
    .fill = on_fill,
    .closed = on_closed,
};

static lb_status follow(void *ctx, const struct lb_rpc_call_info *info,
                        struct lb_rpc_stream *stream,
                        const struct lb_rpc_stream_events **out_events, void **out_self)
{
    struct lb_broker_service *service = ctx;
    (void)stream;
    LB_TRY(need_window(service, info->peer));
    struct follow_call *call = calloc(1, sizeof(*call));
    LB_ENSURE(call != NULL, LB_NO_MEMORY, "follow");
    call->service = service;
    *out_events = &follow_events;
    *out_self = call;
    return LB_OK;
}

void lb_parcel_service_methods(struct lb_broker_service *service,
                               struct lb_rpc_method out[LB_PARCEL_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/Submit",
                                    .unary = submit, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/Follow",
                                    .stream = follow, .ctx = service};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/Take",
                                    .unary = take, .ctx = service};
}
