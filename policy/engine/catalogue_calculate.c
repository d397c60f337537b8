#include <stdlib.h>
#include <string.h>

#include "gateway/base/wipe.h"
#include "policy/engine/catalogue_internal.h"

const char *lb_policy_status_name(enum lb_policy_status status)
{
    static const char *const names[] = {
        [LB_POLICY_UNMATCHED] = "unmatched",
        [LB_POLICY_MATCHED] = "matched",
        [LB_POLICY_NEED_MORE] = "need_more",
    };
    return names[status];
}

/* --- conditions --- */

static struct lb_expr_value answer_value(const struct lb_answers *answers,
                                         const struct catalogue_name *name)
{
    const struct lb_question *question = &answers->catalogue->questions[name->index];
    const struct catalogue_answer *answer = &answers->answers[name->index];
    struct lb_expr_value value = {.kind = LB_EXPR_UNKNOWN};
    if (!answer->known)
        return value;
    value.kind = name->kind;
    value.number = answer->number;
    value.truth = answer->number == 1;
    if (name->role == NAME_YEARS) {
        struct lb_date date = lb_catalogue_date_of(answer->number);
        value.number = lb_date_age(&date, &answers->day);
    }
    if (name->kind == LB_EXPR_TEXT) {
        const char *choice = question->choices[answer->number].id;
        memcpy(value.text, choice, strlen(choice) + 1);
    }
    return value;
}

static struct lb_expr_value value_of(const struct lb_answers *answers,
                                     const struct catalogue_name *name)
{
    if (name->role == NAME_THRESHOLD)
        return (struct lb_expr_value){.kind = LB_EXPR_NUMBER,
                                      .number = answers->catalogue->thresholds[name->index]};
    return answer_value(answers, name);
}

static enum lb_truth truth_of(const struct lb_expr_value *value)
{
    if (value->kind != LB_EXPR_TRUTH)
        return LB_UNKNOWN;
    return value->truth ? LB_TRUE : LB_FALSE;
}

static lb_status judge_one(const struct catalogue_test *test, const struct lb_answers *answers,
                           enum lb_truth *out_truth)
{
    struct lb_expr_value values[LB_CATALOGUE_MAX_TEST_NAMES];
    struct lb_expr_value out;
    for (size_t i = 0; i < test->num_names; i++)
        values[i] = value_of(answers, &test->names[i]);
    lb_status status = lb_expr_eval(test->expr, values, LB_EXPR_TRUTH, &out);
    lb_wipe(values, sizeof(values));
    LB_TRY(status);
    *out_truth = truth_of(&out);
    return LB_OK;
}

lb_status lb_catalogue_judge(const struct catalogue_policy *policy,
                             const struct lb_answers *answers, enum lb_truth *out_truths)
{
    for (size_t i = 0; i < policy->policy.num_conditions; i++)
        LB_TRY(judge_one(&policy->tests[i], answers, &out_truths[i]));
    return LB_OK;
}

/* --- a policy --- */

static lb_status judge_when(const struct catalogue_policy *policy, const enum lb_truth *truths,
                            enum lb_policy_status *out_status)
{
    struct lb_expr_value values[LB_CATALOGUE_MAX_CONDITIONS];
    struct lb_expr_value out;
    for (size_t i = 0; i < policy->policy.num_conditions; i++)
        values[i] = (struct lb_expr_value){
            .kind = truths[i] == LB_UNKNOWN ? LB_EXPR_UNKNOWN : LB_EXPR_TRUTH,
            .truth = truths[i] == LB_TRUE,
        };
    LB_TRY(lb_expr_eval(policy->when, values, LB_EXPR_TRUTH, &out));
    enum lb_truth truth = truth_of(&out);
    *out_status = truth == LB_UNKNOWN ? LB_POLICY_NEED_MORE
                  : truth == LB_TRUE  ? LB_POLICY_MATCHED
                                      : LB_POLICY_UNMATCHED;
    return LB_OK;
}

static unsigned those(const struct catalogue_policy *policy, const enum lb_truth *truths,
                      enum lb_truth truth)
{
    unsigned found = 0;
    for (size_t i = 0; i < policy->policy.num_conditions; i++)
        found |= truths[i] == truth ? 1u << i : 0;
    return found;
}

/* What a question decides in a policy: as much as the most deciding open condition that waits for
 * its answer. */
