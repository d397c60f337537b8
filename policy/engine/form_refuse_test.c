/* Every mistake that a form may hold, and the line at which it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

/* `old` of the fixture becomes `with`; the line told is that of `at` in the result; the message has
 * `part` in it. */
struct refusal {
    const char *old;
    const char *with;
    const char *at;
    const char *part;
};

static struct lb_rules *rules;

static int line_of(const char *text, const char *at)
{
    const char *place = strstr(text, at);
    if (place == NULL || strstr(place + 1, at) != NULL)
        fail_msg("\"%s\" must stand in the changed text once", at);
    int line = 1;
    for (const char *p = text; p < place; p++)
        line += *p == '\n' ? 1 : 0;
    return line;
}

static void check_text(const char *original, const struct refusal *refusal,
                       const struct lb_rules *rule_set)
{
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    assert_non_null(arena);
    char *text = lb_form_fixture_replace(arena, original, refusal->old, refusal->with);
    char *place = lb_arena_printf(arena, "test.yaml:%d:", line_of(text, refusal->at));
    struct lb_form_compiled *form = NULL;
    struct lb_diag diag = {{0}};
    lb_status status = lb_form_load_text(lb_span_str(text), "test.yaml", rule_set, &diag, &form);
    if (lb_status_code(status) != LB_CONFIG_INVALID)
        fail_msg("not refused: %s", refusal->with);
    assert_null(form);
    if (strncmp(diag.text, place, strlen(place)) != 0)
        fail_msg("expected %s, got %s", place, diag.text);
    if (strstr(diag.text, refusal->part) == NULL)
        fail_msg("expected \"%s\", got %s", refusal->part, diag.text);
    lb_arena_free(arena);
}

static void check_with(const struct refusal *refusal, const struct lb_rules *rule_set)
{
    check_text(lb_form_fixture_text(), refusal, rule_set);
}

#define CHECK_ALL(table, rule_set)                                                                 \
    for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                                \
        check_with(&(table)[i], rule_set)

static void refuses_heads(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"lead: civil-affairs\n", "lead: civil-affairs\ncolour: red\n", "colour", "colour"},
        {"form: test-aid", "form: Test_Aid", "Test_Aid", "Test_Aid"},
        {"version: 3", "version: 0", "version", ""},
        {"title: {zh: 测试救助, en: Test aid}", "title: {zh: 测试救助}", "title", "en"},
        {"en: Test aid}", "en: \"Test\\naid\"}", "title", "line"},
        {"en: Test aid}", "en: \"\\u202Eaid\"}", "title", "line"},
        {"en: Test aid}", "en: \"A\\u0085aid\"}", "title", "line"},
        {"en: Test aid}", "en: \"\"}", "title", "empty"},
        {"en: Test aid}", "en: Test aid, fr: aide}", "title", "fr"},
        {"purpose: test-aid", "purpose: \"\"", "purpose", ""},
        {"purpose: test-aid", "purpose: drill", "- fact: same_person\n", "drill-<name>"},
        {"law: [SAL40, SAL41]", "law: []", "law: []", ""},
        {"law: [SAL40, SAL41]", "law: [SAL40, SAL40]", "SAL40, SAL40", "twice"},
        {"law: [SAL40, SAL41]", "law: [\"SAL 40\"]", "SAL 40", ""},
        {"law: [SAL40, SAL41]\n", "", "form: test-aid", "law"},
        {"grant_days: 30", "grant_days: 0", "grant_days", ""},
        {"grant_days: 30", "grant_days: 366", "grant_days", ""},
        {"  why: {zh: 用于审核您的申请。, en: To decide on your application.}\n", "", "keep:",
         "why"},
        {"  refuse:", "  more: x\n  refuse:", "more: x", "more"},
    };
    CHECK_ALL(table, NULL);
    CHECK_ALL(table, rules);
}

