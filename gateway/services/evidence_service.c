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

static lb_status get_proof(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply)
{
    struct lb_log *log = ctx;
    Lianban__V1__GetProofRequest *ask = NULL;
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_log_head head;
    struct lb_span leaf = LB_SPAN_EMPTY;
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_proof_request__descriptor, request, arena, &ask));
    LB_TRY(lb_log_head(log, arena, &head));
    uint64_t size = ask->size == 0 ? head.size : ask->size;
    LB_ENSURE(size <= head.size && ask->index < size, LB_MALFORMED, "no such entry in that tree");
    LB_TRY(lb_log_leaf(log, ask->index, arena, &leaf));
    LB_TRY(lb_link_prove(log, ask->index, leaf, size, arena, &proof));
    return lb_pb_pack(proof, arena, reply);
}

void lb_evidence_service_methods(struct lb_log *log, struct lb_rpc_method out[LB_EVIDENCE_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetCheckpoint",
                                    .unary = get_checkpoint, .ctx = log};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetProof",
                                    .unary = get_proof, .ctx = log};
}
