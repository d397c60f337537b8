#include "gateway/crypto/aead.h"

#include <limits.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/ossl.h"

static void cipher_ctx_freep(EVP_CIPHER_CTX **ctx)
{
    EVP_CIPHER_CTX_free(*ctx);
}

static const EVP_CIPHER *cipher_of(struct lb_span key)
{
    if (key.len == 16)
        return lb_ossl()->gcm128;
    return key.len == 32 ? lb_ossl()->gcm256 : NULL;
}

/* The library counts in int; GCM itself allows far more than we ever seal. */
static bool fits(struct lb_span aad, struct lb_span data)
{
    return aad.len <= INT_MAX && data.len <= INT_MAX - LB_AEAD_TAG_BYTES;
}

/* Runs aad and data through a keyed context of either direction. */
static bool update(EVP_CIPHER_CTX *ctx, struct lb_span aad, struct lb_span data, uint8_t *out)
{
    int len = 0;
    if (aad.len > 0 && EVP_CipherUpdate(ctx, NULL, &len, aad.ptr, (int)aad.len) != 1)
        return false;
    return data.len == 0 || EVP_CipherUpdate(ctx, out, &len, data.ptr, (int)data.len) == 1;
}

lb_status lb_aead_seal(struct lb_span key, const uint8_t nonce[LB_AEAD_NONCE_BYTES],
                       struct lb_span aad, struct lb_span plain, uint8_t *out)
{
    LB_OSSL_BORDER();
    const EVP_CIPHER *cipher = cipher_of(key);
    LB_ENSURE(cipher != NULL, LB_CRYPTO_FAILED, "AEAD key length");
    LB_ENSURE(fits(aad, plain), LB_TOO_LARGE, "too long to seal");
    LB_DEFER(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    LB_ENSURE(ctx != NULL, LB_NO_MEMORY, "cipher context");
    LB_ENSURE(EVP_EncryptInit_ex2(ctx, cipher, key.ptr, nonce, NULL) == 1, LB_CRYPTO_FAILED,
              "cipher init");
    uint8_t nothing[LB_AEAD_TAG_BYTES];
    int len = 0;
    LB_ENSURE(update(ctx, aad, plain, out) && EVP_EncryptFinal_ex(ctx, nothing, &len) == 1,
              LB_CRYPTO_FAILED, "encryption");
    LB_ENSURE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, LB_AEAD_TAG_BYTES,
                                  out + plain.len) == 1,
              LB_CRYPTO_FAILED, "authentication tag");
    return LB_OK;
}

static bool opens(EVP_CIPHER_CTX *ctx, struct lb_span aad, struct lb_span data,
                  const uint8_t *tag, uint8_t *out)
{
    uint8_t expected[LB_AEAD_TAG_BYTES];
    memcpy(expected, tag, sizeof(expected));
    if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, LB_AEAD_TAG_BYTES, expected) != 1)
        return false;
    uint8_t nothing[LB_AEAD_TAG_BYTES];
    int len = 0;
    return update(ctx, aad, data, out) && EVP_DecryptFinal_ex(ctx, nothing, &len) == 1;
}

lb_status lb_aead_open(struct lb_span key, const uint8_t nonce[LB_AEAD_NONCE_BYTES],
                       struct lb_span aad, struct lb_span sealed, uint8_t *out)
{
    LB_OSSL_BORDER();
    const EVP_CIPHER *cipher = cipher_of(key);
    LB_ENSURE(cipher != NULL, LB_CRYPTO_FAILED, "AEAD key length");
    LB_ENSURE(sealed.len >= LB_AEAD_TAG_BYTES && fits(aad, sealed), LB_SEAL_BROKEN,
              "sealed length");
    LB_DEFER(cipher_ctx_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    LB_ENSURE(ctx != NULL, LB_NO_MEMORY, "cipher context");
    LB_ENSURE(EVP_DecryptInit_ex2(ctx, cipher, key.ptr, nonce, NULL) == 1, LB_CRYPTO_FAILED,
              "cipher init");
    struct lb_span data = lb_span_of(sealed.ptr, sealed.len - LB_AEAD_TAG_BYTES);
    if (opens(ctx, aad, data, sealed.ptr + data.len, out))
        return LB_OK;
    /* GCM hands out plaintext before the tag is checked. */
    lb_wipe(out, data.len);
    LB_FAIL(LB_SEAL_BROKEN, "authentication tag differs");
}
