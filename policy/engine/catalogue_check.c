#include <string.h>

#include "policy/engine/catalogue_internal.h"

/*
 * What a catalogue's files mean together. Answers are tried: of each question its bounds, every
 * choice, and the values around each threshold that stands in a test with it. A search goes through
 * a policy's questions one by one and leaves a branch as soon as what it looks for is out of reach
 * whatever the open answers are.
 */
#define MAX_TRIED 48        /* answers to one question */
#define MAX_STEPS 200000    /* of one search */
#define MAX_FINDINGS 256

struct tried {
    size_t question;
    size_t num;
    int64_t values[MAX_TRIED];
};

struct search {
    const struct lb_catalogue *catalogue;
    const struct catalogue_policy *policy;
    struct lb_answers *answers;
    size_t num_tried;
    struct tried tried[LB_CATALOGUE_MAX_QUESTIONS];
    unsigned steps;
    size_t decides;  /* a condition that must decide alone; SIZE_MAX: none */
    bool wanted;     /* else: the policy's result */
};

struct findings {
    struct lb_catalogue_finding *list;
    size_t num;
};

static void report(struct findings *findings, const char *where, const char *condition,
                   const char *zh, const char *en)
{
    if (findings->num < MAX_FINDINGS)
        findings->list[findings->num++] =
            (struct lb_catalogue_finding){where, condition, {.zh = zh, .en = en}};
}

/* --- answers to try --- */

static void try_value(struct tried *tried, int64_t value, int64_t min, int64_t max)
{
    if (value < min || value > max || tried->num == MAX_TRIED)
        return;
    for (size_t i = 0; i < tried->num; i++)
        if (tried->values[i] == value)
            return;
    tried->values[tried->num++] = value;
}

/* The day before or after a date, which may be the 29 February of a common year. */
static int64_t next_day(int64_t number, int step)
{
    struct lb_date date = lb_catalogue_date_of(number);
    date.day += step;
    if (date.day < 1) {
        date.month = date.month == 1 ? 12 : date.month - 1;
        date.year -= date.month == 12;
        date.day = 31;
    }
    while (date.day > 28 && !lb_date_valid(&date) && step < 0)
        date.day--;
    if (!lb_date_valid(&date)) {
        date.day = 1;
        date.month = date.month == 12 ? 1 : date.month + 1;
        date.year += date.month == 1;
    }
    return lb_catalogue_date_number(&date);
}

static void try_dates(struct tried *tried, int64_t at, int64_t min, int64_t max)
{
    struct lb_date date = lb_catalogue_date_of(at);
    if (!lb_date_valid(&date))
        at = next_day(at, 0);
    try_value(tried, next_day(at, -1), min, max);
    try_value(tried, at, min, max);
    try_value(tried, next_day(at, 1), min, max);
}

/* Around the thresholds of one condition, as far as they are of the question's own kind. */
static void try_thresholds(const struct search *search, const struct lb_policy_condition *condition,
                           const struct lb_question *question, struct tried *tried)
{
    int64_t today = lb_catalogue_date_number(&search->answers->day);
    for (size_t i = 0; i < condition->num_thresholds; i++) {
        const struct lb_threshold *threshold = condition->thresholds[i];
        if (question->type != LB_QUESTION_DATE) {
            for (int64_t step = -1; step <= 1; step++)
                try_value(tried, threshold->value + step, question->min, question->max);
        } else if (strcmp(threshold->unit, "date") == 0) {
            try_dates(tried, threshold->value, question->min, today);
        } else {
            try_dates(tried, today - threshold->value * 10000, question->min, today);
        }
    }
}

static void try_question(const struct search *search, size_t index, struct tried *tried)
{
    const struct lb_question *question = &search->catalogue->questions[index];
    const struct lb_policy *policy = &search->policy->policy;
    int64_t max = question->max;
    if (question->type == LB_QUESTION_BOOL)
        max = 1;
    if (question->type == LB_QUESTION_DATE)
        max = lb_catalogue_date_number(&search->answers->day);
    tried->question = index;
    for (size_t i = 0; i < question->num_choices; i++)
        try_value(tried, (int64_t)i, 0, (int64_t)i);
    if (question->type == LB_QUESTION_CHOICE)
        return;
    try_value(tried, question->min, question->min, max);
    try_value(tried, max, question->min, max);
    for (size_t i = 0; i < policy->num_conditions; i++)
        for (size_t k = 0; k < policy->conditions[i].num_questions; k++)
            if (policy->conditions[i].questions[k] == index)
                try_thresholds(search, &policy->conditions[i], question, tried);
}

static void begin_search(struct search *search, const struct catalogue_policy *policy)
{
    bool asked[LB_CATALOGUE_MAX_QUESTIONS] = {false};
    search->policy = policy;
    search->num_tried = 0;
    for (size_t i = 0; i < policy->policy.num_conditions; i++) {
        const struct lb_policy_condition *condition = &policy->policy.conditions[i];
        for (size_t k = 0; k < condition->num_questions; k++) {
            if (asked[condition->questions[k]])
                continue;
            asked[condition->questions[k]] = true;
            struct tried *tried = &search->tried[search->num_tried++];
            *tried = (struct tried){.num = 0};
            try_question(search, condition->questions[k], tried);
        }
    }
}

/* --- the search --- */

enum reach { REACH_NO, REACH_OPEN, REACH_YES };

