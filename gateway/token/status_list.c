#include "gateway/token/status_list.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/claims.h"
#include "gateway/token/jws.h"
#include "gateway/token/status_bits.h"

#define STATUS_TYP "statuslist+jwt"
#define STATUS_BITS 2
#define MAX_PACKED_BYTES (LB_MAX_STATUS_ENTRIES * STATUS_BITS / 8)
#define MAX_URI_BYTES 512
/* The token, its decoded parts, and the list itself. */
#define OPEN_ARENA_BYTES (4 * LB_MAX_STATUS_LIST_BYTES)

struct lb_status_list {
    atomic_size_t refs;
    char *issuer;
    char *uri;
    uint64_t seq;
    int64_t iat, exp, ttl;
    uint8_t sha256[32];
    uint8_t *packed;
    size_t packed_len;
};

/* --- signing --- */

static lb_status encode_states(struct lb_span states, struct lb_arena *arena, char **out_text)
{
    struct lb_span packed;
    struct lb_span zlib;
    LB_TRY(lb_status_bits_pack(states, STATUS_BITS, LB_STATE_INVALID, arena, &packed));
    LB_TRY(lb_status_deflate(packed, arena, &zlib));
    char *text = lb_b64url_encode(arena, zlib);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out_text = text;
    return LB_OK;
}

lb_status lb_status_list_sign(const char *issuer, const char *kid, const char *uri, uint64_t seq,
                              int64_t iat, int64_t lifetime_s, struct lb_span states,
                              const struct lb_sign_key *key, struct lb_arena *arena,
                              struct lb_span *out_token)
{
    LB_ENSURE(lb_text_ok(issuer, LB_MAX_NAME_BYTES) && lb_text_ok(uri, MAX_URI_BYTES),
              LB_MALFORMED, "issuer or uri is empty or too long");
    LB_ENSURE(states.len >= 1 && states.len <= LB_MAX_STATUS_ENTRIES, LB_TOO_LARGE,
              "list has no entry or too many");
    LB_ENSURE(seq <= INT64_MAX && iat >= 0 && lifetime_s >= 1 &&
                  lifetime_s <= LB_CLAIM_MAX_TIME - iat,
              LB_MALFORMED, "sequence or times are out of range");
    char *lst = NULL;
    LB_TRY(encode_states(states, arena, &lst));
    LB_DEFER(lb_json_freep) struct lb_json *payload = lb_json_object();
    lb_json_set_cstr(payload, "iss", issuer);
    lb_json_set_cstr(payload, "sub", uri);
    lb_json_set_int(payload, "iat", iat);
    lb_json_set_int(payload, "exp", iat + lifetime_s);
    lb_json_set_int(payload, "ttl", lifetime_s < LB_STATUS_TTL_S ? lifetime_s : LB_STATUS_TTL_S);
    lb_json_set_int(payload, "seq", (int64_t)seq);
    struct lb_json *list = lb_json_object();
    lb_json_set_int(list, "bits", STATUS_BITS);
    lb_json_set_cstr(list, "lst", lst);
    lb_json_set(payload, "status_list", list);
    struct lb_span text;
    struct lb_span token;
    LB_TRY(lb_json_dump(payload, LB_JSON_COMPACT, arena, &text));
    LB_TRY(lb_jws_sign(STATUS_TYP, kid, text, key, arena, &token));
    LB_ENSURE(token.len <= LB_MAX_STATUS_LIST_BYTES, LB_TOO_LARGE, "list is larger than allowed");
    *out_token = token;
    return LB_OK;
}

/* --- reading --- */

struct list_claims {
    const char *issuer;
    const char *uri;
    int64_t iat, exp, ttl;
    uint64_t seq;
    struct lb_span zlib;
};

static lb_status read_list(const struct lb_json *json, struct lb_arena *arena,
                           struct lb_span *out_zlib)
{
    static const char *const keys[] = {"bits", "lst", NULL};
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    (void)lb_claims_int(&claims, "bits", STATUS_BITS, STATUS_BITS);
    LB_TRY(claims.status);
    struct lb_span lst;
    LB_TRY(lb_json_get_str(json, "lst", &lst));
    return lb_b64url_decode(arena, lst, out_zlib);
}

