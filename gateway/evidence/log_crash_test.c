#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/evidence/ratchet.h"
#include "gateway/evidence/test_log.h"

static void assert_whole(struct fixture *fixture, uint64_t size)
{
    struct lb_log_verdict verdict;
    lb_status status = test_verify(fixture, fixture->folder, &verdict);
    if (status != LB_OK)
        print_error("%s\n", fixture->diag.text);
    assert_ok(status);
    assert_int_equal(verdict.size, size);
}

/* Points the fixture at a copy of its folder. */
static void move_to(struct fixture *fixture, const char *folder)
{
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s", folder);
}

/* The files as a power cut would leave them: copied while the log runs. */
static void files_of_a_running_log_reopen(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 260);
    const char *copy = test_copy_log(fixture, fixture->folder, "copy");
    test_append(log, 5);
    lb_log_close(log);
    assert_whole(fixture, 265);
    move_to(fixture, copy);
    assert_whole(fixture, 260);
    log = test_open(fixture);
    assert_int_equal(test_size(fixture, log), 260);
    test_append(log, 1);
    lb_log_close(log);
    assert_whole(fixture, 261);
}

static void append_for_ever(struct fixture *fixture)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    if (lb_log_open(&options, &fixture->diag, &log) != LB_OK)
        _exit(1);
    while (true) {
        struct lb_log_entry entry = test_entry();
        entry.detail = lb_span_str("{\"actor\":\"clerk\"}");
        if (lb_log_append_wait(log, &entry) != LB_OK)
            _exit(2);
    }
}

static void a_killed_process_loses_nothing_signed(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last = 0;
    for (unsigned round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0)
            append_for_ever(fixture);
        (void)usleep(30000 + 7919 * round);
        (void)kill(child, SIGKILL);
        int how = 0;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        if (access(test_path(fixture, fixture->folder, "ratchet"), F_OK) != 0)
            continue;
        struct lb_log *log = test_open(fixture);
        uint64_t size = test_size(fixture, log);
        assert_true(size >= last);
        last = size;
        lb_log_close(log);
        assert_whole(fixture, size);
    }
    assert_true(last > 0);
}

static void a_shortened_database_is_behind(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 10);
    const char *old = test_copy_log(fixture, fixture->folder, "old");
    test_append(log, 1);
    lb_log_close(log);
    test_copy(test_path(fixture, fixture->folder, "ratchet"), test_path(fixture, old, "ratchet"));
    move_to(fixture, old);
    struct lb_log_verdict verdict;
    assert_code(test_verify(fixture, old, &verdict), LB_LOG_BEHIND);
    assert_non_null(strstr(fixture->diag.text, "entry 10"));
    test_refused(fixture, LB_LOG_BEHIND);
}

/* The failure the ratchet exists for: a flipped byte of the WAL ends it early, in silence. */
static void a_flipped_wal_byte_is_behind(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 20);
    const char *copy = test_copy_log(fixture, fixture->folder, "flipped");
    lb_log_close(log);
    const char *wal = test_path(fixture, copy, "evidence.db-wal");
    assert_true(test_file_size(wal) > 5000);
    test_flip(wal, test_file_size(wal) - 1000);
    struct lb_log_verdict verdict;
    assert_code(test_verify(fixture, copy, &verdict), LB_LOG_BEHIND);
    move_to(fixture, copy);
    test_refused(fixture, LB_LOG_BEHIND);
}

/* The sizes of both slots, the larger first. */
static void assert_ratchet(struct fixture *fixture, uint64_t newest, uint64_t older)
{
    struct lb_ratchet ratchet;
    struct lb_checkpoint got[2];
    assert_ok(lb_ratchet_read(test_path(fixture, fixture->folder, "ratchet"), &ratchet));
    for (size_t i = 0; i < 2; i++) {
        const struct lb_ratchet_slot *slot = &ratchet.slots[i];
        assert_true(slot->intact);
        assert_ok(lb_checkpoint_open(lb_span_of(slot->note, slot->note_len), &fixture->verifier,
                                     &got[i]));
    }
    size_t larger = got[1].size > got[0].size ? 1 : 0;
    assert_int_equal(got[larger].size, newest);
    assert_int_equal(got[larger ^ 1].size, older);
}

static void a_ratchet_one_commit_behind_rolls_forward(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    const char *ratchet = test_path(fixture, fixture->folder, "ratchet");
    const char *kept = test_path(fixture, fixture->root, "kept");
    test_append(log, 10);
    test_copy(ratchet, kept);
    test_append(log, 1);
    lb_log_close(log);
    test_copy(kept, ratchet);
    assert_whole(fixture, 11);
    assert_ratchet(fixture, 10, 9);
    log = test_open(fixture);
    lb_log_close(log);
    assert_ratchet(fixture, 11, 10);
}

