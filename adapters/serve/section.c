#include <string.h>

#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* The section and every want against the department's own policy. Codes here are outer: none of
 * them depends on who the subject is. */

static lb_status check_addressee(const struct lb_read_job *job)
{
    const struct lb_section *section = &job->section;
    const struct lb_serve_options *options = &job->serve->options;
    LB_ENSURE(strcmp(section->provider, options->organization) == 0 &&
                  strcmp(section->audience, options->self) == 0,
              LB_WRONG_AUDIENCE, "section is for another department");
    LB_ENSURE(section->answer_bytes == job->request->answer_bytes, LB_SECTION_INVALID,
              "answer size differs from the section's");
    LB_TRY(lb_terms_form(options->policy, &job->terms));
    /* Who asked for a standing grant may be gone when it is used. */
    LB_ENSURE(section->event_days > 0 ||
                  strcmp(section->operator_hash, job->operator_claims.person) == 0,
              LB_OPERATOR_TOKEN_INVALID, "another operator asked for the grant");
    return LB_OK;
}

/* A standing grant outlives every sealing key; any other is bound to one. */
static lb_status check_binding(const struct lb_read_job *job)
{
    LB_ENSURE((job->section.event_days > 0) == job->bound_to_node, LB_WRONG_REQUESTER,
              "grant is bound to a key of the wrong kind");
    return LB_OK;
}

/* Two persons stand behind oversight, each with a token of their own. Whom a grant names as
 * approver is checked whatever its purpose. */
static lb_status check_approver(struct lb_read_job *job)
{
    const struct lb_section *section = &job->section;
    struct lb_operator approver;
    bool needed = strcmp(section->purpose, LB_PURPOSE_OVERSIGHT) == 0;
    if (section->approver == NULL) {
        LB_ENSURE(!needed, LB_APPROVER_MISSING, "oversight that nobody approved");
        return LB_OK;
    }
    LB_ENSURE(strcmp(section->approver, section->operator_hash) != 0, LB_APPROVER_MISSING,
              "the operator approved what they ask themself");
    lb_status status = lb_read_token(job, job->plain->approver_token, &approver);
    LB_ENSURE(status == LB_OK && strcmp(approver.person, section->approver) == 0,
              LB_APPROVER_MISSING, "the approver's token does not hold");
    return LB_OK;
}

static enum lb_giver giver_of(const struct lb_section *section)
{
    if (section->guardian != NULL)
        return LB_GIVER_GUARDIAN;
    if (section->agent != NULL)
        return LB_GIVER_AGENT;
    return section->relative != NULL ? LB_GIVER_RELATIVE : LB_GIVER_SELF;
}

static void set_terms(struct lb_read_job *job)
{
    const struct lb_section *section = &job->section;
    job->terms = (struct lb_terms){
        .requester = job->requester_org,
        .issuer = job->grant.issuer,
        .signs_consent = (job->issuer->kinds & LB_ISSUES_CONSENT) != 0,
        .signs_mandates = (job->issuer->kinds & LB_ISSUES_MANDATE) != 0,
        .has_status = job->grant.status_uri != NULL,
        .form = section->form,
        .form_version = section->form_version,
        .form_sha256 = section->form_sha256,
        .basis = section->basis,
        .purpose = section->purpose,
        .laws = section->laws,
        .num_laws = section->num_laws,
        .level = section->level,
        .giver = giver_of(section),
        .life_s = job->grant.exp - job->grant.iat,
        .event_days = section->event_days,
        .max_uses = section->max_uses,
    };
}

/* The paper is judged here as well, whatever end the office gave the grant. */
static lb_status check_agent(const struct lb_read_job *job)
{
    const struct lb_section *section = &job->section;
    int64_t now = lb_clock_unix_s(job->serve->options.clock);
    LB_ENSURE(section->agent == NULL || section->agent_until > now, LB_AGENT_EXPIRED,
              "agent's paper has ended");
    return LB_OK;
}

