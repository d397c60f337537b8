#include "gateway/evidence/checkpoint_memo.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/crypto/hash.h"

/* A digest's first byte says in which set it stands, if anywhere. */
#define WAYS 4
#define SETS (LB_CHECKPOINT_MEMO_ENTRIES / WAYS)

struct known {
    bool used;
    uint8_t digest[LB_SHA256_BYTES];
    uint64_t size;
    struct lb_hash root;
};

struct set {
    size_t oldest; /* the next to be replaced */
    struct known known[WAYS];
};

struct lb_checkpoint_memo {
    pthread_mutex_t lock;
    uint64_t opened;
    struct set sets[SETS];
};

lb_status lb_checkpoint_memo_new(struct lb_checkpoint_memo **out_memo)
{
    struct lb_checkpoint_memo *memo = calloc(1, sizeof(*memo));
    LB_ENSURE(memo != NULL, LB_NO_MEMORY, "memo of checkpoints");
    (void)pthread_mutex_init(&memo->lock, NULL);
    *out_memo = memo;
    return LB_OK;
}

void lb_checkpoint_memo_free(struct lb_checkpoint_memo *memo)
{
    if (memo == NULL)
        return;
    (void)pthread_mutex_destroy(&memo->lock);
    free(memo);
}

/* Everything that opening depends on. The key is the one that would verify. */
static void digest_of(struct lb_span note, const struct lb_note_verifier *verifier,
                      uint8_t out[LB_SHA256_BYTES])
{
    uint8_t key[LB_P256_PUBLIC_BYTES];
    const struct lb_span name = lb_span_str(verifier->name);
    const uint8_t name_len = (uint8_t)name.len; /* a name has at most 255 bytes */
    const struct lb_span parts[] = {
        lb_span_of(key, lb_verify_key_raw(verifier->key, key)),
        lb_span_of(verifier->key_id, sizeof(verifier->key_id)),
        lb_span_of(&name_len, 1),
        name,
        note,
    };
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

static struct set *set_of(struct lb_checkpoint_memo *memo, const uint8_t digest[LB_SHA256_BYTES])
{
    return &memo->sets[digest[0] % SETS];
}

static bool recall(struct lb_checkpoint_memo *memo, const uint8_t digest[LB_SHA256_BYTES],
                   struct lb_checkpoint *out)
{
    bool found = false;
    (void)pthread_mutex_lock(&memo->lock);
    const struct set *set = set_of(memo, digest);
    for (size_t i = 0; i < WAYS && !found; i++) {
        const struct known *known = &set->known[i];
        found = known->used && memcmp(known->digest, digest, LB_SHA256_BYTES) == 0;
        if (found) {
            out->size = known->size;
            out->root = known->root;
        }
    }
    memo->opened += !found;
    (void)pthread_mutex_unlock(&memo->lock);
    return found;
}

static void remember(struct lb_checkpoint_memo *memo, const uint8_t digest[LB_SHA256_BYTES],
                     const struct lb_checkpoint *checkpoint)
{
    struct known fresh = {.used = true, .size = checkpoint->size, .root = checkpoint->root};
    memcpy(fresh.digest, digest, sizeof(fresh.digest));
    (void)pthread_mutex_lock(&memo->lock);
    struct set *set = set_of(memo, digest);
    set->known[set->oldest] = fresh;
    set->oldest = (set->oldest + 1) % WAYS;
    (void)pthread_mutex_unlock(&memo->lock);
}

lb_status lb_checkpoint_memo_open(struct lb_checkpoint_memo *memo, struct lb_span note,
                                  const struct lb_note_verifier *verifier,
                                  struct lb_checkpoint *out_checkpoint)
{
    if (memo == NULL)
        return lb_checkpoint_open(note, verifier, out_checkpoint);
    uint8_t digest[LB_SHA256_BYTES];
    struct lb_checkpoint checkpoint = {0};
    digest_of(note, verifier, digest);
    if (recall(memo, digest, &checkpoint)) {
        /* Only a checkpoint whose origin is the verifier's name was opened. */
        memcpy(checkpoint.origin, verifier->name, sizeof(checkpoint.origin));
    } else {
        LB_TRY(lb_checkpoint_open(note, verifier, &checkpoint));
        remember(memo, digest, &checkpoint);
    }
    *out_checkpoint = checkpoint;
    return LB_OK;
}

uint64_t lb_checkpoint_memo_opened(struct lb_checkpoint_memo *memo)
{
    (void)pthread_mutex_lock(&memo->lock);
    uint64_t opened = memo->opened;
    (void)pthread_mutex_unlock(&memo->lock);
    return opened;
}
