#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/exchange/breaker.h"

static const uint64_t one = 11, two = 22, three = 33;

struct run {
    struct lb_breaker breaker;
    int64_t now;
};

static bool asks(struct run *run, uint64_t asker, bool *out_probe)
{
    return lb_breaker_asks(&run->breaker, asker, run->now, out_probe);
}

static bool goes(struct run *run, uint64_t asker)
{
    bool probe;
    return asks(run, asker, &probe);
}

static void lose(struct run *run, uint64_t asker, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        lb_breaker_bad(&run->breaker, asker, run->now, false);
        run->now += LB_BREAKER_APART_MS;
    }
}

static void failures_in_a_row_open_it(void **state)
{
    struct run run = {.now = 1000};
    (void)state;
    lose(&run, one, LB_BREAKER_FAILURES - 1);
    assert_int_equal(run.breaker.state, LB_BREAKER_CLOSED);
    lb_breaker_good(&run.breaker); /* whoever got it */
    lose(&run, one, LB_BREAKER_FAILURES - 1);
    assert_int_equal(run.breaker.state, LB_BREAKER_CLOSED);
    lose(&run, one, 1);
    assert_int_equal(run.breaker.state, LB_BREAKER_OPEN);
    assert_false(goes(&run, one));
}

/* A hundred reads lost with one connection are one failure. */
static void what_fails_together_counts_once(void **state)
{
    struct run run = {.now = 1000};
    (void)state;
    for (int i = 0; i < 100; i++)
        lb_breaker_bad(&run.breaker, one, run.now, false);
    assert_int_equal(run.breaker.state, LB_BREAKER_CLOSED);
}

/* The attack: one organization asks what can't be answered in time, for as long as it likes. */
static void one_organization_cuts_off_nobody_else(void **state)
{
    struct run run = {.now = 1000};
    bool probe;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        if (asks(&run, one, &probe))
            lb_breaker_bad(&run.breaker, one, run.now, probe);
        run.now += LB_BREAKER_APART_MS;
        for (int many = 0; many < 10; many++) { /* as many at a time as the other likes */
            assert_true(asks(&run, two, &probe));
            assert_false(probe);
        }
        assert_false(run.breaker.for_all);
    }
    lb_breaker_good(&run.breaker);
    assert_int_equal(run.breaker.state, LB_BREAKER_CLOSED);
}

static void two_organizations_open_it_for_all(void **state)
{
    struct run run = {.now = 1000};
    (void)state;
    lose(&run, one, LB_BREAKER_FAILURES);
    assert_true(goes(&run, three));
    lose(&run, two, LB_BREAKER_FAILURES);
    assert_true(run.breaker.for_all);
    assert_false(goes(&run, three));
}

/* Those who had it cut off for all have to fail again, both of them, before that is so again. */
static void a_failed_probe_opens_it_for_its_asker(void **state)
{
    struct run run = {.now = 1000};
    bool probe;
    (void)state;
    lose(&run, one, LB_BREAKER_FAILURES);
    lose(&run, two, LB_BREAKER_FAILURES);
    run.now += LB_BREAKER_LAST_MS;
    assert_true(asks(&run, one, &probe));
    assert_true(probe);
    assert_int_equal(run.breaker.state, LB_BREAKER_HALF_OPEN);
    for (unsigned i = 1; i < LB_BREAKER_PROBES_EACH; i++)
        assert_true(goes(&run, one));
    assert_false(goes(&run, one)); /* so many of one, and there is room for others */
    assert_true(goes(&run, two));
    lb_breaker_bad(&run.breaker, one, run.now, true);
    assert_int_equal(run.breaker.state, LB_BREAKER_OPEN);
    assert_false(goes(&run, one));
    assert_true(goes(&run, two));
    lose(&run, two, 1);
    assert_false(goes(&run, three));
    assert_true(run.breaker.pause_ms > LB_BREAKER_FIRST_MS);
}

static void probes_are_few_and_one_good_answer_closes_it(void **state)
{
    struct run run = {.now = 1000};
    bool probe;
    unsigned went = 0;
    (void)state;
    lose(&run, one, LB_BREAKER_FAILURES);
    lose(&run, two, LB_BREAKER_FAILURES);
    run.now += LB_BREAKER_LAST_MS;
    for (uint64_t asker = 100; asker < 120; asker++) {
        for (int i = 0; i < 4; i++)
            went += asks(&run, asker, &probe);
    }
    assert_int_equal(went, LB_BREAKER_PROBES);
    assert_false(asks(&run, 101, &probe));
    lb_breaker_neither(&run.breaker, 100, true); /* says nothing: another may try */
    assert_true(asks(&run, 101, &probe));
    lb_breaker_good(&run.breaker);
    assert_int_equal(run.breaker.state, LB_BREAKER_CLOSED);
    assert_true(asks(&run, one, &probe));
    assert_false(probe);
}

static void pauses_grow_to_a_bound_and_a_new_link_ends_one(void **state)
{
    struct run run = {.now = 1000};
    bool probe;
    (void)state;
    lose(&run, one, LB_BREAKER_FAILURES);
    assert_int_equal(run.breaker.pause_ms, LB_BREAKER_FIRST_MS);
    for (int i = 0; i < 10; i++) {
        run.now += LB_BREAKER_LAST_MS;
        assert_true(asks(&run, one, &probe));
        lb_breaker_bad(&run.breaker, one, run.now, probe);
    }
    assert_int_equal(run.breaker.pause_ms, LB_BREAKER_LAST_MS);
    assert_false(goes(&run, one));
    lb_breaker_retry(&run.breaker, run.now);
    assert_true(goes(&run, one));
}

/* More organizations than are remembered: what is forgotten passes, and nothing is overrun. */
static void it_remembers_so_many(void **state)
{
    struct run run = {.now = 1000};
    (void)state;
    for (uint64_t asker = 1; asker < 1000; asker++)
        lose(&run, asker, 1);
    assert_int_equal(run.breaker.state, LB_BREAKER_CLOSED);
    assert_true(goes(&run, 5000));
    assert_true(lb_breaker_asker("tax") != lb_breaker_asker("housing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_in_a_row_open_it),
        cmocka_unit_test(what_fails_together_counts_once),
        cmocka_unit_test(one_organization_cuts_off_nobody_else),
        cmocka_unit_test(two_organizations_open_it_for_all),
        cmocka_unit_test(a_failed_probe_opens_it_for_its_asker),
        cmocka_unit_test(probes_are_few_and_one_good_answer_closes_it),
        cmocka_unit_test(pauses_grow_to_a_bound_and_a_new_link_ends_one),
        cmocka_unit_test(it_remembers_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
