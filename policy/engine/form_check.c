#include "policy/engine/form_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/engine/form_checking.h"
#include "policy/engine/form_reach.h"

lb_status lb_form_found(struct form_checking *checking, enum lb_form_finding_kind kind,
                        const struct lb_yaml_node *node, const char *format, ...)
{
    struct lb_diag what, line;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what.text, sizeof(what.text), format, args);
    va_end(args);
    if (checking->num == LB_MAX_FORM_FINDINGS)
        return LB_OK;
    lb_status status = lb_yaml_fail(node, &line, "%s", what.text);
    LB_ENSURE(lb_status_code(status) == LB_CONFIG_INVALID, LB_INTERNAL, "a finding without a line");
    const char *text = lb_arena_str(checking->arena, lb_span_str(line.text));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "a finding");
    checking->findings[checking->num++] = (struct lb_form_finding){kind, text};
    return LB_OK;
}

const struct lb_yaml_node *lb_form_node_of(const struct lb_form_compiled *form, const char *list,
                                           size_t index)
{
    return lb_yaml_item(lb_yaml_get(lb_yaml_root(form->yaml), list), index);
}

/* --- rules --- */

/* A class before which nothing is left for this one; the class's own index when its expression
 * never holds. */
static lb_status find_why(struct form_checking *checking, size_t index, size_t *out_class)
{
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    size_t before = 0;
    for (; before < index; before++) {
        LB_TRY(lb_form_reach_after(checking->form, index, before, checking->arena, &reach));
        if (reach == LB_REACH_NEVER)
            break;
    }
    *out_class = before == 0 ? index : before - 1;
    return LB_OK;
}

static lb_status tell_never(struct form_checking *checking, size_t index)
{
    const struct lb_form *form = &checking->form->form;
    const struct lb_yaml_node *node = lb_yaml_get(lb_yaml_root(checking->form->yaml), "otherwise");
    size_t why = 0;
    LB_TRY(find_why(checking, index, &why));
    if (index == form->num_classes)
        return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                             "no household is left for `%s`: with `%s` every one has a class or "
                             "goes to a person; make the last class the `otherwise`",
                             form->otherwise.id,
                             form->classes[why < index ? why : index - 1].id);
    node = checking->form->whens[index].node;
    if (why == index)
        return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                             "class `%s` can never win: its `when` never holds; correct it or "
                             "remove the class",
                             form->classes[index].id);
    return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                         "class `%s` can never win: whenever it holds, `%s` or one before it does, "
                         "or goes to a person; put it first, or remove it",
                         form->classes[index].id, form->classes[why].id);
}

static lb_status check_class(struct form_checking *checking, size_t index)
{
    const struct lb_form *form = &checking->form->form;
    struct lb_form_example example;
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    LB_TRY(lb_form_reach_class(checking->form, index, checking->arena, &reach, &example));
    if (reach == LB_REACH_NEVER)
        return tell_never(checking, index);
    if (reach == LB_REACH_YES)
        return LB_OK;
    bool last = index == form->num_classes;
    return lb_form_found(checking, LB_FINDING_UNDECIDED,
                         last ? lb_yaml_get(lb_yaml_root(checking->form->yaml), "otherwise")
                              : checking->form->whens[index].node,
                         "not decided whether anybody can get class `%s`; show it by a test",
                         last ? form->otherwise.id : form->classes[index].id);
}

static lb_status check_condition(struct form_checking *checking, size_t index)
{
    const char *name = checking->form->form.conditions[index].name;
    const struct lb_yaml_node *node = checking->form->tests[index].node;
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    bool always = false;
    LB_TRY(lb_form_always_holds(checking->form, index, &always));
    if (always)
        return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                             "condition `%s` holds whatever anybody answers; correct it or remove "
                             "it",
                             name);
    LB_TRY(lb_form_reach_condition(checking->form, index, checking->arena, &reach));
    if (reach == LB_REACH_NEVER)
        return lb_form_found(checking, LB_FINDING_MISTAKE, node,
                             "condition `%s` can never hold; correct it or remove it", name);
    if (reach == LB_REACH_YES)
        return LB_OK;
    return lb_form_found(checking, LB_FINDING_UNDECIDED, node,
                         "not decided whether condition `%s` can hold; show it by a test", name);
}

lb_status lb_form_check_rules(struct form_checking *checking)
{
    const struct lb_form *form = &checking->form->form;
    if (checking->form->num_values == 0)
        return LB_OK; /* it only shows what it asked */
    for (size_t i = 0; i < form->num_conditions; i++)
        LB_TRY(check_condition(checking, i));
    for (size_t i = 0; i <= form->num_classes; i++)
        LB_TRY(check_class(checking, i));
    return LB_OK;
}

lb_status lb_form_check(struct lb_form_compiled *form, const struct lb_rules *rules,
                        const struct lb_form_registered *registered, struct lb_arena *arena,
                        const struct lb_form_finding **out_findings, size_t *out_num)
{
    struct form_checking checking = {
        .form = form,
        .rules = rules,
        .registered = registered,
        .arena = arena,
        .findings = lb_arena_array(arena, LB_MAX_FORM_FINDINGS, sizeof(*checking.findings)),
    };
    LB_ENSURE(form->env != NULL, LB_CONFIG_INVALID, "a form without its rule set");
    LB_ENSURE(checking.findings != NULL, LB_NO_MEMORY, "a check");
    LB_TRY(lb_form_check_needs(&checking));
    if (registered->num_views > 0)
        LB_TRY(lb_form_check_views(&checking));
    LB_TRY(lb_form_check_asks(&checking));
    LB_TRY(lb_form_check_rules(&checking));
    *out_findings = checking.findings;
    *out_num = checking.num;
    return LB_OK;
}
