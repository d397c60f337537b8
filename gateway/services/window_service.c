#include "gateway/services/window_service.h"

#include <stdlib.h>

#include "gateway/base/trace.h"
#include "gateway/window/tracing.h"
#include "gateway/wire/pb.h"

/* --- unary methods --- */

static lb_status open_case(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__OpenCaseRequest *ask = NULL;
    Lianban__V1__OpenCaseResponse *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__open_case_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_open(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status get_notice(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                            struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__GetNoticeRequest *ask = NULL;
    Lianban__V1__GetNoticeResponse *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_notice_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_notice(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status case_id_of(struct lb_span request, struct lb_arena *arena, const char **out)
{
    Lianban__V1__CaseRequest *ask = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__case_request__descriptor, request, arena, &ask));
    *out = ask->case_id;
    return LB_OK;
}

static lb_status request_grants(void *ctx, const struct lb_rpc_call_info *info,
                                struct lb_span request, struct lb_arena *arena,
                                struct lb_span *reply)
{
    const char *case_id = NULL;
    Lianban__V1__RequestGrantsResponse *answer = NULL;
    (void)info;
    LB_TRY(case_id_of(request, arena, &case_id));
    LB_TRY(lb_window_request_grants(ctx, case_id, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status get_case(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const char *case_id = NULL;
    Lianban__V1__CaseResult *answer = NULL;
    (void)info;
    LB_TRY(case_id_of(request, arena, &case_id));
    LB_TRY(lb_window_get(ctx, case_id, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status close_case(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                            struct lb_arena *arena, struct lb_span *reply)
{
    const char *case_id = NULL;
    Lianban__V1__CloseCaseResponse answer = LIANBAN__V1__CLOSE_CASE_RESPONSE__INIT;
    struct lb_span note = LB_SPAN_EMPTY;
    (void)info;
    LB_TRY(case_id_of(request, arena, &case_id));
    LB_TRY(lb_window_close_case(ctx, case_id));
    lb_status_ignore(lb_window_attest(ctx, case_id, arena, &note)); /* it is closed: asked again */
    answer.attestation = lb_arena_str(arena, note);
    LB_ENSURE(answer.attestation != NULL, LB_NO_MEMORY, "arena is full");
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status calculate_policies(void *ctx, const struct lb_rpc_call_info *info,
                                    struct lb_span request, struct lb_arena *arena,
                                    struct lb_span *reply)
{
    Lianban__V1__CalculatePoliciesRequest *ask = NULL;
    Lianban__V1__CalculatePoliciesResponse *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__calculate_policies_request__descriptor, request, arena,
                        &ask));
    LB_TRY(lb_window_calculate_policies(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

/* --- events --- */

typedef lb_status (*listen_fn)(struct lb_window *window, const char *case_id,
                               const struct lb_listener_port *port,
                               struct lb_case_listener **out_listener);

struct listen_call {
    struct lb_window *window;
    listen_fn listen;
    struct lb_case_listener *listener;  /* once the request has come */
    char traceparent[LB_TRACE_BYTES];   /* as it came, if it fits */
};

static void kick(void *ctx)
{
    lb_rpc_stream_kick(ctx);
}

static void finish(void *ctx, lb_status status)
{
    lb_rpc_stream_finish(ctx, status);
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct listen_call *call = self;
    if (call->listener != NULL) {
        lb_rpc_stream_cancel(stream, LB_FAULT(LB_MALFORMED, "a second request"));
        return;
    }
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    const struct lb_listener_port port = {stream, kick, finish};
    const char *case_id = NULL;
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "request")
                                     : case_id_of(bytes, arena, &case_id);
    if (status == LB_OK && call->listen == lb_window_collect)
        status = lb_window_trace(call->window, case_id, lb_span_str(call->traceparent));
    if (status == LB_OK)
        status = call->listen(call->window, case_id, &port, &call->listener);
    if (status != LB_OK)
        lb_rpc_stream_finish(stream, status);
}

static void on_half_closed(void *self, struct lb_rpc_stream *stream)
{
    const struct listen_call *call = self;
    if (call->listener == NULL)
        lb_rpc_stream_finish(stream, LB_FAULT(LB_MALFORMED, "no request came"));
}

static bool on_fill(void *self, struct lb_rpc_stream *stream, struct lb_buf *out)
{
    struct listen_call *call = self;
    (void)stream;
    return call->listener != NULL && lb_case_listener_fill(call->listener, out);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct listen_call *call = self;
    (void)stream;
    lb_status_ignore(status); /* a case does not depend on its listeners */
    if (call->listener != NULL)
        lb_case_listener_close(call->listener);
    free(call);
}

static const struct lb_rpc_stream_events events = {
    .message = on_message,
    .half_closed = on_half_closed,
    .fill = on_fill,
    .closed = on_closed,
};

static lb_status listen_to(struct lb_window *window, listen_fn listen,
                           const struct lb_rpc_call_info *info,
                           const struct lb_rpc_stream_events **out_events, void **out_self)
{
    struct listen_call *call = calloc(1, sizeof(*call));
    LB_ENSURE(call != NULL, LB_NO_MEMORY, "listener");
    struct lb_span trace = lb_rpc_call_metadata(info, "traceparent");
    call->window = window;
    call->listen = listen;
    if (trace.len > 0 && trace.len < sizeof(call->traceparent))
        memcpy(call->traceparent, trace.ptr, trace.len);
    *out_events = &events;
    *out_self = call;
    return LB_OK;
}

static lb_status collect(void *ctx, const struct lb_rpc_call_info *info,
                         struct lb_rpc_stream *stream,
                         const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)stream;
    return listen_to(ctx, lb_window_collect, info, out_events, out_self);
}

static lb_status watch(void *ctx, const struct lb_rpc_call_info *info,
                       struct lb_rpc_stream *stream,
                       const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)stream;
    return listen_to(ctx, lb_window_watch, info, out_events, out_self);
}

void lb_window_service_methods(struct lb_window *window,
                               struct lb_rpc_method out[LB_WINDOW_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Window/CloseCase",
                                    .unary = close_case, .ctx = window};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Window/Collect",
                                    .stream = collect, .ctx = window};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.Window/GetCase",
                                    .unary = get_case, .ctx = window};
    out[3] = (struct lb_rpc_method){.path = "/lianban.v1.Window/GetNotice",
                                    .unary = get_notice, .ctx = window};
    out[4] = (struct lb_rpc_method){.path = "/lianban.v1.Window/OpenCase",
                                    .unary = open_case, .ctx = window};
    out[5] = (struct lb_rpc_method){.path = "/lianban.v1.Window/RequestGrants",
                                    .unary = request_grants, .ctx = window};
    out[6] = (struct lb_rpc_method){.path = "/lianban.v1.Window/Watch",
                                    .stream = watch, .ctx = window};
    out[7] = (struct lb_rpc_method){.path = "/lianban.v1.Window/CalculatePolicies",
                                    .unary = calculate_policies, .ctx = window};
    lb_parts_service_methods(window, out + LB_WINDOW_OWN_METHODS);
    lb_casework_service_methods(window, out + LB_WINDOW_OWN_METHODS + LB_PARTS_METHODS);
}
