#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/export.h"
#include "gateway/evidence/follow.h"
#include "gateway/evidence/test_shard.h"


static lb_status read_detail(struct fixture *fixture, uint64_t index, struct lb_span *out)
{
    struct lb_log_reader *reader = NULL;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    lb_status status =
        lb_log_reader_detail(reader, index, &fixture->officer, fixture->arena, out);
    lb_log_reader_close(reader);
    return status;
}

/* --- half-years --- */

static void half_years_are_those_of_utc(void **state)
{
    char name[LB_SHARD_NAME_BYTES];
    (void)state;
    lb_shard_half_name(lb_shard_half(1782863999999), name); /* 2026-06-30T23:59:59.999Z */
    assert_string_equal(name, "2026h1");
    lb_shard_half_name(lb_shard_half(1782864000000), name);
    assert_string_equal(name, "2026h2");
    assert_int_equal(lb_shard_half_begin(lb_shard_half(1782864000000)), 1782864000000);
    lb_shard_half_name(lb_shard_half(0), name);
    assert_string_equal(name, "1970h1");
    assert_int_equal(lb_shard_half_begin(lb_shard_half(0)), 0);
}

/* --- from copying to removing --- */

static void nothing_is_copied_before_its_time(void **state)
{
    struct fixture *fixture = *state;
    test_shard_begin(fixture, TEST_FILLED);
    fixture->clock.now_unix_ms = TEST_NOW_MS + 1000;
    test_shard_copy(fixture, 0);
    fixture->clock.now_unix_ms = lb_shard_half_begin(lb_shard_half(TEST_NOW_MS) + 1) - 1;
    test_shard_copy(fixture, 0);
    fixture->clock.now_unix_ms++;
    test_shard_copy(fixture, 1);
}

static void a_copy_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    test_shard_begin(fixture, TEST_FILLED);
    test_shard_copy(fixture, 1);
    assert_int_equal(stat(test_shard_path(fixture, fixture->folder, TEST_SHARD), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    struct lb_shard_list list = test_shard_list(fixture);
    assert_int_equal(list.num, 1);
    assert_string_equal(list.lines[0].name, TEST_SHARD);
    assert_int_equal(list.lines[0].from, 0);
    assert_int_equal(list.lines[0].to, TEST_SHARDED);
    assert_int_equal(list.lines[0].state, LB_SHARD_COPIED);
    test_whole(fixture, fixture->folder, TEST_ENTRIES + 4);
    test_shard_copy(fixture, 0);
    /* A file alone convinces whoever has the log's key. */
    const struct lb_shard_check_options options = {
        .path = test_shard_path(fixture, fixture->folder, TEST_SHARD),
        .verifier = &fixture->verifier};
    struct lb_shard_verdict verdict;
    assert_ok(lb_shard_check(&options, &fixture->diag, &verdict));
    assert_int_equal(verdict.to, TEST_SHARDED);
}

static void too_little_room_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_shard_copy_options options = {
        .folder = fixture->folder, .verifier = &fixture->verifier,
        .until_ms = TEST_NEXT_HALF_MS, .disk = &fixture->disk.disk};
    struct lb_shard_copied copied;
    test_shard_begin(fixture, TEST_FILLED);
    atomic_store(&fixture->disk.free_bytes, LB_DISK_ALERT_BYTES - 1);
    assert_code(lb_shard_copy(&options, &fixture->diag, &copied), LB_LOG_FULL);
    assert_int_equal(access(test_shard_path(fixture, fixture->folder, TEST_SHARD), F_OK), -1);
    atomic_store(&fixture->disk.free_bytes, LB_DISK_ALERT_BYTES);
    test_shard_copy(fixture, 1);
}

static void assert_link(struct fixture *fixture, struct lb_log *log)
{
    struct lb_leaf leaf = test_leaf(fixture, log, TEST_LINK);
    static const uint8_t none[32];
    struct lb_span detail;
    assert_int_equal(leaf.type, LB_LEAF_SHARD);
    assert_string_equal(leaf.code, "LINKED");
    assert_int_equal(leaf.count, TEST_SHARDED);
    assert_memory_not_equal(leaf.request_hash, none, 32);
    assert_memory_not_equal(leaf.answer_hash, none, 32);
    assert_ok(read_detail(fixture, TEST_LINK, &detail));
    const char *text = lb_arena_str(fixture->arena, detail);
    assert_non_null(strstr(text, "{\"shard\":\"2025h2\",\"from\":0,\"to\":512,\"file\":\""));
}

