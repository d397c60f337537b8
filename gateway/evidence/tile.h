#ifndef GATEWAY_EVIDENCE_TILE_H
#define GATEWAY_EVIDENCE_TILE_H

#include "gateway/evidence/merkle.h"
#include "gateway/evidence/tree.h"

/* One tile with every inner node that is complete: 256 hashes, 128 parents, ... 1 root. */
#define LB_TILE_HEIGHT 8
#define LB_TILE_NODES (2 * LB_TILE_HASHES - 1)

struct lb_tile {
    struct lb_hash nodes[LB_TILE_NODES];
};

/* lb_tile_node finds node number `pos` at a height 0..8 above the tile's hashes. */
static inline struct lb_hash *lb_tile_node(struct lb_tile *tile, unsigned height, uint64_t pos)
{
    unsigned before = 2 * LB_TILE_HASHES - ((2 * LB_TILE_HASHES) >> height);
    return &tile->nodes[before + pos];
}

/* lb_tile_put sets hash number `pos`, the next one, and computes the parents it completes. */
void lb_tile_put(struct lb_tile *tile, unsigned pos, const struct lb_hash *hash);

/* A few full tiles, the most recently used ones, so that proofs near the end read nothing. */
struct lb_tile_cache;
struct lb_tile_cache *lb_tile_cache_new(void);
void lb_tile_cache_free(struct lb_tile_cache *cache);
/* lb_tile_cache_find borrows a tile until the next lb_tile_cache_slot; NULL when it is not
 * there. */
struct lb_tile *lb_tile_cache_find(struct lb_tile_cache *cache, unsigned level, uint64_t n);
/* lb_tile_cache_slot gives the oldest slot to (level, n); the caller fills all of it. */
struct lb_tile *lb_tile_cache_slot(struct lb_tile_cache *cache, unsigned level, uint64_t n);

#endif
