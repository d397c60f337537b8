#include <time.h>

#include "gateway/window/inside.h"
#include "gateway/window/suggest.h"
#include "gateway/wire/pb.h"

/* The policy calculator. What was entered lives in the call's arena and in `answers`, and both are
 * wiped when the call ends. */

static char *text(const char *words)
{
    return (char *)(uintptr_t)(words == NULL ? "" : words);
}

#define NEW_MESSAGE(arena_, out_, init_)                                                           \
    do {                                                                                           \
        *(out_) = lb_arena_alloc(arena_, sizeof(**(out_)));                                        \
        LB_ENSURE(*(out_) != NULL, LB_NO_MEMORY, "arena is full");                                 \
        init_(*(out_));                                                                            \
    } while (0)

/* --- the request --- */

/* The day of the request, or today at this machine. */
static lb_status read_day(const struct lb_window *window, const char *day, struct lb_date *out)
{
    time_t now = (time_t)lb_clock_unix_s(window->options.clock);
    struct tm local;
    if (day[0] != '\0') {
        LB_ENSURE(lb_date_parse(lb_span_str(day), out), LB_MALFORMED, "no such day");
        return LB_OK;
    }
    LB_ENSURE(localtime_r(&now, &local) != NULL, LB_MALFORMED, "the clock has no day");
    *out = (struct lb_date){local.tm_year + 1900, local.tm_mon + 1, local.tm_mday};
    return LB_OK;
}

static lb_status read_answers(const Lianban__V1__CalculatePoliciesRequest *request,
                              struct lb_answers *answers)
{
    struct lb_diag diag; /* what it says is for who enters it; the code is for the window system */
    for (size_t i = 0; i < request->n_answers; i++) {
        const Lianban__V1__PolicyAnswer *answer = request->answers[i];
        LB_TRY(lb_answers_put(answers, lb_span_str(answer->question),
                              lb_span_str(answer->answer), &diag));
    }
    return LB_OK;
}

/* --- the response --- */

static lb_status add_thresholds(const struct lb_policy_condition *condition,
                                struct lb_arena *arena, Lianban__V1__PolicyReason *reason)
{
    reason->thresholds =
        lb_arena_array(arena, condition->num_thresholds, sizeof(reason->thresholds[0]));
    LB_ENSURE(reason->thresholds != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < condition->num_thresholds; i++) {
        Lianban__V1__PolicyThreshold *one;
        NEW_MESSAGE(arena, &one, lianban__v1__policy_threshold__init);
        one->name = text(condition->thresholds[i]->name);
        one->value = condition->thresholds[i]->value;
        one->unit = text(condition->thresholds[i]->unit);
        one->source = text(condition->thresholds[i]->source);
        reason->thresholds[reason->n_thresholds++] = one;
    }
    return LB_OK;
}

static lb_status add_reasons(const struct lb_policy_result *result, struct lb_arena *arena,
                             Lianban__V1__PolicyResult *message)
{
    const struct lb_policy *policy = result->policy;
    message->reasons = lb_arena_array(arena, policy->num_conditions, sizeof(message->reasons[0]));
    LB_ENSURE(message->reasons != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < policy->num_conditions; i++) {
        const struct lb_policy_condition *condition = &policy->conditions[i];
        Lianban__V1__PolicyReason *reason;
        NEW_MESSAGE(arena, &reason, lianban__v1__policy_reason__init);
        reason->condition = text(condition->name);
        reason->truth = text(lb_truth_name(result->conditions[i]));
        reason->text_zh = text(condition->text.zh);
        reason->text_en = text(condition->text.en);
        reason->source = text(condition->source);
        LB_TRY(add_thresholds(condition, arena, reason));
        message->reasons[message->n_reasons++] = reason;
    }
    return LB_OK;
}

static lb_status add_names(const struct lb_catalogue *catalogue,
                           const struct lb_policy_result *result, struct lb_arena *arena,
                           Lianban__V1__PolicyResult *message)
{
    message->missing = lb_arena_array(arena, result->num_missing, sizeof(message->missing[0]));
    message->changes = lb_arena_array(arena, result->num_changes, sizeof(message->changes[0]));
    LB_ENSURE(message->missing != NULL && message->changes != NULL, LB_NO_MEMORY,
              "arena is full");
    for (size_t i = 0; i < result->num_missing; i++)
        message->missing[message->n_missing++] =
            text(lb_catalogue_question(catalogue, result->missing[i])->id);
    for (size_t i = 0; i < result->num_changes; i++)
        message->changes[message->n_changes++] =
            text(result->policy->conditions[result->changes[i]].name);
    return LB_OK;
}

