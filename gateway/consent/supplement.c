#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/*
 * What has to follow an emergency. An ordinary consent of the same person in the same case closes
 * it by itself (confirm.c). Otherwise an officer writes what came of it: the citizen agrees now
 * that they can be asked, or refuses, which ends the grant, or cannot be asked at all.
 */
#define MAX_LISTED 200

struct supplement {
    struct lb_consent *consent;
    struct lb_directory *directory;
    struct lb_arena *arena;
    struct lb_consent_officer officer;
    const Lianban__V1__CloseEmergencyRequest *request;
    int64_t now_unix_s;
    struct lb_consent_emergency_row row;
    struct lb_consent_grant_row grant;
};

/* --- closing --- */

/* Whose agreement would have been asked; a minor's guardian may give it alone here, because nothing
 * is read on its strength any more. */
static lb_status check_document(const struct supplement *supplement)
{
    const char *id_no = supplement->request->id_no;
    bool is_subject = false, is_other = false;
    LB_TRY(lb_consent_is_document(supplement->consent, id_no, supplement->row.subject,
                                  &is_subject));
    LB_TRY(lb_consent_is_document(supplement->consent, id_no, supplement->row.other, &is_other));
    LB_ENSURE(is_subject || is_other, LB_MALFORMED, "document of another person");
    return LB_OK;
}

static lb_status check_outcome(const struct supplement *supplement)
{
    static const char *const others[] = {"refused", "deceased", "unreachable", "unneeded"};
    const Lianban__V1__CloseEmergencyRequest *request = supplement->request;
    LB_ENSURE(request->report_sha256.len == LB_SHA256_BYTES, LB_MALFORMED,
              "closed without a paper");
    if (strcmp(request->outcome, "consented") == 0)
        return check_document(supplement);
    LB_ENSURE(lb_consent_listed(request->outcome, others, 4), LB_MALFORMED,
              "no outcome of an emergency");
    return LB_OK;
}

/* The grant row may be purged already; the emergency's own says enough for the entry. */
static void fill_grant(struct supplement *supplement)
{
    const struct lb_consent_emergency_row *row = &supplement->row;
    supplement->grant = (struct lb_consent_grant_row){
        .id = row->grant_id,
        .request = row->request,
        .state = LB_STATE_INVALID,
        .requester = row->requester,
        .form = row->form,
        .case_id = row->case_id,
        .role = row->role,
    };
    memcpy(supplement->grant.subject, row->subject, sizeof(row->subject));
}

static lb_status load(struct supplement *supplement)
{
    const char *grant_id = supplement->request->grant_id;
    LB_ENSURE(lb_consent_text_ok(grant_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN, "no such grant");
    LB_TRY(lb_consent_as_unknown(lb_consent_emergency_find(
        supplement->consent->store, grant_id, supplement->arena, &supplement->row)));
    lb_status status = lb_consent_grant_find(supplement->consent->store, grant_id,
                                             supplement->arena, &supplement->grant);
    if (lb_status_code(status) != LB_ABSENT)
        return status;
    fill_grant(supplement);
    return LB_OK;
}

static lb_status enter(const struct supplement *supplement)
{
    const Lianban__V1__CloseEmergencyRequest *request = supplement->request;
    struct lb_consent_event event =
        lb_consent_event_of(&supplement->grant, "SUPPLEMENTED", supplement->officer.desk);
    event.officer = supplement->officer.has_token ? supplement->officer.name : NULL;
    event.reason = request->outcome;
    event.paper_sha256 = request->report_sha256.data;
    return lb_consent_enter(supplement->consent, &event, supplement->arena);
}

/* Who refuses afterwards withdraws: the next list says so, and is pushed within seconds. */
static lb_status end_grant(struct supplement *supplement)
{
    struct lb_consent_push push = {0};
    if (strcmp(supplement->request->outcome, "refused") != 0 ||
        supplement->grant.state == LB_STATE_INVALID)
        return LB_OK;
    return lb_consent_apply(supplement->consent, &supplement->grant, LB_STATE_INVALID,
                            supplement->now_unix_s, supplement->arena, &push);
}

static lb_status close_it(struct supplement *supplement)
{
    struct lb_consent_store *store = supplement->consent->store;
    LB_TRY(load(supplement));
    LB_TRY(check_outcome(supplement));
    LB_TRY(lb_consent_store_begin(store));
    LB_TRY(end_grant(supplement));
    LB_TRY(lb_consent_emergency_close(store, supplement->row.grant_id, supplement->now_unix_s));
    LB_TRY(lb_consent_record_supplement(supplement->consent, &supplement->row,
                                        supplement->request->outcome, supplement->officer.desk,
                                        supplement->now_unix_s, supplement->arena));
    LB_TRY(enter(supplement));
    return lb_consent_store_commit(store);
}

lb_status lb_consent_close_emergency(struct lb_consent *consent, const char *caller,
                                     const Lianban__V1__CloseEmergencyRequest *request,
                                     struct lb_arena *arena)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct supplement supplement = {
        .consent = consent, .directory = directory, .arena = arena, .request = request};
    lb_status status = lb_consent_who(consent, directory, caller, request->officer_token, arena,
                                      &supplement.officer);
    if (status == LB_OK) {
        LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
        supplement.now_unix_s = lb_clock_unix_s(locked->options.clock);
        status = close_it(&supplement);
    }
    lb_consent_count_denial(consent, caller, status);
    return status;
}

