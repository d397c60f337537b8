#include "gateway/evidence/several.h"

#include <stdlib.h>
#include <string.h>

/* Looked at besides what is told, on either side. */
#define MARGIN_MINUTES 6
#define MAX_MINUTES LB_RECONCILE_MAX_MINUTES
#define CHUNK_MINUTES (MAX_MINUTES - 2 * MARGIN_MINUTES)
/* A ROUTE entry lies this long before its READ entry, at most. */
#define BEFORE_MINUTES 2

/* --- whose a READ entry is --- */

/* A ROUTE entry is named by a READ entry of the same txn only: its hash is over the txn too. */
static bool is_named(const struct lb_reconcile_set *broker, const struct lb_reconcile_entry *read)
{
    size_t low = 0, high = broker->num;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(broker->entries[middle].txn, read->txn, sizeof(read->txn)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < broker->num; low++) {
        const struct lb_reconcile_entry *entry = &broker->entries[low];
        if (memcmp(entry->txn, read->txn, sizeof(read->txn)) != 0)
            return false;
        if (entry->type == LB_LEAF_ROUTE &&
            memcmp(entry->hash.bytes, read->peer_leaf, LB_HASH_BYTES) == 0)
            return true;
    }
    return false;
}

static size_t broker_of(const struct lb_reconcile_entry *read,
                        const struct lb_reconcile_set *brokers, size_t num_brokers)
{
    for (size_t i = 0; i < num_brokers; i++) {
        if (is_named(&brokers[i], read))
            return i;
    }
    for (size_t i = 0; i < num_brokers; i++) {
        if (lb_reconcile_has_txn(&brokers[i], read->txn))
            return i;
    }
    return 0;
}

lb_status lb_reconcile_set_of_broker(const struct lb_reconcile_set *adapter,
                                     const struct lb_reconcile_set *brokers, size_t num_brokers,
                                     size_t which, struct lb_reconcile_set *out)
{
    struct lb_reconcile_set part = {.capacity = adapter->num};
    if (adapter->num > 0) {
        part.entries = calloc(adapter->num, sizeof(part.entries[0]));
        LB_ENSURE(part.entries != NULL, LB_NO_MEMORY, "entries of one broker");
    }
    for (size_t i = 0; i < adapter->num; i++) {
        if (broker_of(&adapter->entries[i], brokers, num_brokers) == which)
            part.entries[part.num++] = adapter->entries[i];
    }
    *out = part;
    return LB_OK;
}

/* --- taking in --- */

struct chunk {
    const struct lb_reconcile_several *several;
    int64_t from, to;           /* what is told */
    int64_t first;              /* what is looked at */
    size_t num;
    bool needed[MAX_MINUTES];   /* there is something, in one log at least */
    struct lb_reconcile_set adapter;
    struct lb_reconcile_set *brokers;
};

static void cleanup(struct chunk *chunk)
{
    lb_reconcile_set_free(&chunk->adapter);
    for (size_t i = 0; chunk->brokers != NULL && i < chunk->several->num_brokers; i++)
        lb_reconcile_set_free(&chunk->brokers[i]);
    free(chunk->brokers);
}

/* Reads that were not relayed are in nobody's digest but the adapter's, and were routed before. */
static lb_status mark(struct chunk *chunk, const struct lb_reconcile_side *side, int64_t before)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_minute_digest *digests = NULL;
    size_t num = 0;
    int64_t from = chunk->first < 0 ? 0 : chunk->first;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(side->digests(side->ctx, from, chunk->first + (int64_t)chunk->num, arena, &digests,
                         &num));
    for (size_t i = 0; i < num; i++) {
        int64_t at = digests[i].minute - chunk->first;
        for (int64_t k = at < before ? 0 : at - before; k <= at; k++)
            chunk->needed[k] = true;
    }
    return LB_OK;
}

