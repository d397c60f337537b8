#include "gateway/services/evidence_service.h"

#include "gateway/evidence/link.h"
#include "gateway/wire/pb.h"

static lb_status get_checkpoint(void *ctx, const struct lb_rpc_call_info *info,
                                struct lb_span request, struct lb_arena *arena,
                                struct lb_span *reply)
{
    struct lb_log *log = ctx;
    Lianban__V1__GetCheckpointRequest *ask = NULL;
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_log_head head;
    uint64_t size = 0;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_checkpoint_request__descriptor, request, arena, &ask));
    LB_TRY(lb_log_head(log, arena, &head));
    LB_ENSURE(ask->from_size <= head.size, LB_LOG_BEHIND, "the caller holds a larger tree");
    uint64_t shown = ask->from_size;
    LB_TRY(lb_link_show(log, &shown, arena, &progress, &size));
    return lb_pb_pack(progress, arena, reply);
}

void lb_evidence_service_methods(struct lb_log *log, struct lb_rpc_method out[LB_EVIDENCE_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetCheckpoint",
                                    .unary = get_checkpoint, .ctx = log};
}
