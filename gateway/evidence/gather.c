#include "gateway/evidence/gather.h"

#include <stdlib.h>

#define MINUTE_MS INT64_C(60000)
/* A read's ROUTE entry lies this long before its READ or DELIVER entry, at most; what closes it as
 * long behind. */
#define BEFORE_MINUTES 2
#define BEHIND_MINUTES 3
#define MAX_MINUTE (INT64_C(253402300800) / 60) /* of the year 10000 */
/* Room for one leaf. */
#define SCRATCH_BYTES (4 * LB_MAX_LEAF_BYTES)

/* Reads a leaf; ABSENT for one that is gone, damaged or of a newer version. */
static lb_status read_leaf(struct lb_log_reader *reader, uint64_t index, struct lb_arena *scratch,
                           struct lb_leaf *out_leaf, struct lb_hash *out_hash)
{
    lb_arena_reset(scratch);
    lb_status status = lb_log_reader_leaf(reader, index, scratch, out_leaf, out_hash);
    enum lb_code code = lb_status_code(status);
    if (code == LB_MALFORMED || code == LB_VERSION_UNSUPPORTED)
        LB_FAIL(LB_ABSENT, "an entry that can't be read");
    return status;
}

/* The first entry at or behind a time; times rise with the indexes. */
static lb_status find_time(struct lb_log_reader *reader, int64_t time_ms, uint64_t size,
                           struct lb_arena *scratch, uint64_t *out_index)
{
    uint64_t low = 0;
    uint64_t high = size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint64_t at = middle;
        struct lb_leaf leaf;
        struct lb_hash hash;
        lb_status status = LB_FAULT(LB_ABSENT, "no entry");
        while (at < high && lb_status_code(status) == LB_ABSENT)
            status = read_leaf(reader, at++, scratch, &leaf, &hash);
        if (status == LB_OK && leaf.time_ms < time_ms)
            low = at;
        else if (status == LB_OK || lb_status_code(status) == LB_ABSENT)
            high = middle;
        else
            return status;
    }
    *out_index = low;
    return LB_OK;
}

static lb_status scan(struct lb_log_reader *reader, bool whole, int64_t from_ms, int64_t to_ms,
                      struct lb_reconcile_set *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(SCRATCH_BYTES);
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "arena");
    uint64_t size = 0;
    uint64_t index = 0;
    LB_TRY(lb_log_reader_size(reader, &size));
    if (!whole)
        LB_TRY(find_time(reader, from_ms, size, scratch, &index));
    for (; index < size; index++) {
        struct lb_leaf leaf;
        struct lb_hash hash;
        lb_status status = read_leaf(reader, index, scratch, &leaf, &hash);
        if (lb_status_code(status) == LB_ABSENT)
            continue;
        LB_TRY(status);
        bool wanted = leaf.time_ms >= from_ms && leaf.time_ms < to_ms;
        if (!wanted && !whole && leaf.time_ms >= to_ms)
            break;
        if (wanted)
            LB_TRY(lb_reconcile_set_add(out, index, &leaf, &hash));
    }
    return lb_reconcile_set_sort(out);
}

lb_status lb_reconcile_gather(struct lb_log_reader *reader, int64_t from_ms, int64_t to_ms,
                              struct lb_reconcile_set *out)
{
    return scan(reader, false, from_ms, to_ms, out);
}

lb_status lb_reconcile_gather_all(struct lb_log_reader *reader, int64_t from_ms, int64_t to_ms,
                                  struct lb_reconcile_set *out)
{
    return scan(reader, true, from_ms, to_ms, out);
}

/* --- answers --- */

/* What a log says of some minutes and of the reads that reach into them, as far as the caller has a
 * part in it. */
static lb_status gather_part(struct lb_log_reader *reader, const struct lb_reconcile_scope *scope,
                             int64_t from, int64_t to, struct lb_reconcile_set *out)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set all = {.entries = NULL};
    LB_TRY(lb_reconcile_gather(reader, (from - BEFORE_MINUTES) * MINUTE_MS,
                               (to + BEHIND_MINUTES) * MINUTE_MS, &all));
    if (!scope->all)
        return lb_reconcile_set_part(&all, scope->counterparts, scope->num_counterparts, NULL,
                                     out);
    *out = all;
    all.entries = NULL;
    return LB_OK;
}

