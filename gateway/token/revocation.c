#include "gateway/token/revocation.h"

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/claims.h"
#include "gateway/token/jws.h"

#define REVOKE_TYP "lianban-revoke+jwt"

static const char key_label[] = "lianban subject key v1";

struct revocation {
    const char *issuer;
    const char *jti;
    int64_t iat;
    struct lb_span nonce;  /* what the commitment was made with */
    uint8_t raw[LB_P256_PUBLIC_BYTES];
};

/* RFC 7638 section 3.2: required members only, in lexicographic order. */
static lb_status thumbprint_p256(const uint8_t raw[LB_P256_PUBLIC_BYTES], struct lb_arena *arena,
                                 uint8_t out[32])
{
    char *x = lb_b64url_encode(arena, lb_span_of(raw, 32));
    char *y = lb_b64url_encode(arena, lb_span_of(raw + 32, 32));
    LB_ENSURE(x != NULL && y != NULL, LB_NO_MEMORY, "arena is full");
    char *text = lb_arena_printf(
        arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x, y);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    lb_sha256(lb_span_str(text), out);
    return LB_OK;
}

static void commit(struct lb_span nonce, const uint8_t thumbprint[32], uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str(key_label), nonce, lb_span_of(thumbprint, 32)};
    lb_sha256_parts(parts, 3, out);
}

lb_status lb_subject_key(const uint8_t salt[LB_REVOCATION_SALT_BYTES],
                         const uint8_t public_key[LB_P256_PUBLIC_BYTES], struct lb_arena *arena,
                         uint8_t out[32])
{
    uint8_t thumbprint[32];
    LB_TRY(thumbprint_p256(public_key, arena, thumbprint));
    commit(lb_span_of(salt, LB_REVOCATION_SALT_BYTES), thumbprint, out);
    return LB_OK;
}

/* --- signing --- */

static lb_status set_bytes(struct lb_json *object, const char *name, struct lb_span bytes,
                           struct lb_arena *arena)
{
    char *text = lb_b64url_encode(arena, bytes);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    lb_json_set_cstr(object, name, text);
    return LB_OK;
}

static lb_status set_jwk(struct lb_json *payload, const uint8_t raw[LB_P256_PUBLIC_BYTES],
                         struct lb_arena *arena)
{
    LB_DEFER(lb_json_freep) struct lb_json *jwk = lb_json_object();
    lb_json_set_cstr(jwk, "crv", "P-256");
    lb_json_set_cstr(jwk, "kty", "EC");
    LB_TRY(set_bytes(jwk, "x", lb_span_of(raw, 32), arena));
    LB_TRY(set_bytes(jwk, "y", lb_span_of(raw + 32, 32), arena));
    lb_json_set(payload, "jwk", jwk);
    jwk = NULL;
    return LB_OK;
}

lb_status lb_revocation_sign(const struct lb_grant *grant,
                             const uint8_t salt[LB_REVOCATION_SALT_BYTES], int64_t iat,
                             const struct lb_sign_key *key, struct lb_arena *arena,
                             struct lb_span *out_token)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES], thumbprint[32];
    struct lb_span text;
    LB_ENSURE(key != NULL && lb_sign_key_alg(key) == LB_SIGN_ES256, LB_CRYPTO_FAILED,
              "key is not one of ES256");
    (void)lb_sign_key_public(key, raw);
    LB_TRY(thumbprint_p256(raw, arena, thumbprint));
    char *kid = lb_b64url_encode(arena, lb_span_of(thumbprint, sizeof(thumbprint)));
    LB_ENSURE(kid != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(lb_json_freep) struct lb_json *payload = lb_json_object();
    lb_json_set_cstr(payload, "iss", grant->issuer);
    lb_json_set_cstr(payload, "jti", grant->jti);
    lb_json_set_int(payload, "iat", iat);
    LB_TRY(set_bytes(payload, "salt", lb_span_of(salt, LB_REVOCATION_SALT_BYTES), arena));
    LB_TRY(set_jwk(payload, raw, arena));
    LB_TRY(lb_json_dump(payload, LB_JSON_COMPACT, arena, &text));
    return lb_jws_sign(REVOKE_TYP, kid, text, key, arena, out_token);
}

/* --- reading --- */

static lb_status read_coordinate(struct lb_claims *jwk, const char *name, uint8_t out[32])
{
    lb_claims_b64_32(jwk, name, out);
    return jwk->status;
}

