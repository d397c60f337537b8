#ifndef GATEWAY_CRYPTO_RANDOM_POOL_H
#define GATEWAY_CRYPTO_RANDOM_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/status.h"

/*
 * Random bytes drawn in larger portions, for who needs a few at a time and very often: asking the
 * library for 44 bytes takes longer than encrypting with them. Bytes leave the pool when they are
 * handed out. Of one thread; the process must not fork while it is in use.
 */
struct lb_random_pool {
    size_t left;
    uint8_t bytes[4096];
};

/* lb_random_pool_take hands out len bytes that nobody else gets; at most the size of the pool.
 * CRYPTO_FAILED. */
LB_MUST lb_status lb_random_pool_take(struct lb_random_pool *pool, uint8_t *out, size_t len);

#endif
