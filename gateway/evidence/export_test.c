#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/evidence/export.h"
#include "gateway/evidence/test_log.h"

/* A log with two full tiles and an edge, exported, tampered with, and exported on. */

#define NUM_ENTRIES 534
#define NUM_FILES 8
static const char *const files[NUM_FILES] = {
    "tile/0/000",     "tile/0/001",       "tile/0/002.p/22",  "tile/entries/000",
    "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/22", "checkpoint",
};

static struct lb_export *open_export(struct fixture *fixture, const char *folder, bool write)
{
    struct lb_export *export = NULL;
    assert_ok(lb_export_open(folder, write, &fixture->diag, &export));
    return export;
}

static lb_status export_log(struct fixture *fixture, const char *log, const char *folder,
                            struct lb_export_result *out_result)
{
    struct lb_log_reader *reader = NULL;
    struct lb_export *export = NULL;
    assert_ok(lb_log_reader_open(log, &fixture->diag, &reader));
    lb_status status = lb_export_open(folder, true, &fixture->diag, &export);
    if (status == LB_OK)
        status = lb_log_reader_export(reader, export, &fixture->verifier, &fixture->diag,
                                      out_result);
    lb_export_close(export);
    lb_log_reader_close(reader);
    return status;
}

static lb_status verify_export(struct fixture *fixture, const char *folder)
{
    struct lb_export *export = open_export(fixture, folder, false);
    struct lb_checkpoint checkpoint;
    lb_status status =
        lb_export_verify(export, &fixture->verifier, &fixture->diag, &checkpoint);
    lb_export_close(export);
    return status;
}

/* A copy of the fixture's log that may grow. */
static struct lb_log *reopen(struct fixture *fixture, const char *folder)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    options.folder = folder;
    assert_ok(lb_log_open(&options, &fixture->diag, &log));
    return log;
}

static void written(struct lb_log_entry *entry, lb_status status)
{
    *(size_t *)entry->owner += status == LB_OK;
}

/* Many entries in few commits; the closing waits for them. */
static void append_and_close(struct lb_log *log, size_t num)
{
    struct lb_log_entry *entries = calloc(num, sizeof(*entries));
    size_t num_written = 0;
    for (size_t i = 0; i < num; i++) {
        entries[i] = i % 5 == 0 ? test_entry() : test_detailed(i);
        entries[i].done = written;
        entries[i].owner = &num_written;
        assert_ok(lb_log_append(log, &entries[i]));
    }
    lb_log_close(log);
    assert_int_equal(num_written, num);
    free(entries);
}

static int fill(void **state)
{
    (void)test_set_up(state);
    append_and_close(test_open(*state), NUM_ENTRIES);
    return 0;
}

static const char *exported(struct fixture *fixture, const char *name)
{
    const char *to = test_path(fixture, fixture->root, name);
    struct lb_export_result result;
    assert_ok(export_log(fixture, fixture->folder, to, &result));
    return to;
}

static bool exists(struct fixture *fixture, const char *folder, const char *name)
{
    return access(test_path(fixture, folder, name), F_OK) == 0;
}

static void an_export_has_the_files_of_its_size(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = test_path(fixture, fixture->root, "whole");
    struct lb_export_result result;
    assert_ok(export_log(fixture, fixture->folder, folder, &result));
    assert_int_equal(result.checkpoint.size, NUM_ENTRIES);
    assert_int_equal(result.from, 0);
    assert_int_equal(result.num_files, NUM_FILES);
    for (size_t i = 0; i < NUM_FILES; i++)
        assert_true(exists(fixture, folder, files[i]));
    assert_int_equal(test_file_size(test_path(fixture, folder, "tile/0/000")), 8192);
    assert_int_equal(test_file_size(test_path(fixture, folder, "tile/0/002.p/22")), 22 * 32);
    assert_false(exists(fixture, folder, "tile/0/002"));
    assert_false(exists(fixture, folder, "tile/2"));
    assert_ok(verify_export(fixture, folder));
    assert_ok(export_log(fixture, fixture->folder, folder, &result));
    assert_int_equal(result.num_files, 0);
    assert_int_equal(result.from, NUM_ENTRIES);
}

