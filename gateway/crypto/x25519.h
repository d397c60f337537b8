#ifndef GATEWAY_CRYPTO_X25519_H
#define GATEWAY_CRYPTO_X25519_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

#define LB_X25519_BYTES 32

/* A key pair; the holder wipes it (lb_wipe) when done. */
struct lb_x25519_key {
    uint8_t private_key[LB_X25519_BYTES];
    uint8_t public_key[LB_X25519_BYTES];
};

/* lb_x25519_generate makes a new pair; CRYPTO_FAILED. */
LB_MUST lb_status lb_x25519_generate(struct lb_x25519_key *out_key);
/* lb_x25519_from_private computes the public half. */
LB_MUST lb_status lb_x25519_from_private(const uint8_t private_key[LB_X25519_BYTES],
                                         struct lb_x25519_key *out_key);
/* lb_x25519_dh is RFC 7748 §6.1; CRYPTO_FAILED when the result is all zeros (small-order peer). */
LB_MUST lb_status lb_x25519_dh(const uint8_t private_key[LB_X25519_BYTES],
                               const uint8_t peer[LB_X25519_BYTES],
                               uint8_t out[LB_X25519_BYTES]);

#endif
