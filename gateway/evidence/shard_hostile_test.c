#include <stdio.h>
#include <unistd.h>

#include "gateway/evidence/test_shard.h"

/* Shards that somebody has altered, cut, taken away or put in another's place. */

static void shards_that_change_places_are_found(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict verdict;
    test_shard_two(fixture);
    const char *first = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    const char *second = test_shard_path(fixture, fixture->folder, "2026h1");
    const char *kept = test_path(fixture, fixture->root, "whole");
    assert_int_equal(rename(first, kept), 0);
    assert_int_equal(rename(second, first), 0);
    assert_int_equal(rename(kept, second), 0);
    assert_true(test_verify(fixture, fixture->folder, &verdict) != LB_OK);
    assert_non_null(strstr(fixture->diag.text, "shard 2025h2"));
    assert_true(test_shard_read(fixture, fixture->folder, 3) != LB_OK);
    test_refused(fixture, LB_LOG_BEHIND);
    /* The same of the same length: it is opened, and found to be another. */
    assert_int_equal(truncate(first, test_file_size(second)), 0);
    assert_true(test_shard_read(fixture, fixture->folder, 3) != LB_OK);
}

static void every_region_of_a_shard_is_vouched_for(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict verdict;
    test_shard_begin(fixture, TEST_KEPT);
    const char *path = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    long size = test_file_size(path);
    for (long at = 0; at < size; at += size / 37) {
        test_flip(path, at);
        assert_code(test_verify(fixture, fixture->folder, &verdict), LB_LOG_FORK);
        assert_non_null(strstr(fixture->diag.text, "shard 2025h2 (entries 0 to 511) was changed"));
        test_flip(path, at);
    }
    test_whole(fixture, fixture->folder, TEST_LINK + 1);
    assert_int_equal(truncate(path, size - 4096), 0);
    assert_code(test_verify(fixture, fixture->folder, &verdict), LB_LOG_BEHIND);
    assert_code(test_shard_read(fixture, fixture->folder, 3), LB_LOG_BEHIND);
}

/* What is asked for is refused, even by those who don't look at the whole file. */
static const struct {
    const char *sql;
    enum lb_code leaf;
} ALTERED[] = {
    {"UPDATE leaf SET bytes = (SELECT bytes FROM leaf WHERE idx = 4) WHERE idx = 3", LB_LOG_FORK},
    {"DELETE FROM leaf WHERE idx = 3", LB_LOG_FORK},
    {"UPDATE leaf SET bytes = x'' WHERE idx = 3", LB_LOG_FORK},
    {"UPDATE shard SET until = 256", LB_LOG_FORK},
    {"UPDATE shard SET name = '2026h1'", LB_LOG_FORK},
    {"UPDATE shard SET note = x'00'", LB_LOG_FORK},
    {"DELETE FROM shard", LB_LOG_FORK},
    {"DELETE FROM detail WHERE idx = 31", LB_CODE_OK},
    {"DELETE FROM tile WHERE key = 1", LB_CODE_OK}, /* its parent is not full: the log has it */
    {"INSERT INTO leaf VALUES (9000, x'00')", LB_CODE_OK},
};

static void altered_rows_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict verdict;
    test_shard_begin(fixture, TEST_KEPT);
    for (size_t i = 0; i < sizeof(ALTERED) / sizeof(ALTERED[0]); i++) {
        const char *copy = test_shard_copy_log(fixture, fixture->folder, "altered");
        const char *path = test_shard_path(fixture, copy, TEST_SHARD);
        long size = test_file_size(path);
        test_shard_alter(fixture, path, ALTERED[i].sql);
        assert_int_equal(truncate(path, size), 0); /* as long as it was */
        assert_code(test_shard_read(fixture, copy, 3), ALTERED[i].leaf);
        assert_code(test_verify(fixture, copy, &verdict), LB_LOG_FORK);
        assert_non_null(strstr(fixture->diag.text, "shard 2025h2"));
    }
}