static void only_what_is_new_is_added(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = exported(fixture, "growing");
    const char *copy = test_copy_log(fixture, fixture->folder, "grown-log");
    struct lb_log *log = reopen(fixture, copy);
    struct lb_export_result result;
    struct stat before, after;
    test_append(log, 5);
    assert_int_equal(stat(test_path(fixture, folder, "tile/entries/001"), &before), 0);
    assert_ok(export_log(fixture, copy, folder, &result)); /* beside a running node */
    assert_int_equal(result.from, NUM_ENTRIES);
    assert_int_equal(result.num_files, 1 + 1 + 1);
    assert_true(exists(fixture, folder, "tile/0/002.p/22"));
    assert_true(exists(fixture, folder, "tile/0/002.p/27"));
    append_and_close(log, 300);
    assert_ok(export_log(fixture, copy, folder, &result));
    assert_int_equal(result.num_files, 2 * 2 + 1 + 1);
    /* Partial ones go once the full one is there. */
    assert_true(exists(fixture, folder, "tile/0/002"));
    assert_false(exists(fixture, folder, "tile/0/002.p"));
    assert_false(exists(fixture, folder, "tile/entries/002.p"));
    assert_ok(verify_export(fixture, folder));
    assert_int_equal(stat(test_path(fixture, folder, "tile/entries/001"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

/* Cut off anywhere: whatever files are there, it goes on, and the checkpoint comes last. */
static void a_cut_off_export_goes_on(void **state)
{
    struct fixture *fixture = *state;
    static const char *const lost[] = {"checkpoint",        "tile/1/000.p/2", "tile/0/001",
                                       "tile/entries/000", "tile/entries/002.p/22"};
    const char *folder = exported(fixture, "cut");
    struct lb_export_result result;
    for (size_t num = 1; num <= sizeof(lost) / sizeof(lost[0]); num++) {
        for (size_t i = 0; i < num; i++)
            assert_int_equal(unlink(test_path(fixture, folder, lost[i])), 0);
        assert_ok(lb_file_write(test_path(fixture, folder, ".unfinished"), lb_span_str("half"),
                                0600));
        assert_code(verify_export(fixture, folder), LB_ABSENT);
        assert_ok(export_log(fixture, fixture->folder, folder, &result));
        assert_int_equal(result.num_files, num);
        assert_ok(verify_export(fixture, folder));
    }
}

/* --- refusals --- */

static void refuse_export(struct fixture *fixture, const char *log, const char *folder,
                          enum lb_code code, const char *says)
{
    struct lb_export_result result;
    assert_code(export_log(fixture, log, folder, &result), code);
    if (strstr(fixture->diag.text, says) == NULL)
        print_error("%s\n", fixture->diag.text);
    assert_non_null(strstr(fixture->diag.text, says));
}

static void a_folder_of_something_else_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = test_path(fixture, fixture->root, "letters");
    assert_ok(lb_file_mkdirs(folder));
    assert_ok(lb_file_write(test_path(fixture, folder, "letter.txt"), lb_span_str("dear"), 0600));
    refuse_export(fixture, fixture->folder, folder, LB_OTHER_LOG, "holds other things");
    assert_false(exists(fixture, folder, "tile"));
    refuse_export(fixture, fixture->folder, test_path(fixture, folder, "letter.txt"),
                  LB_FILE_FAILED, "cannot be opened");
    refuse_export(fixture, fixture->folder, test_path(fixture, folder, "no/such"), LB_FILE_FAILED,
                  "cannot be made");
}

/* A log with the same key, in a folder of its own. */
static const char *other_log(struct fixture *fixture, const char *name, const char *origin,
                             size_t num)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    options.folder = test_path(fixture, fixture->root, name);
    options.origin = origin;
    assert_ok(lb_log_open(&options, &fixture->diag, &log));
    append_and_close(log, num);
    return options.folder;
}

static void another_log_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = exported(fixture, "ours");
    const char *theirs = other_log(fixture, "theirs", "example/adapter/health", 3);
    struct lb_note_verifier kept = fixture->verifier;
    assert_ok(lb_note_verifier_init("example/adapter/health", kept.public_key,
                                    &fixture->verifier));
    refuse_export(fixture, theirs, folder, LB_OTHER_LOG, "an export of example/adapter/tax");
    lb_note_verifier_cleanup(&fixture->verifier);
    fixture->verifier = kept;
    assert_ok(verify_export(fixture, folder));
}

static void a_shorter_or_other_history_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = exported(fixture, "history");
    const char *fewer = other_log(fixture, "fewer", TEST_ORIGIN, 40);
    refuse_export(fixture, fewer, folder, LB_LOG_BEHIND, "has 40 entries, but 534 were exported");
    const char *more = other_log(fixture, "more", TEST_ORIGIN, 600);
    refuse_export(fixture, more, folder, LB_LOG_FORK, "does not extend the 534 entries");
    const char *same = other_log(fixture, "same", TEST_ORIGIN, NUM_ENTRIES);
    refuse_export(fixture, same, folder, LB_LOG_FORK, "does not extend the 534 entries");
    assert_ok(verify_export(fixture, folder));
}

