#include "gateway/consent/inside.h"
#include "gateway/token/ticket.h"
#include "gateway/wire/pb.h"

/* A window's request: who asks for what; people.c judges of whom. */

/* --- who asks --- */

static lb_status check_caller(struct lb_consent_asking *asking, const char *caller)
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

/* A standing grant goes to the department that runs the trigger, and to a window with a log key,
 * which it is bound to. */
static lb_status check_trigger(const struct lb_consent_asking *asking)
{
    const struct lb_node *node = lb_directory_node(asking->directory, asking->row.caller);
    const struct lb_form_trigger *trigger = &asking->form->trigger;
    if (trigger->every_days == 0)
        return LB_OK;
    LB_ENSURE(node != NULL && strcmp(node->organization, trigger->source) == 0,
              LB_ROLE_NOT_ALLOWED, "another department's trigger");
    LB_ENSURE(node->log_origin != NULL, LB_WRONG_REQUESTER, "window has no log key");
    return LB_OK;
}

static lb_status check_form(struct lb_consent_asking *asking)
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
    LB_TRY(check_trigger(asking));
    asking->row.form = asking->form->id;
    asking->row.form_version = asking->form->version;
    memcpy(asking->row.form_sha256, asking->form->sha256, 32);
    asking->row.role = asking->form->roles[asking->role].name;
    asking->row.case_id = request->case_id;
    asking->row.operator_hash = request->operator_;
    return LB_OK;
}

/* A citizen is not asked for what could not be granted. */
static lb_status check_plan(const struct lb_consent_asking *asking)
{
    struct lb_section *sections = NULL;
    size_t num = 0;
    const struct lb_consent_plan plan = {
        .form = asking->form, .role = asking->role, .directory = asking->directory};
    return lb_consent_plan(&plan, asking->arena, &sections, &num);
}

/* --- filing --- */

static lb_status file(void *self, struct lb_log_entry **out_entry)
{
    const struct lb_consent_asking *asking = self;
    struct lb_consent_store *store = asking->consent->store;
    int64_t all = 0, own = 0;
    (void)out_entry;
    LB_TRY(lb_consent_store_purge(store, asking->now_unix_s));
    LB_TRY(lb_consent_request_count(store, asking->row.caller, &all, &own));
    LB_ENSURE(all < LB_CONSENT_MAX_PENDING && own < LB_CONSENT_MAX_PENDING_PER_WINDOW, LB_BUSY,
              "too many requests are pending");
    return lb_consent_request_add(store, &asking->row);
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

static lb_status ask(struct lb_consent_asking *asking, const char *caller,
                     Lianban__V1__GrantTicket **out)
{
    char id[LB_CONSENT_ID_BYTES];
    Lianban__V1__GrantTicket *ticket = NULL;
    LB_TRY(check_caller(asking, caller));
    LB_TRY(check_form(asking));
    LB_TRY(check_plan(asking));
    LB_TRY(lb_consent_random_id('r', id));
    asking->row.id = id;
    asking->row.keep_until_unix_s = asking->now_unix_s + LB_CONSENT_PENDING_S;
    LB_TRY(lb_consent_read_people(asking));
    LB_TRY(make_ticket(id, asking->arena, &ticket));
    struct lb_consent_job job = {.write = file, .self = asking};
    LB_TRY(lb_consent_together(asking->consent, &job));
    *out = ticket;
    return LB_OK;
}

lb_status lb_consent_request(struct lb_consent *consent, const char *caller,
                             const Lianban__V1__GrantRequest *request, struct lb_arena *arena,
                             Lianban__V1__GrantTicket **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    struct lb_consent_asking asking = {
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
