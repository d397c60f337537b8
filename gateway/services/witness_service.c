#include "gateway/services/witness_service.h"

#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

#define PATH "/lianban.v1.Evidence/AddCheckpoint"

static bool is_named(const struct lb_witness_service *service, const char *spiffe)
{
    for (size_t i = 0; i < service->num_members; i++) {
        if (strcmp(service->members[i], spiffe) == 0)
            return true;
    }
    return false;
}

/* The caller's own log under the key that the directory lists now. */
static lb_status log_of(const struct lb_witness_service *service, const char *spiffe,
                        struct lb_note_verifier *out_verifier)
{
    struct lb_directory *directory = lb_trust_directory(service->trust);
    const struct lb_node *node = lb_directory_node(directory, spiffe);
    bool named = node != NULL && node->log_origin != NULL && is_named(service, spiffe);
    lb_status status =
        named ? LB_OK : LB_FAULT(LB_ROLE_NOT_ALLOWED, "not a log that is witnessed here");
    /* A log in the place of others that were lost: what was cosigned of those must be named. */
    for (size_t i = 0; named && i < node->num_recoveries && status == LB_OK; i++) {
        const struct lb_recovery *recovery = &node->recoveries[i];
        status = lb_witness_check_lost(service->witness, recovery->lost_origin,
                                       recovery->lost->size, recovery->lost->root);
    }
    if (status == LB_OK)
        status = lb_note_verifier_init(node->log_origin, node->log_key, out_verifier);
    lb_directory_unref(directory);
    return status;
}

static lb_status add_checkpoint(void *ctx, const struct lb_rpc_call_info *info,
                                struct lb_span request, struct lb_arena *arena,
                                struct lb_span *reply)
{
    const struct lb_witness_service *service = ctx;
    const char *peer = info->peer->spiffe;
    Lianban__V1__AddCheckpointRequest *ask = NULL;
    struct lb_witness_reply answer;
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    lb_status known = log_of(service, peer, &verifier);
    if (known != LB_OK) {
        lb_log_count_denial(service->log, peer, lb_code_outer(known->code));
        return known;
    }
    LB_TRY(lb_pb_unpack(&lianban__v1__add_checkpoint_request__descriptor, request, arena, &ask));
    LB_TRY(lb_witness_add(service->witness, peer, &verifier, lb_pb_span(ask->body), arena,
                          &answer));
    Lianban__V1__AddCheckpointReply out = LIANBAN__V1__ADD_CHECKPOINT_REPLY__INIT;
    out.status = answer.answer;
    out.body = lb_pb_bytes(answer.body);
    out.evidence = lb_pb_bytes(answer.evidence);
    return lb_pb_pack(&out, arena, reply);
}

void lb_witness_service_methods(struct lb_witness_service *service,
                                struct lb_rpc_method out[LB_WITNESS_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = PATH, .unary = add_checkpoint, .ctx = service};
}

lb_status lb_witness_call(struct lb_rpc_channel *channel, struct lb_span body, int64_t timeout_ms,
                          struct lb_arena *arena, struct lb_submit_reply *out_reply)
{
    Lianban__V1__AddCheckpointRequest ask = LIANBAN__V1__ADD_CHECKPOINT_REQUEST__INIT;
    Lianban__V1__AddCheckpointReply *answer = NULL;
    struct lb_span request, reply;
    ask.body = lb_pb_bytes(body);
    LB_TRY(lb_pb_pack(&ask, arena, &request));
    LB_TRY(lb_rpc_call(channel, PATH, NULL, 0, request, timeout_ms, arena, &reply));
    LB_TRY(lb_pb_unpack(&lianban__v1__add_checkpoint_reply__descriptor, reply, arena, &answer));
    *out_reply = (struct lb_submit_reply){
        .answer = answer->status,
        .body = lb_pb_span(answer->body),
        .evidence = lb_pb_span(answer->evidence),
    };
    return LB_OK;
}
