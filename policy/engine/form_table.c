#include "policy/engine/form_table.h"

#include <string.h>

#include "policy/engine/form_tabling.h"

const char *lb_form_class_id(const struct lb_form *form, size_t index)
{
    return index < form->num_classes ? form->classes[index].id : form->otherwise.id;
}

/* --- what the rules are --- */

static bool is_used(const struct lb_form_compiled *form, size_t threshold)
{
    bool used = false;
    for (size_t i = 0; i < form->num_values; i++)
        used = used || lb_expr_uses(form->values[i].expr, form->form.num_facts + threshold);
    for (size_t i = 0; i < form->form.num_conditions; i++)
        used = used || lb_expr_uses(form->tests[i].expr, threshold);
    for (size_t i = 0; i < form->form.num_amounts; i++)
        used = used || lb_expr_uses(form->sums[i].expr, threshold);
    for (size_t i = 0; i < form->form.num_facts; i++)
        for (size_t k = 0; k < form->form.facts[i].call.num_args; k++) {
            /* in an operator a threshold is written as in the rule set; here dots are `_` */
            const char *a = form->form.facts[i].call.args[k];
            const char *b = form->names[form->form.num_facts + threshold];
            while (*a != '\0' && (*a == *b || (*b == '_' && (*a == '.' || *a == '-'))))
                a++, b++;
            used = used || (*a == '\0' && *b == '\0');
        }
    return used;
}

static void put_thresholds(struct form_tabling *tabling, const struct lb_rules *rules)
{
    for (size_t i = 0; i < tabling->form->num_thresholds; i++) {
        const struct lb_threshold *threshold = lb_rules_threshold_at(rules, i);
        if (is_used(tabling->form, i))
            lb_buf_printf(tabling->out, "threshold %s = %lld %s\n", threshold->name,
                          (long long)threshold->value, threshold->unit);
    }
}

static void put_otherwise(struct form_tabling *tabling, const struct lb_fact *otherwise)
{
    if (otherwise->kind == LB_FACT_TRUTH)
        lb_buf_printf(tabling->out, " otherwise=%s", otherwise->truth ? "true" : "false");
    else if (otherwise->kind == LB_FACT_NUMBER)
        lb_buf_printf(tabling->out, " otherwise=%lld", (long long)otherwise->number);
}

static lb_status put_facts(struct form_tabling *tabling)
{
    const struct lb_form *form = &tabling->form->form;
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        const char *call = lb_op_format(&fact->call, tabling->arena);
        LB_ENSURE(call != NULL, LB_NO_MEMORY, "a form's table");
        lb_buf_printf(tabling->out, "fact %s = %s.%s %s of=", fact->name, fact->view, fact->field,
                      call);
        for (size_t r = 0, num = 0; r < form->num_roles; r++)
            if (lb_form_asks(fact, r))
                lb_buf_printf(tabling->out, "%s%s", num++ > 0 ? "," : "", form->roles[r].name);
        put_otherwise(tabling, &fact->otherwise);
        lb_buf_printf(tabling->out, "%s%s\n", lb_form_is_late(form, i) ? " late" : "",
                      fact->optional ? " optional" : "");
    }
    return LB_OK;
}

/* An expression on one line, with one blank where it has any. */
static lb_status put_expression(struct form_tabling *tabling, const struct lb_yaml_node *node)
{
    struct lb_diag diag;
    const char *text;
    bool blank = false;
    LB_TRY(lb_yaml_text(node, &diag, &text));
    for (; *text != '\0'; text++) {
        bool is_blank = *text == ' ' || *text == '\n' || *text == '\t';
        if (!is_blank && blank)
            lb_buf_put_u8(tabling->out, ' ');
        if (!is_blank)
            lb_buf_put_u8(tabling->out, (uint8_t)*text);
        blank = is_blank;
    }
    lb_buf_put_u8(tabling->out, '\n');
    return LB_OK;
}

