#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/evidence/test_log.h"
#include "gateway/store/faults.h"

/* A disk that fails under a running log. Each trouble has a name, and nothing is answered. */

static int set_up(void **state)
{
    faults_set(NULL);
    return test_set_up(state);
}

static int tear_down(void **state)
{
    faults_set(NULL);
    return test_tear_down(state);
}

/* The log takes nothing more, says why, and opens again with at least what was signed. */
static void assert_stopped(struct fixture *fixture, struct lb_log *log, enum lb_log_state state)
{
    struct lb_log_entry entry = test_entry();
    assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
    assert_true(test_in_state(log, state));
    assert_false(lb_log_healthy(log));
    uint64_t size = test_size(fixture, log);
    faults_set(NULL);
    atomic_store(&fixture->disk.read_only, false);
    lb_log_close(log);
    log = test_open(fixture);
    assert_true(test_size(fixture, log) >= size);
    test_append(log, 1);
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
}

static void what_fails_has_its_state(void **state)
{
    static const struct {
        struct faults_plan plan;
        enum lb_log_state state;
    } cases[] = {
        {{FAULTS_WRITE, FAULTS_FULL, "-wal", 1, 0}, LB_LOG_STATE_DISK_FULL},
        {{FAULTS_WRITE, FAULTS_FULL, "-wal", 4, 1}, LB_LOG_STATE_DISK_FULL},
        {{FAULTS_WRITE, FAULTS_IO, "-wal", 1, 0}, LB_LOG_STATE_DISK_FAILED},
        {{FAULTS_WRITE, FAULTS_IO_DONE, "-wal", 3, 1}, LB_LOG_STATE_DISK_FAILED},
        {{FAULTS_SYNC, FAULTS_IO, "-wal", 1, 1}, LB_LOG_STATE_DISK_FAILED},
        {{FAULTS_SYNC, FAULTS_IO_DONE, "-wal", 1, 1}, LB_LOG_STATE_DISK_FAILED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)set_up(state);
        struct fixture *fixture = *state;
        struct lb_log *log = test_open(fixture);
        test_append(log, 5);
        faults_set(&cases[i].plan);
        struct lb_log_entry entry = test_entry();
        assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
        assert_true(faults_hits() > 0);
        assert_int_equal(test_size(fixture, log), 5);
        assert_stopped(fixture, log, cases[i].state);
        (void)tear_down(state);
    }
}

/* An entry of several pages, so that a WAL is soon long enough to be moved. */
static lb_status append_fat(struct lb_log *log)
{
    static char detail[12 * 1024];
    struct lb_log_entry *entry = malloc(sizeof(*entry));
    memset(detail, 'x', sizeof(detail));
    *entry = test_entry();
    entry->detail = lb_span_of(detail, sizeof(detail));
    lb_status status = lb_log_append_wait(log, entry);
    free(entry);
    return status;
}

/* SQLite drops what fails while it moves the WAL into the database; the log does not. */
static void a_failed_checkpoint_of_the_wal_stops_the_log(void **state)
{
    static const struct faults_plan plans[] = {
        {FAULTS_SYNC, FAULTS_IO, ".db", 1, 1},
        {FAULTS_WRITE, FAULTS_IO, ".db", 1, 1},
    };
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        (void)set_up(state);
        struct fixture *fixture = *state;
        struct lb_log *log = test_open(fixture);
        faults_set(&plans[i]);
        lb_status status = LB_OK;
        for (int n = 0; n < 1000 && status == LB_OK; n++)
            status = append_fat(log);
        assert_code(status, LB_LOG_UNAVAILABLE);
        assert_int_equal(faults_hits(), 1);
        assert_stopped(fixture, log, LB_LOG_STATE_DISK_FAILED);
        (void)tear_down(state);
    }
}

/* The WAL keeps what the database has no room for, and is moved when there is some. */
static void a_full_disk_does_not_stop_a_log_that_only_moves_its_wal(void **state)
{
    struct fixture *fixture = *state;
    const struct faults_plan plan = {FAULTS_WRITE, FAULTS_FULL, ".db", 1, 2};
    struct lb_log *log = test_open(fixture);
    faults_set(&plan);
    for (int n = 0; n < 1000 && faults_hits() < 2; n++)
        assert_ok(append_fat(log));
    assert_int_equal(faults_hits(), 2);
    test_append(log, 1);
    assert_true(lb_log_healthy(log));
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
}

