#include "gateway/crypto/ed25519.h"

#include <sodium.h>

#include "gateway/crypto/ossl.h"
#include "gateway/crypto/sodium_once.h"

void lb_ed25519_sign(const uint8_t secret[LB_ED25519_SECRET_BYTES], struct lb_span message,
                     uint8_t out[LB_SIGNATURE_BYTES])
{
    lb_sodium_ready();
    /* It has no way to fail: neither randomness nor memory is asked for. */
    if (crypto_sign_ed25519_detached(out, NULL, message.ptr, message.len, secret) != 0)
        lb_ossl_broken("crypto_sign_failed");
}

bool lb_ed25519_verifies(const uint8_t public_key[LB_ED25519_PUBLIC_BYTES], struct lb_span message,
                         const uint8_t signature[LB_SIGNATURE_BYTES])
{
    lb_sodium_ready();
    return crypto_sign_ed25519_verify_detached(signature, message.ptr, message.len, public_key) ==
           0;
}