static void refuses_roles(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"  applicant: {min: 1, max: 1, minor: false}\n", "  person: {min: 1, max: 1}\n",
         "person: {", "applicant"},
        {"applicant: {min: 1, max: 1", "applicant: {min: 0, max: 1", "applicant: {", "exactly one"},
        {"applicant: {min: 1, max: 1", "applicant: {min: 1, max: 2", "applicant: {", "exactly one"},
        {"max: 1, minor: false", "max: 1, minor: true", "applicant: {", "of age"},
        {"max: 1, minor: false", "max: 1, outside: true", "applicant: {", "of the household"},
        {"max: 1, minor: false", "max: 1, deceased: true", "applicant: {", "alive"},
        {"minor: true", "minor: true, outside: true", "child: {", "more than one"},
        {"minor: true", "deceased: true, outside: true", "child: {", "more than one"},
        {"    saves: {zh: 收入证明, en: income certificate}\n", "    optional: true\n",
         "fact: wage12", "nobody can refuse"},
        {"member: {min: 0, max: 3", "member: {min: 4, max: 3", "member: {", "min"},
        {"member: {min: 0, max: 3", "member: {min: 0, max: 13", "member: {", ""},
        {"member: {min: 0, max: 3", "member: {min: -1, max: 3", "member: {", ""},
        {"member: {min: 0, max: 3", "member: {min: 12, max: 12", "applicant: {", "household of 12"},
        {"child: {min: 0,", "child: {least: 0,", "child: {", "least"},
        {"    claim: household\n", "    claim: name\n", "child: {", "household"},
        {"    roles: [applicant]\n    otherwise: true\n",
         "    roles: [member]\n    otherwise: true\n", "child: {", "household"},
    };
    CHECK_ALL(table, NULL);
    CHECK_ALL(table, rules);
}

static void refuses_a_role_nobody_asks(void **state)
{
    (void)state;
    static const char *const facts[] = {"same_person", "region", "severe"};
    static const struct refusal guest = {"  child: {", "  guest: {min: 0, max: 1}\n  child: {",
                                         "guest: {", "no fact is asked of role `guest`"};
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    const char *text = lb_form_fixture_text();
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        char *old = lb_arena_printf(arena, "  - fact: %s\n", facts[i]);
        char *with = lb_arena_printf(arena, "%s    otherwise: unknown\n", old);
        text = lb_form_fixture_replace(arena, text, old, with);
    }
    lb_form_free(lb_form_fixture_load(text, NULL));
    check_text(text, &guest, NULL);
    lb_arena_free(arena);
}

static void refuses_sections(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"basis: mandate", "basis: custom", "tax: {", "custom"},
        {"basis: mandate, law: [SAL41]", "basis: mandate", "tax: {", "law"},
        {"basis: mandate, law: [SAL41]", "basis: emergency", "tax: {", "law"},
        {"answer_bytes: 256", "answer_bytes: 255", "disabled-federation: {", ""},
        {"answer_bytes: 256", "answer_bytes: 32769", "disabled-federation: {", ""},
        {"uses: 100", "uses: 101", "disabled-federation: {", ""},
        {"uses: 100", "uses: 0", "disabled-federation: {", ""},
        {"uses: 100", "uses: 100, calls: 1", "disabled-federation: {", "calls"},
        {"  tax: {", "  Finance: {basis: consent, answer_bytes: 512, uses: 1}\n  tax: {",
         "Finance", "Finance"},
        {"  tax: {", "  finance: {basis: consent, answer_bytes: 512, uses: 1}\n  tax: {",
         "finance", "no fact asks department `finance`"},
        {"    department: disabled-federation\n", "    department: finance\n",
         "department: finance", "has no section"},
    };
    CHECK_ALL(table, NULL);
    CHECK_ALL(table, rules);
}