static lb_status result_message(const struct lb_catalogue *catalogue,
                                const struct lb_policy_result *result, struct lb_arena *arena,
                                Lianban__V1__PolicyResult **out)
{
    const struct lb_policy *policy = result->policy;
    Lianban__V1__PolicyResult *message;
    NEW_MESSAGE(arena, &message, lianban__v1__policy_result__init);
    message->policy = text(policy->id);
    message->version = policy->version;
    message->status = text(lb_policy_status_name(result->status));
    message->title_zh = text(policy->title.zh);
    message->title_en = text(policy->title.en);
    message->owner = text(policy->owner);
    message->document = text(policy->document);
    message->number = text(policy->number);
    message->benefit_zh = text(policy->benefit.zh);
    message->benefit_en = text(policy->benefit.en);
    message->remark_zh = text(policy->remark.zh);
    message->remark_en = text(policy->remark.en);
    LB_TRY(add_reasons(result, arena, message));
    LB_TRY(add_names(catalogue, result, arena, message));
    *out = message;
    return LB_OK;
}

static lb_status question_message(const struct lb_question *question, struct lb_arena *arena,
                                  Lianban__V1__PolicyQuestion **out)
{
    bool bounded = question->type == LB_QUESTION_INT || question->type == LB_QUESTION_MONEY;
    Lianban__V1__PolicyQuestion *message;
    NEW_MESSAGE(arena, &message, lianban__v1__policy_question__init);
    message->question = text(question->id);
    message->type = text(lb_question_type_name(question->type));
    message->text_zh = text(question->text.zh);
    message->text_en = text(question->text.en);
    message->min = bounded ? question->min : 0;
    message->max = bounded ? question->max : 0;
    message->from = text(question->from);
    message->choices = lb_arena_array(arena, question->num_choices, sizeof(message->choices[0]));
    LB_ENSURE(message->choices != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < question->num_choices; i++) {
        Lianban__V1__PolicyChoice *choice;
        NEW_MESSAGE(arena, &choice, lianban__v1__policy_choice__init);
        choice->choice = text(question->choices[i].id);
        choice->text_zh = text(question->choices[i].text.zh);
        choice->text_en = text(question->choices[i].text.en);
        message->choices[message->n_choices++] = choice;
    }
    *out = message;
    return LB_OK;
}

static lb_status add_results(const struct lb_catalogue *catalogue,
                             const struct lb_calculation *calculation, struct lb_arena *arena,
                             Lianban__V1__CalculatePoliciesResponse *response)
{
    response->policies =
        lb_arena_array(arena, calculation->num_results, sizeof(response->policies[0]));
    response->missing =
        lb_arena_array(arena, calculation->num_missing, sizeof(response->missing[0]));
    LB_ENSURE(response->policies != NULL && response->missing != NULL, LB_NO_MEMORY,
              "arena is full");
    for (size_t i = 0; i < calculation->num_results; i++) {
        LB_TRY(result_message(catalogue, &calculation->results[i], arena,
                              &response->policies[i]));
        response->n_policies++;
    }
    for (size_t i = 0; i < calculation->num_missing; i++) {
        LB_TRY(question_message(lb_catalogue_question(catalogue, calculation->missing[i]), arena,
                                &response->missing[i]));
        response->n_missing++;
    }
    return LB_OK;
}

lb_status lb_window_calculate_policies(struct lb_window *window,
                                       const Lianban__V1__CalculatePoliciesRequest *request,
                                       struct lb_arena *arena,
                                       Lianban__V1__CalculatePoliciesResponse **out)
{
    struct lb_catalogue *catalogue = window->options.catalogue;
    LB_DEFER(lb_answers_freep) struct lb_answers *answers = NULL;
    Lianban__V1__CalculatePoliciesResponse *response;
    struct lb_calculation calculation;
    struct lb_date day;
    LB_ENSURE(catalogue != NULL, LB_NO_METHOD, "the agent has no catalogue");
    LB_TRY(read_day(window, request->day, &day));
    LB_TRY(lb_answers_new(catalogue, &day, &answers));
    LB_TRY(read_answers(request, answers));
    (void)pthread_mutex_lock(&window->calculating);
    lb_status status = lb_catalogue_calculate(catalogue, SIZE_MAX, answers, arena, &calculation);
    (void)pthread_mutex_unlock(&window->calculating);
    LB_TRY(status);
    NEW_MESSAGE(arena, &response, lianban__v1__calculate_policies_response__init);
    response->catalogue = text(lb_catalogue_id(catalogue));
    response->version = lb_catalogue_version(catalogue);
    response->sha256 = lb_pb_bytes(lb_span_of(lb_catalogue_sha256(catalogue), 32));
    response->day = lb_arena_printf(arena, "%04d-%02d-%02d", day.year, day.month, day.day);
    LB_ENSURE(response->day != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(add_results(catalogue, &calculation, arena, response));
    *out = response;
    return LB_OK;
}
