#include "gateway/services/adapter_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/session.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"

/* A link with the names its refusals are counted under. */
struct linked {
    struct lb_adapter_link *link;
    struct lb_adapter_service *service;
    struct lb_log *log;
    char peer[LB_MAX_SPIFFE_BYTES];
};

/* A refusal is evidence too; what was refused may have been sent by anybody who stole a
 * certificate. */
static lb_status counted(struct lb_log *log, const char *peer, lb_status status)
{
    if (status != LB_OK)
        lb_log_count_denial(log, peer, lb_code_outer(status->code));
    return status;
}

static void note_link(struct lb_adapter_service *service, const char *peer, bool up)
{
    size_t i = 0;
    (void)pthread_mutex_lock(&service->brokers_lock);
    while (i < service->num_brokers && strcmp(service->brokers[i].peer, peer) != 0)
        i++;
    if (i == service->num_brokers && i < LB_ADAPTER_MAX_BROKERS)
        (void)snprintf(service->brokers[service->num_brokers++].peer, LB_MAX_SPIFFE_BYTES, "%s",
                       peer);
    if (i < LB_ADAPTER_MAX_BROKERS)
        service->brokers[i].up += up ? 1U : -1U;
    (void)pthread_cond_broadcast(&service->brokers_changed);
    (void)pthread_mutex_unlock(&service->brokers_lock);
}

size_t lb_adapter_service_links(void *ctx, struct lb_metrics_link *out, size_t max)
{
    struct lb_adapter_service *service = ctx;
    size_t num = 0;
    (void)pthread_mutex_lock(&service->brokers_lock);
    for (; num < service->num_brokers && num < max; num++) {
        out[num].up = service->brokers[num].up > 0;
        memcpy(out[num].peer, service->brokers[num].peer, sizeof(out[num].peer));
    }
    (void)pthread_mutex_unlock(&service->brokers_lock);
    return num;
}

/* Under the lock. */
static bool any_up(const struct lb_adapter_service *service)
{
    bool up = false;
    for (size_t i = 0; i < service->num_brokers; i++)
        up = up || service->brokers[i].up > 0;
    return up;
}

void lb_adapter_service_wait(struct lb_adapter_service *service, int64_t timeout_ms)
{
    const struct timespec until = lb_clock_after_ms(timeout_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&service->brokers_lock);
    while (any_up(service) && waited == 0)
        waited = pthread_cond_timedwait(&service->brokers_changed, &service->brokers_lock, &until);
    (void)pthread_mutex_unlock(&service->brokers_lock);
}

static lb_status open_link(void *owner, const char *peer, void *port, void **out_end)
{
    struct lb_adapter_service *service = owner;
    const struct lb_adapter_link_options options = {
        .serve = service->serve,
        .log = service->log,
        .trust = service->trust,
        .workers = service->workers,
        .policy = service->policy,
        .broker = peer,
        .seen = service->seen,
        .port = {port, lb_frames_kick, lb_frames_fail},
    };
    LB_ENSURE(strlen(peer) < LB_MAX_SPIFFE_BYTES, LB_PEER_UNVERIFIED, "peer id too long");
    struct linked *linked = calloc(1, sizeof(*linked));
    LB_ENSURE(linked != NULL, LB_NO_MEMORY, "link");
    lb_status status = counted(service->log, peer, lb_adapter_link_new(&options, &linked->link));
    if (status != LB_OK) {
        free(linked);
        return status;
    }
    linked->service = service;
    linked->log = service->log;
    memcpy(linked->peer, peer, strlen(peer) + 1);
    note_link(service, linked->peer, true);
    *out_end = linked;
    return LB_OK;
}

static lb_status receive(void *end, struct lb_span frame)
{
    const struct linked *linked = end;
    return counted(linked->log, linked->peer, lb_adapter_link_receive(linked->link, frame));
}

static bool fill(void *end, struct lb_buf *out)
{
    const struct linked *linked = end;
    return lb_adapter_link_fill(linked->link, out);
}