static void a_ratchet_set_far_back_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    const char *ratchet = test_path(fixture, fixture->folder, "ratchet");
    const char *kept = test_path(fixture, fixture->root, "kept");
    test_append(log, 10);
    test_copy(ratchet, kept);
    test_append(log, LB_LOG_BATCH + 1);
    lb_log_close(log);
    test_copy(kept, ratchet);
    struct lb_log_verdict verdict;
    assert_code(test_verify(fixture, fixture->folder, &verdict), LB_LOG_FORK);
    test_refused(fixture, LB_LOG_FORK);
}

static void missing_files_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    lb_log_close(log);
    const char *no_ratchet = test_copy_log(fixture, fixture->folder, "no-ratchet");
    const char *no_database = test_copy_log(fixture, fixture->folder, "no-database");
    (void)unlink(test_path(fixture, no_ratchet, "ratchet"));
    (void)unlink(test_path(fixture, no_database, "evidence.db"));
    struct lb_log_verdict verdict;
    assert_code(test_verify(fixture, no_ratchet, &verdict), LB_LOG_FORK);
    assert_code(test_verify(fixture, no_database, &verdict), LB_FILE_FAILED);
    move_to(fixture, no_ratchet);
    test_refused(fixture, LB_LOG_FORK);
    move_to(fixture, no_database);
    test_refused(fixture, LB_LOG_BEHIND);
}

static void a_log_begins_only_where_it_may(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    options.create = false;
    assert_code(lb_log_open(&options, &fixture->diag, &log), LB_FILE_FAILED);
    assert_true(strlen(fixture->diag.text) > 20);
    log = test_open(fixture);
    lb_log_close(log);
    assert_ok(lb_log_open(&options, &fixture->diag, &log));
    lb_log_close(log);
    assert_whole(fixture, 0);
}

/* A crash between the first commit and the first ratchet leaves an empty log that may begin
 * again. */
static void a_birth_cut_short_is_finished(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    lb_log_close(log);
    (void)unlink(test_path(fixture, fixture->folder, "ratchet"));
    log = test_open(fixture);
    test_append(log, 1);
    lb_log_close(log);
    (void)unlink(test_path(fixture, fixture->folder, "evidence.db"));
    test_refused(fixture, LB_LOG_BEHIND);
}

static void a_damaged_ratchet_slot_is_mended(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 2);
    lb_log_close(log);
    const char *ratchet = test_path(fixture, fixture->folder, "ratchet");
    for (long slot = 0; slot < 2; slot++) {
        const char *copy = test_copy_log(fixture, fixture->folder, slot == 0 ? "s0" : "s1");
        test_flip(test_path(fixture, copy, "ratchet"), slot * 1024 + 100);
        struct lb_log_verdict verdict;
        assert_code(test_verify(fixture, copy, &verdict), LB_LOG_FORK);
        struct lb_log_options options = test_options(fixture);
        options.folder = copy;
        assert_ok(lb_log_open(&options, &fixture->diag, &log));
        lb_log_close(log);
        assert_ok(test_verify(fixture, copy, &verdict));
    }
    test_flip(ratchet, 100);
    test_flip(ratchet, 1124);
    test_refused(fixture, LB_LOG_FORK);
}

static void another_key_or_origin_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 2);
    lb_log_close(log);
    struct lb_log_options options = test_options(fixture);
    options.origin = "example/adapter/health";
    assert_code(lb_log_open(&options, &fixture->diag, &log), LB_LOG_FORK);
    struct lb_sign_key *own = fixture->key;
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &fixture->key));
    test_refused(fixture, LB_LOG_FORK);
    lb_sign_key_free(fixture->key);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fixture->key));
    test_refused(fixture, LB_CONFIG_INVALID);
    lb_sign_key_free(fixture->key);
    fixture->key = own;
    options = test_options(fixture);
    options.origin = "";
    assert_code(lb_log_open(&options, &fixture->diag, &log), LB_CONFIG_INVALID);
    options.origin = "has space";
    assert_true(lb_log_open(&options, &fixture->diag, &log) != LB_OK);
}

static void open_when_told(struct fixture *fixture, int fd)
{
    char word;
    struct lb_log_options options = test_options(fixture);
    struct lb_log *second = NULL;
    if (read(fd, &word, 1) != 1)
        _exit(2);
    lb_status status = lb_log_open(&options, &fixture->diag, &second);
    _exit(lb_status_code(status) == LB_STATE_LOCKED ? 42 : 1);
}