static lb_status take_in(const struct chunk *chunk, const struct lb_reconcile_side *side,
                         struct lb_reconcile_set *into)
{
    for (size_t at = 0; at < chunk->num; at++) {
        if (chunk->needed[at])
            LB_TRY(side->entries(side->ctx, chunk->first + (int64_t)at, into));
    }
    return lb_reconcile_set_sort(into);
}

/* The adapter is asked last: whatever it answered by then, a broker had routed. */
static lb_status take_in_all(struct chunk *chunk)
{
    const struct lb_reconcile_several *several = chunk->several;
    LB_TRY(mark(chunk, &several->adapter, BEFORE_MINUTES));
    for (size_t i = 0; i < several->num_brokers; i++)
        LB_TRY(mark(chunk, &several->brokers[i], 0));
    for (size_t i = 0; i < several->num_brokers; i++)
        LB_TRY(take_in(chunk, &several->brokers[i], &chunk->brokers[i]));
    return take_in(chunk, &several->adapter, &chunk->adapter);
}

/* --- comparing --- */

static void add(struct lb_reconcile_run *total, const struct lb_reconcile_run *run)
{
    for (size_t i = 0; i < LB_RECONCILE_NUM_CLASSES; i++)
        total->tally.counts[i] += run->tally.counts[i];
    total->tally.late += run->tally.late;
    total->tally.open += run->tally.open;
    total->num_equal += run->num_equal;
    total->num_differing += run->num_differing;
}

static lb_status compare_one(const struct chunk *chunk, size_t which)
{
    const struct lb_reconcile_several *several = chunk->several;
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set own = {.entries = NULL};
    LB_TRY(lb_reconcile_set_of_broker(&chunk->adapter, chunk->brokers, several->num_brokers, which,
                                      &own));
    const struct lb_reconcile_local at_broker = {&chunk->brokers[which], several->now_ms};
    const struct lb_reconcile_local at_adapter = {&own, several->now_ms};
    struct lb_reconcile_run run = {
        .broker = lb_reconcile_local_side(&at_broker),
        .adapter = lb_reconcile_local_side(&at_adapter),
        .from_minute = chunk->from,
        .to_minute = chunk->to,
        .now_ms = several->now_ms,
        .found = several->runs[which].found,
        .arg = several->runs[which].arg,
    };
    LB_TRY(lb_reconcile_compare(&run));
    add(&several->runs[which], &run);
    return LB_OK;
}

static lb_status compare_chunk(const struct lb_reconcile_several *several, int64_t from, int64_t to)
{
    LB_DEFER(cleanup) struct chunk chunk = {
        .several = several,
        .from = from,
        .to = to,
        .first = from - MARGIN_MINUTES,
        .num = (size_t)(to - from) + 2 * MARGIN_MINUTES,
        .brokers = calloc(several->num_brokers, sizeof(*chunk.brokers)),
    };
    LB_ENSURE(chunk.brokers != NULL, LB_NO_MEMORY, "brokers' entries");
    LB_TRY(take_in_all(&chunk));
    for (size_t i = 0; i < several->num_brokers; i++)
        LB_TRY(compare_one(&chunk, i));
    return LB_OK;
}

lb_status lb_reconcile_several_run(const struct lb_reconcile_several *several)
{
    LB_ENSURE(several->from_minute >= 0 && several->from_minute < several->to_minute, LB_MALFORMED,
              "no minutes to compare");
    for (size_t i = 0; i < several->num_brokers; i++) {
        several->runs[i].tally = (struct lb_reconcile_tally){.late = 0};
        several->runs[i].num_equal = several->runs[i].num_differing = 0;
    }
    for (int64_t from = several->from_minute; from < several->to_minute; from += CHUNK_MINUTES) {
        int64_t to = from + CHUNK_MINUTES;
        LB_TRY(compare_chunk(several, from, to < several->to_minute ? to : several->to_minute));
    }
    return LB_OK;
}
