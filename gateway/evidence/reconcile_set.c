#include "gateway/evidence/reconcile.h"

#include <stdlib.h>

#include "gateway/crypto/hash.h"

#define FIRST_CAPACITY 256U
/* Entries of one txn that was used for several adapters; past it they are not told apart. */
#define MAX_MIXED 1024U

static bool is_about_a_read(const struct lb_leaf *leaf)
{
    static const uint8_t nothing[16];
    bool kind = leaf->type == LB_LEAF_READ || leaf->type == LB_LEAF_ROUTE ||
                leaf->type == LB_LEAF_DELIVER || leaf->type == LB_LEAF_FAILURE;
    return kind && memcmp(leaf->txn, nothing, sizeof(nothing)) != 0;
}

static lb_status grow(struct lb_reconcile_set *set)
{
    LB_ENSURE(set->num < LB_RECONCILE_MAX_ENTRIES, LB_TOO_LARGE, "more entries than one run takes");
    if (set->num < set->capacity)
        return LB_OK;
    size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : 2 * set->capacity;
    struct lb_reconcile_entry *entries =
        realloc(set->entries, capacity * sizeof(*entries));
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "entries to compare");
    set->entries = entries;
    set->capacity = capacity;
    return LB_OK;
}

static lb_status append(struct lb_reconcile_set *set, const struct lb_reconcile_entry *entry)
{
    LB_TRY(grow(set));
    set->entries[set->num++] = *entry;
    return LB_OK;
}

lb_status lb_reconcile_set_add(struct lb_reconcile_set *set, uint64_t index,
                               const struct lb_leaf *leaf, const struct lb_hash *hash)
{
    if (!is_about_a_read(leaf))
        return LB_OK;
    struct lb_reconcile_entry entry = {
        .index = index, .hash = *hash, .type = leaf->type, .time_ms = leaf->time_ms};
    memcpy(entry.txn, leaf->txn, sizeof(entry.txn));
    memcpy(entry.policy_hash, leaf->policy_hash, sizeof(entry.policy_hash));
    memcpy(entry.request_hash, leaf->request_hash, sizeof(entry.request_hash));
    memcpy(entry.answer_hash, leaf->answer_hash, sizeof(entry.answer_hash));
    memcpy(entry.peer_leaf, leaf->peer_leaf, sizeof(entry.peer_leaf));
    memcpy(entry.code, leaf->code, sizeof(entry.code));
    lb_sha256(lb_span_str(leaf->views), entry.views_hash);
    return append(set, &entry);
}

