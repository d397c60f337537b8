#include <string.h>

#include "policy/engine/form_checking.h"

/* Which facts a form needs, and of whom; and what it asks of citizens although it is known. */

/* --- facts --- */

/* The roles whose answer to a fact counts somewhere. Every household value, condition and slot is
 * used (the loader refuses others), so a fact in one of them counts. */
static unsigned needed_roles(const struct lb_form_compiled *form, size_t fact)
{
    const struct lb_form_fact *asked = &form->form.facts[fact];
    unsigned roles = lb_form_share_of(&form->form, fact) != SIZE_MAX ? asked->roles : 0;
    for (size_t i = 0; i < form->num_values; i++)
        if (lb_expr_uses(form->values[i].expr, fact))
            roles |= form->values[i].fold == FOLD_APPLICANT ? 1U : asked->roles;
    for (size_t p = 0; p < form->form.num_parts; p++)
        for (size_t i = 0; i < form->form.parts[p].num_facts; i++)
            if (form->form.parts[p].facts[i] == fact)
                roles |= form->form.parts[p].roles;
    for (size_t r = 0; r < form->form.num_roles; r++)
        if (form->form.roles[r].minor && asked->claim == LB_CLAIM_HOUSEHOLD)
            roles |= 1U; /* it says who the guardian is */
    return roles;
}

static const char *first_role(const struct lb_form *form, unsigned roles)
{
    return form->roles[__builtin_ctz(roles)].name;
}

static lb_status check_fact(struct form_checking *checking, size_t index)
{
    const struct lb_form *form = &checking->form->form;
    const struct lb_form_fact *fact = &form->facts[index];
    const struct lb_yaml_node *node = lb_form_node_of(checking->form, "facts", index);
    unsigned needed = needed_roles(checking->form, index);
    unsigned idle = fact->roles & ~needed;
    if (fact->waiver.zh != NULL && idle == 0)
        return lb_form_found(checking, LB_FINDING_MISTAKE, lb_yaml_get(node, "waiver"),
                             "fact `%s` is needed, so there is nothing to waive; remove `waiver`",
                             fact->name);
    if (fact->waiver.zh != NULL)
        return lb_form_found(checking, LB_FINDING_WAIVED, node,
                             "fact `%s` (%s.%s) is asked although nothing needs it: %s",
                             fact->name, fact->view, fact->field, fact->waiver.en);
    if (idle == 0)
        return LB_OK;
    if (idle == fact->roles)
        return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                             "no rule, amount or part needs fact `%s` (%s.%s); do not ask for it, "
                             "or say why with `waiver`",
                             fact->name, fact->view, fact->field);
    return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                         "fact `%s` (%s.%s) is asked of `%s`, whose answer counts nowhere; take "
                         "the role out, or say why with `waiver`",
                         fact->name, fact->view, fact->field, first_role(form, idle));
}

lb_status lb_form_check_needs(struct form_checking *checking)
{
    for (size_t i = 0; i < checking->form->form.num_facts; i++)
        LB_TRY(check_fact(checking, i));
    return LB_OK;
}

/* --- what citizens are asked --- */

#define MIN_NAMED_BYTES 6 /* two Chinese characters: what is shorter names nothing */

/* Letters alone, without blanks and upper case. */
static const char *squeeze(const char *text, struct lb_arena *arena)
{
    size_t len = 0;
    char *out = lb_arena_alloc(arena, strlen(text) + 1);
    for (const char *p = text; out != NULL && *p != '\0'; p++)
        if (*p != ' ')
            out[len++] = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    if (out != NULL)
        out[len] = '\0';
    return out;
}

/* Whether two texts name the same: one of them stands in the other. */
static lb_status names_same(const char *a, const char *b, struct lb_arena *arena, bool *out)
{
    const char *one = squeeze(a, arena);
    const char *other = squeeze(b, arena);
    LB_ENSURE(one != NULL && other != NULL, LB_NO_MEMORY, "a text");
    *out = strlen(one) >= MIN_NAMED_BYTES && strlen(other) >= MIN_NAMED_BYTES &&
           (strstr(one, other) != NULL || strstr(other, one) != NULL);
    return LB_OK;
}

