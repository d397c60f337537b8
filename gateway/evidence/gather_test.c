#include "gateway/evidence/test_log.h"

#include <stdlib.h>

#include "gateway/evidence/compare.h"
#include "gateway/evidence/gather.h"

/* What a log's folder says of reads, in pages, to those who have a part in it. */

#define MINUTE (TEST_NOW_MS / 60000)
#define ADAPTER "spiffe://example/adapter/tax"
#define OTHER "spiffe://example/adapter/health"
#define EVERYBODY ((struct lb_reconcile_scope){.all = true})

static void put(struct lb_log *log, enum lb_leaf_type type, uint32_t txn, const char *adapter)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    struct lb_hash counterpart;
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = type, .code = "ANSWERED", .views = "tax.wage"};
    memcpy(entry->leaf.txn, &txn, sizeof(txn));
    entry->leaf.txn[15] = 1;
    if (type == LB_LEAF_ROUTE) {
        lb_reconcile_counterpart(adapter, &counterpart);
        memcpy(entry->leaf.peer_leaf, counterpart.bytes, LB_HASH_BYTES);
    }
    assert_ok(lb_log_append_wait(log, entry));
    free(entry);
}

static void committed(struct lb_log_entry *entry, lb_status status)
{
    (void)entry;
    assert_ok(status);
}

/* Reads 1 to num of the adapter's, in as few commits as it takes. */
static void put_reads(struct lb_log *log, uint32_t num)
{
    struct lb_log_entry *entries = calloc(num, sizeof(*entries));
    assert_non_null(entries);
    for (uint32_t txn = 1; txn <= num; txn++) {
        struct lb_log_entry *entry = &entries[txn - 1];
        entry->leaf = (struct lb_leaf){.type = LB_LEAF_READ, .code = "ANSWERED"};
        memcpy(entry->leaf.txn, &txn, sizeof(txn));
        entry->done = committed;
        assert_ok(lb_log_append(log, entry));
    }
    put(log, LB_LEAF_ADMIN, 0, ""); /* behind them all */
    free(entries);
}

static struct lb_log_reader *reader_of(struct fixture *fixture)
{
    struct lb_log_reader *reader = NULL;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    return reader;
}

/* Five minutes, ten reads each, among other entries. */
static struct lb_log_reader *filled(struct fixture *fixture)
{
    struct lb_log *log = test_open(fixture);
    for (uint32_t minute = 0; minute < 5; minute++) {
        fixture->clock.now_unix_ms = TEST_NOW_MS + minute * 60000;
        put(log, LB_LEAF_ADMIN, 0, "");
        for (uint32_t i = 0; i < 10; i++)
            put(log, LB_LEAF_READ, 1 + minute * 10 + i, "");
    }
    lb_log_close(log);
    return reader_of(fixture);
}

static size_t num_gathered(struct lb_log_reader *reader, int64_t from_ms, int64_t to_ms,
                           bool whole)
{
    struct lb_reconcile_set set = {.entries = NULL};
    assert_ok(whole ? lb_reconcile_gather_all(reader, from_ms, to_ms, &set)
                    : lb_reconcile_gather(reader, from_ms, to_ms, &set));
    size_t num = set.num;
    lb_reconcile_set_free(&set);
    return num;
}

static void a_range_is_found_by_its_time(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_reader *reader = filled(fixture);
    for (int whole = 0; whole < 2; whole++) {
        assert_int_equal(num_gathered(reader, 0, INT64_MAX, whole), 50);
        assert_int_equal(num_gathered(reader, TEST_NOW_MS, TEST_NOW_MS + 60000, whole), 10);
        assert_int_equal(num_gathered(reader, TEST_NOW_MS + 1, TEST_NOW_MS + 60001, whole), 10);
        assert_int_equal(num_gathered(reader, TEST_NOW_MS + 240000, INT64_MAX, whole), 10);
        assert_int_equal(num_gathered(reader, TEST_NOW_MS + 240001, INT64_MAX, whole), 0);
        assert_int_equal(num_gathered(reader, INT64_MIN, TEST_NOW_MS, whole), 0);
        assert_int_equal(num_gathered(reader, INT64_MAX, INT64_MIN, whole), 0);
    }
    lb_log_reader_close(reader);
}

/* An insider's gaps and rubbish are somebody else's to tell; what is left is still compared. */
static void what_cannot_be_read_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    lb_log_reader_close(filled(fixture));
    test_sql(fixture, fixture->folder,
             "UPDATE leaf SET bytes = x'0102' WHERE idx = 27;"
             "DELETE FROM leaf WHERE idx BETWEEN 20 AND 26");
    struct lb_log_reader *reader = reader_of(fixture);
    assert_int_equal(num_gathered(reader, 0, INT64_MAX, true), 43);
    assert_int_equal(num_gathered(reader, TEST_NOW_MS + 60000, TEST_NOW_MS + 180000, false), 13);
    assert_int_equal(num_gathered(reader, TEST_NOW_MS + 120000, TEST_NOW_MS + 180000, false), 5);
    lb_log_reader_close(reader);
}

