#include <string.h>

#include "gateway/base/later.h"
#include "gateway/window/fixture.h"

/* A broker that has too much to do, and what the agent makes of it. */

static const char *agreed(struct fixture *fx)
{
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    return case_id;
}

static void assert_complete(const struct fx_collected *got)
{
    assert_ok(got->status);
    assert_string_equal(got->result->class_id, "FULL");
    assert_int_equal(got->result->facts_ok, got->result->facts_total);
}

static void whoever_is_told_to_come_again_does(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->hubs[0].full_for = 2;
    fx->hubs[0].later_ms = 100;
    fx_run(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(fx->hubs[0].num_asked, 3);
}

/* Nobody was asked: the window is told when to come again, and the case is as it was. */
static void one_that_is_full_for_long_changes_nothing(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = agreed(fx);
    fx->hubs[0].full_for = SIZE_MAX;
    fx->hubs[0].later_ms = 60000; /* longer than the agent is patient */
    fx_run(fx, case_id, &got);
    assert_code(got.status, LB_BUSY);
    assert_int_equal(lb_later_ms(got.status), 60000);
    assert_int_equal(got.num_facts, 0);
    assert_int_equal(fx->hubs[0].num_asked, 1);
    for (size_t i = 0; i < FX_DEPARTMENTS; i++)
        assert_int_equal(fx->adapters[i].num_asked, 0);
    fx->hubs[0].full_for = 0;
    fx_run(fx, case_id, &got);
    assert_complete(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whoever_is_told_to_come_again_does, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(one_that_is_full_for_long_changes_nothing, fx_setup,
                                        fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
