#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"
#include "policy/engine/form_text.h"

/* Slots: totals that are added up blindly and stand in the rules in place of their parts. */

static const char *const swaps[][2] = {
    {"  disabled-federation: {basis",
     "  finance: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4}\n"
     "  disabled-federation: {basis"},
    {"    operator: SUM(12)\n    roles: [applicant, member]\n    otherwise: 0\n",
     "    operator: SHARE(12)\n    roles: [applicant, member]\n"},
    {"household:\n  - {name: income, each: wage12, fold: sum}\n",
     "  - fact: paid12\n"
     "    department: finance\n"
     "    view: finance.payout\n"
     "    field: paid\n"
     "    operator: SHARE(12)\n"
     "    roles: [applicant, member]\n"
     "    label: {zh: 财政转移, en: Transfers}\n"
     "shares:\n"
     "  - slot: income\n"
     "    facts: [wage12, paid12]\n"
     "household:\n"},
    {"each: wage12 * 2 > income AND wage12 > std_line", "each: income > std_line * 1000"},
};

struct test {
    struct lb_arena *arena;
    struct lb_rules *rules;
    char *text;
};

static int set_up(void **state)
{
    static struct test test;
    test.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    assert_non_null(test.arena);
    test.rules = lb_form_fixture_rules("");
    test.text = lb_arena_str(test.arena, lb_span_str(lb_form_fixture_text()));
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++)
        test.text = lb_form_fixture_replace(test.arena, test.text, swaps[i][0], swaps[i][1]);
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

static void a_slot_is_read(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(test->text, test->rules);
    const struct lb_form *form = lb_form_of(compiled);
    assert_int_equal(form->num_shares, 1);
    const struct lb_form_share *share = &form->shares[0];
    assert_string_equal(share->slot, "income");
    assert_int_equal(share->roles, 3);
    assert_int_equal(share->num_facts, 2);
    assert_int_equal(share->facts[0], lb_form_fact_index(form, "wage12"));
    assert_int_equal(share->facts[1], lb_form_fact_index(form, "paid12"));
    assert_int_equal(lb_form_share_of(form, share->facts[1]), 0);
    assert_int_equal(lb_form_share_of(form, 0), SIZE_MAX);
    lb_form_free(compiled);
    /* Broker and consent office read it without a rule set. */
    compiled = lb_form_fixture_load(test->text, NULL);
    assert_int_equal(lb_form_of(compiled)->num_shares, 1);
    lb_form_free(compiled);
}

/* --- judging --- */

static enum lb_truth judge_poor(struct test *test, const struct lb_fact *total,
                                const struct lb_fact *share)
{
    struct lb_form_compiled *compiled = lb_form_fixture_load(test->text, test->rules);
    const struct lb_form *form = lb_form_of(compiled);
    struct lb_fact *facts = lb_arena_array(test->arena, form->num_facts, sizeof(*facts));
    for (size_t i = 0; i < form->num_facts; i++) {
        switch (form->facts[i].call.op) {
        case LB_OP_ADDR_LEVEL:
            facts[i] = lb_form_fixture_words("110101");
            break;
        case LB_OP_COUNT:
            facts[i] = lb_form_fixture_number(0);
            break;
        case LB_OP_SHARE:
            facts[i] = *share;
            break;
        default:
            facts[i] = lb_form_fixture_truth(true);
        }
    }
    const struct lb_form_member applicant = {0, facts};
    struct lb_form_judgement judgement;
    assert_null(lb_form_judge(compiled, &applicant, 1, total, test->arena, &judgement));
    enum lb_truth truth = judgement.conditions[1];
    lb_form_free(compiled);
    return truth;
}

static void the_total_is_judged_and_no_share(void **state)
{
    struct test *test = *state;
    const struct lb_fact poor = lb_form_fixture_number(11999), rich = lb_form_fixture_number(12000);
    const struct lb_fact noise = lb_form_fixture_number(INT64_MIN + 5);
    const struct lb_fact unknown = lb_form_fixture_unknown(), none = {0};
    assert_int_equal(judge_poor(test, &poor, &noise), LB_TRUE);
    assert_int_equal(judge_poor(test, &rich, &noise), LB_FALSE);
    assert_int_equal(judge_poor(test, &poor, &none), LB_TRUE);
    assert_int_equal(judge_poor(test, &unknown, &noise), LB_UNKNOWN);
    assert_int_equal(judge_poor(test, &none, &noise), LB_UNKNOWN);
}

