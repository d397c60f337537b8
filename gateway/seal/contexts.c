#include "gateway/seal/contexts.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define LIFE_MS (LB_CONTEXT_LIFE_S * INT64_C(1000))
#define NAMES_PER_CONTEXT 4
#define MAX_CONTEXTS (SIZE_MAX / 4096)

/* A remembered name, with its keys while they are in memory. */
struct entry {
    uint8_t name[LB_SHA256_BYTES];
    int64_t born_ms;
    bool has_keys;
    struct lb_hpke_context keys;
    struct entry *bucket_next;
    struct entry *younger;    /* by birth; also chains free entries */
    struct entry *used_after;   /* by use, only while has_keys */
    struct entry *used_before;
};

struct lb_seal_contexts {
    const struct lb_clock *clock;
    pthread_mutex_t lock;
    struct entry *entries;
    struct entry **buckets;
    size_t num_buckets;
    size_t max_contexts;
    size_t num_contexts;
    size_t num_names;
    struct entry *free;
    struct entry *oldest;
    struct entry *youngest;
    struct entry *next_to_expire;  /* the oldest that was not yet past its life */
    struct entry *least_used;
    struct entry *most_used;
};

lb_status lb_seal_contexts_new(size_t max_contexts, const struct lb_clock *clock,
                               struct lb_seal_contexts **out_contexts)
{
    LB_ENSURE(max_contexts > 0 && max_contexts <= MAX_CONTEXTS, LB_NO_MEMORY, "number of contexts");
    struct lb_seal_contexts *made = calloc(1, sizeof(*made));
    LB_ENSURE(made != NULL, LB_NO_MEMORY, "context store");
    size_t num_entries = max_contexts * NAMES_PER_CONTEXT;
    made->clock = clock;
    made->max_contexts = max_contexts;
    made->num_buckets = num_entries;
    made->entries = calloc(num_entries, sizeof(*made->entries));
    made->buckets = calloc(num_entries, sizeof(struct entry *));
    if (made->entries == NULL || made->buckets == NULL ||
        pthread_mutex_init(&made->lock, NULL) != 0) {
        free(made->entries);
        free(made->buckets);
        free(made);
        LB_FAIL(LB_NO_MEMORY, "context store");
    }
    for (size_t i = 0; i < num_entries; i++) {
        made->entries[i].younger = made->free;
        made->free = &made->entries[i];
    }
    *out_contexts = made;
    return LB_OK;
}

void lb_seal_contexts_free(struct lb_seal_contexts *contexts)
{
    if (contexts == NULL)
        return;
    lb_wipe(contexts->entries,
            contexts->max_contexts * NAMES_PER_CONTEXT * sizeof(*contexts->entries));
    free(contexts->entries);
    free(contexts->buckets);
    (void)pthread_mutex_destroy(&contexts->lock);
    free(contexts);
}

static struct entry **bucket_of(struct lb_seal_contexts *contexts,
                                const uint8_t name[LB_SHA256_BYTES])
{
    uint64_t head = 0;
    for (size_t i = 0; i < sizeof(head); i++)
        head = head << 8 | name[i];
    return &contexts->buckets[head % contexts->num_buckets];
}

static struct entry *find(struct lb_seal_contexts *contexts, const uint8_t name[LB_SHA256_BYTES])
{
    struct entry *entry = *bucket_of(contexts, name);
    while (entry != NULL && !lb_span_eq(lb_span_of(entry->name, LB_SHA256_BYTES),
                                        lb_span_of(name, LB_SHA256_BYTES)))
        entry = entry->bucket_next;
    return entry;
}

static void use_unlink(struct lb_seal_contexts *contexts, struct entry *entry)
{
    if (entry->used_before != NULL)
        entry->used_before->used_after = entry->used_after;
    else
        contexts->least_used = entry->used_after;
    if (entry->used_after != NULL)
        entry->used_after->used_before = entry->used_before;
    else
        contexts->most_used = entry->used_before;
}

static void use_append(struct lb_seal_contexts *contexts, struct entry *entry)
{
    entry->used_after = NULL;
    entry->used_before = contexts->most_used;
    if (contexts->most_used != NULL)
        contexts->most_used->used_after = entry;
    else
        contexts->least_used = entry;
    contexts->most_used = entry;
}

static void drop_keys(struct lb_seal_contexts *contexts, struct entry *entry)
{
    if (!entry->has_keys)
        return;
    use_unlink(contexts, entry);
    lb_hpke_context_wipe(&entry->keys);
    entry->has_keys = false;
    contexts->num_contexts--;
}

static void give_keys(struct lb_seal_contexts *contexts, struct entry *entry,
                      const struct lb_hpke_context *keys)
{
    if (contexts->num_contexts == contexts->max_contexts)
        drop_keys(contexts, contexts->least_used);
    entry->keys = *keys;
    entry->has_keys = true;
    use_append(contexts, entry);
    contexts->num_contexts++;
}

static void forget_oldest(struct lb_seal_contexts *contexts)
{
    struct entry *entry = contexts->oldest;
    drop_keys(contexts, entry);
    struct entry **link = bucket_of(contexts, entry->name);
    while (*link != entry)
        link = &(*link)->bucket_next;
    *link = entry->bucket_next;
    if (contexts->next_to_expire == entry)
        contexts->next_to_expire = entry->younger;
    contexts->oldest = entry->younger;
    if (contexts->oldest == NULL)
        contexts->youngest = NULL;
    entry->younger = contexts->free;
    contexts->free = entry;
    contexts->num_names--;
}

