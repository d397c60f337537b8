#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

/* The published form of retirement against the table of the decision of 2024-09-13: each row walked
 * month by month, where the form has a formula. */

#define FORM "policy/forms/retirement.yaml"
#define RULES "policy/rules/beijing-reference.yaml"
#define MONTH(year, month) ((year) * 12 + (month) - 1)
#define MAX_FACTS 32

enum kind { MAN, MANAGER, WORKER };

struct test {
    struct lb_rules *rules;
    struct lb_form_compiled *form;
    struct lb_fact facts[MAX_FACTS];
    struct lb_arena *arena;
    struct lb_form_judgement judgement;
};

static void set(struct test *test, const char *name, struct lb_fact fact)
{
    size_t index = lb_form_fact_index(lb_form_of(test->form), name);
    assert_true(index < MAX_FACTS);
    test->facts[index] = fact;
}

static int set_up(void **state)
{
    static struct test test;
    struct lb_diag diag = {{0}};
    memset(&test, 0, sizeof(test));
    if (lb_rules_load(RULES, &diag, &test.rules) != LB_OK ||
        lb_form_load(FORM, test.rules, &diag, &test.form) != LB_OK)
        fail_msg("%s", diag.text);
    for (size_t i = 0; i < MAX_FACTS; i++)
        test.facts[i] = lb_form_fixture_unknown();
    set(&test, "alive", lb_form_fixture_truth(true));
    set(&test, "name_same", lb_form_fixture_truth(true));
    set(&test, "insured_here", lb_form_fixture_truth(true));
    set(&test, "drawing", lb_form_fixture_truth(false));
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_arena_free(test->arena);
    lb_form_free(test->form);
    lb_rules_free(test->rules);
    return 0;
}

static const char *judge(struct test *test, enum kind kind, int64_t born, int64_t now, int64_t paid)
{
    const struct lb_form_member member = {.role = 0, .facts = test->facts};
    set(test, "female", lb_form_fixture_truth(kind != MAN));
    set(test, "manager", kind == MAN ? lb_form_fixture_unknown()
                                     : lb_form_fixture_truth(kind == MANAGER));
    set(test, "birth_month", lb_form_fixture_number(born));
    set(test, "age_months", lb_form_fixture_number(now - born));
    set(test, "paid_months", lb_form_fixture_number(paid));
    lb_arena_free(test->arena);
    test->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_null(lb_form_judge(test->form, &member, 1, NULL, test->arena, &test->judgement));
    return test->judgement.class_id;
}

static int64_t amount(const struct test *test, const char *name)
{
    const struct lb_form *form = lb_form_of(test->form);
    for (size_t i = 0; i < form->num_amounts; i++)
        if (strcmp(form->amounts[i].name, name) == 0 && test->judgement.amounts[i].told)
            return test->judgement.amounts[i].value;
    fail_msg("%s is not told", name);
    return 0;
}

static int64_t old_age(enum kind kind)
{
    return kind == MAN ? 720 : kind == MANAGER ? 660 : 600;
}

/* Walks from January 2025 on: a wave begins each fourth, for workers each second month. */
static int64_t walked(enum kind kind, int64_t born)
{
    int64_t old = born + old_age(kind), delay = 0;
    int64_t step = kind == WORKER ? 2 : 4, cap = kind == WORKER ? 60 : 36;
    for (int64_t wave = MONTH(2025, 1); wave <= old && delay < cap; wave += step)
        delay++;
    return old + delay;
}

static int64_t least_paid(int64_t month)
{
    int64_t years = 15 * 2, year = month / 12;
    for (int64_t y = 2030; y <= 2039; y++)
        years += y <= year ? 1 : 0;
    return years * 6;
}

static void rows_of_the_official_table(void **state)
{
    static const struct {
        enum kind kind;
        int64_t born, retires;
    } rows[] = {
        {MAN, MONTH(1964, 12), MONTH(2024, 12)},     {MAN, MONTH(1965, 1), MONTH(2025, 2)},
        {MAN, MONTH(1965, 4), MONTH(2025, 5)},       {MAN, MONTH(1965, 5), MONTH(2025, 7)},
        {MAN, MONTH(1966, 9), MONTH(2027, 3)},       {MAN, MONTH(1976, 8), MONTH(2039, 7)},
        {MAN, MONTH(1976, 9), MONTH(2039, 9)},       {MAN, MONTH(1990, 9), MONTH(2053, 9)},
        {MANAGER, MONTH(1970, 1), MONTH(2025, 2)},   {MANAGER, MONTH(1981, 9), MONTH(2039, 9)},
        {WORKER, MONTH(1974, 12), MONTH(2024, 12)},  {WORKER, MONTH(1975, 1), MONTH(2025, 2)},
        {WORKER, MONTH(1975, 2), MONTH(2025, 3)},    {WORKER, MONTH(1975, 3), MONTH(2025, 5)},
        {WORKER, MONTH(1984, 11), MONTH(2039, 11)},  {WORKER, MONTH(1990, 1), MONTH(2045, 1)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(walked(rows[i].kind, rows[i].born), rows[i].retires);
        (void)judge(*state, rows[i].kind, rows[i].born, rows[i].retires, 240);
        assert_int_equal(amount(*state, "retirement_month"), rows[i].retires);
    }
}

/* Every month of birth, a month before and at each change. */
static void every_month_of_birth(void **state)
{
    for (enum kind kind = MAN; kind <= WORKER; kind++) {
        for (int64_t born = MONTH(1962, 1); born <= MONTH(1992, 12); born++) {
            int64_t month = walked(kind, born), old = born + old_age(kind);
            int64_t first = month - 36 > old ? month - 36 : old;
            int64_t least = least_paid(month);
            assert_string_equal(judge(*state, kind, born, month, least), "ELIGIBLE");
            assert_int_equal(amount(*state, "months_needed"), least);
            assert_string_equal(judge(*state, kind, born, month, least - 1), "SHORT");
            assert_int_equal(amount(*state, "months_short"), 1);
            assert_string_equal(judge(*state, kind, born, first - 1, 500), "NOT_YET");
            if (first == month)
                continue;
            assert_string_equal(judge(*state, kind, born, month - 1, 500), "EARLY");
            assert_string_equal(judge(*state, kind, born, first, least_paid(first)), "EARLY");
            assert_string_equal(judge(*state, kind, born, first, least_paid(first) - 1),
                                "NOT_YET");
        }
    }
}

static void what_is_not_known_is_left_to_a_person(void **state)
{
    static const char *const names[] = {"female", "birth_month", "age_months", "paid_months",
                                        "drawing", "insured_here", "alive", "name_same"};
    struct test *test = *state;
    const struct lb_form_member member = {.role = 0, .facts = test->facts};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_string_equal(judge(test, MAN, MONTH(1964, 1), MONTH(2026, 1), 300), "ELIGIBLE");
        size_t index = lb_form_fact_index(lb_form_of(test->form), names[i]);
        struct lb_fact kept = test->facts[index];
        test->facts[index] = lb_form_fixture_unknown();
        assert_null(
            lb_form_judge(test->form, &member, 1, NULL, test->arena, &test->judgement));
        assert_true(test->judgement.manual);
        test->facts[index] = kept;
    }
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_of_the_official_table),
        TEST(every_month_of_birth),
        TEST(what_is_not_known_is_left_to_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