static lb_status read_claims(struct lb_span payload, struct lb_arena *arena,
                             struct list_claims *out)
{
    static const char *const keys[] = {"iss", "sub", "iat",         "exp",
                                       "ttl", "seq", "status_list", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    LB_TRY(lb_json_parse(payload, &json));
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    out->issuer = lb_claims_text(&claims, "iss");
    out->uri = lb_claims_text(&claims, "sub");
    out->iat = lb_claims_int(&claims, "iat", 0, LB_CLAIM_MAX_TIME);
    out->exp = lb_claims_int(&claims, "exp", 0, LB_CLAIM_MAX_TIME);
    out->ttl = lb_claims_int(&claims, "ttl", 1, LB_CLAIM_MAX_TIME);
    out->seq = (uint64_t)lb_claims_int(&claims, "seq", 0, INT64_MAX);
    const struct lb_json *list = lb_claims_object(&claims, "status_list");
    LB_TRY(claims.status);
    LB_ENSURE(lb_text_ok(out->issuer, LB_MAX_NAME_BYTES) && lb_text_ok(out->uri, MAX_URI_BYTES),
              LB_MALFORMED, "issuer or uri is empty or too long");
    LB_ENSURE(out->exp > out->iat, LB_MALFORMED, "times are out of order");
    return read_list(list, arena, &out->zlib);
}

static lb_status read_token(struct lb_span token, struct lb_arena *arena, struct lb_jws *out_jws,
                            struct list_claims *out_claims)
{
    lb_status status =
        lb_jws_parse(token, STATUS_TYP, LB_MAX_STATUS_LIST_BYTES, arena, out_jws);
    if (lb_status_code(status) == LB_TOO_LARGE)
        return status;
    if (status == LB_OK)
        status = read_claims(out_jws->payload, arena, out_claims);
    return lb_token_fault(
        status, LB_FAULT(LB_GRANT_MALFORMED, "status list does not follow its format"));
}

lb_status lb_status_list_peek(struct lb_span token, struct lb_arena *arena,
                              const char **out_issuer, const char **out_kid)
{
    struct lb_jws jws;
    struct list_claims claims;
    LB_TRY(read_token(token, arena, &jws, &claims));
    *out_issuer = claims.issuer;
    *out_kid = jws.kid;
    return LB_OK;
}

static void list_free(struct lb_status_list *list)
{
    if (list == NULL)
        return;
    free(list->issuer);
    free(list->uri);
    free(list->packed);
    free(list);
}

static lb_status list_new(const struct list_claims *claims, struct lb_span token,
                          struct lb_span packed, struct lb_status_list **out_list)
{
    struct lb_status_list *list = calloc(1, sizeof(*list));
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "no memory for a status list");
    atomic_init(&list->refs, 1);
    list->issuer = strdup(claims->issuer);
    list->uri = strdup(claims->uri);
    list->packed = malloc(packed.len);
    if (list->issuer == NULL || list->uri == NULL || list->packed == NULL) {
        list_free(list);
        LB_FAIL(LB_NO_MEMORY, "no memory for a status list");
    }
    memcpy(list->packed, packed.ptr, packed.len);
    list->packed_len = packed.len;
    list->seq = claims->seq;
    list->iat = claims->iat;
    list->exp = claims->exp;
    list->ttl = claims->ttl;
    lb_sha256(token, list->sha256);
    *out_list = list;
    return LB_OK;
}

lb_status lb_status_list_open(struct lb_span token, const struct lb_verify_key *key,
                              struct lb_status_list **out_list)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(OPEN_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "no memory for an arena");
    struct lb_jws jws;
    struct list_claims claims;
    LB_TRY(read_token(token, arena, &jws, &claims));
    LB_TRY(lb_jws_check(jws.signing_input, jws.signature, key));
    /* Only what the issuer signed is inflated. */
    struct lb_span packed;
    lb_status status = lb_status_inflate(claims.zlib, MAX_PACKED_BYTES, arena, &packed);
    if (lb_status_code(status) == LB_TOO_LARGE)
        return status;
    LB_TRY(lb_token_fault(status,
                          LB_FAULT(LB_GRANT_MALFORMED, "status list does not decompress")));
    return list_new(&claims, token, packed, out_list);
}

void lb_status_list_ref(struct lb_status_list *list)
{
    (void)atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
}

void lb_status_list_unref(struct lb_status_list *list)
{
    if (list != NULL && atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) == 1)
        list_free(list);
}

const char *lb_status_list_uri(const struct lb_status_list *list)
{
    return list->uri;
}

const char *lb_status_list_issuer(const struct lb_status_list *list)
{
    return list->issuer;
}

uint64_t lb_status_list_seq(const struct lb_status_list *list)
{
    return list->seq;
}

int64_t lb_status_list_ttl(const struct lb_status_list *list)
{
    return list->ttl;
}

int64_t lb_status_list_issued(const struct lb_status_list *list)
{
    return list->iat;
}

int64_t lb_status_list_expires(const struct lb_status_list *list)
{
    return list->exp;
}

const uint8_t *lb_status_list_sha256(const struct lb_status_list *list)
{
    return list->sha256;
}

lb_status lb_status_list_check(const struct lb_status_list *list, uint64_t index,
                               int64_t now_unix_s)
{
    LB_ENSURE(now_unix_s < list->exp, LB_STATUS_STALE, "status list has expired");
    LB_ENSURE(list->iat <= now_unix_s + LB_CLOCK_SKEW_S, LB_STATUS_STALE,
              "status list is not valid yet");
    uint8_t state = 0;
    LB_ENSURE(lb_status_bits_get(lb_span_of(list->packed, list->packed_len), STATUS_BITS, index,
                                 &state),
              LB_GRANT_MALFORMED, "status index is out of range");
    switch ((enum lb_grant_state)state) {
    case LB_STATE_VALID:
        return LB_OK;
    case LB_STATE_SUSPENDED:
        LB_FAIL(LB_GRANT_SUSPENDED, "grant is suspended");
    case LB_STATE_EXHAUSTED:
        LB_FAIL(LB_USE_EXHAUSTED, "grant is used up");
    case LB_STATE_INVALID:
        break;
    }
    LB_FAIL(LB_GRANT_REVOKED, "grant is revoked");
}

lb_status lb_status_list_check_age(const struct lb_status_list *list, int64_t now_unix_s,
                                   int64_t max_age_s)
{
    LB_ENSURE(now_unix_s - list->iat <= max_age_s, LB_STATUS_STALE, "status list is too old");
    return LB_OK;
}