static void refuses_facts(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"  - fact: firms\n", "  - fact: firms\n    unit: x\n", "unit: x", "unit"},
        {"  - fact: firms\n", "  - fact: wage12\n", "wage12\n    department: tax\n    view: tax.b",
         "since line 44"},
        {"  - fact: firms\n", "  - fact: Firms\n", "fact: Firms", "lower-case"},
        {"  - fact: firms\n", "  - fact: 2firms\n", "fact: 2firms", "lower-case"},
        {"  - fact: firms\n", "  - fact: n\n", "fact: n\n", "another name"},
        {"  - fact: firms\n", "  - fact: case\n", "fact: case", "another name"},
        {"view: tax.business", "view: business", "view: business", ""},
        {"field: firm\n", "field: Firm\n", "field: Firm", ""},
        {"COUNT(2)", "COUNT", "operator: COUNT\n", "no operator"},
        {"COUNT(2)", "SHARE", "operator: SHARE", "no operator"},
        {"COUNT(2)", "OMIT", "operator: OMIT", "leave the fact out"},
        {"COUNT(2)", "PASS", "fact: firms", "\"value\" is missing"},
        {"COUNT(2)", "PASS\n    value: cents", "value: cents", "number or text"},
        {"COUNT(2)", "COUNT(2)\n    value: number", "value: number", "PASS alone"},
        {"COUNT(2)", "EQ", "fact: firms", "claim"},
        {"    claim: name\n", "", "fact: same_person", "claim"},
        {"    claim: name\n", "    claim: none\n", "fact: same_person", "claim"},
        {"    claim: name\n", "    claim: age\n", "claim: age", "claim"},
        {"    operator: COUNT(2)\n", "    operator: COUNT(2)\n    claim: name\n",
         "claim: name\n    roles", "needs `operator: EQ`"},
        {"    operator: COUNT(2)\n", "    operator: COUNT(2)\n    claim: household\n",
         "claim: household\n    roles", "needs `operator: EQ`"},
        {"    roles: [applicant]\n", "    roles: [applicant, agent]\n", "agent", "no role"},
        {"    roles: [applicant]\n", "    roles: [applicant, applicant]\n",
         "applicant, applicant", "twice"},
        {"    roles: [applicant]\n", "    roles: []\n", "roles: []", ""},
        {"    otherwise: true\n", "", "fact: same_household", "otherwise"},
        {"    otherwise: true\n", "    otherwise: 1\n", "otherwise: 1", "true, false or unknown"},
        {"    otherwise: 0\n    label", "    otherwise: false\n    label", "otherwise: false",
         "an integer or unknown"},
        {"    otherwise: 0\n    label", "    otherwise: 0.5\n    label", "otherwise: 0.5", ""},
        {"    show: true\n", "    show: true\n    otherwise: 110101\n", "otherwise: 110101",
         "write unknown"},
        {"COUNT(2)", "COUNT(0)", "COUNT(0)", "no operator"},
        {"    show: true\n", "    show: maybe\n", "show: maybe", ""},
        {"    label: {zh: 名下企业, en: Firms owned}\n", "", "fact: firms", "label"},
        {"    view: tax.business\n    field: firm\n    operator: COUNT(2)\n",
         "    view: tax.income\n    field: income\n    operator: SUM(12)\n", "fact: firms",
         "asks the same as `wage12`"},
    };
    CHECK_ALL(table, NULL);
    CHECK_ALL(table, rules);
}

static void refuses_rules(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"{name: income,", "{name: severe,", "name: severe", "once"},
        {"{name: home,", "{name: income,", "name: income, each: region", "once"},
        {"{name: home,", "{name: and,", "name: and", "another name"},
        {"fold: sum}\n  - {name: all", "fold: mean}\n  - {name: all", "fold: mean", "mean"},
        {"fold: sum}\n  - {name: all", "fold: sum, per: 1}\n  - {name: all", "per: 1", "per"},
        {"each: wage12, fold: sum", "fold: sum", "name: income", "each"},
        {"each: wage12, fold", "each: [wage12], fold", "[wage12]", ""},
        {"condition: poor", "condition: income", "condition: income", "once"},
        {"condition: poor", "condition: hard", "condition: hard\n    test: any", "once"},
        {"    source: SAL 20\n", "", "condition: poor", "source"},
        {"    source: SAL 20\n", "    source: SAL 20\n    law: x\n", "law: x", "law"},
        {"class: PART", "class: FULL", "FULL\n    when: identified AND poor AND plain AND local",
         "twice"},
        {"class: PART", "class: MANUAL", "MANUAL", "another name"},
        {"class: PART", "class: part", "class: part", "upper-case"},
        {"{class: NONE,", "{class: PART,", "{class: PART,", "twice"},
        {"{class: NONE,", "{class: NONE, when: poor,", "{class: NONE", "when"},
        {"    when: identified AND poor AND plain AND hard\n", "", "class: FULL", "when"},
    };
    CHECK_ALL(table, NULL);
    CHECK_ALL(table, rules);
}

