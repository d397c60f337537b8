#include "gateway/services/broker_service.h"

#include <stdlib.h>

#include "gateway/base/trace.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"

#define WINDOWS (1U << LB_NODE_WINDOW)
#define FORM_READERS (1U << LB_NODE_WINDOW | 1U << LB_NODE_CONSENT | 1U << LB_NODE_OFFICER)
#define RELAY_TIMEOUT_MS 5000

/* --- links --- */

static lb_status open_link(void *owner, const char *peer, void *port, void **out_end)
{
    const struct lb_broker_service *service = owner;
    const struct lb_broker_port broker_port = {port, lb_frames_kick, lb_frames_fail,
                                               lb_frames_accepted(port)};
    struct lb_broker_link *link = NULL;
    lb_status status = lb_broker_link_new(service->exchange, peer, &broker_port, &link);
    if (lb_status_code(status) == LB_CANCELLED)
        return status; /* its own link came first; that is no denial */
    if (status != LB_OK) {
        lb_log_count_denial(service->log, peer, lb_code_outer(status->code));
        return status;
    }
    *out_end = link;
    return LB_OK;
}

static lb_status receive(void *end, struct lb_span frame)
{
    return lb_broker_link_receive(end, frame);
}

static bool fill(void *end, struct lb_buf *out)
{
    return lb_broker_link_fill(end, out);
}

static void close_link(void *end, bool leaving)
{
    if (leaving)
        lb_broker_link_leave(end);
    lb_broker_link_close(end);
}

const struct lb_frames_end lb_broker_service_end = {open_link, receive, fill, close_link};

static lb_status attach(void *ctx, const struct lb_rpc_call_info *info,
                        struct lb_rpc_stream *stream,
                        const struct lb_rpc_stream_events **out_events, void **out_self)
{
    struct lb_broker_service *service = ctx;
    return lb_frames_accept(&service->links, &lb_broker_service_end, ctx, info, stream, out_events,
                            out_self);
}

bool lb_broker_service_held(void *owner, const char *peer)
{
    const struct lb_broker_service *service = owner;
    return lb_exchange_attached(service->exchange, peer);
}

/* --- forms --- */

static void summarize(const struct lb_offered_form *form, Lianban__V1__FormSummary *out)
{
    lianban__v1__form_summary__init(out);
    out->form = (char *)(uintptr_t)form->id;
    out->version = form->version;
    out->sha256 = lb_pb_bytes(lb_span_of(form->sha256, 32));
    out->title_zh = (char *)(uintptr_t)form->title_zh;
    out->title_en = (char *)(uintptr_t)form->title_en;
}

static lb_status need(const struct lb_broker_service *service, const struct lb_rpc_call_info *info,
                      unsigned kinds)
{
    lb_status status = lb_access_need(service->trust, info->peer, kinds);
    if (status != LB_OK)
        lb_log_count_denial(service->log, info->peer->spiffe, status->code);
    return status;
}

static lb_status list_forms(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                            struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_broker_service *service = ctx;
    Lianban__V1__ListFormsRequest *ask = NULL;
    Lianban__V1__ListFormsResponse response = LIANBAN__V1__LIST_FORMS_RESPONSE__INIT;
    LB_TRY(need(service, info, FORM_READERS));
    LB_TRY(lb_pb_unpack(&lianban__v1__list_forms_request__descriptor, request, arena, &ask));
    size_t num = lb_exchange_num_forms(service->exchange);
    response.forms = lb_arena_array(arena, num, sizeof(response.forms[0]));
    Lianban__V1__FormSummary *summaries = lb_arena_array(arena, num, sizeof(*summaries));
    LB_ENSURE(response.forms != NULL && summaries != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        summarize(lb_exchange_form_at(service->exchange, i), &summaries[i]);
        response.forms[response.n_forms++] = &summaries[i];
    }
    return lb_pb_pack(&response, arena, reply);
}

