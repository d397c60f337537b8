#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/*
 * A citizen's decision at a desk. Order of what is made durable (together.c): the store's
 * transaction is written but not committed, then the entry is appended, then the store commits. So
 * there is never a grant without its entry. After a crash in between, an entry GRANTED (or REFUSED)
 * stands without a grant: nobody got it, the request is pending still, and the decision is taken
 * again under a new entry.
 */

/* How far each way of proving identity and will reaches (DESIGN §3: proof method and level). */
static int method_reach(const char *method)
{
    static const struct {
        const char *name;
        int level;
    } methods[] = {{"document", 2}, {"face", 3}, {"paper2", 2}};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(method, methods[i].name) == 0)
            return methods[i].level;
    }
    return 0;
}

/* Two officers confirm a signed paper, which has to be there; with other methods it may be. */
static lb_status check_paper(struct lb_consent_decision *decision,
                             const Lianban__V1__ConfirmRequest *request)
{
    bool is_two = strcmp(request->method, "paper2") == 0;
    if (request->paper_sha256.len == 0 && !is_two)
        return LB_OK;
    LB_ENSURE(request->paper_sha256.len == LB_SHA256_BYTES, LB_MALFORMED,
              "paper's hash is not 32 bytes");
    memcpy(decision->paper_sha256, request->paper_sha256.data, LB_SHA256_BYTES);
    return LB_OK;
}

static lb_status check_proof(struct lb_consent_decision *decision,
                             const Lianban__V1__ConfirmRequest *request)
{
    int reach = method_reach(request->method);
    LB_ENSURE(reach > 0, LB_MALFORMED, "no such method of proof");
    LB_ENSURE(request->level >= 1 && request->level <= (uint32_t)reach, LB_MALFORMED,
              "a level that the method does not reach");
    LB_ENSURE(request->notice_sha256.len == LB_SHA256_BYTES, LB_MALFORMED,
              "notice's hash is not 32 bytes");
    memcpy(decision->notice_sha256, request->notice_sha256.data, LB_SHA256_BYTES);
    LB_ENSURE(request->subject_key.len == 0 ||
                  request->subject_key.len == sizeof(decision->subject_key),
              LB_MALFORMED, "the citizen's key is not 32 bytes");
    decision->has_subject_key = request->subject_key.len > 0;
    if (decision->has_subject_key)
        memcpy(decision->subject_key, request->subject_key.data, sizeof(decision->subject_key));
    LB_TRY(check_paper(decision, request));
    decision->method = request->method;
    decision->level = (int)request->level;
    decision->agreed = request->agreed;
    return LB_OK;
}

static lb_status load(struct lb_consent_decision *decision, const char *request_id)
{
    LB_ENSURE(lb_consent_text_ok(request_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN,
              "no such request");
    return lb_consent_as_unknown(
        lb_consent_request_find(decision->consent->store, request_id, decision->now_unix_s,
                                decision->arena, &decision->row));
}

/* Whoever asked a day ago must be a member with that key still. */
static lb_status check_requester(struct lb_consent_decision *decision)
{
    const struct lb_node *node = lb_directory_node(decision->directory, decision->row.caller);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_WRONG_REQUESTER,
              "window is not listed any more");
    LB_TRY(lb_consent_need_key(node, lb_span_of(decision->row.requester_key, 32),
                               decision->now_unix_s));
    decision->requester = node;
    return LB_OK;
}

static lb_status check_form(struct lb_consent_decision *decision)
{
    const struct lb_consent_request_row *row = &decision->row;
    LB_TRY(lb_consent_form(decision->consent, row->form, row->form_version, &decision->form));
    LB_ENSURE(memcmp(decision->form->sha256, row->form_sha256, 32) == 0 &&
                  lb_form_role_index(decision->form, row->role) != SIZE_MAX,
              LB_FORM_UNKNOWN, "form has changed since it was asked");
    return LB_OK;
}

static lb_status is_notice(const struct lb_consent_decision *decision, const char *language,
                           enum lb_notice_variant variant, bool *out_is)
{
    struct lb_span text;
    uint8_t digest[LB_SHA256_BYTES];
    LB_TRY(lb_consent_notice_text(decision->directory, decision->form,
                                  decision->requester->organization, language, variant,
                                  decision->arena, &text));
    lb_sha256(text, digest);
    *out_is = memcmp(digest, decision->notice_sha256, sizeof(digest)) == 0;
    return LB_OK;
}

/* What was shown must be this very notice, in a language and variant that we have. */
static lb_status check_notice(struct lb_consent_decision *decision)
{
    static const char *const languages[] = {"zh", "en"};
    for (size_t i = 0; i < 2 * LB_NUM_NOTICE_VARIANTS; i++) {
        const char *language = languages[i % 2];
        enum lb_notice_variant variant = (enum lb_notice_variant)(i / 2);
        bool is = false;
        LB_TRY(is_notice(decision, language, variant, &is));
        if (!is)
            continue;
        decision->language = language;
        decision->variant = variant;
        return LB_OK;
    }
    LB_FAIL(LB_MALFORMED, "another notice was shown");
}

static lb_status check_all(struct lb_consent_decision *decision,
                           const Lianban__V1__ConfirmRequest *request)
{
    LB_TRY(check_requester(decision));
    LB_TRY(check_form(decision));
    LB_TRY(lb_consent_choose(decision, request));
    LB_TRY(lb_consent_present(decision, request));
    return check_notice(decision);
}

