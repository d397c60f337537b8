#include <string.h>

#include "gateway/window/fixture.h"

/* A department that is asked late: when the others have answered and nothing is settled yet. */

static void asked_when_nothing_is_settled(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_true(fx->adapters[FX_TAX].num_asked > 0);
    assert_int_equal(got.result->facts_ok, got.result->facts_total);
    size_t asked = fx->adapters[FX_TAX].num_asked;
    fx_run(fx, case_id, &got);
    assert_int_equal(fx->adapters[FX_TAX].num_asked, asked); /* once is enough */
}

static void deny(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    for (size_t i = 0; i < answer->n_facts; i++)
        if (strcmp(answer->facts[i]->operator_, "EQ") == 0)
            answer->facts[i]->truth = false;
}

/* Nobody is who they say: no class but the last, whatever the tax office knows. */
static void not_asked_when_it_is_settled(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->adapters[FX_POLICE].change = deny;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "NONE");
    assert_int_equal(fx->adapters[FX_TAX].num_asked, 0);
    assert_int_equal(got.result->n_missing, 0); /* what is not needed is not missing */
    fx_restart(fx);
    assert_int_equal(fx_get(fx, case_id)->n_missing, 0);
}

/* Who is asked first is away: the others wait for it, and go on by themselves when it is back. */
static void not_asked_before_the_first_have_answered(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->adapters[FX_POLICE].down = true;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_int_equal(fx->adapters[FX_TAX].num_asked, 0);
    fx->adapters[FX_POLICE].down = false;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_true(fx->adapters[FX_TAX].num_asked > 0);
}

/* Late and away: a person decides, and the next collect asks it alone. */
static void late_and_away(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->adapters[FX_TAX].down = true;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_true(got.result->n_missing > 0);
    size_t asked = fx->adapters[FX_POLICE].num_asked;
    fx->adapters[FX_TAX].down = false;
    fx_restart(fx);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(fx->adapters[FX_POLICE].num_asked, asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_when_nothing_is_settled, fx_setup_late, fx_teardown),
        cmocka_unit_test_setup_teardown(not_asked_when_it_is_settled, fx_setup_late, fx_teardown),
        cmocka_unit_test_setup_teardown(not_asked_before_the_first_have_answered, fx_setup_late,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(late_and_away, fx_setup_late, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
