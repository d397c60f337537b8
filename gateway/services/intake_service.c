#include "gateway/services/intake_service.h"

#include "adapters/serve/intake_policy.h"
#include "adapters/serve/intake_say.h"
#include "gateway/evidence/link.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"

static lb_status admit(const struct lb_intake_service *service, const struct lb_rpc_peer *peer)
{
    lb_status status = lb_access_need_officer(service->trust, peer, service->organization);
    if (status == LB_OK && !lb_intake_policy_clerk(service->policy, peer->spiffe))
        status = LB_FAULT(LB_ROLE_NOT_ALLOWED, "policy names no such clerk");
    if (status != LB_OK)
        lb_log_count_denial(service->log, peer->spiffe, lb_code_outer(status->code));
    return status;
}

/* The entry that every answer but a list comes with. */
static lb_status prove(const struct lb_intake_service *service, uint64_t index,
                       struct lb_arena *arena, Lianban__V1__LogProgress **out_log,
                       Lianban__V1__EntryProof **out_entry)
{
    struct lb_span leaf = LB_SPAN_EMPTY;
    uint64_t shown = 0, size = 0;
    LB_TRY(lb_link_show(service->log, &shown, arena, out_log, &size));
    LB_TRY(lb_log_leaf(service->log, index, arena, &leaf));
    return lb_link_prove(service->log, index, leaf, size, arena, out_entry);
}

static lb_status list_parts(void *ctx, const struct lb_rpc_call_info *info,
                            struct lb_span request, struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_intake_service *service = ctx;
    Lianban__V1__ListPartsRequest *ask = NULL;
    Lianban__V1__ListPartsResponse answer = LIANBAN__V1__LIST_PARTS_RESPONSE__INIT;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__list_parts_request__descriptor, request, arena, &ask));
    LB_TRY(lb_intake_list(lb_serve_intake(service->serve), ask->after, ask->all, arena, &answer));
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status pack_item(const struct lb_intake_service *service,
                           const struct lb_intake_item *item, struct lb_arena *arena,
                           struct lb_span *reply)
{
    Lianban__V1__PartResponse answer = LIANBAN__V1__PART_RESPONSE__INIT;
    answer.found = true;
    answer.number = item->n;
    answer.json = lb_arena_str(arena, item->json);
    LB_ENSURE(answer.json != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(prove(service, item->index, arena, &answer.log, &answer.entry));
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status next_part(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_intake_service *service = ctx;
    Lianban__V1__PartResponse none = LIANBAN__V1__PART_RESPONSE__INIT;
    Lianban__V1__NextPartRequest *ask = NULL;
    struct lb_intake_item item;
    bool found = false;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__next_part_request__descriptor, request, arena, &ask));
    LB_TRY(lb_intake_next(lb_serve_intake(service->serve), info->peer->spiffe, arena, &item,
                          &found));
    return found ? pack_item(service, &item, arena, reply) : lb_pb_pack(&none, arena, reply);
}

static lb_status get_part(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_intake_service *service = ctx;
    Lianban__V1__GetPartRequest *ask = NULL;
    struct lb_intake_item item;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_part_request__descriptor, request, arena, &ask));
    LB_TRY(lb_intake_show(lb_serve_intake(service->serve), info->peer->spiffe, ask->number, arena,
                          &item));
    return pack_item(service, &item, arena, reply);
}

static lb_status ack_part(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_intake_service *service = ctx;
    Lianban__V1__AckPartRequest *ask = NULL;
    Lianban__V1__AckPartResponse answer = LIANBAN__V1__ACK_PART_RESPONSE__INIT;
    uint64_t index = 0;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__ack_part_request__descriptor, request, arena, &ask));
    LB_TRY(lb_intake_ack(lb_serve_intake(service->serve), info->peer->spiffe, ask->number,
                         &index));
    LB_TRY(prove(service, index, arena, &answer.log, &answer.entry));
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status say_word(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_intake_service *service = ctx;
    Lianban__V1__SayWordRequest *ask = NULL;
    Lianban__V1__SayWordResponse answer = LIANBAN__V1__SAY_WORD_RESPONSE__INIT;
    int64_t number = 0;
    uint64_t index = 0;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__say_word_request__descriptor, request, arena, &ask));
    LB_ENSURE(ask->word != NULL, LB_MALFORMED, "nothing is said");
    const struct lb_intake_saying saying = {ask->number, info->peer->spiffe, ask->word, ask->ack};
    LB_TRY(lb_intake_say(lb_serve_intake(service->serve), &saying, &number, &index));
    answer.number = (uint32_t)number;
    LB_TRY(prove(service, index, arena, &answer.log, &answer.entry));
    return lb_pb_pack(&answer, arena, reply);
}

void lb_intake_service_methods(struct lb_intake_service *service,
                               struct lb_rpc_method out[LB_INTAKE_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/AckPart",
                                    .unary = ack_part, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/GetPart",
                                    .unary = get_part, .ctx = service};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/ListParts",
                                    .unary = list_parts, .ctx = service};
    out[3] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/NextPart",
                                    .unary = next_part, .ctx = service};
    out[4] = (struct lb_rpc_method){.path = "/lianban.v1.Adapter/SayWord",
                                    .unary = say_word, .ctx = service};
}
