#include "gateway/services/parts_service.h"

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

void lb_parts_service_methods(struct lb_window *window, struct lb_rpc_method out[LB_PARTS_METHODS])
{
    out[0] = (struct lb_rpc_method){
        .path = "/lianban.v1.Window/Attest", .unary = attest, .ctx = window};
}
