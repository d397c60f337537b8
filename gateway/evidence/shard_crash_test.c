#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/evidence/test_shard.h"
#include "gateway/store/faults.h"

/* A process that dies at any point of copying, linking and removing: what is there afterwards goes
 * on to the same end, and no row was ever in neither place. */

#define ALL (TEST_ENTRIES + 4)

static void copy_until_killed(struct fixture *fixture)
{
    const struct lb_shard_copy_options options = {
        .folder = fixture->folder, .verifier = &fixture->verifier,
        .until_ms = TEST_NEXT_HALF_MS, .disk = &fixture->disk.disk};
    struct lb_shard_copied copied;
    _exit(lb_shard_copy(&options, &fixture->diag, &copied) == LB_OK ? 0 : 1);
}

static bool is_done(struct fixture *fixture)
{
    struct lb_shard_list list;
    if (lb_shard_list_read(fixture->folder, &fixture->diag, &list) != LB_OK)
        _exit(2);
    return list.num == 1 && list.lines[0].state == LB_SHARD_LINKED && list.num_left == 0;
}

static void keep_until_killed(struct fixture *fixture)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    if (lb_log_open(&options, &fixture->diag, &log) != LB_OK)
        _exit(1);
    while (!is_done(fixture)) {
        fixture->clock.now_monotonic_ms += 100;
        test_append(log, 1); /* the sequencer removes rows between the entries */
    }
    lb_log_close(log);
    _exit(0);
}

/* Whether the child was killed by the plan. */
static bool run(struct fixture *fixture, const struct faults_plan *plan,
                void (*work)(struct fixture *fixture))
{
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        faults_set(plan);
        work(fixture);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) || WEXITSTATUS(how) == 0);
    return WIFSIGNALED(how);
}

static void a_copy_that_died_is_begun_anew(void **state)
{
    static const enum faults_call calls[] = {FAULTS_WRITE, FAULTS_SYNC};
    struct fixture *fixture = *state;
    unsigned killed = 0;
    test_shard_begin(fixture, TEST_FILLED);
    for (unsigned i = 0; i < 10; i++) {
        const struct faults_plan plan = {calls[i % 2], i % 3 == 0 ? FAULTS_KILL_TORN : FAULTS_KILL,
                                         i % 4 < 2 ? ".db.new" : ".db.new-wal", 1 + i * i, 0};
        bool died = run(fixture, &plan, copy_until_killed);
        bool there = access(test_shard_path(fixture, fixture->folder, "2025h2"), F_OK) == 0;
        assert_int_equal(there, !died);
        killed += died;
        if (there)
            assert_int_equal(unlink(test_shard_path(fixture, fixture->folder, "2025h2")), 0);
    }
    assert_true(killed >= 4);
    test_whole(fixture, fixture->folder, ALL);
    test_shard_copy(fixture, 1);
}

/* Each instant of writing the link and removing the rows, by the writes to the WAL. */
static void a_link_or_removal_that_died_goes_on(void **state)
{
    struct fixture *fixture = *state;
    unsigned killed = 0;
    for (unsigned i = 0; i < 11; i++) {
        const struct faults_plan plan = {FAULTS_WRITE, i % 2 == 0 ? FAULTS_KILL_TORN : FAULTS_KILL,
                                         "evidence.db-wal", 1 + i * (i + 3) / 2, 1};
        test_shard_begin(fixture, TEST_COPIED);
        killed += run(fixture, &plan, keep_until_killed);
        struct lb_log_verdict verdict;
        assert_ok(test_verify(fixture, fixture->folder, &verdict));
        assert_true(verdict.size >= ALL);
        if (i % 5 == 2) {
            test_shard_keep(fixture, 1);
            assert_ok(test_verify(fixture, fixture->folder, &verdict));
        }
    }
    assert_true(killed >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_that_died_is_begun_anew),
        cmocka_unit_test(a_link_or_removal_that_died_goes_on),
    };
    faults_install();
    return cmocka_run_group_tests(tests, test_shard_fill, test_tear_down);
}
