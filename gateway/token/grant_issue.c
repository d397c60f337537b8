#include <stdlib.h>

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/claims.h"
#include "gateway/token/jws.h"
#include "gateway/token/sd_jwt.h"
#include "gateway/token/section.h"

static const char subject_label[] = "lianban subject v1";

void lb_subject_commitment(const uint8_t salt[16], const char id_no[18], uint8_t out[32])
{
    const struct lb_span parts[] = {
        lb_span_str(subject_label),
        lb_span_of(salt, 16),
        lb_span_of(id_no, 18),
    };
    lb_sha256_parts(parts, 3, out);
}

struct digest {
    uint8_t bytes[32];
};

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct digest));
}

static lb_status make_disclosures(const struct lb_section *sections, size_t num,
                                  struct lb_arena *arena, struct lb_span *out_disclosures,
                                  struct digest *out_digests)
{
    for (size_t i = 0; i < num; i++) {
        LB_TRY(lb_section_check(&sections[i]));
        LB_TRY(lb_disclosure_make(LB_SECTION_NAME, lb_section_to_json(&sections[i], arena), arena,
                                  &out_disclosures[i]));
        LB_ENSURE(out_disclosures[i].len <= LB_MAX_SECTION_BYTES, LB_SECTION_INVALID,
                  "section is larger than allowed");
        lb_disclosure_digest(out_disclosures[i], out_digests[i].bytes);
    }
    return LB_OK;
}

/* The digests of sections and decoys together: padded to a multiple of 16 and sorted by their
 * bytes, so that neither number nor order says how many departments are asked, or which (RFC 9901
 * 4.2.5). */
static lb_status make_digests(struct digest *digests, size_t num_sections, size_t num)
{
    LB_TRY(lb_crypto_random(digests[num_sections].bytes,
                            (num - num_sections) * sizeof(struct digest)));
    qsort(digests, num, sizeof(struct digest), by_bytes);
    return LB_OK;
}

static lb_status digests_to_json(const struct digest *digests, size_t num, struct lb_arena *arena,
                                 struct lb_json *out_array)
{
    for (size_t i = 0; i < num; i++) {
        char *text = lb_b64url_encode(arena, lb_span_of(digests[i].bytes, 32));
        LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
        lb_json_append_str(out_array, lb_span_str(text));
    }
    return LB_OK;
}

static struct lb_json *status_to_json(const struct lb_grant *grant)
{
    struct lb_json *list = lb_json_object();
    lb_json_set_int(list, "idx", (int64_t)grant->status_index);
    lb_json_set_cstr(list, "uri", grant->status_uri);
    struct lb_json *status = lb_json_object();
    lb_json_set(status, "status_list", list);
    return status;
}

static lb_status set_subject_key(const struct lb_grant *grant, struct lb_arena *arena,
                                 struct lb_json *payload)
{
    char *text = lb_b64url_encode(arena, lb_span_of(grant->subject_key, 32));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    lb_json_set_cstr(payload, "subject_key", text);
    return LB_OK;
}

static lb_status make_payload(const struct lb_grant *grant, const struct digest *digests,
                              size_t num, struct lb_arena *arena, struct lb_span *out_text)
{
    char *jkt = lb_b64url_encode(arena, lb_span_of(grant->cnf_jkt, 32));
    LB_ENSURE(jkt != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(lb_json_freep) struct lb_json *payload = lb_json_object();
    lb_json_set_cstr(payload, "iss", grant->issuer);
    lb_json_set_int(payload, "iat", grant->iat);
    lb_json_set_int(payload, "nbf", grant->nbf);
    lb_json_set_int(payload, "exp", grant->exp);
    lb_json_set_cstr(payload, "jti", grant->jti);
    lb_json_set_cstr(payload, "suite", LB_GRANT_SUITE);
    lb_json_set_cstr(payload, "requester", grant->requester);
    struct lb_json *cnf = lb_json_object();
    lb_json_set_cstr(cnf, "jkt", jkt);
    lb_json_set(payload, "cnf", cnf);
    if (grant->status_uri != NULL)
        lb_json_set(payload, "status", status_to_json(grant));
    if (grant->has_subject_key)
        LB_TRY(set_subject_key(grant, arena, payload));
    lb_json_set_cstr(payload, "_sd_alg", "sha-256");
    struct lb_json *list = lb_json_array();
    lb_status status = digests_to_json(digests, num, arena, list);
    lb_json_set(payload, "_sd", list);
    LB_TRY(status);
    return lb_json_dump(payload, LB_JSON_COMPACT, arena, out_text);
}

lb_status lb_grant_issue(const struct lb_grant *grant, const struct lb_section *sections,
                         size_t num_sections, const struct lb_sign_key *key,
                         struct lb_arena *arena, struct lb_span *out_jwt,
                         struct lb_span *out_disclosures)
{
    LB_ENSURE(num_sections >= 1 && num_sections <= LB_MAX_DISCLOSURES, LB_SECTION_INVALID,
              "a grant has 1 to 64 sections");
    LB_TRY(lb_grant_check(grant));
    size_t num = (num_sections / LB_MIN_DIGESTS + 1) * LB_MIN_DIGESTS;
    struct digest *digests = lb_arena_array(arena, num, sizeof(*digests));
    struct lb_span *disclosures = lb_arena_array(arena, num_sections, sizeof(*disclosures));
    LB_ENSURE(digests != NULL && disclosures != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(make_disclosures(sections, num_sections, arena, disclosures, digests));
    LB_TRY(make_digests(digests, num_sections, num));
    struct lb_span payload;
    struct lb_span jwt;
    LB_TRY(make_payload(grant, digests, num, arena, &payload));
    LB_TRY(lb_jws_sign(LB_GRANT_TYP, grant->kid, payload, key, arena, &jwt));
    LB_ENSURE(jwt.len <= LB_MAX_GRANT_BYTES, LB_GRANT_MALFORMED, "grant is larger than allowed");
    *out_jwt = jwt;
    memcpy(out_disclosures, disclosures, num_sections * sizeof(*disclosures));
    return LB_OK;
}
