#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/claims.h"
#include "gateway/token/jws.h"
#include "gateway/token/sd_jwt.h"
#include "gateway/token/section.h"

lb_status lb_grant_check(const struct lb_grant *grant)
{
    LB_ENSURE(lb_text_ok(grant->issuer, LB_MAX_NAME_BYTES) &&
                  lb_text_ok(grant->kid, LB_MAX_NAME_BYTES) &&
                  lb_text_ok(grant->jti, LB_MAX_NAME_BYTES) &&
                  lb_text_ok(grant->requester, LB_MAX_NAME_BYTES),
              LB_GRANT_MALFORMED, "a name is empty or too long");
    LB_ENSURE(grant->iat >= 0 && grant->nbf >= 0 && grant->exp > grant->nbf &&
                  grant->exp > grant->iat && grant->exp <= LB_CLAIM_MAX_TIME,
              LB_GRANT_MALFORMED, "times are out of order");
    if (grant->status_uri == NULL)
        return LB_OK;
    LB_ENSURE(lb_text_ok(grant->status_uri, LB_MAX_URI_BYTES), LB_GRANT_MALFORMED,
              "status list is empty or too long");
    LB_ENSURE(grant->status_index < LB_MAX_STATUS_ENTRIES, LB_GRANT_MALFORMED,
              "status index is out of range");
    return LB_OK;
}

static lb_status read_cnf(const struct lb_json *json, struct lb_arena *arena,
                          struct lb_grant *grant)
{
    static const char *const keys[] = {"jkt", NULL};
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    lb_claims_b64_32(&claims, "jkt", grant->cnf_jkt);
    return claims.status;
}

static lb_status read_status(const struct lb_json *payload, struct lb_arena *arena,
                             struct lb_grant *grant)
{
    static const char *const outer[] = {"status_list", NULL};
    static const char *const inner[] = {"idx", "uri", NULL};
    const struct lb_json *status = NULL;
    lb_status found = lb_json_get_object(payload, "status", &status);
    if (lb_status_code(found) == LB_ABSENT)
        return LB_OK;
    LB_TRY(found);
    struct lb_claims wrapper = lb_claims_of(status, outer, arena);
    const struct lb_json *list = lb_claims_object(&wrapper, "status_list");
    LB_TRY(wrapper.status);
    struct lb_claims claims = lb_claims_of(list, inner, arena);
    grant->status_index =
        (uint64_t)lb_claims_int(&claims, "idx", 0, LB_MAX_STATUS_ENTRIES - 1);
    grant->status_uri = lb_claims_text(&claims, "uri");
    return claims.status;
}

static lb_status read_subject_key(const struct lb_json *payload, struct lb_arena *arena,
                                  struct lb_grant *grant)
{
    struct lb_span text, bytes;
    lb_status found = lb_json_get_str(payload, "subject_key", &text);
    if (lb_status_code(found) == LB_ABSENT)
        return LB_OK;
    LB_TRY(found);
    LB_TRY(lb_b64url_decode(arena, text, &bytes));
    LB_ENSURE(bytes.len == sizeof(grant->subject_key), LB_MALFORMED, "subject key is not 32 bytes");
    memcpy(grant->subject_key, bytes.ptr, sizeof(grant->subject_key));
    grant->has_subject_key = true;
    return LB_OK;
}

static lb_status read_digest(const struct lb_json *json, struct lb_arena *arena, uint8_t out[32])
{
    struct lb_span bytes;
    LB_ENSURE(lb_json_is_string(json), LB_MALFORMED, "digest is not a text");
    LB_TRY(lb_b64url_decode(arena, lb_json_str(json), &bytes));
    LB_ENSURE(bytes.len == 32, LB_MALFORMED, "digest is not 32 bytes");
    memcpy(out, bytes.ptr, 32);
    return LB_OK;
}

/* Strictly rising, so none comes twice (RFC 9901 section 7.1) and the order says nothing. */
static lb_status read_digests(const struct lb_json *list, struct lb_arena *arena,
                              struct lb_grant *grant)
{
    size_t num = lb_json_len(list);
    LB_ENSURE(num >= LB_MIN_DIGESTS && num <= LB_MAX_DIGESTS, LB_MALFORMED,
              "number of digests is out of range");
    uint8_t (*digests)[32] = lb_arena_array(arena, num, sizeof(*digests));
    LB_ENSURE(digests != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_digest(lb_json_at(list, i), arena, digests[i]));
        LB_ENSURE(i == 0 || memcmp(digests[i - 1], digests[i], 32) < 0,
                  LB_MALFORMED, "digests are not sorted");
    }
    grant->num_digests = num;
    grant->digests = (const uint8_t (*)[32])digests;
    return LB_OK;
}

static lb_status check_suite(const struct lb_json *payload)
{
    struct lb_span suite;
    LB_TRY(lb_json_get_str(payload, "suite", &suite));
    /* Told apart from rubbish: the sender is newer than we are, and its operator can be told so. */
    LB_ENSURE(lb_span_is(suite, LB_GRANT_SUITE), LB_VERSION_UNSUPPORTED, "grant of another suite");
    return LB_OK;
}

