#include "gateway/services/desk_service.h"

#include "gateway/services/access.h"
#include "gateway/wire/pb.h"

static lb_status need_desk(const struct lb_consent_service *service,
                           const struct lb_rpc_call_info *info)
{
    lb_status status = lb_access_need(service->trust, info->peer, 1U << LB_NODE_CONSENT);
    if (status != LB_OK)
        lb_log_count_denial(service->log, info->peer->spiffe, status->code);
    return status;
}

static lb_status list_pending(void *ctx, const struct lb_rpc_call_info *info,
                              struct lb_span request, struct lb_arena *arena,
                              struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__ListPendingRequest *ask = NULL;
    Lianban__V1__ListPendingResponse *answer = NULL;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__list_pending_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_pending(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status issue_emergency(void *ctx, const struct lb_rpc_call_info *info,
                                 struct lb_span request, struct lb_arena *arena,
                                 struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__EmergencyRequest *ask = NULL;
    Lianban__V1__EmergencyResponse *answer = NULL;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__emergency_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_emergency(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status close_emergency(void *ctx, const struct lb_rpc_call_info *info,
                                 struct lb_span request, struct lb_arena *arena,
                                 struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__CloseEmergencyRequest *ask = NULL;
    Lianban__V1__CloseEmergencyResponse answer = LIANBAN__V1__CLOSE_EMERGENCY_RESPONSE__INIT;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__close_emergency_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_close_emergency(service->consent, info->peer->spiffe, ask, arena));
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status list_due(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__ListDueRequest *ask = NULL;
    Lianban__V1__ListDueResponse *answer = NULL;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__list_due_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_due(service->consent, info->peer->spiffe, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status get_record(void *ctx, const struct lb_rpc_call_info *info,
                            struct lb_span request, struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__RecordRequest *ask = NULL;
    Lianban__V1__RecordResponse *answer = NULL;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__record_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_read_record(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status get_slip(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__SlipRequest *ask = NULL;
    Lianban__V1__SlipResponse *answer = NULL;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__slip_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_slip(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status find_slip(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_consent_service *service = ctx;
    Lianban__V1__FindSlipRequest *ask = NULL;
    Lianban__V1__SlipStatus *answer = NULL;
    LB_TRY(need_desk(service, info));
    LB_TRY(lb_pb_unpack(&lianban__v1__find_slip_request__descriptor, request, arena, &ask));
    LB_TRY(lb_consent_find_slip(service->consent, info->peer->spiffe, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

void lb_desk_service_methods(struct lb_consent_service *service,
                             struct lb_rpc_method out[LB_DESK_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/CloseEmergency",
                                    .unary = close_emergency, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/FindSlip",
                                    .unary = find_slip, .ctx = service};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/GetRecord",
                                    .unary = get_record, .ctx = service};
    out[3] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/GetSlip",
                                    .unary = get_slip, .ctx = service};
    out[4] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/IssueEmergency",
                                    .unary = issue_emergency, .ctx = service};
    out[5] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/ListDue",
                                    .unary = list_due, .ctx = service};
    out[6] = (struct lb_rpc_method){.path = "/lianban.v1.ConsentOffice/ListPending",
                                    .unary = list_pending, .ctx = service};
}
