#include "gateway/token/jws.h"

#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/json/json.h"
#include "gateway/token/claims.h"

static lb_status encode_header(const char *typ, const char *kid, struct lb_arena *arena,
                               char **out_text)
{
    LB_ENSURE(lb_text_ok(kid, LB_MAX_NAME_BYTES), LB_MALFORMED, "kid is empty or too long");
    LB_DEFER(lb_json_freep) struct lb_json *header = lb_json_object();
    lb_json_set_cstr(header, "alg", "ES256");
    lb_json_set_cstr(header, "typ", typ);
    lb_json_set_cstr(header, "kid", kid);
    struct lb_span text;
    LB_TRY(lb_json_dump(header, LB_JSON_COMPACT, arena, &text));
    char *encoded = lb_b64url_encode(arena, text);
    LB_ENSURE(encoded != NULL, LB_NO_MEMORY, "arena is full");
    *out_text = encoded;
    return LB_OK;
}

/* With a dot between; a grant is too long to be formatted. */
static lb_status join(const char *left, const char *right, struct lb_arena *arena,
                      struct lb_span *out)
{
    struct lb_buf text;
    size_t len = strlen(left) + 1 + strlen(right);
    uint8_t *bytes = lb_arena_alloc(arena, len + 1);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    lb_buf_over(&text, bytes, len);
    lb_buf_put_str(&text, left);
    lb_buf_put_u8(&text, '.');
    lb_buf_put_str(&text, right);
    *out = lb_buf_span(&text);
    return lb_buf_check(&text);
}

lb_status lb_jws_sign(const char *typ, const char *kid, struct lb_span payload,
                      const struct lb_sign_key *key, struct lb_arena *arena,
                      struct lb_span *out_token)
{
    LB_ENSURE(key != NULL && lb_sign_key_alg(key) == LB_SIGN_ES256, LB_CRYPTO_FAILED,
              "key is not one of ES256");
    char *header = NULL;
    LB_TRY(encode_header(typ, kid, arena, &header));
    char *body = lb_b64url_encode(arena, payload);
    LB_ENSURE(body != NULL, LB_NO_MEMORY, "arena is full");
    struct lb_span input = LB_SPAN_EMPTY;
    LB_TRY(join(header, body, arena, &input));
    uint8_t raw[LB_SIGNATURE_BYTES];
    LB_TRY(lb_sign(key, input, raw));
    char *signature = lb_b64url_encode(arena, lb_span_of(raw, sizeof(raw)));
    LB_ENSURE(signature != NULL, LB_NO_MEMORY, "arena is full");
    return join((const char *)input.ptr, signature, arena, out_token);
}

/* The header decides which key and algorithm are used, so it is read more strictly than RFC 7515
 * asks: no crit, jwk, jku, x5u or anything else (RFC 8725 section 3.1 and 3.10). */
static lb_status read_header(struct lb_span text, const char *typ, struct lb_arena *arena,
                             const char **out_kid)
{
    static const char *const keys[] = {"alg", "typ", "kid", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    LB_TRY(lb_json_parse(text, &json));
    struct lb_claims claims = lb_claims_of(json, keys, arena);
    const char *alg = lb_claims_text(&claims, "alg");
    const char *type = lb_claims_text(&claims, "typ");
    const char *kid = lb_claims_text(&claims, "kid");
    LB_TRY(claims.status);
    LB_ENSURE(strcmp(alg, "ES256") == 0, LB_MALFORMED, "alg is not ES256");
    LB_ENSURE(strcmp(type, typ) == 0, LB_MALFORMED, "typ is another one");
    LB_ENSURE(lb_text_ok(kid, LB_MAX_NAME_BYTES), LB_MALFORMED, "kid is empty or too long");
    *out_kid = kid;
    return LB_OK;
}

/* Splits at the dots: exactly two, no part empty. */
static lb_status split(struct lb_span token, struct lb_span out_parts[3])
{
    size_t part = 0;
    size_t start = 0;
    for (size_t i = 0; i <= token.len; i++) {
        if (i < token.len && token.ptr[i] != '.')
            continue;
        LB_ENSURE(part < 3 && i > start, LB_MALFORMED, "token has not three parts");
        out_parts[part++] = lb_span_of(token.ptr + start, i - start);
        start = i + 1;
    }
    LB_ENSURE(part == 3, LB_MALFORMED, "token has not three parts");
    return LB_OK;
}

lb_status lb_jws_parse(struct lb_span token, const char *typ, size_t max_bytes,
                       struct lb_arena *arena, struct lb_jws *out_jws)
{
    LB_ENSURE(token.len <= max_bytes, LB_TOO_LARGE, "token is larger than allowed");
    LB_ENSURE(token.len > 0, LB_MALFORMED, "token is empty");
    struct lb_span parts[3];
    LB_TRY(split(token, parts));
    struct lb_span header;
    struct lb_jws jws;
    LB_TRY(lb_b64url_decode(arena, parts[0], &header));
    LB_TRY(lb_b64url_decode(arena, parts[1], &jws.payload));
    LB_TRY(lb_b64url_decode(arena, parts[2], &jws.signature));
    LB_ENSURE(jws.signature.len == LB_SIGNATURE_BYTES, LB_MALFORMED, "signature is not 64 bytes");
    LB_TRY(read_header(header, typ, arena, &jws.kid));
    jws.signing_input = lb_span_of(token.ptr, parts[0].len + 1 + parts[1].len);
    *out_jws = jws;
    return LB_OK;
}

lb_status lb_jws_check(struct lb_span signing_input, struct lb_span signature,
                       const struct lb_verify_key *key)
{
    LB_ENSURE(key != NULL && lb_verify_key_alg(key) == LB_SIGN_ES256, LB_SIGNATURE_INVALID,
              "key is not one of ES256");
    return lb_verify(key, signing_input, signature);
}
