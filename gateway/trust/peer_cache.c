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

static bool is_recent(const struct lb_peer_entry *entry, const struct lb_peer_entry *like)
{
    int64_t passed_ms = like->checked_monotonic_ms - entry->checked_monotonic_ms;
    int64_t passed_s = like->checked_unix_s - entry->checked_unix_s;
    return passed_ms >= 0 && passed_ms < LB_PEER_RECHECK_MS && passed_s >= 0 &&
           passed_s < LB_PEER_RECHECK_MS / 1000;
}

bool lb_peer_cache_find(const struct lb_peer_cache *cache, const struct lb_peer_entry *like,
                        struct lb_peer_entry *out_entry)
{
    /* The first byte of a hash picks the set. */
    const struct lb_peer_entry *set = cache->sets[like->sha256[0]];
    for (size_t i = 0; i < NUM_WAYS; i++) {
        if (set[i].generation != like->generation || memcmp(set[i].sha256, like->sha256, 32) != 0)
            continue;
        if (!is_recent(&set[i], like))
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
             set[i].checked_monotonic_ms < place->checked_monotonic_ms))
            place = &set[i];
    }
    *place = *entry;
}
