#include <string.h>

#include "gateway/base/wipe.h"
#include "policy/engine/form_internal.h"

/* One row of values per member, in the order of the form's names: the member's facts, then what is
 * the same for all. The applicant's row serves the conditions too. */
struct judging {
    struct lb_form_compiled *form;
    const struct lb_form_member *members;
    size_t num_members;
    size_t applicant;
    const struct lb_fact *totals;  /* one per slot */
    struct lb_expr_value *rows;
};

static struct lb_expr_value *row_of(const struct judging *judging, size_t member)
{
    return judging->rows + member * judging->form->num_names;
}

static struct lb_expr_value number_value(int64_t number)
{
    return (struct lb_expr_value){.kind = LB_EXPR_NUMBER, .number = number};
}

static struct lb_expr_value truth_value(enum lb_truth truth)
{
    if (truth == LB_UNKNOWN)
        return (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
    return (struct lb_expr_value){.kind = LB_EXPR_TRUTH, .truth = truth == LB_TRUE};
}

static enum lb_truth truth_of(const struct lb_expr_value *value)
{
    if (value->kind != LB_EXPR_TRUTH)
        return LB_UNKNOWN;
    return value->truth ? LB_TRUE : LB_FALSE;
}

static struct lb_expr_value text_value(struct lb_span text)
{
    struct lb_expr_value value = {.kind = LB_EXPR_UNKNOWN};
    if (text.len >= sizeof(value.text) || (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL))
        return value;
    value.kind = LB_EXPR_TEXT;
    if (text.len > 0)
        memcpy(value.text, text.ptr, text.len);
    return value;
}

/* What did not come back well, or is not of the kind its operator gives, is unknown: never zero,
 * never FALSE. */
static struct lb_expr_value fact_value(const struct lb_fact *fact, enum lb_expr_kind kind)
{
    if (fact->state != LB_FACT_OK)
        return (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
    if (fact->kind == LB_FACT_TRUTH && kind == LB_EXPR_TRUTH)
        return truth_value(fact->truth ? LB_TRUE : LB_FALSE);
    if (fact->kind == LB_FACT_NUMBER && kind == LB_EXPR_NUMBER)
        return number_value(fact->number);
    if (fact->kind == LB_FACT_TEXT && kind == LB_EXPR_TEXT)
        return text_value(fact->text);
    return (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
}

/* Relatives outside and the dead stand in the form, not in the household. */
static int64_t household_size(const struct judging *judging)
{
    int64_t size = 0;
    for (size_t i = 0; i < judging->num_members; i++) {
        const struct lb_form_role *role = &judging->form->form.roles[judging->members[i].role];
        size += !role->outside && !role->deceased;
    }
    return size;
}

static void fill_row(const struct judging *judging, size_t index)
{
    const struct lb_form_compiled *form = judging->form;
    const struct lb_form_member *member = &judging->members[index];
    struct lb_expr_value *row = row_of(judging, index);
    for (size_t i = 0; i < form->form.num_facts; i++) {
        const struct lb_form_fact *fact = &form->form.facts[i];
        const struct lb_fact *got =
            lb_form_asks(fact, member->role) ? &member->facts[i] : &fact->otherwise;
        row[i] = fact->call.op == LB_OP_SHARE ? truth_value(LB_UNKNOWN)
                                              : fact_value(got, form->kinds[i]);
    }
    for (size_t i = 0; i < form->num_thresholds; i++)
        row[form->form.num_facts + i] = number_value(form->thresholds[i]);
    for (size_t i = 0; i < form->form.num_shares; i++)
        row[lb_form_first_slot(form) + i] = fact_value(&judging->totals[i], LB_EXPR_NUMBER);
    row[form->num_names - 1] = number_value(household_size(judging));
}

static struct lb_expr_value fold_sum(const struct lb_expr_value *each, size_t num)
{
    struct lb_expr_value total = number_value(0);
    for (size_t i = 0; i < num; i++)
        if (each[i].kind != LB_EXPR_NUMBER ||
            __builtin_add_overflow(total.number, each[i].number, &total.number))
            return (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
    return total;
}

/* One `decisive` member settles it whatever the others are; else one unknown leaves it open. */
static struct lb_expr_value fold_truth(const struct lb_expr_value *each, size_t num,
                                       enum lb_truth decisive)
{
    enum lb_truth result = decisive == LB_TRUE ? LB_FALSE : LB_TRUE;
    for (size_t i = 0; i < num; i++) {
        enum lb_truth truth = truth_of(&each[i]);
        if (truth == decisive)
            return truth_value(decisive);
        if (truth == LB_UNKNOWN)
            result = LB_UNKNOWN;
    }
    return truth_value(result);
}

static struct lb_expr_value fold_count(const struct lb_expr_value *each, size_t num)
{
    struct lb_expr_value total = number_value(0);
    for (size_t i = 0; i < num; i++) {
        enum lb_truth truth = truth_of(&each[i]);
        if (truth == LB_UNKNOWN)
            return (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
        total.number += truth == LB_TRUE ? 1 : 0;
    }
    return total;
}

static struct lb_expr_value fold_members(const struct judging *judging, enum form_fold fold,
                                         const struct lb_expr_value *each)
{
    switch (fold) {
    case FOLD_SUM:
        return fold_sum(each, judging->num_members);
    case FOLD_ANY:
        return fold_truth(each, judging->num_members, LB_TRUE);
    case FOLD_ALL:
        return fold_truth(each, judging->num_members, LB_FALSE);
    case FOLD_COUNT:
        return fold_count(each, judging->num_members);
    case FOLD_APPLICANT:
        return each[judging->applicant];
    }
    return (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
}

static lb_status judge_value(const struct judging *judging, const struct form_value *value,
                             size_t place)
{
    struct lb_expr_value each[LB_MAX_HOUSEHOLD];
    lb_status status = LB_OK;
    for (size_t m = 0; m < judging->num_members && status == LB_OK; m++)
        status = lb_expr_eval(value->expr, row_of(judging, m), value->each_kind, &each[m]);
    if (status == LB_OK) {
        struct lb_expr_value folded = fold_members(judging, value->fold, each);
        for (size_t m = 0; m < judging->num_members; m++)
            row_of(judging, m)[place] = folded;
        lb_wipe(&folded, sizeof(folded));
    }
    lb_wipe(each, sizeof(each)); /* incomes of persons */
    return status;
}

static lb_status judge_values(const struct judging *judging)
{
    const struct lb_form_compiled *form = judging->form;
    size_t first_value = lb_form_first_value(form);
    for (size_t m = 0; m < judging->num_members; m++)
        fill_row(judging, m);
    for (size_t i = 0; i < form->num_values; i++)
        LB_TRY(judge_value(judging, &form->values[i], first_value + i));
    return LB_OK;
}

static lb_status judge_tests(const struct form_test *tests, size_t num,
                             const struct lb_expr_value *values, struct lb_arena *arena,
                             enum lb_truth **out_truths)
{
    enum lb_truth *truths = lb_arena_array(arena, num, sizeof(*truths));
    LB_ENSURE(truths != NULL, LB_NO_MEMORY, "a judgement");
    for (size_t i = 0; i < num; i++) {
        struct lb_expr_value value;
        LB_TRY(lb_expr_eval(tests[i].expr, values, LB_EXPR_TRUTH, &value));
        truths[i] = truth_of(&value);
    }
    *out_truths = truths;
    return LB_OK;
}

static lb_status judge_classes(const struct judging *judging, struct lb_arena *arena,
                               struct lb_form_judgement *out)
{
    size_t num = judging->form->form.num_conditions;
    struct lb_expr_value *values = lb_arena_array(arena, num, sizeof(*values));
    LB_ENSURE(values != NULL, LB_NO_MEMORY, "a judgement");
    for (size_t i = 0; i < num; i++)
        values[i] = truth_value(out->conditions[i]);
    return judge_tests(judging->form->whens, judging->form->form.num_classes, values, arena,
                       &out->classes);
}

/* The first class that is not FALSE settles it: TRUE gives the class, UNKNOWN leaves it to a
 * person. Returns its index, num_classes for the last. */
static size_t choose(const struct lb_form *form, struct lb_form_judgement *judgement)
{
    const struct lb_form_class *chosen = &form->otherwise;
    size_t i = 0;
    while (i < form->num_classes && judgement->classes[i] == LB_FALSE)
        i++;
    if (i < form->num_classes)
        chosen = &form->classes[i];
    judgement->manual = i < form->num_classes && judgement->classes[i] == LB_UNKNOWN;
    judgement->class_id = judgement->manual ? "MANUAL" : chosen->id;
    judgement->class_text = judgement->manual
                                ? (struct lb_form_text){"转人工审核", "for a person to decide"}
                                : chosen->text;
    return i;
}

/* Nothing is told where a person decides. */
static lb_status tell_amounts(const struct lb_form_compiled *form, size_t class_index,
                              const struct lb_expr_value *household, struct lb_arena *arena,
                              struct lb_form_judgement *judgement)
{
    if (!judgement->manual)
        return lb_form_judge_amounts(form, class_index, household, arena, &judgement->amounts);
    judgement->amounts =
        lb_arena_array(arena, form->form.num_amounts, sizeof(*judgement->amounts));
    LB_ENSURE(judgement->amounts != NULL, LB_NO_MEMORY, "a judgement");
    return LB_OK;
}

static lb_status check_members(const struct lb_form *form, const struct lb_form_member *members,
                               size_t num_members, size_t *out_applicant)
{
    int64_t counts[LB_FORM_MAX_ROLES] = {0};
    size_t applicant = 0;
    LB_ENSURE(num_members >= 1 && num_members <= LB_MAX_HOUSEHOLD, LB_MALFORMED, "household size");
    for (size_t i = 0; i < num_members; i++) {
        LB_ENSURE(members[i].role < form->num_roles, LB_MALFORMED, "a role the form lacks");
        counts[members[i].role]++;
        if (members[i].role == 0)
            applicant = i;
    }
    for (size_t r = 0; r < form->num_roles; r++)
        LB_ENSURE(counts[r] >= form->roles[r].min && counts[r] <= form->roles[r].max, LB_MALFORMED,
                  "members of a role");
    *out_applicant = applicant;
    return LB_OK;
}

lb_status lb_form_judge(struct lb_form_compiled *form, const struct lb_form_member *members,
                        size_t num_members, const struct lb_fact *totals,
                        struct lb_arena *arena, struct lb_form_judgement *out)
{
    struct judging judging = {
        .form = form, .members = members, .num_members = num_members, .totals = totals};
    struct lb_form_judgement judgement = {0};
    LB_ENSURE(form->env != NULL, LB_CONFIG_INVALID, "a form without its rule set");
    LB_TRY(check_members(&form->form, members, num_members, &judging.applicant));
    judging.rows = lb_arena_array(arena, num_members * form->num_names, sizeof(*judging.rows));
    LB_ENSURE(judging.rows != NULL, LB_NO_MEMORY, "a judgement");
    LB_TRY(judge_values(&judging));
    const struct lb_expr_value *household =
        row_of(&judging, judging.applicant) + form->form.num_facts;
    LB_TRY(judge_tests(form->tests, form->form.num_conditions, household, arena,
                       &judgement.conditions));
    LB_TRY(judge_classes(&judging, arena, &judgement));
    size_t class_index = choose(&form->form, &judgement);
    LB_TRY(tell_amounts(form, class_index, household, arena, &judgement));
    *out = judgement;
    return LB_OK;
}
