#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/padded.h"
#include "gateway/wire/pb.h"

/* The seal and what it says of itself: age, request id, operator. Codes here are outer. */

static lb_status open_seal(struct lb_read_job *job, struct lb_span *out_plain)
{
    const Lianban__V1__ReadRequest *request = job->request;
    const Lianban__V1__Sealed *sealed = request->sealed;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    LB_TRY(lb_seal_ring_get(job->serve->options.ring, job->directory, sealed->key_id, &own));
    struct lb_span info = LB_SPAN_EMPTY;
    LB_TRY(lb_seal_info(request->requester, request->audience, sealed->key_id, job->arena, &info));
    LB_TRY(lb_seal_contexts_get(job->serve->contexts, &own.key, sealed->enc.data, info,
                                sealed->sender_key.data, &job->context));

    struct lb_span views[LB_MAX_VIEWS_PER_SECTION];
    for (size_t i = 0; i < request->n_views; i++)
        views[i] = lb_span_str(request->views[i]);
    uint8_t aad[LB_SEAL_AAD_BYTES];
    LB_TRY(lb_seal_aad(lb_span_str(request->grant), lb_pb_span(request->txn), views,
                       request->n_views, request->deadline_unix_ms, request->answer_bytes, aad));
    struct lb_span ciphertext = lb_pb_span(sealed->ciphertext);
    uint8_t *plain = lb_arena_alloc(job->arena, ciphertext.len);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_hpke_open(&job->context, sealed->seq, lb_span_of(aad, sizeof(aad)), ciphertext,
                        plain));
    return lb_padded_unwrap(lb_span_of(plain, ciphertext.len - LB_AEAD_TAG_BYTES), out_plain);
}

static lb_status check_plain(const struct lb_read_job *job)
{
    const Lianban__V1__SealedRequest *plain = job->plain;
    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    LB_ENSURE(plain->version == 1, LB_VERSION_UNSUPPORTED, "sealed request of another version");
    LB_ENSURE(plain->iat >= now - LB_SEALED_MAX_AGE_S, LB_REQUEST_STALE, "sealed too long ago");
    LB_ENSURE(plain->iat <= now + LB_CLOCK_SKEW_S, LB_REQUEST_STALE, "sealed in the future");
    LB_ENSURE(plain->rid.len == 16 && plain->salt.len == 16, LB_MALFORMED,
              "rid or salt is not 16 bytes");
    LB_ENSURE(strlen(plain->section) <= LB_MAX_SECTION_BYTES, LB_TOO_LARGE, "section too large");
    LB_ENSURE(strlen(plain->name) <= LB_MAX_VALUE_BYTES, LB_TOO_LARGE, "name too long");
    LB_ENSURE(strlen(plain->operator_token) <= LB_MAX_TOKEN_BYTES &&
                  strlen(plain->approver_token) <= LB_MAX_TOKEN_BYTES,
              LB_TOO_LARGE, "operator token too large");
    LB_ENSURE(plain->n_wants >= 1 && plain->n_wants <= LB_MAX_FIELDS_PER_SECTION, LB_MALFORMED,
              "number of wants is out of range");
    return LB_OK;
}

lb_status lb_read_token(struct lb_read_job *job, const char *text, struct lb_operator *out)
{
    struct lb_operator_cache *cache = job->serve->operators;
    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    struct lb_operator_read read;
    LB_TRY(lb_operator_cache_read(cache, lb_span_str(text), now, job->arena, &read));
    LB_ENSURE(strcmp(read.claims.organization, job->requester_org) == 0,
              LB_OPERATOR_TOKEN_INVALID, "operator belongs to another organization");
    const struct lb_issuer *issuer = NULL;
    LB_TRY(lb_serve_issuer(job->serve, job->directory, read.claims.organization, read.claims.kid,
                           &issuer));
    LB_ENSURE((issuer->kinds & LB_ISSUES_OPERATOR) != 0, LB_OPERATOR_TOKEN_INVALID,
              "issuer does not issue operator tokens");
    LB_TRY(lb_operator_cache_check(cache, &read, issuer->key, now, job->arena));
    *out = read.claims;
    return LB_OK;
}

/* Replay memory goes by context and number; uses go by grant and request id. */
static void name_use(struct lb_read_job *job)
{
    const Lianban__V1__Sealed *sealed = job->request->sealed;
    uint8_t seq[8];
    for (unsigned i = 0; i < sizeof(seq); i++)
        seq[i] = (uint8_t)(sealed->seq >> (8 * (sizeof(seq) - 1 - i)));
    const struct lb_span replay[] = {lb_pb_span(sealed->enc), lb_span_of(seq, sizeof(seq))};
    lb_sha256_parts(replay, 2, job->use.replay_id);
    lb_serve_grant_id(job->grant.issuer, job->grant.jti, job->use.grant_id);
    const struct lb_span rid[] = {lb_span_of(job->use.grant_id, 32), lb_pb_span(job->plain->rid)};
    lb_sha256_parts(rid, 2, job->use.rid_id);
}

lb_status lb_read_open(struct lb_read_job *job)
{
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_TRY(open_seal(job, &plain));
    Lianban__V1__SealedRequest *message = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_request__descriptor, plain, job->arena, &message));
    job->plain = message;
    LB_TRY(check_plain(job));
    LB_TRY(lb_read_token(job, job->plain->operator_token, &job->operator_claims));
    name_use(job);
    return LB_OK;
}
