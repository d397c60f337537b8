#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"

/*
 * Help first, papers later (SAL 50; PIPL 13(1)(4), last paragraph): a desk's officer grants a
 * pending request while the citizen cannot be asked. It is told apart everywhere by its basis, ends
 * within a day, and is counted per officer and per office and day. Whoever does not bring the
 * papers within ten days stops the office from granting any more.
 */
#define DUE_S (10 * INT64_C(86400))
#define NO_LEVEL 1  /* nobody's identity was proved */

static lb_status load(struct lb_consent_decision *decision, const char *request_id)
{
    LB_ENSURE(lb_consent_text_ok(request_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN,
              "no such request");
    return lb_consent_as_unknown(
        lb_consent_request_find(decision->consent->store, request_id, decision->now_unix_s,
                                decision->arena, &decision->row));
}

static lb_status check_request(struct lb_consent_decision *decision)
{
    const struct lb_consent_request_row *row = &decision->row;
    const struct lb_node *node = lb_directory_node(decision->directory, row->caller);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_WRONG_REQUESTER,
              "window is not listed any more");
    LB_TRY(lb_consent_need_key(node, lb_span_of(row->requester_key, 32), decision->now_unix_s));
    decision->requester = node;
    LB_TRY(lb_consent_form(decision->consent, row->form, row->form_version, &decision->form));
    LB_ENSURE(memcmp(decision->form->sha256, row->form_sha256, 32) == 0 &&
                  lb_form_role_index(decision->form, row->role) != SIZE_MAX,
              LB_FORM_UNKNOWN, "form has changed since it was asked");
    LB_ENSURE(row->party != LB_PARTY_RELATIVE, LB_MALFORMED, "the dead are in no danger");
    LB_ENSURE(decision->form->trigger.every_days == 0, LB_MALFORMED,
              "nothing that stands for a year is an emergency");
    return LB_OK;
}

static lb_status check_caps(const struct lb_consent_decision *decision, const char *day)
{
    const struct lb_consent_options *options = &decision->consent->options;
    struct lb_consent_store *store = decision->consent->store;
    int64_t overdue = 0, own = 0, all = 0, open = 0;
    LB_TRY(lb_consent_emergency_overdue(store, decision->now_unix_s, &overdue));
    LB_ENSURE(overdue == 0, LB_SUPPLEMENT_OVERDUE, "an emergency was not supplemented");
    LB_TRY(lb_consent_emergency_count(store, day, decision->officer.name, &own, &all));
    LB_ENSURE(own < options->emergencies_per_officer && all < options->emergencies_per_day,
              LB_EMERGENCY_CAPPED, "no more emergencies today");
    LB_TRY(lb_consent_emergency_open(store, decision->row.subject, decision->row.case_id, &open));
    LB_ENSURE(open == 0, LB_EMERGENCY_CAPPED, "one emergency a person and case");
    return LB_OK;
}

static lb_status enter(const struct lb_consent_decision *decision)
{
    struct lb_consent_event event =
        lb_consent_event_of(&decision->grant, "EMERGENCY", decision->officer.desk);
    event.officer = decision->officer.has_token ? decision->officer.name : NULL;
    event.reason = decision->reason;
    event.artefact_sha256 = decision->jwt_sha256;
    LB_TRY(lb_consent_fields(decision->form,
                             lb_form_role_index(decision->form, decision->row.role),
                             &decision->choice, decision->arena, &event.fields));
    return lb_consent_enter(decision->consent, &event, decision->arena);
}

static lb_status remember(const struct lb_consent_decision *decision, const char *day)
{
    struct lb_consent_emergency_row row = {
        .grant_id = decision->grant.id,
        .request = decision->row.id,
        .form = decision->row.form,
        .case_id = decision->row.case_id,
        .role = decision->row.role,
        .requester = decision->requester->organization,
        .reason = decision->reason,
        .desk = decision->officer.desk,
        .officer = decision->officer.name,
        .issued_unix_s = decision->now_unix_s,
        .due_unix_s = decision->now_unix_s + DUE_S,
    };
    memcpy(row.subject, decision->row.subject, sizeof(row.subject));
    memcpy(row.other, decision->row.guardian, sizeof(row.other));
    return lb_consent_emergency_add(decision->consent->store, day, &row);
}

