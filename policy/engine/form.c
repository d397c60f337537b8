#include "policy/engine/form.h"

#include <string.h>

#include "policy/engine/form_internal.h"

const struct lb_form *lb_form_of(const struct lb_form_compiled *form)
{
    return &form->form;
}

size_t lb_form_role_index(const struct lb_form *form, const char *name)
{
    for (size_t i = 0; i < form->num_roles; i++)
        if (strcmp(form->roles[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t lb_form_section_index(const struct lb_form *form, const char *department)
{
    for (size_t i = 0; i < form->num_sections; i++)
        if (strcmp(form->sections[i].department, department) == 0)
            return i;
    return SIZE_MAX;
}

size_t lb_form_fact_index(const struct lb_form *form, const char *name)
{
    for (size_t i = 0; i < form->num_facts; i++)
        if (strcmp(form->facts[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t lb_form_class_index(const struct lb_form *form, const char *id)
{
    for (size_t i = 0; i < form->num_classes; i++)
        if (strcmp(form->classes[i].id, id) == 0)
            return i;
    return strcmp(form->otherwise.id, id) == 0 ? form->num_classes : SIZE_MAX;
}

size_t lb_form_part_index(const struct lb_form *form, const char *name)
{
    for (size_t i = 0; i < form->num_parts; i++)
        if (strcmp(form->parts[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

bool lb_form_hands_over(const struct lb_form_part *part, size_t class_index)
{
    return class_index <= LB_FORM_MAX_CLASSES && (part->classes >> class_index & 1U) != 0;
}

size_t lb_form_share_of(const struct lb_form *form, size_t fact)
{
    for (size_t s = 0; s < form->num_shares; s++)
        for (size_t i = 0; i < form->shares[s].num_facts; i++)
            if (form->shares[s].facts[i] == fact)
                return s;
    return SIZE_MAX;
}

bool lb_form_is_late(const struct lb_form *form, size_t fact)
{
    return form->sections[form->facts[fact].section].late;
}

bool lb_form_asks(const struct lb_form_fact *fact, size_t role_index)
{
    return role_index < LB_FORM_MAX_ROLES && (fact->roles >> role_index & 1U) != 0;
}

enum lb_basis lb_form_basis(const struct lb_form *form, size_t section_index, size_t role_index)
{
    if (role_index < form->num_roles && form->roles[role_index].outside)
        return LB_BASIS_SEPARATE_CONSENT;
    return form->sections[section_index].basis;
}
