#ifndef GATEWAY_CRYPTO_HASH_H
#define GATEWAY_CRYPTO_HASH_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

#define LB_SHA256_BYTES 32

/* lb_sha256 hashes one span. It cannot fail: if the library does, the process stops. */
void lb_sha256(struct lb_span data, uint8_t out[LB_SHA256_BYTES]);

/* lb_sha256_parts hashes the concatenation of num parts. */
void lb_sha256_parts(const struct lb_span *parts, size_t num, uint8_t out[LB_SHA256_BYTES]);

/* lb_hmac_sha256 is RFC 2104 with SHA-256. */
void lb_hmac_sha256(struct lb_span key, struct lb_span data, uint8_t out[LB_SHA256_BYTES]);

/* lb_hkdf_extract and lb_hkdf_expand are RFC 5869 with SHA-256; expand yields at most 255 * 32
 * bytes and stops the process when asked for more. */
void lb_hkdf_extract(struct lb_span salt, struct lb_span ikm, uint8_t out[LB_SHA256_BYTES]);
void lb_hkdf_expand(const uint8_t prk[LB_SHA256_BYTES], struct lb_span info, uint8_t *out,
                    size_t out_len);

/* lb_hkdf_extract_parts and _expand_parts take the concatenation of num parts for ikm and info, so
 * that secrets need not be copied together first. */
void lb_hkdf_extract_parts(struct lb_span salt, const struct lb_span *ikm_parts, size_t num,
                           uint8_t out[LB_SHA256_BYTES]);
void lb_hkdf_expand_parts(const uint8_t prk[LB_SHA256_BYTES], const struct lb_span *info_parts,
                          size_t num, uint8_t *out, size_t out_len);

/* lb_crypto_random fills out with unpredictable bytes. CRYPTO_FAILED: use nothing. */
LB_MUST lb_status lb_crypto_random(uint8_t *out, size_t len);

/* lb_crypto_equal compares secrets in time that depends on the length only. */
bool lb_crypto_equal(struct lb_span a, struct lb_span b);

#endif
