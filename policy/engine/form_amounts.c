#include <string.h>

#include "policy/engine/form_internal.h"

static const char *const unit_names[LB_NUM_UNITS] = {
    [LB_UNIT_CENTS] = "cents",
    [LB_UNIT_MONTHS] = "months",
    [LB_UNIT_MONTH] = "month",
    [LB_UNIT_COUNT] = "count",
};

const char *lb_form_unit_name(enum lb_form_unit unit)
{
    return (unsigned)unit < LB_NUM_UNITS ? unit_names[unit] : "";
}

static lb_status read_unit(struct form_loader *loader, const struct lb_yaml_node *map,
                           struct lb_form_amount *amount)
{
    const char *text;
    size_t unit = 0;
    LB_TRY(lb_yaml_need_text(map, "unit", loader->diag, &text));
    while (unit < LB_NUM_UNITS && strcmp(text, unit_names[unit]) != 0)
        unit++;
    if (unit == LB_NUM_UNITS)
        return lb_yaml_fail(lb_yaml_get(map, "unit"), loader->diag,
                            "`%.40s` is no unit; use cents, months, month or count", text);
    amount->unit = (enum lb_form_unit)unit;
    return LB_OK;
}

static lb_status read_told_with(struct form_loader *loader, const struct lb_yaml_node *map,
                                struct lb_form_amount *amount)
{
    const struct lb_yaml_node *list;
    LB_TRY(lb_form_need_list(loader, map, "classes", LB_FORM_MAX_CLASSES + 1, &list));
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *id;
        LB_TRY(lb_yaml_text(item, loader->diag, &id));
        size_t index = lb_form_class_index(&loader->form->form, id);
        if (index == SIZE_MAX)
            return lb_yaml_fail(item, loader->diag,
                                "there is no class `%.80s`; name one of the form's", id);
        if ((amount->classes >> index & 1U) != 0)
            return lb_yaml_fail(item, loader->diag, "class `%s` stands here twice; remove one", id);
        amount->classes |= UINT64_C(1) << index;
    }
    return LB_OK;
}

static lb_status read_amount(struct form_loader *loader, const struct lb_yaml_node *map,
                             struct lb_form_amount *amount, struct form_test *sum)
{
    static const char *const keys[] = {"amount", "value", "unit", "classes", "text", NULL};
    const char *text;
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_form_take_name(loader, map, "amount", &amount->name));
    LB_TRY(lb_yaml_need_text(map, "value", loader->diag, &text));
    sum->node = lb_yaml_get(map, "value");
    LB_TRY(read_unit(loader, map, amount));
    LB_TRY(read_told_with(loader, map, amount));
    return lb_form_read_text(loader, map, "text", &amount->text);
}

lb_status lb_form_read_amounts(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_yaml_node *list;
    if (lb_yaml_get(root, "amounts") == NULL)
        return LB_OK;
    LB_TRY(lb_form_need_list(loader, root, "amounts", LB_FORM_MAX_AMOUNTS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_form_amount *amounts = lb_arena_array(loader->arena, num, sizeof(*amounts));
    struct form_test *sums = lb_arena_array(loader->arena, num, sizeof(*sums));
    LB_ENSURE(amounts != NULL && sums != NULL, LB_NO_MEMORY, "a form's amounts");
    loader->form->sums = sums;
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_amount(loader, lb_yaml_item(list, i), &amounts[i], &sums[i]));
    loader->form->form.amounts = amounts;
    loader->form->form.num_amounts = num;
    return LB_OK;
}

lb_status lb_form_judge_amounts(const struct lb_form_compiled *form, size_t class_index,
                                const struct lb_expr_value *household, struct lb_arena *arena,
                                struct lb_form_sum **out_sums)
{
    struct lb_form_sum *sums = lb_arena_array(arena, form->form.num_amounts, sizeof(*sums));
    LB_ENSURE(sums != NULL, LB_NO_MEMORY, "a judgement");
    for (size_t i = 0; i < form->form.num_amounts; i++) {
        struct lb_expr_value value;
        if ((form->form.amounts[i].classes >> class_index & 1U) == 0)
            continue;
        LB_TRY(lb_expr_eval(form->sums[i].expr, household, LB_EXPR_NUMBER, &value));
        sums[i].told = value.kind == LB_EXPR_NUMBER;
        sums[i].value = sums[i].told ? value.number : 0;
    }
    *out_sums = sums;
    return LB_OK;
}
