#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

/* People in a form who are not of the household, and what is asked of them on which basis. */

enum { NUM_FACTS = 6, WAGE = 3, POOR = 1, SECOND = 2 };

struct test {
    struct lb_arena *arena;
    struct lb_rules *rules;
};

static int set_up(void **state)
{
    static struct test test;
    test.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    test.rules = lb_form_fixture_rules("");
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_rules_free(test->rules);
    lb_arena_free(test->arena);
    return 0;
}

static struct lb_form_compiled *with_role(struct test *test, const char *flag)
{
    return lb_form_fixture_load(
        lb_form_fixture_replace(test->arena, lb_form_fixture_text(), "minor: true", flag),
        test->rules);
}

/* The applicant earns one and a half lines; whether that is little depends on who counts. */
static enum lb_truth is_poor(struct test *test, const char *flag)
{
    int64_t line = lb_rules_threshold(test->rules, "std.line")->value;
    struct lb_fact facts[2][NUM_FACTS];
    struct lb_form_member members[] = {{0, facts[0]}, {SECOND, facts[1]}};
    struct lb_form_judgement judgement;
    struct lb_form_compiled *form = with_role(test, flag);
    for (size_t i = 0; i < NUM_FACTS; i++)
        facts[0][i] = facts[1][i] = lb_form_fixture_unknown();
    facts[0][WAGE] = lb_form_fixture_number(line * 18);
    assert_null(lb_form_judge(form, members, 2, NULL, test->arena, &judgement));
    enum lb_truth poor = judgement.conditions[POOR];
    lb_form_free(form);
    return poor;
}

static void only_the_household_is_counted(void **state)
{
    assert_int_equal(is_poor(*state, "minor: true"), LB_TRUE);
    assert_int_equal(is_poor(*state, "outside: true"), LB_FALSE);
    assert_int_equal(is_poor(*state, "deceased: true"), LB_FALSE);
}

static void nobody_outside_is_covered_by_a_mandate(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *compiled = with_role(test, "outside: true");
    const struct lb_form *form = lb_form_of(compiled);
    size_t tax = lb_form_section_index(form, "tax");
    assert_int_equal(lb_form_basis(form, tax, 0), LB_BASIS_MANDATE);
    assert_int_equal(lb_form_basis(form, tax, SECOND), LB_BASIS_SEPARATE_CONSENT);
    assert_int_equal(lb_form_basis(form, 0, SECOND), LB_BASIS_SEPARATE_CONSENT);
    assert_true(form->roles[SECOND].outside);
    lb_form_free(compiled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_the_household_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_outside_is_covered_by_a_mandate, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
