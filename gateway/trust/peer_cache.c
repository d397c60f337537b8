#include "gateway/trust/peer_cache.h"

#include <stdlib.h>

#define NUM_SETS 256
#define NUM_WAYS 4

struct lb_peer_cache {
    struct lb_peer_entry sets[NUM_SETS][NUM_WAYS];
};

struct lb_peer_cache *lb_peer_cache_new(void)
{
    return calloc(1, sizeof(struct lb_peer_cache));
}

void lb_peer_cache_free(struct lb_peer_cache *cache)
{
    free(cache);
}

/* A clock that was set back knows nothing of what was checked later. */
static bool holds(const struct lb_peer_entry *entry, int64_t now_unix_s)
{
    return entry->checked_unix_s <= now_unix_s && now_unix_s < entry->until_unix_s;
}

bool lb_peer_cache_find(const struct lb_peer_cache *cache, const struct lb_peer_entry *like,
                        struct lb_peer_entry *out_entry)
{
    /* The first byte of a hash picks the set. */
    const struct lb_peer_entry *set = cache->sets[like->sha256[0]];
    for (size_t i = 0; i < NUM_WAYS; i++) {
        if (set[i].generation != like->generation || memcmp(set[i].sha256, like->sha256, 32) != 0)
            continue;
        if (!holds(&set[i], like->checked_unix_s))
            return false;
        *out_entry = set[i];
        return true;
    }
    return false;
}

void lb_peer_cache_put(struct lb_peer_cache *cache, const struct lb_peer_entry *entry)
{
    struct lb_peer_entry *set = cache->sets[entry->sha256[0]];
    struct lb_peer_entry *place = &set[0];
    for (size_t i = 0; i < NUM_WAYS; i++) {
        if (memcmp(set[i].sha256, entry->sha256, 32) == 0) {
            place = &set[i];
            break;
        }
        if (set[i].generation < place->generation ||
            (set[i].generation == place->generation &&
             set[i].checked_unix_s < place->checked_unix_s))
            place = &set[i];
    }
    *place = *entry;
}
