#include "gateway/evidence/denials.h"

#include <string.h>

void lb_denials_init(struct lb_denials *denials)
{
    memset(denials, 0, sizeof(*denials));
    (void)pthread_mutex_init(&denials->lock, NULL);
}

void lb_denials_cleanup(struct lb_denials *denials)
{
    (void)pthread_mutex_destroy(&denials->lock);
}

/* FNV-1a: only to find a counter fast; equality is decided by the name. */
static uint64_t hash_of(const char *peer, enum lb_code code)
{
    uint64_t hash = 0xCBF29CE484222325U ^ (uint64_t)code;
    for (; *peer != 0; peer++)
        hash = (hash ^ (uint8_t)*peer) * 0x100000001B3U;
    return hash;
}

static void add_one(uint32_t *count)
{
    if (*count < UINT32_MAX)
        (*count)++;
}

static struct lb_denial *counter_for(struct lb_denials *denials, const char *peer,
                                     enum lb_code code)
{
    uint64_t hash = hash_of(peer, code);
    for (size_t i = 0; i < denials->num_peers; i++) {
        struct lb_denial *have = &denials->peers[i];
        if (denials->hashes[i] == hash && have->code == code && strcmp(have->peer, peer) == 0)
            return have;
    }
    if (denials->num_peers == LB_DENIALS_PEERS)
        return NULL;
    size_t at = denials->num_peers++;
    denials->hashes[at] = hash;
    denials->peers[at] = (struct lb_denial){.code = code};
    memcpy(denials->peers[at].peer, peer, strlen(peer));
    return &denials->peers[at];
}

void lb_denials_count(struct lb_denials *denials, const char *peer, enum lb_code code)
{
    bool named = peer[0] != 0 && strnlen(peer, LB_MAX_SPIFFE_BYTES + 1) <= LB_MAX_SPIFFE_BYTES;
    if ((int)code <= 0 || code >= LB_NUM_CODES)
        code = LB_INTERNAL;
    (void)pthread_mutex_lock(&denials->lock);
    struct lb_denial *counter = named ? counter_for(denials, peer, code) : NULL;
    add_one(counter == NULL ? &denials->nameless[code] : &counter->count);
    denials->any = true;
    (void)pthread_mutex_unlock(&denials->lock);
}

bool lb_denials_any(struct lb_denials *denials)
{
    (void)pthread_mutex_lock(&denials->lock);
    bool any = denials->any;
    (void)pthread_mutex_unlock(&denials->lock);
    return any;
}

size_t lb_denials_take(struct lb_denials *denials, struct lb_denial out[LB_DENIALS_MAX])
{
    (void)pthread_mutex_lock(&denials->lock);
    size_t num = denials->num_peers;
    memcpy(out, denials->peers, num * sizeof(out[0]));
    denials->num_peers = 0;
    for (int code = 0; code < LB_NUM_CODES; code++) {
        uint32_t count = denials->nameless[code];
        denials->nameless[code] = 0;
        if (count > 0)
            out[num++] = (struct lb_denial){.code = (enum lb_code)code, .count = count};
    }
    denials->any = false;
    (void)pthread_mutex_unlock(&denials->lock);
    return num;
}
