#include "gateway/crypto/sign.h"

#include <openssl/ec.h>

#include "gateway/crypto/ossl.h"
#include "gateway/crypto/sign_key.h"

#define HALF_BYTES (LB_SIGNATURE_BYTES / 2)
#define DER_INTEGER 0x02
#define DER_SEQUENCE 0x30
#define MAX_DER_BYTES 72  /* SEQUENCE of two INTEGERs of at most 33 bytes */

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static void ecdsa_freep(ECDSA_SIG **sig)
{
    ECDSA_SIG_free(*sig);
}

/* Working on a copy of the prepared context keeps the key itself unchanged. */
static EVP_MD_CTX *copy_of(const EVP_MD_CTX *ready)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx != NULL && EVP_MD_CTX_copy_ex(ctx, ready) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

static lb_status der_to_raw(const uint8_t *der, size_t len, uint8_t out[LB_SIGNATURE_BYTES])
{
    const unsigned char *at = der;
    LB_DEFER(ecdsa_freep) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    LB_ENSURE(sig != NULL, LB_CRYPTO_FAILED, "signature encoding");
    LB_ENSURE(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HALF_BYTES) == HALF_BYTES &&
                  BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HALF_BYTES, HALF_BYTES) == HALF_BYTES,
              LB_CRYPTO_FAILED, "signature halves");
    return LB_OK;
}

/* An INTEGER of DER: no zeros in front but the one that keeps it positive. */
static uint8_t *put_integer(const uint8_t half[HALF_BYTES], uint8_t *at)
{
    size_t skip = 0;
    while (skip < HALF_BYTES - 1 && half[skip] == 0)
        skip++;
    const size_t len = HALF_BYTES - skip;
    const bool high = half[skip] >= 0x80;
    *at++ = DER_INTEGER;
    *at++ = (uint8_t)(len + high);
    if (high)
        *at++ = 0;
    memcpy(at, half + skip, len);
    return at + len;
}

/* Returns the length. */
static size_t raw_to_der(const uint8_t raw[LB_SIGNATURE_BYTES], uint8_t out[MAX_DER_BYTES])
{
    uint8_t *end = put_integer(raw + HALF_BYTES, put_integer(raw, out + 2));
    out[0] = DER_SEQUENCE;
    out[1] = (uint8_t)(end - out - 2);
    return (size_t)(end - out);
}

static lb_status sign_es256(const struct lb_sign_key *key, struct lb_span message,
                            uint8_t out[LB_SIGNATURE_BYTES])
{
    LB_OSSL_BORDER();
    LB_DEFER(md_ctx_freep) EVP_MD_CTX *ctx = copy_of(key->ready);
    LB_ENSURE(ctx != NULL, LB_NO_MEMORY, "signing context");
    uint8_t der[MAX_DER_BYTES];
    size_t len = sizeof(der);
    LB_ENSURE(EVP_DigestSign(ctx, der, &len, message.ptr, message.len) == 1, LB_CRYPTO_FAILED,
              "signing");
    return der_to_raw(der, len, out);
}

lb_status lb_sign(const struct lb_sign_key *key, struct lb_span message,
                  uint8_t out[LB_SIGNATURE_BYTES])
{
    if (key->alg == LB_SIGN_ES256)
        return sign_es256(key, message, out);
    lb_ed25519_sign(key->secret, message, out);
    return LB_OK;
}

static lb_status verify_es256(const struct lb_verify_key *key, struct lb_span message,
                              struct lb_span signature)
{
    LB_OSSL_BORDER();
    LB_DEFER(md_ctx_freep) EVP_MD_CTX *ctx = copy_of(key->ready);
    LB_ENSURE(ctx != NULL, LB_NO_MEMORY, "verification context");
    uint8_t der[MAX_DER_BYTES];
    size_t len = raw_to_der(signature.ptr, der);
    LB_ENSURE(EVP_DigestVerify(ctx, der, len, message.ptr, message.len) == 1,
              LB_SIGNATURE_INVALID, "signature does not verify");
    return LB_OK;
}

lb_status lb_verify(const struct lb_verify_key *key, struct lb_span message,
                    struct lb_span signature)
{
    LB_ENSURE(signature.len == LB_SIGNATURE_BYTES, LB_SIGNATURE_INVALID, "signature length");
    if (key->alg == LB_SIGN_ES256)
        return verify_es256(key, message, signature);
    LB_ENSURE(lb_ed25519_verifies(key->public_key, message, signature.ptr), LB_SIGNATURE_INVALID,
              "signature does not verify");
    return LB_OK;
}
