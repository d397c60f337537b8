#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_check.h"
#include "policy/engine/form_fixture.h"

/* Each check with a form that fails it and one that passes. */

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")

#define HOUSEHOLD "household:\n  - {name: income"
#define MORE_FACT(more_)                                                                           \
    "  - fact: cars\n    department: tax\n    view: tax.income\n    field: cars\n"                \
    "    operator: COUNT(1)\n    roles: [applicant, member]\n    otherwise: 0\n    show: true\n"  \
    more_ "    label: {zh: 名下车辆, en: Cars held}\n" HOUSEHOLD
#define PARTS                                                                                      \
    "parts:\n  - part: aid\n    department: civil-affairs\n    title: {zh: 救助, en: Aid}\n"        \
    "    law: [SAL42]\n    classes: [FULL]\n    roles: [applicant]\n    days: 5\n"                 \
    "    escalate: {zh: 科, en: Desk}\n"
#define ASK(name_, zh_, en_, more_)                                                                \
    PARTS "asks:\n  - ask: " name_ "\n    text: {zh: " zh_ ", en: " en_ "}\n    law: [SAL42]\n"   \
          "    roles: [applicant]\n    parts: [aid]\n" more_ "notice:\n"
#define WAIVER "    waiver: {zh: 理由, en: for this reason}\n"

static const char VIEW[] =
    "view: tax.income\nversion: 1\ntitle: {zh: 工资薪金, en: Wages}\n"
    "query: SELECT month, cents, kind FROM wage WHERE id_no = :id_no\n"
    "rows: many\nmax_rows: 40\ntimeout_ms: 1000\nfields:\n"
    "  income:\n    column: cents\n    month: month\n    type: cents\n    class: G3\n    rules:\n"
    "      - {purpose: %s, operators: [\"%s\"], requesters: [office], bases: [%s],\n"
    "         issuers: [office], laws: [%s], min_level: 2}\n"
    "  bank-slip:\n    column: kind\n    type: code\n    class: G3\n";

struct test {
    struct lb_arena *arena;
    struct lb_rules *rules;
    struct lb_form_compiled *form;
    struct lb_form_registered registered;
    const struct lb_view *view;
    const struct lb_form_finding *findings;
    size_t num;
};