static lb_status check_scope(const struct lb_section *section, const char *view)
{
    if (section->agent == NULL)
        return LB_OK;
    for (size_t i = 0; i < section->num_agent_views; i++) {
        if (strcmp(section->agent_views[i], view) == 0)
            return LB_OK;
    }
    LB_FAIL(LB_AGENT_SCOPE, "agent's paper does not cover the view");
}

static const struct lb_section_view *granted_view(const struct lb_section *section,
                                                  const struct lb_view *view)
{
    for (size_t v = 0; v < section->num_views; v++) {
        const struct lb_section_view *granted = &section->views[v];
        if (granted->version == view->version && strcmp(granted->id, view->id) == 0)
            return granted;
    }
    return NULL;
}

/* A field may be granted under several operators; one of them must cover the call. */
static lb_status check_granted(struct lb_read_job *job, const struct lb_view *view,
                               const char *field, const struct lb_op_call *call)
{
    const struct lb_section_view *granted = granted_view(&job->section, view);
    bool named = false;
    for (size_t f = 0; granted != NULL && f < granted->num_fields; f++) {
        const struct lb_section_field *entry = &granted->fields[f];
        struct lb_op_call cover;
        if (strcmp(entry->name, field) != 0)
            continue;
        named = true;
        LB_TRY(lb_op_parse(lb_span_str(entry->operator_text), job->arena, &cover));
        if (lb_op_at_least_as_strict(call, &cover, job->serve->options.policy->rules))
            return LB_OK;
    }
    LB_ENSURE(named, LB_FIELD_NOT_GRANTED, "field is not in the section");
    LB_FAIL(LB_OPERATOR_TOO_WEAK, "operator is weaker than the granted one");
}

static bool view_announced(const Lianban__V1__ReadRequest *request, const char *view)
{
    for (size_t i = 0; i < request->n_views; i++) {
        if (strcmp(request->views[i], view) == 0)
            return true;
    }
    return false;
}