/* --- refusals --- */

static void mistakes_are_told(void **state)
{
    static const char *const mistakes[][3] = {
        {"facts: [wage12, paid12]", "facts: [wage12]", "adds up one department alone"},
        {"facts: [wage12, paid12]", "facts: [wage12, wage12]", "is in a slot already"},
        {"facts: [wage12, paid12]", "facts: [wage12, firms]", "is no share"},
        {"facts: [wage12, paid12]", "facts: [wage12, gone]", "there is no fact `gone`"},
        {"facts: [wage12, paid12]", "facts: []", "has 0 entries"},
        {"slot: income", "slot: firms", "stands for something else"},
        {"slot: income", "slot: Income", "cannot be a name"},
        {"slot: income", "slots: income", "unknown"},
        {"income < std_line * 12 * n", "num_firms < std_line * 12 * n AND income > 0 OR n = wage12",
         "wage12"},
        {"each: income > std_line * 1000", "each: wage12 > income",
         "is one share and tells nothing; use the total `income`"},
        {"shares:\n  - slot: income\n    facts: [wage12, paid12]\n", "",
         "is a share and in no slot"},
        {"    operator: SHARE(12)\n    roles: [applicant, member]\n    label",
         "    operator: SHARE(12)\n    roles: [applicant, member]\n    otherwise: 0\n    label",
         "`otherwise` has no meaning for a share"},
        {"    operator: SHARE(12)\n    roles: [applicant, member]\n    label",
         "    operator: SHARE(12)\n    roles: [applicant, member]\n    show: true\n    label",
         "never shown"},
        {"    operator: SHARE(12)\n    roles: [applicant, member]\n    label",
         "    operator: SHARE(12)\n    roles: [applicant]\n    label", "different roles"},
        {"  finance: {basis: mandate, law: [SAL41]", "  finance: {basis: consent, law: [SAL41]",
         "mixes departments"},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct lb_form_compiled *form = NULL;
        struct lb_diag diag = {{0}};
        const char *text =
            lb_form_fixture_replace(test->arena, test->text, mistakes[i][0], mistakes[i][1]);
        lb_status status =
            lb_form_load_text(lb_span_str(text), "test.yaml", test->rules, &diag, &form);
        if (lb_status_code(status) != LB_CONFIG_INVALID ||
            strstr(diag.text, mistakes[i][2]) == NULL)
            fail_msg("%s: wanted \"%s\", got \"%s\"", mistakes[i][1], mistakes[i][2], diag.text);
    }
}

/* A request names one run, so no department may be in two slots. */
static void a_department_in_two_slots(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *form = NULL;
    struct lb_diag diag = {{0}};
    const char *text = lb_form_fixture_replace(
        test->arena, test->text, "shares:\n  - slot: income\n    facts: [wage12, paid12]\n",
        "  - {fact: a, department: tax, view: tax.a, field: a, operator: SHARE(12),"
        " roles: [applicant, member], label: {zh: 甲, en: A}}\n"
        "  - {fact: b, department: finance, view: finance.b, field: b, operator: SHARE(12),"
        " roles: [applicant, member], label: {zh: 乙, en: B}}\n"
        "shares:\n"
        "  - {slot: income, facts: [wage12, paid12]}\n"
        "  - {slot: assets, facts: [a, b]}\n");
    assert_int_equal(lb_status_code(lb_form_load_text(lb_span_str(text), "test.yaml", test->rules,
                                                      &diag, &form)),
                     LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "is in slots `income` and `assets`"));
}

/* What the citizen reads. */
static void the_notice_says_what_a_share_is(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(test->text, NULL);
    const char *const words[][2] = {
        {"zh", "近12个月工资：仅以加密份额参加家庭合计（近12个月合计），任何人都看不到单项"},
        {"en", "only as a masked share of a household total (the total of the last 12 months); "
               "nobody sees the single amount"}};
    for (size_t i = 0; i < 2; i++) {
        const struct lb_notice_options options = {"street office", words[i][0], LB_NOTICE_PLAIN};
        struct lb_span text;
        assert_null(lb_form_notice_text(lb_form_of(compiled), &options, test->arena, &text));
        assert_non_null(strstr(lb_arena_str(test->arena, text), words[i][1]));
    }
    lb_form_free(compiled);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_slot_is_read),
        TEST(the_total_is_judged_and_no_share),
        TEST(mistakes_are_told),
        TEST(a_department_in_two_slots),
        TEST(the_notice_says_what_a_share_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
