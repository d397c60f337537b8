#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"
#include "policy/engine/form_reach.h"

/* What a form's rules can come to: the published forms, and small ones with a mistake in them. */

#define RULES "policy/rules/beijing-reference.yaml"

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")

struct test {
    struct lb_rules *rules;
    struct lb_form_compiled *form;
    struct lb_arena *arena;
};

static int set_up(void **state)
{
    static struct test test;
    test = (struct test){.arena = lb_arena_new(LB_FILE_ARENA_BYTES)};
    *state = &test;
    return 0;
}

static void drop(struct test *test)
{
    lb_form_free(test->form);
    lb_rules_free(test->rules);
    test->form = NULL;
    test->rules = NULL;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    drop(test);
    lb_arena_free(test->arena);
    return 0;
}

static const char *class_of(const struct lb_form *form, size_t index)
{
    return index < form->num_classes ? form->classes[index].id : form->otherwise.id;
}

/* Each class has a household that gets it; the engine says so once more. */
static void every_class_has_an_example(struct test *test)
{
    const struct lb_form *form = lb_form_of(test->form);
    for (size_t i = 0; i <= form->num_classes; i++) {
        struct lb_form_example example;
        struct lb_form_judgement judgement;
        enum lb_form_reach reach = LB_REACH_UNDECIDED;
        lb_arena_reset(test->arena);
        assert_ok(lb_form_reach_class(test->form, i, test->arena, &reach, &example));
        if (reach != LB_REACH_YES)
            fail_msg("%s %s: %d", form->id, class_of(form, i), (int)reach);
        assert_ok(lb_form_judge(test->form, example.members, example.num_members, example.totals,
                                test->arena, &judgement));
        assert_string_equal(judgement.class_id, class_of(form, i));
    }
    for (size_t i = 0; i < form->num_conditions; i++) {
        enum lb_form_reach reach = LB_REACH_UNDECIDED;
        bool always = true;
        assert_ok(lb_form_reach_condition(test->form, i, test->arena, &reach));
        assert_ok(lb_form_always_holds(test->form, i, &always));
        if (reach != LB_REACH_YES || always)
            fail_msg("%s %s: %d", form->id, form->conditions[i].name, (int)reach);
    }
}

/* All published forms are checked in tests/e2e/test_views.py. */
static void published_forms_are_reached(void **state)
{
    static const char *const names[] = {"bereavement", "education-aid", "newborn",
                                        "social-assistance"};
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lb_diag diag = {{0}};
        char path[128];
        (void)snprintf(path, sizeof(path), "policy/forms/%s.yaml", names[i]);
        if (lb_rules_load(RULES, &diag, &test->rules) != LB_OK ||
            lb_form_load(path, test->rules, &diag, &test->form) != LB_OK)
            fail_msg("%s", diag.text);
        every_class_has_an_example(test);
        drop(test);
    }
}

/* Loads the fixture with one text replaced. */
static void change(struct test *test, const char *old, const char *with)
{
    char *text = lb_form_fixture_replace(test->arena, lb_form_fixture_text(), old, with);
    drop(test);
    test->rules = lb_form_fixture_rules("");
    test->form = lb_form_fixture_load(text, test->rules);
}

static enum lb_form_reach class_reach(struct test *test, const char *id)
{
    struct lb_form_example example;
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    size_t index = lb_form_class_index(lb_form_of(test->form), id);
    assert_true(index != SIZE_MAX);
    assert_ok(lb_form_reach_class(test->form, index, test->arena, &reach, &example));
    return reach;
}

static size_t condition_index(const struct lb_form *form, const char *name)
{
    size_t i = 0;
    while (strcmp(form->conditions[i].name, name) != 0)
        i++;
    return i;
}

static enum lb_form_reach condition_reach(struct test *test, const char *name)
{
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    size_t index = condition_index(lb_form_of(test->form), name);
    assert_ok(lb_form_reach_condition(test->form, index, test->arena, &reach));
    return reach;
}

static void the_fixture_is_reached(void **state)
{
    struct test *test = *state;
    change(test, "version: 3", "version: 4");
    every_class_has_an_example(test);
}

#define FULL "when: identified AND poor AND plain AND hard\n"
#define PART "when: identified AND poor AND plain AND local\n"