static lb_status read_jwk(const struct lb_json *object, struct lb_arena *arena,
                          struct revocation *out)
{
    static const char *const keys[] = {"crv", "kty", "x", "y", NULL};
    struct lb_claims jwk = lb_claims_of(object, keys, arena);
    const char *crv = lb_claims_text(&jwk, "crv");
    const char *kty = lb_claims_text(&jwk, "kty");
    LB_TRY(read_coordinate(&jwk, "x", out->raw));
    LB_TRY(read_coordinate(&jwk, "y", out->raw + 32));
    LB_ENSURE(strcmp(crv, "P-256") == 0 && strcmp(kty, "EC") == 0, LB_MALFORMED,
              "key is of another kind");
    return LB_OK;
}

static lb_status read_claims(struct lb_span payload, struct lb_arena *arena,
                             struct revocation *out)
{
    static const char *const keys[] = {"iss", "jti", "iat", "salt", "jwk", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    LB_TRY(lb_json_parse(payload, &json));
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    out->issuer = lb_claims_text(&claims, "iss");
    out->jti = lb_claims_text(&claims, "jti");
    out->iat = lb_claims_int(&claims, "iat", 0, LB_CLAIM_MAX_TIME);
    const char *nonce = lb_claims_text(&claims, "salt");
    const struct lb_json *jwk = lb_claims_object(&claims, "jwk");
    LB_TRY(claims.status);
    LB_TRY(lb_b64url_decode(arena, lb_span_str(nonce), &out->nonce));
    LB_ENSURE(out->nonce.len == LB_REVOCATION_SALT_BYTES, LB_MALFORMED, "salt is not 16 bytes");
    return read_jwk(jwk, arena, out);
}

static lb_status read_token(struct lb_span token, struct lb_arena *arena, struct lb_jws *out_jws,
                            struct revocation *out)
{
    lb_status status = lb_jws_parse(token, REVOKE_TYP, LB_MAX_TOKEN_BYTES, arena, out_jws);
    if (lb_status_code(status) == LB_TOO_LARGE)
        return status;
    if (status == LB_OK)
        status = read_claims(out_jws->payload, arena, out);
    return lb_token_fault(
        status, LB_FAULT(LB_GRANT_MALFORMED, "withdrawal does not follow its format"));
}

/* The key the citizen's device showed when the grant was made, and no other. */
static lb_status check_key(const struct revocation *revocation, const struct lb_grant *grant,
                           const char *kid, struct lb_arena *arena)
{
    uint8_t thumbprint[32], committed[32];
    LB_ENSURE(grant->has_subject_key, LB_SIGNATURE_INVALID, "grant names no key of the citizen's");
    LB_TRY(thumbprint_p256(revocation->raw, arena, thumbprint));
    char *text = lb_b64url_encode(arena, lb_span_of(thumbprint, sizeof(thumbprint)));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(strcmp(text, kid) == 0, LB_GRANT_MALFORMED, "kid is another key's");
    commit(revocation->nonce, thumbprint, committed);
    LB_ENSURE(lb_crypto_equal(lb_span_of(committed, 32), lb_span_of(grant->subject_key, 32)),
              LB_SIGNATURE_INVALID, "not the key that the grant names");
    return LB_OK;
}

lb_status lb_revocation_verify(struct lb_span token, const struct lb_grant *grant,
                               int64_t now_unix_s, struct lb_arena *arena)
{
    struct lb_jws jws;
    struct revocation revocation;
    LB_TRY(read_token(token, arena, &jws, &revocation));
    LB_ENSURE(strcmp(revocation.issuer, grant->issuer) == 0 &&
                  strcmp(revocation.jti, grant->jti) == 0,
              LB_GRANT_MALFORMED, "withdrawal of another grant");
    LB_ENSURE(revocation.iat <= now_unix_s + LB_CLOCK_SKEW_S, LB_GRANT_MALFORMED,
              "withdrawal from the future");
    LB_TRY(check_key(&revocation, grant, jws.kid, arena));
    struct lb_verify_key *key = NULL;
    lb_status status =
        lb_verify_key_new(LB_SIGN_ES256, lb_span_of(revocation.raw, sizeof(revocation.raw)), &key);
    if (status == LB_OK)
        status = lb_jws_check(jws.signing_input, jws.signature, key);
    lb_verify_key_free(key);
    return lb_token_fault(status, LB_FAULT(LB_SIGNATURE_INVALID, "signature does not verify"));
}