static struct entry *remember(struct lb_seal_contexts *contexts,
                              const uint8_t name[LB_SHA256_BYTES], int64_t now_ms)
{
    if (contexts->free == NULL)
        forget_oldest(contexts);
    struct entry *entry = contexts->free;
    contexts->free = entry->younger;
    *entry = (struct entry){.born_ms = now_ms};
    memcpy(entry->name, name, LB_SHA256_BYTES);
    struct entry **bucket = bucket_of(contexts, name);
    entry->bucket_next = *bucket;
    *bucket = entry;
    if (contexts->youngest != NULL)
        contexts->youngest->younger = entry;
    else
        contexts->oldest = entry;
    contexts->youngest = entry;
    if (contexts->next_to_expire == NULL)
        contexts->next_to_expire = entry;
    contexts->num_names++;
    return entry;
}

static bool is_past(const struct entry *entry, int64_t now_ms, int64_t lives)
{
    return now_ms - entry->born_ms >= lives * LIFE_MS;
}

static void sweep(struct lb_seal_contexts *contexts, int64_t now_ms)
{
    while (contexts->next_to_expire != NULL && is_past(contexts->next_to_expire, now_ms, 1)) {
        drop_keys(contexts, contexts->next_to_expire);
        contexts->next_to_expire = contexts->next_to_expire->younger;
    }
    while (contexts->oldest != NULL && is_past(contexts->oldest, now_ms, 2))
        forget_oldest(contexts);
}

/* Copies the keys out if they are there; *out_found says so. */
static lb_status look_up(struct lb_seal_contexts *contexts, const uint8_t name[LB_SHA256_BYTES],
                         int64_t now_ms, bool *out_found, struct lb_hpke_context *out_context)
{
    *out_found = false;
    struct entry *entry = find(contexts, name);
    if (entry == NULL)
        return LB_OK;
    LB_ENSURE(!is_past(entry, now_ms, 1), LB_CONTEXT_UNKNOWN, "sealing context has ended");
    if (!entry->has_keys)
        return LB_OK;
    use_unlink(contexts, entry);
    use_append(contexts, entry);
    *out_context = entry->keys;
    *out_found = true;
    return LB_OK;
}

/* Between look-up and here the lock was open: another thread may have been first, or the name's
 * life may have ended. Keys derived twice are the same. */
static lb_status store(struct lb_seal_contexts *contexts, const uint8_t name[LB_SHA256_BYTES],
                       int64_t now_ms, const struct lb_hpke_context *keys)
{
    struct entry *entry = find(contexts, name);
    if (entry == NULL)
        entry = remember(contexts, name, now_ms);
    LB_ENSURE(!is_past(entry, now_ms, 1), LB_CONTEXT_UNKNOWN, "sealing context has ended");
    if (!entry->has_keys)
        give_keys(contexts, entry, keys);
    return LB_OK;
}

lb_status lb_seal_contexts_get(struct lb_seal_contexts *contexts,
                               const struct lb_x25519_key *recipient,
                               const uint8_t enc[LB_HPKE_ENC_BYTES], struct lb_span info,
                               const uint8_t sender_pub[LB_X25519_BYTES],
                               struct lb_hpke_context *out_context)
{
    const struct lb_span parts[] = {
        lb_span_of(enc, LB_HPKE_ENC_BYTES), lb_span_of(sender_pub, LB_X25519_BYTES), info};
    uint8_t name[LB_SHA256_BYTES];
    bool found = false;
    lb_sha256_parts(parts, 3, name);
    (void)pthread_mutex_lock(&contexts->lock);
    int64_t now_ms = lb_clock_monotonic_ms(contexts->clock);
    sweep(contexts, now_ms);
    lb_status status = look_up(contexts, name, now_ms, &found, out_context);
    (void)pthread_mutex_unlock(&contexts->lock);
    if (status != LB_OK || found)
        return status;
    LB_DEFER(lb_hpke_context_wipe) struct lb_hpke_context keys = {.key = {0}};
    LB_TRY(lb_hpke_setup_recipient(recipient, enc, info, sender_pub, &keys));
    (void)pthread_mutex_lock(&contexts->lock);
    status = store(contexts, name, lb_clock_monotonic_ms(contexts->clock), &keys);
    (void)pthread_mutex_unlock(&contexts->lock);
    if (status == LB_OK)
        *out_context = keys;
    return status;
}

void lb_seal_contexts_sweep(struct lb_seal_contexts *contexts)
{
    (void)pthread_mutex_lock(&contexts->lock);
    sweep(contexts, lb_clock_monotonic_ms(contexts->clock));
    (void)pthread_mutex_unlock(&contexts->lock);
}

size_t lb_seal_contexts_count(struct lb_seal_contexts *contexts, size_t *out_names)
{
    (void)pthread_mutex_lock(&contexts->lock);
    size_t count = contexts->num_contexts;
    if (out_names != NULL)
        *out_names = contexts->num_names;
    (void)pthread_mutex_unlock(&contexts->lock);
    return count;
}
