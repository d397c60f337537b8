#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"

/* Making a grant: what the form asks of each department for the role, and nothing else. */

/* --- the plan --- */

/* The version that the directory names last; 0 when it names none. */
static uint32_t view_version(const struct lb_directory *directory, const char *view)
{
    uint32_t highest = 0;
    for (size_t i = 0; i < directory->num_views; i++) {
        const struct lb_listed *listed = &directory->views[i];
        if (strcmp(listed->id, view) == 0 && listed->version > highest)
            highest = listed->version;
    }
    return highest;
}

struct plan {
    const struct lb_form *form;
    size_t role;
    const struct lb_directory *directory;
    const struct lb_consent_choice *choice;
    struct lb_arena *arena;
};

static bool is_granted(const struct plan *plan, const struct lb_form_fact *fact)
{
    return lb_consent_grants(plan->form, fact, plan->role, plan->choice);
}

static lb_status plan_view(const struct plan *plan, size_t section, struct lb_section_view *view)
{
    const struct lb_form *form = plan->form;
    struct lb_section_field *fields =
        lb_arena_array(plan->arena, form->num_facts, sizeof(*fields));
    size_t num = 0;
    LB_ENSURE(fields != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_facts; i++) {
        const struct lb_form_fact *fact = &form->facts[i];
        if (fact->section != section || strcmp(fact->view, view->id) != 0 ||
            !is_granted(plan, fact))
            continue;
        const char *call = lb_op_format(&fact->call, plan->arena);
        LB_ENSURE(call != NULL, LB_NO_MEMORY, "arena is full");
        fields[num++] = (struct lb_section_field){fact->field, call};
    }
    view->fields = fields;
    view->num_fields = num;
    return LB_OK;
}

static bool has_view(const struct lb_section_view *views, size_t num, const char *id)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(views[i].id, id) == 0)
            return true;
    }
    return false;
}

static lb_status plan_views(const struct plan *plan, size_t index, struct lb_section *section)
{
    struct lb_section_view *views =
        lb_arena_array(plan->arena, LB_MAX_VIEWS_PER_SECTION, sizeof(*views));
    size_t num = 0;
    LB_ENSURE(views != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < plan->form->num_facts; i++) {
        const struct lb_form_fact *fact = &plan->form->facts[i];
        if (fact->section != index || has_view(views, num, fact->view) || !is_granted(plan, fact))
            continue;
        LB_ENSURE(num < LB_MAX_VIEWS_PER_SECTION, LB_SECTION_INVALID,
                  "a form that asks one department for too many views");
        views[num] = (struct lb_section_view){
            .id = fact->view, .version = view_version(plan->directory, fact->view)};
        LB_ENSURE(views[num].version != 0, LB_VIEW_UNKNOWN, "directory does not list the view");
        LB_TRY(plan_view(plan, index, &views[num]));
        num++;
    }
    section->views = views;
    section->num_views = num;
    return LB_OK;
}

/* Help first, papers later (SAL 50), to save life, health or property (PIPL 13(1)(4)). */
static const char *const emergency_laws[] = {"SAL50", "PIPL13.1.4"};

/* A department that cites no law of its own is asked under the form's. */
static lb_status plan_section(const struct plan *plan, size_t index, struct lb_section *section)
{
    const struct lb_form_section *asked = &plan->form->sections[index];
    bool is_emergency = plan->choice != NULL && plan->choice->emergency;
    bool has_own = asked->num_laws > 0;
    *section = (struct lb_section){
        .provider = asked->department,
        .basis = lb_basis_name(is_emergency ? LB_BASIS_EMERGENCY
                                            : lb_form_basis(plan->form, index, plan->role)),
        .laws = has_own ? asked->laws : plan->form->laws,
        .num_laws = has_own ? asked->num_laws : plan->form->num_laws,
        .max_uses = asked->uses,
        .answer_bytes = asked->answer_bytes,
    };
    if (is_emergency) {
        section->laws = emergency_laws;
        section->num_laws = sizeof(emergency_laws) / sizeof(emergency_laws[0]);
    }
    LB_TRY(plan_views(plan, index, section));
    if (section->num_views == 0)
        return LB_OK;
    const struct lb_node *adapter = lb_consent_adapter_of(plan->directory, asked->department);
    LB_ENSURE(adapter != NULL, LB_FORM_INERT, "department has no listed adapter");
    section->audience = adapter->spiffe;
    return LB_OK;
}