static lb_status digests(struct fixture *fixture, struct lb_log_reader *reader, int64_t from,
                         int64_t to)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    const struct lb_reconcile_scope scope = EVERYBODY;
    return lb_reconcile_answer_digests(reader, &scope, from, to, TEST_NOW_MS, fixture->arena,
                                       &reply);
}

static void ranges_that_nobody_should_ask(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_reader *reader = filled(fixture);
    assert_ok(digests(fixture, reader, MINUTE, MINUTE + 5));
    assert_ok(digests(fixture, reader, 0, 1));
    assert_ok(digests(fixture, reader, MINUTE, MINUTE + 1440));
    assert_code(digests(fixture, reader, MINUTE, MINUTE + 1441), LB_MALFORMED);
    assert_code(digests(fixture, reader, MINUTE, MINUTE), LB_MALFORMED);
    assert_code(digests(fixture, reader, MINUTE, MINUTE - 1), LB_MALFORMED);
    assert_code(digests(fixture, reader, -1, 1), LB_MALFORMED);
    assert_code(digests(fixture, reader, INT64_MIN, INT64_MAX), LB_MALFORMED);
    assert_code(digests(fixture, reader, INT64_MIN, INT64_MIN + 1), LB_MALFORMED);
    assert_code(digests(fixture, reader, INT64_MAX - 1, INT64_MAX), LB_MALFORMED);
    assert_code(digests(fixture, reader, 0, INT64_MAX), LB_MALFORMED);
    const struct lb_reconcile_scope scope = EVERYBODY;
    const int64_t minutes[] = {INT64_MIN, -1, INT64_C(253402300800) / 60, INT64_MAX};
    for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
        struct lb_span reply = LB_SPAN_EMPTY;
        assert_code(lb_reconcile_answer_entries(reader, &scope, minutes[i], 0, fixture->arena,
                                                &reply),
                    LB_MALFORMED);
    }
    lb_log_reader_close(reader);
}

/* Takes all pages of a minute; returns how many there were. */
static size_t take_pages(struct fixture *fixture, struct lb_log_reader *reader,
                         const struct lb_reconcile_scope *scope, int64_t minute,
                         struct lb_reconcile_set *into)
{
    uint64_t next = 0;
    size_t num = 0;
    do {
        struct lb_span reply = LB_SPAN_EMPTY;
        size_t before = into->num;
        assert_ok(lb_reconcile_answer_entries(reader, scope, minute, next, fixture->arena,
                                              &reply));
        assert_ok(lb_digest_entries_parse(reply, minute, next, into, &next));
        assert_true(into->num - before <= LB_RECONCILE_PAGE_ENTRIES);
        num++;
    } while (next != 0);
    return num;
}

static void a_full_minute_comes_in_pages(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    const struct lb_reconcile_scope scope = EVERYBODY;
    struct lb_reconcile_set set = {.entries = NULL};
    put_reads(log, 2 * LB_RECONCILE_PAGE_ENTRIES);
    struct lb_log_reader *reader = reader_of(fixture); /* beside the node that writes it */
    assert_int_equal(take_pages(fixture, reader, &scope, MINUTE, &set), 2);
    assert_int_equal(set.num, 2 * LB_RECONCILE_PAGE_ENTRIES);
    put(log, LB_LEAF_READ, 5000, "");
    assert_int_equal(take_pages(fixture, reader, &scope, MINUTE, &set), 3);
    assert_ok(lb_reconcile_set_sort(&set));
    assert_int_equal(set.num, 2 * LB_RECONCILE_PAGE_ENTRIES + 1);
    lb_reconcile_set_free(&set);
    struct lb_span reply = LB_SPAN_EMPTY;
    uint64_t next = 1;
    assert_ok(lb_reconcile_answer_entries(reader, &scope, MINUTE, UINT64_MAX, fixture->arena,
                                          &reply));
    assert_ok(lb_digest_entries_parse(reply, MINUTE, UINT64_MAX, &set, &next));
    assert_int_equal(set.num, 0);
    assert_int_equal(next, 0);
    lb_log_reader_close(reader);
    lb_log_close(log);
}

