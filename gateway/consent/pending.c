#include "gateway/consent/inside.h"
#include "gateway/token/ticket.h"

/* What waits at the desks, without anything personal. */

#define MAX_LISTED 100

static const char *agrees(const struct lb_consent_request_row *row)
{
    switch (row->party) {
    case LB_PARTY_SELF:
        return "self";
    case LB_PARTY_GUARDIAN:
        return "guardian";
    case LB_PARTY_BOTH:
        return row->relation != NULL ? "self+guardian" : "self";
    case LB_PARTY_AGENT:
        return "agent";
    case LB_PARTY_RELATIVE:
        return "relative";
    }
    return "";
}

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

static lb_status describe(const struct lb_consent_request_row *row, struct lb_arena *arena,
                          Lianban__V1__PendingRequest **out)
{
    Lianban__V1__PendingRequest *pending = lb_arena_alloc(arena, sizeof(*pending));
    char *code = lb_arena_alloc(arena, LB_TICKET_CODE_BYTES);
    LB_ENSURE(pending != NULL && code != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__pending_request__init(pending);
    lb_ticket_code(row->id, code);
    pending->request_id = text(row->id);
    pending->code = code;
    pending->form = text(row->form);
    pending->form_version = row->form_version;
    pending->case_id = text(row->case_id);
    pending->role = text(row->role);
    pending->requester = text(row->caller);
    pending->expires_unix_s = row->keep_until_unix_s;
    pending->state = text(row->first_officer != NULL ? "SECOND_OFFICER" : "PENDING");
    pending->agrees = text(agrees(row));
    *out = pending;
    return LB_OK;
}

static lb_status list(struct lb_consent *consent, const Lianban__V1__ListPendingRequest *request,
                      struct lb_arena *arena, Lianban__V1__ListPendingResponse *out)
{
    size_t limit = request->limit == 0 ? MAX_LISTED : request->limit;
    size_t num = 0;
    LB_ENSURE(limit <= MAX_LISTED, LB_MALFORMED, "more than a hundred at once");
    LB_ENSURE(request->after[0] == '\0' || lb_consent_text_ok(request->after, LB_MAX_NAME_BYTES),
              LB_MALFORMED, "no request's id");
    struct lb_consent_request_row *rows = lb_arena_array(arena, limit + 1, sizeof(*rows));
    out->requests = lb_arena_array(arena, limit, sizeof(out->requests[0]));
    LB_ENSURE(rows != NULL && out->requests != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(consent);
    LB_TRY(lb_consent_request_waiting(locked->store, request->after,
                                      lb_clock_unix_s(locked->options.clock), limit + 1, arena,
                                      rows, &num));
    out->more = num > limit;
    for (size_t i = 0; i < num && i < limit; i++)
        LB_TRY(describe(&rows[i], arena, &out->requests[out->n_requests++]));
    return LB_OK;
}

static lb_status list_for(struct lb_consent *consent, const char *caller,
                          const Lianban__V1__ListPendingRequest *request, struct lb_arena *arena,
                          Lianban__V1__ListPendingResponse **out)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(consent->options.trust);
    Lianban__V1__ListPendingResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__list_pending_response__init(response);
    LB_TRY(lb_consent_need_desk(consent, directory, caller));
    LB_TRY(list(consent, request, arena, response));
    *out = response;
    return LB_OK;
}

lb_status lb_consent_pending(struct lb_consent *consent, const char *caller,
                             const Lianban__V1__ListPendingRequest *request,
                             struct lb_arena *arena, Lianban__V1__ListPendingResponse **out)
{
    lb_status status = list_for(consent, caller, request, arena, out);
    lb_consent_count_denial(consent, caller, status);
    return status;
}
