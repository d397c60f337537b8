#ifndef GATEWAY_CRYPTO_PEM_H
#define GATEWAY_CRYPTO_PEM_H

#include <openssl/x509.h>

#include "gateway/base/arena.h"

/*
 * Inside gateway/crypto only: strict reading of PEM (RFC 7468). OpenSSL's own readers would ask for
 * a pass phrase at the terminal when a block says it is encrypted, and pass over blocks of another
 * type; here both are MALFORMED.
 */

/* One decoded block. */
struct lb_pem_block {
    uint8_t *der;
    size_t len;
};

/* lb_pem_next reads the next block of a BIO; it must be of the given type and without headers.
 * ABSENT when no block is left, MALFORMED otherwise. Freed by lb_pem_block_cleanup. */
LB_MUST lb_status lb_pem_next(BIO *bio, const char *type, struct lb_pem_block *out_block);

/* lb_pem_block_cleanup wipes and releases. */
void lb_pem_block_cleanup(struct lb_pem_block *block);

/* lb_pem_bio opens a text of at most max_bytes for reading, NULL when it is longer or memory is
 * exhausted; the text must outlive it. */
BIO *lb_pem_bio(struct lb_span pem, size_t max_bytes);

/* lb_pem_first_cert reads the first certificate of a text of at most LB_MAX_PEM_BYTES;
 * MALFORMED. */
LB_MUST lb_status lb_pem_first_cert(struct lb_span pem, X509 **out_cert);

/* lb_pem_certs reads all certificates of a text, at least one and at most max_num. MALFORMED when
 * anything is wrong, NO_MEMORY. */
LB_MUST lb_status lb_pem_certs(struct lb_span pem, size_t max_bytes, int max_num,
                               STACK_OF(X509) **out_certs);

/* lb_pem_crls is lb_pem_certs for revocation lists. */
LB_MUST lb_status lb_pem_crls(struct lb_span pem, size_t max_bytes, int max_num,
                              STACK_OF(X509_CRL) **out_crls);

/* lb_pem_private_key reads one unencrypted PKCS#8 key and nothing else; MALFORMED. */
LB_MUST lb_status lb_pem_private_key(struct lb_span pem, EVP_PKEY **out_key);

/* lb_pem_from_bio copies what was written to a memory BIO into the arena; NO_MEMORY. */
LB_MUST lb_status lb_pem_from_bio(BIO *bio, struct lb_arena *arena, struct lb_span *out_pem);

/* For LB_DEFER. */
void lb_bio_freep(BIO **bio);
void lb_pkey_freep(EVP_PKEY **key);
void lb_cert_freep(X509 **cert);
void lb_certs_freep(STACK_OF(X509) **certs);
void lb_crl_freep(X509_CRL **crl);
void lb_crls_freep(STACK_OF(X509_CRL) **crls);

#endif