static void close_link(void *end, bool leaving)
{
    struct linked *linked = end;
    (void)leaving;
    note_link(linked->service, linked->peer, false);
    lb_adapter_link_close(linked->link);
    free(linked);
}

const struct lb_frames_end lb_adapter_service_end = {open_link, receive, fill, close_link};

static lb_status link(void *ctx, const struct lb_rpc_call_info *info,
                      struct lb_rpc_stream *stream, const struct lb_rpc_stream_events **out_events,
                      void **out_self)
{
    struct lb_adapter_service *service = ctx;
    return lb_frames_accept(&service->links, &lb_adapter_service_end, ctx, info, stream, out_events,
                            out_self);
}

static lb_status describe(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_adapter_service *service = ctx;
    Lianban__V1__DescribeRequest *ask = NULL;
    Lianban__V1__DescribeResponse *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__describe_request__descriptor, request, arena, &ask));
    LB_TRY(lb_serve_describe(service->serve, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

/* Without a link there is no history to compare with, so the broker's checkpoint is only checked
 * for its signature. */
static lb_status check_route(const struct lb_adapter_service *service, const char *broker,
                             const Lianban__V1__RoutedReadRequest *ask,
                             struct lb_serve_route *out_route)
{
    struct lb_directory *directory = lb_trust_directory(service->trust);
    const struct lb_node *node = lb_directory_node(directory, broker);
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    lb_status status = node == NULL || node->log_origin == NULL
                           ? LB_FAULT(LB_ROLE_NOT_ALLOWED, "broker keeps no log")
                           : lb_watch_init(&watch, node->log_origin, node->log_key, 0, NULL);
    lb_directory_unref(directory);
    LB_TRY(status);
    watch.memo = lb_seen_memo(service->seen);
    status = lb_watch_check(&watch, ask->log, &checkpoint);
    if (status == LB_OK)
        status = lb_adapter_check_route(ask->read, &checkpoint, out_route);
    lb_watch_cleanup(&watch);
    return status;
}

static lb_status pack_answer(const struct lb_adapter_service *service,
                             const struct lb_serve_answer *answer, struct lb_arena *arena,
                             struct lb_span *reply)
{
    Lianban__V1__RoutedReadResponse response = LIANBAN__V1__ROUTED_READ_RESPONSE__INIT;
    Lianban__V1__ReadAnswer wire = LIANBAN__V1__READ_ANSWER__INIT;
    uint64_t shown = 0, size = 0;
    LB_TRY(lb_link_show(service->log, &shown, arena, &response.log, &size));
    wire.txn = lb_pb_bytes(lb_span_of(answer->txn, 16));
    wire.code = (char *)(uintptr_t)lb_code_name(answer->code);
    wire.sealed = lb_pb_bytes(answer->sealed);
    if (answer->recorded)
        LB_TRY(lb_link_prove(service->log, answer->index, answer->leaf, size, arena, &wire.entry));
    response.answer = &wire;
    return lb_pb_pack(&response, arena, reply);
}

static lb_status check_read(const struct lb_adapter_service *service, const char *broker,
                            struct lb_span request, struct lb_arena *arena,
                            Lianban__V1__RoutedReadRequest **out_ask,
                            struct lb_serve_route *out_route)
{
    Lianban__V1__RoutedReadRequest *ask = NULL;
    LB_ENSURE(lb_serve_policy_broker(service->policy, broker), LB_ROLE_NOT_ALLOWED,
              "policy does not name this broker");
    LB_TRY(lb_pb_unpack(&lianban__v1__routed_read_request__descriptor, request, arena, &ask));
    LB_ENSURE(ask->read != NULL && ask->log != NULL, LB_MALFORMED, "a read without its parts");
    *out_ask = ask;
    return check_route(service, broker, ask, out_route);
}

static lb_status read_one(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_adapter_service *service = ctx;
    Lianban__V1__RoutedReadRequest *ask = NULL;
    struct lb_serve_route route;
    struct lb_serve_answer answer;
    LB_TRY(counted(service->log, info->peer->spiffe,
                   check_read(service, info->peer->spiffe, request, arena, &ask, &route)));
    LB_TRY(lb_serve_read(service->serve, ask->read->request, &route.leaf, arena, &answer));
    return pack_answer(service, &answer, arena, reply);
}

/* --- what the department's own officers may do --- */

static lb_status stop_grant(void *ctx, const struct lb_rpc_call_info *info,
                            struct lb_span request, struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_adapter_service *service = ctx;
    const char *officer = info->peer->spiffe;
    Lianban__V1__StopGrantRequest *ask = NULL;
    Lianban__V1__StopGrantResponse answer = LIANBAN__V1__STOP_GRANT_RESPONSE__INIT;
    struct lb_serve_ack ack;
    uint64_t shown = 0, size = 0;
    LB_TRY(counted(service->log, officer,
                   lb_access_need_officer(service->trust, info->peer, service->organization)));
    LB_TRY(lb_pb_unpack(&lianban__v1__stop_grant_request__descriptor, request, arena, &ask));
    LB_TRY(lb_serve_stop(service->serve, officer, ask, arena, &ack));
    LB_TRY(lb_link_show(service->log, &shown, arena, &answer.log, &size));
    LB_TRY(lb_link_prove(service->log, ack.index, lb_span_of(ack.leaf, ack.leaf_len), size, arena,
                         &answer.entry));
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status erase_subject(void *ctx, const struct lb_rpc_call_info *info,
                               struct lb_span request, struct lb_arena *arena,
                               struct lb_span *reply)
{
    const struct lb_adapter_service *service = ctx;
    const char *officer = info->peer->spiffe;
    Lianban__V1__EraseSubjectRequest *ask = NULL;
    Lianban__V1__EraseSubjectResponse answer = LIANBAN__V1__ERASE_SUBJECT_RESPONSE__INIT;
    struct lb_serve_ack ack;
    uint64_t shown = 0, size = 0;
    LB_TRY(counted(service->log, officer,
                   lb_access_need_officer(service->trust, info->peer, service->organization)));
    LB_TRY(lb_pb_unpack(&lianban__v1__erase_subject_request__descriptor, request, arena, &ask));
    LB_TRY(lb_serve_erase(service->serve, officer, ask, arena, &ack));
    LB_TRY(lb_link_show(service->log, &shown, arena, &answer.log, &size));
    LB_TRY(lb_link_prove(service->log, ack.index, lb_span_of(ack.leaf, ack.leaf_len), size, arena,
                         &answer.entry));
    return lb_pb_pack(&answer, arena, reply);
}

lb_status lb_adapter_service_lists(void *ctx, struct lb_arena *arena,
                                   struct lb_held_list **out, size_t *out_num)
{
    const struct lb_adapter_service *service = ctx;
    struct lb_serve_list *lists = NULL;
    size_t num = 0;
    LB_TRY(lb_serve_lists(service->serve, arena, &lists, &num));
    struct lb_held_list *held = lb_arena_array(arena, num, sizeof(*held));
    LB_ENSURE(held != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        held[i] = (struct lb_held_list){lists[i].uri, lists[i].issuer, lists[i].seq,
                                        lists[i].issued_unix_s, lists[i].expires_unix_s};
    *out = held;
    *out_num = num;
    return LB_OK;
}

void lb_adapter_service_methods(struct lb_adapter_service *service,
                                struct lb_rpc_method out[LB_ADAPTER_METHODS])
{
    (void)pthread_mutex_init(&service->brokers_lock, NULL);
    lb_clock_cond_init(&service->brokers_changed);
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/Describe",
                                    .unary = describe, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/EraseSubject",
                                    .unary = erase_subject, .ctx = service};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/Link",
                                    .stream = link, .ctx = service};
    out[3] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/Read",
                                    .unary = read_one, .ctx = service};
    out[4] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/StopGrant",
                                    .unary = stop_grant, .ctx = service};
}
