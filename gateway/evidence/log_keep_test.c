#include <stdio.h>
#include <unistd.h>

#include "gateway/evidence/test_log.h"

/* What the log writes of its own accord. */

static void denials_are_counted_per_peer_and_code(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    for (int i = 0; i < 1000; i++)
        lb_log_count_denial(log, "spiffe://example/window/hall", LB_SIGNATURE_INVALID);
    for (int i = 0; i < 3; i++)
        lb_log_count_denial(log, "spiffe://example/window/hall", LB_MALFORMED);
    lb_log_count_denial(log, "", LB_PEER_UNVERIFIED);
    lb_log_count_denial(log, NULL, LB_PEER_UNVERIFIED);
    test_append(log, 1);
    (void)usleep(400000);
    assert_int_equal(test_size(fixture, log), 1);
    fixture->clock.now_monotonic_ms += 1000;
    test_wait_size(fixture, log, 4);
    uint32_t total = 0;
    for (uint64_t i = 1; i < 4; i++) {
        struct lb_leaf leaf = test_leaf(fixture, log, i);
        assert_int_equal(leaf.type, LB_LEAF_DENY);
        total += leaf.count;
    }
    assert_int_equal(total, 1005);
    lb_log_count_denial(log, "spiffe://example/window/\"hall", LB_SUBJECT_MISMATCH);
    lb_log_close(log);
    struct lb_log_reader *reader = NULL;
    struct lb_span detail;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_ok(lb_log_reader_detail(reader, 4, &fixture->officer, fixture->arena, &detail));
    assert_true(lb_span_is(detail, "{\"peer\":\"spiffe://example/window/?hall\"}"));
    lb_log_reader_close(reader);
}

static void a_flood_of_peers_stays_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    for (int i = 0; i < 5000; i++) {
        char peer[64];
        (void)snprintf(peer, sizeof(peer), "spiffe://example/window/w%d", i);
        lb_log_count_denial(log, peer, LB_MALFORMED);
    }
    fixture->clock.now_monotonic_ms += 1000;
    test_wait_size(fixture, log, 257);
    uint64_t total = 0;
    uint32_t largest = 0;
    for (uint64_t i = 0; i < 257; i++) {
        struct lb_leaf leaf = test_leaf(fixture, log, i);
        total += leaf.count;
        largest = leaf.count > largest ? leaf.count : largest;
    }
    assert_int_equal(total, 5000);
    assert_int_equal(largest, 5000 - 256);
    lb_log_close(log);
}

static void an_idle_log_writes_canaries(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    fixture->clock.now_monotonic_ms += 59999;
    (void)usleep(600000);
    assert_int_equal(test_size(fixture, log), 0);
    fixture->clock.now_monotonic_ms += 1;
    test_wait_size(fixture, log, 1);
    assert_int_equal(test_leaf(fixture, log, 0).type, LB_LEAF_CANARY);
    lb_log_close(log);
}

static void without_an_officer_there_is_no_detail(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    options.officer_key = NULL;
    assert_ok(lb_log_open(&options, &fixture->diag, &log));
    struct lb_log_entry entry = test_entry();
    static const uint8_t zeros[32];
    entry.detail = lb_span_str("{}");
    memset(entry.leaf.detail_hash, 9, 32);
    assert_ok(lb_log_append_wait(log, &entry));
    assert_memory_equal(entry.leaf.detail_hash, zeros, 32);
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.num_details, 0);
}

/* A store that keeps something else than it was given must not get a signature. */
static void a_leaf_that_changed_on_its_way_is_not_signed(void **state)
{
    struct fixture *fixture = *state;
    static const char *const corrupting[] = {
        "CREATE TRIGGER corrupt AFTER INSERT ON leaf WHEN NEW.idx = 3"
        " BEGIN UPDATE leaf SET bytes = zeroblob(200) WHERE idx = 3; END",
        NULL,
    };
    fixture->migrations = corrupting;
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    struct lb_log_entry entry = test_entry();
    assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
    assert_false(lb_log_healthy(log));
    assert_int_equal(test_size(fixture, log), 3);
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, 3);
}

/* Two writers of one log would sign two histories: the checkpoint row is compared and swapped. */
static void a_checkpoint_moved_by_others_stops_the_log(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    test_sql(fixture, fixture->folder, "UPDATE checkpoint SET size = 4");
    struct lb_log_entry entry = test_entry();
    assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
    assert_false(lb_log_healthy(log));
    lb_log_close(log);
    test_refused(fixture, LB_LOG_FORK);
}

static void append_about(struct lb_log *log, enum lb_leaf_type type, unsigned person)
{
    struct lb_log_entry entry = test_entry();
    entry.leaf.type = type;
    entry.detail = lb_span_str("{\"purpose\":\"social-assistance\"}");
    entry.has_subject = true;
    memset(entry.subject, 7, sizeof(entry.subject));
    entry.subject[0] = (uint8_t)(person >> 8);
    entry.subject[1] = (uint8_t)person;
    assert_ok(lb_log_append_wait(log, &entry));
}

/* Past 1024 subjects keys leave memory; a subject that returns gets a new one, and all stay
 * readable. */
static void more_subjects_than_keys_in_memory(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    for (unsigned person = 0; person < 1300; person++)
        append_about(log, LB_LEAF_READ, person);
    append_about(log, LB_LEAF_READ, 0);
    append_about(log, LB_LEAF_READ, 1299);
    append_about(log, LB_LEAF_ERASURE, 1299);
    lb_log_close(log);
    struct lb_log_verdict verdict;
    struct lb_log_reader *reader = NULL;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    /* Nobody shares a key: an erasure takes its own subject's details, all of them and no
     * other's. */
    assert_int_equal(verdict.num_erased, 2);
    assert_int_equal(verdict.num_details, 1301);
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    static const uint64_t some[] = {0, 1, 128, 700, 1298, 1300};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        struct lb_span detail = LB_SPAN_EMPTY;
        assert_ok(lb_log_reader_detail(reader, some[i], &fixture->officer, fixture->arena,
                                       &detail));
        assert_true(lb_span_is(detail, "{\"purpose\":\"social-assistance\"}"));
    }
    lb_log_reader_close(reader);
}

#define LOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(denials_are_counted_per_peer_and_code),
        LOG_TEST(a_flood_of_peers_stays_bounded),
        LOG_TEST(an_idle_log_writes_canaries),
        LOG_TEST(without_an_officer_there_is_no_detail),
        LOG_TEST(a_leaf_that_changed_on_its_way_is_not_signed),
        LOG_TEST(a_checkpoint_moved_by_others_stops_the_log),
        LOG_TEST(more_subjects_than_keys_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
