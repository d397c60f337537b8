#include "gateway/evidence/digests.h"

#include <stdlib.h>

#include "gateway/crypto/hash.h"

/* One read's digest, in its minute. */
struct element {
    int64_t minute;
    struct lb_hash hash;
};

/* Minutes while they are summed up. */
struct summing {
    const struct lb_reconcile_set *set;
    int64_t from, to;
    int64_t now_ms;
    struct element *elements;
    size_t num_elements;
    int64_t *unclosed;       /* a minute for each open ROUTE entry */
    size_t num_unclosed;
};

static void cleanup(struct summing *summing)
{
    free(summing->elements);
    free(summing->unclosed);
}

/* The longest text before the hashes: name, txn, code. */
#define ELEMENT_BYTES (20 + 16 + 2 + LB_MAX_CODE_BYTES + 6 * LB_HASH_BYTES)

static void hash_read(const struct lb_reconcile_entry *entry, const uint8_t route[32],
                      const uint8_t read[32], struct lb_hash *out)
{
    uint8_t text[ELEMENT_BYTES];
    const uint8_t *const hashes[] = {entry->views_hash,  entry->request_hash, entry->answer_hash,
                                     entry->policy_hash, route,               read};
    size_t code = strnlen(entry->code, sizeof(entry->code));
    size_t at = 20;
    memcpy(text, "lianban reconcile v1", 20);
    memcpy(text + at, entry->txn, 16);
    at += 16;
    text[at++] = 0;
    text[at++] = (uint8_t)code;
    memcpy(text + at, entry->code, code);
    at += code;
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++, at += LB_HASH_BYTES)
        memcpy(text + at, hashes[i], LB_HASH_BYTES);
    lb_sha256(lb_span_of(text, at), out->bytes);
}

static void add_element(struct summing *summing, const struct lb_reconcile_entry *entry,
                        const uint8_t route[32], const uint8_t read[32])
{
    int64_t minute = lb_reconcile_minute(entry->time_ms);
    if (minute < summing->from || minute >= summing->to)
        return;
    struct element *element = &summing->elements[summing->num_elements++];
    element->minute = minute;
    hash_read(entry, route, read, &element->hash);
}

static void add_unclosed(struct summing *summing, const struct lb_reconcile_entry *route)
{
    int64_t minute = lb_reconcile_minute(route->time_ms);
    if (minute >= summing->from && minute < summing->to &&
        lb_reconcile_is_overdue(route->time_ms, summing->now_ms))
        summing->unclosed[summing->num_unclosed++] = minute;
}

/* The newest routes of a txn are those that are open. A DELIVER entry goes with the ROUTE entry
 * before it; where one txn was routed more than once, that may differ from what the adapter says,
 * and the minute is looked at entry by entry. */
static void add_txn(struct summing *summing, size_t begin, size_t end)
{
    static const uint8_t none[32];
    const uint8_t *route = none;
    size_t num_closed = 0;
    for (size_t i = begin; i < end; i++) {
        const struct lb_reconcile_entry *entry = &summing->set->entries[i];
        if (entry->type == LB_LEAF_ROUTE)
            route = entry->hash.bytes;
        if (entry->type == LB_LEAF_DELIVER)
            add_element(summing, entry, route, entry->peer_leaf);
        if (entry->type == LB_LEAF_READ)
            add_element(summing, entry, entry->peer_leaf, entry->hash.bytes);
        num_closed += entry->type == LB_LEAF_DELIVER || entry->type == LB_LEAF_FAILURE;
    }
    for (size_t i = begin; i < end; i++) {
        const struct lb_reconcile_entry *entry = &summing->set->entries[i];
        if (entry->type != LB_LEAF_ROUTE)
            continue;
        if (num_closed > 0)
            num_closed--;
        else
            add_unclosed(summing, entry);
    }
}

static int by_minute(const void *left, const void *right)
{
    const struct element *a = left;
    const struct element *b = right;
    if (a->minute != b->minute)
        return a->minute < b->minute ? -1 : 1;
    return memcmp(a->hash.bytes, b->hash.bytes, LB_HASH_BYTES);
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* Takes what belongs to the earliest minute that is left. */
static void take_minute(const struct summing *summing, size_t *element, size_t *unclosed,
                        struct lb_minute_digest *out)
{
    struct lb_merkle_frontier frontier;
    int64_t minute = INT64_MAX;
    lb_merkle_frontier_init(&frontier);
    if (*element < summing->num_elements)
        minute = summing->elements[*element].minute;
    if (*unclosed < summing->num_unclosed && summing->unclosed[*unclosed] < minute)
        minute = summing->unclosed[*unclosed];
    *out = (struct lb_minute_digest){.minute = minute};
    for (; *element < summing->num_elements && summing->elements[*element].minute == minute;
         ++*element, out->count++) {
        struct lb_hash leaf;
        lb_merkle_leaf(lb_span_of(summing->elements[*element].hash.bytes, LB_HASH_BYTES), &leaf);
        lb_merkle_frontier_add(&frontier, &leaf);
    }
    for (; *unclosed < summing->num_unclosed && summing->unclosed[*unclosed] == minute;
         ++*unclosed)
        out->unclosed++;
    lb_merkle_frontier_root(&frontier, &out->root);
}

static lb_status collect(struct summing *summing, struct lb_arena *arena,
                         struct lb_minute_digest **out_digests, size_t *out_num)
{
    size_t element = 0;
    size_t unclosed = 0;
    size_t num = 0;
    size_t most = summing->num_elements + summing->num_unclosed;
    if (most > (uint64_t)(summing->to - summing->from))
        most = (size_t)(summing->to - summing->from);
    struct lb_minute_digest *digests = lb_arena_array(arena, most, sizeof(*digests));
    LB_ENSURE(digests != NULL, LB_NO_MEMORY, "minutes");
    while (element < summing->num_elements || unclosed < summing->num_unclosed)
        take_minute(summing, &element, &unclosed, &digests[num++]);
    *out_digests = digests;
    *out_num = num;
    return LB_OK;
}

lb_status lb_digests_make(const struct lb_reconcile_set *set, int64_t from, int64_t to,
                          int64_t now_ms, struct lb_arena *arena,
                          struct lb_minute_digest **out_digests, size_t *out_num)
{
    LB_ENSURE(from >= 0 && from <= to, LB_MALFORMED, "no minutes");
    LB_DEFER(cleanup) struct summing summing = {
        .set = set,
        .from = from,
        .to = to,
        .now_ms = now_ms,
        .elements = calloc(set->num + 1, sizeof(struct element)),
        .unclosed = calloc(set->num + 1, sizeof(int64_t)),
    };
    LB_ENSURE(summing.elements != NULL && summing.unclosed != NULL, LB_NO_MEMORY, "minutes");
    for (size_t begin = 0, end; begin < set->num; begin = end) {
        end = lb_reconcile_group(set, begin);
        add_txn(&summing, begin, end);
    }
    qsort(summing.elements, summing.num_elements, sizeof(struct element), by_minute);
    qsort(summing.unclosed, summing.num_unclosed, sizeof(int64_t), by_number);
    return collect(&summing, arena, out_digests, out_num);
}
