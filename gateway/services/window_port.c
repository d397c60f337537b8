#include "gateway/services/window_service.h"

#include <time.h>

#include "gateway/wire/pb.h"
#include "grpc/health/v1/health.pb-c.h"

/* The agent's way to the broker and the consent office: blocking calls over channels. */

#define CALL_TIMEOUT_MS 10000
#define PROBE_TIMEOUT_MS 3000
#define OFFICE_PATIENCE_MS 8000
#define OFFICE_PAUSE_MS 100
#define OFFICE_LAST_PAUSE_MS 500
/* A broker that has said nothing for a sixth of the time is asked whether it is still there, and
 * has as long to say so: what it leaves is enough for another one. */
#define QUIET_SHARE 6
#define QUIET_FIRST_MS 500
#define QUIET_LAST_MS PROBE_TIMEOUT_MS
#define FOLLOW_QUIET_MS 1000
#define FOLLOW_HEALTH 10

static lb_status call(struct lb_rpc_channel *channel, const char *method, const void *request,
                      const ProtobufCMessageDescriptor *reply_type, struct lb_arena *arena,
                      void *out)
{
    struct lb_span bytes = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(request, arena, &bytes));
    LB_TRY(lb_rpc_call(channel, method, NULL, 0, bytes, CALL_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(reply_type, reply, arena, out);
}

static void wait_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&pause, NULL);
}

static bool is_away(lb_status status)
{
    enum lb_code code = lb_status_code(status);
    return code == LB_UNAVAILABLE || code == LB_STOPPING;
}

/* An office that is started anew is back in a moment. It may be asked twice for one thing: a
 * request for a grant whose number nobody got runs out by itself. Once it was waited for in vain,
 * nobody waits before it has answered: those who do hold up whoever does not need it. */
static lb_status call_office(struct lb_window_peers *peers, const char *method, const void *request,
                             const ProtobufCMessageDescriptor *reply_type, struct lb_arena *arena,
                             void *out)
{
    lb_status status = call(peers->consent, method, request, reply_type, arena, out);
    int64_t pause_ms = OFFICE_PAUSE_MS, patience_ms = OFFICE_PATIENCE_MS;
    while (is_away(status) && patience_ms >= pause_ms && !atomic_load(&peers->consent_away)) {
        wait_ms(pause_ms);
        patience_ms -= pause_ms;
        pause_ms = pause_ms * 2 > OFFICE_LAST_PAUSE_MS ? OFFICE_LAST_PAUSE_MS : pause_ms * 2;
        status = call(peers->consent, method, request, reply_type, arena, out);
    }
    atomic_store(&peers->consent_away, is_away(status));
    return status;
}

static lb_status notice(void *ctx, const Lianban__V1__NoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__NoticeResponse **out)
{
    return call_office(ctx, "/lianban.v1.ConsentOffice/Notice", request,
                       &lianban__v1__notice_response__descriptor, arena, out);
}

static lb_status request_grant(void *ctx, const Lianban__V1__GrantRequest *request,
                               struct lb_arena *arena, Lianban__V1__GrantTicket **out)
{
    return call_office(ctx, "/lianban.v1.ConsentOffice/RequestGrant", request,
                       &lianban__v1__grant_ticket__descriptor, arena, out);
}

static lb_status get_grant(void *ctx, const char *request_id, struct lb_arena *arena,
                           Lianban__V1__GetGrantResponse **out)
{
    Lianban__V1__GetGrantRequest request = LIANBAN__V1__GET_GRANT_REQUEST__INIT;
    request.request_id = (char *)(uintptr_t)request_id;
    return call_office(ctx, "/lianban.v1.ConsentOffice/GetGrant", &request,
                       &lianban__v1__get_grant_response__descriptor, arena, out);
}

static lb_status ask_health(struct lb_rpc_channel *broker, int64_t timeout_ms)
{
    Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Grpc__Health__V1__HealthCheckResponse *answer = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "health");
    LB_TRY(lb_pb_pack(&request, arena, &bytes));
    LB_TRY(lb_rpc_call(broker, "/grpc.health.v1.Health/Check", NULL, 0, bytes, timeout_ms, arena,
                       &reply));
    LB_TRY(lb_pb_unpack(&grpc__health__v1__health_check_response__descriptor, reply, arena,
                        &answer));
    LB_ENSURE(answer->status ==
                  GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
              LB_UNAVAILABLE, "the broker does not serve");
    return LB_OK;
}

static struct lb_rpc_channel *channel_to(const struct lb_window_peers *peers, size_t broker)
{
    return __atomic_load_n(&peers->brokers[broker], __ATOMIC_ACQUIRE);
}