static void a_disk_that_turns_read_only_stops_the_log(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 2);
    atomic_store(&fixture->disk.read_only, true);
    test_state(log, LB_LOG_STATE_READ_ONLY);
    assert_stopped(fixture, log, LB_LOG_STATE_READ_ONLY);
    log = test_open(fixture);
    const struct faults_plan plan = {FAULTS_WRITE, FAULTS_IO, "-wal", 1, 0};
    faults_set(&plan);
    atomic_store(&fixture->disk.read_only, true);
    assert_stopped(fixture, log, LB_LOG_STATE_READ_ONLY);
}

static void a_read_only_disk_is_refused_at_the_start(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    lb_log_close(log);
    const struct faults_plan plan = {FAULTS_OPEN, FAULTS_IO, "evidence.db", 1, 0};
    faults_set(&plan);
    test_refused(fixture, LB_FILE_FAILED);
}

static void a_clock_that_goes_back_has_its_state(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    test_append(log, 1);
    fixture->clock.now_unix_ms -= LB_LOG_CLOCK_STEP_MS;
    test_append(log, 1);
    assert_true(test_in_state(log, LB_LOG_STATE_OK));
    fixture->clock.now_unix_ms -= 1;
    struct lb_log_entry entry = test_entry();
    assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
    fixture->clock.now_unix_ms = TEST_NOW_MS;
    assert_stopped(fixture, log, LB_LOG_STATE_CLOCK_BACK);
}

/* Removed, replaced by a copy, or the whole folder moved away: noticed while idle, and no entry
 * that went into such a file counts. */
static void a_file_that_is_gone_or_replaced_stops_the_log(void **state)
{
    static const char *const names[] = {"evidence.db", "evidence.db-wal", "evidence.db-shm",
                                        "ratchet", "lock", NULL};
    for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        (void)set_up(state);
        struct fixture *fixture = *state;
        struct lb_log *log = test_open(fixture);
        test_append(log, 3);
        const char *name = names[i / 2];
        const char *away = test_path(fixture, fixture->root, "away");
        const char *path =
            name == NULL ? fixture->folder : test_path(fixture, fixture->folder, name);
        assert_int_equal(rename(path, away), 0);
        if (i % 2 == 1 && name != NULL)
            test_copy(away, path);
        if (i % 2 == 0)
            test_state(log, LB_LOG_STATE_FILES_CHANGED);
        struct lb_log_entry entry = test_entry();
        assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
        assert_true(test_in_state(log, LB_LOG_STATE_FILES_CHANGED));
        assert_int_equal(test_size(fixture, log), 3);
        lb_log_close(log);
        (void)tear_down(state);
    }
}

static void flip_middle(const char *path, long at)
{
    for (long i = 0; i < 64; i++)
        test_flip(path, at + 1024 + i);
}

/* Every page in turn: a log with a damaged page is refused, or its verification finds the damage;
 * or the page holds nothing of the log. */
static void a_damaged_page_is_never_served(void **state)
{
    struct fixture *fixture = *state;
    const char *origin = test_path(fixture, fixture->folder, "");
    long pages = test_file_size(test_path(fixture, origin, "evidence.db")) / 4096;
    assert_true(pages > 50);
    unsigned refused = 0;
    unsigned found = 0;
    for (long page = 0; page < pages; page += page < 12 ? 1 : 7) {
        (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s",
                       test_copy_log(fixture, origin, "damaged"));
        flip_middle(test_path(fixture, fixture->folder, "evidence.db"), page * 4096);
        struct lb_log_options options = test_options(fixture);
        struct lb_log *log = NULL;
        struct lb_log_verdict verdict;
        lb_status opened = lb_log_open(&options, &fixture->diag, &log);
        lb_log_close(log);
        lb_status verified = test_verify(fixture, fixture->folder, &verdict);
        refused += opened != LB_OK;
        found += verified != LB_OK;
        if (opened != LB_OK)
            assert_true(strlen(fixture->diag.text) > 20);
        if (verified == LB_OK)
            assert_int_equal(verdict.size, TEST_ENTRIES + 4);
    }
    assert_true(refused > 0);
    assert_true(found > 10);
}

#define LOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_has_its_state),
        cmocka_unit_test(a_failed_checkpoint_of_the_wal_stops_the_log),
        LOG_TEST(a_full_disk_does_not_stop_a_log_that_only_moves_its_wal),
        LOG_TEST(a_disk_that_turns_read_only_stops_the_log),
        LOG_TEST(a_read_only_disk_is_refused_at_the_start),
        LOG_TEST(a_clock_that_goes_back_has_its_state),
        cmocka_unit_test(a_file_that_is_gone_or_replaced_stops_the_log),
        cmocka_unit_test_setup_teardown(a_damaged_page_is_never_served, test_fill, tear_down),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
