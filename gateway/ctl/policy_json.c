#include "gateway/ctl/policy.h"

/* The calculator's results for other programs; their names are those of the window's messages. */

static void set_text(struct lb_json *object, const char *zh_key, const char *en_key,
                     const struct lb_form_text *text)
{
    lb_json_set_cstr(object, zh_key, text->zh);
    lb_json_set_cstr(object, en_key, text->en);
}

static struct lb_json *thresholds_json(const struct lb_policy_condition *condition)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < condition->num_thresholds; i++) {
        const struct lb_threshold *threshold = condition->thresholds[i];
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "name", threshold->name);
        lb_json_set_int(one, "value", threshold->value);
        lb_json_set_cstr(one, "unit", threshold->unit);
        lb_json_set_cstr(one, "source", threshold->source);
        lb_json_append(out, one);
    }
    return out;
}

static struct lb_json *questions_json(const struct lb_catalogue *catalogue, const size_t *indexes,
                                      size_t num)
{
    struct lb_json *out = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append_str(out, lb_span_str(lb_catalogue_question(catalogue, indexes[i])->id));
    return out;
}

static struct lb_json *condition_json(const struct lb_policy_condition *condition)
{
    struct lb_json *out = lb_json_object();
    lb_json_set_cstr(out, "condition", condition->name);
    set_text(out, "text_zh", "text_en", &condition->text);
    lb_json_set_cstr(out, "source", condition->source);
    lb_json_set(out, "thresholds", thresholds_json(condition));
    return out;
}

static void set_head(struct lb_json *out, const struct lb_policy *policy)
{
    lb_json_set_cstr(out, "policy", policy->id);
    lb_json_set_int(out, "version", policy->version);
    set_text(out, "title_zh", "title_en", &policy->title);
    lb_json_set_cstr(out, "owner", policy->owner);
    lb_json_set_cstr(out, "document", policy->document);
    lb_json_set_cstr(out, "number", policy->number == NULL ? "" : policy->number);
    set_text(out, "benefit_zh", "benefit_en", &policy->benefit);
    if (policy->remark.zh != NULL)
        set_text(out, "remark_zh", "remark_en", &policy->remark);
}

struct lb_json *lb_ctl_policy_json(const struct lb_catalogue *catalogue,
                                   const struct lb_policy *policy)
{
    struct lb_json *out = lb_json_object();
    struct lb_json *conditions = lb_json_array();
    set_head(out, policy);
    for (size_t i = 0; i < policy->num_conditions; i++) {
        const struct lb_policy_condition *condition = &policy->conditions[i];
        struct lb_json *one = condition_json(condition);
        lb_json_set_cstr(one, "test", condition->test);
        lb_json_set(one, "questions",
                    questions_json(catalogue, condition->questions, condition->num_questions));
        lb_json_append(conditions, one);
    }
    lb_json_set(out, "conditions", conditions);
    lb_json_set_cstr(out, "when", policy->when);
    return out;
}

struct lb_json *lb_ctl_policy_question_json(const struct lb_question *question)
{
    struct lb_json *out = lb_json_object();
    struct lb_json *choices = lb_json_array();
    bool bounded = question->type == LB_QUESTION_INT || question->type == LB_QUESTION_MONEY;
    lb_json_set_cstr(out, "question", question->id);
    lb_json_set_cstr(out, "type", lb_question_type_name(question->type));
    set_text(out, "text_zh", "text_en", &question->text);
    if (bounded) {
        lb_json_set_int(out, "min", question->min);
        lb_json_set_int(out, "max", question->max);
    }
    if (question->type == LB_QUESTION_DATE)
        lb_json_set_cstr(out, "from", question->from);
    for (size_t i = 0; i < question->num_choices; i++) {
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "choice", question->choices[i].id);
        set_text(one, "text_zh", "text_en", &question->choices[i].text);
        lb_json_append(choices, one);
    }
    lb_json_set(out, "choices", choices);
    return out;
}

static struct lb_json *result_json(const struct lb_catalogue *catalogue,
                                   const struct lb_policy_result *result)
{
    static const char *const truths[] = {"FALSE", "TRUE", "UNKNOWN"};
    struct lb_json *out = lb_json_object();
    struct lb_json *reasons = lb_json_array();
    struct lb_json *changes = lb_json_array();
    set_head(out, result->policy);
    lb_json_set_cstr(out, "status", lb_policy_status_name(result->status));
    for (size_t i = 0; i < result->policy->num_conditions; i++) {
        struct lb_json *one = condition_json(&result->policy->conditions[i]);
        lb_json_set_cstr(one, "truth", truths[result->conditions[i]]);
        lb_json_append(reasons, one);
    }
    for (size_t i = 0; i < result->num_changes; i++) {
        const char *name = result->policy->conditions[result->changes[i]].name;
        lb_json_append_str(changes, lb_span_str(name));
    }
    lb_json_set(out, "reasons", reasons);
    lb_json_set(out, "missing", questions_json(catalogue, result->missing, result->num_missing));
    lb_json_set(out, "changes", changes);
    return out;
}

struct lb_json *lb_ctl_policy_results_json(const struct lb_catalogue *catalogue,
                                           const struct lb_calculation *calculation)
{
    struct lb_json *out = lb_json_object();
    struct lb_json *results = lb_json_array();
    for (size_t i = 0; i < calculation->num_results; i++)
        lb_json_append(results, result_json(catalogue, &calculation->results[i]));
    lb_json_set_cstr(out, "catalogue", lb_catalogue_id(catalogue));
    lb_json_set_int(out, "version", lb_catalogue_version(catalogue));
    lb_json_set(out, "policies", results);
    lb_json_set(out, "missing",
                questions_json(catalogue, calculation->missing, calculation->num_missing));
    return out;
}
