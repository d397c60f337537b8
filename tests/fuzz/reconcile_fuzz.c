#include "gateway/evidence/compare.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"
#include "tests/fuzz/fuzz.h"

/* What a member says of its log when two logs are compared; it may lie as it likes. */

#define ARENA_BYTES (8U << 20)
#define MINUTE INT64_C(29395000)
#define NUM_MINUTES 60

static void ignore(void *arg, const struct lb_reconcile_finding *finding)
{
    size_t *num = arg;
    FUZZ_CHECK(finding->class > LB_RECONCILE_MATCH && finding->class < LB_RECONCILE_NUM_CLASSES);
    FUZZ_CHECK(finding->has_broker || finding->has_adapter);
    (*num)++;
}

/* Entries that were taken can be judged, as either side's, against those and against none. */
static void judge(const struct lb_reconcile_set *broker, const struct lb_reconcile_set *adapter)
{
    bool wanted[7] = {true, true, true, true, true, true, true};
    size_t num = 0;
    struct lb_reconcile_case judged = {
        .broker = broker,
        .adapter = adapter,
        .first_minute = MINUTE - 3,
        .num_minutes = 7,
        .wanted = wanted,
        .now_ms = (MINUTE + 100) * 60000,
        .found = ignore,
        .arg = &num,
    };
    FUZZ_OK(lb_reconcile_judge(&judged));
    FUZZ_CHECK(num <= 3 * (broker->num + adapter->num));
}

static bool take_entries(struct lb_span in)
{
    LB_DEFER(lb_reconcile_set_free) struct lb_reconcile_set set = {.entries = NULL};
    const struct lb_reconcile_set nothing = {.entries = NULL};
    uint64_t from = fuzz_u8(&in);
    uint64_t next = 0;
    if (lb_digest_entries_parse(in, MINUTE, from, &set, &next) != LB_OK)
        return false;
    FUZZ_CHECK(next == 0 || next > from);
    FUZZ_CHECK(set.num <= LB_RECONCILE_PAGE_ENTRIES);
    for (size_t i = 0; i < set.num; i++) {
        FUZZ_CHECK(set.entries[i].index >= from);
        FUZZ_CHECK(i == 0 || set.entries[i].index > set.entries[i - 1].index);
        int64_t away = lb_reconcile_minute(set.entries[i].time_ms) - MINUTE;
        FUZZ_CHECK(away >= -3 && away <= 3);
    }
    FUZZ_OK(lb_reconcile_set_sort(&set));
    judge(&set, &nothing);
    judge(&nothing, &set);
    judge(&set, &set);
    return true;
}

static bool take_digests(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_minute_digest *digests = NULL;
    size_t num = 0;
    int64_t to = 0;
    if (lb_digests_parse(in, MINUTE, MINUTE + NUM_MINUTES, arena, &digests, &num, &to) != LB_OK)
        return false;
    FUZZ_CHECK(to > MINUTE && to <= MINUTE + NUM_MINUTES && num <= (size_t)(to - MINUTE));
    for (size_t i = 0; i < num; i++) {
        FUZZ_CHECK(digests[i].minute >= MINUTE && digests[i].minute < to);
        FUZZ_CHECK(i == 0 || digests[i].minute > digests[i - 1].minute);
        FUZZ_CHECK(digests[i].count > 0 || digests[i].unclosed > 0);
    }
    return true;
}

bool fuzz_digest_answers(struct lb_span in)
{
    return (fuzz_u8(&in) & 1) != 0 ? take_entries(in) : take_digests(in);
}

static struct lb_leaf leaf_of(enum lb_leaf_type type, uint8_t txn)
{
    return (struct lb_leaf){.type = type,
                            .time_ms = MINUTE * 60000 + txn,
                            .txn = {txn, 1},
                            .code = "ANSWERED",
                            .views = "tax.wage",
                            .count = 1};
}

static void seed_entries(const struct fuzz_sink *sink, struct lb_arena *arena)
{
    static const enum lb_leaf_type types[] = {LB_LEAF_ROUTE, LB_LEAF_DELIVER, LB_LEAF_READ,
                                              LB_LEAF_FAILURE};
    struct lb_digest_leaf leaves[4];
    struct lb_span bytes = LB_SPAN_EMPTY, head = LB_SPAN_EMPTY;
    for (size_t i = 0; i < 4; i++) {
        struct lb_leaf leaf = leaf_of(types[i], (uint8_t)(i / 2 + 1));
        struct lb_buf buf;
        lb_buf_init(&buf, LB_MAX_LEAF_BYTES);
        FUZZ_OK(lb_leaf_encode(&leaf, &buf));
        leaves[i].index = i + 2;
        FUZZ_OK(lb_arena_copy(arena, lb_buf_span(&buf), &leaves[i].leaf));
        lb_buf_cleanup(&buf);
    }
    FUZZ_OK(lb_digest_entries_pack(leaves, 4, 6, arena, &bytes));
    uint8_t *framed = lb_arena_alloc(arena, bytes.len + 1);
    FUZZ_CHECK(framed != NULL);
    framed[0] = 2; /* the page begins here */
    memcpy(framed + 1, bytes.ptr, bytes.len);
    head = lb_span_of(framed, bytes.len + 1);
    fuzz_seed(sink, 1, head);
}

void seed_digest_answers(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct lb_minute_digest digests[] = {
        {.minute = MINUTE, .count = 3, .root = {{1}}},
        {.minute = MINUTE + 7, .unclosed = 1, .root = {{2}}},
    };
    struct lb_span bytes = LB_SPAN_EMPTY;
    FUZZ_OK(lb_digests_pack(digests, 2, MINUTE + NUM_MINUTES, arena, &bytes));
    fuzz_seed(sink, 0, bytes);
    FUZZ_OK(lb_digests_pack(digests, 0, MINUTE + 1, arena, &bytes));
    fuzz_seed(sink, 0, bytes);
    seed_entries(sink, arena);
}