static lb_status texts_same(const struct lb_form_text *a, const struct lb_form_text *b,
                            struct lb_arena *arena, bool *out)
{
    *out = false;
    if (b->zh == NULL)
        return LB_OK;
    LB_TRY(names_same(a->zh, b->zh, arena, out));
    return *out ? LB_OK : names_same(a->en, b->en, arena, out);
}

/* Names are written with `_` in forms and with `-` or `.` in views. */
static bool is_called(const char *ask, const char *field)
{
    for (; *ask != '\0' && *field != '\0'; ask++, field++)
        if (*ask != *field && !(*ask == '_' && (*field == '-' || *field == '.')))
            return false;
    return *ask == *field;
}

/* A fact by which somebody has what is asked; NULL when there is none. */
static lb_status find_fact(const struct form_checking *checking, const struct lb_form *form,
                           const struct lb_form_ask *ask, const struct lb_form_fact **out)
{
    *out = NULL;
    for (size_t i = 0; i < form->num_facts && *out == NULL; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        bool same = is_called(ask->name, fact->name);
        if (!same)
            LB_TRY(texts_same(&ask->text, &fact->saves, checking->arena, &same));
        if (!same)
            LB_TRY(texts_same(&ask->text, &fact->label, checking->arena, &same));
        *out = same ? fact : NULL;
    }
    return LB_OK;
}

static lb_status find_view(const struct form_checking *checking, const struct lb_form_ask *ask,
                           const char **out_view)
{
    const struct lb_form_registered *registered = checking->registered;
    *out_view = NULL;
    for (size_t v = 0; v < registered->num_views && *out_view == NULL; v++) {
        const struct lb_view *view = registered->views[v];
        const struct lb_form_text title = {view->title_zh, view->title_en};
        bool same = false;
        LB_TRY(texts_same(&ask->text, &title, checking->arena, &same));
        for (size_t i = 0; i < view->num_fields && !same; i++)
            same = is_called(ask->name, view->fields[i].name);
        *out_view = same ? view->id : NULL;
    }
    return LB_OK;
}

static lb_status find_supplier(const struct form_checking *checking,
                               const struct lb_form_ask *ask, const char **out_view)
{
    const struct lb_form_registered *registered = checking->registered;
    const struct lb_form_fact *fact;
    LB_TRY(find_fact(checking, &checking->form->form, ask, &fact));
    for (size_t i = 0; i < registered->num_forms && fact == NULL; i++)
        LB_TRY(find_fact(checking, registered->forms[i], ask, &fact));
    *out_view = fact == NULL ? NULL : fact->view;
    return fact != NULL ? LB_OK : find_view(checking, ask, out_view);
}

static lb_status check_ask(struct form_checking *checking, size_t index)
{
    const struct lb_form_ask *ask = &checking->form->form.asks[index];
    const struct lb_yaml_node *node = lb_form_node_of(checking->form, "asks", index);
    const char *view = NULL;
    LB_TRY(find_supplier(checking, ask, &view));
    if (view != NULL && ask->waiver.zh != NULL)
        return lb_form_found(checking, LB_FINDING_WAIVED, node,
                             "`%s` is asked of the citizen although view %s supplies it: %s",
                             ask->name, view, ask->waiver.en);
    if (view != NULL)
        return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                             "`%s` is asked of the citizen, and view %s supplies it; ask the "
                             "department, or say why not with `waiver`",
                             ask->name, view);
    if (ask->waiver.zh != NULL && checking->registered->num_views > 0)
        return lb_form_found(checking, LB_FINDING_MISTAKE, lb_yaml_get(node, "waiver"),
                             "no view supplies `%s`, so there is nothing to waive; remove `waiver`",
                             ask->name);
    return LB_OK;
}

lb_status lb_form_check_asks(struct form_checking *checking)
{
    for (size_t i = 0; i < checking->form->form.num_asks; i++)
        LB_TRY(check_ask(checking, i));
    return LB_OK;
}