/* --- listing --- */

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

static lb_status describe(const struct lb_consent_emergency_row *row, int64_t now_unix_s,
                          struct lb_arena *arena, Lianban__V1__DueSupplement **out)
{
    Lianban__V1__DueSupplement *due = lb_arena_alloc(arena, sizeof(*due));
    LB_ENSURE(due != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__due_supplement__init(due);
    due->grant_id = text(row->grant_id);
    due->form = text(row->form);
    due->case_id = text(row->case_id);
    due->role = text(row->role);
    due->reason = text(row->reason);
    due->desk = text(row->desk);
    due->issued_unix_s = row->issued_unix_s;
    due->due_unix_s = row->due_unix_s;
    due->overdue = row->due_unix_s < now_unix_s;
    *out = due;
    return LB_OK;
}

static lb_status list_all(struct lb_consent *consent, struct lb_arena *arena,
                          Lianban__V1__ListDueResponse *out)
{
    size_t num = 0;
    int64_t overdue = 0;
    struct lb_consent_emergency_row *rows = lb_arena_array(arena, MAX_LISTED, sizeof(*rows));
    out->items = lb_arena_array(arena, MAX_LISTED, sizeof(out->items[0]));
    LB_ENSURE(rows != NULL && out->items != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    int64_t now = lb_clock_unix_s(locked->options.clock);
    LB_TRY(lb_consent_emergency_list(locked->store, MAX_LISTED, arena, rows, &num));
    LB_TRY(lb_consent_emergency_overdue(locked->store, now, &overdue));
    out->overdue = overdue > UINT32_MAX ? UINT32_MAX : (uint32_t)overdue;
    for (size_t i = 0; i < num; i++)
        LB_TRY(describe(&rows[i], now, arena, &out->items[out->n_items++]));
    return LB_OK;
}

static lb_status list_for(struct lb_consent *consent, const char *caller, struct lb_arena *arena,
                          Lianban__V1__ListDueResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    Lianban__V1__ListDueResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__list_due_response__init(response);
    LB_TRY(lb_consent_need_desk(consent, directory, caller));
    LB_TRY(list_all(consent, arena, response));
    *out = response;
    return LB_OK;
}

lb_status lb_consent_due(struct lb_consent *consent, const char *caller, struct lb_arena *arena,
                         Lianban__V1__ListDueResponse **out)
{
    lb_status status = list_for(consent, caller, arena, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}

lb_status lb_consent_overdue(struct lb_consent *consent, int64_t *out_num)
{
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    return lb_consent_emergency_overdue(locked->store, lb_clock_unix_s(locked->options.clock),
                                        out_num);
}