static void weigh_questions(const struct lb_answers *answers, const struct catalogue_policy *policy,
                            const enum lb_truth *truths, unsigned *weights)
{
    unsigned influence[LB_CATALOGUE_MAX_CONDITIONS];
    lb_catalogue_influence(policy, those(policy, truths, LB_TRUE),
                           those(policy, truths, LB_UNKNOWN), influence);
    for (size_t i = 0; i < policy->policy.num_conditions; i++) {
        const struct lb_policy_condition *condition = &policy->policy.conditions[i];
        for (size_t k = 0; k < condition->num_questions; k++) {
            size_t question = condition->questions[k];
            if (!answers->answers[question].known && weights[question] < influence[i])
                weights[question] = influence[i];
        }
    }
}

/* The questions with a weight, the heaviest first and else in the file's order. */
static lb_status list_by_weight(const unsigned *weights, size_t num_questions,
                                struct lb_arena *arena, size_t *out_num, const size_t **out_list)
{
    size_t *list = lb_arena_array(arena, num_questions, sizeof(*list));
    size_t num = 0;
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "missing questions");
    for (size_t i = 0; i < num_questions; i++) {
        if (weights[i] == 0)
            continue;
        size_t at = num++;
        for (; at > 0 && weights[list[at - 1]] < weights[i]; at--)
            list[at] = list[at - 1];
        list[at] = i;
    }
    *out_num = num;
    *out_list = list;
    return LB_OK;
}

/* A condition that fails is worth changing if, together with others that fail or are open, it
 * could make the policy match. */
static lb_status list_changes(const struct catalogue_policy *policy, const enum lb_truth *truths,
                              struct lb_arena *arena, struct lb_policy_result *out)
{
    unsigned influence[LB_CATALOGUE_MAX_CONDITIONS];
    size_t *changes = lb_arena_array(arena, policy->policy.num_conditions, sizeof(*changes));
    LB_ENSURE(changes != NULL, LB_NO_MEMORY, "changes");
    lb_catalogue_influence(policy, those(policy, truths, LB_TRUE),
                           those(policy, truths, LB_FALSE) | those(policy, truths, LB_UNKNOWN),
                           influence);
    for (size_t i = 0; i < policy->policy.num_conditions; i++)
        if (truths[i] == LB_FALSE && influence[i] > 0)
            changes[out->num_changes++] = i;
    out->changes = changes;
    return LB_OK;
}

static lb_status calculate_one(const struct lb_catalogue *catalogue,
                               const struct catalogue_policy *policy,
                               const struct lb_answers *answers, struct lb_arena *arena,
                               unsigned *sums, struct lb_policy_result *out)
{
    unsigned weights[LB_CATALOGUE_MAX_QUESTIONS] = {0};
    struct lb_policy_result result = {.policy = &policy->policy};
    enum lb_truth *truths =
        lb_arena_array(arena, policy->policy.num_conditions, sizeof(*truths));
    LB_ENSURE(truths != NULL, LB_NO_MEMORY, "conditions");
    LB_TRY(lb_catalogue_judge(policy, answers, truths));
    LB_TRY(judge_when(policy, truths, &result.status));
    result.conditions = truths;
    if (result.status == LB_POLICY_NEED_MORE) {
        weigh_questions(answers, policy, truths, weights);
        LB_TRY(list_by_weight(weights, catalogue->num_questions, arena, &result.num_missing,
                              &result.missing));
    }
    if (result.status == LB_POLICY_UNMATCHED)
        LB_TRY(list_changes(policy, truths, arena, &result));
    for (size_t i = 0; i < catalogue->num_questions; i++)
        sums[i] += weights[i];
    *out = result;
    return LB_OK;
}

lb_status lb_catalogue_calculate(struct lb_catalogue *catalogue, size_t only,
                                 const struct lb_answers *answers, struct lb_arena *arena,
                                 struct lb_calculation *out)
{
    unsigned sums[LB_CATALOGUE_MAX_QUESTIONS] = {0};
    struct lb_calculation calculation = {.num_results = 0};
    struct lb_policy_result *results =
        lb_arena_array(arena, catalogue->num_policies, sizeof(*results));
    LB_ENSURE(results != NULL, LB_NO_MEMORY, "results");
    for (size_t i = 0; i < catalogue->num_policies; i++) {
        const struct catalogue_policy *policy = &catalogue->policies[i];
        if ((only != SIZE_MAX && only != i) ||
            !lb_policy_in_force(&policy->policy, &answers->day))
            continue;
        LB_TRY(calculate_one(catalogue, policy, answers, arena, sums,
                             &results[calculation.num_results]));
        calculation.num_results++;
    }
    calculation.results = results;
    LB_TRY(list_by_weight(sums, catalogue->num_questions, arena, &calculation.num_missing,
                          &calculation.missing));
    *out = calculation;
    return LB_OK;
}