static void a_linked_shard_is_the_only_place_of_its_entries(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict before, after;
    struct lb_hash hashes[256], again[256];
    struct lb_hash *path = NULL, *path_again = NULL;
    struct lb_span leaf, leaf_again, entries;
    size_t num = 0, num_again = 0;
    test_shard_begin(fixture, TEST_FILLED);
    assert_ok(test_verify(fixture, fixture->folder, &before));
    struct lb_log *log = test_open(fixture);
    assert_ok(lb_log_tile(log, 0, 1, 256, hashes));
    assert_ok(lb_log_leaf(log, 300, fixture->arena, &leaf));
    assert_ok(lb_log_inclusion(log, 300, 530, fixture->arena, &path, &num));
    test_shard_copy(fixture, 1); /* beside the running log, which finds it */
    test_shard_wait(fixture, 1);
    assert_link(fixture, log);
    assert_ok(lb_log_leaf(log, 300, fixture->arena, &leaf_again));
    assert_true(lb_span_eq(leaf, leaf_again));
    assert_ok(lb_log_tile(log, 0, 1, 256, again));
    assert_memory_equal(hashes, again, sizeof(hashes));
    assert_ok(lb_log_inclusion(log, 300, 530, fixture->arena, &path_again, &num_again));
    assert_int_equal(num, num_again);
    assert_memory_equal(path, path_again, num * sizeof(*path));
    assert_ok(lb_log_entries(log, 510, 4, 65536, fixture->arena, &entries));
    lb_log_close(log);
    struct lb_shard_list list = test_shard_list(fixture);
    assert_int_equal(list.lines[0].state, LB_SHARD_LINKED);
    assert_true(list.free_bytes > 65536);
    assert_ok(test_verify(fixture, fixture->folder, &after));
    assert_int_equal(after.size, TEST_LINK + 1);
    assert_int_equal(after.num_details, before.num_details + 1);
    assert_int_equal(after.num_erased, before.num_erased);
    test_shard_copy(fixture, 0);
}

/* The rows really are gone, and the log opens and grows without the file. */
static void a_shard_that_is_away_is_only_needed_by_what_needs_it(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span leaf;
    test_shard_begin(fixture, TEST_KEPT);
    const char *path = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    const char *kept = test_path(fixture, fixture->root, "whole");
    assert_int_equal(rename(path, kept), 0);
    test_refused(fixture, LB_LOG_BEHIND);
    assert_non_null(strstr(fixture->diag.text, "shard 2025h2 (entries 0 to 511) is missing"));
    struct lb_log_verdict verdict;
    assert_code(test_verify(fixture, fixture->folder, &verdict), LB_LOG_BEHIND);
    assert_non_null(strstr(fixture->diag.text, "shard 2025h2"));
    assert_code(test_shard_read(fixture, fixture->folder, 3), LB_LOG_BEHIND);
    assert_code(lb_shard_away(fixture->folder, "2024h1", &fixture->diag), LB_ABSENT);
    assert_code(lb_shard_away(fixture->folder, "../../x", &fixture->diag), LB_ABSENT);
    assert_ok(lb_shard_away(fixture->folder, TEST_SHARD, &fixture->diag));
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    assert_code(lb_log_leaf(log, 3, fixture->arena, &leaf), LB_LOG_BEHIND);
    assert_ok(lb_log_leaf(log, 512, fixture->arena, &leaf));
    lb_log_close(log);
    assert_code(test_verify(fixture, fixture->folder, &verdict), LB_LOG_BEHIND);
    assert_int_equal(rename(kept, path), 0);
    test_whole(fixture, fixture->folder, TEST_LINK + 4);
    assert_ok(test_shard_read(fixture, fixture->folder, 3));
}

/* --- erasure --- */

static lb_status newest(struct fixture *fixture, uint8_t subject)
{
    struct lb_log_reader *reader = NULL;
    uint8_t pseudonym[LB_SHA256_BYTES];
    int64_t ms = 0;
    memset(pseudonym, subject, sizeof(pseudonym));
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    lb_status status = lb_log_reader_newest(reader, pseudonym, &ms);
    lb_log_reader_close(reader);
    if (status == LB_OK)
        assert_int_equal(ms, TEST_NOW_MS);
    return status;
}

