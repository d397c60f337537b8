#include "policy/engine/form_internal.h"

/* What the citizen has to say or bring. Whether a department has it already is for form_check.h. */

static lb_status read_ask(struct form_loader *loader, const struct lb_yaml_node *map,
                          struct lb_form_ask *ask)
{
    static const char *const keys[] = {"ask", "text", "law", "roles", "parts", "waiver", NULL};
    static const struct form_named_set roles = {"roles", "role", lb_form_role_index};
    static const struct form_named_set parts = {"parts", "part", lb_form_part_index};
    uint64_t bits = 0;
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_form_take_name(loader, map, "ask", &ask->name));
    LB_TRY(lb_form_read_text(loader, map, "text", &ask->text));
    LB_TRY(lb_form_read_laws(loader, map, 1, &ask->num_laws, &ask->laws));
    LB_TRY(lb_form_read_set(loader, map, &roles, &bits));
    ask->roles = (unsigned)bits;
    LB_TRY(lb_form_read_set(loader, map, &parts, &ask->parts));
    if (lb_yaml_get(map, "waiver") == NULL)
        return LB_OK;
    return lb_form_read_text(loader, map, "waiver", &ask->waiver);
}

lb_status lb_form_read_asks(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *list;
    if (lb_yaml_get(root, "asks") == NULL)
        return LB_OK; /* departments know it all */
    LB_TRY(lb_form_need_list(loader, root, "asks", LB_FORM_MAX_ASKS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_form_ask *asks = lb_arena_array(loader->arena, num, sizeof(*asks));
    LB_ENSURE(asks != NULL, LB_NO_MEMORY, "a form's asks");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_ask(loader, lb_yaml_item(list, i), &asks[i]));
    form->asks = asks;
    form->num_asks = num;
    return LB_OK;
}
