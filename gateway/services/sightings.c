#include "gateway/services/sightings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/crypto/x509.h"

#define AGAIN_MS 1000

/* A certificate is read once: what it says does not change. */
struct place {
    struct lb_sighting sighting;
    uint8_t chain_sha256[32];  /* of the chain that was read */
};

struct lb_sightings {
    const struct lb_clock *clock;
    pthread_mutex_t lock;
    struct place table[LB_MAX_SIGHTINGS];  /* open addressing; an empty name ends a run */
};

struct lb_sightings *lb_sightings_new(const struct lb_clock *clock)
{
    struct lb_sightings *sightings = calloc(1, sizeof(*sightings));
    if (sightings == NULL)
        return NULL;
    sightings->clock = clock;
    (void)pthread_mutex_init(&sightings->lock, NULL);
    return sightings;
}

void lb_sightings_free(struct lb_sightings *sightings)
{
    if (sightings == NULL)
        return;
    (void)pthread_mutex_destroy(&sightings->lock);
    free(sightings);
}

/* FNV-1a; members' names are no attacker's to choose. */
static size_t slot_of(const char *spiffe)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *spiffe != 0; spiffe++)
        hash = (hash ^ (uint8_t)*spiffe) * UINT64_C(1099511628211);
    return (size_t)(hash % LB_MAX_SIGHTINGS);
}

/* Under lock: the member's place, or a free one for it; NULL when there is none. */
static struct place *place_of(struct lb_sightings *sightings, const char *spiffe)
{
    size_t slot = slot_of(spiffe);
    for (size_t i = 0; i < LB_MAX_SIGHTINGS; i++) {
        struct place *place = &sightings->table[(slot + i) % LB_MAX_SIGHTINGS];
        if (place->sighting.spiffe[0] == 0 || strcmp(place->sighting.spiffe, spiffe) == 0)
            return place;
    }
    return NULL;
}

/* Whether it is time to look at the certificate again; the time is noted. */
static bool is_due(struct lb_sightings *sightings, const char *spiffe)
{
    int64_t now = lb_clock_unix_ms(sightings->clock);
    (void)pthread_mutex_lock(&sightings->lock);
    struct place *place = place_of(sightings, spiffe);
    struct lb_sighting *last = place == NULL ? NULL : &place->sighting;
    bool due = last != NULL && (last->spiffe[0] == 0 || now < last->seen_unix_ms ||
                                now - last->seen_unix_ms >= AGAIN_MS);
    if (due) {
        memcpy(last->spiffe, spiffe, strlen(spiffe) + 1);
        last->seen_unix_ms = now;
    }
    (void)pthread_mutex_unlock(&sightings->lock);
    return due;
}

static bool is_read(struct lb_sightings *sightings, const char *spiffe, const uint8_t sha256[32])
{
    (void)pthread_mutex_lock(&sightings->lock);
    const struct place *place = place_of(sightings, spiffe);
    bool same = place != NULL && memcmp(place->chain_sha256, sha256, 32) == 0;
    (void)pthread_mutex_unlock(&sightings->lock);
    return same;
}

static void keep(struct lb_sightings *sightings, const char *spiffe, const uint8_t sha256[32],
                 const struct lb_cert_info *info)
{
    (void)pthread_mutex_lock(&sightings->lock);
    struct place *place = place_of(sightings, spiffe);
    if (place != NULL) {
        place->sighting.not_after_unix_s = info->not_after_unix_s;
        memcpy(place->chain_sha256, sha256, sizeof(place->chain_sha256));
    }
    (void)pthread_mutex_unlock(&sightings->lock);
}

void lb_sightings_note(struct lb_sightings *sightings, const struct lb_rpc_peer *peer)
{
    struct lb_cert_info info;
    uint8_t sha256[32];
    size_t len = strlen(peer->spiffe);
    if (sightings == NULL || len == 0 || len >= LB_MAX_SPIFFE_BYTES ||
        !is_due(sightings, peer->spiffe))
        return;
    lb_sha256(peer->chain_pem, sha256);
    if (!is_read(sightings, peer->spiffe, sha256) &&
        lb_x509_info(peer->chain_pem, &info) == LB_OK)
        keep(sightings, peer->spiffe, sha256, &info);
}

bool lb_sightings_find(struct lb_sightings *sightings, const char *spiffe,
                       struct lb_sighting *out)
{
    if (sightings == NULL || strlen(spiffe) >= LB_MAX_SPIFFE_BYTES)
        return false;
    (void)pthread_mutex_lock(&sightings->lock);
    const struct place *place = place_of(sightings, spiffe);
    bool found = place != NULL && place->sighting.spiffe[0] != 0;
    if (found)
        *out = place->sighting;
    (void)pthread_mutex_unlock(&sightings->lock);
    return found;
}