static void an_erasure_reaches_a_shard_without_touching_it(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_verdict before, after;
    struct lb_span detail;
    test_shard_begin(fixture, TEST_KEPT);
    const char *path = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    const char *kept = test_path(fixture, fixture->root, "whole");
    test_copy(path, kept);
    assert_ok(test_verify(fixture, fixture->folder, &before));
    assert_ok(read_detail(fixture, 31, &detail)); /* 31 % 40 + 1 */
    assert_ok(newest(fixture, 32));
    assert_ok(read_detail(fixture, TEST_REVIEWED, &detail));
    assert_code(newest(fixture, 200), LB_ABSENT); /* no access */
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry *entry = malloc(sizeof(*entry));
    *entry = test_detailed(31);
    entry->leaf.type = LB_LEAF_REVIEW;
    fixture->clock.now_unix_ms += 1000;
    assert_ok(lb_log_append_wait(log, entry));
    assert_ok(newest(fixture, 32)); /* the access in the shard, as before */
    *entry = test_entry();
    entry->leaf.type = LB_LEAF_ERASURE;
    entry->has_subject = true;
    memset(entry->subject, 32, sizeof(entry->subject));
    assert_ok(lb_log_append_wait(log, entry));
    assert_true(entry->leaf.count >= 1);
    free(entry);
    lb_log_close(log);
    assert_code(read_detail(fixture, 31, &detail), LB_ABSENT);
    assert_code(newest(fixture, 32), LB_ABSENT);
    assert_ok(test_verify(fixture, fixture->folder, &after));
    assert_true(after.num_erased > before.num_erased);
    struct lb_span was, is;
    assert_ok(lb_file_read(kept, 8 << 20, fixture->arena, &was));
    assert_ok(lb_file_read(path, 8 << 20, fixture->arena, &is));
    assert_true(lb_span_eq(was, is));
}

/* --- whoever reads the whole log --- */

static void readers_do_not_notice(void **state)
{
    struct fixture *fixture = *state;
    const char *out = test_path(fixture, fixture->root, "exported");
    struct lb_log_reader *reader = NULL;
    struct lb_export *export = NULL;
    struct lb_export_result result;
    struct lb_tlog_proof proof;
    struct lb_checkpoint head;
    struct lb_follow *follow = NULL;
    struct lb_follow_entry entry;
    const struct lb_follow_keys keys = {&fixture->officer, 1};
    test_shard_begin(fixture, TEST_KEPT);
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    assert_ok(lb_export_open(out, true, &fixture->diag, &export));
    assert_ok(lb_log_reader_export(reader, export, &fixture->verifier, &fixture->diag, &result));
    assert_ok(lb_export_verify(export, &fixture->verifier, &fixture->diag, &head));
    assert_int_equal(head.size, TEST_LINK + 1);
    lb_export_close(export);
    assert_ok(lb_log_reader_prove(reader, 3, &fixture->verifier, fixture->arena, &fixture->diag,
                                  &proof));
    lb_log_reader_close(reader);
    assert_ok(lb_follow_open(fixture->folder, &fixture->diag, &follow));
    assert_ok(lb_follow_advance(follow, &fixture->verifier, 0, NULL, &fixture->diag, &head));
    assert_ok(lb_follow_advance(follow, &fixture->verifier, head.size, &head.root, &fixture->diag,
                                &head));
    assert_ok(lb_follow_read(follow, 31, &keys, fixture->arena, &entry));
    assert_int_equal(entry.state, LB_FOLLOW_OPEN);
    lb_follow_close(follow);
}

static void half_years_follow_each_other(void **state)
{
    struct fixture *fixture = *state;
    test_shard_two(fixture);
    struct lb_shard_list list = test_shard_list(fixture);
    assert_int_equal(list.num, 2);
    assert_string_equal(list.lines[1].name, "2026h1");
    assert_int_equal(list.lines[1].from, TEST_SHARDED);
    assert_int_equal(list.lines[1].to, 768);
    test_whole(fixture, fixture->folder, TEST_LINK + 237);
    test_shard_copy(fixture, 0);
}

/* Nobody ran the command for a year: two files at once, linked one after the other. */
static void half_years_are_made_up_for(void **state)
{
    struct fixture *fixture = *state;
    test_shard_begin(fixture, TEST_FILLED);
    struct lb_log *log = test_open(fixture);
    test_append(log, 234);
    lb_log_close(log);
    fixture->clock.now_unix_ms = TEST_AFTER_HALF_MS;
    test_shard_copy(fixture, 2);
    test_shard_keep(fixture, 2);
    test_whole(fixture, fixture->folder, TEST_LINK + 236);
    assert_ok(test_shard_read(fixture, fixture->folder, 3));
    assert_ok(test_shard_read(fixture, fixture->folder, 700));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_years_are_those_of_utc),
        cmocka_unit_test(nothing_is_copied_before_its_time),
        cmocka_unit_test(a_copy_changes_nothing),
        cmocka_unit_test(too_little_room_is_told),
        cmocka_unit_test(a_linked_shard_is_the_only_place_of_its_entries),
        cmocka_unit_test(a_shard_that_is_away_is_only_needed_by_what_needs_it),
        cmocka_unit_test(an_erasure_reaches_a_shard_without_touching_it),
        cmocka_unit_test(readers_do_not_notice),
        cmocka_unit_test(half_years_follow_each_other),
        cmocka_unit_test(half_years_are_made_up_for),
    };
    return cmocka_run_group_tests(tests, test_shard_fill, test_tear_down);
}
