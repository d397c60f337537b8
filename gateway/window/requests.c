#include "gateway/base/log.h"
#include "gateway/window/look.h"
#include "gateway/wire/pb.h"

/* Asking the citizens: the notice, and one request per member at the consent office. */

lb_status lb_window_notice(struct lb_window *window, const Lianban__V1__GetNoticeRequest *request,
                           struct lb_arena *arena, Lianban__V1__GetNoticeResponse **out)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    LB_TRY(lb_window_hold(window, request->case_id, &entry));
    Lianban__V1__NoticeRequest ask = LIANBAN__V1__NOTICE_REQUEST__INIT;
    ask.form = (char *)(uintptr_t)entry->form->form->id;
    ask.form_version = entry->form->form->version;
    ask.requester = (char *)(uintptr_t)window->options.self;
    ask.language = request->language;
    ask.variant = request->variant;
    Lianban__V1__NoticeResponse *answer = NULL;
    LB_TRY(window->options.port.notice(window->options.port.ctx, &ask, arena, &answer));
    Lianban__V1__GetNoticeResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__get_notice_response__init(response);
    response->text = answer->text;
    response->sha256 = answer->sha256;
    *out = response;
    return LB_OK;
}

static lb_status copy_text(struct lb_arena *arena, const char *text, char **out)
{
    *out = lb_arena_str(arena, lb_span_str(text));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status set_guardian(const char *id_no, const char *name, const char *relation,
                              struct lb_arena *arena, Lianban__V1__GrantRequest *request)
{
    Lianban__V1__Guardian *guardian = lb_arena_alloc(arena, sizeof(*guardian));
    LB_ENSURE(guardian != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__guardian__init(guardian);
    LB_TRY(copy_text(arena, id_no, &guardian->id_no));
    LB_TRY(copy_text(arena, name, &guardian->name));
    LB_TRY(copy_text(arena, relation, &guardian->relation));
    request->guardian = guardian;
    return LB_OK;
}

/* For a minor the applicant agrees unless somebody else is named. A relation that was not stated is
 * the role. */
static lb_status add_other(const struct lb_window_case *entry, const struct lb_case_member *member,
                           struct lb_arena *arena, Lianban__V1__GrantRequest *request)
{
    const struct lb_form_role *role = &entry->form->form->roles[member->role];
    Lianban__V1__Representative *other = NULL;
    LB_TRY(lb_case_representative(member, arena, &other));
    if (other != NULL && strcmp(other->kind, "guardian") == 0)
        return set_guardian(other->id_no, other->name, other->relation, arena, request);
    request->representative = other;
    if (other != NULL || !role->minor)
        return LB_OK;
    return set_guardian(entry->members[0].id_no, entry->members[0].name,
                        member->relation[0] != 0 ? member->relation : role->name, arena, request);
}

/* Under the case's lock; copies, because the lock is let go before the office is asked. */
static lb_status write_request(struct lb_window_case *entry, const struct lb_case_member *member,
                               struct lb_arena *arena, Lianban__V1__GrantRequest *request)
{
    const struct lb_form *form = entry->form->form;
    LB_DEFER(lb_own_key_wipe) struct lb_own_key own = {.id = ""};
    struct lb_span public_key;
    LB_TRY(lb_window_newest_key(entry->window, &own));
    LB_TRY(lb_arena_copy(arena, lb_span_of(own.key.public_key, LB_X25519_BYTES), &public_key));
    request->form = (char *)(uintptr_t)form->id;
    request->form_version = form->version;
    request->form_sha256.data = (uint8_t *)(uintptr_t)form->sha256;
    request->form_sha256.len = sizeof(form->sha256);
    request->case_id = entry->id;
    request->requester_key = lb_pb_bytes(public_key);
    request->role = (char *)(uintptr_t)form->roles[member->role].name;
    LB_TRY(copy_text(arena, member->id_no, &request->id_no));
    LB_TRY(copy_text(arena, member->name, &request->name));
    LB_TRY(copy_text(arena, entry->person, &request->operator_));
    return add_other(entry, member, arena, request);
}

static lb_status keep_ticket(struct lb_window_case *entry, struct lb_case_member *member,
                             const Lianban__V1__GrantTicket *ticket)
{
    size_t id_len = strlen(ticket->request_id);
    LB_ENSURE(id_len >= 1 && id_len <= LB_CASE_MAX_TICKET_BYTES &&
                  strlen(ticket->code) <= LB_CASE_MAX_TICKET_BYTES,
              LB_UNAVAILABLE, "the consent office's ticket makes no sense");
    LB_TRY(lb_case_text(&member->ticket_code, lb_span_str(ticket->code)));
    LB_TRY(lb_case_text(&member->ticket_id, lb_span_str(ticket->request_id)));
    return lb_case_store_put(entry->window->store, entry);
}

/* A grant that no longer stands has to be asked for anew. Under the case's lock. */
static void drop_expired(struct lb_window_case *entry, struct lb_case_member *member,
                         struct lb_arena *arena)
{
    struct lb_opened_grant opened;
    if (member->consent.sd_jwt == NULL ||
        lb_grant_take_apart(entry->form->form, member->consent.sd_jwt, arena, &opened) != LB_OK ||
        lb_grant_stands(entry->window, &opened, 0))
        return;
    lb_case_text_drop(&member->consent.sd_jwt);
    lb_case_text_drop(&member->ticket_id);
    lb_case_text_drop(&member->ticket_code);
}

/* Holding `asking`, so that two calls do not file two requests. */
static lb_status request_one(struct lb_window_case *entry, size_t index, struct lb_arena *arena)
{
    const struct lb_window_port *port = &entry->window->options.port;
    struct lb_case_member *member = &entry->members[index];
    Lianban__V1__GrantRequest request = LIANBAN__V1__GRANT_REQUEST__INIT;
    Lianban__V1__GrantTicket *ticket = NULL;
    (void)pthread_mutex_lock(&entry->lock);
    drop_expired(entry, member, arena);
    bool asked = member->ticket_id != NULL;
    lb_status status = asked ? LB_OK : write_request(entry, member, arena, &request);
    (void)pthread_mutex_unlock(&entry->lock);
    if (status != LB_OK || asked)
        return status;
    LB_TRY(port->request_grant(port->ctx, &request, arena, &ticket));
    (void)pthread_mutex_lock(&entry->lock);
    if (!lb_case_is_watch(entry)) /* of a watch each look is told apart by its rids */
        lb_log_failure("collect_not_prepared", lb_collect_prepare(entry, index, arena));
    status = keep_ticket(entry, member, ticket);
    (void)pthread_mutex_unlock(&entry->lock);
    return status;
}

static lb_status request_all(struct lb_window_case *entry, struct lb_arena *arena)
{
    LB_ENSURE(!lb_window_closed(entry), LB_CASE_UNKNOWN, "the case was closed meanwhile");
    for (size_t i = 0; i < entry->num_members; i++) {
        if (lb_window_needs_consent(entry->form->form, entry->members[i].role))
            LB_TRY(request_one(entry, i, arena));
    }
    return LB_OK;
}

/* Under the case's lock. */
static lb_status write_tickets(const struct lb_window_case *entry, struct lb_arena *arena,
                               Lianban__V1__RequestGrantsResponse **out)
{
    Lianban__V1__RequestGrantsResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__request_grants_response__init(response);
    response->tickets =
        lb_arena_array(arena, entry->num_members, sizeof(response->tickets[0]));
    LB_ENSURE(response->tickets != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < entry->num_members; i++) {
        const struct lb_case_member *member = &entry->members[i];
        if (member->ticket_id == NULL)
            continue;
        Lianban__V1__MemberTicket *ticket = lb_arena_alloc(arena, sizeof(*ticket));
        LB_ENSURE(ticket != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__member_ticket__init(ticket);
        ticket->member = (uint32_t)i;
        LB_TRY(copy_text(arena, member->ticket_id, &ticket->request_id));
        LB_TRY(copy_text(arena, member->ticket_code, &ticket->code));
        response->tickets[response->n_tickets++] = ticket;
    }
    *out = response;
    return LB_OK;
}

lb_status lb_window_request_grants(struct lb_window *window, const char *case_id,
                                   struct lb_arena *arena,
                                   Lianban__V1__RequestGrantsResponse **out)
{
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    LB_TRY(lb_window_hold(window, case_id, &entry));
    (void)pthread_mutex_lock(&entry->asking);
    lb_status status = request_all(entry, arena);
    (void)pthread_mutex_lock(&entry->lock);
    if (status == LB_OK)
        status = write_tickets(entry, arena, out);
    (void)pthread_mutex_unlock(&entry->lock);
    (void)pthread_mutex_unlock(&entry->asking);
    return status;
}
