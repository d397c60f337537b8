#include <stdio.h>

#include "gateway/store/faults.h"
#include "gateway/window/case_key.h"
#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* Nobody leaves the case store with what the disk does not have. */

static const struct faults_plan no_sync = {FAULTS_SYNC, FAULTS_IO, "-wal", 1, 0};

static lb_status write(struct lb_case_store *store)
{
    return lb_store_exec(store->store, "UPDATE proof SET sealed = x'00'");
}

static lb_status look(struct lb_case_store *store)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, LB_OK);
}

static void who_leaves_has_waited_for_the_disk(void **state)
{
    struct fixture *fx = *state;
    struct lb_case_store *store = fx->window->store;
    assert_ok(look(store));
    faults_set(&no_sync);
    assert_ok(look(store)); /* there is nothing to wait for */
    assert_int_equal(faults_hits(), 0);
    lb_case_store_enter(store);
    assert_code(lb_case_store_leave(store, write(store)), LB_STORE_FAILED);
    assert_int_equal(faults_hits(), 1);
}

static void who_reads_waits_for_who_wrote(void **state)
{
    struct fixture *fx = *state;
    struct lb_case_store *store = fx->window->store;
    assert_ok(look(store));
    lb_case_store_enter(store);
    assert_ok(write(store));
    (void)pthread_mutex_unlock(&store->lock); /* it is about to wait */
    faults_set(&no_sync);
    assert_code(look(store), LB_STORE_FAILED);
}

/* A disk that has failed once may have lost what it later says it has. */
static void a_disk_that_failed_is_not_believed_again(void **state)
{
    struct fixture *fx = *state;
    struct lb_case_store *store = fx->window->store;
    const char *case_id = fx_open(fx, false);
    faults_set(&no_sync);
    assert_code(lb_window_close_case(fx->window, case_id), LB_STORE_FAILED);
    faults_set(NULL);
    assert_code(look(store), LB_STORE_FAILED);
    lb_case_store_enter(store);
    assert_code(lb_case_store_leave(store, write(store)), LB_STORE_FAILED);
}

static void a_failure_of_ones_own_comes_through(void **state)
{
    struct fixture *fx = *state;
    lb_case_store_enter(fx->window->store);
    assert_code(lb_case_store_leave(fx->window->store, LB_FAULT(LB_ABSENT, "nothing")), LB_ABSENT);
}

static int tear_down(void **state)
{
    faults_set(NULL);
    return fx_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_leaves_has_waited_for_the_disk, fx_setup, tear_down),
        cmocka_unit_test_setup_teardown(who_reads_waits_for_who_wrote, fx_setup, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_failed_is_not_believed_again, fx_setup,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failure_of_ones_own_comes_through, fx_setup, tear_down),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
