#include "gateway/services/consent_service.h"

#include <pthread.h>

#include "gateway/base/log.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/broker.pb-c.h"

#define WINDOWS (1U << LB_NODE_WINDOW)
#define DESKS (1U << LB_NODE_CONSENT)
#define PUSH_TIMEOUT_MS 6000
#define MAX_OVERTAKEN 8

static lb_status need(const struct lb_consent_service *service,
                      const struct lb_rpc_call_info *info, unsigned kinds)
{
    lb_status status = lb_access_need(service->trust, info->peer, kinds);
    if (status != LB_OK)
        lb_log_count_denial(service->log, info->peer->spiffe, status->code);
    return status;
}

static lb_status notice(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                        struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__NoticeRequest *ask = NULL;
    Lianban__V1__NoticeResponse *answer = NULL;
    LB_TRY(need(service, info, WINDOWS | DESKS));
    LB_TRY(lb_pb_unpack(&lianban__v1__notice_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_notice(service->consent, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status request_grant(void *ctx, const struct lb_rpc_call_info *info,
                               struct lb_span request, struct lb_arena *arena,
                               struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__GrantRequest *ask = NULL;
    Lianban__V1__GrantTicket *answer = NULL;
    LB_TRY(need(service, info, WINDOWS));
    LB_TRY(lb_pb_unpack(&lianban__v1__grant_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_request(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status confirm(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                         struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__ConfirmRequest *ask = NULL;
    Lianban__V1__ConfirmResponse *answer = NULL;
    LB_TRY(need(service, info, DESKS));
    LB_TRY(lb_pb_unpack(&lianban__v1__confirm_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_confirm(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status get_grant(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__GetGrantRequest *ask = NULL;
    Lianban__V1__GetGrantResponse *answer = NULL;
    LB_TRY(need(service, info, WINDOWS));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_grant_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_grant(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

/* --- status lists --- */

static lb_status relay(struct lb_rpc_channel *broker, struct lb_span token, struct lb_arena *arena,
                       Lianban__V1__RelayStatusResponse **out)
{
    Lianban__V1__RelayStatusRequest ask = LIANBAN__V1__RELAY_STATUS_REQUEST__INIT;
    struct lb_span request = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    LB_DEFER(lb_arena_freep) struct lb_arena *own = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(own != NULL, LB_NO_MEMORY, "status list");
    ask.token = lb_arena_str(own, token);
    LB_ENSURE(ask.token != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_pb_pack(&ask, own, &request));
    LB_TRY(lb_rpc_call(broker, "/lianban.v1.Broker/RelayStatus", NULL, 0, request,
                       PUSH_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(&lianban__v1__relay_status_response__descriptor, reply, arena, out);
}

/* When several grants end at once, a broker may have the list of a later one already; that one says
 * no less. */
static lb_status relay_newest(const struct lb_consent_service *service,
                              struct lb_rpc_channel *broker, struct lb_span token,
                              struct lb_arena *arena, Lianban__V1__RelayStatusResponse **out)
{
    lb_status status = relay(broker, token, arena, out);
    for (int i = 0; i < MAX_OVERTAKEN && lb_status_code(status) == LB_STATUS_STALE; i++) {
        LB_DEFER(lb_arena_freep) struct lb_arena *own = lb_arena_new(LB_CALL_ARENA_BYTES);
        struct lb_consent_push newest;
        LB_ENSURE(own != NULL, LB_NO_MEMORY, "push");
        LB_TRY(lb_consent_current(service->consent, own, &newest));
        status = relay(broker, newest.token, arena, out);
    }
    return status;
}

/* One push to all brokers. */
struct telling {
    const struct lb_consent_service *service;
    const struct lb_consent_push *push;
    pthread_mutex_t lock;
    pthread_cond_t told;
    size_t num_open;
    Lianban__V1__RevokeResponse *receipts;   /* under lock, as the next */
    lb_status first_failure;
};

struct relay_job {
    struct lb_job job;
    struct telling *telling;
    struct lb_rpc_channel *broker;
};

static lb_status ask_one(const struct relay_job *job, struct lb_arena *arena,
                         Lianban__V1__RelayStatusResponse **out)
{
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "push");
    return relay_newest(job->telling->service, job->broker, job->telling->push->token, arena, out);
}

static void tell_one(struct lb_job *base)
{
    struct relay_job *job = (struct relay_job *)base;
    struct telling *telling = job->telling;
    Lianban__V1__RelayStatusResponse *told = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    lb_status status = ask_one(job, arena, &told);
    (void)pthread_mutex_lock(&telling->lock);
    if (status == LB_OK)
        status = lb_consent_take_receipts(telling->service->consent, telling->push, told,
                                          telling->receipts);
    if (telling->first_failure == LB_OK)
        telling->first_failure = status;
    telling->num_open--;
    (void)pthread_cond_signal(&telling->told);
    (void)pthread_mutex_unlock(&telling->lock);
}

static void tell_all(struct telling *telling)
{
    struct relay_job jobs[LB_CONSENT_MAX_BROKERS];
    size_t num = __atomic_load_n(&telling->service->num_brokers, __ATOMIC_ACQUIRE);
    telling->num_open = num;
    for (size_t i = 0; i < num; i++) {
        jobs[i] = (struct relay_job){
            .job = {.run = tell_one}, .telling = telling, .broker = telling->service->brokers[i]};
        if (lb_workers_submit(telling->service->relays, &jobs[i].job) != LB_OK)
            tell_one(&jobs[i].job); /* later than the others, and told all the same */
    }
    (void)pthread_mutex_lock(&telling->lock);
    while (telling->num_open > 0)
        (void)pthread_cond_wait(&telling->told, &telling->lock);
    (void)pthread_mutex_unlock(&telling->lock);
}

/* Over all brokers at once; one that can't be reached leaves its adapters to the others, or to the
 * list's own end, and those that nobody reached stand in the receipts as not answering. Returns the
 * first failure of a broker. */
static lb_status push_to_all(const struct lb_consent_service *service,
                             const struct lb_consent_push *push, struct lb_arena *arena,
                             Lianban__V1__RevokeResponse *receipts)
{
    LB_TRY(lb_consent_receipts(service->consent, arena, receipts));
    struct telling telling = {.service = service, .push = push, .receipts = receipts};
    (void)pthread_mutex_init(&telling.lock, NULL);
    (void)pthread_cond_init(&telling.told, NULL);
    tell_all(&telling);
    (void)pthread_cond_destroy(&telling.told);
    (void)pthread_mutex_destroy(&telling.lock);
    lb_status first = telling.first_failure;
    lb_log_failure("receipts_not_kept",
                   lb_consent_keep_receipts(service->consent, push, receipts, arena));
    return first;
}

lb_status lb_consent_service_add_broker(struct lb_consent_service *service,
                                        struct lb_rpc_channel *broker)
{
    size_t num = service->num_brokers;
    LB_ENSURE(num < LB_CONSENT_MAX_BROKERS, LB_TOO_LARGE, "too many brokers");
    service->brokers[num] = broker;
    __atomic_store_n(&service->num_brokers, num + 1, __ATOMIC_RELEASE);
    return LB_OK;
}

lb_status lb_consent_service_push(struct lb_consent_service *service)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "push");
    Lianban__V1__RevokeResponse receipts = LIANBAN__V1__REVOKE_RESPONSE__INIT;
    struct lb_consent_push push;
    LB_TRY(lb_consent_current(service->consent, arena, &push));
    return push_to_all(service, &push, arena, &receipts);
}

static lb_status revoke(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                        struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__RevokeRequest *ask = NULL;
    Lianban__V1__RevokeResponse answer = LIANBAN__V1__REVOKE_RESPONSE__INIT;
    struct lb_consent_push push;
    LB_TRY(need(service, info, DESKS));
    LB_TRY(lb_pb_unpack(&lianban__v1__revoke_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_revoke(service->consent, info->peer->spiffe, ask, arena, &push));
    lb_log_failure("status_push_failed", push_to_all(service, &push, arena, &answer));
    answer.status_seq = push.seq;
    answer.stops_by = push.stops_by;
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status get_status_list(void *ctx, const struct lb_rpc_call_info *info,
                                 struct lb_span request, struct lb_arena *arena,
                                 struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__GetStatusListRequest *ask = NULL;
    Lianban__V1__GetStatusListResponse answer = LIANBAN__V1__GET_STATUS_LIST_RESPONSE__INIT;
    struct lb_span token = LB_SPAN_EMPTY;
    (void)info; /* any member may read a signed list */
    LB_TRY(lb_pb_unpack(&lianban__v1__get_status_list_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_status_list(service->consent, arena, &token));
    answer.token = lb_arena_str(arena, token);
    LB_ENSURE(answer.token != NULL, LB_NO_MEMORY, "arena is full");
    return lb_pb_pack(&answer, arena, reply);
}

void lb_consent_service_methods(struct lb_consent_service *service,
                                struct lb_rpc_method out[LB_CONSENT_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/Confirm",
                                    .unary = confirm, .ctx = service,
                                    .load = LB_RPC_FINISHES};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/GetGrant",
                                    .unary = get_grant, .ctx = service,
                                    .load = LB_RPC_FINISHES};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/GetStatusList",
                                    .unary = get_status_list, .ctx = service};
    out[3] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/Notice",
                                    .unary = notice, .ctx = service,
                                    .load = LB_RPC_FINISHES};
    out[4] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/RequestGrant",
                                    .unary = request_grant, .ctx = service,
                                    .load = LB_RPC_BEGINS};
    out[5] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/Revoke",
                                    .unary = revoke, .ctx = service};
}
