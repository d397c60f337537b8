#include "policy/engine/view_private.h"

#include <stdlib.h>

static const char *const basis_names[LB_NUM_BASES] = {
    [LB_BASIS_CONSENT] = "consent",
    [LB_BASIS_SEPARATE_CONSENT] = "separate_consent",
    [LB_BASIS_MANDATE] = "mandate",
    [LB_BASIS_EMERGENCY] = "emergency",
};

const char *lb_basis_name(enum lb_basis basis)
{
    return (unsigned)basis < LB_NUM_BASES ? basis_names[basis] : "";
}

lb_status lb_basis_parse(struct lb_span text, enum lb_basis *out_basis)
{
    for (size_t i = 0; i < LB_NUM_BASES; i++) {
        if (!lb_span_is(text, basis_names[i]))
            continue;
        *out_basis = (enum lb_basis)i;
        return LB_OK;
    }
    LB_FAIL(LB_ABSENT, "no legal basis of this name");
}

static const char *const giver_names[LB_NUM_GIVERS] = {
    [LB_GIVER_SELF] = "self",
    [LB_GIVER_GUARDIAN] = "guardian",
    [LB_GIVER_AGENT] = "agent",
    [LB_GIVER_RELATIVE] = "relative",
};

const char *lb_giver_name(enum lb_giver giver)
{
    return (unsigned)giver < LB_NUM_GIVERS ? giver_names[giver] : "";
}

lb_status lb_giver_parse(struct lb_span text, enum lb_giver *out_giver)
{
    for (size_t i = 0; i < LB_NUM_GIVERS; i++) {
        if (!lb_span_is(text, giver_names[i]))
            continue;
        *out_giver = (enum lb_giver)i;
        return LB_OK;
    }
    LB_FAIL(LB_ABSENT, "nobody agrees under this name");
}