static int set_up(void **state)
{
    static struct test test;
    test = (struct test){.arena = lb_arena_new(LB_FILE_ARENA_BYTES),
                         .rules = lb_form_fixture_rules("")};
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

/* The fixture, but of the area only the applicant is asked, whose alone counts. */
static const char *sound(struct test *test)
{
    return lb_form_fixture_replace(
        test->arena, lb_form_fixture_text(),
        "    operator: ADDR_LEVEL(6)\n    roles: [applicant, member, child]\n",
        "    operator: ADDR_LEVEL(6)\n    roles: [applicant]\n    otherwise: unknown\n");
}

/* Checks that with one text replaced. */
static void check(struct test *test, const char *old, const char *with)
{
    lb_form_free(test->form);
    test->form = lb_form_fixture_load(
        lb_form_fixture_replace(test->arena, sound(test), old, with), test->rules);
    assert_ok(lb_form_check(test->form, test->rules, &test->registered, test->arena,
                            &test->findings, &test->num));
}

static void finds_nothing(struct test *test)
{
    if (test->num > 0)
        fail_msg("%s", test->findings[0].text);
}

/* The first finding, with its file and line. */
static void finds(struct test *test, enum lb_form_finding_kind kind, const char *words)
{
    assert_true(test->num > 0);
    if (strncmp(test->findings[0].text, "test.yaml:", 10) != 0 ||
        strstr(test->findings[0].text, words) == NULL)
        fail_msg("%s\nwithout %s", test->findings[0].text, words);
    assert_int_equal(test->findings[0].kind, kind);
}

static void what_nothing_needs_is_not_asked(void **state)
{
    struct test *test = *state;
    check(test, "version: 3", "version: 4");
    finds_nothing(test);
    check(test, HOUSEHOLD, MORE_FACT(""));
    finds(test, LB_FINDING_MISTAKE, "no rule, amount or part needs fact `cars` (tax.income.cars)");
    check(test, HOUSEHOLD, MORE_FACT(WAIVER));
    finds(test, LB_FINDING_WAIVED, "for this reason");
    assert_int_equal(test->num, 1);
    check(test, "    label: {zh: 名下企业", WAIVER "    label: {zh: 名下企业");
    finds(test, LB_FINDING_MISTAKE, "nothing to waive");
}

static void whose_answer_counts_nowhere_is_not_asked(void **state)
{
    struct test *test = *state;
    check(test, "    roles: [applicant]\n    otherwise: true\n",
          "    roles: [applicant, child]\n    otherwise: true\n");
    finds(test, LB_FINDING_MISTAKE, "(public-security.household.members) is asked of `child`");
    check(test, "same_household, fold: applicant", "same_household, fold: all");
    finds_nothing(test);
}

/* A part that hands a fact over needs it, of its own roles. */
static void a_part_needs_what_it_hands_over(void **state)
{
    struct test *test = *state;
    char *parts = lb_form_fixture_replace(test->arena, PARTS, "    days: 5\n",
                                          "    facts: [cars]\n    days: 5\n");
    char *form = lb_form_fixture_replace(test->arena, sound(test), "notice:\n",
                                         lb_arena_printf(test->arena, "%snotice:\n", parts));
    form = lb_form_fixture_replace(test->arena, form, HOUSEHOLD, MORE_FACT(""));
    test->form = lb_form_fixture_load(form, test->rules);
    assert_ok(lb_form_check(test->form, test->rules, &test->registered, test->arena,
                            &test->findings, &test->num));
    finds(test, LB_FINDING_MISTAKE, "is asked of `member`");
}

static void rules_can_be_reached(void **state)
{
    struct test *test = *state;
    check(test, "poor AND plain AND local", "poor AND plain AND hard AND local");
    finds(test, LB_FINDING_MISTAKE, "class `PART` can never win: whenever it holds, `FULL` or one");
    assert_int_equal(test->num, 1);
    check(test, "poor AND plain AND hard\n", "poor AND plain AND hard AND NOT poor\n");
    finds(test, LB_FINDING_MISTAKE, "class `FULL` can never win: its `when` never holds");
    check(test, "poor AND plain AND local",
          "local OR NOT (identified AND poor AND plain AND hard)");
    finds(test, LB_FINDING_MISTAKE, "no household is left for `NONE`");
    check(test, "income < std_line * 12 * n", "income < 0 AND income > n");
    finds(test, LB_FINDING_MISTAKE, "condition `poor` can never hold");
    check(test, "income < std_line * 12 * n", "n >= 1 OR income < 0");
    finds(test, LB_FINDING_MISTAKE, "condition `poor` holds whatever anybody answers");
}

/* What the search can't decide is told, and no mistake. */
static void what_is_not_decided_is_said(void **state)
{
    struct test *test = *state;
    check(test, "any_severe OR num_severe >= 2", "any_severe AND num_severe < 1");
    finds(test, LB_FINDING_UNDECIDED, "not decided whether condition `hard`");
}

static void citizens_are_not_asked_what_is_known(void **state)
{
    struct test *test = *state;
    check(test, "notice:\n", ASK("choice", "选择提前的意愿", "choice to begin early", ""));
    finds_nothing(test);
    check(test, "notice:\n", ASK("paper", "户口簿复印件", "copy of a booklet", ""));
    finds(test, LB_FINDING_MISTAKE,
          "`paper` is asked of the citizen, and view public-security.household");
    check(test, "notice:\n", ASK("paper", "单位开具的材料", "Income certificate", ""));
    finds(test, LB_FINDING_MISTAKE, "view tax.income supplies it");
    check(test, "notice:\n", ASK("paper", "名下企业情况说明", "a statement", WAIVER));
    finds(test, LB_FINDING_WAIVED, "although view tax.business supplies it: for this reason");
    check(test, "notice:\n", ASK("choice", "选择提前的意愿", "choice to begin early", WAIVER));
    finds_nothing(test); /* without views nobody can say that nothing supplies it */
}

static void give_view(struct test *test, const char *purpose, const char *operator,
                      const char *basis, const char *law)
{
    struct lb_diag diag = {{0}};
    char *text = lb_arena_printf(test->arena, VIEW, purpose, operator, basis, law);
    lb_status status = lb_view_load_text(lb_span_str(text), "view.yaml", test->rules, test->arena,
                                         &diag, &test->view);
    if (status != LB_OK)
        fail_msg("%s", diag.text);
    test->registered.views = &test->view;
    test->registered.num_views = 1;
}

static bool is_found(const struct test *test, const char *words)
{
    for (size_t i = 0; i < test->num; i++)
        if (strstr(test->findings[i].text, words) != NULL)
            return true;
    return false;
}

static void views_answer_what_is_asked(void **state)
{
    static const struct {
        const char *purpose, *operator, *basis, *law;
        bool answered;
    } cases[] = {
        {"test-aid", "SUM(12)", "mandate", "SAL41", true},
        {"test-aid", "AVG_M(12)", "mandate", "SAL41", false},
        {"other-aid", "SUM(12)", "mandate", "SAL41", false},
        {"test-aid", "SUM(12)", "consent", "SAL41", false},
        {"test-aid", "SUM(12)", "mandate", "SAL99", false},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        give_view(test, cases[i].purpose, cases[i].operator, cases[i].basis, cases[i].law);
        check(test, "version: 3", "version: 4");
        assert_true(is_found(test, "there is no view `tax.business`"));
        if (is_found(test, "fact `wage12`") == cases[i].answered)
            fail_msg("%s %s %s %s", cases[i].purpose, cases[i].operator, cases[i].basis,
                     cases[i].law);
    }
    give_view(test, "test-aid", "SUM(12)", "mandate", "SAL41");
    check(test, "    field: income\n    operator: SUM(12)",
          "    field: salary\n    operator: SUM(12)");
    assert_true(is_found(test, "view tax.income has no field `salary`"));
    check(test, "    operator: SUM(12)", "    operator: ROUND(100,floor)");
    assert_true(is_found(test, "fact `wage12`: the operator does not fit tax.income.income"));
    check(test, "notice:\n", ASK("bank_slip", "流水", "a slip", ""));
    assert_true(is_found(test, "`bank_slip` is asked of the citizen, and view tax.income"));
    check(test, "notice:\n", ASK("choice", "选择提前的意愿", "choice to begin early", WAIVER));
    assert_true(is_found(test, "no view supplies `choice`"));
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_nothing_needs_is_not_asked),
        TEST(whose_answer_counts_nowhere_is_not_asked),
        TEST(a_part_needs_what_it_hands_over),
        TEST(rules_can_be_reached),
        TEST(what_is_not_decided_is_said),
        TEST(citizens_are_not_asked_what_is_known),
        TEST(views_answer_what_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