/* Tiles of another history that were written before their checkpoint. */
static void a_file_is_never_written_over(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = exported(fixture, "kept");
    assert_int_equal(unlink(test_path(fixture, folder, "checkpoint")), 0);
    const char *other = other_log(fixture, "rival", TEST_ORIGIN, 600);
    refuse_export(fixture, other, folder, LB_LOG_FORK, "is there with other content");
    assert_false(exists(fixture, folder, "checkpoint"));
    struct lb_export_result result;
    test_flip(test_path(fixture, folder, "tile/0/001"), 5);
    refuse_export(fixture, fixture->folder, folder, LB_LOG_FORK, "tile/0/001 is there");
    test_flip(test_path(fixture, folder, "tile/0/001"), 5);
    assert_int_equal(truncate(test_path(fixture, folder, "tile/entries/000"), 100), 0);
    refuse_export(fixture, fixture->folder, folder, LB_LOG_FORK, "tile/entries/000 is there");
    assert_int_equal(unlink(test_path(fixture, folder, "tile/entries/000")), 0);
    assert_ok(export_log(fixture, fixture->folder, folder, &result));
}

static void a_changed_log_is_not_exported(void **state)
{
    struct fixture *fixture = *state;
    const char *copy = test_copy_log(fixture, fixture->folder, "changed-log");
    const char *folder = test_path(fixture, fixture->root, "from-changed");
    test_sql(fixture, copy, "UPDATE leaf SET bytes = (SELECT bytes FROM leaf WHERE idx = 4)"
                            " WHERE idx = 300");
    refuse_export(fixture, copy, folder, LB_LOG_FORK, "entry 300");
    assert_false(exists(fixture, folder, "checkpoint"));
    assert_false(exists(fixture, folder, "tile"));
}

static void two_writers_do_not_meet(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = exported(fixture, "locked");
    struct lb_export *first = open_export(fixture, folder, true);
    refuse_export(fixture, fixture->folder, folder, LB_STATE_LOCKED, "another process");
    assert_ok(verify_export(fixture, folder)); /* readers are welcome */
    lb_export_close(first);
}

static void a_link_leads_nowhere(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = test_path(fixture, fixture->root, "linked");
    const char *target = test_path(fixture, fixture->root, "target");
    assert_ok(lb_file_mkdirs(folder));
    assert_ok(lb_file_mkdirs(target));
    assert_int_equal(symlink(target, test_path(fixture, folder, "tile")), 0);
    refuse_export(fixture, fixture->folder, folder, LB_FILE_FAILED, "cannot be opened");
    assert_int_equal(rmdir(target), 0); /* empty as before */
}

/* --- tampering with an export --- */

static void every_changed_file_is_found_and_named(void **state)
{
    struct fixture *fixture = *state;
    const char *folder = exported(fixture, "tampered");
    const char *fresh = exported(fixture, "fresh");
    for (size_t i = 0; i < NUM_FILES; i++) {
        const char *path = test_path(fixture, folder, files[i]);
        long size = test_file_size(path);
        for (long at = 0; at < size; at += size / 40 + 1) {
            test_flip(path, at);
            enum lb_code code = lb_status_code(verify_export(fixture, folder));
            assert_true(code == LB_LOG_FORK || code == LB_OTHER_LOG); /* its name was changed */
            test_flip(path, at);
        }
        const char *aside = test_path(fixture, fixture->root, "aside");
        assert_int_equal(rename(path, aside), 0);
        assert_int_not_equal(lb_status_code(verify_export(fixture, folder)), LB_CODE_OK);
        assert_int_equal(rename(aside, path), 0);
        assert_int_equal(truncate(path, size - 1), 0);
        assert_code(verify_export(fixture, folder), LB_LOG_FORK);
        assert_true(fixture->diag.text[0] != 0);
        test_copy(test_path(fixture, fresh, files[i]), path);
    }
    assert_ok(verify_export(fixture, folder));
}

