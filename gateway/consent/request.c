#include <stdio.h>
#include <time.h>

#include "gateway/base/wipe.h"
#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/ticket.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/*
 * A window's request. Whatever the grant will need of the subject is computed here, once: two keyed
 * pseudonyms and the commitment. Then identity numbers and names are forgotten; no later step has
 * them.
 */
#define ADULT_AGE 18
#define OWN_CONSENT_AGE 14  /* PIPL 31: below it a guardian agrees */

struct person {
    char id_no[19];
    int age;
};

struct asking {
    struct lb_consent *consent;
    struct lb_directory *directory;
    struct lb_arena *arena;
    const Lianban__V1__GrantRequest *request;
    const struct lb_form *form;
    size_t role;
    int64_t now_unix_s;
    struct lb_consent_request_row row;
};

static void wipe_person(struct person *person)
{
    lb_wipe(person, sizeof(*person));
}

/* --- who asks --- */

static lb_status check_caller(struct asking *asking, const char *caller)
{
    const struct lb_node *node = lb_directory_node(asking->directory, caller);
    LB_ENSURE(node != NULL && node->kind == LB_NODE_WINDOW, LB_ROLE_NOT_ALLOWED,
              "only windows ask");
    LB_ENSURE(strcmp(node->organization, asking->consent->options.organization) != 0,
              LB_ROLE_NOT_ALLOWED, "an office does not ask itself");
    LB_TRY(lb_consent_need_key(node, lb_pb_span(asking->request->requester_key),
                               asking->now_unix_s));
    memcpy(asking->row.requester_key, asking->request->requester_key.data, 32);
    asking->row.caller = node->spiffe;
    return LB_OK;
}

/* --- for what --- */

static lb_status check_form(struct asking *asking)
{
    const Lianban__V1__GrantRequest *request = asking->request;
    LB_TRY(lb_consent_form(asking->consent, request->form, request->form_version, &asking->form));
    LB_ENSURE(lb_span_eq(lb_pb_span(request->form_sha256),
                         lb_span_of(asking->form->sha256, sizeof(asking->form->sha256))),
              LB_FORM_UNKNOWN, "form of another content");
    asking->role = lb_form_role_index(asking->form, request->role);
    LB_ENSURE(asking->role != SIZE_MAX, LB_MALFORMED, "form has no such role");
    LB_ENSURE(lb_consent_text_ok(request->case_id, LB_MAX_NAME_BYTES), LB_MALFORMED,
              "case is empty or too long");
    LB_ENSURE(lb_consent_text_ok(request->operator_, LB_MAX_NAME_BYTES), LB_MALFORMED,
              "operator is empty or too long");
    asking->row.form = asking->form->id;
    asking->row.form_version = asking->form->version;
    memcpy(asking->row.form_sha256, asking->form->sha256, 32);
    asking->row.role = asking->form->roles[asking->role].name;
    asking->row.case_id = request->case_id;
    asking->row.operator_hash = request->operator_;
    return LB_OK;
}

/* A citizen is not asked for what could not be granted. */
static lb_status check_plan(const struct asking *asking)
{
    struct lb_section *sections = NULL;
    size_t num = 0;
    return lb_consent_plan(asking->form, asking->role, asking->directory, asking->arena, &sections,
                           &num);
}

/* --- of whom --- */

static lb_status as_malformed(lb_status status)
{
    enum lb_code code = lb_status_code(status);
    if (code == LB_CODE_OK || code == LB_NO_MEMORY || code == LB_INTERNAL)
        return status;
    LB_FAIL(LB_MALFORMED, "identity number or name is not a valid one");
}

static lb_status read_person(const struct asking *asking, const char *id_no, const char *name,
                             struct person *out)
{
    char today[11];
    struct tm local;
    struct lb_span normal;
    time_t now = (time_t)asking->now_unix_s;
    LB_ENSURE(localtime_r(&now, &local) != NULL &&
                  strftime(today, sizeof(today), "%Y-%m-%d", &local) == sizeof(today) - 1,
              LB_INTERNAL, "clock gives no date");
    LB_TRY(as_malformed(lb_name_normalise(lb_span_str(name), asking->arena, &normal)));
    LB_TRY(as_malformed(lb_idno_normalise(lb_span_str(id_no), out->id_no)));
    return as_malformed(lb_idno_age(lb_span_str(out->id_no), today, &out->age));
}