/* Forked while there are no threads, whose locks a child would inherit as they stand. */
static void a_second_process_is_locked_out(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    int how = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0)
        open_when_told(fixture, ends[0]);
    struct lb_log *log = test_open(fixture);
    assert_int_equal(write(ends[1], "!", 1), 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 42);
    test_append(log, 1);
    lb_log_close(log);
    log = test_open(fixture);
    lb_log_close(log);
}

/* What a restart must notice without reading every leaf. */
static void a_changed_right_edge_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 520);
    lb_log_close(log);
    char origin[300];
    (void)snprintf(origin, sizeof(origin), "%s", fixture->folder);
    static const struct {
        const char *sql;
        enum lb_code code;
    } cases[] = {
        {"DELETE FROM leaf WHERE idx = 519", LB_LOG_BEHIND},
        {"DELETE FROM leaf WHERE idx = 515", LB_LOG_FORK},
        {"INSERT INTO leaf SELECT 520, bytes FROM leaf WHERE idx = 519", LB_LOG_FORK},
        {"UPDATE leaf SET bytes = zeroblob(200) WHERE idx = 513", LB_LOG_FORK},
        {"DELETE FROM tile WHERE key = 1", LB_LOG_FORK},
        {"UPDATE tile SET hashes = zeroblob(8192) WHERE key = 0", LB_LOG_FORK},
        {"UPDATE tile SET hashes = x'00' WHERE key = 0", LB_LOG_FORK},
        {"DELETE FROM checkpoint", LB_LOG_FORK},
        {"UPDATE checkpoint SET size = 519", LB_LOG_FORK},
        {"UPDATE checkpoint SET root = zeroblob(32)", LB_LOG_FORK},
        {"UPDATE checkpoint SET note = x'00'", LB_LOG_FORK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "case%zu", i);
        move_to(fixture, test_copy_log(fixture, origin, name));
        test_sql(fixture, fixture->folder, cases[i].sql);
        test_refused(fixture, cases[i].code);
    }
}

static void a_newer_database_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    lb_log_close(log);
    test_sql(fixture, fixture->folder, "PRAGMA user_version = 99");
    test_refused(fixture, LB_VERSION_UNSUPPORTED);
}

static void an_unwritable_ratchet_stops_the_log(void **state)
{
    struct fixture *fixture = *state;
    pid_t child = fork();
    if (child == 0) {
        /* SIGXFSZ ignored, the limit makes every write past 0 bytes of a file fail with EFBIG. */
        struct lb_log *log = test_open(fixture);
        struct lb_log_entry entry = test_entry();
        if (lb_log_append_wait(log, &entry) != LB_OK)
            _exit(1);
        (void)signal(SIGXFSZ, SIG_IGN);
        const struct rlimit none = {0, 0};
        if (setrlimit(RLIMIT_FSIZE, &none) != 0)
            _exit(2);
        entry = test_entry();
        lb_status status = lb_log_append_wait(log, &entry);
        if (lb_status_code(status) != LB_LOG_UNAVAILABLE || lb_log_healthy(log))
            _exit(3);
        entry = test_entry();
        status = lb_log_append_wait(log, &entry);
        _exit(lb_status_code(status) == LB_LOG_UNAVAILABLE ? 42 : 4);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 42);
    struct lb_log *log = test_open(fixture);
    assert_int_equal(test_size(fixture, log), 1);
    lb_log_close(log);
}

#define LOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(files_of_a_running_log_reopen),
        LOG_TEST(a_killed_process_loses_nothing_signed),
        LOG_TEST(a_shortened_database_is_behind),
        LOG_TEST(a_flipped_wal_byte_is_behind),
        LOG_TEST(a_ratchet_one_commit_behind_rolls_forward),
        LOG_TEST(a_ratchet_set_far_back_is_refused),
        LOG_TEST(missing_files_are_refused),
        LOG_TEST(a_log_begins_only_where_it_may),
        LOG_TEST(a_birth_cut_short_is_finished),
        LOG_TEST(a_damaged_ratchet_slot_is_mended),
        LOG_TEST(another_key_or_origin_is_refused),
        LOG_TEST(a_second_process_is_locked_out),
        LOG_TEST(a_changed_right_edge_is_refused),
        LOG_TEST(a_newer_database_is_refused),
        LOG_TEST(an_unwritable_ratchet_stops_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
