#include "policy/engine/catalogue.h"

#include <stdlib.h>

#include "policy/engine/catalogue_internal.h"

static void free_policy(struct catalogue_policy *policy)
{
    for (size_t i = 0; policy->tests != NULL && i < policy->policy.num_conditions; i++)
        lb_expr_free(policy->tests[i].expr);
    lb_expr_free(policy->when);
}

void lb_catalogue_free(struct lb_catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    /* a policy whose reading failed has its file already */
    for (size_t i = 0; catalogue->policy_files != NULL && catalogue->policy_files[i] != NULL; i++) {
        free_policy(&catalogue->policies[i]);
        lb_yaml_free(catalogue->policy_files[i]);
    }
    free(catalogue->policy_files);
    lb_expr_env_free(catalogue->env);
    lb_rules_free(catalogue->rules);
    lb_yaml_free(catalogue->questions_file);
    lb_yaml_free(catalogue->index);
    lb_arena_free(catalogue->arena);
    free(catalogue);
}

void lb_catalogue_freep(struct lb_catalogue **catalogue)
{
    lb_catalogue_free(*catalogue);
}

const char *lb_catalogue_id(const struct lb_catalogue *catalogue)
{
    return catalogue->id;
}

uint32_t lb_catalogue_version(const struct lb_catalogue *catalogue)
{
    return catalogue->version;
}

const struct lb_form_text *lb_catalogue_title(const struct lb_catalogue *catalogue)
{
    return &catalogue->title;
}

const uint8_t *lb_catalogue_sha256(const struct lb_catalogue *catalogue)
{
    return catalogue->sha256;
}

const struct lb_rules *lb_catalogue_rules(const struct lb_catalogue *catalogue)
{
    return catalogue->rules;
}

size_t lb_catalogue_num_policies(const struct lb_catalogue *catalogue)
{
    return catalogue->num_policies;
}

const struct lb_policy *lb_catalogue_policy(const struct lb_catalogue *catalogue, size_t index)
{
    return index < catalogue->num_policies ? &catalogue->policies[index].policy : NULL;
}

size_t lb_catalogue_num_questions(const struct lb_catalogue *catalogue)
{
    return catalogue->num_questions;
}

const struct lb_question *lb_catalogue_question(const struct lb_catalogue *catalogue, size_t index)
{
    return index < catalogue->num_questions ? &catalogue->questions[index] : NULL;
}

size_t lb_catalogue_policy_index(const struct lb_catalogue *catalogue, struct lb_span id)
{
    for (size_t i = 0; i < catalogue->num_policies; i++)
        if (lb_span_is(id, catalogue->policies[i].policy.id))
            return i;
    return SIZE_MAX;
}

size_t lb_catalogue_question_index(const struct lb_catalogue *catalogue, struct lb_span id)
{
    for (size_t i = 0; i < catalogue->num_questions; i++)
        if (lb_span_is(id, catalogue->questions[i].id))
            return i;
    return SIZE_MAX;
}

bool lb_policy_in_force(const struct lb_policy *policy, const struct lb_date *day)
{
    return lb_date_day(day) >= lb_date_day(&policy->in_force) &&
           (policy->until.year == 0 || lb_date_day(day) <= lb_date_day(&policy->until));
}
