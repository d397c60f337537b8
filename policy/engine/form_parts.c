#include <string.h>

#include "policy/engine/form_internal.h"

/* The parts: what is handed to which department once a case's class stands. */

#define MAX_PART_DAYS 250
#define MAX_EMERGENCY_DAYS 10 /* papers follow within them (SAL 50) */

lb_status lb_form_read_set(struct form_loader *loader, const struct lb_yaml_node *map,
                           const struct form_named_set *set, uint64_t *out_bits)
{
    const struct lb_yaml_node *list;
    uint64_t bits = 0;
    LB_TRY(lb_form_need_list(loader, map, set->key, LB_FORM_MAX_CLASSES + 1, &list));
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *name;
        LB_TRY(lb_yaml_text(item, loader->diag, &name));
        size_t index = set->find(&loader->form->form, name);
        if (index == SIZE_MAX)
            return lb_yaml_fail(item, loader->diag, "`%.80s` is no %s of this form", name,
                                set->kind);
        if ((bits & UINT64_C(1) << index) != 0)
            return lb_yaml_fail(item, loader->diag, "`%.80s` stands here twice; remove one", name);
        bits |= UINT64_C(1) << index;
    }
    *out_bits = bits;
    return LB_OK;
}

/* An emergency part goes before any class stands; every other one waits for its classes. */
static lb_status read_classes(struct form_loader *loader, const struct lb_yaml_node *map,
                              struct lb_form_part *part)
{
    static const struct form_named_set classes = {"classes", "class", lb_form_class_index};
    const struct lb_yaml_node *node = lb_yaml_get(map, "classes");
    if (!part->emergency)
        return lb_form_read_set(loader, map, &classes, &part->classes);
    if (node != NULL)
        return lb_yaml_fail(node, loader->diag,
                            "part `%s` is for emergencies and goes before any class stands; "
                            "leave `classes` out",
                            part->name);
    return LB_OK;
}

static lb_status read_fact(struct form_loader *loader, const struct lb_yaml_node *item,
                           const struct lb_form_part *part, size_t *facts)
{
    const struct lb_form *form = &loader->form->form;
    const char *name;
    LB_TRY(lb_yaml_text(item, loader->diag, &name));
    size_t index = lb_form_fact_index(form, name);
    if (index == SIZE_MAX)
        return lb_yaml_fail(item, loader->diag, "`%.80s` is no fact of this form", name);
    if (!form->facts[index].show && form->facts[index].call.op != LB_OP_TOKEN)
        return lb_yaml_fail(item, loader->diag,
                            "fact `%s` is not shown, so the window has no value to hand over; "
                            "leave it out, or write `show: true`",
                            name);
    if (form->facts[index].call.op == LB_OP_LIST)
        return lb_yaml_fail(item, loader->diag,
                            "fact `%s` is a list, which does not go along; hand over what follows "
                            "from it",
                            name);
    if ((form->facts[index].roles & part->roles) == 0)
        return lb_yaml_fail(item, loader->diag,
                            "fact `%s` is asked of none of the `roles` of part `%s`", name,
                            part->name);
    for (size_t i = 0; i < part->num_facts; i++)
        if (part->facts[i] == index)
            return lb_yaml_fail(item, loader->diag, "`%s` stands here twice; remove one", name);
    facts[part->num_facts] = index;
    return LB_OK;
}

static lb_status read_facts(struct form_loader *loader, const struct lb_yaml_node *map,
                            struct lb_form_part *part)
{
    const struct lb_yaml_node *list;
    if (lb_yaml_get(map, "facts") == NULL)
        return LB_OK; /* who it is about is enough */
    LB_TRY(lb_form_need_list(loader, map, "facts", LB_FORM_MAX_FACTS, &list));
    size_t *facts = lb_arena_array(loader->arena, lb_yaml_len(list), sizeof(*facts));
    LB_ENSURE(facts != NULL, LB_NO_MEMORY, "a form's parts");
    part->facts = facts;
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        LB_TRY(read_fact(loader, lb_yaml_item(list, i), part, facts));
        part->num_facts = i + 1;
    }
    return LB_OK;
}

static lb_status read_part(struct form_loader *loader, const struct lb_yaml_node *map,
                           struct lb_form_part *part)
{
    static const char *const keys[] = {"part",  "department", "title",    "law",
                                       "classes", "roles",    "facts",    "days",
                                       "escalate", "emergency", NULL};
    static const struct form_named_set roles = {"roles", "role", lb_form_role_index};
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_word_need(map, "part", LB_WORD_ORG, loader->diag, &part->name));
    LB_TRY(lb_word_need(map, "department", LB_WORD_ORG, loader->diag, &part->department));
    LB_TRY(lb_form_read_text(loader, map, "title", &part->title));
    LB_TRY(lb_form_read_laws(loader, map, 1, &part->num_laws, &part->laws));
    LB_TRY(lb_yaml_opt_bool(map, "emergency", false, loader->diag, &part->emergency));
    LB_TRY(read_classes(loader, map, part));
    uint64_t bits = 0;
    LB_TRY(lb_form_read_set(loader, map, &roles, &bits));
    part->roles = (unsigned)bits;
    if ((part->roles & 1U) == 0)
        return lb_yaml_fail(lb_yaml_get(map, "roles"), loader->diag,
                            "a department needs to know who applies; add `applicant`");
    LB_TRY(read_facts(loader, map, part));
    LB_TRY(lb_yaml_need_int(map, "days", 1,
                            part->emergency ? MAX_EMERGENCY_DAYS : MAX_PART_DAYS, loader->diag,
                            &part->days));
    return lb_form_read_text(loader, map, "escalate", &part->escalate);
}

static lb_status check_name(struct form_loader *loader, const struct lb_yaml_node *map,
                            const struct lb_form_part *before, size_t num, const char *name)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(before[i].name, name) == 0)
            return lb_yaml_fail(lb_yaml_get(map, "part"), loader->diag,
                                "part `%s` stands here twice; give each a name of its own", name);
    return LB_OK;
}

lb_status lb_form_read_parts(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *list;
    if (lb_yaml_get(root, "parts") == NULL)
        return LB_OK; /* a form that hands nothing over */
    LB_TRY(lb_form_need_list(loader, root, "parts", LB_FORM_MAX_PARTS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_form_part *parts = lb_arena_array(loader->arena, num, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "a form's parts");
    for (size_t i = 0; i < num; i++) {
        const struct lb_yaml_node *map = lb_yaml_item(list, i);
        LB_TRY(read_part(loader, map, &parts[i]));
        LB_TRY(check_name(loader, map, parts, i, parts[i].name));
    }
    form->parts = parts;
    form->num_parts = num;
    return LB_OK;
}
