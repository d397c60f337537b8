#ifndef GATEWAY_TOKEN_REVOCATION_H
#define GATEWAY_TOKEN_REVOCATION_H

#include "gateway/token/grant.h"

/*
 * A citizen's own withdrawal of a grant: lianban-revoke+jwt, ES256, signed by the key that the
 * grant's subject_key commits to, so that no office has to agree.
 *
 * Header {"alg":"ES256","typ":"lianban-revoke+jwt","kid":<RFC 7638 thumbprint of the key>};
 * payload iss (the grant's issuer) jti (the grant's) iat, salt (base64url, 16 bytes), and the key
 * itself as jwk {crv kty x y}; nothing else.
 *
 * subject_key = SHA-256("lianban subject key v1" || salt || thumbprint). Grants of one person carry
 * different commitments, so nobody on the way can tell that they belong together.
 */
#define LB_REVOCATION_SALT_BYTES 16

/* lb_subject_key commits to a P-256 key (x || y) under a salt. NO_MEMORY. */
LB_MUST lb_status lb_subject_key(const uint8_t salt[LB_REVOCATION_SALT_BYTES],
                                 const uint8_t public_key[LB_P256_PUBLIC_BYTES],
                                 struct lb_arena *arena, uint8_t out[32]);

/* lb_revocation_sign makes a token; iat in seconds. CRYPTO_FAILED for a key not of ES256,
 * MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_revocation_sign(const struct lb_grant *grant,
                                     const uint8_t salt[LB_REVOCATION_SALT_BYTES], int64_t iat,
                                     const struct lb_sign_key *key, struct lb_arena *arena,
                                     struct lb_span *out_token);

/* lb_revocation_verify checks a token against a grant whose issuer's signature was verified.
 * GRANT_MALFORMED for anything off, another grant's token, or one from the future at now_unix_s;
 * SIGNATURE_INVALID when the grant names no key, another key, or the signature does not verify;
 * TOO_LARGE, NO_MEMORY. A token does not age: a withdrawal stays one. */
LB_MUST lb_status lb_revocation_verify(struct lb_span token, const struct lb_grant *grant,
                                       int64_t now_unix_s, struct lb_arena *arena);

#endif
