#include <stdio.h>

#include "gateway/consent/inside.h"

/* What of a form is granted, and what the citizen keeps back. */

bool lb_consent_needs(const struct lb_form *form, const struct lb_form_fact *fact, size_t role)
{
    return lb_form_asks(fact, role) &&
           lb_form_basis(form, fact->section, role) != LB_BASIS_MANDATE;
}

static bool in_scope(const char *scope, const char *department)
{
    char word[LB_MAX_NAME_BYTES + 3];
    int len = snprintf(word, sizeof(word), " %s ", department);
    return len > 0 && (size_t)len < sizeof(word) && strstr(scope, word) != NULL;
}

bool lb_consent_grants(const struct lb_form *form, const struct lb_form_fact *fact, size_t role,
                       const struct lb_consent_choice *choice)
{
    if (!lb_consent_needs(form, fact, role))
        return false;
    if (choice == NULL)
        return true;
    return !lb_consent_listed(fact->department, (const char *const *)choice->departments,
                              choice->num_departments) &&
           !lb_consent_listed(fact->name, (const char *const *)choice->facts,
                              choice->num_facts) &&
           (choice->scope == NULL || in_scope(choice->scope, fact->department));
}

bool lb_consent_is_sensitive(const struct lb_form *form, size_t role,
                             const struct lb_consent_choice *choice)
{
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        if (lb_consent_grants(form, fact, role, choice) &&
            lb_form_basis(form, fact->section, role) == LB_BASIS_SEPARATE_CONSENT)
            return true;
    }
    return false;
}

static bool grants_anything(const struct lb_form *form, size_t role,
                            const struct lb_consent_choice *choice)
{
    for (size_t i = 0; i < form->num_facts; i++) {
        if (lb_consent_grants(form, &form->facts[i], role, choice))
            return true;
    }
    return false;
}

/* --- refusing --- */

static bool asks_department(const struct lb_form *form, size_t role, const char *department)
{
    for (size_t i = 0; i < form->num_facts; i++) {
        if (strcmp(form->facts[i].department, department) == 0 &&
            lb_consent_needs(form, &form->facts[i], role))
            return true;
    }
    return false;
}

static lb_status check_departments(const struct lb_form *form, size_t role,
                                   const struct lb_consent_choice *choice)
{
    for (size_t i = 0; i < choice->num_departments; i++) {
        const char *department = choice->departments[i];
        LB_ENSURE(asks_department(form, role, department) &&
                      !lb_consent_listed(department, (const char *const *)choice->departments, i),
                  LB_MALFORMED, "a department that cannot be refused, or twice");
    }
    return LB_OK;
}

static lb_status check_facts(const struct lb_form *form, size_t role,
                             const struct lb_consent_choice *choice)
{
    for (size_t i = 0; i < choice->num_facts; i++) {
        size_t index = lb_form_fact_index(form, choice->facts[i]);
        LB_ENSURE(index < form->num_facts && form->facts[index].optional &&
                      lb_consent_needs(form, &form->facts[index], role) &&
                      !lb_consent_listed(choice->facts[i], (const char *const *)choice->facts, i),
                  LB_MALFORMED, "a fact that cannot be refused by itself, or twice");
    }
    return LB_OK;
}

lb_status lb_consent_choose(struct lb_consent_decision *decision,
                            const Lianban__V1__ConfirmRequest *request)
{
    const struct lb_form *form = decision->form;
    size_t role = lb_form_role_index(form, decision->row.role);
    struct lb_consent_choice choice = {
        .num_departments = request->n_refused_departments,
        .departments = request->refused_departments,
        .num_facts = request->n_refused_facts,
        .facts = request->refused_facts,
    };
    LB_ENSURE(choice.num_departments <= LB_CONSENT_MAX_REFUSED &&
                  choice.num_facts <= LB_CONSENT_MAX_REFUSED,
              LB_MALFORMED, "too much is refused one by one");
    LB_ENSURE(decision->agreed || choice.num_departments + choice.num_facts == 0, LB_MALFORMED,
              "parts of what is refused as a whole");
    LB_TRY(check_departments(form, role, &choice));
    LB_TRY(check_facts(form, role, &choice));
    LB_ENSURE(grants_anything(form, role, &choice), LB_MALFORMED,
              "nothing is left to grant; it is a refusal");
    decision->choice = choice;
    return LB_OK;
}

lb_status lb_consent_refused(const struct lb_consent_choice *choice, struct lb_arena *arena,
                             struct lb_span *out_text)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, LB_MAX_DETAIL_BYTES);
    for (size_t i = 0; i < choice->num_departments; i++)
        lb_buf_printf(&text, "%s%s", i > 0 ? " " : "", choice->departments[i]);
    for (size_t i = 0; i < choice->num_facts; i++)
        lb_buf_printf(&text, "%s%s", i + choice->num_departments > 0 ? " " : "",
                      choice->facts[i]);
    LB_TRY(lb_buf_check(&text));
    return lb_arena_copy(arena, lb_buf_span(&text), out_text);
}
