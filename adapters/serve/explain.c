#include "adapters/serve/explain.h"

#include <string.h>

#include "adapters/serve/terms.h"
#include "gateway/base/buf.h"
#include "gateway/trust/trust.h"

#define MAX_TEXT_BYTES (16 * 1024)

struct explaining {
    const struct lb_serve_policy *policy;
    const struct lb_explain_request *request;
    struct lb_arena *arena;
    struct lb_terms terms;
    enum lb_basis basis;
    struct lb_explanation out;
};

/* --- texts --- */

static lb_status join(struct explaining *ex, const char *const *words, size_t num,
                      const char **out)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_TEXT_BYTES);
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(&text, "%s%s", i == 0 ? "" : ", ", words[i]);
    LB_TRY(lb_buf_check(&text));
    *out = lb_arena_str(ex->arena, num == 0 ? lb_span_str("-") : lb_buf_span(&text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status join_bases(struct explaining *ex, const struct lb_view_rule *rule,
                            const char **out)
{
    const char *names[LB_NUM_BASES], *bases = NULL, *laws = NULL;
    size_t num = 0;
    for (unsigned i = 0; i < LB_NUM_BASES; i++)
        if ((rule->bases & 1U << i) != 0)
            names[num++] = lb_basis_name((enum lb_basis)i);
    LB_TRY(join(ex, names, num, &bases));
    LB_TRY(join(ex, rule->laws, rule->num_laws, &laws));
    *out = rule->num_laws == 0 ? bases : lb_arena_printf(ex->arena, "%s (%s)", bases, laws);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status join_givers(struct explaining *ex, const struct lb_view_rule *rule,
                             const char **out)
{
    const char *names[LB_NUM_GIVERS];
    size_t num = 0;
    for (unsigned i = 0; i < LB_NUM_GIVERS; i++)
        if ((rule->givers & 1U << i) != 0)
            names[num++] = lb_giver_name((enum lb_giver)i);
    return join(ex, names, num, out);
}

static const char *say_interval(struct explaining *ex, const char *triggers, int64_t days,
                                const char *most)
{
    if (days == 0)
        return "ordinary";
    return lb_arena_printf(ex->arena, "standing, %s every %s%lld days", triggers, most,
                           (long long)days);
}

static lb_status tell_event(struct explaining *ex, const struct lb_view_rule *rule,
                            struct lb_explain_clause *out)
{
    const char *triggers = NULL;
    LB_TRY(join(ex, rule->triggers, rule->num_triggers, &triggers));
    *out = (struct lb_explain_clause){
        .name = "event",
        .asked = say_interval(ex, ex->terms.form, ex->terms.event_days, ""),
        .demanded = say_interval(ex, triggers, rule->event_days, ">= "),
    };
    LB_ENSURE(out->asked != NULL && out->demanded != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status join_operators(struct explaining *ex, const struct lb_view_rule *rule,
                                const char **out)
{
    const char **texts = lb_arena_array(ex->arena, rule->num_operators, sizeof(texts[0]));
    LB_ENSURE(texts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < rule->num_operators; i++) {
        texts[i] = lb_op_format(&rule->operators[i], ex->arena);
        LB_ENSURE(texts[i] != NULL, LB_NO_MEMORY, "arena is full");
    }
    return join(ex, texts, rule->num_operators, out);
}

static void put_budget(struct lb_buf *text, const char *who, const struct lb_budget *budget)
{
    if (budget->hour > 0)
        lb_buf_printf(text, " %s=%lld/hour", who, (long long)budget->hour);
    if (budget->day > 0)
        lb_buf_printf(text, " %s=%lld/day", who, (long long)budget->day);
}

static void put_budgets(struct lb_buf *text, const struct lb_budgets *budgets)
{
    put_budget(text, "operator", &budgets->each_operator);
    put_budget(text, "requester", &budgets->each_requester);
}

static lb_status keep(struct explaining *ex, const struct lb_buf *text, const char **out)
{
    LB_TRY(lb_buf_check(text));
    struct lb_span bytes = lb_buf_span(text);
    *out = lb_arena_str(ex->arena, bytes.len == 0 ? lb_span_str("-")
                                                  : lb_span_of(bytes.ptr + 1, bytes.len - 1));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status tell_budgets(struct explaining *ex)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    lb_buf_init(&text, MAX_TEXT_BYTES);
    put_budgets(&text, &ex->policy->budgets);
    return keep(ex, &text, &ex->out.budgets);
}

static lb_status tell_limits(struct explaining *ex, const struct lb_view *view, const char **out)
{
    struct lb_buf LB_DEFER(lb_buf_cleanup) text;
    const struct lb_probing *probing = &view->probing;
    lb_buf_init(&text, MAX_TEXT_BYTES);
    lb_buf_printf(&text, " rows<=%zu", view->max_rows);
    if (view->freshness_days > 0)
        lb_buf_printf(&text, " freshness<=%lldd", (long long)view->freshness_days);
    put_budgets(&text, &view->budgets);
    lb_buf_printf(&text, " thresholds=%lld/%lldd mismatches=%lld/case,%lld/day",
                  (long long)probing->thresholds, (long long)probing->days,
                  (long long)probing->mismatches, (long long)probing->mismatches_day);
    return keep(ex, &text, out);
}

/* --- the terms: what holds for every want --- */

static bool accepts_requester(struct explaining *ex)
{
    for (size_t i = 0; i < ex->policy->num_requesters; i++) {
        const char *federation = NULL, *organization = NULL;
        enum lb_node_kind kind;
        if (lb_spiffe_parse(ex->policy->requesters[i].spiffe, ex->arena, &federation, &kind,
                            &organization) == LB_OK &&
            strcmp(organization, ex->terms.requester) == 0)
            return true;
    }
    return false;
}

static bool accepts_issuer(const struct explaining *ex)
{
    for (size_t i = 0; i < ex->policy->num_issuers; i++)
        if (strcmp(ex->policy->issuers[i].organization, ex->terms.issuer) == 0)
            return true;
    return false;
}

static void add_term(struct explaining *ex, size_t index, const char *name, lb_status status,
                     const char *asked, const char *demanded)
{
    ex->out.terms[index] = (struct lb_explain_clause){name, status == LB_OK, asked, demanded};
    if (ex->out.code != LB_CODE_OK || status == LB_OK)
        return;
    ex->out.code = lb_status_code(status);
    ex->out.why = status->what;
}

static lb_status judge_life(struct explaining *ex)
{
    const char *asked =
        lb_arena_printf(ex->arena, "%lld h", (long long)((ex->terms.life_s + 3599) / 3600));
    const char *most = lb_arena_printf(ex->arena, "an emergency's at most %d h",
                                       LB_EMERGENCY_LIFE_S / 3600);
    const char *standing =
        lb_arena_printf(ex->arena, "a standing one's at most %d h", LB_EVENT_MAX_DAYS * 24);
    LB_ENSURE(asked != NULL && most != NULL && standing != NULL, LB_NO_MEMORY, "arena is full");
    add_term(ex, 4, "life", lb_terms_life(&ex->terms, ex->basis), asked,
             ex->basis == LB_BASIS_EMERGENCY ? most
             : ex->terms.event_days > 0      ? standing
                                             : "the issuer's own");
    return LB_OK;
}

static lb_status judge_terms(struct explaining *ex)
{
    const struct lb_accepted_form *form =
        lb_serve_policy_form(ex->policy, ex->terms.form, ex->terms.form_version);
    ex->terms.form_sha256 = form == NULL ? ex->policy->sha256 : form->sha256;
    const char *asked =
        lb_arena_printf(ex->arena, "%s v%u", ex->terms.form, ex->terms.form_version);
    LB_ENSURE(asked != NULL, LB_NO_MEMORY, "arena is full");
    add_term(ex, 0, "requester",
             accepts_requester(ex) ? LB_OK
                                   : LB_FAULT(LB_REQUESTER_NOT_ALLOWED,
                                              "policy does not name the requester"),
             ex->terms.requester, "named by the policy");
    add_term(ex, 1, "issuer", accepts_issuer(ex) ? LB_OK
                                : LB_FAULT(LB_ISSUER_INERT, "policy does not name the issuer"),
             ex->terms.issuer, "named by the policy");
    add_term(ex, 2, "form", lb_terms_form(ex->policy, &ex->terms), asked, "accepted by the policy");
    add_term(ex, 3, "basis", lb_terms_basis(&ex->terms, &ex->basis), ex->terms.basis,
             "a mandate by the requester itself, all else by another");
    return judge_life(ex);
}

/* --- the wants --- */

static lb_status tell_rule(struct explaining *ex, const struct lb_explain_question *question,
                           const struct lb_view_rule *rule, const bool met[LB_NUM_CLAUSES],
                           struct lb_explain_rule *out)
{
    const char *requesters = NULL, *bases = NULL, *issuers = NULL, *operators = NULL;
    LB_TRY(join(ex, rule->requesters, rule->num_requesters, &requesters));
    LB_TRY(join(ex, rule->issuers, rule->num_issuers, &issuers));
    LB_TRY(join_bases(ex, rule, &bases));
    LB_TRY(join_operators(ex, rule, &operators));
    const char *purpose = lb_arena_str(ex->arena, lb_span_str(rule->purpose));
    const char *level = lb_arena_printf(ex->arena, "%d", ex->terms.level);
    const char *min_level = lb_arena_printf(ex->arena, ">= %d", rule->min_level);
    const char *cited = NULL, *asked_basis = NULL, *givers = NULL;
    struct lb_explain_clause event;
    LB_TRY(tell_event(ex, rule, &event));
    LB_TRY(join_givers(ex, rule, &givers));
    LB_TRY(join(ex, ex->terms.laws, ex->terms.num_laws, &cited));
    asked_basis = lb_arena_printf(ex->arena, "%s (%s)", ex->terms.basis, cited);
    LB_ENSURE(purpose != NULL && level != NULL && min_level != NULL && asked_basis != NULL,
              LB_NO_MEMORY, "arena is full");
    const struct lb_explain_clause clauses[LB_NUM_CLAUSES] = {
        [LB_CLAUSE_PURPOSE] = {"purpose", false, ex->terms.purpose, purpose},
        [LB_CLAUSE_EVENT] = event,
        [LB_CLAUSE_REQUESTER] = {"requester", false, ex->terms.requester, requesters},
        [LB_CLAUSE_BASIS] = {"basis", false, asked_basis, bases},
        [LB_CLAUSE_ISSUER] = {"issuer", false, ex->terms.issuer, issuers},
        [LB_CLAUSE_OPERATOR] = {"operator", false, question->operator_text, operators},
        [LB_CLAUSE_LEVEL] = {"level", false, level, min_level},
        [LB_CLAUSE_GIVER] = {"given_by", false, lb_giver_name(ex->terms.giver), givers},
    };
    *out = (struct lb_explain_rule){.allows = true, .dry_run = rule->dry_run};
    for (size_t i = 0; i < LB_NUM_CLAUSES; i++) {
        out->clauses[i] = clauses[i];
        out->clauses[i].met = met[i];
        out->allows = out->allows && met[i];
    }
    return LB_OK;
}

static lb_status tell_rules(struct explaining *ex, const struct lb_view_field *field,
                            const struct lb_op_call *call, struct lb_explain_want *want)
{
    const struct lb_view_ask ask = lb_terms_ask(&ex->terms, ex->basis);
    want->rules = lb_arena_array(ex->arena, field->num_rules, sizeof(want->rules[0]));
    LB_ENSURE(want->rules != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < field->num_rules; i++) {
        bool met[LB_NUM_CLAUSES];
        lb_view_clauses(&field->rules[i], call, &ask, ex->policy->rules, met);
        LB_TRY(tell_rule(ex, &want->question, &field->rules[i], met, &want->rules[i]));
    }
    want->num_rules = field->num_rules;
    return LB_OK;
}

/* Refusals are the outcome here, not failures. */
static void refuse(struct lb_explain_want *want, lb_status status)
{
    want->code = lb_status_code(status);
    want->why = status == LB_OK ? NULL : status->what;
}

static lb_status explain_want(struct explaining *ex, struct lb_explain_want *want)
{
    static const char *const classes[] = {"", "G1", "G2", "G3", "G4"};
    struct lb_op_call call;
    struct lb_view_verdict verdict = {.dry_run = false};
    size_t index = lb_terms_view(ex->policy, want->question.view);
    refuse(want, LB_FAULT(LB_VIEW_UNKNOWN, "no such view"));
    if (index == ex->policy->num_views)
        return LB_OK;
    const struct lb_view *view = ex->policy->views[index];
    const struct lb_view_field *field = lb_view_field(view, want->question.field);
    LB_TRY(tell_limits(ex, view, &want->limits));
    want->data_class = field == NULL ? NULL : classes[field->data_class];
    lb_status status =
        lb_op_parse(lb_span_str(want->question.operator_text), ex->arena, &call);
    if (lb_status_code(status) == LB_NO_MEMORY)
        return status;
    refuse(want, status);
    if (status != LB_OK)
        return LB_OK;
    refuse(want, lb_terms_want(ex->policy, &ex->terms, ex->basis, view, want->question.field,
                               &call, &verdict));
    want->dry_run = want->code == LB_CODE_OK && verdict.dry_run;
    return field == NULL ? LB_OK : tell_rules(ex, field, &call, want);
}

static lb_status explain(struct explaining *ex)
{
    const struct lb_explain_request *request = ex->request;
    ex->out.department = lb_arena_str(ex->arena, lb_span_str(ex->policy->id));
    ex->out.wants = lb_arena_array(ex->arena, request->num_wants, sizeof(ex->out.wants[0]));
    LB_ENSURE(ex->out.department != NULL && ex->out.wants != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(tell_budgets(ex));
    LB_TRY(judge_terms(ex));
    ex->out.num_wants = request->num_wants;
    for (size_t i = 0; i < request->num_wants; i++) {
        struct lb_explain_want *want = &ex->out.wants[i];
        want->question = request->wants[i];
        LB_TRY(explain_want(ex, want));
        if (ex->out.code != LB_CODE_OK) {
            want->code = ex->out.code;
            want->why = ex->out.why;
            want->dry_run = false;
        }
    }
    return LB_OK;
}

lb_status lb_serve_explain(const char *policy_path, const struct lb_explain_request *request,
                           struct lb_arena *arena, struct lb_diag *diag,
                           struct lb_explanation *out_explanation)
{
    struct lb_serve_policy *policy = NULL;
    LB_TRY(lb_serve_policy_load(policy_path, diag, &policy));
    struct explaining ex = {
        .policy = policy,
        .request = request,
        .arena = arena,
        .basis = LB_NUM_BASES,
        .terms = {
            .requester = request->requester,
            .issuer = request->issuer,
            .signs_consent = true,
            .signs_mandates = true,
            .has_status = true,
            .form = request->form,
            .form_version = request->form_version,
            .basis = request->basis,
            .purpose = request->purpose,
            .laws = request->laws,
            .num_laws = request->num_laws,
            .level = request->level,
            .giver = request->giver,
            .life_s = request->life_s,
            .event_days = request->event_days,
            .max_uses = 1,
        },
    };
    lb_status status = explain(&ex);
    lb_serve_policy_free(policy);
    if (status == LB_OK)
        *out_explanation = ex.out;
    return status;
}
