#include <stdatomic.h>
#include <time.h>

#include "gateway/evidence/helper.h"
#include "gateway/evidence/test_util.h"

#define ROUNDS 2000

struct work {
    atomic_int begun;
    atomic_int ended;
    bool slow;
};

static void run(void *ctx)
{
    struct work *work = ctx;
    const struct timespec pause = {.tv_nsec = 2000000};
    atomic_fetch_add(&work->begun, 1);
    if (work->slow)
        (void)nanosleep(&pause, NULL);
    atomic_fetch_add(&work->ended, 1);
}

/* Whenever it is settled, what was taken up has ended and what was not never begins. */
static void an_offer_is_done_or_taken_back(void **state)
{
    (void)state;
    struct lb_helper *helper = NULL;
    struct work work = {.slow = false};
    const struct timespec moment = {.tv_nsec = 20000};
    int done = 0;
    assert_ok(lb_helper_new(&helper));
    for (int i = 0; i < ROUNDS; i++) {
        lb_helper_offer(helper, run, &work);
        if (i % 3 == 0)
            (void)nanosleep(&moment, NULL);
        done += lb_helper_settle(helper);
        assert_int_equal(atomic_load(&work.begun), done);
        assert_int_equal(atomic_load(&work.ended), done);
    }
    assert_true(done > 0);
    lb_helper_free(helper);
}

static void settling_waits_for_what_has_begun(void **state)
{
    (void)state;
    struct lb_helper *helper = NULL;
    struct work work = {.slow = true};
    const struct timespec moment = {.tv_nsec = 100000};
    assert_ok(lb_helper_new(&helper));
    lb_helper_offer(helper, run, &work);
    while (atomic_load(&work.begun) == 0)
        (void)nanosleep(&moment, NULL);
    assert_true(lb_helper_settle(helper));
    assert_int_equal(atomic_load(&work.ended), 1);
    lb_helper_free(helper);
    lb_helper_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_done_or_taken_back),
        cmocka_unit_test(settling_waits_for_what_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
