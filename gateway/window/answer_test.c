#include <string.h>

#include "gateway/window/fixture.h"

/* What a department itself gets wrong in an answer that is well recorded. */

/* Recorded as it is, but sealed under a key that is not this request's. */
static void answer_of_another_request(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].seal_other = true;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "unavailable");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "SEAL_BROKEN");
    assert_int_equal(got.result->receipts_failed, 0);
    fx->adapters[FX_TAX].seal_other = false;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

static void drop_fact(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->n_facts--;
}

static void double_fact(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[1] = answer->facts[0];
}

static void extra_fact(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    Lianban__V1__Fact *extra = lb_arena_alloc(arena, sizeof(*extra));
    *extra = *answer->facts[0];
    extra->field = (char *)(uintptr_t) "address";
    answer->facts[answer->n_facts++] = extra;
}

static void other_field(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[0]->field = (char *)(uintptr_t) "bonus";
}

static void other_argument(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    answer->facts[0]->args = lb_arena_array(arena, 1, sizeof(char *));
    answer->facts[0]->args[0] = (char *)(uintptr_t) "24";
}

static void other_kind(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[0]->kind = LIANBAN__V1__FACT__KIND__TRUTH;
}

static void no_state(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[0]->state = LIANBAN__V1__FACT__STATE__STATE_UNSPECIFIED;
}

static void bad_date(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[0]->as_of = (char *)(uintptr_t) "2027-1-14 and more";
}

static void (*const mistakes[])(Lianban__V1__SealedAnswer *, struct lb_arena *) = {
    drop_fact, double_fact, extra_fact, other_field, other_argument, other_kind, no_state, bad_date,
};

static void broken_answers(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        fx->adapters[FX_TAX].change = mistakes[i];
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx_run(fx, case_id, &got);
        fx_assert_refused(&got, "answer");
        assert_ok(lb_window_close_case(fx->window, case_id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answer_of_another_request, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(broken_answers, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