static void refuses_expressions(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"each: wage12, fold: sum", "each: wage13, fold: sum", "wage13", "wage13"},
        {"each: wage12, fold: sum", "each: wage12 +, fold: sum", "wage12 +", ""},
        {"each: wage12, fold: sum", "each: severe, fold: sum", "name: income", "a number"},
        {"each: wage12, fold: sum", "each: wage12 + n, fold: sum", "wage12 + n", "n"},
        {"each: severe, fold: any", "each: wage12, fold: any", "name: any_severe",
         "true or false"},
        {"each: same_person, fold: all", "each: region, fold: all", "name: all_named",
         "true or false"},
        {"each: severe, fold: count", "each: firms, fold: count", "name: num_severe",
         "true or false"},
        {"each: severe, fold: any", "each: severe AND earner, fold: any", "severe AND earner",
         "earner"},
        {"each: firms, fold: sum", "each: \"home = '1'\", fold: any", "name: num_firms", "`home`"},
        {"each: firms, fold: sum", "each: coalesce(firms; 0), fold: sum", "coalesce", ""},
        {"each: firms, fold: sum", "each: firms IS 1, fold: any", "firms IS 1", ""},
        {"test: income < std_line * 12 * n", "test: income < std_edge * 12", "std_edge",
         "std_edge"},
        {"test: income < std_line * 12 * n", "test: wage12 < std_line", "test: wage12", "wage12"},
        {"test: income < std_line * 12 * n", "test: income", "test: income\n", "true or false"},
        {"test: income < std_line * 12 * n", "test: income < std.line", "std.line", ""},
        {"test: income < std_line * 12 * n", "test: income < (SELECT 1)", "SELECT", ""},
        {"test: income < std_line * 12 * n", "test: poor", "test: poor", "poor"},
        {"test: any_severe OR", "test: poor OR", "test: poor OR", "poor"},
        {"when: identified AND poor AND plain AND hard",
         "when: identified AND income < 5 AND plain AND hard", "income < 5", "income"},
        {"when: identified AND poor AND plain AND hard",
         "when: identified AND std_line > 5 AND plain AND hard", "std_line > 5", "std_line"},
        {"when: identified AND poor AND plain AND hard",
         "when: identified AND CASE WHEN poor THEN plain ELSE hard END", "CASE", ""},
    };
    CHECK_ALL(table, rules);
}

static void refuses_what_nobody_uses(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"when: identified AND poor AND plain AND hard", "when: identified AND poor AND plain",
         "condition: hard", "no class uses condition `hard`"},
        {"test: num_firms = 0 AND NOT earner", "test: num_firms = 0", "name: earner",
         "no expression uses household value `earner`"},
        {"each: firms, fold: sum", "each: wage12, fold: sum", "fact: firms",
         "no expression uses fact `firms`"},
    };
    CHECK_ALL(table, rules);
}

static void a_shown_fact_may_stay_out_of_the_rules(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    char *text = lb_form_fixture_replace(arena, lb_form_fixture_text(), "each: region, fold:",
                                         "each: firms, fold:");
    text = lb_form_fixture_replace(arena, text, "test: home = '110101'", "test: home = 1");
    lb_form_free(lb_form_fixture_load(text, rules));
    lb_arena_free(arena);
}

static void refuses_another_rule_set(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"rules: test-rules", "rules: other-rules", "rules: other-rules", "test-rules"},
        {"IN(disability.severe)", "IN(disability.mild)", "disability.mild", "lacks"},
        {"COUNT(2)", "BUCKET(bands)", "BUCKET(bands)", "lacks"},
        {"COUNT(2)", "CMP(<,std.none)", "CMP(<,std.none)", "lacks"},
        {"COUNT(2)", "AGE_GE(age.none)", "AGE_GE(age.none)", "lacks"},
        {"COUNT(2)", "MAP(none)", "MAP(none)", "lacks"},
    };
    CHECK_ALL(table, rules);
}

/* A threshold, once its dots are `_`, may mean nothing else. */
static void refuses_clashes_with_thresholds(void **state)
{
    (void)state;
    static const struct refusal same_as_fact = {"version: 3", "version: 4", "fact: wage12",
                                                "threshold `wage12`"};
    static const struct refusal same_as_value = {"version: 3", "version: 4", "name: num_firms",
                                                 "threshold `num.firms`"};
    struct lb_rules *fact =
        lb_form_fixture_rules("  wage12: {value: 1, unit: cents, source: \"t\"}\n");
    struct lb_rules *value =
        lb_form_fixture_rules("  num.firms: {value: 1, unit: count, source: \"t\"}\n");
    check_with(&same_as_fact, fact);
    check_with(&same_as_value, value);
    lb_rules_free(fact);
    lb_rules_free(value);
}

static int set_up(void **state)
{
    (void)state;
    rules = lb_form_fixture_rules("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lb_rules_free(rules);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_heads),
        cmocka_unit_test(refuses_roles),
        cmocka_unit_test(refuses_a_role_nobody_asks),
        cmocka_unit_test(refuses_sections),
        cmocka_unit_test(refuses_facts),
        cmocka_unit_test(refuses_rules),
        cmocka_unit_test(refuses_expressions),
        cmocka_unit_test(refuses_what_nobody_uses),
        cmocka_unit_test(a_shown_fact_may_stay_out_of_the_rules),
        cmocka_unit_test(refuses_another_rule_set),
        cmocka_unit_test(refuses_clashes_with_thresholds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
