#ifndef GATEWAY_CRYPTO_P256_MAP_H
#define GATEWAY_CRYPTO_P256_MAP_H

#include <openssl/bn.h>

#include "gateway/base/status.h"

/* Inside gateway/crypto: the simplified SWU map of RFC 9380 §6.6.2 for P-256. */
struct lb_p256_map;

/* lb_p256_map_new prepares the constants; the context is borrowed. NO_MEMORY. */
LB_MUST lb_status lb_p256_map_new(BN_CTX *ctx, struct lb_p256_map **out_map);
void lb_p256_map_free(struct lb_p256_map *map);
/* lb_p256_map_prime is the field's, borrowed. */
const BIGNUM *lb_p256_map_prime(const struct lb_p256_map *map);
/* lb_p256_map maps an element of the field to a point on the curve. CRYPTO_FAILED. */
LB_MUST lb_status lb_p256_map(struct lb_p256_map *map, const BIGNUM *u, BIGNUM *out_x,
                              BIGNUM *out_y);

#endif
