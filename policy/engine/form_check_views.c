#include <string.h>

#include "policy/engine/form_checking.h"

/* Facts against the views that departments registered. */

static const struct lb_view *find_view(const struct lb_form_registered *registered, const char *id)
{
    for (size_t i = 0; i < registered->num_views; i++)
        if (strcmp(registered->views[i]->id, id) == 0)
            return registered->views[i];
    return NULL;
}

static bool rests_on_law(const struct lb_view_rule *rule, const struct lb_form_section *section)
{
    for (size_t i = 0; i < rule->num_laws; i++)
        for (size_t k = 0; k < section->num_laws; k++)
            if (strcmp(rule->laws[i], section->laws[k]) == 0)
                return true;
    return false;
}

/* Whether somebody may ask the fact for a role; who, the directory and the policy say. */
static bool is_answered(const struct form_checking *checking, const struct lb_view_field *field,
                        const struct lb_form_fact *fact, size_t role)
{
    const struct lb_form *form = &checking->form->form;
    enum lb_basis basis = lb_form_basis(form, fact->section, role);
    for (size_t r = 0; r < field->num_rules; r++) {
        const struct lb_view_rule *rule = &field->rules[r];
        bool on_law = basis != LB_BASIS_MANDATE ||
                      rests_on_law(rule, &form->sections[fact->section]);
        if (strcmp(rule->purpose, form->purpose) != 0 || (rule->bases >> basis & 1U) == 0 ||
            !on_law)
            continue;
        for (size_t i = 0; i < rule->num_operators; i++)
            if (lb_op_at_least_as_strict(&fact->call, &rule->operators[i], checking->rules))
                return true;
    }
    return false;
}

static bool is_of_kind(const struct lb_form_fact *fact, enum lb_field_type type)
{
    bool number = type == LB_FIELD_INT || type == LB_FIELD_CENTS;
    return fact->call.op != LB_OP_PASS || number == (fact->kind == LB_FACT_NUMBER);
}

static lb_status check_answered(struct form_checking *checking, const struct lb_view_field *field,
                                const struct lb_form_fact *fact, const struct lb_yaml_node *node)
{
    const struct lb_form *form = &checking->form->form;
    for (size_t r = 0; r < form->num_roles; r++)
        if (lb_form_asks(fact, r) && !is_answered(checking, field, fact, r))
            return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                                 "fact `%s`: %s.%s has no rule for purpose `%s` on this basis and "
                                 "operator, so nobody would get it for `%s`; have the department "
                                 "write one, or ask for less",
                                 fact->name, fact->view, fact->field, form->purpose,
                                 form->roles[r].name);
    return LB_OK;
}

static lb_status check_fact(struct form_checking *checking, size_t index)
{
    const struct lb_form_fact *fact = &checking->form->form.facts[index];
    const struct lb_yaml_node *node = lb_form_node_of(checking->form, "facts", index);
    const struct lb_view *view = find_view(checking->registered, fact->view);
    if (view == NULL)
        return lb_form_found(checking, LB_FINDING_MISTAKE, lb_yaml_get(node, "view"),
                             "fact `%s`: there is no view `%s`; name a registered one, or give its "
                             "folder with --views",
                             fact->name, fact->view);
    const struct lb_view_field *field = lb_view_field(view, fact->field);
    if (field == NULL)
        return lb_form_found(checking, LB_FINDING_MISTAKE, lb_yaml_get(node, "field"),
                             "fact `%s`: view %s has no field `%s`", fact->name, fact->view,
                             fact->field);
    lb_status status = lb_op_check(&fact->call, field->type, view->many, checking->rules);
    if (status != LB_OK && lb_status_code(status) != LB_OPERATOR_UNKNOWN)
        return status;
    if (status != LB_OK)
        return lb_form_found(checking, LB_FINDING_MISTAKE, lb_yaml_get(node, "operator"),
                             "fact `%s`: the operator does not fit %s.%s: %s", fact->name,
                             fact->view, fact->field, status->what);
    if (!is_of_kind(fact, field->type))
        return lb_form_found(checking, LB_FINDING_MISTAKE, lb_yaml_get(node, "value"),
                             "fact `%s`: %s.%s is %s; correct `value`", fact->name, fact->view,
                             fact->field,
                             fact->kind == LB_FACT_NUMBER ? "a text" : "a number");
    return check_answered(checking, field, fact, node);
}

lb_status lb_form_check_views(struct form_checking *checking)
{
    for (size_t i = 0; i < checking->form->form.num_facts; i++)
        LB_TRY(check_fact(checking, i));
    return LB_OK;
}
