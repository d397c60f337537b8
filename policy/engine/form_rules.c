#include <string.h>

#include "policy/engine/form_internal.h"

#define MANUAL "MANUAL"

static const char *const fold_names[] = {
    [FOLD_SUM] = "sum",     [FOLD_ANY] = "any",
    [FOLD_ALL] = "all",     [FOLD_COUNT] = "count",
    [FOLD_APPLICANT] = "applicant",
};
#define NUM_FOLDS (sizeof(fold_names) / sizeof(fold_names[0]))

/* read_expression finds an expression; it is compiled later, where a rule set is at hand. */
static lb_status read_expression(struct form_loader *loader, const struct lb_yaml_node *map,
                                 const char *key, const struct lb_yaml_node **out_node)
{
    const char *text;
    LB_TRY(lb_yaml_need_text(map, key, loader->diag, &text));
    *out_node = lb_yaml_get(map, key);
    return LB_OK;
}

static lb_status read_value(struct form_loader *loader, const struct lb_yaml_node *map,
                            struct form_value *value)
{
    static const char *const keys[] = {"name", "each", "fold", NULL};
    const char *fold;
    size_t index = 0;
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_form_take_name(loader, map, "name", &value->name));
    LB_TRY(read_expression(loader, map, "each", &value->each));
    LB_TRY(lb_yaml_need_text(map, "fold", loader->diag, &fold));
    while (index < NUM_FOLDS && strcmp(fold, fold_names[index]) != 0)
        index++;
    if (index == NUM_FOLDS)
        return lb_yaml_fail(lb_yaml_get(map, "fold"), loader->diag,
                            "`%.80s` is no fold; use sum, any, all, count or applicant", fold);
    value->fold = (enum form_fold)index;
    return LB_OK;
}

static lb_status read_household(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_yaml_node *list;
    if (lb_yaml_get(root, "household") == NULL)
        return LB_OK; /* a form that only shows what it asked */
    LB_TRY(lb_form_need_list(loader, root, "household", LB_FORM_MAX_VALUES, &list));
    size_t num = lb_yaml_len(list);
    struct form_value *values = lb_arena_array(loader->arena, num, sizeof(*values));
    LB_ENSURE(values != NULL, LB_NO_MEMORY, "a form's household values");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_value(loader, lb_yaml_item(list, i), &values[i]));
    loader->form->values = values;
    loader->form->num_values = num;
    return LB_OK;
}

static lb_status read_condition(struct form_loader *loader, const struct lb_yaml_node *map,
                                struct lb_form_condition *condition, struct form_test *test)
{
    static const char *const keys[] = {"condition", "test", "text", "source", NULL};
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_form_take_name(loader, map, "condition", &condition->name));
    LB_TRY(read_expression(loader, map, "test", &test->node));
    LB_TRY(lb_form_read_text(loader, map, "text", &condition->text));
    return lb_form_read_line(loader, map, "source", &condition->source);
}

static lb_status read_conditions(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_yaml_node *list;
    LB_TRY(lb_form_need_list(loader, root, "conditions", LB_FORM_MAX_CONDITIONS,
                              &list));
    size_t num = lb_yaml_len(list);
    struct lb_form_condition *conditions =
        lb_arena_array(loader->arena, num, sizeof(*conditions));
    struct form_test *tests = lb_arena_array(loader->arena, num, sizeof(*tests));
    LB_ENSURE(conditions != NULL && tests != NULL, LB_NO_MEMORY, "a form's conditions");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_condition(loader, lb_yaml_item(list, i), &conditions[i], &tests[i]));
    loader->form->tests = tests;
    loader->form->form.conditions = conditions;
    loader->form->form.num_conditions = num;
    return LB_OK;
}

/* read_class_id reads `class` and refuses one of the num classes before it. */
static lb_status read_class_id(struct form_loader *loader, const struct lb_yaml_node *map,
                               const struct lb_form_class *before, size_t num,
                               struct lb_form_class *out)
{
    LB_TRY(lb_form_read_class(loader, map, &out->id));
    const struct lb_yaml_node *node = lb_yaml_get(map, "class");
    if (strcmp(out->id, MANUAL) == 0)
        return lb_yaml_fail(node, loader->diag,
                            "MANUAL is what follows when no class is certain; choose another name");
    for (size_t i = 0; i < num; i++)
        if (strcmp(before[i].id, out->id) == 0)
            return lb_yaml_fail(node, loader->diag,
                                "class `%s` stands here twice; join the two with OR", out->id);
    return lb_form_read_text(loader, map, "text", &out->text);
}

static lb_status read_classes(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"class", "when", "text", NULL};
    const struct lb_yaml_node *list;
    LB_TRY(
        lb_form_need_list(loader, root, "classes", LB_FORM_MAX_CLASSES, &list));
    size_t num = lb_yaml_len(list);
    struct lb_form_class *classes = lb_arena_array(loader->arena, num, sizeof(*classes));
    struct form_test *whens = lb_arena_array(loader->arena, num, sizeof(*whens));
    LB_ENSURE(classes != NULL && whens != NULL, LB_NO_MEMORY, "a form's classes");
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *map = lb_yaml_item(list, i);
        LB_TRY(lb_yaml_only(map, keys, loader->diag));
        LB_TRY(read_class_id(loader, map, classes, i, &classes[i]));
        LB_TRY(read_expression(loader, map, "when", &whens[i].node));
    }
    loader->form->whens = whens;
    loader->form->form.classes = classes;
    loader->form->form.num_classes = num;
    return LB_OK;
}

static lb_status read_last_class(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"class", "text", NULL};
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *map;
    LB_TRY(lb_yaml_need(root, "otherwise", loader->diag, &map));
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    return read_class_id(loader, map, form->classes, form->num_classes, &form->otherwise);
}

lb_status lb_form_read_rules(struct form_loader *loader, const struct lb_yaml_node *root)
{
    LB_TRY(read_household(loader, root));
    LB_TRY(read_conditions(loader, root));
    LB_TRY(read_classes(loader, root));
    return read_last_class(loader, root);
}