/* Of a file that is not linked yet nothing is believed. */
static const char *const UNBELIEVED[] = {
    "UPDATE leaf SET bytes = (SELECT bytes FROM leaf WHERE idx = 4) WHERE idx = 3",
    "DELETE FROM detail WHERE idx = 31",
    "UPDATE detail SET sealed = (SELECT sealed FROM detail WHERE idx = 2) WHERE idx = 31",
    "UPDATE detail SET kid = kid + 1 WHERE idx = 31",
    "UPDATE tile SET hashes = (SELECT hashes FROM tile WHERE key = 0) WHERE key = 1",
    "DELETE FROM tile WHERE key = 1",
    "INSERT INTO leaf VALUES (9000, x'00')",
    "INSERT INTO tile SELECT 9, hashes FROM tile WHERE key = 1",
    "INSERT INTO detail SELECT 0, kid, nonce, sealed, plain_hash FROM detail WHERE idx = 31",
    "UPDATE shard SET first = 256",
    "UPDATE shard SET first = 256, before = note",
    "UPDATE shard SET until = 256",
    "UPDATE shard SET until = 768",
    "UPDATE shard SET origin = 'example/adapter/health'",
    "UPDATE shard SET name = '../../etc'",
    "UPDATE shard SET proof = x''",
    "UPDATE shard SET before = x'00'",
    "UPDATE shard SET note = CAST(replace(CAST(note AS TEXT), '5', '6') AS BLOB)",
    "DELETE FROM shard",
    "PRAGMA application_id = 1",
    "PRAGMA journal_mode = WAL",
};

static void what_does_not_verify_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_reader *reader = NULL;
    struct lb_shard_verdict verdict;
    test_shard_begin(fixture, TEST_COPIED);
    const char *path = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    const char *kept = test_path(fixture, fixture->root, "whole");
    test_copy(path, kept);
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    const struct lb_shard_check_options options = {
        .path = path, .verifier = &fixture->verifier, .reader = reader};
    assert_ok(lb_shard_check(&options, &fixture->diag, &verdict));
    for (size_t i = 0; i < sizeof(UNBELIEVED) / sizeof(UNBELIEVED[0]); i++) {
        test_copy(kept, path);
        test_shard_alter(fixture, path, UNBELIEVED[i]);
        lb_status status = lb_shard_check(&options, &fixture->diag, &verdict);
        if (status == LB_OK)
            print_error("%s\n", UNBELIEVED[i]);
        assert_code(status, LB_LOG_FORK);
        assert_true(strlen(fixture->diag.text) > 20);
    }
    lb_log_reader_close(reader);
}

/* Nor is one linked, and a copy says why; a whole one is then linked. */
static void what_does_not_verify_is_not_linked(void **state)
{
    static const char *const altered[] = {"DELETE FROM detail WHERE idx = 31",
                                          "UPDATE shard SET name = '2025h1'"};
    struct fixture *fixture = *state;
    const struct lb_shard_copy_options options = {
        .folder = fixture->folder, .verifier = &fixture->verifier,
        .until_ms = TEST_NEXT_HALF_MS, .disk = &fixture->disk.disk};
    struct lb_shard_copied copied;
    for (size_t i = 0; i < sizeof(altered) / sizeof(altered[0]); i++) {
        test_shard_begin(fixture, TEST_COPIED);
        test_shard_alter(fixture, test_shard_path(fixture, fixture->folder, TEST_SHARD),
                         altered[i]);
        struct lb_log *log = test_open(fixture);
        (void)usleep(250000);
        assert_int_equal(test_size(fixture, log), TEST_LINK);
        lb_log_close(log);
        test_whole(fixture, fixture->folder, TEST_LINK);
        assert_code(lb_shard_copy(&options, &fixture->diag, &copied), LB_LOG_FORK);
    }
    test_shard_begin(fixture, TEST_COPIED);
    test_shard_keep(fixture, 1);
    test_whole(fixture, fixture->folder, TEST_LINK + 1);
}