/* What is known of the conditions, as combinations: those that hold, and those that hold or may. */
static enum reach reach_of(const struct search *search, const enum lb_truth *truths)
{
    const struct catalogue_policy *policy = search->policy;
    unsigned holding = 0;
    unsigned possible = 0;
    for (size_t i = 0; i < policy->policy.num_conditions; i++) {
        holding |= truths[i] == LB_TRUE ? 1u << i : 0;
        possible |= truths[i] != LB_FALSE ? 1u << i : 0;
    }
    if (search->decides == SIZE_MAX) {
        if (lb_catalogue_holds(policy, holding) == lb_catalogue_holds(policy, possible))
            return lb_catalogue_holds(policy, holding) == search->wanted ? REACH_YES : REACH_NO;
        return REACH_OPEN;
    }
    unsigned self = 1u << search->decides;
    if (truths[search->decides] == LB_TRUE || lb_catalogue_holds(policy, holding & ~self) ||
        !lb_catalogue_holds(policy, possible | self))
        return REACH_NO;
    return truths[search->decides] == LB_FALSE && lb_catalogue_holds(policy, holding | self) &&
                   !lb_catalogue_holds(policy, possible & ~self)
               ? REACH_YES
               : REACH_OPEN;
}

static lb_status look(struct search *search, size_t depth, bool *out_found)
{
    enum lb_truth truths[LB_CATALOGUE_MAX_CONDITIONS];
    LB_TRY(lb_catalogue_judge(search->policy, search->answers, truths));
    enum reach reach = reach_of(search, truths);
    *out_found = reach == REACH_YES;
    if (reach != REACH_OPEN || depth == search->num_tried || search->steps++ >= MAX_STEPS)
        return LB_OK;
    const struct tried *tried = &search->tried[depth];
    struct catalogue_answer *answer = &search->answers->answers[tried->question];
    for (size_t i = 0; i < tried->num && !*out_found; i++) {
        *answer = (struct catalogue_answer){true, true, tried->values[i]};
        LB_TRY(look(search, depth + 1, out_found));
    }
    *answer = (struct catalogue_answer){.told = false};
    return LB_OK;
}

static lb_status find(struct search *search, size_t decides, bool wanted, bool *out_found)
{
    search->decides = decides;
    search->wanted = wanted;
    search->steps = 0;
    return look(search, 0, out_found);
}

static lb_status check_policy(struct search *search, struct findings *findings)
{
    const struct lb_policy *policy = &search->policy->policy;
    bool found = false;
    LB_TRY(find(search, SIZE_MAX, true, &found));
    if (!found)
        report(findings, policy->id, NULL, "没有任何回答能够符合该政策",
               "no answers match this policy");
    LB_TRY(find(search, SIZE_MAX, false, &found));
    if (!found)
        report(findings, policy->id, NULL, "任何回答都符合该政策",
               "all answers match this policy");
    for (size_t i = 0; i < policy->num_conditions; i++) {
        LB_TRY(find(search, i, false, &found));
        if (!found)
            report(findings, policy->id, policy->conditions[i].name,
                   "该条件从不单独起决定作用，须更正或删除",
                   "this condition never decides by itself; correct it or remove it");
    }
    return LB_OK;
}

/* --- what nothing uses --- */

static bool uses_threshold(const struct lb_catalogue *catalogue,
                           const struct lb_threshold *threshold)
{
    for (size_t p = 0; p < catalogue->num_policies; p++) {
        const struct lb_policy *policy = &catalogue->policies[p].policy;
        for (size_t i = 0; i < policy->num_conditions; i++)
            for (size_t k = 0; k < policy->conditions[i].num_thresholds; k++)
                if (policy->conditions[i].thresholds[k] == threshold)
                    return true;
    }
    return false;
}

static bool uses_question(const struct lb_catalogue *catalogue, size_t question)
{
    for (size_t p = 0; p < catalogue->num_policies; p++) {
        const struct lb_policy *policy = &catalogue->policies[p].policy;
        for (size_t i = 0; i < policy->num_conditions; i++)
            for (size_t k = 0; k < policy->conditions[i].num_questions; k++)
                if (policy->conditions[i].questions[k] == question)
                    return true;
    }
    return false;
}

static void check_unused(const struct lb_catalogue *catalogue, struct findings *findings)
{
    const struct lb_threshold *threshold = NULL;
    for (size_t i = 0; (threshold = lb_rules_threshold_at(catalogue->rules, i)) != NULL; i++)
        if (!uses_threshold(catalogue, threshold))
            report(findings, threshold->name, NULL, "没有政策使用该标准",
                   "no policy uses this threshold");
    for (size_t i = 0; i < catalogue->num_questions; i++)
        if (!uses_question(catalogue, i))
            report(findings, catalogue->questions[i].id, NULL, "没有政策需要该问题",
                   "no policy needs this question");
}

lb_status lb_catalogue_check(struct lb_catalogue *catalogue, const struct lb_date *day,
                             struct lb_arena *arena,
                             const struct lb_catalogue_finding **out_findings, size_t *out_num)
{
    LB_DEFER(lb_answers_freep) struct lb_answers *answers = NULL;
    struct search *search = lb_arena_alloc(arena, sizeof(*search));
    struct findings findings = {
        .list = lb_arena_array(arena, MAX_FINDINGS, sizeof(*findings.list))};
    LB_ENSURE(search != NULL && findings.list != NULL, LB_NO_MEMORY, "a check");
    LB_TRY(lb_answers_new(catalogue, day, &answers));
    *search = (struct search){.catalogue = catalogue, .answers = answers};
    check_unused(catalogue, &findings);
    for (size_t i = 0; i < catalogue->num_policies; i++) {
        begin_search(search, &catalogue->policies[i]);
        LB_TRY(check_policy(search, &findings));
    }
    *out_findings = findings.list;
    *out_num = findings.num;
    return LB_OK;
}
