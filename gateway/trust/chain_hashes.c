#include "gateway/trust/chain_hashes.h"

#include <stdlib.h>
#include <string.h>

struct kept {
    uint8_t sha256[32];
    size_t len;
    uint8_t bytes[];
};

struct lb_chain_hashes {
    struct kept *places[LB_CHAIN_HASHES];
};

struct lb_chain_hashes *lb_chain_hashes_new(void)
{
    return calloc(1, sizeof(struct lb_chain_hashes));
}

void lb_chain_hashes_free(struct lb_chain_hashes *hashes)
{
    if (hashes == NULL)
        return;
    for (size_t i = 0; i < LB_CHAIN_HASHES; i++)
        free(hashes->places[i]);
    free(hashes);
}

/* FNV-1a. Whoever meets another's place costs both a hash a message, no more. */
static size_t place_of(const char *spiffe)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *spiffe != 0; spiffe++)
        hash = (hash ^ (uint8_t)*spiffe) * UINT64_C(1099511628211);
    return (size_t)((hash ^ hash >> 32) % LB_CHAIN_HASHES);
}

bool lb_chain_hashes_find(const struct lb_chain_hashes *hashes, const char *spiffe,
                          struct lb_span chain, uint8_t out_sha256[32])
{
    const struct kept *kept = hashes->places[place_of(spiffe)];
    if (kept == NULL || !lb_span_eq(lb_span_of(kept->bytes, kept->len), chain))
        return false;
    memcpy(out_sha256, kept->sha256, sizeof(kept->sha256));
    return true;
}

void lb_chain_hashes_put(struct lb_chain_hashes *hashes, const char *spiffe, struct lb_span chain,
                         const uint8_t sha256[32])
{
    if (chain.len == 0 || chain.len > LB_CHAIN_HASH_BYTES)
        return;
    struct kept *kept = malloc(sizeof(*kept) + chain.len);
    if (kept == NULL)
        return;
    memcpy(kept->sha256, sha256, sizeof(kept->sha256));
    kept->len = chain.len;
    memcpy(kept->bytes, chain.ptr, chain.len);
    size_t place = place_of(spiffe);
    free(hashes->places[place]);
    hashes->places[place] = kept;
}