static lb_status get_form(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_broker_service *service = ctx;
    Lianban__V1__GetFormRequest *ask = NULL;
    Lianban__V1__GetFormResponse response = LIANBAN__V1__GET_FORM_RESPONSE__INIT;
    Lianban__V1__FormSummary summary;
    LB_TRY(need(service, info, FORM_READERS));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_form_request__descriptor, request, arena, &ask));
    const struct lb_offered_form *form =
        lb_exchange_form(service->exchange, ask->form, ask->version);
    LB_ENSURE(form != NULL, LB_FORM_UNKNOWN, "no such form");
    summarize(form, &summary);
    response.summary = &summary;
    response.content = lb_pb_bytes(form->content);
    return lb_pb_pack(&response, arena, reply);
}

/* --- collecting --- */

struct collect_call {
    struct lb_broker_service *service;
    struct lb_rpc_stream *stream;
    struct lb_collect *collect;      /* once the request has come */
    struct lb_span operator_token;   /* lives in `arena` */
    struct lb_span traceparent;      /* likewise */
    struct lb_arena *arena;
    int64_t deadline_unix_ms;
};

static void kick(void *ctx)
{
    lb_rpc_stream_kick(ctx);
}

static void finish(void *ctx, lb_status status)
{
    lb_rpc_stream_finish(ctx, status);
}

static void fail(void *ctx, lb_status status)
{
    lb_rpc_stream_cancel(ctx, status);
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct collect_call *call = self;
    if (call->collect != NULL) {
        lb_rpc_stream_cancel(stream, LB_FAULT(LB_MALFORMED, "a second request"));
        return;
    }
    const struct lb_collect_port port = {stream, kick, finish, fail, call->traceparent};
    lb_status status = lb_exchange_collect(
        call->service->exchange, lb_rpc_stream_peer(stream)->spiffe, call->operator_token, bytes,
        call->deadline_unix_ms, &port, &call->collect);
    if (status != LB_OK)
        lb_rpc_stream_finish(stream, status);
}

static void on_half_closed(void *self, struct lb_rpc_stream *stream)
{
    const struct collect_call *call = self;
    if (call->collect == NULL)
        lb_rpc_stream_finish(stream, LB_FAULT(LB_MALFORMED, "no request came"));
}

static bool on_fill(void *self, struct lb_rpc_stream *stream, struct lb_buf *out)
{
    struct collect_call *call = self;
    (void)stream;
    return call->collect != NULL && lb_collect_fill(call->collect, out);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct collect_call *call = self;
    (void)stream;
    lb_status_ignore(status); /* what is under way is recorded with or without its caller */
    if (call->collect != NULL)
        lb_collect_close(call->collect);
    lb_arena_free(call->arena);
    free(call);
}

static const struct lb_rpc_stream_events collect_events = {
    .message = on_message,
    .half_closed = on_half_closed,
    .fill = on_fill,
    .closed = on_closed,
};

static int64_t clamp_deadline(const struct lb_clock *clock, int64_t wanted_unix_ms)
{
    int64_t now = lb_clock_unix_ms(clock);
    if (wanted_unix_ms == 0)
        return now + LB_CASE_DEADLINE_MS;
    return wanted_unix_ms > now + LB_MAX_DEADLINE_MS ? now + LB_MAX_DEADLINE_MS : wanted_unix_ms;
}

