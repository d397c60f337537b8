#include "tests/fuzz/samples.h"

#include "tests/fuzz/fuzz.h"

const char fuzz_rules_text[] =
    "rules: test-rules\n"
    "version: 1\n"
    "in_force: 2026-07-01\n"
    "title: {zh: 测试, en: Test}\n"
    "thresholds:\n"
    "  std.dibao: {value: 145000, unit: cents, source: test}\n"
    "  std.edge: {value: 217500, unit: cents, source: test}\n"
    "  std.line: {value: 1000, unit: cents, source: test}\n"
    "  area.mean: {value: 3, unit: m2, source: test}\n"
    "  age.old: {value: 60, unit: years, source: test}\n"
    "  age.child: {value: 16, unit: years, source: test}\n"
    "  share: {value: 5000, unit: bp, source: test}\n"
    "  fall: {value: 3000, unit: bp, source: test}\n"
    "sets:\n"
    "  severe: {codes: [\"11\", \"12\"], source: test}\n"
    "  disability.severe: {codes: [\"11\", \"12\"], source: test}\n"
    "  local: {codes: [\"990101\"], source: test}\n"
    "tables:\n"
    "  level: {map: {\"21\": compulsory, \"31\": senior, \"22\": compulsory}, source: test}\n"
    "edges:\n"
    "  fine: {edges: [0, 3, 145000, 217500], source: test}\n"
    "  coarse: {edges: [0, 145000], source: test}\n";

const char fuzz_view_text[] =
    "view: tax.income\n"
    "version: 2\n"
    "title: {zh: 工资, en: Wages}\n"
    "query: SELECT month, income_cents, since FROM wage WHERE id_no = :id_no"
    " AND month >= :from_month\n"
    "rows: many\n"
    "complete: false\n"
    "max_rows: 400\n"
    "as_of: SELECT as_of FROM data_as_of\n"
    "freshness_days: 45\n"
    "timeout_ms: 3000\n"
    "budgets: {operator: {hour: 60, day: 300}, requester: {day: 10000}}\n"
    "probing: {thresholds: 8, days: 30, mismatches: 3, mismatches_day: 6}\n"
    "fields:\n"
    "  income:\n"
    "    column: income_cents\n"
    "    type: cents\n"
    "    month: month\n"
    "    class: G4\n"
    "    rules:\n"
    "      - purpose: social-assistance\n"
    "        operators: [\"SUM(12)\"]\n"
    "        requesters: [street-office]\n"
    "        bases: [mandate, emergency]\n"
    "        issuers: [street-office]\n"
    "        laws: [SAL41]\n"
    "        min_level: 1\n"
    "      - purpose: statistics\n"
    "        operators: [\"SUM(1)\", \"SUM(24)\"]\n"
    "        requesters: [bureau, street-office]\n"
    "        bases: [emergency, separate_consent]\n"
    "        issuers: [hall]\n"
    "        min_level: 3\n"
    "        dry_run: true\n"
    "  paid:\n"
    "    type: row\n"
    "    class: G3\n"
    "    rules:\n"
    "      - purpose: social-assistance\n"
    "        operators: [EXISTS, \"COUNT(3)\"]\n"
    "        requesters: [street-office]\n"
    "        bases: [consent]\n"
    "        issuers: [hall]\n"
    "        min_level: 2\n"
    "  closed:\n"
    "    column: since\n"
    "    type: text\n"
    "    class: G1\n";

const char fuzz_form_text[] =
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
    "amounts:\n"
    "  - amount: gap\n"
    "    value: ceil_div(income, 1200) * 100\n"
    "    unit: cents\n"
    "    classes: [FULL, NONE]\n"
    "    text: {zh: 差额, en: gap}\n"
    "parts:\n"
    "  - part: grant\n"
    "    department: civil-affairs\n"
    "    title: {zh: 救助审核, en: Decision on aid}\n"
    "    law: [SAL42]\n"
    "    classes: [FULL, PART]\n"
    "    roles: [applicant, child]\n"
    "    facts: [region]\n"
    "    days: 30\n"
    "    escalate: {zh: 区民政局, en: district civil affairs}\n"
    "notice:\n"
    "  why: {zh: 用于审核您的申请。, en: To decide on your application.}\n"
    "  keep: {zh: 案件结束后删除。, en: Deleted when the case is closed.}\n"
    "  withdraw: {zh: 在任何同意点均可撤回。, en: At any consent desk.}\n"
    "  refuse: {zh: 您可以自行提交证明。, en: You may bring the documents yourself.}\n";

const char *const fuzz_calls[] = {
    "EXISTS",
    "EQ",
    "CMP(<,std.dibao)",
    "CMP(<=,std.edge)",
    "CMP(>,std.dibao)",
    "CMP(>=,area.mean)",
    "IN(severe)",
    "IN(local)",
    "BUCKET(fine)",
    "BUCKET(coarse)",
    "COUNT(1)",
    "COUNT(3)",
    "SUM(0)",
    "SUM(12)",
    "SUM(3)",
    "AGE_GE(age.old)",
    "AGE_GE(age.child)",
    "ADDR_LEVEL(2)",
    "ADDR_LEVEL(6)",
    "MAP(level)",
    "OMIT",
    "PASS",
    "ROUND(100,floor)",
    "ROUND(1000,half_even)",
    "TOPCODE(std.dibao)",
    "BOTTOMCODE(std.dibao)",
    "AVG_M(12)",
    "RATIO_CMP(<,share)",
    "TREND(3,fall)",
    "DATE_TRUNC(Y)",
    "DATE_TRUNC(M)",
    "AGE_AT(today)",
    "AGE_AT(2020-02-29)",
    "MASK(1,2)",
    "NAME_MASK",
    "ID_MASK",
    "PHONE_MASK",
    "PSEUDO",
    "TOKEN(30)",
};
const size_t fuzz_num_calls = sizeof(fuzz_calls) / sizeof(fuzz_calls[0]);

const struct lb_rules *fuzz_sample_rules(void)
{
    static struct lb_rules *rules;
    struct lb_diag diag = {""};
    if (rules == NULL)
        FUZZ_OK(lb_rules_load_text(lb_span_str(fuzz_rules_text), "rules.yaml", &diag, &rules));
    return rules;
}
