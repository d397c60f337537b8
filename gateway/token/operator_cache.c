#include "gateway/token/operator_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"

/* Direct-mapped by the digest: a collision only costs another verification. */
#define NUM_ENTRIES 1024U

struct entry {
    uint8_t digest[LB_SHA256_BYTES];
    int64_t exp;   /* 0: empty */
};

struct lb_operator_cache {
    pthread_mutex_t lock;
    struct entry entries[NUM_ENTRIES];
};

lb_status lb_operator_cache_new(struct lb_operator_cache **out_cache)
{
    struct lb_operator_cache *cache = calloc(1, sizeof(*cache));
    LB_ENSURE(cache != NULL, LB_NO_MEMORY, "operator cache");
    (void)pthread_mutex_init(&cache->lock, NULL);
    *out_cache = cache;
    return LB_OK;
}

void lb_operator_cache_free(struct lb_operator_cache *cache)
{
    if (cache == NULL)
        return;
    (void)pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static struct entry *entry_of(struct lb_operator_cache *cache, const uint8_t *digest)
{
    return &cache->entries[((unsigned)digest[0] << 8 | digest[1]) % NUM_ENTRIES];
}

static bool is_known(struct lb_operator_cache *cache, const uint8_t *digest, int64_t now_unix_s)
{
    (void)pthread_mutex_lock(&cache->lock);
    const struct entry *entry = entry_of(cache, digest);
    bool known = entry->exp > now_unix_s && memcmp(entry->digest, digest, LB_SHA256_BYTES) == 0;
    (void)pthread_mutex_unlock(&cache->lock);
    return known;
}

static void remember(struct lb_operator_cache *cache, const uint8_t *digest, int64_t exp)
{
    (void)pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_of(cache, digest);
    memcpy(entry->digest, digest, LB_SHA256_BYTES);
    entry->exp = exp;
    (void)pthread_mutex_unlock(&cache->lock);
}

static void name_token(struct lb_span token, const struct lb_verify_key *key,
                       uint8_t out[LB_SHA256_BYTES])
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    const struct lb_span parts[] = {lb_span_of(raw, lb_verify_key_raw(key, raw)), token};
    lb_sha256_parts(parts, 2, out);
}

lb_status lb_operator_cache_check(struct lb_operator_cache *cache, struct lb_span token,
                                  const struct lb_operator *peeked,
                                  const struct lb_verify_key *key, int64_t now_unix_s,
                                  struct lb_arena *arena)
{
    uint8_t digest[LB_SHA256_BYTES];
    struct lb_operator verified;
    name_token(token, key, digest);
    if (peeked->exp > now_unix_s && is_known(cache, digest, now_unix_s))
        return LB_OK;
    LB_TRY(lb_operator_token_verify(token, key, now_unix_s, arena, &verified));
    remember(cache, digest, verified.exp);
    return LB_OK;
}

lb_status lb_operator_cache_verify(struct lb_operator_cache *cache, struct lb_span token,
                                   const struct lb_verify_key *key, int64_t now_unix_s,
                                   struct lb_arena *arena, struct lb_operator *out)
{
    struct lb_operator claims;
    LB_TRY(lb_operator_token_peek(token, arena, &claims));
    LB_TRY(lb_operator_cache_check(cache, token, &claims, key, now_unix_s, arena));
    *out = claims;
    return LB_OK;
}
