#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/port.h"
#include "gateway/ctl/psi.h"
#include "gateway/evidence/link.h"
#include "gateway/wire/pb.h"

/* Each step is an entry of the own log before it happens, and the other side is shown it: an offer
 * without one is not answered, an answer without one is not used. */

#define REVIEW_LABEL "lianban review v1"

const char *lb_ctl_psi_query(struct lb_arena *arena, const struct lb_ctl_psi_agreement *agreement,
                             const uint8_t run[LB_PSI_RUN_BYTES],
                             const uint8_t list[LB_PSI_COMMITMENT_BYTES], size_t size)
{
    char run_hex[2 * LB_PSI_RUN_BYTES + 1], list_hex[65], agreement_hex[65];
    lb_hex_encode(lb_span_of(run, LB_PSI_RUN_BYTES), run_hex);
    lb_hex_encode(lb_span_of(list, LB_PSI_COMMITMENT_BYTES), list_hex);
    lb_hex_encode(lb_span_of(agreement->sha256, sizeof(agreement->sha256)), agreement_hex);
    return lb_arena_printf(arena, "psi run=%s agreement=%s sha256=%s list=%s size=%zu", run_hex,
                           agreement->name, agreement_hex, list_hex, size);
}

/* --- checking --- */

static lb_status open_leaf(const struct lb_ctl_psi_party *party,
                           const struct lb_psi_evidence *evidence, struct lb_arena *arena,
                           struct lb_leaf *out)
{
    Lianban__V1__LogProgress *log = NULL;
    Lianban__V1__EntryProof *entry = NULL;
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_hash hash;
    LB_TRY(lb_pb_unpack(&lianban__v1__log_progress__descriptor, evidence->log, arena, &log));
    LB_TRY(lb_pb_unpack(&lianban__v1__entry_proof__descriptor, evidence->entry, arena, &entry));
    LB_TRY(lb_watch_init(&watch, party->origin, party->log_key, 0, NULL));
    lb_status status = lb_watch_check(&watch, log, &checkpoint);
    lb_watch_cleanup(&watch);
    LB_TRY(status);
    return lb_link_verify(entry, &checkpoint, out, &hash);
}

lb_status lb_ctl_psi_evidence_check(const struct lb_ctl_psi_party *party, const char *kind,
                                    const char *query, const struct lb_psi_evidence *evidence,
                                    struct lb_arena *arena)
{
    const struct lb_span parts[] = {lb_span_str(REVIEW_LABEL),
                                    lb_span_of(evidence->salt, sizeof(evidence->salt)),
                                    evidence->query};
    uint8_t commitment[LB_SHA256_BYTES];
    struct lb_leaf leaf;
    LB_ENSURE(lb_span_is(evidence->query, query), LB_RECEIPT_INVALID, "an entry about another run");
    LB_ENSURE(open_leaf(party, evidence, arena, &leaf) == LB_OK, LB_RECEIPT_INVALID,
              "the entry's proof does not hold");
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), commitment);
    LB_ENSURE(leaf.type == LB_LEAF_REVIEW && strcmp(leaf.code, kind) == 0 &&
                  lb_crypto_equal(lb_span_of(leaf.request_hash, 32), lb_span_of(commitment, 32)),
              LB_RECEIPT_INVALID, "an entry of another step");
    return LB_OK;
}

/* --- recording --- */

static lb_status ask_node(struct lb_ctl_psi *psi, Lianban__V1__RecordReviewRequest *request,
                          Lianban__V1__RecordReviewResponse **out)
{
    const struct lb_ctl_env *env = psi->node.env;
    struct lb_ctl_desk_profile profile;
    struct lb_ctl_desk_port port = {.ctx = NULL};
    LB_TRY(lb_ctl_desk_profile_load(psi->officer_path, psi->arena, &psi->node.diag, &profile));
    bool own = profile.adapter != NULL &&
               strcmp(profile.adapter, lb_ctl_psi_own(psi)->spiffe) == 0;
    if (!own)
        lb_diag_set(&psi->node.diag, "%s is no profile of this adapter's officer",
                    psi->officer_path);
    LB_ENSURE(own, LB_CONFIG_INVALID, "another node's officer");
    LB_TRY(env->remote->open_desk(env->remote->ctx, &profile, env->clock, &psi->node.diag, &port));
    lb_status status =
        port.ask_evidence(port.ctx, "RecordReview", request,
                          &lianban__v1__record_review_response__descriptor, psi->arena, out);
    port.close(port.ctx);
    return status;
}

static lb_status pack(const Lianban__V1__RecordReviewResponse *answer, struct lb_arena *arena,
                      struct lb_psi_evidence *out)
{
    LB_ENSURE(answer->log != NULL && answer->entry != NULL, LB_RECEIPT_INVALID, "no proof came");
    LB_TRY(lb_pb_pack(answer->log, arena, &out->log));
    return lb_pb_pack(answer->entry, arena, &out->entry);
}

static lb_status record(struct lb_ctl_psi *psi, const char *kind, const char *query,
                        struct lb_psi_evidence *out)
{
    Lianban__V1__RecordReviewRequest request = LIANBAN__V1__RECORD_REVIEW_REQUEST__INIT;
    Lianban__V1__RecordReviewResponse *answer = NULL;
    LB_TRY(lb_crypto_random(out->salt, sizeof(out->salt)));
    request.kind = (char *)(uintptr_t)kind; /* only packed, as are the others */
    request.query = (char *)(uintptr_t)query;
    request.reason = (char *)(uintptr_t)(psi->reason == NULL ? "" : psi->reason);
    request.salt = (ProtobufCBinaryData){sizeof(out->salt), out->salt};
    LB_TRY(ask_node(psi, &request, &answer));
    out->query = lb_span_str(query);
    LB_TRY(pack(answer, psi->arena, out));
    return lb_ctl_psi_evidence_check(lb_ctl_psi_own(psi), kind, query, out, psi->arena);
}

lb_status lb_ctl_psi_record(struct lb_ctl_psi *psi, const char *kind, const char *query,
                            struct lb_psi_evidence *out)
{
    char why[sizeof(psi->node.diag.text)];
    LB_ENSURE(query != NULL, LB_NO_MEMORY, "arena is full");
    psi->node.diag.text[0] = 0;
    lb_status status = record(psi, kind, query, out);
    if (status == LB_OK)
        return LB_OK;
    memcpy(why, psi->node.diag.text, sizeof(why));
    lb_diag_set(&psi->node.diag, "nothing was done: %.800s (%s)",
                why[0] != 0 ? why : lb_code_text_en(lb_status_code(status)),
                lb_code_name(lb_status_code(status)));
    LB_FAIL(LB_REVIEW_UNRECORDED, "the step is no entry");
}
