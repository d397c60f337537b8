#ifndef GATEWAY_TRUST_CHAIN_HASHES_H
#define GATEWAY_TRUST_CHAIN_HASHES_H

#include "gateway/base/span.h"

/*
 * Inside gateway/trust: the SHA-256 of chains that come again on every message of a peer. A chain
 * is compared byte for byte with the one kept, which takes a fiftieth of hashing it; what it hashes
 * to depends on nothing else, so nothing here can grow old. What a chain is worth is judged
 * elsewhere, each time (peer_cache.h).
 *
 * Bounded: LB_CHAIN_HASHES places, picked by the peer's name, of LB_CHAIN_HASH_BYTES at most; what
 * is longer is hashed each time. The caller locks.
 */
#define LB_CHAIN_HASHES 256
#define LB_CHAIN_HASH_BYTES 8192

struct lb_chain_hashes;

/* lb_chain_hashes_new returns NULL when memory is exhausted. */
struct lb_chain_hashes *lb_chain_hashes_new(void);
void lb_chain_hashes_free(struct lb_chain_hashes *hashes);

/* lb_chain_hashes_find gives the hash of just these bytes, if they were kept for this peer. */
bool lb_chain_hashes_find(const struct lb_chain_hashes *hashes, const char *spiffe,
                          struct lb_span chain, uint8_t out_sha256[32]);
/* lb_chain_hashes_put keeps a chain in place of what has its place; only for chains that were
 * verified, so that nobody else can fill it. Without memory it keeps nothing. */
void lb_chain_hashes_put(struct lb_chain_hashes *hashes, const char *spiffe, struct lb_span chain,
                         const uint8_t sha256[32]);

#endif
