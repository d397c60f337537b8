#include "gateway/token/operator_token.h"

#include <jwt.h>
#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/token/claims.h"
#include "gateway/token/jws.h"

/* libjwt 1.10 writes and takes no other typ, so the kind of token is a claim of its own. */
#define OPERATOR_TYP "JWT"
#define OPERATOR_USE "lianban-operator"

static void jwt_freep(jwt_t **jwt)
{
    if (*jwt != NULL)
        jwt_free(*jwt);
}

static void text_freep(char **text)
{
    free(*text);
}

static bool is_person(const char *text)
{
    return strlen(text) == LB_OPERATOR_PERSON_DIGITS &&
           strspn(text, "0123456789abcdef") == LB_OPERATOR_PERSON_DIGITS;
}

static lb_status check_claims(const struct lb_operator *claims)
{
    LB_ENSURE(lb_text_ok(claims->organization, LB_MAX_NAME_BYTES) &&
                  lb_text_ok(claims->kid, LB_MAX_NAME_BYTES) &&
                  lb_text_ok(claims->unit, LB_MAX_NAME_BYTES) &&
                  lb_text_ok(claims->jti, LB_MAX_NAME_BYTES),
              LB_OPERATOR_TOKEN_INVALID, "a claim is empty or too long");
    LB_ENSURE(claims->person != NULL && is_person(claims->person), LB_OPERATOR_TOKEN_INVALID,
              "person is not 32 hex digits");
    LB_ENSURE(claims->iat >= 0 && claims->exp > claims->iat &&
                  claims->exp - claims->iat <= LB_OPERATOR_TOKEN_MAX_S,
              LB_OPERATOR_TOKEN_INVALID, "times are out of order or too far apart");
    return LB_OK;
}

/* --- issuing, by libjwt --- */

static lb_status fill(jwt_t *jwt, const struct lb_operator *claims)
{
    int failed = jwt_add_header(jwt, "kid", claims->kid);
    failed |= jwt_add_grant(jwt, "use", OPERATOR_USE);
    failed |= jwt_add_grant(jwt, "iss", claims->organization);
    failed |= jwt_add_grant(jwt, "unit", claims->unit);
    failed |= jwt_add_grant(jwt, "sub", claims->person);
    failed |= jwt_add_grant(jwt, "jti", claims->jti);
    failed |= jwt_add_grant_int(jwt, "iat", claims->iat);
    failed |= jwt_add_grant_int(jwt, "exp", claims->exp);
    LB_ENSURE(failed == 0, LB_OPERATOR_TOKEN_INVALID, "libjwt refuses a claim");
    return LB_OK;
}

static lb_status set_key(jwt_t *jwt, const struct lb_sign_key *key, struct lb_arena *arena)
{
    struct lb_span pem;
    LB_TRY(lb_sign_key_to_pem(key, arena, &pem));
    int failed = jwt_set_alg(jwt, JWT_ALG_ES256, pem.ptr, (int)pem.len);
    LB_ENSURE(failed == 0, LB_CRYPTO_FAILED, "libjwt refuses the key");
    return LB_OK;
}

lb_status lb_operator_token_issue(const struct lb_operator *operator_claims,
                                  const struct lb_sign_key *key, struct lb_arena *arena,
                                  struct lb_span *out_token)
{
    LB_TRY(check_claims(operator_claims));
    LB_ENSURE(key != NULL && lb_sign_key_alg(key) == LB_SIGN_ES256, LB_CRYPTO_FAILED,
              "key is not one of ES256");
    LB_DEFER(jwt_freep) jwt_t *jwt = NULL;
    LB_ENSURE(jwt_new(&jwt) == 0, LB_NO_MEMORY, "no memory for a token");
    LB_TRY(fill(jwt, operator_claims));
    /* The key's text lives in an arena of its own, which is wiped at the end of this call. */
    LB_DEFER(lb_arena_freep) struct lb_arena *secret = lb_arena_new(LB_MAX_PEM_BYTES);
    LB_ENSURE(secret != NULL, LB_NO_MEMORY, "no memory for an arena");
    LB_TRY(set_key(jwt, key, secret));
    LB_DEFER(text_freep) char *text = jwt_encode_str(jwt);
    LB_ENSURE(text != NULL, LB_CRYPTO_FAILED, "libjwt cannot sign");
    LB_ENSURE(strlen(text) <= LB_MAX_TOKEN_BYTES, LB_TOO_LARGE, "token is larger than allowed");
    return lb_arena_copy(arena, lb_span_str(text), out_token);
}

