#include "policy/engine/catalogue_internal.h"
#include "tests/fuzz/fuzz.h"

/* A policy's file within a small catalogue, and what people answer. */

#define ARENA_BYTES (1U << 20)

static const char INDEX[] =
    "catalogue: town\nversion: 1\ntitle: {zh: 某市, en: A town}\n"
    "thresholds: limits\nquestions: questions\npolicies: [aid]\n";
static const char LIMITS[] =
    "rules: limits\nversion: 1\nin_force: 2026-01-01\ntitle: {zh: 标准, en: Limits}\n"
    "thresholds:\n  age.old: {value: 60, unit: years, source: s}\n"
    "  line: {value: 145050, unit: cents, source: s}\n";
static const char QUESTIONS[] =
    "questions:\n"
    "  - {question: local, type: bool, text: {zh: 本市, en: Local}}\n"
    "  - question: birth\n    type: date\n    from: 1900-01-01\n"
    "    gives: {age: years, born_on: date}\n    text: {zh: 生日, en: Birth}\n"
    "  - {question: income, type: money, min: 0, max: 10000000, text: {zh: 收入, en: Income}}\n"
    "  - {question: members, type: int, min: 1, max: 20, text: {zh: 人数, en: Members}}\n"
    "  - question: class\n    type: choice\n    text: {zh: 类别, en: Class}\n"
    "    choices:\n      - {choice: low, text: {zh: 低, en: Low}}\n"
    "      - {choice: none, text: {zh: 无, en: None}}\n";
static const char AID[] =
    "policy: aid\nversion: 1\ntitle: {zh: 救助, en: Aid}\nowner: civil-affairs\n"
    "document: {title: 办法, number: 1号, in_force: 2026-01-01}\nbenefit: {zh: 钱, en: Money}\n"
    "conditions:\n"
    "  - {condition: local, test: local, text: {zh: 本市, en: Local}, source: 一}\n"
    "  - {condition: old, test: age >= age_old, text: {zh: '{age_old}', en: '{age_old}'},"
    " source: 二}\n"
    "  - {condition: poor, test: income < line * members, text: {zh: '{line}', en: '{line}'},"
    " source: 三}\n"
    "  - {condition: low, test: \"class = 'low'\", text: {zh: 低, en: Low}, source: 四}\n"
    "when: local AND ((old AND poor) OR low)\n";

static lb_status read_text(void *ctx, const char *name, struct lb_diag *diag, struct lb_yaml **out)
{
    const struct lb_span *aid = ctx;
    bool questions = strcmp(name, "questions") == 0;
    return lb_yaml_load_text(questions ? lb_span_str(QUESTIONS) : *aid, name, diag, out);
}

static lb_status read_limits(void *ctx, const char *name, struct lb_diag *diag,
                             struct lb_rules **out)
{
    (void)ctx;
    return lb_rules_load_text(lb_span_str(LIMITS), name, diag, out);
}

static lb_status load(struct lb_span aid, struct lb_diag *diag, struct lb_catalogue **out)
{
    struct lb_yaml *index = NULL;
    const struct catalogue_source source = {&aid, read_text, read_limits};
    FUZZ_OK(lb_yaml_load_text(lb_span_str(INDEX), "index", diag, &index));
    return lb_catalogue_read(index, &source, diag, out);
}

bool fuzz_policy_file(struct lb_span in)
{
    LB_DEFER(lb_catalogue_freep) struct lb_catalogue *catalogue = NULL;
    struct lb_diag diag = {""};
    unsigned influence[LB_CATALOGUE_MAX_CONDITIONS];
    if (load(in, &diag, &catalogue) != LB_OK) {
        FUZZ_CHECK(catalogue == NULL && diag.text[0] != 0);
        return false;
    }
    const struct catalogue_policy *policy = &catalogue->policies[0];
    size_t num = policy->policy.num_conditions;
    FUZZ_CHECK(num >= 1 && num <= LB_CATALOGUE_MAX_CONDITIONS);
    /* it fits when all conditions hold, not when none does, and each of them matters */
    FUZZ_CHECK(lb_catalogue_holds(policy, (1U << num) - 1) && !lb_catalogue_holds(policy, 0));
    lb_catalogue_influence(policy, 0, (1U << num) - 1, influence);
    for (size_t i = 0; i < num; i++)
        FUZZ_CHECK(influence[i] > 0 && influence[i] <= 1U << LB_CATALOGUE_MAX_CONDITIONS);
    return true;
}

void seed_policy_file(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, AID);
}

/* Lines of question=answer, then what follows from them. */
static bool try_answers(struct lb_catalogue *catalogue, struct lb_span in,
                        struct lb_answers *answers)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_calculation calculation;
    struct lb_diag diag = {""};
    bool all_known = true;
    while (in.len > 0) {
        struct lb_span line = fuzz_line(&in);
        const uint8_t *equals = line.len == 0 ? NULL : memchr(line.ptr, '=', line.len);
        size_t len = equals == NULL ? line.len : (size_t)(equals - line.ptr);
        struct lb_span text = equals == NULL ? LB_SPAN_EMPTY
                                             : lb_span_of(equals + 1, line.len - len - 1);
        lb_status status = lb_answers_put(answers, lb_span_of(line.ptr, len), text, &diag);
        if (status != LB_OK) {
            FUZZ_CODE(status, LB_ANSWER_INVALID);
            FUZZ_CHECK(diag.text[0] != 0);
            return false;
        }
    }
    for (size_t i = 0; i < catalogue->num_questions; i++)
        all_known = all_known && answers->answers[i].known;
    FUZZ_OK(lb_catalogue_calculate(catalogue, SIZE_MAX, answers, arena, &calculation));
    FUZZ_CHECK(calculation.num_results == 1);
    const struct lb_policy_result *result = &calculation.results[0];
    FUZZ_CHECK((result->status == LB_POLICY_NEED_MORE) == (result->num_missing > 0));
    FUZZ_CHECK((result->status == LB_POLICY_UNMATCHED) == (result->num_changes > 0));
    FUZZ_CHECK(!all_known || result->status != LB_POLICY_NEED_MORE);
    for (size_t i = 0; i < result->num_missing; i++)
        FUZZ_CHECK(!answers->answers[result->missing[i]].known);
    return true;
}

bool fuzz_policy_answers(struct lb_span in)
{
    LB_DEFER(lb_catalogue_freep) struct lb_catalogue *catalogue = NULL;
    LB_DEFER(lb_answers_freep) struct lb_answers *answers = NULL;
    const struct lb_date day = {2026, 11, 22};
    struct lb_diag diag = {""};
    FUZZ_OK(load(lb_span_str(AID), &diag, &catalogue));
    FUZZ_OK(lb_answers_new(catalogue, &day, &answers));
    return try_answers(catalogue, in, answers);
}

void seed_policy_answers(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, "local=yes\nbirth=1966-11-22\nincome=1450.49\nmembers=1\nclass=none\n");
    fuzz_seed_text(sink, "birth=1966-11-23\nclass=unknown\nincome=0\n");
    fuzz_seed_text(sink, "local=false\n");
}