static lb_status put_rules(struct form_tabling *tabling)
{
    static const char *const folds[] = {"sum", "any", "all", "count", "applicant"};
    const struct lb_form_compiled *form = tabling->form;
    for (size_t i = 0; i < form->form.num_shares; i++) {
        lb_buf_printf(tabling->out, "slot %s =", form->form.shares[i].slot);
        for (size_t k = 0; k < form->form.shares[i].num_facts; k++)
            lb_buf_printf(tabling->out, " %s",
                          form->form.facts[form->form.shares[i].facts[k]].name);
        lb_buf_put_u8(tabling->out, '\n');
    }
    for (size_t i = 0; i < form->num_values; i++) {
        lb_buf_printf(tabling->out, "household %s = %s of ", form->values[i].name,
                      folds[form->values[i].fold]);
        LB_TRY(put_expression(tabling, form->values[i].each));
    }
    for (size_t i = 0; i < form->form.num_conditions; i++) {
        lb_buf_printf(tabling->out, "condition %s = ", form->form.conditions[i].name);
        LB_TRY(put_expression(tabling, form->tests[i].node));
    }
    for (size_t i = 0; i < form->form.num_classes; i++) {
        lb_buf_printf(tabling->out, "class %s = ", form->form.classes[i].id);
        LB_TRY(put_expression(tabling, form->whens[i].node));
    }
    for (size_t i = 0; i < form->form.num_amounts; i++) {
        lb_buf_printf(tabling->out, "amount %s (%s) = ", form->form.amounts[i].name,
                      lb_form_unit_name(form->form.amounts[i].unit));
        LB_TRY(put_expression(tabling, form->sums[i].node));
    }
    return LB_OK;
}

/* --- what follows --- */

static const char *truth_name(enum lb_truth truth)
{
    return truth == LB_UNKNOWN ? "unknown" : truth == LB_TRUE ? "true" : "false";
}

static lb_status put_example(struct form_tabling *tabling, size_t index,
                             const struct lb_form_example *example)
{
    const struct lb_form *form = &tabling->form->form;
    const char *id = lb_form_class_id(form, index);
    struct lb_form_judgement judgement;
    LB_TRY(lb_form_judge(tabling->form, example->members, example->num_members, example->totals,
                         tabling->arena, &judgement));
    LB_ENSURE(strcmp(judgement.class_id, id) == 0, LB_INTERNAL, "an example of another class");
    lb_buf_printf(tabling->out, "%s household:", id);
    for (size_t m = 0; m < example->num_members; m++)
        lb_buf_printf(tabling->out, " %s", form->roles[example->members[m].role].name);
    lb_buf_put_u8(tabling->out, '\n');
    for (size_t i = 0; i < form->num_conditions; i++)
        lb_buf_printf(tabling->out, "%s condition %s: %s\n", id, form->conditions[i].name,
                      truth_name(judgement.conditions[i]));
    for (size_t i = 0; i < form->num_amounts; i++)
        if (judgement.amounts[i].told)
            lb_buf_printf(tabling->out, "%s amount %s: %lld\n", id, form->amounts[i].name,
                          (long long)judgement.amounts[i].value);
    return LB_OK;
}

static lb_status put_class(struct form_tabling *tabling, size_t index)
{
    struct lb_form_example example;
    enum lb_form_reach reach = LB_REACH_UNDECIDED;
    lb_arena_reset(tabling->arena);
    LB_TRY(lb_form_ranges_new(tabling->form, tabling->arena, &tabling->ranges));
    LB_TRY(lb_form_reach_class(tabling->form, index, tabling->arena, &reach, &example));
    if (reach != LB_REACH_YES) {
        lb_buf_printf(tabling->out, "%s: %s\n", lb_form_class_id(&tabling->form->form, index),
                      reach == LB_REACH_NEVER ? "nobody can get it" : "no example was found");
        return LB_OK;
    }
    LB_TRY(put_example(tabling, index, &example));
    return lb_form_table_answers(tabling, index, &example);
}

static lb_status put_all(struct form_tabling *tabling, const struct lb_rules *rules)
{
    const struct lb_form *form = &tabling->form->form;
    lb_buf_printf(tabling->out, "form %s v%u rules %s v%u\n", form->id, form->version,
                  form->rules_id, lb_rules_version(rules));
    put_thresholds(tabling, rules);
    LB_TRY(put_facts(tabling));
    LB_TRY(put_rules(tabling));
    for (size_t i = 0; i <= form->num_classes && tabling->form->num_values > 0; i++)
        LB_TRY(put_class(tabling, i));
    return lb_buf_check(tabling->out);
}

lb_status lb_form_table(struct lb_form_compiled *form, const struct lb_rules *rules,
                        struct lb_arena *arena, struct lb_span *out_text)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_buf out LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&out, LB_MAX_FORM_TABLE_BYTES);
    LB_ENSURE(form->env != NULL, LB_CONFIG_INVALID, "a form without its rule set");
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "a form's table");
    struct form_tabling tabling = {.form = form, .arena = scratch, .out = &out};
    LB_TRY(put_all(&tabling, rules));
    return lb_arena_copy(arena, lb_buf_span(&out), out_text);
}
