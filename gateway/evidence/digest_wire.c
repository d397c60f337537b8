#include "gateway/evidence/digests.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

/* Digests and entries as they travel. Whoever sent them may lie: nothing is taken that could not be
 * an honest answer to what was asked. */

/* A read's entries lie this near to each other: the longest deadline, the grace, and clocks. */
#define NEAR_MINUTES 3

/* --- digests --- */

lb_status lb_digests_pack(const struct lb_minute_digest *digests, size_t num, int64_t to,
                          struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__GetDigestsResponse answer = LIANBAN__V1__GET_DIGESTS_RESPONSE__INIT;
    Lianban__V1__MinuteDigest *minutes = lb_arena_array(arena, num, sizeof(*minutes));
    answer.minutes = lb_arena_array(arena, num, sizeof(*answer.minutes));
    LB_ENSURE(minutes != NULL && answer.minutes != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        lianban__v1__minute_digest__init(&minutes[i]);
        minutes[i].minute = digests[i].minute;
        minutes[i].count = digests[i].count;
        minutes[i].unclosed = digests[i].unclosed;
        minutes[i].root = lb_pb_bytes(lb_span_of(digests[i].root.bytes, LB_HASH_BYTES));
        answer.minutes[i] = &minutes[i];
    }
    answer.n_minutes = num;
    answer.to_minute = to;
    return lb_pb_pack(&answer, arena, out);
}

static lb_status take_minute(const Lianban__V1__MinuteDigest *wire, int64_t from, int64_t to,
                             struct lb_minute_digest *out)
{
    LB_ENSURE(wire->minute >= from && wire->minute < to, LB_MALFORMED,
              "a minute nobody asked for, or out of order");
    LB_ENSURE(wire->root.len == LB_HASH_BYTES, LB_MALFORMED, "a root is not 32 bytes");
    LB_ENSURE(wire->count > 0 || wire->unclosed > 0, LB_MALFORMED, "a minute with nothing in it");
    *out = (struct lb_minute_digest){
        .minute = wire->minute, .count = wire->count, .unclosed = wire->unclosed};
    memcpy(out->root.bytes, wire->root.data, LB_HASH_BYTES);
    return LB_OK;
}

lb_status lb_digests_parse(struct lb_span bytes, int64_t from, int64_t to, struct lb_arena *arena,
                           struct lb_minute_digest **out_digests, size_t *out_num,
                           int64_t *out_to)
{
    Lianban__V1__GetDigestsResponse *answer = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_digests_response__descriptor, bytes, arena, &answer));
    LB_ENSURE(answer->to_minute > from && answer->to_minute <= to, LB_MALFORMED,
              "the answer covers nothing of what was asked");
    LB_ENSURE(answer->n_minutes <= LB_RECONCILE_MAX_MINUTES, LB_MALFORMED, "too many minutes");
    struct lb_minute_digest *digests =
        lb_arena_array(arena, answer->n_minutes, sizeof(*digests));
    LB_ENSURE(digests != NULL, LB_NO_MEMORY, "arena is full");
    int64_t next = from;
    for (size_t i = 0; i < answer->n_minutes; i++) {
        LB_TRY(take_minute(answer->minutes[i], next, answer->to_minute, &digests[i]));
        next = digests[i].minute + 1;
    }
    *out_digests = digests;
    *out_num = answer->n_minutes;
    *out_to = answer->to_minute;
    return LB_OK;
}

/* --- entries --- */

lb_status lb_digest_entries_pack(const struct lb_digest_leaf *leaves, size_t num,
                                 uint64_t next_index, struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__GetDigestEntriesResponse answer =
        LIANBAN__V1__GET_DIGEST_ENTRIES_RESPONSE__INIT;
    Lianban__V1__DigestEntry *entries = lb_arena_array(arena, num, sizeof(*entries));
    answer.entries = lb_arena_array(arena, num, sizeof(*answer.entries));
    LB_ENSURE(entries != NULL && answer.entries != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        lianban__v1__digest_entry__init(&entries[i]);
        entries[i].index = leaves[i].index;
        entries[i].leaf = lb_pb_bytes(leaves[i].leaf);
        answer.entries[i] = &entries[i];
    }
    answer.n_entries = num;
    answer.next_index = next_index;
    return lb_pb_pack(&answer, arena, out);
}

static lb_status take_entry(const Lianban__V1__DigestEntry *wire, int64_t minute,
                            struct lb_reconcile_set *into)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    size_t before = into->num;
    LB_TRY(lb_leaf_decode(lb_pb_span(wire->leaf), &leaf));
    lb_merkle_leaf(lb_pb_span(wire->leaf), &hash);
    int64_t away = lb_reconcile_minute(leaf.time_ms) - minute;
    LB_ENSURE(away >= -NEAR_MINUTES && away <= NEAR_MINUTES, LB_MALFORMED,
              "an entry of another time");
    LB_TRY(lb_reconcile_set_add(into, wire->index, &leaf, &hash));
    LB_ENSURE(into->num == before + 1, LB_MALFORMED, "an entry about no read");
    return LB_OK;
}

static lb_status parse_entries(struct lb_span bytes, int64_t minute, uint64_t from_index,
                               struct lb_arena *arena, struct lb_reconcile_set *into,
                               uint64_t *out_next)
{
    Lianban__V1__GetDigestEntriesResponse *answer = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_digest_entries_response__descriptor, bytes, arena,
                        &answer));
    LB_ENSURE(answer->n_entries <= LB_RECONCILE_PAGE_ENTRIES, LB_MALFORMED, "too many entries");
    uint64_t next = from_index;
    for (size_t i = 0; i < answer->n_entries; i++) {
        const Lianban__V1__DigestEntry *entry = answer->entries[i];
        LB_ENSURE(entry->index >= next && entry->index < INT64_MAX, LB_MALFORMED,
                  "indexes do not rise");
        LB_TRY(take_entry(entry, minute, into));
        next = entry->index + 1;
    }
    LB_ENSURE(answer->next_index == 0 || (answer->n_entries > 0 && answer->next_index == next),
              LB_MALFORMED, "the next page leads nowhere");
    *out_next = answer->next_index;
    return LB_OK;
}

lb_status lb_digest_entries_parse(struct lb_span bytes, int64_t minute, uint64_t from_index,
                                  struct lb_reconcile_set *into, uint64_t *out_next)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    return parse_entries(bytes, minute, from_index, arena, into, out_next);
}
