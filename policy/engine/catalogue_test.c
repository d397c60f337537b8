#include "policy/engine/catalogue_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char INDEX[] =
    "catalogue: town\nversion: 3\ntitle: {zh: 某市, en: A town}\n"
    "thresholds: limits\nquestions: questions\npolicies: [aid]\n";
static const char LIMITS[] =
    "rules: limits\nversion: 1\nin_force: 2026-01-01\ntitle: {zh: 标准, en: Limits}\n"
    "thresholds:\n"
    "  age.old: {value: 60, unit: years, source: s1}\n"
    "  line: {value: 145050, unit: cents, source: s2}\n"
    "  born: {value: 19330101, unit: date, source: s3}\n";
static const char QUESTIONS[] =
    "questions:\n"
    "  - {question: local, type: bool, text: {zh: 本市？, en: Local?}}\n"
    "  - question: birth\n    type: date\n    from: 1900-01-01\n"
    "    gives: {age: years, born_on: date}\n    text: {zh: 生日？, en: Birth?}\n"
    "  - {question: income, type: money, min: 0, max: 10000000, text: {zh: 收入？, en: Income?}}\n"
    "  - {question: members, type: int, min: 1, max: 20, text: {zh: 人数？, en: Members?}}\n"
    "  - question: class\n    type: choice\n    text: {zh: 类别？, en: Class?}\n"
    "    choices:\n      - {choice: low, text: {zh: 低, en: Low}}\n"
    "      - {choice: none, text: {zh: 无, en: None}}\n";
static const char AID[] =
    "policy: aid\nversion: 1\ntitle: {zh: 救助, en: Aid}\nowner: civil-affairs\n"
    "document: {title: 办法, number: 某发〔2026〕1号, in_force: 2026-01-01, until: 2026-12-31}\n"
    "benefit: {zh: 每月若干, en: Some a month}\n"
    "conditions:\n"
    "  - {condition: local, test: local, text: {zh: 本市, en: Local}, source: 一}\n"
    "  - {condition: old, test: age >= age_old, text: {zh: '满{age_old}岁', en: 'From {age_old}'},"
    " source: 二}\n"
    "  - {condition: poor, test: income < line * members, text: {zh: '低于{line}元', en: 'Below "
    "{line}'}, source: 三}\n"
    "  - {condition: low, test: \"class = 'low'\", text: {zh: 低, en: Low}, source: 四}\n"
    "  - {condition: born, test: born_on >= born, text: {zh: '{born}起', en: 'Since {born}'},"
    " source: 五}\n"
    "when: local AND born AND ((old AND poor) OR low)\n";

/* What the files hold; a test puts another text in the place of one. */
struct files {
    const char *limits, *questions, *aid;
};

static lb_status read_text(void *ctx, const char *name, struct lb_diag *diag, struct lb_yaml **out)
{
    const struct files *files = ctx;
    const char *text = strcmp(name, "questions") == 0 ? files->questions : files->aid;
    return lb_yaml_load_text(lb_span_str(text), name, diag, out);
}

static lb_status read_limits(void *ctx, const char *name, struct lb_diag *diag,
                             struct lb_rules **out)
{
    const struct files *files = ctx;
    return lb_rules_load_text(lb_span_str(files->limits), name, diag, out);
}

static lb_status load(const struct files *files, struct lb_diag *diag, struct lb_catalogue **out)
{
    struct lb_yaml *index = NULL;
    const struct catalogue_source source = {(void *)(uintptr_t)files, read_text, read_limits};
    LB_TRY(lb_yaml_load_text(lb_span_str(INDEX), "index", diag, &index));
    return lb_catalogue_read(index, &source, diag, out);
}

static const struct files GOOD = {LIMITS, QUESTIONS, AID};
static const struct lb_date TODAY = {2026, 11, 22};

static struct lb_catalogue *loaded(void)
{
    struct lb_diag diag = {{0}};
    struct lb_catalogue *catalogue = NULL;
    if (load(&GOOD, &diag, &catalogue) != LB_OK)
        fail_msg("%s", diag.text);
    return catalogue;
}

/* The text with `from`, which it has, replaced once by `to`. */
static const char *with(const char *text, const char *from, const char *to)
{
    static char changed[8192];
    const char *at = strstr(text, from);
    assert_non_null(at);
    (void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to,
                   at + strlen(from));
    return changed;
}

static void refused(struct files files, const char *reason)
{
    struct lb_diag diag = {{0}};
    struct lb_catalogue *catalogue = NULL;
    lb_status status = load(&files, &diag, &catalogue);
    assert_int_equal(lb_status_code(status), LB_CONFIG_INVALID);
    if (strstr(diag.text, reason) == NULL)
        fail_msg("`%s` does not say `%s`", diag.text, reason);
}

