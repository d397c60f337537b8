#ifndef GATEWAY_TOKEN_OPERATOR_TOKEN_H
#define GATEWAY_TOKEN_OPERATOR_TOKEN_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"

/*
 * The operator's token: a short-lived JWT that the window's organization issues to the person at
 * the window, by libjwt. Header: alg ES256, typ JWT (libjwt 1.10 knows no other), kid. Claims: use
 * "lianban-operator" (which tells it from every other token), iss (organization), unit, sub (keyed
 * hash of the person's own identity, 32 lower-case hex digits), badge-free; iat, exp, jti. No other
 * claim.
 *
 * Nobody asks whether a token was withdrawn: one ends by itself. So a person who is suspended, or a
 * token that was stolen, stops within LB_OPERATOR_TOKEN_LIFE_S, and a token that says it lives
 * longer than LB_OPERATOR_TOKEN_MAX_S is none.
 */
#define LB_OPERATOR_TOKEN_LIFE_S 300         /* what the agent gives */
#define LB_OPERATOR_TOKEN_MAX_S 900          /* from iat to exp */
#define LB_OPERATOR_PERSON_DIGITS 32         /* of `person` */

struct lb_operator {
    const char *organization;
    const char *kid;
    const char *unit;
    const char *person;  /* keyed hash, hex */
    const char *jti;
    int64_t iat, exp;
};

/* lb_operator_token_issue signs a token. OPERATOR_TOKEN_INVALID for claims a reader would refuse,
 * CRYPTO_FAILED for a key that is not of ES256, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_operator_token_issue(const struct lb_operator *operator_claims,
                                          const struct lb_sign_key *key, struct lb_arena *arena,
                                          struct lb_span *out_token);
/* lb_operator_token_peek reads the claims without checking signature or time, to find the key.
 * OPERATOR_TOKEN_INVALID for anything but exactly these claims under exactly that header. */
LB_MUST lb_status lb_operator_token_peek(struct lb_span token, struct lb_arena *arena,
                                         struct lb_operator *out);
/* lb_operator_token_verify pins ES256 and the key, and checks times. OPERATOR_TOKEN_INVALID,
 * OPERATOR_TOKEN_EXPIRED. libjwt reads the key's text on every call (about 0.4 ms): callers on a
 * hot path keep what they verified by the token's digest until its exp. */
LB_MUST lb_status lb_operator_token_verify(struct lb_span token, const struct lb_verify_key *key,
                                           int64_t now_unix_s, struct lb_arena *arena,
                                           struct lb_operator *out);

#endif
