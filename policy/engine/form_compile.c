#include <string.h>

#include "policy/engine/form_internal.h"

/* The run of names that one expression may use, with where its uses are noted. */
struct scope {
    struct lb_expr_names names;
    bool *used;
};

static struct scope scope_of(const struct lb_form_compiled *form, bool *used, size_t first,
                             size_t num)
{
    return (struct scope){
        .names = {.names = form->names + first, .kinds = form->kinds + first, .count = num},
        .used = used + first,
    };
}

/* A share alone is noise; an expression names the slot's total. */
static lb_status refuse_shares(struct form_loader *loader, const struct lb_yaml_node *node,
                               const struct scope *scope, const struct lb_expr *expr)
{
    const struct lb_form *form = &loader->form->form;
    if (scope->names.names != loader->form->names)
        return LB_OK; /* this scope has no facts */
    for (size_t i = 0; i < form->num_facts; i++) {
        size_t share = lb_form_share_of(form, i);
        if (share != SIZE_MAX && lb_expr_uses(expr, i))
            return lb_yaml_fail(node, loader->diag,
                                "`%s` is one share and tells nothing; use the total `%s`",
                                form->facts[i].name, form->shares[share].slot);
    }
    return LB_OK;
}

/* compile_one wants the given kind, or any when want is UNKNOWN. */
static lb_status compile_one(struct form_loader *loader, const struct lb_yaml_node *node,
                             const struct scope *scope, enum lb_expr_kind want,
                             struct lb_expr **out_expr)
{
    const char *text;
    struct lb_diag reason = {{0}};
    LB_TRY(lb_yaml_text(node, loader->diag, &text));
    lb_status status =
        lb_expr_compile(loader->form->env, text, &scope->names, &reason, out_expr);
    if (lb_status_code(status) == LB_CONFIG_INVALID)
        return lb_yaml_fail(node, loader->diag, "%s", reason.text);
    LB_TRY(status);
    LB_TRY(refuse_shares(loader, node, scope, *out_expr));
    for (size_t i = 0; i < scope->names.count; i++)
        scope->used[i] = scope->used[i] || lb_expr_uses(*out_expr, i);
    if (want == LB_EXPR_UNKNOWN || lb_expr_kind_of(*out_expr) == want)
        return LB_OK;
    return lb_yaml_fail(node, loader->diag, "this must come to %s; write it as one",
                        want == LB_EXPR_NUMBER ? "a number" : "true or false");
}

/* Thresholds are written in expressions with `_` for each dot and hyphen; a rule set has no two
 * that become one by it. */
static lb_status add_threshold(struct form_loader *loader, size_t index)
{
    struct lb_form_compiled *form = loader->form;
    const struct lb_threshold *threshold = lb_rules_threshold_at(loader->rules, index);
    char *name = lb_arena_str(loader->arena, lb_span_str(threshold->name));
    LB_ENSURE(name != NULL, LB_NO_MEMORY, "a threshold's name");
    for (char *p = name; *p != '\0'; p++)
        if (*p == '.' || *p == '-')
            *p = '_';
    for (size_t i = 0; i < loader->num_taken; i++)
        if (strcmp(loader->taken[i].name, name) == 0)
            return lb_yaml_fail(loader->taken[i].node, loader->diag,
                                "`%s` is how the threshold `%s` is written; choose another name",
                                name, threshold->name);
    form->names[form->form.num_facts + index] = name;
    form->kinds[form->form.num_facts + index] = LB_EXPR_NUMBER;
    form->thresholds[index] = threshold->value;
    return LB_OK;
}

static lb_status allocate_names(struct form_loader *loader, const struct lb_yaml_node *rules_node)
{
    struct lb_form_compiled *form = loader->form;
    form->num_thresholds = lb_rules_num_thresholds(loader->rules);
    form->num_names = lb_form_first_value(form) + form->num_values + 1;
    if (form->num_names > LB_MAX_EXPR_NAMES)
        return lb_yaml_fail(rules_node, loader->diag,
                            "facts, thresholds, slots and household values are %zu names; at most "
                            "%d fit, split the form or the rule set",
                            form->num_names, LB_MAX_EXPR_NAMES);
    form->names = lb_arena_array(loader->arena, form->num_names, sizeof(*form->names));
    form->kinds = lb_arena_array(loader->arena, form->num_names, sizeof(*form->kinds));
    form->thresholds =
        lb_arena_array(loader->arena, form->num_thresholds, sizeof(*form->thresholds));
    LB_ENSURE(form->names != NULL && form->kinds != NULL && form->thresholds != NULL, LB_NO_MEMORY,
              "a form's names");
    return LB_OK;
}

