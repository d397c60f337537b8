#ifndef GATEWAY_TOKEN_OPERATOR_CACHE_H
#define GATEWAY_TOKEN_OPERATOR_CACHE_H

#include "gateway/crypto/hash.h"
#include "gateway/token/operator_token.h"

/*
 * Operator tokens that were verified already: one person serves many citizens under one token,
 * and it takes libjwt 0.4 ms to verify it and JSON a good part of a read to take it apart.
 *
 * What is remembered is what these very bytes say and by which key they are signed, and nothing
 * else. Whose key is accepted now is for the caller to judge at each use; expiry is judged here at
 * each use, and another key finds nothing. Bounded: 1024 tokens, one that comes later in the place
 * of one before; nothing that was not verified takes a place. Thread-safe.
 */
struct lb_operator_cache;

/* lb_operator_cache_new makes an empty cache; NO_MEMORY. */
LB_MUST lb_status lb_operator_cache_new(struct lb_operator_cache **out_cache);
/* lb_operator_cache_free releases it; NULL is allowed. */
void lb_operator_cache_free(struct lb_operator_cache *cache);

/* lb_operator_cache_read takes a token apart, from memory or from its text, into the arena;
 * nothing in it may be believed before lb_operator_cache_check. Fails as lb_operator_token_peek. */
struct lb_operator_read {
    struct lb_span token;                /* borrowed */
    struct lb_operator claims;
    uint8_t digest[LB_SHA256_BYTES];     /* of the token */
    bool is_known;                       /* `key` has signed it */
    uint8_t key[LB_P256_PUBLIC_BYTES];
    size_t key_len;
};
LB_MUST lb_status lb_operator_cache_read(struct lb_operator_cache *cache, struct lb_span token,
                                         int64_t now_unix_s, struct lb_arena *arena,
                                         struct lb_operator_read *out);
/* lb_operator_cache_check is lb_operator_token_verify of what was read, remembered: the claims may
 * be believed after LB_OK. */
LB_MUST lb_status lb_operator_cache_check(struct lb_operator_cache *cache,
                                          const struct lb_operator_read *read,
                                          const struct lb_verify_key *key, int64_t now_unix_s,
                                          struct lb_arena *arena);

#endif
