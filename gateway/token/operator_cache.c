#include "gateway/token/operator_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"

/* Direct-mapped by the digest: a collision only costs another verification. */
#define NUM_ENTRIES 1024U

/* The claims' texts, of which none is longer: lb_operator_token_peek sees to that. */
struct texts {
    char organization[LB_MAX_NAME_BYTES + 1];
    char kid[LB_MAX_NAME_BYTES + 1];
    char unit[LB_MAX_NAME_BYTES + 1];
    char jti[LB_MAX_NAME_BYTES + 1];
    char person[LB_OPERATOR_PERSON_DIGITS + 1];
};

struct entry {
    uint8_t digest[LB_SHA256_BYTES];
    uint8_t key[LB_P256_PUBLIC_BYTES];
    size_t key_len;
    int64_t iat, exp;   /* exp 0: empty */
    struct texts texts;
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

/* Copied, since the entry may be another token's as soon as the lock is given back. */
static lb_status find(struct lb_operator_cache *cache, int64_t now_unix_s,
                      struct lb_arena *arena, struct lb_operator_read *read)
{
    struct texts *texts = lb_arena_alloc(arena, sizeof(*texts));
    LB_ENSURE(texts != NULL, LB_NO_MEMORY, "arena is full");
    (void)pthread_mutex_lock(&cache->lock);
    const struct entry *entry = entry_of(cache, read->digest);
    read->is_known =
        entry->exp > now_unix_s && memcmp(entry->digest, read->digest, LB_SHA256_BYTES) == 0;
    if (read->is_known) {
        *texts = entry->texts;
        read->claims = (struct lb_operator){
            texts->organization, texts->kid, texts->unit, texts->person, texts->jti, entry->iat,
            entry->exp};
        memcpy(read->key, entry->key, entry->key_len);
        read->key_len = entry->key_len;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return LB_OK;
}

static void put(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text);
}

static void remember(struct lb_operator_cache *cache, const uint8_t *digest, struct lb_span key,
                     const struct lb_operator *claims)
{
    (void)pthread_mutex_lock(&cache->lock);
    struct entry *entry = entry_of(cache, digest);
    struct texts *texts = &entry->texts;
    memcpy(entry->digest, digest, LB_SHA256_BYTES);
    memcpy(entry->key, key.ptr, key.len);
    entry->key_len = key.len;
    entry->iat = claims->iat;
    entry->exp = claims->exp;
    put(texts->organization, sizeof(texts->organization), claims->organization);
    put(texts->kid, sizeof(texts->kid), claims->kid);
    put(texts->unit, sizeof(texts->unit), claims->unit);
    put(texts->jti, sizeof(texts->jti), claims->jti);
    put(texts->person, sizeof(texts->person), claims->person);
    (void)pthread_mutex_unlock(&cache->lock);
}

lb_status lb_operator_cache_read(struct lb_operator_cache *cache, struct lb_span token,
                                 int64_t now_unix_s, struct lb_arena *arena,
                                 struct lb_operator_read *out)
{
    struct lb_operator_read read = {.token = token};
    lb_sha256(token, read.digest);
    LB_TRY(find(cache, now_unix_s, arena, &read));
    if (!read.is_known)
        LB_TRY(lb_operator_token_peek(token, arena, &read.claims));
    *out = read;
    return LB_OK;
}

lb_status lb_operator_cache_check(struct lb_operator_cache *cache,
                                  const struct lb_operator_read *read,
                                  const struct lb_verify_key *key, int64_t now_unix_s,
                                  struct lb_arena *arena)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_span name = lb_span_of(raw, lb_verify_key_raw(key, raw));
    struct lb_operator verified;
    if (read->is_known && read->claims.exp > now_unix_s &&
        lb_span_eq(name, lb_span_of(read->key, read->key_len)))
        return LB_OK;
    LB_TRY(lb_operator_token_verify(read->token, key, now_unix_s, arena, &verified));
    remember(cache, read->digest, name, &verified);
    return LB_OK;
}