static lb_status list_names(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form_compiled *form = loader->form;
    const struct lb_yaml_node *rules_node = lb_yaml_get(root, "rules");
    if (strcmp(lb_rules_id(loader->rules), form->form.rules_id) != 0)
        return lb_yaml_fail(rules_node, loader->diag,
                            "the form is for rule set `%s`, and `%s` is given; load the right one",
                            form->form.rules_id, lb_rules_id(loader->rules));
    LB_TRY(allocate_names(loader, rules_node));
    for (size_t i = 0; i < form->form.num_facts; i++) {
        form->names[i] = form->form.facts[i].name;
        form->kinds[i] = lb_form_fact_kind(&form->form.facts[i]);
    }
    for (size_t i = 0; i < form->num_thresholds; i++)
        LB_TRY(add_threshold(loader, i));
    for (size_t i = 0; i < form->form.num_shares; i++) {
        form->names[lb_form_first_slot(form) + i] = form->form.shares[i].slot;
        form->kinds[lb_form_first_slot(form) + i] = LB_EXPR_NUMBER;
    }
    for (size_t i = 0; i < form->num_values; i++)
        form->names[lb_form_first_value(form) + i] = form->values[i].name;
    form->names[form->num_names - 1] = "n";
    form->kinds[form->num_names - 1] = LB_EXPR_NUMBER;
    return LB_OK;
}

static enum lb_expr_kind wanted_by(enum form_fold fold)
{
    switch (fold) {
    case FOLD_SUM:
        return LB_EXPR_NUMBER;
    case FOLD_ANY:
    case FOLD_ALL:
    case FOLD_COUNT:
        return LB_EXPR_TRUTH;
    case FOLD_APPLICANT:
        break;
    }
    return LB_EXPR_UNKNOWN;
}

static enum lb_expr_kind folded_kind(enum form_fold fold, enum lb_expr_kind each)
{
    return fold == FOLD_COUNT ? LB_EXPR_NUMBER : each;
}

/* A text of the applicant's is compared in conditions; within `each` it would look like a fact of
 * the member at hand. */
static lb_status refuse_text_values(struct form_loader *loader, size_t index)
{
    const struct lb_form_compiled *form = loader->form;
    size_t first_value = lb_form_first_value(form);
    for (size_t i = 0; i < index; i++)
        if (form->values[i].kind == LB_EXPR_TEXT &&
            lb_expr_uses(form->values[index].expr, first_value + i))
            return lb_yaml_fail(form->values[index].each, loader->diag,
                                "`%s` is a text and is for conditions only; use the fact itself",
                                form->values[i].name);
    return LB_OK;
}

static lb_status compile_values(struct form_loader *loader, bool *used)
{
    struct lb_form_compiled *form = loader->form;
    size_t first_value = lb_form_first_value(form);
    for (size_t i = 0; i < form->num_values; i++) {
        struct form_value *value = &form->values[i];
        struct scope scope = scope_of(form, used, 0, first_value + i);
        LB_TRY(compile_one(loader, value->each, &scope, wanted_by(value->fold), &value->expr));
        LB_TRY(refuse_text_values(loader, i));
        value->each_kind = lb_expr_kind_of(value->expr);
        value->kind = folded_kind(value->fold, value->each_kind);
        form->kinds[first_value + i] = value->kind;
    }
    return LB_OK;
}

static lb_status compile_conditions(struct form_loader *loader, bool *used)
{
    struct lb_form_compiled *form = loader->form;
    size_t first = form->form.num_facts;
    struct scope scope = scope_of(form, used, first, form->num_names - first);
    for (size_t i = 0; i < form->form.num_conditions; i++)
        LB_TRY(compile_one(loader, form->tests[i].node, &scope, LB_EXPR_TRUTH,
                           &form->tests[i].expr));
    return LB_OK;
}

static lb_status compile_amounts(struct form_loader *loader, bool *used)
{
    struct lb_form_compiled *form = loader->form;
    size_t first = form->form.num_facts;
    struct scope scope = scope_of(form, used, first, form->num_names - first);
    for (size_t i = 0; i < form->form.num_amounts; i++)
        LB_TRY(compile_one(loader, form->sums[i].node, &scope, LB_EXPR_NUMBER,
                           &form->sums[i].expr));
    return LB_OK;
}

