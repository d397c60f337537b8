#include "gateway/crypto/x25519.h"

#include <sodium.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/sodium_once.h"

static void key_wipe(struct lb_x25519_key *key)
{
    lb_wipe(key, sizeof(*key));
}

lb_status lb_x25519_generate(struct lb_x25519_key *out_key)
{
    LB_DEFER(key_wipe) struct lb_x25519_key key = {0};
    LB_TRY(lb_crypto_random(key.private_key, sizeof(key.private_key)));
    return lb_x25519_from_private(key.private_key, out_key);
}

lb_status lb_x25519_from_private(const uint8_t private_key[LB_X25519_BYTES],
                                 struct lb_x25519_key *out_key)
{
    LB_DEFER(key_wipe) struct lb_x25519_key key = {0};
    lb_sodium_ready();
    LB_ENSURE(crypto_scalarmult_curve25519_base(key.public_key, private_key) == 0,
              LB_CRYPTO_FAILED, "X25519 public key");
    memcpy(key.private_key, private_key, sizeof(key.private_key));
    *out_key = key;
    return LB_OK;
}

lb_status lb_x25519_dh(const uint8_t private_key[LB_X25519_BYTES],
                       const uint8_t peer[LB_X25519_BYTES], uint8_t out[LB_X25519_BYTES])
{
    uint8_t shared[LB_X25519_BYTES];
    lb_sodium_ready();
    /* The library refuses a result of all zeros, which is what a small-order point gives. */
    int failed = crypto_scalarmult_curve25519(shared, private_key, peer);
    if (failed == 0)
        memcpy(out, shared, sizeof(shared));
    lb_wipe(shared, sizeof(shared));
    LB_ENSURE(failed == 0, LB_CRYPTO_FAILED, "X25519 gives zeros");
    return LB_OK;
}
