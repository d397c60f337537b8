#include "gateway/evidence/compare.h"

#define MINUTE_MS INT64_C(60000)
/* Looked at besides what is told, on either side, because a read's two entries may lie in two
 * minutes. */
#define MARGIN_MINUTES 3
#define MAX_WANTED LB_RECONCILE_MAX_MINUTES
#define CHUNK_MINUTES (MAX_WANTED - 2 * MARGIN_MINUTES)
/* A ROUTE entry lies this long before its READ entry, at most. */
#define BEFORE_MINUTES 2

/* One piece of a run. */
struct chunk {
    struct lb_reconcile_run *run;
    int64_t first;                  /* minute number 0 of the arrays, margin included */
    size_t num;
    bool wanted[MAX_WANTED];        /* differs, so is looked at */
    bool told[MAX_WANTED];          /* and is not of the margin */
    bool pulled[MAX_WANTED];        /* the broker's entries are there */
    struct lb_reconcile_set broker;
    struct lb_reconcile_set adapter;
};

static void cleanup(struct chunk *chunk)
{
    lb_reconcile_set_free(&chunk->broker);
    lb_reconcile_set_free(&chunk->adapter);
}

/* --- digests --- */

static bool differ(const struct lb_minute_digest *broker, const struct lb_minute_digest *adapter)
{
    uint32_t broker_count = broker == NULL ? 0 : broker->count;
    uint32_t adapter_count = adapter == NULL ? 0 : adapter->count;
    if (broker != NULL && broker->unclosed > 0)
        return true;
    if (broker_count != adapter_count)
        return true;
    return broker_count > 0 &&
           memcmp(broker->root.bytes, adapter->root.bytes, LB_HASH_BYTES) != 0;
}

static void mark(struct chunk *chunk, int64_t minute, const struct lb_minute_digest *broker,
                 const struct lb_minute_digest *adapter)
{
    struct lb_reconcile_run *run = chunk->run;
    size_t at = (size_t)(minute - chunk->first);
    bool told = minute >= run->from_minute && minute < run->to_minute &&
                at >= MARGIN_MINUTES && at < chunk->num - MARGIN_MINUTES;
    chunk->wanted[at] = differ(broker, adapter);
    chunk->told[at] = chunk->wanted[at] && told;
    if (!told)
        return;
    if (chunk->wanted[at]) {
        run->num_differing++;
        return;
    }
    run->num_equal++;
    run->tally.counts[LB_RECONCILE_MATCH] += broker == NULL ? 0 : broker->count;
}

/* Walks both lists of minutes, each rising. */
static lb_status compare_digests(struct chunk *chunk, struct lb_arena *arena)
{
    const struct lb_reconcile_run *run = chunk->run;
    struct lb_minute_digest *broker = NULL;
    struct lb_minute_digest *adapter = NULL;
    size_t num_broker = 0;
    size_t num_adapter = 0;
    size_t b = 0;
    size_t a = 0;
    int64_t from = chunk->first < 0 ? 0 : chunk->first;
    int64_t to = chunk->first + (int64_t)chunk->num;
    LB_TRY(run->broker.digests(run->broker.ctx, from, to, arena, &broker, &num_broker));
    LB_TRY(run->adapter.digests(run->adapter.ctx, from, to, arena, &adapter, &num_adapter));
    while (b < num_broker || a < num_adapter) {
        int64_t minute = b < num_broker ? broker[b].minute : INT64_MAX;
        if (a < num_adapter && adapter[a].minute < minute)
            minute = adapter[a].minute;
        bool has_broker = b < num_broker && broker[b].minute == minute;
        bool has_adapter = a < num_adapter && adapter[a].minute == minute;
        mark(chunk, minute, has_broker ? &broker[b] : NULL, has_adapter ? &adapter[a] : NULL);
        b += has_broker;
        a += has_adapter;
    }
    return LB_OK;
}

/* --- entries --- */

static lb_status pull(struct chunk *chunk, size_t at)
{
    const struct lb_reconcile_run *run = chunk->run;
    if (chunk->pulled[at])
        return LB_OK;
    chunk->pulled[at] = true;
    return run->broker.entries(run->broker.ctx, chunk->first + (int64_t)at, &chunk->broker);
}

/* A read that was not relayed may have been routed minutes before it was answered. */
static lb_status pull_routes(struct chunk *chunk)
{
    bool needed[MAX_WANTED] = {false};
    for (size_t i = 0; i < chunk->adapter.num; i++) {
        const struct lb_reconcile_entry *read = &chunk->adapter.entries[i];
        int64_t at = lb_reconcile_minute(read->time_ms) - chunk->first;
        if (lb_reconcile_has_txn(&chunk->broker, read->txn))
            continue;
        for (int64_t before = at - BEFORE_MINUTES; before <= at; before++) {
            if (before >= 0 && before < (int64_t)chunk->num)
                needed[before] = true;
        }
    }
    for (size_t at = 0; at < chunk->num; at++) {
        if (needed[at])
            LB_TRY(pull(chunk, at));
    }
    return lb_reconcile_set_sort(&chunk->broker);
}