static lb_status read_guardian(struct asking *asking, const struct person *subject)
{
    const Lianban__V1__Guardian *wire = asking->request->guardian;
    LB_DEFER(wipe_person) struct person guardian = {0};
    LB_ENSURE(wire != NULL, LB_MALFORMED, "a minor without a guardian");
    LB_ENSURE(lb_consent_text_ok(wire->relation, LB_MAX_NAME_BYTES), LB_MALFORMED,
              "relation is empty or too long");
    LB_TRY(read_person(asking, wire->id_no, wire->name, &guardian));
    LB_ENSURE(guardian.age >= ADULT_AGE, LB_MALFORMED, "a guardian who is a minor");
    LB_ENSURE(strcmp(guardian.id_no, subject->id_no) != 0, LB_MALFORMED,
              "a guardian of oneself");
    lb_consent_pseudonym(asking->consent, guardian.id_no, asking->row.guardian);
    asking->row.relation = wire->relation;
    return LB_OK;
}

static lb_status read_subject(struct asking *asking)
{
    const Lianban__V1__GrantRequest *request = asking->request;
    LB_DEFER(wipe_person) struct person subject = {0};
    LB_TRY(read_person(asking, request->id_no, request->name, &subject));
    if (asking->form->roles[asking->role].minor) {
        LB_ENSURE(subject.age < ADULT_AGE, LB_MALFORMED, "a minor who is of age");
        LB_TRY(read_guardian(asking, &subject));
    } else {
        LB_ENSURE(request->guardian == NULL, LB_MALFORMED, "a guardian of one who is no minor");
        LB_ENSURE(subject.age >= OWN_CONSENT_AGE, LB_MALFORMED, "a child who agrees alone");
    }
    uint8_t salt[16];
    lb_consent_salt(asking->consent, asking->row.id, salt);
    lb_subject_commitment(salt, subject.id_no, asking->row.commitment);
    lb_wipe(salt, sizeof(salt));
    lb_consent_pseudonym(asking->consent, subject.id_no, asking->row.subject);
    return LB_OK;
}

/* --- filing --- */

static lb_status file(struct asking *asking)
{
    int64_t all = 0, own = 0;
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(asking->consent);
    LB_TRY(lb_consent_store_purge(locked->store, asking->now_unix_s));
    LB_TRY(lb_consent_request_count(locked->store, asking->row.caller, &all, &own));
    LB_ENSURE(all < LB_CONSENT_MAX_PENDING && own < LB_CONSENT_MAX_PENDING_PER_WINDOW, LB_BUSY,
              "too many requests are pending");
    return lb_consent_request_add(locked->store, &asking->row);
}

static lb_status make_ticket(const char *request_id, struct lb_arena *arena,
                             Lianban__V1__GrantTicket **out)
{
    Lianban__V1__GrantTicket *ticket = lb_arena_alloc(arena, sizeof(*ticket));
    char *code = lb_arena_alloc(arena, LB_TICKET_CODE_BYTES);
    LB_ENSURE(ticket != NULL && code != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__grant_ticket__init(ticket);
    lb_ticket_code(request_id, code);
    ticket->code = code;
    ticket->request_id = lb_arena_str(arena, lb_span_str(request_id));
    LB_ENSURE(ticket->request_id != NULL, LB_NO_MEMORY, "arena is full");
    *out = ticket;
    return LB_OK;
}

static lb_status ask(struct asking *asking, const char *caller, Lianban__V1__GrantTicket **out)
{
    char id[LB_CONSENT_ID_BYTES];
    Lianban__V1__GrantTicket *ticket = NULL;
    LB_TRY(check_caller(asking, caller));
    LB_TRY(check_form(asking));
    LB_TRY(check_plan(asking));
    LB_TRY(lb_consent_random_id('r', id));
    asking->row.id = id;
    asking->row.keep_until_unix_s = asking->now_unix_s + LB_CONSENT_PENDING_S;
    LB_TRY(read_subject(asking));
    LB_TRY(make_ticket(id, asking->arena, &ticket));
    LB_TRY(file(asking));
    *out = ticket;
    return LB_OK;
}

lb_status lb_consent_request(struct lb_consent *consent, const char *caller,
                             const Lianban__V1__GrantRequest *request, struct lb_arena *arena,
                             Lianban__V1__GrantTicket **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct asking asking = {
        .consent = consent,
        .directory = directory,
        .arena = arena,
        .request = request,
        .now_unix_s = lb_clock_unix_s(consent->options.clock),
    };
    lb_status status = ask(&asking, caller, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}