static lb_status enter(struct lb_consent_decision *decision, const char *code)
{
    const struct lb_consent_request_row *row = &decision->row;
    bool has_paper = strcmp(decision->method, "paper2") == 0 || row->party == LB_PARTY_AGENT;
    struct lb_consent_event event = {
        .code = code,
        .desk = decision->officer.desk,
        .officer = decision->officer.has_token ? decision->officer.name : NULL,
        .giver = lb_giver_name(decision->giver),
        .paper_sha256 = has_paper ? decision->paper_sha256 : NULL,
        .request_id = row->id,
        .grant_id = row->grant_id,
        .form = row->form,
        .form_version = row->form_version,
        .form_sha256 = row->form_sha256,
        .case_id = row->case_id,
        .requester = decision->requester->organization,
        .role = row->role,
        .every_days = decision->form->trigger.every_days,
        .method = decision->method,
        .level = decision->level,
        .notice_sha256 = decision->notice_sha256,
        .subject = row->subject,
        .guardian = row->relation != NULL ? row->guardian : NULL,
        .artefact_sha256 = row->grant_id != NULL ? decision->jwt_sha256 : NULL,
    };
    LB_TRY(lb_consent_refused(&decision->choice, decision->arena, &event.refused));
    LB_TRY(lb_consent_fields(decision->form, lb_form_role_index(decision->form, row->role),
                             &decision->choice, decision->arena, &event.fields));
    return lb_consent_entry(&event, decision->arena, &decision->entry);
}

static lb_status decide(struct lb_consent_decision *decision, const uint8_t digest[32])
{
    struct lb_consent_store *store = decision->consent->store;
    struct lb_consent_request_row *row = &decision->row;
    row->state = decision->agreed ? LB_REQUEST_GRANTED : LB_REQUEST_REFUSED;
    row->keep_until_unix_s = decision->now_unix_s + LB_CONSENT_REFUSAL_KEPT_S;
    row->decided_by = decision->officer.name;
    memcpy(row->digest, digest, sizeof(row->digest));
    if (decision->agreed) {
        LB_TRY(lb_consent_issue(decision));
        row->keep_until_unix_s = decision->grant.exp;
        LB_TRY(lb_consent_emergency_supplement(store, row, decision->now_unix_s));
    }
    LB_TRY(lb_consent_request_decide(store, row));
    LB_TRY(lb_consent_record(decision));
    return enter(decision, decision->agreed ? "GRANTED" : "REFUSED");
}

/* Recorded, and nothing more: no grant hangs on one officer's word. */
static lb_status note_first(struct lb_consent_decision *decision)
{
    LB_TRY(lb_consent_request_first(decision->consent->store, &decision->row));
    return enter(decision, "FIRST_OFFICER");
}

static lb_status judge(struct lb_consent_decision *decision,
                       const Lianban__V1__ConfirmRequest *request)
{
    uint8_t digest[32];
    bool is_second = true;
    LB_TRY(check_proof(decision, request));
    LB_TRY(load(decision, request->request_id));
    LB_TRY(lb_consent_digest(decision->consent, request, digest));
    if (decision->row.state != LB_REQUEST_PENDING)
        return lb_consent_decided(decision, digest);
    LB_TRY(check_all(decision, request));
    bool is_noted = decision->row.first_officer != NULL &&
                    memcmp(decision->row.first_digest, digest, sizeof(digest)) == 0;
    if (strcmp(decision->method, "paper2") == 0)
        LB_TRY(lb_consent_is_second(decision, digest, &is_second));
    if (is_second)
        return decide(decision, digest);
    return is_noted ? LB_OK : note_first(decision);
}

static lb_status make_response(struct lb_arena *arena, Lianban__V1__ConfirmResponse **out)
{
    Lianban__V1__ConfirmResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__confirm_response__init(response);
    *out = response;
    return LB_OK;
}

static const char *state_name(enum lb_consent_request_state state)
{
    if (state == LB_REQUEST_PENDING)
        return "SECOND_OFFICER";
    return state == LB_REQUEST_GRANTED ? "GRANTED" : "REFUSED";
}

struct confirming {
    struct lb_consent_decision *decision;
    const Lianban__V1__ConfirmRequest *request;
};

static lb_status write_decision(void *self, struct lb_log_entry **out_entry)
{
    const struct confirming *confirming = self;
    struct lb_consent_decision *decision = confirming->decision;
    decision->now_unix_s = lb_clock_unix_s(decision->consent->options.clock);
    decision->entry = NULL;
    LB_TRY(judge(decision, confirming->request));
    *out_entry = decision->entry;
    return LB_OK;
}

static lb_status confirm(struct lb_consent_decision *decision, const char *caller,
                         const Lianban__V1__ConfirmRequest *request,
                         Lianban__V1__ConfirmResponse **out)
{
    Lianban__V1__ConfirmResponse *response = NULL;
    LB_TRY(lb_consent_who(decision->consent, decision->directory, caller, request->officer_token,
                          decision->arena, &decision->officer));
    LB_TRY(make_response(decision->arena, &response));
    struct confirming confirming = {decision, request};
    struct lb_consent_job job = {.write = write_decision, .self = &confirming};
    LB_TRY(lb_consent_together(decision->consent, &job));
    if (decision->row.grant_id != NULL)
        response->grant_id = (char *)(uintptr_t)decision->row.grant_id;
    response->state = (char *)(uintptr_t)state_name(decision->row.state);
    *out = response;
    return LB_OK;
}

lb_status lb_consent_confirm(struct lb_consent *consent, const char *caller,
                             const Lianban__V1__ConfirmRequest *request, struct lb_arena *arena,
                             Lianban__V1__ConfirmResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct lb_consent_decision decision = {
        .consent = consent,
        .arena = arena,
        .directory = directory,
    };
    lb_status status = confirm(&decision, caller, request, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}