static const char *attach(struct fixture *fixture, const char *folder, const char *sql)
{
    return lb_arena_printf(fixture->arena, "ATTACH '%s' AS shards; %s",
                           test_shard_path(fixture, folder, TEST_SHARD), sql);
}

/* Rows in both places are what a crash leaves, as long as they are the same. */
static void rows_in_both_places_must_be_the_same(void **state)
{
    static const struct {
        const char *sql;
        enum lb_code code;
    } cases[] = {
        {"INSERT INTO leaf SELECT * FROM shards.leaf WHERE idx < 300", LB_CODE_OK},
        {"INSERT INTO detail SELECT * FROM shards.detail WHERE idx < 300", LB_CODE_OK},
        {"INSERT INTO leaf SELECT 3, bytes FROM shards.leaf WHERE idx = 4", LB_LOG_FORK},
        {"INSERT INTO leaf SELECT -1, bytes FROM shards.leaf WHERE idx = 4", LB_LOG_FORK},
        {"INSERT INTO detail SELECT 31, kid, nonce, sealed, plain_hash FROM shards.detail"
         " WHERE idx = 2", LB_LOG_FORK},
        {"UPDATE shard SET leaf = leaf - 1", LB_LOG_FORK},
        {"UPDATE shard SET until = 256", LB_LOG_FORK},
        {"UPDATE shard SET file_hash = note_hash", LB_LOG_FORK},
        {"UPDATE shard SET name = '../../'", LB_LOG_FORK},
        {"DELETE FROM shard", LB_LOG_FORK},
        {"DELETE FROM tile WHERE key = 1", LB_LOG_FORK}, /* its parent is not full */
    };
    struct fixture *fixture = *state;
    test_shard_begin(fixture, TEST_KEPT);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *copy = test_shard_copy_log(fixture, fixture->folder, "both");
        struct lb_log_verdict verdict;
        test_sql(fixture, copy, attach(fixture, copy, cases[i].sql));
        assert_code(test_verify(fixture, copy, &verdict), cases[i].code);
    }
}

/* A removal that was cut off goes on only with a file that is as it was linked. */
static void rows_stay_when_the_file_was_changed(void **state)
{
    struct fixture *fixture = *state;
    test_shard_begin(fixture, TEST_KEPT);
    const char *path = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    test_sql(fixture, fixture->folder,
             attach(fixture, fixture->folder,
                    "INSERT INTO leaf SELECT * FROM shards.leaf WHERE idx < 300"));
    test_flip(path, test_file_size(path) / 2);
    struct lb_log *log = test_open(fixture);
    fixture->clock.now_monotonic_ms += 1000;
    (void)usleep(300000);
    test_append(log, 2);
    lb_log_close(log);
    assert_int_equal(test_shard_list(fixture).num_left, TEST_SHARDED);
    test_flip(path, test_file_size(path) / 2);
    /* A next one that can't be linked does not hinder it. */
    const char *next = test_shard_path(fixture, fixture->folder, "2026h1");
    test_copy(path, next);
    test_shard_alter(fixture, next, "UPDATE shard SET first = 512, until = 768, name = '2026h1',"
                                    " before = zeroblob(32)");
    test_shard_keep(fixture, 1);
    test_whole(fixture, fixture->folder, TEST_LINK + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_that_change_places_are_found),
        cmocka_unit_test(every_region_of_a_shard_is_vouched_for),
        cmocka_unit_test(altered_rows_are_refused),
        cmocka_unit_test(what_does_not_verify_is_not_believed),
        cmocka_unit_test(what_does_not_verify_is_not_linked),
        cmocka_unit_test(rows_in_both_places_must_be_the_same),
        cmocka_unit_test(rows_stay_when_the_file_was_changed),
    };
    return cmocka_run_group_tests(tests, test_shard_fill, test_tear_down);
}
