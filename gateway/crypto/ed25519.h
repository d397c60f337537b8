#ifndef GATEWAY_CRYPTO_ED25519_H
#define GATEWAY_CRYPTO_ED25519_H

#include "gateway/crypto/sign.h"

/*
 * Inside gateway/crypto only: Ed25519 by libsodium, which verifies in half of OpenSSL's time. It
 * signs the same bytes and is stricter in verifying: a key or R of small order and a key that is
 * not encoded canonically are refused, which no honest signer makes. Both refuse S >= L. What one
 * accepts the other does in every other case (ed25519_test.c).
 */

#define LB_ED25519_SEED_BYTES 32
/* The seed and behind it the public key, as libsodium wants it. */
#define LB_ED25519_SECRET_BYTES (LB_ED25519_SEED_BYTES + LB_ED25519_PUBLIC_BYTES)

/* lb_ed25519_sign signs (RFC 8032). The public half must be the seed's. */
void lb_ed25519_sign(const uint8_t secret[LB_ED25519_SECRET_BYTES], struct lb_span message,
                     uint8_t out[LB_SIGNATURE_BYTES]);
/* lb_ed25519_verifies says whether a 64-byte signature is good. */
bool lb_ed25519_verifies(const uint8_t public_key[LB_ED25519_PUBLIC_BYTES], struct lb_span message,
                         const uint8_t signature[LB_SIGNATURE_BYTES]);

#endif
