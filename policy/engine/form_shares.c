#include <string.h>

#include "policy/engine/form_internal.h"

/* The slots: household totals that departments add up blindly (docs/PROTOCOL.md, section 9). */

size_t lb_form_first_slot(const struct lb_form_compiled *form)
{
    return form->form.num_facts + form->num_thresholds;
}

size_t lb_form_first_value(const struct lb_form_compiled *form)
{
    return lb_form_first_slot(form) + form->form.num_shares;
}

/* The named fact, which must be a share that no slot has yet; `own` are the slot's so far. */
static lb_status find_share(struct form_loader *loader, const struct lb_yaml_node *item,
                            const struct lb_form_share *own, size_t *out_fact)
{
    const struct lb_form *form = &loader->form->form;
    const char *name;
    LB_TRY(lb_yaml_text(item, loader->diag, &name));
    size_t fact = lb_form_fact_index(form, name);
    if (fact == SIZE_MAX)
        return lb_yaml_fail(item, loader->diag,
                            "there is no fact `%.80s`; name one of the form's `facts`", name);
    if (form->facts[fact].call.op != LB_OP_SHARE)
        return lb_yaml_fail(item, loader->diag,
                            "fact `%s` is no share; write `operator: SHARE(months)`", name);
    bool taken = lb_form_share_of(form, fact) != SIZE_MAX;
    for (size_t i = 0; i < own->num_facts; i++)
        taken = taken || own->facts[i] == fact;
    if (taken)
        return lb_yaml_fail(item, loader->diag,
                            "fact `%s` is in a slot already; two totals would tell it", name);
    *out_fact = fact;
    return LB_OK;
}

static bool is_mandated(const struct lb_form *form, size_t fact)
{
    return form->sections[form->facts[fact].section].basis == LB_BASIS_MANDATE;
}

/* The commitments that name the persons of a run are a grant's, so one kind of grant has to cover
 * all departments of a slot. */
static lb_status check_alike(struct form_loader *loader, const struct lb_yaml_node *node,
                             const struct lb_form_share *share)
{
    const struct lb_form *form = &loader->form->form;
    size_t departments = 1;
    for (size_t i = 1; i < share->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[share->facts[i]];
        if (fact->roles != share->roles)
            return lb_yaml_fail(node, loader->diag,
                                "the facts of slot `%s` are asked of different roles; name the "
                                "same for all",
                                share->slot);
        if (is_mandated(form, share->facts[i]) != is_mandated(form, share->facts[0]))
            return lb_yaml_fail(node, loader->diag,
                                "slot `%s` mixes departments asked by mandate and by consent",
                                share->slot);
        if (lb_form_is_late(form, share->facts[i]) != lb_form_is_late(form, share->facts[0]))
            return lb_yaml_fail(node, loader->diag,
                                "slot `%s` mixes departments asked late and at once; make all of "
                                "their sections `late`, or none",
                                share->slot);
        bool is_new = true;
        for (size_t j = 0; j < i; j++)
            is_new = is_new && strcmp(form->facts[share->facts[j]].department,
                                      fact->department) != 0;
        departments += is_new ? 1 : 0;
    }
    if (departments < 2)
        return lb_yaml_fail(node, loader->diag,
                            "slot `%s` adds up one department alone, which hides nothing; use "
                            "SUM, or name a second department",
                            share->slot);
    return LB_OK;
}

/* A sealed request names one run, so what a department is asked belongs to one slot. */
static lb_status check_departments(struct form_loader *loader, const struct lb_yaml_node *node,
                                   const struct lb_form_share *share)
{
    const struct lb_form *form = &loader->form->form;
    for (size_t s = 0; s < form->num_shares; s++)
        for (size_t i = 0; i < form->shares[s].num_facts; i++)
            for (size_t j = 0; j < share->num_facts; j++) {
                const char *department = form->facts[share->facts[j]].department;
                if (strcmp(form->facts[form->shares[s].facts[i]].department, department) == 0)
                    return lb_yaml_fail(node, loader->diag,
                                        "department `%s` is in slots `%s` and `%s`; it can be in "
                                        "one only",
                                        department, form->shares[s].slot, share->slot);
            }
    return LB_OK;
}

static lb_status read_share(struct form_loader *loader, const struct lb_yaml_node *map,
                            struct lb_form_share *share)
{
    static const char *const keys[] = {"slot", "facts", NULL};
    const struct lb_yaml_node *list;
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_form_take_name(loader, map, "slot", &share->slot));
    LB_TRY(lb_form_need_list(loader, map, "facts", LB_MAX_SHARE_CONTRIBUTIONS, &list));
    size_t *facts = lb_arena_array(loader->arena, lb_yaml_len(list), sizeof(*facts));
    LB_ENSURE(facts != NULL, LB_NO_MEMORY, "a form's slots");
    share->facts = facts;
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        LB_TRY(find_share(loader, lb_yaml_item(list, i), share, &facts[i]));
        share->num_facts = i + 1;
    }
    share->roles = loader->form->form.facts[facts[0]].roles;
    LB_TRY(check_alike(loader, map, share));
    return check_departments(loader, map, share);
}

/* A share without a slot would be asked for nothing. */
static lb_status check_all_placed(struct form_loader *loader)
{
    const struct lb_form *form = &loader->form->form;
    for (size_t i = 0; i < form->num_facts; i++)
        if (form->facts[i].call.op == LB_OP_SHARE && lb_form_share_of(form, i) == SIZE_MAX)
            return lb_yaml_fail(loader->taken[i].node, loader->diag,
                                "fact `%s` is a share and in no slot; name it under `shares`",
                                form->facts[i].name);
    return LB_OK;
}

lb_status lb_form_read_shares(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *list;
    if (lb_yaml_get(root, "shares") == NULL)
        return check_all_placed(loader);
    LB_TRY(lb_form_need_list(loader, root, "shares", LB_FORM_MAX_SHARES, &list));
    struct lb_form_share *shares =
        lb_arena_array(loader->arena, lb_yaml_len(list), sizeof(*shares));
    LB_ENSURE(shares != NULL, LB_NO_MEMORY, "a form's slots");
    form->shares = shares;
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        LB_TRY(read_share(loader, lb_yaml_item(list, i), &shares[i]));
        form->num_shares = i + 1;
    }
    return check_all_placed(loader);
}
