#ifndef GATEWAY_CRYPTO_X509_FORGE_H
#define GATEWAY_CRYPTO_X509_FORGE_H

#include <openssl/x509.h>

#include "gateway/base/arena.h"

/* For tests: certificates and revocation lists that lb_ca_* would never make. */

struct forged {
    X509 *cert;
    EVP_PKEY *key;
};

struct forge_options {
    const char *key_type;             /* "P-256", "P-521", "secp256k1", "ED25519", "RSA:2048" */
    const struct forged *issuer;      /* NULL: self-signed */
    const char *digest;               /* NULL: SHA256, or none for an Ed25519 issuer */
    const char *common_name;
    int64_t from_unix_s;
    int64_t to_unix_s;
    const char *const (*extensions)[2];  /* name and value as in openssl.cnf; ends in NULLs */
};

/* forge_cert stops the test when the library refuses. Freed by forge_free. */
struct forged forge_cert(const struct forge_options *options);
void forge_free(struct forged *forged);

/* forge_pem writes the certificate into the arena. */
struct lb_span forge_pem(const struct forged *forged, struct lb_arena *arena);

struct forge_crl_options {
    const struct forged *issuer;
    const X509 *revoked;      /* may be NULL */
    const char *digest;       /* NULL: SHA256 */
    int64_t this_unix_s;
    int64_t next_unix_s;      /* 0: none */
    bool delta;               /* with a critical delta CRL indicator */
};

/* forge_crl writes a revocation list into the arena. */
struct lb_span forge_crl(const struct forge_crl_options *options, struct lb_arena *arena);

#endif