/* --- proofs --- */

static void check_proof(struct fixture *fixture, const struct lb_tlog_proof *proof, uint64_t index)
{
    struct lb_tlog_proof again;
    struct lb_checkpoint checkpoint;
    struct lb_hash leaf;
    struct lb_leaf decoded;
    struct lb_span text;
    assert_ok(lb_tlog_proof_format(proof, fixture->arena, &text));
    assert_ok(lb_tlog_proof_parse(text, fixture->arena, &again));
    assert_ok(lb_tlog_proof_verify(&again, &fixture->verifier, &checkpoint, &leaf));
    assert_int_equal(again.index, index);
    assert_int_equal(checkpoint.size, NUM_ENTRIES);
    assert_ok(lb_leaf_decode(again.extra, &decoded));
}

static void entries_are_proved_from_log_and_export(void **state)
{
    struct fixture *fixture = *state;
    static const uint64_t at[] = {0, 1, 255, 256, 511, 512, NUM_ENTRIES - 1};
    const char *folder = exported(fixture, "provable");
    struct lb_export *export = open_export(fixture, folder, false);
    struct lb_log_reader *reader = NULL;
    struct lb_tlog_proof one, two;
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        assert_ok(lb_log_reader_prove(reader, at[i], &fixture->verifier, fixture->arena,
                                      &fixture->diag, &one));
        assert_ok(lb_export_prove(export, at[i], &fixture->verifier, fixture->arena,
                                  &fixture->diag, &two));
        check_proof(fixture, &one, at[i]);
        check_proof(fixture, &two, at[i]);
        assert_int_equal(one.num_path, two.num_path);
        assert_memory_equal(one.path, two.path, one.num_path * sizeof(one.path[0]));
    }
    assert_code(lb_log_reader_prove(reader, NUM_ENTRIES, &fixture->verifier, fixture->arena,
                                    &fixture->diag, &one), LB_ABSENT);
    assert_non_null(strstr(fixture->diag.text, "there is no entry 534"));
    assert_code(lb_export_prove(export, UINT64_MAX, &fixture->verifier, fixture->arena,
                                &fixture->diag, &one), LB_ABSENT);
    lb_log_reader_close(reader);
    lb_export_close(export);
}

static void a_changed_log_proves_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *copy = test_copy_log(fixture, fixture->folder, "unprovable");
    const char *folder = exported(fixture, "unprovable-export");
    struct lb_log_reader *reader = NULL;
    struct lb_tlog_proof proof;
    test_sql(fixture, copy, "UPDATE leaf SET bytes = (SELECT bytes FROM leaf WHERE idx = 4)"
                            " WHERE idx = 300");
    assert_ok(lb_log_reader_open(copy, &fixture->diag, &reader));
    assert_code(lb_log_reader_prove(reader, 300, &fixture->verifier, fixture->arena,
                                    &fixture->diag, &proof), LB_LOG_FORK);
    lb_log_reader_close(reader);
    struct lb_export *export = open_export(fixture, folder, false);
    test_flip(test_path(fixture, folder, "tile/entries/001"), 20);
    assert_code(lb_export_prove(export, 256, &fixture->verifier, fixture->arena, &fixture->diag,
                                &proof), LB_LOG_FORK);
    lb_export_close(export);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_has_the_files_of_its_size),
        cmocka_unit_test(only_what_is_new_is_added),
        cmocka_unit_test(a_cut_off_export_goes_on),
        cmocka_unit_test(a_folder_of_something_else_is_refused),
        cmocka_unit_test(another_log_is_refused),
        cmocka_unit_test(a_shorter_or_other_history_is_refused),
        cmocka_unit_test(a_file_is_never_written_over),
        cmocka_unit_test(a_changed_log_is_not_exported),
        cmocka_unit_test(two_writers_do_not_meet),
        cmocka_unit_test(a_link_leads_nowhere),
        cmocka_unit_test(every_changed_file_is_found_and_named),
        cmocka_unit_test(entries_are_proved_from_log_and_export),
        cmocka_unit_test(a_changed_log_proves_nothing),
    };
    return cmocka_run_group_tests(tests, fill, test_tear_down);
}
