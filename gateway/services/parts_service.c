#include "gateway/services/parts_service.h"

#include "gateway/window/parts.h"
#include "gateway/wire/pb.h"

static lb_status attest(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                        struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__CaseRequest *ask = NULL;
    Lianban__V1__CloseCaseResponse answer = LIANBAN__V1__CLOSE_CASE_RESPONSE__INIT;
    struct lb_span note;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__case_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_attest(ctx, ask->case_id, arena, &note));
    answer.attestation = lb_arena_str(arena, note);
    LB_ENSURE(answer.attestation != NULL, LB_NO_MEMORY, "arena is full");
    return lb_pb_pack(&answer, arena, reply);
}

static lb_status submit(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                        struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__SubmitCaseRequest *ask = NULL;
    Lianban__V1__CaseParts *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__submit_case_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_submit(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status supplement(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                            struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__SupplementRequest *ask = NULL;
    Lianban__V1__CaseParts *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__supplement_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_supplement(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status withdraw(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__WithdrawRequest *ask = NULL;
    Lianban__V1__CaseParts *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__withdraw_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_withdraw(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status retry(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                       struct lb_arena *arena, struct lb_span *reply)
{
    Lianban__V1__RetryRequest *ask = NULL;
    Lianban__V1__CaseParts *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__retry_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_retry(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

static lb_status list_overdue(void *ctx, const struct lb_rpc_call_info *info,
                              struct lb_span request, struct lb_arena *arena,
                              struct lb_span *reply)
{
    Lianban__V1__ListOverdueRequest *ask = NULL;
    Lianban__V1__ListOverdueResponse *answer = NULL;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__list_overdue_request__descriptor, request, arena, &ask));
    LB_TRY(lb_window_overdue(ctx, ask, arena, &answer));
    return lb_pb_pack(answer, arena, reply);
}

void lb_parts_service_methods(struct lb_window *window, struct lb_rpc_method out[LB_PARTS_METHODS])
{
    static const struct {
        const char *path;
        lb_status (*unary)(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply);
    } methods[LB_PARTS_METHODS] = {
        {"/lianban.v1.Window/Attest", attest},
        {"/lianban.v1.Window/ListOverdue", list_overdue},
        {"/lianban.v1.Window/Retry", retry},
        {"/lianban.v1.Window/Submit", submit},
        {"/lianban.v1.Window/Supplement", supplement},
        {"/lianban.v1.Window/Withdraw", withdraw},
    };
    for (size_t i = 0; i < LB_PARTS_METHODS; i++)
        out[i] = (struct lb_rpc_method){
            .path = methods[i].path, .unary = methods[i].unary, .ctx = window};
}
