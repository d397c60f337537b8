#include "gateway/audit/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/store/faults.h"

/* Whoever builds an index may die at any point of writing it. What is left goes on to the same
 * rows, as if nothing had been. */

#define FIRST 60
#define ENTRIES 260
#define ROUNDS 12

static bool dies(struct fx_audit *fx, const struct faults_plan *plan, bool rebuild)
{
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        faults_set(plan);
        _exit(fx_build(fx, rebuild, NULL) == LB_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true((WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) ||
                (WIFEXITED(how) && WEXITSTATUS(how) == 0));
    return WIFSIGNALED(how);
}

static struct faults_plan plan_of(unsigned round)
{
    static const struct faults_plan plans[] = {
        {FAULTS_WRITE, FAULTS_KILL_TORN, "index.db-wal", 1, 0},
        {FAULTS_WRITE, FAULTS_KILL_DONE, "index.db-wal", 1, 0},
        {FAULTS_SYNC, FAULTS_KILL, "index.db-wal", 1, 0},
        {FAULTS_SYNC, FAULTS_KILL_DONE, "index.db-wal", 1, 0},
        {FAULTS_WRITE, FAULTS_KILL_TORN, "index.db", 1, 0},
        {FAULTS_SYNC, FAULTS_KILL, "index.db", 1, 0},
    };
    unsigned which = round % (sizeof(plans) / sizeof(plans[0]));
    struct faults_plan plan = plans[which];
    unsigned later = round / (sizeof(plans) / sizeof(plans[0]));
    plan.from = plan.call == FAULTS_WRITE ? 1 + 23 * later : 1 + later;
    return plan;
}

/* Begun anew, from nothing. */
static void test_a_rebuild_goes_on(void **state)
{
    struct fx_audit *fx = *state;
    struct lb_audit_progress progress;
    unsigned killed = 0;
    fx_fill(fx, ENTRIES);
    assert_ok(fx_build(fx, false, NULL));
    const char *whole = fx_dump(fx);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct faults_plan plan = plan_of(round);
        killed += dies(fx, &plan, true);
        assert_ok(fx_build(fx, false, &progress));
        assert_int_equal(progress.size, ENTRIES);
        assert_string_equal(fx_dump(fx), whole);
    }
    assert_true(killed >= ROUNDS / 2);
}

/* In the middle of following a log that grows, and from which somebody is erased. */
static void test_a_step_goes_on(void **state)
{
    struct fx_audit *fx = *state;
    unsigned killed = 0;
    struct lb_log *log = fx_open(fx);
    fx_append(fx, log, 0, FIRST);
    lb_log_close(log);
    assert_ok(fx_build(fx, false, NULL));
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct faults_plan plan = plan_of(round);
        log = fx_open(fx);
        fx_append(fx, log, FIRST + 20 * round, FIRST + 20 * (round + 1));
        if (round % 4 == 3)
            fx_erase(log, round / 4);
        lb_log_close(log);
        killed += dies(fx, &plan, false);
        assert_ok(fx_build(fx, false, NULL));
    }
    assert_true(killed >= ROUNDS / 2);
    const char *followed = fx_dump(fx);
    assert_ok(fx_build(fx, true, NULL));
    assert_string_equal(fx_dump(fx), followed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_rebuild_goes_on, fx_set_up, fx_tear_down),
        cmocka_unit_test_setup_teardown(test_a_step_goes_on, fx_set_up, fx_tear_down),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
