#ifndef GATEWAY_CRYPTO_P256_H
#define GATEWAY_CRYPTO_P256_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * Points of NIST P-256 as private set intersection needs them: a text hashed to a point whose
 * discrete logarithm nobody knows, and a point multiplied by a secret number.
 *
 * A point is x || y, 32 bytes each, big-endian. That form has no encoding of the point at infinity;
 * the curve's order is prime, so every other point on it is in the one group there is. Secret
 * numbers are multiplied by OpenSSL's constant-time ladder. The map to the curve is not
 * constant-time in the text: it is for texts that were hashed under a secret before.
 */
#define LB_P256_POINT_BYTES 64
#define LB_P256_SCALAR_BYTES 32
#define LB_P256_MAX_DST_BYTES 255

/* The group and what it takes to work in it; used by one thread at a time. */
struct lb_p256;

/* lb_p256_new makes it; NO_MEMORY. lb_p256_free wipes and frees; NULL is allowed. */
LB_MUST lb_status lb_p256_new(struct lb_p256 **out_p256);
void lb_p256_free(struct lb_p256 *p256);
void lb_p256_freep(struct lb_p256 **p256);  /* for LB_DEFER */

/* lb_p256_hash is hash_to_curve of RFC 9380 in the suite P256_XMD:SHA-256_SSWU_RO_, with the
 * domain separation tag `dst` of 1 to 255 bytes. INTERNAL for another length; CRYPTO_FAILED. */
LB_MUST lb_status lb_p256_hash(struct lb_p256 *p256, struct lb_span dst, struct lb_span message,
                               uint8_t out[LB_P256_POINT_BYTES]);

/* lb_p256_scalar makes a secret number from 1 to order - 1 of 48 uniform bytes. CRYPTO_FAILED. */
#define LB_P256_SCALAR_SEED_BYTES 48
LB_MUST lb_status lb_p256_scalar(struct lb_p256 *p256,
                                 const uint8_t seed[LB_P256_SCALAR_SEED_BYTES],
                                 uint8_t out[LB_P256_SCALAR_BYTES]);

/* lb_p256_check refuses with MALFORMED what is not a point: a coordinate past the field's prime, or
 * not on the curve. */
LB_MUST lb_status lb_p256_check(struct lb_p256 *p256, const uint8_t point[LB_P256_POINT_BYTES]);

/* lb_p256_multiply multiplies a point, which is checked first, by a secret number from
 * lb_p256_scalar. MALFORMED as above, and for a number that is 0 or not below the order;
 * CRYPTO_FAILED. */
LB_MUST lb_status lb_p256_multiply(struct lb_p256 *p256,
                                   const uint8_t scalar[LB_P256_SCALAR_BYTES],
                                   const uint8_t point[LB_P256_POINT_BYTES],
                                   uint8_t out[LB_P256_POINT_BYTES]);

#endif
