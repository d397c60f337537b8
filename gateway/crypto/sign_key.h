#ifndef GATEWAY_CRYPTO_SIGN_KEY_H
#define GATEWAY_CRYPTO_SIGN_KEY_H

#include <openssl/evp.h>

#include "gateway/crypto/sign.h"

/*
 * Inside gateway/crypto only: what a key of either half holds. `ready` is a context initialised
 * once, because that init searches the providers; each use works on a copy, which makes the key
 * safe for any number of threads.
 */
struct lb_sign_key {
    enum lb_sign_alg alg;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
};

struct lb_verify_key {
    enum lb_sign_alg alg;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
};

#endif
