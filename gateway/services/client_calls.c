#include "gateway/services/client_calls.h"

#include <stdlib.h>

#include "gateway/services/client_desk.h"
#include "gateway/services/client_evidence.h"
#include "gateway/services/client_kit.h"
#include "gateway/wire/pb.h"

/* The window agent, over its Unix socket. */

#define CALL_TIMEOUT_MS 30000 /* the agent itself asks the consent office */
#define COLLECT_TIMEOUT_MS (LB_MAX_DEADLINE_MS + 15000)

struct agent {
    struct lb_rpc_runtime *runtime;
    struct lb_rpc_channel *channel;
};

static void close_agent(void *ctx)
{
    struct agent *agent = ctx;
    if (agent == NULL)
        return;
    lb_rpc_channel_free(agent->channel);
    lb_rpc_runtime_free(agent->runtime);
    free(agent);
}

static void close_agentp(struct agent **agent)
{
    close_agent(*agent);
}

static lb_status call(const struct agent *agent, const char *method, const void *request,
                      const ProtobufCMessageDescriptor *reply_type, struct lb_arena *arena,
                      void *out)
{
    struct lb_span bytes = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(request, arena, &bytes));
    LB_TRY(lb_rpc_call(agent->channel, method, NULL, 0, bytes, CALL_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(reply_type, reply, arena, out);
}

static Lianban__V1__CaseRequest about(const char *case_id)
{
    Lianban__V1__CaseRequest request = LIANBAN__V1__CASE_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)case_id; /* only packed */
    return request;
}

static lb_status open_case(void *ctx, const Lianban__V1__OpenCaseRequest *request,
                           struct lb_arena *arena, Lianban__V1__OpenCaseResponse **out)
{
    return call(ctx, "/lianban.v1.Window/OpenCase", request,
                &lianban__v1__open_case_response__descriptor, arena, out);
}

static lb_status notice(void *ctx, const Lianban__V1__GetNoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__GetNoticeResponse **out)
{
    return call(ctx, "/lianban.v1.Window/GetNotice", request,
                &lianban__v1__get_notice_response__descriptor, arena, out);
}

static lb_status request_grants(void *ctx, const char *case_id, struct lb_arena *arena,
                                Lianban__V1__RequestGrantsResponse **out)
{
    const Lianban__V1__CaseRequest request = about(case_id);
    return call(ctx, "/lianban.v1.Window/RequestGrants", &request,
                &lianban__v1__request_grants_response__descriptor, arena, out);
}

static lb_status get_case(void *ctx, const char *case_id, struct lb_arena *arena,
                          Lianban__V1__CaseResult **out)
{
    const Lianban__V1__CaseRequest request = about(case_id);
    return call(ctx, "/lianban.v1.Window/GetCase", &request,
                &lianban__v1__case_result__descriptor, arena, out);
}

static lb_status close_case(void *ctx, const char *case_id)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    const Lianban__V1__CaseRequest request = about(case_id);
    Lianban__V1__CloseCaseResponse *answer = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "call");
    return call(ctx, "/lianban.v1.Window/CloseCase", &request,
                &lianban__v1__close_case_response__descriptor, arena, &answer);
}

static lb_status follow(const struct agent *agent, const char *method, const char *case_id,
                        int64_t timeout_ms, void (*on_event)(void *arg, struct lb_span event),
                        void *arg)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    const Lianban__V1__CaseRequest request = about(case_id);
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "call");
    LB_TRY(lb_pb_pack(&request, arena, &bytes));
    const struct lb_rpc_stream_call call = {
        .method = method,
        .request = bytes,
        .timeout_ms = timeout_ms,
        .on_event = on_event,
        .arg = arg,
    };
    return lb_rpc_call_stream(agent->channel, &call);
}

static lb_status collect(void *ctx, const char *case_id,
                         void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    return follow(ctx, "/lianban.v1.Window/Collect", case_id, COLLECT_TIMEOUT_MS, on_event, arg);
}

static lb_status watch(void *ctx, const char *case_id,
                       void (*on_event)(void *arg, struct lb_span event), void *arg)
{
    return follow(ctx, "/lianban.v1.Window/Watch", case_id, 0, on_event, arg);
}

static lb_status ask(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out)
{
    const char *path = lb_arena_printf(arena, "/lianban.v1.Window/%s", method);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "call");
    return call(ctx, path, request, reply_kind, arena, out);
}

static lb_status open_window(void *ctx, const char *address, struct lb_diag *diag,
                             struct lb_ctl_window_port *out)
{
    LB_DEFER(close_agentp) struct agent *agent = calloc(1, sizeof(*agent));
    (void)ctx;
    LB_ENSURE(agent != NULL, LB_NO_MEMORY, "agent");
    LB_TRY(lb_rpc_runtime_new(1, &agent->runtime));
    const struct lb_rpc_channel_options options = {.runtime = agent->runtime, .target = address};
    lb_status status = lb_rpc_channel_new(&options, &agent->channel);
    if (status != LB_OK)
        lb_diag_set(diag, "%s is no address of a window agent; give unix: and the socket's path",
                    address);
    LB_TRY(status);
    *out = (struct lb_ctl_window_port){agent,      open_case, notice, request_grants, get_case,
                                       close_case, collect,   watch,  ask,            close_agent};
    agent = NULL;
    return LB_OK;
}

struct lb_ctl_remote lb_client_remote(void)
{
    return (struct lb_ctl_remote){NULL, open_window, lb_client_open_desk, lb_client_open_log,
                                  lb_client_open_evidence, lb_client_open_kit};
}