/* A broker's log with two adapters' reads in turn. */
static void an_adapter_sees_its_own_reads_only(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_hash counterpart;
    for (uint32_t txn = 1; txn <= 20; txn++) {
        put(log, LB_LEAF_ROUTE, txn, txn % 2 == 0 ? ADAPTER : OTHER);
        put(log, LB_LEAF_DELIVER, txn, "");
    }
    put(log, LB_LEAF_DELIVER, 21, ""); /* of nobody knows whom */
    struct lb_log_reader *reader = reader_of(fixture);
    lb_reconcile_counterpart(ADAPTER, &counterpart);
    const struct lb_reconcile_scope own = {.counterparts = &counterpart, .num_counterparts = 1};
    const struct lb_reconcile_scope none = {.all = false};
    assert_int_equal(take_pages(fixture, reader, &own, MINUTE, &set), 1);
    assert_int_equal(set.num, 20);
    for (size_t i = 0; i < set.num; i++)
        assert_int_equal(set.entries[i].txn[0] % 2, 0);
    lb_reconcile_set_free(&set);
    assert_int_equal(take_pages(fixture, reader, &none, MINUTE, &set), 1);
    assert_int_equal(set.num, 0);
    lb_log_reader_close(reader);
    lb_log_close(log);
}

/* --- a comparison with a peer that has to be asked --- */

struct peer {
    struct lb_log_reader *reader;
    struct lb_reconcile_scope scope;
    size_t num_digests;
    size_t num_pages;
    lb_status refuses;
    bool stuck;
};

static lb_status ask_digests(void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                             struct lb_span *out_reply)
{
    struct peer *peer = ctx;
    LB_TRY(peer->refuses);
    peer->num_digests++;
    /* as if a minute held too much: a few at a time */
    int64_t end = from + 7 < to ? from + 7 : to;
    return lb_reconcile_answer_digests(peer->reader, &peer->scope, from, end, TEST_NOW_MS, arena,
                                       out_reply);
}

static lb_status ask_entries(void *ctx, int64_t minute, uint64_t from_index,
                             struct lb_arena *arena, struct lb_span *out_reply)
{
    struct peer *peer = ctx;
    peer->num_pages++;
    return lb_reconcile_answer_entries(peer->reader, &peer->scope, minute,
                                       peer->stuck ? 0 : from_index, arena, out_reply);
}

static void count(void *arg, const struct lb_reconcile_finding *finding)
{
    (void)finding;
    ++*(size_t *)arg;
}

static lb_status compare(struct peer *peer, size_t *num_found, struct lb_reconcile_run *out_run)
{
    const struct lb_reconcile_set empty = {.entries = NULL};
    const struct lb_reconcile_local broker = {&empty, TEST_NOW_MS + 3600000};
    const struct lb_reconcile_remote adapter = {peer, ask_digests, ask_entries};
    *num_found = 0;
    *out_run = (struct lb_reconcile_run){
        .broker = lb_reconcile_local_side(&broker),
        .adapter = lb_reconcile_remote_side(&adapter),
        .from_minute = MINUTE - 10,
        .to_minute = MINUTE + 3,
        .now_ms = TEST_NOW_MS + 3600000,
        .found = count,
        .arg = num_found,
    };
    return lb_reconcile_compare(out_run);
}

/* The broker's log is gone altogether: every read of the three minutes asked for is found. */
static void a_peer_is_asked_for_what_differs_only(void **state)
{
    struct fixture *fixture = *state;
    struct peer peer = {.reader = filled(fixture), .scope = EVERYBODY};
    struct lb_reconcile_run run;
    size_t num_found = 0;
    assert_ok(compare(&peer, &num_found, &run));
    assert_int_equal(num_found, 30);
    assert_int_equal(run.tally.counts[LB_RECONCILE_MISSING_BROKER], 30);
    assert_int_equal(run.num_differing, 3);
    assert_int_equal(peer.num_digests, 3);
    assert_int_equal(peer.num_pages, 5); /* with two of the margin */
    lb_log_reader_close(peer.reader);
}

static void a_peer_that_refuses_or_turns_in_circles(void **state)
{
    struct fixture *fixture = *state;
    struct lb_reconcile_run run;
    size_t num_found = 0;
    struct lb_log *log = test_open(fixture);
    put_reads(log, LB_RECONCILE_PAGE_ENTRIES + 1);
    lb_log_close(log);
    struct peer peer = {.reader = reader_of(fixture), .scope = EVERYBODY, .stuck = true};
    assert_code(compare(&peer, &num_found, &run), LB_MALFORMED);
    peer.refuses = LB_FAULT(LB_ROLE_NOT_ALLOWED, "no part in it");
    assert_code(compare(&peer, &num_found, &run), LB_ROLE_NOT_ALLOWED);
    run.to_minute = run.from_minute;
    assert_code(lb_reconcile_compare(&run), LB_MALFORMED);
    lb_log_reader_close(peer.reader);
}

#define WITH_LOG(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOG(a_range_is_found_by_its_time),
        WITH_LOG(what_cannot_be_read_is_left_out),
        WITH_LOG(ranges_that_nobody_should_ask),
        WITH_LOG(a_full_minute_comes_in_pages),
        WITH_LOG(an_adapter_sees_its_own_reads_only),
        WITH_LOG(a_peer_is_asked_for_what_differs_only),
        WITH_LOG(a_peer_that_refuses_or_turns_in_circles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
