#include "gateway/crypto/random_pool.h"

#include <string.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

lb_status lb_random_pool_take(struct lb_random_pool *pool, uint8_t *out, size_t len)
{
    LB_ENSURE(len <= sizeof(pool->bytes), LB_CRYPTO_FAILED, "too many random bytes asked at once");
    if (pool->left < len) {
        pool->left = 0;
        LB_TRY(lb_crypto_random(pool->bytes, sizeof(pool->bytes)));
        pool->left = sizeof(pool->bytes);
    }
    pool->left -= len;
    memcpy(out, pool->bytes + pool->left, len);
    lb_wipe(pool->bytes + pool->left, len);
    return LB_OK;
}
