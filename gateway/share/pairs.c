#include "gateway/share/pairs.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/buf.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define KEY_LABEL "lianban share pair v1"
#define MAX_PAIRS 64U
#define MAX_INFO_BYTES (4 * (LB_MAX_SPIFFE_BYTES + 2) + 64)

struct pair {
    uint8_t name[LB_SHA256_BYTES]; /* of both public keys and the info */
    uint8_t key[LB_SHARE_PAIR_BYTES];
};

struct lb_share_pairs {
    pthread_mutex_t lock;
    size_t num;
    size_t next; /* the one to be replaced when all places are taken */
    struct pair list[MAX_PAIRS];
};

lb_status lb_share_pairs_new(struct lb_share_pairs **out_pairs)
{
    struct lb_share_pairs *pairs = calloc(1, sizeof(*pairs));
    LB_ENSURE(pairs != NULL, LB_NO_MEMORY, "share keys");
    (void)pthread_mutex_init(&pairs->lock, NULL);
    *out_pairs = pairs;
    return LB_OK;
}

void lb_share_pairs_free(struct lb_share_pairs *pairs)
{
    if (pairs == NULL)
        return;
    (void)pthread_mutex_destroy(&pairs->lock);
    lb_wipe(pairs, sizeof(*pairs));
    free(pairs);
}

/* Both sides must write the same, whoever computes: the lesser SPIFFE id comes first. */
static lb_status put_info(struct lb_buf *info, const struct lb_share_part *a,
                          const struct lb_share_part *b)
{
    bool ordered = strcmp(a->spiffe, b->spiffe) <= 0;
    const struct lb_share_part *first = ordered ? a : b;
    const struct lb_share_part *second = ordered ? b : a;
    lb_buf_put_str(info, KEY_LABEL);
    lb_buf_put_field16(info, lb_span_str(first->spiffe));
    lb_buf_put_field16(info, lb_span_str(first->key_id));
    lb_buf_put_field16(info, lb_span_str(second->spiffe));
    lb_buf_put_field16(info, lb_span_str(second->key_id));
    return lb_buf_check(info);
}

static lb_status derive(const struct lb_share_part *other, const struct lb_x25519_key *own,
                        struct lb_span info, uint8_t out[LB_SHARE_PAIR_BYTES])
{
    uint8_t shared[LB_X25519_BYTES], prk[LB_SHA256_BYTES];
    LB_TRY(lb_x25519_dh(own->private_key, other->public_key, shared));
    lb_hkdf_extract(LB_SPAN_EMPTY, lb_span_of(shared, sizeof(shared)), prk);
    lb_hkdf_expand(prk, info, out, LB_SHARE_PAIR_BYTES);
    lb_wipe(shared, sizeof(shared));
    lb_wipe(prk, sizeof(prk));
    return LB_OK;
}

static bool recall(struct lb_share_pairs *pairs, const uint8_t name[LB_SHA256_BYTES],
                   uint8_t out[LB_SHARE_PAIR_BYTES])
{
    bool found = false;
    (void)pthread_mutex_lock(&pairs->lock);
    for (size_t i = 0; i < pairs->num && !found; i++) {
        found = memcmp(pairs->list[i].name, name, LB_SHA256_BYTES) == 0;
        if (found)
            memcpy(out, pairs->list[i].key, LB_SHARE_PAIR_BYTES);
    }
    (void)pthread_mutex_unlock(&pairs->lock);
    return found;
}

static void remember(struct lb_share_pairs *pairs, const uint8_t name[LB_SHA256_BYTES],
                     const uint8_t key[LB_SHARE_PAIR_BYTES])
{
    (void)pthread_mutex_lock(&pairs->lock);
    struct pair *place = &pairs->list[pairs->next];
    pairs->next = (pairs->next + 1) % MAX_PAIRS;
    pairs->num += pairs->num < MAX_PAIRS ? 1 : 0;
    memcpy(place->name, name, LB_SHA256_BYTES);
    memcpy(place->key, key, LB_SHARE_PAIR_BYTES);
    (void)pthread_mutex_unlock(&pairs->lock);
}

lb_status lb_share_pair(struct lb_share_pairs *pairs, const struct lb_share_part *mine,
                        const struct lb_share_part *other, const struct lb_x25519_key *own,
                        uint8_t out[LB_SHARE_PAIR_BYTES])
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) info;
    uint8_t name[LB_SHA256_BYTES];
    lb_buf_init(&info, MAX_INFO_BYTES);
    LB_TRY(put_info(&info, mine, other));
    if (pairs == NULL)
        return derive(other, own, lb_buf_span(&info), out);
    const struct lb_span parts[] = {lb_span_of(own->public_key, LB_X25519_BYTES),
                                    lb_span_of(other->public_key, LB_X25519_BYTES),
                                    lb_buf_span(&info)};
    lb_sha256_parts(parts, 3, name);
    if (recall(pairs, name, out))
        return LB_OK;
    LB_TRY(derive(other, own, lb_buf_span(&info), out));
    remember(pairs, name, out);
    return LB_OK;
}