/* The adapter is asked last: whatever it answered by then, the broker had routed. */
static lb_status pull_entries(struct chunk *chunk)
{
    const struct lb_reconcile_run *run = chunk->run;
    for (size_t at = 0; at < chunk->num; at++) {
        if (!chunk->wanted[at])
            continue;
        LB_TRY(pull(chunk, at));
        LB_TRY(run->adapter.entries(run->adapter.ctx, chunk->first + (int64_t)at,
                                    &chunk->adapter));
    }
    LB_TRY(lb_reconcile_set_sort(&chunk->broker));
    LB_TRY(lb_reconcile_set_sort(&chunk->adapter));
    return pull_routes(chunk);
}

static lb_status judge(struct chunk *chunk)
{
    struct lb_reconcile_run *run = chunk->run;
    struct lb_reconcile_case judged = {
        .broker = &chunk->broker,
        .adapter = &chunk->adapter,
        .first_minute = chunk->first,
        .num_minutes = chunk->num,
        .wanted = chunk->told,
        .now_ms = run->now_ms,
        .found = run->found,
        .arg = run->arg,
    };
    LB_TRY(lb_reconcile_judge(&judged));
    for (size_t i = 0; i < LB_RECONCILE_NUM_CLASSES; i++)
        run->tally.counts[i] += judged.tally.counts[i];
    run->tally.late += judged.tally.late;
    run->tally.open += judged.tally.open;
    return LB_OK;
}

static lb_status compare_chunk(struct lb_reconcile_run *run, int64_t from, int64_t to)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_DEFER(cleanup) struct chunk chunk = {
        .run = run,
        .first = from - MARGIN_MINUTES,
        .num = (size_t)(to - from) + 2 * MARGIN_MINUTES,
    };
    LB_TRY(compare_digests(&chunk, arena));
    LB_TRY(pull_entries(&chunk));
    return judge(&chunk);
}

lb_status lb_reconcile_compare(struct lb_reconcile_run *run)
{
    run->tally = (struct lb_reconcile_tally){.late = 0};
    run->num_equal = 0;
    run->num_differing = 0;
    LB_ENSURE(run->from_minute >= 0 && run->from_minute < run->to_minute, LB_MALFORMED,
              "no minutes to compare");
    for (int64_t from = run->from_minute; from < run->to_minute; from += CHUNK_MINUTES) {
        int64_t to = from + CHUNK_MINUTES;
        LB_TRY(compare_chunk(run, from, to < run->to_minute ? to : run->to_minute));
    }
    return LB_OK;
}

/* --- a log at hand --- */

static lb_status local_digests(const void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                               struct lb_minute_digest **out_digests, size_t *out_num)
{
    const struct lb_reconcile_local *local = ctx;
    return lb_digests_make(local->set, from, to, local->now_ms, arena, out_digests, out_num);
}

static lb_status local_entries(const void *ctx, int64_t minute, struct lb_reconcile_set *into)
{
    const struct lb_reconcile_local *local = ctx;
    return lb_reconcile_set_reach(local->set, minute, into);
}

struct lb_reconcile_side lb_reconcile_local_side(const struct lb_reconcile_local *local)
{
    return (struct lb_reconcile_side){local, local_digests, local_entries};
}

/* --- a log behind a service --- */

static lb_status ask_digests(const struct lb_reconcile_remote *remote, int64_t from, int64_t to,
                             struct lb_arena *arena, struct lb_minute_digest *out, size_t *num,
                             int64_t *out_next)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    struct lb_minute_digest *some = NULL;
    size_t num_some = 0;
    LB_TRY(remote->ask_digests(remote->ctx, from, to, arena, &reply));
    LB_TRY(lb_digests_parse(reply, from, to, arena, &some, &num_some, out_next));
    if (num_some > 0)
        memcpy(out + *num, some, num_some * sizeof(*some));
    *num += num_some;
    return LB_OK;
}

static lb_status remote_digests(const void *ctx, int64_t from, int64_t to,
                                struct lb_arena *arena, struct lb_minute_digest **out_digests,
                                size_t *out_num)
{
    struct lb_minute_digest *digests =
        lb_arena_array(arena, (size_t)(to - from), sizeof(*digests));
    size_t num = 0;
    LB_ENSURE(digests != NULL, LB_NO_MEMORY, "arena is full");
    for (int64_t next = from; next < to;)
        LB_TRY(ask_digests(ctx, next, to, arena, digests, &num, &next));
    *out_digests = digests;
    *out_num = num;
    return LB_OK;
}

static lb_status ask_page(const struct lb_reconcile_remote *remote, int64_t minute,
                          uint64_t from_index, struct lb_reconcile_set *into, uint64_t *out_next)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(remote->ask_entries(remote->ctx, minute, from_index, arena, &reply));
    return lb_digest_entries_parse(reply, minute, from_index, into, out_next);
}

static lb_status remote_entries(const void *ctx, int64_t minute, struct lb_reconcile_set *into)
{
    uint64_t next = 0;
    do {
        LB_TRY(ask_page(ctx, minute, next, into, &next));
    } while (next != 0);
    return LB_OK;
}

struct lb_reconcile_side lb_reconcile_remote_side(const struct lb_reconcile_remote *remote)
{
    return (struct lb_reconcile_side){remote, remote_digests, remote_entries};
}