static lb_status grant(struct lb_consent_decision *decision, const char *day)
{
    struct lb_consent_store *store = decision->consent->store;
    struct lb_consent_request_row *row = &decision->row;
    LB_TRY(lb_consent_store_begin(store));
    LB_TRY(lb_consent_issue(decision));
    row->state = LB_REQUEST_GRANTED;
    row->keep_until_unix_s = decision->grant.exp;
    row->decided_by = decision->officer.name;
    LB_TRY(lb_consent_request_decide(store, row));
    LB_TRY(remember(decision, day));
    LB_TRY(lb_consent_record(decision));
    LB_TRY(enter(decision));
    return lb_consent_store_commit(store);
}

static lb_status make_response(const char *grant_id, int64_t issued_unix_s,
                               struct lb_arena *arena, Lianban__V1__EmergencyResponse **out)
{
    Lianban__V1__EmergencyResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__emergency_response__init(response);
    response->grant_id = (char *)(uintptr_t)grant_id;
    response->expires_unix_s = issued_unix_s + LB_EMERGENCY_LIFE_S;
    response->due_unix_s = issued_unix_s + DUE_S;
    *out = response;
    return LB_OK;
}

/* A desk whose answer got lost asks again: the same officer, for the same reason. */
static lb_status tell_again(const struct lb_consent_decision *decision,
                            Lianban__V1__EmergencyResponse **out)
{
    const struct lb_consent_request_row *row = &decision->row;
    struct lb_consent_emergency_row issued;
    LB_ENSURE(row->state == LB_REQUEST_GRANTED && row->grant_id != NULL, LB_CASE_STATE,
              "request is decided already");
    lb_status status = lb_consent_emergency_find(decision->consent->store, row->grant_id,
                                                 decision->arena, &issued);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_CASE_STATE, "request is decided already");
    LB_TRY(status);
    LB_ENSURE(strcmp(issued.officer, decision->officer.name) == 0 &&
                  strcmp(issued.reason, decision->reason) == 0,
              LB_CASE_STATE, "request is decided already");
    return make_response(row->grant_id, issued.issued_unix_s, decision->arena, out);
}

static lb_status decide(struct lb_consent_decision *decision, const char *caller,
                        const Lianban__V1__EmergencyRequest *request,
                        Lianban__V1__EmergencyResponse **out)
{
    static const char *const reasons[] = {"life",     "health", "food", "shelter",
                                          "disaster", "child",  "other"};
    char day[11];
    LB_TRY(lb_consent_who(decision->consent, decision->directory, caller, request->officer_token,
                          decision->arena, &decision->officer));
    LB_ENSURE(lb_consent_listed(request->reason, reasons, 7), LB_MALFORMED,
              "no reason for an emergency");
    decision->reason = request->reason;
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(decision->consent);
    decision->now_unix_s = lb_clock_unix_s(locked->options.clock);
    LB_TRY(lb_consent_day(decision->now_unix_s, day));
    LB_TRY(load(decision, request->request_id));
    if (decision->row.state != LB_REQUEST_PENDING)
        return tell_again(decision, out);
    LB_TRY(check_request(decision));
    LB_TRY(check_caps(decision, day));
    LB_TRY(grant(decision, day));
    return make_response(decision->grant.id, decision->now_unix_s, decision->arena, out);
}

lb_status lb_consent_emergency(struct lb_consent *consent, const char *caller,
                               const Lianban__V1__EmergencyRequest *request,
                               struct lb_arena *arena, Lianban__V1__EmergencyResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct lb_consent_decision decision = {
        .consent = consent,
        .arena = arena,
        .directory = directory,
        .language = "zh",
        .method = "none",
        .level = NO_LEVEL,
        .agreed = true,
        .choice = {.emergency = true},
    };
    lb_status status = decide(&decision, caller, request, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}
