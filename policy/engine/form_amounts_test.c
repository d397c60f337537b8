#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

/* Numbers told with a class. The allowance is what of a year's gap falls on a month, up to whole
 * yuan: multiplied out and divided once. */

enum { NAME, HOUSEHOLD, REGION, WAGE, FIRMS, SEVERE, NUM_FACTS };

#define AMOUNTS                                                                         \
    "amounts:\n"                                                                        \
    "  - amount: allowance\n"                                                           \
    "    value: ceil_div(std_line * 12 * n - income, 1200) * 100\n"                     \
    "    unit: cents\n"                                                                 \
    "    classes: [PART]\n"                                                             \
    "    text: {zh: 每月金额, en: Monthly allowance}\n"                                 \
    "  - amount: severe_members\n"                                                      \
    "    value: num_severe\n"                                                           \
    "    unit: count\n"                                                                 \
    "    classes: [PART, NONE]\n"                                                       \
    "    text: {zh: 重度残疾人数, en: Severely disabled members}\n"                      \
    "notice:\n"

struct test {
    struct lb_arena *arena;
    struct lb_rules *rules;
    struct lb_form_compiled *form;
    struct lb_fact facts[NUM_FACTS];
    struct lb_form_judgement judgement;
};

static char *text_with(struct test *test, const char *old, const char *with)
{
    char *text = lb_form_fixture_replace(test->arena, lb_form_fixture_text(), "notice:\n", AMOUNTS);
    return lb_form_fixture_replace(test->arena, text, old, with);
}

static int set_up(void **state)
{
    static struct test test;
    test.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    test.rules = lb_form_fixture_rules("");
    test.form = lb_form_fixture_load(text_with(&test, "unit: count", "unit: count"), test.rules);
    test.facts[NAME] = lb_form_fixture_truth(true);
    test.facts[HOUSEHOLD] = lb_form_fixture_truth(true);
    test.facts[REGION] = lb_form_fixture_words("110101");
    test.facts[WAGE] = lb_form_fixture_number(0);
    test.facts[FIRMS] = lb_form_fixture_number(0);
    test.facts[SEVERE] = lb_form_fixture_truth(false);
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_form_free(test->form);
    lb_rules_free(test->rules);
    lb_arena_free(test->arena);
    return 0;
}

static const struct lb_form_sum *judge(struct test *test, const char *expected_class)
{
    const struct lb_form_member member = {.role = 0, .facts = test->facts};
    assert_null(lb_form_judge(test->form, &member, 1, NULL, test->arena, &test->judgement));
    assert_string_equal(test->judgement.class_id, expected_class);
    return test->judgement.amounts;
}

/* The least whole yuan that fill the gap over a year, never one too much. */
static void a_gap_is_filled_and_not_overfilled(void **state)
{
    struct test *test = *state;
    int64_t line = lb_rules_threshold(test->rules, "std.line")->value * 12;
    for (int64_t income = 0; income <= 1000; income += 7) {
        test->facts[WAGE] = lb_form_fixture_number(income);
        const struct lb_form_sum *sums = judge(test, "PART");
        assert_true(sums[0].told);
        assert_int_equal(sums[0].value % 100, 0);
        assert_true(sums[0].value * 12 >= line - income);
        assert_true((sums[0].value - 100) * 12 < line - income);
    }
}

static void an_amount_is_told_with_its_classes_alone(void **state)
{
    struct test *test = *state;
    const struct lb_form_sum *sums = judge(test, "PART");
    assert_true(sums[0].told && sums[1].told);
    test->facts[WAGE] = lb_form_fixture_number(1000000);
    sums = judge(test, "NONE");
    assert_true(!sums[0].told && sums[1].told);
    test->facts[WAGE] = lb_form_fixture_number(0);
    test->facts[SEVERE] = lb_form_fixture_truth(true);
    sums = judge(test, "FULL");
    assert_true(!sums[0].told && !sums[1].told);
}

static void nothing_is_told_where_a_person_decides(void **state)
{
    struct test *test = *state;
    test->facts[WAGE] = lb_form_fixture_unknown();
    const struct lb_form_sum *sums = judge(test, "MANUAL");
    assert_true(!sums[0].told && !sums[1].told);
    assert_int_equal(sums[0].value, 0);
}

/* The class is certain (a name that differs), the amount is not. */
static void an_unknown_amount_is_no_zero(void **state)
{
    struct test *test = *state;
    test->facts[NAME] = lb_form_fixture_truth(false);
    test->facts[SEVERE] = lb_form_fixture_unknown();
    const struct lb_form_sum *sums = judge(test, "NONE");
    assert_false(sums[1].told);
}

static void what_is_wrong_is_refused(void **state)
{
    static const char *const changes[][3] = {
        {"unit: count", "unit: yuan", "no unit"},
        {"classes: [PART]", "classes: [OTHER]", "no class"},
        {"classes: [PART]", "classes: [PART, PART]", "twice"},
        {"classes: [PART]", "classes: []", ""},
        {"value: num_severe", "value: any_severe", "a number"},
        {"value: num_severe", "value: severe", "unknown name"},
        {"value: num_severe", "value: num_severe / 2", ""},
        {"amount: severe_members", "amount: allowance", "stands for something else"},
        {"amount: severe_members", "amount: poor", "stands for something else"},
        {"unit: count", "unit: count\n    round: up", ""},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct lb_form_compiled *form = NULL;
        struct lb_diag diag = {{0}};
        const char *text = text_with(test, changes[i][0], changes[i][1]);
        lb_status status =
            lb_form_load_text(lb_span_str(text), "test.yaml", test->rules, &diag, &form);
        assert_int_equal(lb_status_code(status), LB_CONFIG_INVALID);
        assert_non_null(strstr(diag.text, changes[i][2]));
    }
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_gap_is_filled_and_not_overfilled),
        TEST(an_amount_is_told_with_its_classes_alone),
        TEST(nothing_is_told_where_a_person_decides),
        TEST(an_unknown_amount_is_no_zero),
        TEST(what_is_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
