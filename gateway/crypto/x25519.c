#include "gateway/crypto/x25519.h"

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/ossl.h"

static void pkey_freep(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static void pkey_ctx_freep(EVP_PKEY_CTX **ctx)
{
    EVP_PKEY_CTX_free(*ctx);
}

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
    LB_OSSL_BORDER();
    LB_DEFER(pkey_freep) EVP_PKEY *pkey =
        EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, LB_X25519_BYTES);
    LB_ENSURE(pkey != NULL, LB_CRYPTO_FAILED, "X25519 private key");
    LB_DEFER(key_wipe) struct lb_x25519_key key = {0};
    size_t len = sizeof(key.public_key);
    LB_ENSURE(EVP_PKEY_get_raw_public_key(pkey, key.public_key, &len) == 1 &&
                  len == sizeof(key.public_key),
              LB_CRYPTO_FAILED, "X25519 public key");
    memcpy(key.private_key, private_key, sizeof(key.private_key));
    *out_key = key;
    return LB_OK;
}

lb_status lb_x25519_dh(const uint8_t private_key[LB_X25519_BYTES],
                       const uint8_t peer[LB_X25519_BYTES], uint8_t out[LB_X25519_BYTES])
{
    LB_OSSL_BORDER();
    LB_DEFER(pkey_freep) EVP_PKEY *ours =
        EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, LB_X25519_BYTES);
    LB_DEFER(pkey_freep) EVP_PKEY *theirs =
        EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer, LB_X25519_BYTES);
    LB_ENSURE(ours != NULL && theirs != NULL, LB_CRYPTO_FAILED, "X25519 keys");
    LB_DEFER(pkey_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
    LB_ENSURE(ctx != NULL, LB_NO_MEMORY, "X25519 context");
    LB_ENSURE(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1,
              LB_CRYPTO_FAILED, "X25519 init");
    uint8_t shared[LB_X25519_BYTES];
    size_t len = sizeof(shared);
    /* The library refuses a result of all zeros, which is what a small-order point gives. */
    LB_ENSURE(EVP_PKEY_derive(ctx, shared, &len) == 1 && len == sizeof(shared), LB_CRYPTO_FAILED,
              "X25519 gives zeros");
    memcpy(out, shared, sizeof(shared));
    lb_wipe(shared, sizeof(shared));
    return LB_OK;
}
