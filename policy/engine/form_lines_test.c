#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

/* The published form of social assistance at each of its lines: a cent below, at it, a cent above.
 * The numbers are worked out by hand from the texts: 1,450 yuan a head and month, half as much
 * again, 24 months of it as savings, half of the income, 85,415 yuan a head and year. */

#define FORM "policy/forms/social-assistance.yaml"
#define RULES "policy/rules/beijing-reference.yaml"
#define MAX_FACTS 64
#define MAX_MEMBERS 3
#define STANDARD INT64_C(5220000) /* of three, a year, in cents */
#define EDGE INT64_C(7830000)
#define LESS INT64_C(1740000)     /* one standard a year */

struct test {
    struct lb_rules *rules;
    struct lb_form_compiled *form;
    struct lb_fact facts[MAX_MEMBERS][MAX_FACTS];
    struct lb_form_member members[MAX_MEMBERS];
    size_t num_members;
    struct lb_arena *arena;
    struct lb_form_judgement judgement;
};

static void set(struct test *test, size_t member, const char *name, struct lb_fact fact)
{
    size_t index = lb_form_fact_index(lb_form_of(test->form), name);
    assert_true(index < MAX_FACTS);
    test->facts[member][index] = fact;
}

/* Somebody of whom nothing speaks for or against a class. */
static void add_member(struct test *test, const char *role)
{
    static const char *const held[] = {"alive", "name_same", "adult", "local", "household_same"};
    const struct lb_form *form = lb_form_of(test->form);
    size_t member = test->num_members++;
    assert_true(member < MAX_MEMBERS && form->num_facts <= MAX_FACTS);
    for (size_t i = 0; i < form->num_facts; i++)
        test->facts[member][i] = form->facts[i].kind == LB_FACT_TRUTH ? lb_form_fixture_truth(false)
                                                                      : lb_form_fixture_number(0);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        set(test, member, held[i], lb_form_fixture_truth(true));
    test->members[member] = (struct lb_form_member){.role = lb_form_role_index(form, role),
                                                    .facts = test->facts[member]};
}

static int set_up(void **state)
{
    static struct test test;
    struct lb_diag diag = {{0}};
    memset(&test, 0, sizeof(test));
    if (lb_rules_load(RULES, &diag, &test.rules) != LB_OK ||
        lb_form_load(FORM, test.rules, &diag, &test.form) != LB_OK)
        fail_msg("%s", diag.text);
    add_member(&test, "applicant");
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

static void expect(struct test *test, int64_t income, const char *class_id)
{
    const struct lb_fact total = lb_form_fixture_number(income);
    lb_arena_free(test->arena);
    test->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_null(lb_form_judge(test->form, test->members, test->num_members, &total, test->arena,
                              &test->judgement));
    assert_string_equal(test->judgement.class_id, class_id);
}

static void the_standard_and_half_as_much_again(void **state)
{
    struct test *test = *state;
    add_member(test, "member");
    add_member(test, "member");
    expect(test, STANDARD - 1, "DIBAO");
    expect(test, STANDARD, "EDGE");
    expect(test, STANDARD + 1, "EDGE");
    expect(test, EDGE - 1, "EDGE");
    expect(test, EDGE, "NONE");
    expect(test, EDGE + 1, "NONE");
}

/* One member severely disabled, or seriously ill: a standard less is counted, and between the lines
 * that member alone is supported. Two of them count once. */
static void one_member_alone_between_the_lines(void **state)
{
    struct test *test = *state;
    static const char *const heavy[] = {"severe", "major_disease"};
    add_member(test, "member");
    add_member(test, "member");
    for (size_t i = 0; i < 2; i++) {
        set(test, i + 1, heavy[i], lb_form_fixture_truth(true));
        expect(test, STANDARD + LESS - 1, "DIBAO");
        expect(test, STANDARD + LESS, "SINGLE");
        expect(test, EDGE + LESS - 1, "SINGLE");
        expect(test, EDGE + LESS, "NONE");
    }
}

/* A lone parent: the same, once, also beside an illness; without one nobody alone is supported. */
static void the_higher_of_two_deductions(void **state)
{
    struct test *test = *state;
    add_member(test, "child");
    set(test, 1, "adult", lb_form_fixture_unknown());
    expect(test, 2 * LESS + LESS - 1, "DIBAO");
    expect(test, 2 * LESS + LESS, "EDGE");
    expect(test, 3 * LESS + LESS - 1, "EDGE");
    expect(test, 3 * LESS + LESS, "NONE");
    set(test, 1, "severe", lb_form_fixture_truth(true));
    expect(test, 2 * LESS + LESS - 1, "DIBAO");
    expect(test, 2 * LESS + LESS, "SINGLE");
    expect(test, 3 * LESS + LESS, "NONE");
}

/* Divided once and last: a missing cent is a yuan a month, and 12 yuan a year are no more. */
static void the_gap_is_rounded_up_once(void **state)
{
    struct test *test = *state;
    static const int64_t gaps[][2] = {{1, 100}, {1199, 100}, {1200, 100}, {1201, 200},
                                      {2400, 200}, {2401, 300}};
    add_member(test, "member");
    add_member(test, "member");
    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
        expect(test, STANDARD - gaps[i][0], "DIBAO");
        assert_int_equal(test->judgement.amounts[0].value, gaps[i][1]);
    }
}

