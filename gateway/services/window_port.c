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

static lb_status collect(void *ctx, struct lb_span operator_token, struct lb_span request,
                         int64_t timeout_ms, void (*on_event)(void *arg, struct lb_span event),
                         void *arg)
{
    const struct lb_window_peers *peers = ctx;
    const struct lb_rpc_metadata metadata = {"lianban-operator", operator_token};
    const struct lb_rpc_stream_call stream_call = {
        .method = "/lianban.v1.Broker/Collect",
        .metadata = &metadata,
        .num_metadata = 1,
        .request = request,
        .timeout_ms = timeout_ms,
        .on_event = on_event,
        .arg = arg,
    };
    return lb_rpc_call_stream(peers->broker, &stream_call);
}

static lb_status status_list(void *ctx, struct lb_arena *arena, const char **out_token)
{
    const struct lb_window_peers *peers = ctx;
    Lianban__V1__GetStatusListRequest request = LIANBAN__V1__GET_STATUS_LIST_REQUEST__INIT;
    Lianban__V1__GetStatusListResponse *answer = NULL;
    LB_TRY(call(peers->consent, "/lianban.v1.ConsentOffice/GetStatusList", &request,
                &lianban__v1__get_status_list_response__descriptor, arena, &answer));
    *out_token = answer->token;
    return LB_OK;
}

struct lb_window_port lb_window_service_port(struct lb_window_peers *peers)
{
    return (struct lb_window_port){peers,     notice,  request_grant,
                                   get_grant, collect, status_list};
}