static int by_txn(const void *left, const void *right)
{
    const struct lb_reconcile_entry *a = left;
    const struct lb_reconcile_entry *b = right;
    int order = memcmp(a->txn, b->txn, sizeof(a->txn));
    if (order != 0)
        return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

static int by_index(const void *left, const void *right)
{
    const struct lb_reconcile_entry *a = left;
    const struct lb_reconcile_entry *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

lb_status lb_reconcile_set_sort(struct lb_reconcile_set *set)
{
    size_t kept = 0;
    if (set->num == 0)
        return LB_OK;
    qsort(set->entries, set->num, sizeof(set->entries[0]), by_index);
    for (size_t i = 1; i < set->num; i++) {
        const struct lb_reconcile_entry *entry = &set->entries[i];
        if (entry->index != set->entries[kept].index) {
            set->entries[++kept] = *entry;
            continue;
        }
        LB_ENSURE(memcmp(entry->hash.bytes, set->entries[kept].hash.bytes, LB_HASH_BYTES) == 0,
                  LB_MALFORMED, "two entries at one index");
    }
    set->num = kept + 1;
    qsort(set->entries, set->num, sizeof(set->entries[0]), by_txn);
    return LB_OK;
}

void lb_reconcile_set_free(struct lb_reconcile_set *set)
{
    free(set->entries);
    *set = (struct lb_reconcile_set){.entries = NULL};
}

void lb_reconcile_counterpart(const char *spiffe, struct lb_hash *out)
{
    char text[22 + LB_MAX_SPIFFE_BYTES] = "lianban counterpart v1";
    size_t len = strnlen(spiffe, LB_MAX_SPIFFE_BYTES);
    memcpy(text + 22, spiffe, len);
    lb_sha256(lb_span_of(text, 22 + len), out->bytes);
}

size_t lb_reconcile_group(const struct lb_reconcile_set *set, size_t begin)
{
    size_t end = begin + 1;
    while (end < set->num && memcmp(set->entries[end].txn, set->entries[begin].txn, 16) == 0)
        end++;
    return end;
}

bool lb_reconcile_has_txn(const struct lb_reconcile_set *set, const uint8_t txn[16])
{
    size_t low = 0;
    size_t high = set == NULL ? 0 : set->num;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(set->entries[middle].txn, txn, 16);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

lb_status lb_reconcile_set_reach(const struct lb_reconcile_set *set, int64_t minute,
                                 struct lb_reconcile_set *into)
{
    for (size_t begin = 0, end; begin < set->num; begin = end) {
        bool reaches = false;
        end = lb_reconcile_group(set, begin);
        for (size_t i = begin; i < end; i++)
            reaches = reaches || lb_reconcile_minute(set->entries[i].time_ms) == minute;
        for (size_t i = begin; reaches && i < end; i++)
            LB_TRY(append(into, &set->entries[i]));
    }
    return LB_OK;
}

/* --- what has to do with one adapter --- */

struct part {
    const struct lb_hash *counterparts;
    size_t num_counterparts;
    const struct lb_reconcile_set *adapter;
};

static bool is_named(const struct part *part, const uint8_t peer_leaf[32])
{
    for (size_t i = 0; i < part->num_counterparts; i++) {
        if (memcmp(part->counterparts[i].bytes, peer_leaf, LB_HASH_BYTES) == 0)
            return true;
    }
    return false;
}

/* A txn belongs to the adapter its ROUTE entry names. One whose ROUTE entry is gone is whoever's
 * has the other half. */
static bool belongs(const struct part *part, const struct lb_reconcile_set *broker, size_t begin,
                    size_t end, bool *out_mixed)
{
    bool ours = false;
    bool others = false;
    for (size_t i = begin; i < end; i++) {
        const struct lb_reconcile_entry *entry = &broker->entries[i];
        if (entry->type != LB_LEAF_ROUTE)
            continue;
        bool named = is_named(part, entry->peer_leaf);
        ours = ours || named;
        others = others || !named;
    }
    *out_mixed = ours && others && end - begin <= MAX_MIXED;
    return ours || (!others && lb_reconcile_has_txn(part->adapter, broker->entries[begin].txn));
}

/* A window may use one txn for two adapters, if not in one request. What closes a read is told
 * apart by the request then: each is sealed to one adapter. */
static bool is_foreign(const struct part *part, const struct lb_reconcile_set *broker,
                       size_t begin, size_t end, const struct lb_reconcile_entry *entry)
{
    bool foreign = false;
    for (size_t i = begin; i < end; i++) {
        const struct lb_reconcile_entry *route = &broker->entries[i];
        if (route->type != LB_LEAF_ROUTE ||
            memcmp(route->request_hash, entry->request_hash, LB_HASH_BYTES) != 0)
            continue;
        if (is_named(part, route->peer_leaf))
            return entry->type == LB_LEAF_ROUTE && !is_named(part, entry->peer_leaf);
        foreign = true;
    }
    return foreign;
}

lb_status lb_reconcile_set_part(const struct lb_reconcile_set *broker,
                                const struct lb_hash *counterparts, size_t num_counterparts,
                                const struct lb_reconcile_set *adapter,
                                struct lb_reconcile_set *out)
{
    const struct part part = {counterparts, num_counterparts, adapter};
    for (size_t begin = 0, end; begin < broker->num; begin = end) {
        end = lb_reconcile_group(broker, begin);
        bool mixed = false;
        bool ours = belongs(&part, broker, begin, end, &mixed);
        for (size_t i = begin; ours && i < end; i++) {
            if (!mixed || !is_foreign(&part, broker, begin, end, &broker->entries[i]))
                LB_TRY(append(out, &broker->entries[i]));
        }
    }
    return LB_OK;
}
