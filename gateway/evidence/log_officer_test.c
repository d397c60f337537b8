#include <stdio.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/test_log.h"

/* The officer's key is replaced while the log is in use. */

static void append(struct lb_log *log, const char *detail, int subject)
{
    struct lb_log_entry entry = test_entry();
    entry.detail = lb_span_str(detail);
    entry.has_subject = subject != 0;
    memset(entry.subject, subject, sizeof(entry.subject));
    assert_ok(lb_log_append_wait(log, &entry));
}

/* What an officer reads of one entry. */
static void assert_reads(struct fixture *fixture, uint64_t index,
                         const struct lb_x25519_key *officer, enum lb_code code)
{
    struct lb_log_reader *reader = NULL;
    struct lb_span detail = LB_SPAN_EMPTY;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_code(lb_log_reader_detail(reader, index, officer, fixture->arena, &detail), code);
    lb_log_reader_close(reader);
}

static void assert_verifies(struct fixture *fixture, uint64_t details)
{
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.num_details, details);
}

/* Subject 7 and the log's own key are in memory when the officer changes: the attack is that the
 * one before goes on reading what is written under a data key he has opened. */
static void each_officer_reads_his_own_time(void **state)
{
    struct fixture *fixture = *state;
    struct lb_x25519_key next;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t named[32];
    assert_ok(lb_x25519_generate(&next));
    struct lb_log *log = test_open(fixture);
    append(log, "{\"n\":0}", 7);
    append(log, "{\"n\":1}", 0);
    assert_ok(lb_log_change_officer(log, next.public_key));
    append(log, "{\"n\":3}", 7);
    append(log, "{\"n\":4}", 0);
    lb_log_close(log);

    assert_verifies(fixture, 5);
    for (uint64_t i = 0; i < 5; i++) {
        bool before = i <= 2; /* the change itself is for the officer before */
        assert_reads(fixture, i, &fixture->officer, before ? LB_CODE_OK : LB_SEAL_BROKEN);
        assert_reads(fixture, i, &next, before ? LB_SEAL_BROKEN : LB_CODE_OK);
    }
    struct lb_log_reader *reader = NULL;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_ok(lb_log_reader_leaf(reader, 2, fixture->arena, &leaf, &hash));
    lb_log_reader_close(reader);
    lb_log_officer_hash(next.public_key, named);
    assert_string_equal(leaf.code, "OFFICER_KEY");
    assert_memory_equal(leaf.request_hash, named, sizeof(named));
}

static void an_erasure_reaches_both_times(void **state)
{
    struct fixture *fixture = *state;
    struct lb_x25519_key next;
    assert_ok(lb_x25519_generate(&next));
    struct lb_log *log = test_open(fixture);
    append(log, "{\"n\":0}", 7);
    assert_ok(lb_log_change_officer(log, next.public_key));
    append(log, "{\"n\":2}", 7);
    struct lb_log_entry erasure = {.leaf = {.type = LB_LEAF_ERASURE, .code = "ERASED"}};
    erasure.has_subject = true;
    memset(erasure.subject, 7, sizeof(erasure.subject));
    assert_ok(lb_log_append_wait(log, &erasure));
    assert_int_equal(erasure.leaf.count, 2);
    append(log, "{\"n\":4}", 7);
    lb_log_close(log);
    assert_reads(fixture, 0, &fixture->officer, LB_ABSENT);
    assert_reads(fixture, 2, &next, LB_ABSENT);
    assert_reads(fixture, 4, &next, LB_CODE_OK);
    assert_verifies(fixture, 2); /* the change, and what came after the erasure */
}

/* A key to which nothing can be sealed would stop the log at its next detail. */
static void what_would_stop_the_log_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t zeros[32], one[32] = {1};
    struct lb_log *log = test_open(fixture);
    assert_code(lb_log_change_officer(log, zeros), LB_CONFIG_INVALID);
    assert_code(lb_log_change_officer(log, one), LB_CONFIG_INVALID);
    assert_int_equal(test_size(fixture, log), 0);
    append(log, "{\"n\":0}", 0);
    lb_log_close(log);
    assert_reads(fixture, 0, &fixture->officer, LB_CODE_OK);
}

static void without_details_there_is_nobody_to_change(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    options.officer_key = NULL;
    assert_ok(lb_log_open(&options, &fixture->diag, &log));
    assert_code(lb_log_change_officer(log, fixture->officer.public_key), LB_CONFIG_INVALID);
    lb_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_officer_reads_his_own_time, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(an_erasure_reaches_both_times, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(what_would_stop_the_log_is_refused, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(without_details_there_is_nobody_to_change, test_set_up,
                                        test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
