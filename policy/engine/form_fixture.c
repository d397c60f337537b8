#include "policy/engine/form_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char FORM[] =
    "form: test-aid\n"
    "version: 3\n"
    "title: {zh: 测试救助, en: Test aid}\n"
    "purpose: test-aid\n"
    "lead: civil-affairs\n"
    "law: [SAL40, SAL41]\n"
    "rules: test-rules\n"
    "grant_days: 30\n"
    "roles:\n"
    "  applicant: {min: 1, max: 1, minor: false}\n"
    "  member: {min: 0, max: 3, minor: false}\n"
    "  child: {min: 0, max: 3, minor: true}\n"
    "sections:\n"
    "  public-security: {basis: consent, answer_bytes: 512, uses: 2}\n"
    "  tax: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4}\n"
    "  disabled-federation: {basis: separate_consent, answer_bytes: 256, uses: 100}\n"
    "facts:\n"
    "  - fact: same_person\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: name\n"
    "    operator: EQ\n"
    "    roles: [applicant, member, child]\n"
    "    claim: name\n"
    "    label: {zh: 姓名, en: Name}\n"
    "  - fact: same_household\n"
    "    department: public-security\n"
    "    view: public-security.household\n"
    "    field: members\n"
    "    operator: EQ\n"
    "    roles: [applicant]\n"
    "    otherwise: true\n"
    "    claim: household\n"
    "    saves: {zh: 户口簿, en: household register}\n"
    "    label: {zh: 户内成员, en: Household members}\n"
    "  - fact: region\n"
    "    department: public-security\n"
    "    view: public-security.person\n"
    "    field: region\n"
    "    operator: ADDR_LEVEL(6)\n"
    "    roles: [applicant, member, child]\n"
    "    show: true\n"
    "    label: {zh: 户籍地, en: Registered area}\n"
    "  - fact: wage12\n"
    "    department: tax\n"
    "    view: tax.income\n"
    "    field: income\n"
    "    operator: SUM(12)\n"
    "    roles: [applicant, member]\n"
    "    otherwise: 0\n"
    "    saves: {zh: 收入证明, en: income certificate}\n"
    "    label: {zh: 近12个月工资, en: Wages of the last 12 months}\n"
    "  - fact: firms\n"
    "    department: tax\n"
    "    view: tax.business\n"
    "    field: firm\n"
    "    operator: COUNT(2)\n"
    "    roles: [applicant, member]\n"
    "    otherwise: 0\n"
    "    label: {zh: 名下企业, en: Firms owned}\n"
    "  - fact: severe\n"
    "    department: disabled-federation\n"
    "    view: disabled-federation.card\n"
    "    field: level\n"
    "    operator: IN(disability.severe)\n"
    "    roles: [applicant, member, child]\n"
    "    label: {zh: 重度残疾, en: Severe disability}\n"
    "household:\n"
    "  - {name: income, each: wage12, fold: sum}\n"
    "  - {name: all_named, each: same_person, fold: all}\n"
    "  - {name: any_severe, each: severe, fold: any}\n"
    "  - {name: num_severe, each: severe, fold: count}\n"
    "  - {name: declared, each: same_household, fold: applicant}\n"
    "  - {name: home, each: region, fold: applicant}\n"
    "  - {name: num_firms, each: firms, fold: sum}\n"
    "  - {name: earner, each: wage12 * 2 > income AND wage12 > std_line, fold: any}\n"
    "conditions:\n"
    "  - condition: identified\n"
    "    test: all_named AND declared\n"
    "    text: {zh: 身份一致, en: Identity matches}\n"
    "    source: PIPL 14\n"
    "  - condition: poor\n"
    "    test: income < std_line * 12 * n\n"
    "    text: {zh: 收入低于标准, en: Income below the line}\n"
    "    source: SAL 20\n"
    "  - condition: hard\n"
    "    test: any_severe OR num_severe >= 2\n"
    "    text: {zh: 有重度残疾成员, en: A member is severely disabled}\n"
    "    source: SAL 22\n"
    "  - condition: plain\n"
    "    test: num_firms = 0 AND NOT earner\n"
    "    text: {zh: 名下无企业, en: No firm}\n"
    "    source: SAL 23\n"
    "  - condition: local\n"
    "    test: home = '110101'\n"
    "    text: {zh: 本地户籍, en: Registered here}\n"
    "    source: SAL 24\n"
    "classes:\n"
    "  - class: FULL\n"
    "    when: identified AND poor AND plain AND hard\n"
    "    text: {zh: 全额, en: full}\n"
    "  - class: PART\n"
    "    when: identified AND poor AND plain AND local\n"
    "    text: {zh: 部分, en: partial}\n"
    "otherwise: {class: NONE, text: {zh: 不符合, en: none}}\n"
    "notice:\n"
    "  why: {zh: 用于审核您的申请。, en: To decide on your application.}\n"
    "  keep: {zh: 案件结束后删除。, en: Deleted when the case is closed.}\n"
    "  withdraw: {zh: 在任何同意点均可撤回。, en: At any consent desk.}\n"
    "  refuse: {zh: 您可以自行提交证明。, en: You may bring the documents yourself.}\n";

static const char RULES[] =
    "rules: test-rules\n"
    "version: 1\n"
    "in_force: 2026-07-01\n"
    "title: {zh: 测试规则, en: Test rules}\n"
    "thresholds:\n"
    "  std.line: {value: 1000, unit: cents, source: \"test\"}\n"
    "%s"
    "sets:\n"
    "  disability.severe: {codes: [\"11\", \"12\"], source: \"test\"}\n";

const char *lb_form_fixture_text(void)
{
    return FORM;
}

struct lb_rules *lb_form_fixture_rules(const char *more)
{
    char text[4096];
    int len = snprintf(text, sizeof(text), RULES, more);
    assert_true(len > 0 && (size_t)len < sizeof(text));
    struct lb_rules *rules = NULL;
    struct lb_diag diag = {{0}};
    if (lb_rules_load_text(lb_span_str(text), "rules.yaml", &diag, &rules) != LB_OK)
        fail_msg("%s", diag.text);
    return rules;
}

struct lb_form_compiled *lb_form_fixture_load(const char *text, const struct lb_rules *rules)
{
    struct lb_form_compiled *form = NULL;
    struct lb_diag diag = {{0}};
    if (lb_form_load_text(lb_span_str(text), "test.yaml", rules, &diag, &form) != LB_OK)
        fail_msg("%s\n%s", diag.text, text);
    return form;
}

char *lb_form_fixture_replace(struct lb_arena *arena, const char *text, const char *old,
                              const char *with)
{
    const char *at = strstr(text, old);
    if (at == NULL || strstr(at + 1, old) != NULL)
        fail_msg("\"%s\" must stand in the text once", old);
    char *result = lb_arena_printf(arena, "%.*s%s%s", (int)(at - text), text, with,
                                   at + strlen(old));
    assert_non_null(result);
    return result;
}

struct lb_fact lb_form_fixture_truth(bool truth)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_TRUTH, .truth = truth};
}

struct lb_fact lb_form_fixture_number(int64_t number)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_NUMBER, .number = number};
}

struct lb_fact lb_form_fixture_words(const char *words)
{
    return (struct lb_fact){
        .state = LB_FACT_OK, .kind = LB_FACT_TEXT, .text = lb_span_str(words)};
}

struct lb_fact lb_form_fixture_unknown(void)
{
    return (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_UNKNOWN};
}
