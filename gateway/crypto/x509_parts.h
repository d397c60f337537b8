#ifndef GATEWAY_CRYPTO_X509_PARTS_H
#define GATEWAY_CRYPTO_X509_PARTS_H

#include <openssl/x509.h>

#include "gateway/crypto/x509.h"

/* Inside gateway/crypto only: the steps that x509_info.c, x509_verify.c and x509_crl.c share. */

#define LB_X509_MAX_CAS 1024

/* lb_cert_info_of fills out_info from a certificate; MALFORMED as lb_x509_info. */
LB_MUST lb_status lb_cert_info_of(X509 *cert, struct lb_cert_info *out_info);

/* lb_cert_pin is the SHA-256 of the certificate's SubjectPublicKeyInfo; CRYPTO_FAILED. */
LB_MUST lb_status lb_cert_pin(const X509 *cert, uint8_t out_pin[32]);

/* lb_asn1_unix_s turns a certificate's time into seconds since 1970; MALFORMED. */
LB_MUST lb_status lb_asn1_unix_s(const ASN1_TIME *time, int64_t *out_unix_s);

/* lb_crl_check looks every certificate of a verified chain (leaf first, anchor last) up in a
 * current CRL of its issuer and lowers *until_unix_s to the first nextUpdate met. CRL_STALE or
 * PEER_REVOKED as lb_x509_verify. */
LB_MUST lb_status lb_crl_check(struct lb_span crl_pem, STACK_OF(X509) *chain, int64_t now_unix_s,
                               int64_t *until_unix_s);

#endif
