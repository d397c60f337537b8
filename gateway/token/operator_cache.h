#ifndef GATEWAY_TOKEN_OPERATOR_CACHE_H
#define GATEWAY_TOKEN_OPERATOR_CACHE_H

#include "gateway/token/operator_token.h"

/*
 * Operator tokens that were verified already, by the digest of token and key: one person serves
 * many citizens under one token, and libjwt takes 0.4 ms for each look. Bounded; expiry is judged
 * at every use; a key that changes in the directory finds nothing here. Thread-safe.
 */
struct lb_operator_cache;

/* lb_operator_cache_new makes an empty cache; NO_MEMORY. */
LB_MUST lb_status lb_operator_cache_new(struct lb_operator_cache **out_cache);
/* lb_operator_cache_free releases it; NULL is allowed. */
void lb_operator_cache_free(struct lb_operator_cache *cache);

/* lb_operator_cache_verify is lb_operator_token_verify, remembered. Claims are copied into the
 * arena. */
LB_MUST lb_status lb_operator_cache_verify(struct lb_operator_cache *cache, struct lb_span token,
                                           const struct lb_verify_key *key, int64_t now_unix_s,
                                           struct lb_arena *arena, struct lb_operator *out);
/* lb_operator_cache_check does so for whoever had to look into the token for its issuer's key:
 * `peeked` is what lb_operator_token_peek read of these very bytes, and may be believed after
 * LB_OK. */
LB_MUST lb_status lb_operator_cache_check(struct lb_operator_cache *cache, struct lb_span token,
                                          const struct lb_operator *peeked,
                                          const struct lb_verify_key *key, int64_t now_unix_s,
                                          struct lb_arena *arena);

#endif