static void unavoidable_spending(void **state)
{
    struct test *test = *state;
    const int64_t local = INT64_C(8541500) * 3, income = INT64_C(8000000);
    add_member(test, "member");
    add_member(test, "member");
    set(test, 2, "own_medical12", lb_form_fixture_number(income / 2));
    expect(test, income, "NONE");
    set(test, 1, "fees12", lb_form_fixture_number(1));
    expect(test, income, "RIGID");
    set(test, 1, "fees12", lb_form_fixture_number(local));
    expect(test, local - 1, "RIGID");
    expect(test, local, "NONE");
}

static void property_at_its_limits(void **state)
{
    struct test *test = *state;
    const int64_t savings = INT64_C(145000) * 24 * 3;
    add_member(test, "member");
    add_member(test, "member");
    set(test, 1, "deposits", lb_form_fixture_number(savings));
    expect(test, 0, "DIBAO");
    set(test, 2, "deposits", lb_form_fixture_number(1));
    expect(test, 0, "NONE");
    set(test, 2, "deposits", lb_form_fixture_number(0));
    set(test, 0, "homes", lb_form_fixture_number(1));
    expect(test, 0, "DIBAO");
    set(test, 1, "homes", lb_form_fixture_number(1));
    expect(test, 0, "NONE");
    set(test, 0, "small_home", lb_form_fixture_truth(true));
    expect(test, 0, "DIBAO");
    set(test, 0, "vehicles", lb_form_fixture_number(1));
    expect(test, 0, "NONE");
}

/* Alone, old and without means; with a job, or with somebody obliged to support, not by itself. */
static void extreme_hardship(void **state)
{
    struct test *test = *state;
    set(test, 0, "elder", lb_form_fixture_truth(true));
    expect(test, LESS - 1, "TEKUN");
    expect(test, LESS, "EDGE");
    set(test, 0, "obligors", lb_form_fixture_number(1));
    expect(test, LESS - 1, "MANUAL");
    set(test, 0, "in_work", lb_form_fixture_truth(true));
    expect(test, LESS - 1, "DIBAO");
}

#define AT_THE_LINES(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_THE_LINES(the_standard_and_half_as_much_again),
        AT_THE_LINES(one_member_alone_between_the_lines),
        AT_THE_LINES(the_higher_of_two_deductions),
        AT_THE_LINES(the_gap_is_rounded_up_once),
        AT_THE_LINES(unavoidable_spending),
        AT_THE_LINES(property_at_its_limits),
        AT_THE_LINES(extreme_hardship),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
