#include "gateway/crypto/ed25519.h"

#include <pthread.h>
#include <sodium.h>

#include "gateway/crypto/ossl.h"

/* The library wants to be set up once before anything else. */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    if (sodium_init() < 0)
        lb_ossl_broken("crypto_sodium_failed");
}

static void ready(void)
{
    if (pthread_once(&once, set_up) != 0)
        lb_ossl_broken("crypto_once_failed");
}

void lb_ed25519_sign(const uint8_t secret[LB_ED25519_SECRET_BYTES], struct lb_span message,
                     uint8_t out[LB_SIGNATURE_BYTES])
{
    ready();
    /* It has no way to fail: neither randomness nor memory is asked for. */
    if (crypto_sign_ed25519_detached(out, NULL, message.ptr, message.len, secret) != 0)
        lb_ossl_broken("crypto_sign_failed");
}

bool lb_ed25519_verifies(const uint8_t public_key[LB_ED25519_PUBLIC_BYTES], struct lb_span message,
                         const uint8_t signature[LB_SIGNATURE_BYTES])
{
    ready();
    return crypto_sign_ed25519_verify_detached(signature, message.ptr, message.len, public_key) ==
           0;
}