static int by_name(const void *left, const void *right)
{
    const struct lb_view_field *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

lb_status lb_view_sort_fields(const struct lb_view_loader *loader, struct lb_view *view)
{
    const struct lb_view_field **sorted =
        lb_arena_array(loader->arena, view->num_fields, sizeof(*sorted));
    LB_ENSURE(sorted != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < view->num_fields; i++)
        sorted[i] = &view->fields[i];
    qsort(sorted, view->num_fields, sizeof(*sorted), by_name);
    view->by_name = sorted;
    return LB_OK;
}

const struct lb_view_field *lb_view_field(const struct lb_view *view, const char *name)
{
    const struct lb_view_field asked = {.name = name};
    const struct lb_view_field *key = &asked;
    const struct lb_view_field *const *found =
        bsearch(&key, view->by_name, view->num_fields, sizeof(key), by_name);
    return found == NULL ? NULL : *found;
}

static bool lists(const char *const *words, size_t num, const char *word)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

/* A question, and how one rule answers each step of it. */
struct question {
    const struct lb_view_ask *ask;
    const struct lb_op_call *call;
    const struct lb_rules *rules;
};

typedef bool passes_fn(const struct lb_view_rule *rule, const struct question *question);

static bool passes_purpose(const struct lb_view_rule *rule, const struct question *question)
{
    return strcmp(rule->purpose, question->ask->purpose) == 0;
}

/* A standing grant is good for what the department meant for standing ones, and for nothing else;
 * an ordinary one for what it did not. */
static bool passes_event(const struct lb_view_rule *rule, const struct question *question)
{
    const struct lb_view_ask *ask = question->ask;
    if (rule->event_days == 0 || ask->event_days == 0)
        return rule->event_days == 0 && ask->event_days == 0;
    return ask->event_days >= rule->event_days &&
           lists(rule->triggers, rule->num_triggers, ask->form);
}

static bool passes_requester(const struct lb_view_rule *rule, const struct question *question)
{
    return lists(rule->requesters, rule->num_requesters, question->ask->requester);
}

/* PIPL 13(1)(3): a mandate counts only under a law that the view itself names (DESIGN §3). */
static bool passes_basis(const struct lb_view_rule *rule, const struct question *question)
{
    const struct lb_view_ask *ask = question->ask;
    if ((unsigned)ask->basis >= LB_NUM_BASES || (rule->bases & 1U << ask->basis) == 0)
        return false;
    if (ask->basis != LB_BASIS_MANDATE)
        return true;
    for (size_t i = 0; i < ask->num_laws; i++)
        if (lists(rule->laws, rule->num_laws, ask->laws[i]))
            return true;
    return false;
}

static bool passes_issuer(const struct lb_view_rule *rule, const struct question *question)
{
    return lists(rule->issuers, rule->num_issuers, question->ask->issuer);
}

static bool passes_operator(const struct lb_view_rule *rule, const struct question *question)
{
    for (size_t i = 0; i < rule->num_operators; i++)
        if (lb_op_at_least_as_strict(question->call, &rule->operators[i], question->rules))
            return true;
    return false;
}

static bool passes_level(const struct lb_view_rule *rule, const struct question *question)
{
    return question->ask->level >= rule->min_level;
}

/* Nobody agreed to a mandate or an emergency. */
static bool passes_giver(const struct lb_view_rule *rule, const struct question *question)
{
    const struct lb_view_ask *ask = question->ask;
    if (ask->basis == LB_BASIS_MANDATE || ask->basis == LB_BASIS_EMERGENCY)
        return true;
    return (unsigned)ask->giver < LB_NUM_GIVERS && (rule->givers & 1U << ask->giver) != 0;
}

struct step {
    passes_fn *passes;
    struct lb_fault refusal;
};

#define REFUSAL(code_, what_) {(code_), (what_), __FILE__, __LINE__}

/* One rule must pass all steps; the refusal names the first step at which no rule is left. */
static const struct step steps[LB_NUM_CLAUSES] = {
    [LB_CLAUSE_PURPOSE] = {passes_purpose, REFUSAL(LB_PURPOSE_NOT_ALLOWED,
                                                   "no rule for the purpose")},
    [LB_CLAUSE_EVENT] = {passes_event, REFUSAL(LB_EVENT_NOT_ALLOWED,
                                               "no rule takes such a standing grant, or an "
                                               "ordinary one")},
    [LB_CLAUSE_REQUESTER] = {passes_requester, REFUSAL(LB_REQUESTER_NOT_ALLOWED,
                                                       "no rule for the requester")},
    [LB_CLAUSE_BASIS] = {passes_basis, REFUSAL(LB_BASIS_NOT_ALLOWED,
                                               "no rule for the basis and law")},
    [LB_CLAUSE_ISSUER] = {passes_issuer, REFUSAL(LB_ISSUER_INERT,
                                                 "no rule that names the issuer")},
    [LB_CLAUSE_OPERATOR] = {passes_operator, REFUSAL(LB_OPERATOR_TOO_WEAK,
                                                     "no rule with this operator or a weaker one")},
    [LB_CLAUSE_LEVEL] = {passes_level, REFUSAL(LB_LOA_LOW,
                                               "every rule demands a higher level of proof")},
    [LB_CLAUSE_GIVER] = {passes_giver, REFUSAL(LB_GIVER_NOT_ALLOWED,
                                               "no rule accepts who agreed")},
};

void lb_view_clauses(const struct lb_view_rule *rule, const struct lb_op_call *call,
                     const struct lb_view_ask *ask, const struct lb_rules *rules,
                     bool out_met[LB_NUM_CLAUSES])
{
    const struct question question = {ask, call, rules};
    for (size_t i = 0; i < LB_NUM_CLAUSES; i++)
        out_met[i] = steps[i].passes(rule, &question);
}

static size_t steps_passed(const bool met[LB_NUM_CLAUSES])
{
    size_t passed = 0;
    while (passed < LB_NUM_CLAUSES && met[passed])
        passed++;
    return passed;
}

lb_status lb_view_judge(const struct lb_view *view, const char *field,
                        const struct lb_op_call *call, const struct lb_view_ask *ask,
                        const struct lb_rules *rules, struct lb_view_verdict *out_verdict)
{
    struct lb_view_verdict verdict = {.field = lb_view_field(view, field), .dry_run = true};
    LB_ENSURE(verdict.field != NULL, LB_FIELD_UNKNOWN, "the view has no such field");
    size_t furthest = 0;
    for (size_t i = 0; i < verdict.field->num_rules && verdict.dry_run; i++) {
        const struct lb_view_rule *rule = &verdict.field->rules[i];
        bool met[LB_NUM_CLAUSES];
        lb_view_clauses(rule, call, ask, rules, met);
        size_t passed = steps_passed(met);
        furthest = passed > furthest ? passed : furthest;
        if (passed < LB_NUM_CLAUSES || (verdict.rule != NULL && rule->dry_run))
            continue;
        verdict.rule = rule;
        verdict.dry_run = rule->dry_run;
    }
    if (verdict.rule == NULL)
        return &steps[furthest].refusal;
    LB_ENSURE(lb_op_check(call, verdict.field->type, view->many, rules) == LB_OK,
              LB_OPERATOR_TOO_WEAK, "the operator does not fit the field");
    *out_verdict = verdict;
    return LB_OK;
}

static bool has_ordinary(const struct lb_view *view, const char *purpose)
{
    for (size_t f = 0; f < view->num_fields; f++) {
        const struct lb_view_field *field = &view->fields[f];
        for (size_t r = 0; r < field->num_rules; r++)
            if (field->rules[r].event_days == 0 && strcmp(field->rules[r].purpose, purpose) == 0)
                return true;
    }
    return false;
}

const char *lb_view_event_clash(const struct lb_view *view, const struct lb_view *other)
{
    for (size_t f = 0; f < view->num_fields; f++) {
        const struct lb_view_field *field = &view->fields[f];
        for (size_t r = 0; r < field->num_rules; r++)
            if (field->rules[r].event_days > 0 && has_ordinary(other, field->rules[r].purpose))
                return field->rules[r].purpose;
    }
    return NULL;
}

bool lb_view_names_rules(const struct lb_op_call *call, const struct lb_rules *rules)
{
    for (size_t i = 0; i < call->num_args; i++) {
        const char *name = call->args[i];
        size_t num = 0;
        if (lb_rules_threshold(rules, name) != NULL || lb_rules_has_set(rules, name) ||
            lb_rules_has_table(rules, name) || lb_rules_edges(rules, name, &num) != NULL)
            return true;
    }
    return false;
}
