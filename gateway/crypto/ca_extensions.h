#ifndef GATEWAY_CRYPTO_CA_EXTENSIONS_H
#define GATEWAY_CRYPTO_CA_EXTENSIONS_H

#include <openssl/x509v3.h>

#include "gateway/crypto/x509.h"

/* Inside gateway/crypto only: the extensions of the certificates we issue (RFC 5280 §4.2). Each
 * returns CRYPTO_FAILED or NO_MEMORY when the library does not take it. */

/* lb_ext_constraints marks a CA with pathlen 0, or a leaf; critical. */
LB_MUST lb_status lb_ext_constraints(X509 *cert, bool is_ca);
/* lb_ext_key_usage sets the bits of KU_* below 0x100; critical. */
LB_MUST lb_status lb_ext_key_usage(X509 *cert, uint8_t bits);
/* lb_ext_both_halves sets server and client authentication. */
LB_MUST lb_status lb_ext_both_halves(X509 *cert);
/* lb_ext_key_ids sets subject and authority key identifiers; issuer may be cert itself. */
LB_MUST lb_status lb_ext_key_ids(X509 *cert, X509 *issuer);
/* lb_ext_names sets the SPIFFE id and further names; MALFORMED as lb_ca_issue. */
LB_MUST lb_status lb_ext_names(X509 *cert, const struct lb_ca_issue_options *options);

#endif
