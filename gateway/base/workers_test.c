#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/workers.h"

/* One thread, which a first job holds while the test queues others. */

#define QUEUE 4

static struct lb_workers *workers;
static atomic_bool held, holding;
static atomic_int num_run, num_along, first_run;

struct numbered {
    struct lb_job job;
    int number;
};

static void hold(struct lb_job *job)
{
    (void)job;
    atomic_store(&holding, true);
    while (atomic_load(&held))
        (void)usleep(1000);
}

static void note(const struct lb_job *job)
{
    int none = 0;
    (void)atomic_compare_exchange_strong(&first_run, &none, ((const struct numbered *)job)->number);
    (void)atomic_fetch_add(&num_run, 1);
}

static void alone(struct lb_job *job)
{
    note(job);
}

static void together(struct lb_job *job)
{
    struct lb_job *more = NULL;
    size_t num = lb_workers_take_along(workers, together, 2, &more);
    note(job);
    atomic_fetch_add(&num_along, (int)num);
    for (; more != NULL; more = more->next)
        note(more);
}

static void gives_back(struct lb_job *job)
{
    struct lb_job *more = NULL;
    assert_int_equal(lb_workers_take_along(workers, alone, 9, &more), 2);
    lb_workers_give_back(workers, more);
    (void)job;
}

static struct lb_job holder = {.run = hold};

static int setup(void **state)
{
    (void)state;
    held = true;
    holding = false;
    num_run = num_along = first_run = 0;
    assert_true(lb_workers_new(1, QUEUE, &workers) == LB_OK);
    assert_true(lb_workers_submit(workers, &holder) == LB_OK);
    while (!atomic_load(&holding))
        (void)usleep(1000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lb_workers_free(workers);
    return 0;
}

static struct lb_job *chain(struct numbered *jobs, size_t num, void (*run)(struct lb_job *job))
{
    for (size_t i = 0; i < num; i++)
        jobs[i] = (struct numbered){{run, i + 1 < num ? &jobs[i + 1].job : NULL}, (int)i + 1};
    return &jobs[0].job;
}

static void let_go(int num)
{
    atomic_store(&held, false);
    for (int i = 0; i < 3000 && atomic_load(&num_run) < num; i++)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&num_run), num);
}

static void what_finds_no_room_is_named(void **state)
{
    (void)state;
    struct numbered jobs[QUEUE + 2];
    struct lb_job *left = NULL;
    lb_status status = lb_workers_submit_all(workers, chain(jobs, QUEUE + 2, alone), &left);
    assert_int_equal(lb_status_code(status), LB_BUSY);
    assert_ptr_equal(left, &jobs[QUEUE].job);
    assert_ptr_equal(left->next, &jobs[QUEUE + 1].job);
    let_go(QUEUE);
    assert_int_equal(atomic_load(&first_run), 1);
}

static void those_of_one_kind_are_taken_along(void **state)
{
    (void)state;
    struct numbered jobs[QUEUE], other = {{alone, NULL}, 9};
    struct lb_job *left = NULL;
    assert_true(lb_workers_submit_all(workers, chain(jobs, QUEUE - 1, together), &left) == LB_OK);
    assert_null(left);
    assert_true(lb_workers_submit(workers, &other.job) == LB_OK);
    let_go(QUEUE);
    assert_int_equal(atomic_load(&num_along), 2);
}

static void another_kind_between_them_ends_it(void **state)
{
    (void)state;
    struct numbered jobs[2], between = {{alone, NULL}, 9}, last = {{together, NULL}, 3};
    struct lb_job *left = NULL;
    assert_true(lb_workers_submit_all(workers, chain(jobs, 1, together), &left) == LB_OK);
    assert_true(lb_workers_submit(workers, &between.job) == LB_OK);
    assert_true(lb_workers_submit(workers, &last.job) == LB_OK);
    let_go(3);
    assert_int_equal(atomic_load(&num_along), 0);
}

static void what_is_given_back_goes_first_and_is_lost_never(void **state)
{
    (void)state;
    struct numbered jobs[3] = {{{gives_back, NULL}, 9}, {{alone, NULL}, 1}, {{alone, NULL}, 2}};
    struct numbered last = {{together, NULL}, 3};
    struct lb_workers_load load;
    for (size_t i = 0; i < 3; i++)
        assert_true(lb_workers_submit(workers, &jobs[i].job) == LB_OK);
    assert_true(lb_workers_submit(workers, &last.job) == LB_OK);
    let_go(3);
    assert_int_equal(atomic_load(&first_run), 1);
    lb_workers_load(workers, &load);
    assert_int_equal(load.num_queued, 0);
}

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_finds_no_room_is_named),
        CASE(those_of_one_kind_are_taken_along),
        CASE(another_kind_between_them_ends_it),
        CASE(what_is_given_back_goes_first_and_is_lost_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
