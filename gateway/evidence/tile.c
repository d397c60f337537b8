#include "gateway/evidence/tile.h"

#include <stdlib.h>

#define CACHE_SLOTS 16

struct slot {
    uint64_t used;  /* the cache's tick at the last use; 0 for empty */
    unsigned level;
    uint64_t n;
    struct lb_tile tile;
};

struct lb_tile_cache {
    uint64_t tick;
    struct slot slots[CACHE_SLOTS];
};

void lb_tile_put(struct lb_tile *tile, unsigned pos, const struct lb_hash *hash)
{
    *lb_tile_node(tile, 0, pos) = *hash;
    for (unsigned height = 0; height < LB_TILE_HEIGHT && (pos & 1) == 1; height++) {
        lb_merkle_node(lb_tile_node(tile, height, pos - 1), lb_tile_node(tile, height, pos),
                       lb_tile_node(tile, height + 1, pos >> 1));
        pos >>= 1;
    }
}

struct lb_tile_cache *lb_tile_cache_new(void)
{
    return calloc(1, sizeof(struct lb_tile_cache));
}

void lb_tile_cache_free(struct lb_tile_cache *cache)
{
    free(cache);
}

static struct slot *find(struct lb_tile_cache *cache, unsigned level, uint64_t n)
{
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        struct slot *slot = &cache->slots[i];
        if (slot->used != 0 && slot->level == level && slot->n == n)
            return slot;
    }
    return NULL;
}

struct lb_tile *lb_tile_cache_find(struct lb_tile_cache *cache, unsigned level, uint64_t n)
{
    struct slot *slot = find(cache, level, n);
    if (slot == NULL)
        return NULL;
    slot->used = ++cache->tick;
    return &slot->tile;
}

struct lb_tile *lb_tile_cache_slot(struct lb_tile_cache *cache, unsigned level, uint64_t n)
{
    struct slot *oldest = &cache->slots[0];
    for (size_t i = 1; i < CACHE_SLOTS; i++) {
        if (cache->slots[i].used < oldest->used)
            oldest = &cache->slots[i];
    }
    oldest->used = ++cache->tick;
    oldest->level = level;
    oldest->n = n;
    return &oldest->tile;
}