static lb_status compile_classes(struct form_loader *loader, bool *used)
{
    struct lb_form_compiled *form = loader->form;
    size_t num = form->form.num_conditions;
    const char **names = lb_arena_array(loader->arena, num, sizeof(*names));
    enum lb_expr_kind *kinds = lb_arena_array(loader->arena, num, sizeof(*kinds));
    LB_ENSURE(names != NULL && kinds != NULL, LB_NO_MEMORY, "a form's conditions");
    for (size_t i = 0; i < num; i++) {
        names[i] = form->form.conditions[i].name;
        kinds[i] = LB_EXPR_TRUTH;
    }
    struct scope scope = {.names = {.names = names, .kinds = kinds, .count = num}, .used = used};
    for (size_t i = 0; i < form->form.num_classes; i++)
        LB_TRY(compile_one(loader, form->whens[i].node, &scope, LB_EXPR_TRUTH,
                           &form->whens[i].expr));
    return LB_OK;
}

static bool is_handed_over(const struct lb_form *form, size_t fact)
{
    for (size_t p = 0; p < form->num_parts; p++)
        for (size_t k = 0; k < form->parts[p].num_facts; k++)
            if (form->parts[p].facts[k] == fact)
                return true;
    return false;
}

/* A token goes along with a part, to who opens it; it says nothing to a rule. */
static lb_status check_tokens(struct form_loader *loader, const bool *names_used)
{
    const struct lb_form *form = &loader->form->form;
    for (size_t i = 0; i < form->num_facts; i++) {
        if (form->facts[i].call.op != LB_OP_TOKEN)
            continue;
        if (names_used[i])
            return lb_yaml_fail(loader->taken[i].node, loader->diag,
                                "fact `%s` is a token, which says nothing to a rule; leave it out "
                                "of expressions",
                                loader->taken[i].name);
        if (!is_handed_over(form, i))
            return lb_yaml_fail(loader->taken[i].node, loader->diag,
                                "no part hands over token `%s`; do not ask for it",
                                loader->taken[i].name);
    }
    return LB_OK;
}

/* What no rule needs is not asked for (minimisation), and what is left over is mostly a mistake. */
static lb_status refuse_unused(struct form_loader *loader, const bool *names_used,
                               const bool *conditions_used)
{
    const struct lb_form_compiled *form = loader->form;
    const struct form_taken *taken = loader->taken;
    size_t first_slot = lb_form_first_slot(form);
    size_t first_value = lb_form_first_value(form);
    for (size_t i = 0; i < form->form.num_facts; i++)
        if (!names_used[i] && !form->form.facts[i].show && !is_handed_over(&form->form, i) &&
            lb_form_share_of(&form->form, i) == SIZE_MAX)
            return lb_yaml_fail(taken[i].node, loader->diag,
                                "no expression uses fact `%s` and it is not shown; do not ask for "
                                "it",
                                taken[i].name);
    taken += form->form.num_facts;
    for (size_t i = 0; i < form->form.num_shares; i++)
        if (!names_used[first_slot + i])
            return lb_yaml_fail(taken[i].node, loader->diag,
                                "no expression uses slot `%s`; do not ask for its shares",
                                taken[i].name);
    taken += form->form.num_shares;
    for (size_t i = 0; i < form->num_values; i++)
        if (!names_used[first_value + i])
            return lb_yaml_fail(taken[i].node, loader->diag,
                                "no expression uses household value `%s`; remove it",
                                taken[i].name);
    taken += form->num_values;
    for (size_t i = 0; i < form->form.num_conditions; i++)
        if (!conditions_used[i])
            return lb_yaml_fail(taken[i].node, loader->diag,
                                "no class uses condition `%s`; remove it", taken[i].name);
    return LB_OK;
}

lb_status lb_form_compile(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form_compiled *form = loader->form;
    LB_TRY(lb_expr_env_new(&form->env));
    LB_TRY(list_names(loader, root));
    bool *names_used = lb_arena_array(loader->arena, form->num_names, sizeof(bool));
    bool *conditions_used =
        lb_arena_array(loader->arena, form->form.num_conditions, sizeof(bool));
    LB_ENSURE(names_used != NULL && conditions_used != NULL, LB_NO_MEMORY, "a form's names");
    LB_TRY(compile_values(loader, names_used));
    LB_TRY(compile_conditions(loader, names_used));
    LB_TRY(compile_classes(loader, conditions_used));
    LB_TRY(compile_amounts(loader, names_used));
    LB_TRY(check_tokens(loader, names_used));
    return refuse_unused(loader, names_used, conditions_used);
}