static lb_status probe(void *ctx, size_t broker)
{
    struct lb_rpc_channel *channel = channel_to(ctx, broker);
    LB_ENSURE(channel != NULL, LB_UNAVAILABLE, "the broker is not listed");
    return ask_health(channel, PROBE_TIMEOUT_MS);
}

struct collecting {
    const struct lb_window_collect_call *call;
    struct lb_rpc_channel *broker;
    int64_t quiet_ms;
};

static void pass_on(void *arg, struct lb_span event)
{
    const struct collecting *collecting = arg;
    collecting->call->on_event(collecting->call->arg, event);
}

static bool still_there(void *arg)
{
    const struct collecting *collecting = arg;
    return ask_health(collecting->broker, collecting->quiet_ms) == LB_OK;
}

static int64_t quiet_of(const struct lb_window_collect_call *call)
{
    int64_t quiet_ms = call->timeout_ms / QUIET_SHARE;
    if (!call->has_other)
        return 0;
    if (quiet_ms < QUIET_FIRST_MS)
        return QUIET_FIRST_MS;
    return quiet_ms > QUIET_LAST_MS ? QUIET_LAST_MS : quiet_ms;
}

static lb_status collect(void *ctx, const struct lb_window_collect_call *call)
{
    const struct lb_rpc_metadata metadata = {"lianban-operator", call->operator_token};
    struct collecting collecting = {call, channel_to(ctx, call->broker), quiet_of(call)};
    LB_ENSURE(collecting.broker != NULL, LB_UNAVAILABLE, "the broker is not listed");
    const struct lb_rpc_stream_call stream_call = {
        .method = "/lianban.v1.Broker/Collect",
        .metadata = &metadata,
        .num_metadata = 1,
        .request = call->request,
        .timeout_ms = call->timeout_ms,
        .on_event = pass_on,
        .quiet_ms = collecting.quiet_ms,
        .still_there = still_there,
        .arg = &collecting,
    };
    return lb_rpc_call_stream(collecting.broker, &stream_call);
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

/* --- parcels --- */

static lb_status submit(void *ctx, size_t broker, const Lianban__V1__SubmitRequest *request,
                        struct lb_arena *arena, Lianban__V1__SubmitResponse **out)
{
    struct lb_rpc_channel *channel = channel_to(ctx, broker);
    LB_ENSURE(channel != NULL, LB_UNAVAILABLE, "the broker is not listed");
    return call(channel, "/lianban.v1.Broker/Submit", request,
                &lianban__v1__submit_response__descriptor, arena, out);
}

static lb_status take(void *ctx, size_t broker, const Lianban__V1__TakeRequest *request)
{
    struct lb_rpc_channel *channel = channel_to(ctx, broker);
    Lianban__V1__TakeResponse *answer = NULL;
    LB_ENSURE(channel != NULL, LB_UNAVAILABLE, "the broker is not listed");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "take");
    return call(channel, "/lianban.v1.Broker/Take", request,
                &lianban__v1__take_response__descriptor, arena, &answer);
}

struct following {
    const struct lb_window_follow_call *call;
    struct lb_rpc_channel *broker;
    unsigned asked;
    bool over;
};

static void follow_event(void *arg, struct lb_span event)
{
    struct following *following = arg;
    if (!following->call->on_event(following->call->arg, event))
        __atomic_store_n(&following->over, true, __ATOMIC_RELEASE);
}

/* Whoever has no news is silent for good reason; now and then it is asked whether it is there. */
static bool follow_on(void *arg)
{
    struct following *following = arg;
    if (!following->call->go_on(following->call->arg) ||
        __atomic_load_n(&following->over, __ATOMIC_ACQUIRE))
        return false;
    return ++following->asked % FOLLOW_HEALTH != 0 ||
           ask_health(following->broker, PROBE_TIMEOUT_MS) == LB_OK;
}

static lb_status follow(void *ctx, const struct lb_window_follow_call *call)
{
    Lianban__V1__FollowRequest request = LIANBAN__V1__FOLLOW_REQUEST__INIT;
    struct following following = {.call = call, .broker = channel_to(ctx, call->broker)};
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_ENSURE(following.broker != NULL, LB_UNAVAILABLE, "the broker is not listed");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4096);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "follow");
    LB_TRY(lb_pb_pack(&request, arena, &bytes));
    const struct lb_rpc_stream_call stream_call = {
        .method = "/lianban.v1.Broker/Follow",
        .request = bytes,
        .on_event = follow_event,
        .quiet_ms = FOLLOW_QUIET_MS,
        .still_there = follow_on,
        .arg = &following,
    };
    return lb_rpc_call_stream(following.broker, &stream_call);
}

struct lb_window_port lb_window_service_port(struct lb_window_peers *peers)
{
    return (struct lb_window_port){peers, notice,      request_grant, get_grant, collect,
                                   probe, status_list, submit,        follow,    take};
}