lb_status lb_consent_plan(const struct lb_consent_plan *asked, struct lb_arena *arena,
                          struct lb_section **out_sections, size_t *out_num)
{
    const struct lb_form *form = asked->form;
    const struct plan plan = {form, asked->role, asked->directory, asked->choice, arena};
    struct lb_section *sections = lb_arena_array(arena, form->num_sections, sizeof(*sections));
    size_t num = 0;
    LB_ENSURE(sections != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_sections; i++) {
        if (lb_form_basis(form, i, asked->role) == LB_BASIS_MANDATE)
            continue;
        LB_TRY(plan_section(&plan, i, &sections[num]));
        if (sections[num].num_views > 0)
            num++;
    }
    LB_ENSURE(num > 0, LB_MALFORMED, "nothing is granted");
    *out_sections = sections;
    *out_num = num;
    return LB_OK;
}

/* --- the grant --- */

/* The paper covers what the section asks and nothing else, so the scope is its views. */
static lb_status name_agent(const struct lb_consent_decision *decision, struct lb_section *section)
{
    const struct lb_consent_request_row *row = &decision->row;
    const char **scope = lb_arena_array(decision->arena, section->num_views, sizeof(*scope));
    LB_ENSURE(scope != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < section->num_views; i++)
        scope[i] = section->views[i].id;
    section->agent = row->relation;
    section->agent_until = row->agent_until;
    memcpy(section->agent_document, row->agent_document, sizeof(section->agent_document));
    section->agent_views = scope;
    section->num_agent_views = section->num_views;
    return LB_OK;
}

static lb_status name_giver(const struct lb_consent_decision *decision, struct lb_section *section)
{
    const struct lb_consent_request_row *row = &decision->row;
    if (decision->choice.emergency)
        return LB_OK;
    if (decision->giver == LB_GIVER_AGENT)
        return name_agent(decision, section);
    if (decision->giver == LB_GIVER_GUARDIAN)
        section->guardian = row->relation;
    if (decision->giver == LB_GIVER_RELATIVE) {
        section->relative = row->relation;
        section->interest = row->interest;
    }
    return LB_OK;
}

/* A standing grant has a use for each interval of its life, and the last may be cut short. */
static void make_standing(const struct lb_consent_decision *decision, struct lb_section *section)
{
    int64_t days = decision->form->trigger.every_days;
    if (days == 0)
        return;
    section->event_days = days;
    section->max_uses = (decision->grant.exp - decision->now_unix_s - 1) / (days * LB_DAY_S) + 1;
}

/* What every section of one grant says alike; its end is known. */
static lb_status complete(const struct lb_consent_decision *decision, struct lb_section *section)
{
    const struct lb_consent_request_row *row = &decision->row;
    section->form = decision->form->id;
    section->form_version = decision->form->version;
    memcpy(section->form_sha256, decision->form->sha256, sizeof(section->form_sha256));
    section->purpose = decision->form->purpose;
    section->case_id = row->case_id;
    section->role = row->role;
    section->operator_hash = row->operator_hash;
    memcpy(section->notice_sha256, decision->notice_sha256, sizeof(section->notice_sha256));
    section->method = decision->method;
    section->level = decision->level;
    memcpy(section->subject, row->commitment, sizeof(section->subject));
    make_standing(decision, section);
    return name_giver(decision, section);
}

/* Sealing keys live for days. A standing grant is bound to the log key that signs them. */
static lb_status bind_holder(const struct lb_consent_decision *decision, uint8_t out_jkt[32])
{
    const struct lb_node *requester = decision->requester;
    if (decision->form->trigger.every_days == 0)
        return lb_jwk_thumbprint_x25519(decision->row.requester_key, decision->arena, out_jkt);
    LB_ENSURE(requester->log_origin != NULL, LB_WRONG_REQUESTER, "window has no log key");
    return lb_jwk_thumbprint_ed25519(requester->log_key, decision->arena, out_jkt);
}