static void earlier_classes_may_take_all(void **state)
{
    struct test *test = *state;
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    change(test, PART, "when: identified AND poor AND plain AND hard AND local\n");
    assert_int_equal(class_reach(test, "PART"), LB_REACH_NEVER);
    assert_int_equal(class_reach(test, "FULL"), LB_REACH_YES);
    assert_int_equal(class_reach(test, "NONE"), LB_REACH_YES);
    assert_ok(lb_form_reach_after(test->form, 1, 0, test->arena, &reach));
    assert_int_equal(reach, LB_REACH_YES);
    change(test, PART,
           "when: NOT (identified AND poor AND plain AND hard) AND (local OR NOT local)\n");
    assert_int_equal(class_reach(test, "PART"), LB_REACH_YES);
    assert_int_equal(class_reach(test, "NONE"), LB_REACH_NEVER);
}

static void contradictions_are_never(void **state)
{
    struct test *test = *state;
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    change(test, FULL, "when: identified AND poor AND plain AND hard AND NOT identified\n");
    assert_int_equal(class_reach(test, "FULL"), LB_REACH_NEVER);
    assert_ok(lb_form_reach_after(test->form, 0, 0, test->arena, &reach));
    assert_int_equal(reach, LB_REACH_NEVER);
    static const char *const tests[] = {
        "income < std_line * 12 * n AND income > std_line * 24 * n",
        "income < 5 AND income >= 5",
        "n > 7",
        "income + n < income AND income BETWEEN 0 AND 1000000",
        "UNKNOWN",
        "num_firms > 2 * n",
        "income = 7 AND income * 2 = 15",
    };
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        change(test, "income < std_line * 12 * n", tests[i]);
        bool undecided = i == 5; /* each person has two firms at most, all of them `2 * n` */
        enum lb_form_reach got = condition_reach(test, "poor");
        if (got != LB_REACH_NEVER && !undecided)
            fail_msg("%s: %d", tests[i], (int)got);
        assert_int_not_equal(got, LB_REACH_YES);
        if (i == 2)
            assert_int_equal(class_reach(test, "PART"), LB_REACH_NEVER);
    }
}

/* A contradiction about one person's facts, wherever the fold puts it. */
static void persons_may_contradict_themselves(void **state)
{
    struct test *test = *state;
    change(test, "each: severe, fold: any", "each: severe AND NOT severe, fold: any");
    assert_int_equal(condition_reach(test, "hard"), LB_REACH_YES);
    change(test, "any_severe OR num_severe >= 2", "any_severe AND num_severe > 7");
    assert_int_equal(condition_reach(test, "hard"), LB_REACH_NEVER);
    change(test, "each: wage12 * 2 > income AND wage12 > std_line, fold: any",
           "each: wage12 > std_line AND wage12 < std_line OR NOT (severe OR NOT severe), "
           "fold: any");
    assert_int_equal(condition_reach(test, "plain"), LB_REACH_YES);
    change(test, "num_firms = 0 AND NOT earner", "num_firms = 0 AND NOT earner AND earner");
    assert_int_equal(condition_reach(test, "plain"), LB_REACH_NEVER);
    change(test, "home = '110101'", "home = '110101' AND home = '110102'");
    assert_int_equal(condition_reach(test, "local"), LB_REACH_NEVER);
    change(test, "home = '110101'", "home = '110101' OR home IN ('110102', '1')");
    assert_int_equal(condition_reach(test, "local"), LB_REACH_YES);
}

/* What asks whether all is known is no constant; what holds with nothing known is. */
static void only_constants_always_hold(void **state)
{
    static const struct {
        const char *test;
        bool always;
    } cases[] = {
        {"income < std_line * 12 * n", false}, {"income >= 0 OR income < 0", false},
        {"n >= 1 OR income < 0", true},        {"n <= 4 AND income = income", false},
        {"n <= 7 OR income = 1", true},        {"n <= 6 OR income = 1", false},
        {"std_line = 1000 OR income = 1", true}, {"income * 0 = 0", false},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool always = !cases[i].always;
        change(test, "income < std_line * 12 * n", cases[i].test);
        assert_ok(lb_form_always_holds(test->form, 1, &always));
        if (always != cases[i].always)
            fail_msg("%s", cases[i].test);
    }
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(published_forms_are_reached),
        TEST(the_fixture_is_reached),
        TEST(earlier_classes_may_take_all),
        TEST(contradictions_are_never),
        TEST(persons_may_contradict_themselves),
        TEST(only_constants_always_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
