#ifndef GATEWAY_TOKEN_JWS_H
#define GATEWAY_TOKEN_JWS_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"

/*
 * Inside gateway/token: JWS compact serialization (RFC 7515 section 7.1) with ES256 and nothing
 * else, over a key that was parsed once.
 *
 * The header has exactly the members alg, typ and kid. Exactly three parts, each in canonical
 * base64url, so that a token has one spelling and its hash can stand for it.
 */
struct lb_jws {
    const char *kid;
    struct lb_span payload;        /* decoded */
    struct lb_span signing_input;  /* borrowed from the token */
    struct lb_span signature;      /* 64 bytes, decoded */
};

/* lb_jws_sign makes a token. CRYPTO_FAILED for a key that is not of ES256; NO_MEMORY. */
LB_MUST lb_status lb_jws_sign(const char *typ, const char *kid, struct lb_span payload,
                              const struct lb_sign_key *key, struct lb_arena *arena,
                              struct lb_span *out_token);

/* lb_jws_parse takes a token of at most max_bytes apart and checks the header; the signature is not
 * checked. MALFORMED, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_jws_parse(struct lb_span token, const char *typ, size_t max_bytes,
                               struct lb_arena *arena, struct lb_jws *out_jws);

/* lb_jws_check verifies r || s over the signing input. SIGNATURE_INVALID, also when the key is NULL
 * or not one of ES256. */
LB_MUST lb_status lb_jws_check(struct lb_span signing_input, struct lb_span signature,
                               const struct lb_verify_key *key);

#endif
