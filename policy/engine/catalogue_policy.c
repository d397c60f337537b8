#include <string.h>

#include "policy/engine/catalogue_internal.h"

static lb_status read_day(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                          const char *key, struct lb_date *out_date)
{
    const char *text = NULL;
    LB_TRY(lb_yaml_need_text(map, key, loader->reader.diag, &text));
    if (!lb_date_parse(lb_span_str(text), out_date))
        return lb_yaml_fail(lb_yaml_get(map, key), loader->reader.diag,
                            "`%s` is not a date; write YYYY-MM-DD", key);
    return LB_OK;
}

static lb_status read_document(struct catalogue_loader *loader, const struct lb_yaml_node *root,
                               struct lb_policy *policy)
{
    static const char *const keys[] = {"title", "number", "in_force", "until", NULL};
    struct form_loader *reader = &loader->reader;
    const struct lb_yaml_node *map = NULL;
    LB_TRY(lb_yaml_need(root, "document", reader->diag, &map));
    LB_TRY(lb_yaml_only(map, keys, reader->diag));
    LB_TRY(lb_form_read_line(reader, map, "title", &policy->document));
    if (lb_yaml_get(map, "number") != NULL)
        LB_TRY(lb_form_read_line(reader, map, "number", &policy->number));
    LB_TRY(read_day(loader, map, "in_force", &policy->in_force));
    if (lb_yaml_get(map, "until") == NULL)
        return LB_OK;
    LB_TRY(read_day(loader, map, "until", &policy->until));
    if (lb_date_day(&policy->until) < lb_date_day(&policy->in_force))
        return lb_yaml_fail(map, reader->diag, "`until` is before `in_force`; correct one");
    return LB_OK;
}

static lb_status read_condition(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                                struct lb_policy_condition *condition, struct catalogue_test *test)
{
    static const char *const keys[] = {"condition", "test", "text", "source", NULL};
    struct form_loader *reader = &loader->reader;
    LB_TRY(lb_yaml_only(map, keys, reader->diag));
    LB_TRY(lb_form_take_name(reader, map, "condition", &condition->name));
    LB_TRY(lb_form_read_line(reader, map, "test", &condition->test));
    LB_TRY(lb_form_read_line(reader, map, "source", &condition->source));
    LB_TRY(lb_catalogue_find_names(loader, map, condition, test));
    return lb_catalogue_fill(loader, map, "text", condition, &condition->text);
}

static lb_status read_conditions(struct catalogue_loader *loader, const struct lb_yaml_node *root,
                                 struct catalogue_policy *policy)
{
    struct form_loader *reader = &loader->reader;
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_form_need_list(reader, root, "conditions", LB_CATALOGUE_MAX_CONDITIONS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_policy_condition *conditions =
        lb_arena_array(reader->arena, num, sizeof(*conditions));
    policy->tests = lb_arena_array(reader->arena, num, sizeof(*policy->tests));
    LB_ENSURE(conditions != NULL && policy->tests != NULL, LB_NO_MEMORY, "conditions");
    policy->policy.conditions = conditions;
    policy->policy.num_conditions = num;
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_condition(loader, lb_yaml_item(list, i), &conditions[i], &policy->tests[i]));
    return LB_OK;
}

lb_status lb_catalogue_read_policy(struct catalogue_loader *loader,
                                   const struct lb_yaml_node *root,
                                   struct catalogue_policy *policy)
{
    static const char *const keys[] = {"policy",  "version", "title",      "owner", "document",
                                       "benefit", "remark",  "conditions", "when",  NULL};
    struct form_loader *reader = &loader->reader;
    struct lb_policy *readable = &policy->policy;
    int64_t version = 0;
    LB_TRY(lb_yaml_only(root, keys, reader->diag));
    LB_TRY(lb_word_need(root, "policy", LB_WORD_ORG, reader->diag, &readable->id));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, reader->diag, &version));
    readable->version = (uint32_t)version;
    LB_TRY(lb_form_read_text(reader, root, "title", &readable->title));
    LB_TRY(lb_word_need(root, "owner", LB_WORD_ORG, reader->diag, &readable->owner));
    LB_TRY(read_document(loader, root, readable));
    LB_TRY(lb_catalogue_fill(loader, root, "benefit", NULL, &readable->benefit));
    if (lb_yaml_get(root, "remark") != NULL)
        LB_TRY(lb_catalogue_fill(loader, root, "remark", NULL, &readable->remark));
    LB_TRY(read_conditions(loader, root, policy));
    return lb_form_read_line(reader, root, "when", &readable->when);
}