static lb_status answer_digests(struct lb_log_reader *reader,
                                const struct lb_reconcile_scope *scope, int64_t from, int64_t to,
                                int64_t now_ms, struct lb_arena *arena, struct lb_span *out_reply)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set set = {.entries = NULL};
    struct lb_minute_digest *digests = NULL;
    size_t num = 0;
    LB_TRY(gather_part(reader, scope, from, to, &set));
    LB_TRY(lb_digests_make(&set, from, to, now_ms, arena, &digests, &num));
    return lb_digests_pack(digests, num, to, arena, out_reply);
}

lb_status lb_reconcile_answer_digests(struct lb_log_reader *reader,
                                      const struct lb_reconcile_scope *scope, int64_t from,
                                      int64_t to, int64_t now_ms, struct lb_arena *arena,
                                      struct lb_span *out_reply)
{
    LB_ENSURE(from >= 0 && from < to && to <= MAX_MINUTE, LB_MALFORMED, "no such minutes");
    LB_ENSURE(to - from <= LB_RECONCILE_MAX_MINUTES, LB_MALFORMED, "too many minutes");
    int64_t step = to - from;
    for (;;) {
        lb_status status =
            answer_digests(reader, scope, from, from + step, now_ms, arena, out_reply);
        if (lb_status_code(status) != LB_TOO_LARGE || step == 1)
            return status;
        step = step > 8 ? step / 8 : 1;
    }
}

static int by_index(const void *left, const void *right)
{
    const struct lb_reconcile_entry *a = left;
    const struct lb_reconcile_entry *b = right;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* A leaf has one encoding. */
static lb_status encode(struct lb_log_reader *reader, uint64_t index, struct lb_arena *arena,
                        struct lb_arena *scratch, struct lb_digest_leaf *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf bytes;
    struct lb_leaf leaf;
    struct lb_hash hash;
    lb_buf_init(&bytes, LB_MAX_LEAF_BYTES);
    LB_TRY(read_leaf(reader, index, scratch, &leaf, &hash));
    LB_TRY(lb_leaf_encode(&leaf, &bytes));
    out->index = index;
    return lb_arena_copy(arena, lb_buf_span(&bytes), &out->leaf);
}

/* One page of the entries, which are by index. */
static lb_status pack_page(struct lb_log_reader *reader, const struct lb_reconcile_set *set,
                           uint64_t from_index, struct lb_arena *arena, struct lb_span *out_reply)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(SCRATCH_BYTES);
    struct lb_digest_leaf *leaves =
        lb_arena_array(arena, LB_RECONCILE_PAGE_ENTRIES, sizeof(*leaves));
    size_t at = 0;
    size_t num = 0;
    LB_ENSURE(scratch != NULL && leaves != NULL, LB_NO_MEMORY, "arena is full");
    while (at < set->num && set->entries[at].index < from_index)
        at++;
    for (; at < set->num && num < LB_RECONCILE_PAGE_ENTRIES; at++)
        LB_TRY(encode(reader, set->entries[at].index, arena, scratch, &leaves[num++]));
    uint64_t next = at < set->num ? set->entries[at - 1].index + 1 : 0;
    return lb_digest_entries_pack(leaves, num, next, arena, out_reply);
}

lb_status lb_reconcile_answer_entries(struct lb_log_reader *reader,
                                      const struct lb_reconcile_scope *scope, int64_t minute,
                                      uint64_t from_index, struct lb_arena *arena,
                                      struct lb_span *out_reply)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set part = {.entries = NULL};
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set set = {.entries = NULL};
    LB_ENSURE(minute >= 0 && minute < MAX_MINUTE, LB_MALFORMED, "no such minute");
    LB_TRY(gather_part(reader, scope, minute, minute + 1, &part));
    LB_TRY(lb_reconcile_set_reach(&part, minute, &set));
    if (set.num > 0)
        qsort(set.entries, set.num, sizeof(set.entries[0]), by_index);
    return pack_page(reader, &set, from_index, arena, out_reply);
}