static lb_status read_payload(const struct lb_json *payload, struct lb_arena *arena,
                              struct lb_grant *grant)
{
    static const char *const keys[] = {"iss",         "iat", "nbf",    "exp",     "jti", "suite",
                                       "requester",   "cnf", "status", "_sd_alg", "_sd",
                                       "subject_key", NULL};
    struct lb_claims claims = lb_claims_of(payload, keys, arena);
    grant->issuer = lb_claims_text(&claims, "iss");
    grant->iat = lb_claims_int(&claims, "iat", 0, LB_CLAIM_MAX_TIME);
    grant->nbf = lb_claims_int(&claims, "nbf", 0, LB_CLAIM_MAX_TIME);
    grant->exp = lb_claims_int(&claims, "exp", 0, LB_CLAIM_MAX_TIME);
    grant->jti = lb_claims_text(&claims, "jti");
    grant->requester = lb_claims_text(&claims, "requester");
    const char *sd_alg = lb_claims_text(&claims, "_sd_alg");
    const struct lb_json *cnf = lb_claims_object(&claims, "cnf");
    const struct lb_json *digests = lb_claims_array(&claims, "_sd");
    LB_TRY(claims.status);
    LB_ENSURE(strcmp(sd_alg, "sha-256") == 0, LB_MALFORMED, "_sd_alg is not sha-256");
    LB_TRY(read_cnf(cnf, arena, grant));
    LB_TRY(read_status(payload, arena, grant));
    LB_TRY(read_subject_key(payload, arena, grant));
    return read_digests(digests, arena, grant);
}

static lb_status read_jwt(struct lb_span jwt, struct lb_arena *arena, struct lb_grant *out_grant)
{
    struct lb_jws jws;
    LB_TRY(lb_jws_parse(jwt, LB_GRANT_TYP, LB_MAX_GRANT_BYTES, arena, &jws));
    LB_DEFER(lb_json_freep) struct lb_json *payload = NULL;
    LB_TRY(lb_json_parse(jws.payload, &payload));
    LB_ENSURE(lb_json_is_object(payload), LB_MALFORMED, "payload is not an object");
    LB_TRY(check_suite(payload));
    out_grant->kid = jws.kid;
    out_grant->signing_input = jws.signing_input;
    out_grant->signature = jws.signature;
    LB_TRY(read_payload(payload, arena, out_grant));
    return lb_grant_check(out_grant);
}

lb_status lb_grant_peek(struct lb_span jwt, struct lb_arena *arena, struct lb_grant *out_grant)
{
    struct lb_grant grant = {0};
    lb_status status = read_jwt(jwt, arena, &grant);
    if (lb_status_code(status) == LB_VERSION_UNSUPPORTED)
        return status;
    LB_TRY(lb_token_fault(status,
                          LB_FAULT(LB_GRANT_MALFORMED, "grant does not follow its format")));
    *out_grant = grant;
    return LB_OK;
}

lb_status lb_grant_check_signature(const struct lb_grant *grant, const struct lb_verify_key *key)
{
    return lb_jws_check(grant->signing_input, grant->signature, key);
}

lb_status lb_grant_verify(struct lb_span jwt, const struct lb_verify_key *key,
                          struct lb_arena *arena, struct lb_grant *out_grant)
{
    struct lb_grant grant = {0};
    LB_TRY(lb_grant_peek(jwt, arena, &grant));
    LB_TRY(lb_grant_check_signature(&grant, key));
    *out_grant = grant;
    return LB_OK;
}

lb_status lb_grant_check_time(const struct lb_grant *grant, int64_t now_unix_s)
{
    LB_ENSURE(now_unix_s < grant->exp, LB_GRANT_EXPIRED, "grant has expired");
    LB_ENSURE(grant->nbf <= now_unix_s + LB_CLOCK_SKEW_S, LB_GRANT_NOT_YET_VALID,
              "grant is not valid yet");
    LB_ENSURE(grant->iat <= now_unix_s + LB_CLOCK_SKEW_S, LB_GRANT_NOT_YET_VALID,
              "grant was issued in the future");
    return LB_OK;
}

static bool holds_digest(const struct lb_grant *grant, const uint8_t digest[32])
{
    for (size_t i = 0; i < grant->num_digests; i++) {
        if (memcmp(grant->digests[i], digest, 32) == 0)
            return true;
    }
    return false;
}

lb_status lb_section_open(const struct lb_grant *grant, struct lb_span disclosure,
                          struct lb_arena *arena, struct lb_section *out_section)
{
    LB_ENSURE(disclosure.len > 0 && disclosure.len <= LB_MAX_SECTION_BYTES, LB_SECTION_INVALID,
              "section has a wrong size");
    uint8_t digest[32];
    lb_disclosure_digest(disclosure, digest);
    LB_ENSURE(holds_digest(grant, digest), LB_SECTION_INVALID, "section is not of this grant");
    LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
    const struct lb_json *value = NULL;
    LB_TRY(lb_token_fault(lb_disclosure_read(disclosure, LB_SECTION_NAME, arena, &root, &value),
                          LB_FAULT(LB_SECTION_INVALID, "disclosure does not follow its format")));
    return lb_section_from_json(value, arena, out_section);
}