/* --- reading --- */

static lb_status read_claims(struct lb_span payload, struct lb_arena *arena,
                             struct lb_operator *out)
{
    static const char *const keys[] = {"use", "iss", "unit", "sub", "jti", "iat", "exp", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    LB_TRY(lb_json_parse(payload, &json));
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    const char *use = lb_claims_text(&claims, "use");
    out->organization = lb_claims_text(&claims, "iss");
    out->unit = lb_claims_text(&claims, "unit");
    out->person = lb_claims_text(&claims, "sub");
    out->jti = lb_claims_text(&claims, "jti");
    out->iat = lb_claims_int(&claims, "iat", 0, LB_CLAIM_MAX_TIME);
    out->exp = lb_claims_int(&claims, "exp", 0, LB_CLAIM_MAX_TIME);
    LB_TRY(claims.status);
    LB_ENSURE(strcmp(use, OPERATOR_USE) == 0, LB_MALFORMED, "token of another kind");
    return check_claims(out);
}

/* The strict reader of this folder stands before libjwt's lenient one: only a header with ES256,
 * our typ and a kid, canonical base64url, known claims once each. */
lb_status lb_operator_token_peek(struct lb_span token, struct lb_arena *arena,
                                 struct lb_operator *out)
{
    struct lb_jws jws;
    struct lb_operator claims = {0};
    lb_status status = lb_jws_parse(token, OPERATOR_TYP, LB_MAX_TOKEN_BYTES, arena, &jws);
    if (status == LB_OK) {
        claims.kid = jws.kid;
        status = read_claims(jws.payload, arena, &claims);
    }
    LB_TRY(lb_token_fault(
        status, LB_FAULT(LB_OPERATOR_TOKEN_INVALID, "token does not follow its format")));
    *out = claims;
    return LB_OK;
}

/* libjwt 1.10 takes whatever algorithm the token names, an HMAC with the public key's text as its
 * secret included, and verifies nothing without a key. So the key is never NULL, and the algorithm
 * it used is compared with the one we pin. */
static lb_status check_signature(struct lb_span token, const struct lb_verify_key *key,
                                 struct lb_arena *arena)
{
    LB_ENSURE(key != NULL && lb_verify_key_alg(key) == LB_SIGN_ES256, LB_OPERATOR_TOKEN_INVALID,
              "key is not one of ES256");
    struct lb_span pem;
    LB_TRY(lb_verify_key_to_pem(key, arena, &pem));
    char *text = lb_arena_str(arena, token);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(jwt_freep) jwt_t *jwt = NULL;
    int failed = jwt_decode(&jwt, text, pem.ptr, (int)pem.len);
    LB_ENSURE(failed == 0 && jwt != NULL, LB_OPERATOR_TOKEN_INVALID,
              "signature does not verify");
    LB_ENSURE(jwt_get_alg(jwt) == JWT_ALG_ES256, LB_OPERATOR_TOKEN_INVALID, "alg is not ES256");
    return LB_OK;
}

lb_status lb_operator_token_verify(struct lb_span token, const struct lb_verify_key *key,
                                   int64_t now_unix_s, struct lb_arena *arena,
                                   struct lb_operator *out)
{
    struct lb_operator claims;
    LB_TRY(lb_operator_token_peek(token, arena, &claims));
    LB_TRY(check_signature(token, key, arena));
    LB_ENSURE(claims.iat <= now_unix_s + LB_CLOCK_SKEW_S, LB_OPERATOR_TOKEN_INVALID,
              "token was issued in the future");
    LB_ENSURE(now_unix_s < claims.exp, LB_OPERATOR_TOKEN_EXPIRED, "token has expired");
    *out = claims;
    return LB_OK;
}