static lb_status build_want(struct lb_read_job *job, const Lianban__V1__Want *wire,
                            struct lb_read_want *want)
{
    const struct lb_serve_policy *policy = job->serve->options.policy;
    LB_ENSURE(wire->n_args <= LB_MAX_OPERATOR_ARGS && wire->n_claim <= LB_MAX_CLAIM_VALUES,
              LB_MALFORMED, "too many arguments or claims");
    LB_ENSURE(view_announced(job->request, wire->view), LB_FIELD_NOT_GRANTED,
              "want names a view the request does not announce");
    *want = (struct lb_read_want){.wire = wire, .view = lb_terms_view(policy, wire->view)};
    LB_ENSURE(want->view < policy->num_views, LB_VIEW_UNKNOWN, "no such view");
    LB_TRY(lb_op_build(wire->operator_, (const char *const *)wire->args, wire->n_args, job->arena,
                       &want->call));
    LB_ENSURE(wire->n_claim == 0 || want->call.op == LB_OP_EQ, LB_MALFORMED,
              "a claim for an operator that takes none");
    LB_ENSURE(want->call.op != LB_OP_OMIT, LB_OPERATOR_TOO_WEAK,
              "a field that is left out can't be asked");
    want->text = lb_op_format(&want->call, job->arena);
    LB_ENSURE(want->text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* One question, one answer: with several claims in one read a value could be searched out. */
static lb_status check_asked_once(const struct lb_read_job *job, const struct lb_read_want *want)
{
    for (size_t i = 0; i < job->num_wants; i++) {
        const struct lb_read_want *other = &job->wants[i];
        LB_ENSURE(other->view != want->view || strcmp(other->wire->field, want->wire->field) != 0 ||
                      strcmp(other->text, want->text) != 0,
                  LB_MALFORMED, "one thing is asked twice");
    }
    return LB_OK;
}

static lb_status resolve_want(struct lb_read_job *job, const Lianban__V1__Want *wire,
                              struct lb_read_want *want)
{
    const struct lb_serve_policy *policy = job->serve->options.policy;
    LB_TRY(build_want(job, wire, want));
    const struct lb_view *view = policy->views[want->view];
    LB_TRY(check_scope(&job->section, view->id));
    LB_TRY(check_granted(job, view, wire->field, &want->call));
    struct lb_view_verdict verdict;
    LB_TRY(lb_terms_want(policy, &job->terms, job->basis, view, wire->field, &want->call,
                         &verdict));
    want->field = verdict.field;
    want->dry_run = verdict.dry_run;
    return check_asked_once(job, want);
}

static lb_status resolve_wants(struct lb_read_job *job)
{
    const Lianban__V1__SealedRequest *plain = job->plain;
    job->wants = lb_arena_array(job->arena, plain->n_wants, sizeof(job->wants[0]));
    LB_ENSURE(job->wants != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < plain->n_wants; i++) {
        job->refused = plain->wants[i];
        LB_TRY(resolve_want(job, plain->wants[i], &job->wants[i]));
        if (job->wants[i].field->data_class > job->data_class)
            job->data_class = job->wants[i].field->data_class;
        job->num_wants++;
    }
    job->refused = NULL;
    LB_ENSURE(lb_read_detail_fits(job), LB_TOO_LARGE, "more is asked than an entry can hold");
    return LB_OK;
}

static void put_run(struct lb_buf *text, const Lianban__V1__ShareRun *run)
{
    lb_buf_put_field32(text, lb_pb_span(run->nonce));
    lb_buf_put_u64(text, (uint64_t)run->started);
    lb_buf_put_field32(text, lb_span_str(run->slot));
    lb_buf_put_u32(text, run->index);
    for (size_t i = 0; i < run->n_persons; i++)
        lb_buf_put_field32(text, lb_pb_span(run->persons[i]));
}

/* A repeated rid must ask the same: everything but time, operator token and sealing. */
static lb_status digest_request(struct lb_read_job *job)
{
    struct lb_buf text;
    const Lianban__V1__SealedRequest *plain = job->plain;
    lb_buf_init(&text, LB_MAX_MESSAGE_BYTES);
    lb_buf_put_field32(&text, lb_span_str(plain->section));
    lb_buf_put_field32(&text, lb_span_str(plain->id_no));
    lb_buf_put_field32(&text, lb_span_str(plain->name));
    for (size_t i = 0; i < plain->n_wants; i++) {
        const Lianban__V1__Want *want = plain->wants[i];
        lb_buf_put_field32(&text, lb_span_str(want->view));
        lb_buf_put_field32(&text, lb_span_str(want->field));
        lb_buf_put_field32(&text, lb_span_str(want->operator_));
        lb_buf_put_u32(&text, (uint32_t)want->n_args);
        for (size_t a = 0; a < want->n_args; a++)
            lb_buf_put_field32(&text, lb_span_str(want->args[a]));
        lb_buf_put_u32(&text, (uint32_t)want->n_claim);
        for (size_t c = 0; c < want->n_claim; c++)
            lb_buf_put_field32(&text, lb_span_str(want->claim[c]));
    }
    if (plain->share != NULL)
        put_run(&text, plain->share);
    lb_status status = lb_buf_check(&text);
    if (status == LB_OK)
        lb_sha256(lb_buf_span(&text), job->use.rid_digest);
    lb_buf_cleanup(&text);
    return status;
}

lb_status lb_read_section(struct lb_read_job *job)
{
    LB_TRY(lb_section_open(&job->grant, lb_span_str(job->plain->section), job->arena,
                           &job->section));
    job->section_known = true;
    set_terms(job);
    LB_TRY(check_addressee(job));
    LB_TRY(check_binding(job));
    LB_TRY(lb_terms_basis(&job->terms, &job->basis));
    LB_TRY(lb_terms_life(&job->terms, job->basis));
    LB_TRY(check_agent(job));
    LB_TRY(check_approver(job));
    job->use.max_uses = job->section.max_uses;
    job->use.expires_unix_s = job->grant.exp;
    LB_TRY(resolve_wants(job));
    LB_TRY(lb_serve_check_status(job->serve, &job->grant, job->data_class));
    LB_TRY(lb_read_share(job));
    return digest_request(job);
}
