#include <string.h>

#include "policy/engine/form_internal.h"

/*
 * A trigger looks for people who may be entitled and have not applied. All that it can do is to
 * tell one department whom to reach: so nothing else is left in its file. This is refused wherever
 * a form is read, not only where it is checked.
 */

#define MIN_EVERY_DAYS 7
#define MAX_EVERY_DAYS 366
#define CANDIDATE "CANDIDATE"
#define NONE "NONE"

/* Of others only what has one of two answers, or disappears in a blind sum. The source may add up
 * its own data for its own agent: no value leaves it. */
static bool may_ask(enum lb_op op, bool own)
{
    switch (op) {
    case LB_OP_EXISTS:
    case LB_OP_EQ:
    case LB_OP_CMP:
    case LB_OP_IN:
    case LB_OP_RATIO_CMP:
    case LB_OP_TREND:
    case LB_OP_AGE_GE:
    case LB_OP_SHARE:
        return true;
    case LB_OP_SUM:
    case LB_OP_COUNT:
        return own;
    default:
        return false;
    }
}

static lb_status check_facts(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *node = lb_yaml_get(root, "facts");
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        bool own = strcmp(fact->department, form->trigger.source) == 0;
        if (!may_ask(fact->call.op, own))
            return lb_yaml_fail(node, loader->diag,
                                "fact %s: a trigger asks for a yes or no or a blind sum, and of "
                                "its source for a total or a number of rows",
                                fact->name);
        if (fact->show)
            return lb_yaml_fail(node, loader->diag,
                                "fact %s: nobody looks at what a trigger asks; write `show: "
                                "false`",
                                fact->name);
    }
    return LB_OK;
}

/* Who agreed can withdraw; and nobody watches people by a law alone. */
static lb_status check_sections(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *node = lb_yaml_get(root, "sections");
    if (lb_form_section_index(form, form->trigger.source) == SIZE_MAX)
        return lb_yaml_fail(node, loader->diag,
                            "the trigger's source `%s` is asked nothing; it is the department "
                            "that has the data and runs the trigger",
                            form->trigger.source);
    for (size_t i = 0; i < form->num_sections; i++) {
        enum lb_basis basis = form->sections[i].basis;
        if (basis != LB_BASIS_CONSENT && basis != LB_BASIS_SEPARATE_CONSENT)
            return lb_yaml_fail(node, loader->diag,
                                "section %s: a trigger asks by consent, which can be withdrawn",
                                form->sections[i].department);
    }
    return LB_OK;
}

static lb_status check_roles(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    for (size_t i = 0; i < form->num_roles; i++) {
        if (form->roles[i].outside || form->roles[i].deceased)
            return lb_yaml_fail(lb_yaml_get(root, "roles"), loader->diag,
                                "role %s: a trigger is about one living household",
                                form->roles[i].name);
    }
    return LB_OK;
}

static lb_status check_classes(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    if (form->num_classes != 1 || strcmp(form->classes[0].id, CANDIDATE) != 0)
        return lb_yaml_fail(lb_yaml_get(root, "classes"), loader->diag,
                            "a trigger has one class, " CANDIDATE);
    if (strcmp(form->otherwise.id, NONE) != 0)
        return lb_yaml_fail(lb_yaml_get(root, "otherwise"), loader->diag,
                            "the other class of a trigger is " NONE);
    return LB_OK;
}

/* One signal, of a candidate, with who applied and nothing else. */
static lb_status check_signal(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *node = lb_yaml_get(root, "parts");
    const struct lb_form_part *part = form->parts;
    if (form->num_parts != 1)
        return lb_yaml_fail(node != NULL ? node : root, loader->diag,
                            "a trigger has one part: the signal to the one department that "
                            "reaches out");
    if (part->emergency || part->classes != 1)
        return lb_yaml_fail(node, loader->diag,
                            "the signal goes for the class " CANDIDATE " alone, and is no "
                            "emergency");
    if (part->roles != 1 || part->num_facts > 0)
        return lb_yaml_fail(node, loader->diag,
                            "the signal says whom to reach and nothing else: `roles: "
                            "[applicant]` and no `facts`");
    return LB_OK;
}

/* What a trigger finds is no decision, and nobody decides by it. */
static lb_status check_absent(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"amounts", "asks", "decision"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct lb_yaml_node *node = lb_yaml_get(root, keys[i]);
        if (node != NULL)
            return lb_yaml_fail(node, loader->diag,
                                "a trigger decides nothing and asks nobody; leave `%s` out",
                                keys[i]);
    }
    const char *purpose = loader->form->form.purpose;
    if (strcmp(purpose, LB_PURPOSE_OVERSIGHT) == 0 || strcmp(purpose, LB_PURPOSE_DRILL) == 0)
        return lb_yaml_fail(lb_yaml_get(root, "purpose"), loader->diag,
                            "a trigger has a purpose of its own, not `%s`", purpose);
    return LB_OK;
}

lb_status lb_form_read_trigger(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"source", "every_days", NULL};
    const struct lb_yaml_node *map = lb_yaml_get(root, "trigger");
    struct lb_form *form = &loader->form->form;
    if (map == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_word_need(map, "source", LB_WORD_ORG, loader->diag, &form->trigger.source));
    LB_TRY(lb_yaml_need_int(map, "every_days", MIN_EVERY_DAYS, MAX_EVERY_DAYS, loader->diag,
                            &form->trigger.every_days));
    LB_TRY(check_absent(loader, root));
    LB_TRY(check_roles(loader, root));
    LB_TRY(check_sections(loader, root));
    LB_TRY(check_facts(loader, root));
    LB_TRY(check_classes(loader, root));
    return check_signal(loader, root);
}
