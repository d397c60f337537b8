#ifndef GATEWAY_CRYPTO_SIGN_KEY_H
#define GATEWAY_CRYPTO_SIGN_KEY_H

#include <openssl/evp.h>

#include "gateway/crypto/ed25519.h"

/*
 * Inside gateway/crypto only: what a key of either half holds. Of ES256, `ready` is a context
 * initialised once, because that init searches the providers; each use works on a copy, which makes
 * the key safe for any number of threads. Ed25519 needs the raw bytes alone; OpenSSL's form of a
 * private key is there to be written as PEM.
 */
struct lb_sign_key {
    enum lb_sign_alg alg;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready;                       /* ES256 */
    uint8_t secret[LB_ED25519_SECRET_BYTES]; /* Ed25519 */
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
};

struct lb_verify_key {
    enum lb_sign_alg alg;
    EVP_PKEY *pkey;    /* ES256 */
    EVP_MD_CTX *ready; /* ES256 */
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
};

#endif
