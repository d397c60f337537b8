#include <stdio.h>
#include <stdlib.h>

#include "gateway/evidence/test_log.h"

/* What an outsider and an officer read from a log folder. */

static void another_verifier_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_reader *reader = NULL;
    struct lb_note_verifier other;
    struct lb_log_verdict verdict;
    uint8_t key[32];
    memset(key, 0, sizeof(key));
    memcpy(key, fixture->verifier.public_key, 32);
    assert_ok(lb_note_verifier_init("example/adapter/other", key, &other));
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_code(lb_log_reader_verify(reader, &other, &fixture->diag, &verdict), LB_LOG_FORK);
    assert_ok(lb_log_reader_verify(reader, &fixture->verifier, &fixture->diag, &verdict));
    lb_log_reader_close(reader);
    lb_note_verifier_cleanup(&other);
}

static void an_officer_reads_details(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_reader *reader = NULL;
    struct lb_span detail = LB_SPAN_EMPTY;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint64_t size = 0;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_ok(lb_log_reader_size(reader, &size));
    assert_int_equal(size, TEST_ENTRIES + 4);
    assert_ok(lb_log_reader_leaf(reader, TEST_ENTRIES, fixture->arena, &leaf, &hash));
    assert_int_equal(leaf.type, LB_LEAF_ERASURE);
    assert_code(lb_log_reader_leaf(reader, size, fixture->arena, &leaf, &hash), LB_ABSENT);
    assert_code(lb_log_reader_leaf(reader, UINT64_MAX, fixture->arena, &leaf, &hash), LB_ABSENT);
    assert_ok(lb_log_reader_detail(reader, 2, &fixture->officer, fixture->arena, &detail));
    assert_true(lb_span_is(detail, "{\"actor\":\"clerk 7\",\"purpose\":\"social-assistance\"}"));
    assert_ok(lb_log_reader_detail(reader, TEST_ENTRIES, &fixture->officer, fixture->arena,
                                   &detail));
    assert_true(lb_span_is(detail, "{\"basis\":\"retention ended\"}"));
    assert_code(lb_log_reader_detail(reader, 0, &fixture->officer, fixture->arena, &detail),
                LB_ABSENT);
    assert_code(lb_log_reader_detail(reader, 1, &fixture->officer, fixture->arena, &detail),
                LB_ABSENT);
    assert_code(lb_log_reader_detail(reader, 9999, &fixture->officer, fixture->arena, &detail),
                LB_ABSENT);
    struct lb_x25519_key other;
    assert_ok(lb_x25519_generate(&other));
    assert_code(lb_log_reader_detail(reader, 2, &other, fixture->arena, &detail), LB_SEAL_BROKEN);
    lb_log_reader_close(reader);
}

/* Accesses are counted, and officers' reviews are not. */
static void the_newest_access_to_a_person(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_reader *reader = NULL;
    struct lb_log_entry *entry = malloc(sizeof(*entry));
    uint8_t nobody[32] = {0xEE};
    int64_t before_ms = 0, newest_ms = 0;
    *entry = test_detailed(4);
    assert_ok(lb_log_append_wait(log, entry));
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_ok(lb_log_reader_newest(reader, entry->subject, &before_ms));
    assert_int_equal(before_ms, fixture->clock.now_unix_ms);
    fixture->clock.now_unix_ms += 1000;
    *entry = test_detailed(4);
    entry->leaf.type = LB_LEAF_REVIEW;
    assert_ok(lb_log_append_wait(log, entry));
    assert_ok(lb_log_reader_newest(reader, entry->subject, &newest_ms));
    assert_int_equal(newest_ms, before_ms);
    *entry = test_detailed(4);
    assert_ok(lb_log_append_wait(log, entry));
    assert_ok(lb_log_reader_newest(reader, entry->subject, &newest_ms));
    assert_int_equal(newest_ms, before_ms + 1000);
    assert_code(lb_log_reader_newest(reader, nobody, &newest_ms), LB_ABSENT);
    lb_log_reader_close(reader);
    lb_log_close(log);
    free(entry);
}

static void a_damaged_detail_does_not_open(void **state)
{
    struct fixture *fixture = *state;
    static const char *const changes[] = {
        "UPDATE detail SET plain_hash = zeroblob(32) WHERE idx = 2",
        "UPDATE detail SET nonce = zeroblob(12) WHERE idx = 2",
        "UPDATE detail SET sealed = (SELECT sealed FROM detail WHERE idx = 4) WHERE idx = 2",
        "UPDATE detail SET kid = kid + 1 WHERE idx = 2",
        "UPDATE detail SET kid = 1000 WHERE idx = 2",
        "UPDATE detail_key SET sealed = zeroblob(80)",
        "UPDATE detail_key SET sealed = x'00'",
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *folder = test_copy_log(fixture, fixture->folder, "broken");
        struct lb_log_reader *reader = NULL;
        struct lb_span detail;
        test_sql(fixture, folder, changes[i]);
        assert_ok(lb_log_reader_open(folder, &fixture->diag, &reader));
        assert_code(lb_log_reader_detail(reader, 2, &fixture->officer, fixture->arena, &detail),
                    LB_SEAL_BROKEN);
        lb_log_reader_close(reader);
    }
}

static uint64_t file_sum(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint64_t sum = 0;
    assert_non_null(file);
    for (int byte = fgetc(file); byte != EOF; byte = fgetc(file))
        sum = sum * 1099511628211U + (uint64_t)byte + 1;
    (void)fclose(file);
    return sum;
}

static void reading_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *database = test_path(fixture, fixture->folder, "evidence.db");
    const char *ratchet = test_path(fixture, fixture->folder, "ratchet");
    uint64_t before = file_sum(database) ^ file_sum(ratchet);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(file_sum(database) ^ file_sum(ratchet), before);
}

/* What is erased can't be read from any file any more, and the subject may be evidenced anew. */
static void an_erased_subject_may_come_back(void **state)
{
    struct fixture *fixture = *state;
    char kept[300];
    (void)snprintf(kept, sizeof(kept), "%s", fixture->folder);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s",
                   test_copy_log(fixture, kept, "again"));
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entry = test_detailed(41);
    assert_ok(lb_log_append_wait(log, &entry));
    uint64_t first = entry.index;
    for (int round = 0; round < 2; round++) {
        entry = test_entry();
        entry.leaf.type = LB_LEAF_ERASURE;
        entry.has_subject = true;
        memset(entry.subject, 2, sizeof(entry.subject));
        assert_ok(lb_log_append_wait(log, &entry));
    }
    entry = test_detailed(41);
    assert_ok(lb_log_append_wait(log, &entry));
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    struct lb_log_reader *reader = NULL;
    struct lb_span detail;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_code(lb_log_reader_detail(reader, first, &fixture->officer, fixture->arena, &detail),
                LB_ABSENT);
    assert_ok(lb_log_reader_detail(reader, entry.index, &fixture->officer, fixture->arena,
                                   &detail));
    lb_log_reader_close(reader);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s", kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_verifier_is_refused),
        cmocka_unit_test(an_officer_reads_details),
        cmocka_unit_test_setup_teardown(the_newest_access_to_a_person, test_set_up, test_tear_down),
        cmocka_unit_test(a_damaged_detail_does_not_open),
        cmocka_unit_test(reading_changes_nothing),
        cmocka_unit_test(an_erased_subject_may_come_back),
    };
    return cmocka_run_group_tests(tests, test_fill, test_tear_down);
}