static lb_status collect(void *ctx, const struct lb_rpc_call_info *info,
                         struct lb_rpc_stream *stream,
                         const struct lb_rpc_stream_events **out_events, void **out_self)
{
    struct lb_broker_service *service = ctx;
    LB_TRY(need(service, info, WINDOWS));
    int64_t deadline_unix_ms = clamp_deadline(service->clock, info->deadline_unix_ms);
    LB_TRY(lb_exchange_may_collect(service->exchange, info->peer->spiffe, deadline_unix_ms));
    struct lb_span token = lb_rpc_call_metadata(info, "lianban-operator");
    if (token.len > LB_MAX_TOKEN_BYTES) {
        lb_log_count_denial(service->log, info->peer->spiffe, LB_OPERATOR_TOKEN_INVALID);
        LB_FAIL(LB_OPERATOR_TOKEN_INVALID, "token is too large");
    }
    struct collect_call *call = calloc(1, sizeof(*call));
    LB_ENSURE(call != NULL, LB_NO_MEMORY, "collect");
    call->service = service;
    call->stream = stream;
    call->deadline_unix_ms = deadline_unix_ms;
    call->arena = lb_arena_new(2 * LB_MAX_TOKEN_BYTES);
    lb_status status = call->arena == NULL
                           ? LB_FAULT(LB_NO_MEMORY, "collect")
                           : lb_arena_copy(call->arena, token, &call->operator_token);
    struct lb_span trace = lb_rpc_call_metadata(info, "traceparent");
    if (status == LB_OK && trace.len < LB_TRACE_BYTES)
        status = lb_arena_copy(call->arena, trace, &call->traceparent);
    if (status != LB_OK) {
        lb_arena_free(call->arena);
        free(call);
        return status;
    }
    *out_events = &collect_events;
    *out_self = call;
    return LB_OK;
}

/* --- what ends grants --- */

static lb_status relay_status(void *ctx, const struct lb_rpc_call_info *info,
                              struct lb_span request, struct lb_arena *arena,
                              struct lb_span *reply)
{
    const struct lb_broker_service *service = ctx;
    Lianban__V1__RelayStatusRequest *ask = NULL;
    Lianban__V1__RelayStatusResponse *response = NULL;
    LB_TRY(need(service, info, 1U << LB_NODE_CONSENT));
    LB_TRY(lb_pb_unpack(&lianban__v1__relay_status_request__descriptor, request, arena, &ask));
    lb_status status = lb_exchange_relay_status(service->exchange, lb_span_str(ask->token),
                                                RELAY_TIMEOUT_MS, arena, &response);
    if (status != LB_OK) {
        lb_log_count_denial(service->log, info->peer->spiffe, status->code);
        return status;
    }
    return lb_pb_pack(response, arena, reply);
}

static lb_status relay_revocation(void *ctx, const struct lb_rpc_call_info *info,
                                  struct lb_span request, struct lb_arena *arena,
                                  struct lb_span *reply)
{
    const struct lb_broker_service *service = ctx;
    Lianban__V1__RelayRevocationRequest *ask = NULL;
    Lianban__V1__RelayStatusResponse *response = NULL;
    LB_TRY(need(service, info, WINDOWS | 1U << LB_NODE_CONSENT));
    LB_TRY(lb_pb_unpack(&lianban__v1__relay_revocation_request__descriptor, request, arena, &ask));
    lb_status status = lb_exchange_relay_revocation(service->exchange, lb_span_str(ask->grant),
                                                    lb_span_str(ask->token), RELAY_TIMEOUT_MS,
                                                    arena, &response);
    if (status != LB_OK) {
        lb_log_count_denial(service->log, info->peer->spiffe, lb_code_outer(status->code));
        return status;
    }
    return lb_pb_pack(response, arena, reply);
}

void lb_broker_service_methods(struct lb_broker_service *service,
                               struct lb_rpc_method out[LB_BROKER_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/Attach",
                                    .stream = attach, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/Collect",
                                    .stream = collect, .ctx = service};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/GetForm",
                                    .unary = get_form, .ctx = service};
    out[3] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/ListForms",
                                    .unary = list_forms, .ctx = service};
    out[4] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/RelayStatus",
                                    .unary = relay_status, .ctx = service};
    out[5] = (struct lb_rpc_method){.path = "/lianban.v1.Broker/RelayRevocation",
                                    .unary = relay_revocation, .ctx = service};
    lb_parcel_service_methods(service, out + LB_BROKER_METHODS - LB_PARCEL_METHODS);
}
