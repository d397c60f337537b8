#ifndef GATEWAY_TRUST_PEER_CACHE_H
#define GATEWAY_TRUST_PEER_CACHE_H

#include "gateway/base/limits.h"
#include "gateway/base/span.h"

/*
 * Inside gateway/trust: chains that were verified, by the hash of their text. What a verification
 * says depends on the chain, the belief and the time alone: an entry holds for one generation of
 * belief, from when it was checked until a certificate of its chain or the CRL passes its time.
 * Bounded: 256 sets of four. The caller locks.
 */

struct lb_peer_cache;

struct lb_peer_entry {
    uint8_t sha256[32];
    uint64_t generation;
    int64_t checked_unix_s;
    int64_t until_unix_s;
    char spiffe[LB_MAX_SPIFFE_BYTES];
};

/* lb_peer_cache_new returns NULL when memory is exhausted. */
struct lb_peer_cache *lb_peer_cache_new(void);
void lb_peer_cache_free(struct lb_peer_cache *cache);

/* lb_peer_cache_find copies the entry with the hash and generation of `like`, if it holds at
 * like->checked_unix_s. */
bool lb_peer_cache_find(const struct lb_peer_cache *cache, const struct lb_peer_entry *like,
                        struct lb_peer_entry *out_entry);
/* lb_peer_cache_put stores an entry in place of its older self or of the oldest in its set. */
void lb_peer_cache_put(struct lb_peer_cache *cache, const struct lb_peer_entry *entry);

#endif