static void policies_are_read(void **state)
{
    struct lb_catalogue *catalogue = loaded();
    const struct lb_policy *policy = lb_catalogue_policy(catalogue, 0);
    (void)state;
    assert_string_equal(lb_catalogue_id(catalogue), "town");
    assert_int_equal(policy->num_conditions, 5);
    assert_string_equal(policy->conditions[1].text.zh, "满60岁");
    assert_string_equal(policy->conditions[2].text.en, "Below 1450.50");
    assert_string_equal(policy->conditions[4].text.en, "Since 1933-01-01");
    assert_int_equal(policy->conditions[2].num_questions, 2);
    assert_string_equal(policy->conditions[2].thresholds[0]->source, "s2");
    assert_true(lb_policy_in_force(policy, &TODAY));
    assert_true(lb_policy_in_force(policy, &(struct lb_date){2026, 12, 31}));
    assert_false(lb_policy_in_force(policy, &(struct lb_date){2027, 1, 1}));
    assert_false(lb_policy_in_force(policy, &(struct lb_date){2025, 12, 31}));
    lb_catalogue_free(catalogue);
}

static void wrong_policies_are_refused(void **state)
{
    static const struct {
        const char *from, *to, *reason;
    } wrong[] = {
        {"version: 1", "version: 1\nextra: 1", "extra"},
        {"policy: aid", "policy: other", "name of its file"},
        {"en: Aid", "fr: Aid", "fr"},
        {", en: Local}", "}", "en"},
        {", source: 一", "", "source"},
        {"age >= age_old", "age >= 60", "numbers stand in the threshold set"},
        {"age >= age_old", "age >= age_young", "neither a question's name nor a threshold"},
        {"age >= age_old", "age >= age_old AND local", "one comparison"},
        {"age >= age_old", "NOT local", "one comparison"},
        {"age >= age_old", "age + age_old", "true or false"},
        {"age >= age_old", "'coalesce(age, 12) >= age_old'", "neither a question's name"},
        {"age >= age_old", "age IS age_old", "neither a question's name"},
        {"age >= age_old", "age_old >= 12", "asks nothing"},
        {"'From {age_old}'", "From sixty", "does not say the threshold age.old"},
        {"'From {age_old}'", "'From {age_old} {x}'", "is no threshold"},
        {"'From {age_old}'", "'From {age_old'", "does not say the threshold"},
        {"class = 'low'", "class = 'loww'", "no choice"},
        {"AND born AND", "AND NOT born AND", "conditions, AND, OR"},
        {"AND born AND", "AND born = TRUE AND", "conditions, AND, OR"},
        {"local AND born AND", "local AND", "does not depend on condition `born`"},
        {"when: local AND", "when: (local OR UNKNOWN) AND", "conditions, AND, OR"},
        {"when: local AND", "when: age AND", "conditions, AND, OR"},
        {"until: 2026-12-31", "until: 2025-12-31", "before `in_force`"},
        {"in_force: 2026-01-01", "in_force: 2026-13-01", "not a date"},
        {"condition: old", "condition: local", "stands for something else"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refused((struct files){LIMITS, QUESTIONS, with(AID, wrong[i].from, wrong[i].to)},
                wrong[i].reason);
}

static void wrong_questions_and_limits_are_refused(void **state)
{
    static const struct {
        const char *from, *to, *reason;
    } wrong[] = {
        {"type: bool", "type: text", "is no type"},
        {"type: bool", "type: bool, min: 1", "min"},
        {"min: 1, max: 20", "min: 20, max: 20", "max"},
        {"min: 1, max: 20", "min: 1", "max"},
        {"max: 10000000", "max: 10000000000000", "max"},
        {"age: years", "age: weeks", "gives"},
        {"age: years", "local: years", "stands for something else"},
        {"question: members", "question: age", "stands for something else"},
        {"question: members", "question: age_old", "rename one"},
        {"from: 1900-01-01", "from: 1900-02-30", "not a date"},
        {"choice: none", "choice: low", "twice"},
        {"choice: none", "choice: unknown", "not named so"},
        {"en: Local?", "en: ''", "empty"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        refused((struct files){LIMITS, with(QUESTIONS, wrong[i].from, wrong[i].to), AID},
                wrong[i].reason);
    refused((struct files){with(LIMITS, ", source: s1", ""), QUESTIONS, AID}, "source");
    refused((struct files){with(LIMITS, "19330101", "19330230"), QUESTIONS, AID}, "no day");
}

/* --- answers --- */

static struct lb_answers *begun(const struct lb_catalogue *catalogue)
{
    struct lb_answers *answers = NULL;
    assert_null(lb_answers_new(catalogue, &TODAY, &answers));
    return answers;
}

static bool put(struct lb_answers *answers, const char *question, const char *text)
{
    struct lb_diag diag = {{0}};
    lb_status status =
        lb_answers_put(answers, lb_span_str(question), lb_span_str(text), &diag);
    if (status == LB_OK)
        return true;
    assert_int_equal(lb_status_code(status), LB_ANSWER_INVALID);
    assert_true(strlen(diag.text) > 0);
    assert_true(strlen(text) < 4 || strstr(diag.text, text) == NULL);
    return false;
}

static void answers_are_taken_within_their_bounds_only(void **state)
{
    static const struct {
        const char *question, *text;
        bool good;
    } tries[] = {
        {"local", "yes", true},        {"local", "false", true},    {"local", "1", false},
        {"local", "", false},          {"local", "unknown", true},  {"nobody", "yes", false},
        {"birth", "1900-01-01", true}, {"birth", "1899-12-31", false},
        {"birth", "2026-11-22", true}, {"birth", "2026-11-23", false},
        {"birth", "2026-02-29", false}, {"birth", "19660101", false},
        {"income", "1450.5", true},    {"income", "1450.50", true}, {"income", "0", true},
        {"income", "100000", true},    {"income", "100000.01", false},
        {"income", "-1", false},       {"income", "1.", false},     {"income", ".5", false},
        {"income", "1.234", false},    {"income", "1e3", false},    {"income", "01", false},
        {"income", "99999999999999999999", false},                  {"income", "1.2.3", false},
        {"members", "1", true},        {"members", "0", false},     {"members", "20", true},
        {"members", "21", false},      {"members", "2.0", false},   {"class", "low", true},
        {"class", "Low", false},
    };
    struct lb_catalogue *catalogue = loaded();
    (void)state;
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        struct lb_answers *answers = begun(catalogue);
        if (put(answers, tries[i].question, tries[i].text) != tries[i].good)
            fail_msg("%s=%s", tries[i].question, tries[i].text);
        lb_answers_free(answers);
    }
    struct lb_answers *answers = begun(catalogue);
    struct lb_answers *none = NULL;
    assert_true(put(answers, "local", "unknown"));
    assert_false(put(answers, "local", "yes"));
    assert_true(lb_answers_has(answers, 0));
    assert_false(lb_answers_has(answers, 1));
    assert_false(lb_answers_has(answers, SIZE_MAX));
    lb_answers_free(answers);
    assert_int_equal(
        lb_status_code(lb_answers_new(catalogue, &(struct lb_date){2026, 2, 30}, &none)),
        LB_MALFORMED);
    lb_catalogue_free(catalogue);
}

/* --- results --- */

struct asked {
    struct lb_catalogue *catalogue;
    struct lb_answers *answers;
    struct lb_arena *arena;
    struct lb_calculation calculation;
};

static const struct lb_policy_result *calculated(struct asked *asked)
{
    assert_null(lb_catalogue_calculate(asked->catalogue, SIZE_MAX, asked->answers,
                                       asked->arena, &asked->calculation));
    assert_int_equal(asked->calculation.num_results, 1);
    return &asked->calculation.results[0];
}

static const char *missing(const struct asked *asked, size_t index)
{
    return index < asked->calculation.num_missing
               ? lb_catalogue_question(asked->catalogue, asked->calculation.missing[index])->id
               : "";
}

static struct asked ask(void)
{
    struct asked asked = {.catalogue = loaded(), .arena = lb_arena_new(1 << 20)};
    assert_non_null(asked.arena);
    asked.answers = begun(asked.catalogue);
    return asked;
}

static void drop(struct asked *asked)
{
    lb_answers_free(asked->answers);
    lb_arena_free(asked->arena);
    lb_catalogue_free(asked->catalogue);
}

static void questions_are_asked_while_they_can_change_the_answer(void **state)
{
    struct asked asked = ask();
    (void)state;
    assert_int_equal(calculated(&asked)->status, LB_POLICY_NEED_MORE);
    assert_int_equal(asked.calculation.num_missing, 5);
    assert_string_equal(missing(&asked, 0), "local"); /* and birth: each can end it */
    assert_string_equal(missing(&asked, 1), "birth");
    assert_string_equal(missing(&asked, 2), "class");
    assert_true(put(asked.answers, "birth", "1966-11-23")); /* too young: income is idle */
    assert_int_equal(calculated(&asked)->status, LB_POLICY_NEED_MORE);
    assert_int_equal(asked.calculation.num_missing, 2);
    assert_string_equal(missing(&asked, 0), "local");
    assert_string_equal(missing(&asked, 1), "class");
    assert_true(put(asked.answers, "class", "low"));
    assert_true(put(asked.answers, "local", "unknown")); /* stays open */
    assert_int_equal(calculated(&asked)->status, LB_POLICY_NEED_MORE);
    assert_string_equal(missing(&asked, 0), "local");
    drop(&asked);
}

static void what_would_change_a_refusal_is_told(void **state)
{
    struct asked asked = ask();
    (void)state;
    assert_true(put(asked.answers, "birth", "1966-11-22"));
    assert_true(put(asked.answers, "local", "yes"));
    assert_true(put(asked.answers, "class", "none"));
    assert_true(put(asked.answers, "income", "2901"));
    assert_int_equal(calculated(&asked)->status, LB_POLICY_NEED_MORE);
    assert_string_equal(missing(&asked, 0), "members");
    assert_true(put(asked.answers, "members", "2"));
    const struct lb_policy_result *result = calculated(&asked);
    assert_int_equal(result->status, LB_POLICY_UNMATCHED);
    assert_int_equal(asked.calculation.num_missing, 0);
    assert_int_equal(result->num_changes, 2); /* the income, or else the class */
    assert_int_equal(result->changes[0], 2);
    assert_int_equal(result->changes[1], 3);
    drop(&asked);
}

static void policies_out_of_force_are_not_judged(void **state)
{
    struct asked asked = ask();
    (void)state;
    asked.answers->day = (struct lb_date){2027, 1, 1};
    assert_null(lb_catalogue_calculate(asked.catalogue, 0, asked.answers, asked.arena,
                                       &asked.calculation));
    assert_int_equal(asked.calculation.num_results, 0);
    assert_int_equal(asked.calculation.num_missing, 0);
    drop(&asked);
}

/* --- the check --- */

static size_t findings(struct files files, const char *where, const char *what)
{
    struct lb_diag diag = {{0}};
    struct lb_catalogue *catalogue = NULL;
    const struct lb_catalogue_finding *list = NULL;
    struct lb_arena *arena = lb_arena_new(1 << 20);
    size_t num = 0;
    if (load(&files, &diag, &catalogue) != LB_OK)
        fail_msg("%s", diag.text);
    assert_null(lb_catalogue_check(catalogue, &TODAY, arena, &list, &num));
    bool found = false;
    for (size_t i = 0; i < num; i++)
        found = found || (strcmp(list[i].where, where) == 0 &&
                          strstr(list[i].text.en, what) != NULL);
    assert_true(found || num == 0);
    lb_catalogue_free(catalogue);
    lb_arena_free(arena);
    return num;
}

static void the_check_finds_what_loading_does_not(void **state)
{
    (void)state;
    assert_int_equal(findings(GOOD, "", ""), 0);
    struct files files = GOOD;
    files.limits = with(LIMITS, "thresholds:\n",
                        "thresholds:\n  idle: {value: 1, unit: count, source: s}\n");
    assert_int_equal(findings(files, "idle", "no policy uses"), 1);
    files = GOOD;
    files.questions = with(QUESTIONS, "questions:\n",
                           "questions:\n  - {question: idle, type: bool, text: {zh: 闲, en: I}}\n");
    assert_int_equal(findings(files, "idle", "no policy needs"), 1);
    files = GOOD; /* nobody is both */
    files.aid = with(AID, "test: local,", "test: age < age_old,");
    files.aid = with(strdupa(files.aid), "zh: 本市, en: Local", "zh: '{age_old}', en: '{age_old}'");
    assert_true(findings(files, "aid", "never decides") > 0);
    files = GOOD; /* true for all */
    files.aid = with(AID, "class = 'low'", "class IN ('low', 'none')");
    assert_true(findings(files, "aid", "never decides") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_are_read),
        cmocka_unit_test(wrong_policies_are_refused),
        cmocka_unit_test(wrong_questions_and_limits_are_refused),
        cmocka_unit_test(answers_are_taken_within_their_bounds_only),
        cmocka_unit_test(questions_are_asked_while_they_can_change_the_answer),
        cmocka_unit_test(what_would_change_a_refusal_is_told),
        cmocka_unit_test(policies_out_of_force_are_not_judged),
        cmocka_unit_test(the_check_finds_what_loading_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
