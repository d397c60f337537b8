#include "gateway/crypto/sign.h"

#include <openssl/ec.h>

#include "gateway/crypto/ossl.h"
#include "gateway/crypto/sign_key.h"

#define HALF_BYTES (LB_SIGNATURE_BYTES / 2)
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

/* Returns the length, 0 when memory is exhausted. */
static size_t raw_to_der(struct lb_span raw, uint8_t out[MAX_DER_BYTES])
{
    LB_DEFER(ecdsa_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.ptr, HALF_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(raw.ptr + HALF_BYTES, HALF_BYTES, NULL);
    if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return 0;
    }
    int len = i2d_ECDSA_SIG(sig, NULL);
    if (len <= 0 || len > MAX_DER_BYTES)
        return 0;
    unsigned char *at = out;
    return (size_t)i2d_ECDSA_SIG(sig, &at);
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
    size_t len = raw_to_der(signature, der);
    LB_ENSURE(len > 0, LB_NO_MEMORY, "signature encoding");
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
