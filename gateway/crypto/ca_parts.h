#ifndef GATEWAY_CRYPTO_CA_PARTS_H
#define GATEWAY_CRYPTO_CA_PARTS_H

#include <openssl/x509v3.h>

#include "gateway/crypto/x509.h"

/* Inside gateway/crypto only: what ca.c and ca_crl.c share. */

struct lb_ca {
    X509 *cert;
    EVP_PKEY *key;
};

/* lb_ca_load parses a CA's certificate and key; MALFORMED unless they parse, belong together and
 * the certificate is a CA's. Released by lb_ca_cleanup. */
LB_MUST lb_status lb_ca_load(struct lb_span cert_pem, struct lb_span key_pem, struct lb_ca *out_ca);
void lb_ca_cleanup(struct lb_ca *ca);

/* lb_ca_authority_key_id makes the extension that names the issuer's key, NULL when the issuer has
 * no subject key identifier. Freed by AUTHORITY_KEYID_free. */
AUTHORITY_KEYID *lb_ca_authority_key_id(X509 *issuer);

#endif