static lb_status sign(struct lb_consent_decision *decision, struct lb_section *sections,
                      size_t num, struct lb_span *out_sd_jwt)
{
    const struct lb_consent_options *options = &decision->consent->options;
    const struct lb_issuer_key *issuer = lb_issuer_keys_now(options->issuer);
    struct lb_arena *arena = decision->arena;
    struct lb_grant grant = {
        .issuer = options->organization,
        .kid = issuer->kid,
        .jti = decision->grant.id,
        .requester = decision->grant.requester,
        .iat = decision->now_unix_s,
        .nbf = decision->now_unix_s,
        .exp = decision->grant.exp,
        .status_uri = options->status_uri,
        .status_index = decision->grant.status_index,
        .has_subject_key = decision->has_subject_key,
    };
    struct lb_span jwt;
    struct lb_span *disclosures = lb_arena_array(arena, num, sizeof(*disclosures));
    LB_ENSURE(disclosures != NULL, LB_NO_MEMORY, "arena is full");
    memcpy(grant.subject_key, decision->subject_key, sizeof(grant.subject_key));
    LB_TRY(bind_holder(decision, grant.cnf_jkt));
    LB_TRY(lb_grant_issue(&grant, sections, num, issuer->key, arena, &jwt, disclosures));
    lb_sha256(jwt, decision->jwt_sha256);
    return lb_sd_jwt_join(jwt, disclosures, num, arena, out_sd_jwt);
}

/* No grant outlives the paper that it rests on. */
static int64_t end_of(const struct lb_consent_decision *decision)
{
    int64_t end = decision->now_unix_s + decision->form->grant_days * 86400;
    if (decision->choice.emergency)
        return decision->now_unix_s + LB_EMERGENCY_LIFE_S;
    bool is_shorter = decision->giver == LB_GIVER_AGENT && decision->row.agent_until < end;
    return is_shorter ? decision->row.agent_until : end;
}

static void name_slip(const struct lb_consent *consent, struct lb_consent_grant_row *grant)
{
    char code[LB_SLIP_CODE_BYTES];
    lb_consent_slip_code(consent, grant->id, code);
    lb_consent_slip_hash(consent, code, grant->slip);
}

static lb_status describe(struct lb_consent_decision *decision)
{
    const struct lb_consent_request_row *row = &decision->row;
    char *id = lb_arena_alloc(decision->arena, LB_CONSENT_ID_BYTES);
    LB_ENSURE(id != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_consent_random_id('g', id));
    decision->grant = (struct lb_consent_grant_row){
        .id = id,
        .request = row->id,
        .exp = end_of(decision),
        .requester = decision->requester->organization,
        .form = row->form,
        .form_version = row->form_version,
        .case_id = row->case_id,
        .role = row->role,
        .has_guardian = row->relation != NULL,
    };
    memcpy(decision->grant.form_sha256, row->form_sha256, 32);
    memcpy(decision->grant.subject, row->subject, 32);
    memcpy(decision->grant.guardian, row->guardian, 32);
    name_slip(decision->consent, &decision->grant);
    return lb_consent_take_index(decision->consent, &decision->grant.status_index);
}

lb_status lb_consent_issue(struct lb_consent_decision *decision)
{
    struct lb_section *sections = NULL;
    size_t num = 0;
    struct lb_span sd_jwt;
    const struct lb_consent_plan plan = {
        .form = decision->form,
        .role = lb_form_role_index(decision->form, decision->row.role),
        .directory = decision->directory,
        .choice = &decision->choice,
    };
    LB_TRY(lb_consent_plan(&plan, decision->arena, &sections, &num));
    LB_TRY(describe(decision));
    for (size_t i = 0; i < num; i++)
        LB_TRY(complete(decision, &sections[i]));
    LB_TRY(sign(decision, sections, num, &sd_jwt));
    LB_TRY(lb_consent_grant_add(decision->consent->store, &decision->grant));
    decision->row.grant_id = decision->grant.id;
    decision->row.sd_jwt = lb_arena_str(decision->arena, sd_jwt);
    LB_ENSURE(decision->row.sd_jwt != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}
