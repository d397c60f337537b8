#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

/* A withdrawal: as easy as giving (PIPL 15), at any desk of the office, after identity was proved
 * again. A suspension likewise, until it is resumed. Made durable in the order of confirm.c: an
 * entry REVOKED may stand without its row after a crash, and the desk, which got no answer, asks
 * again. */

struct change {
    struct lb_consent *consent;
    struct lb_arena *arena;
    const char *desk;
    int64_t now_unix_s;
    enum lb_grant_state state;  /* to be */
    struct lb_consent_grant_row grant;
    const uint8_t *by;  /* pseudonym of whose document it was */
    struct lb_consent_push push;
};

static lb_status read_action(const Lianban__V1__RevokeRequest *request,
                             enum lb_grant_state *out_state)
{
    switch (request->action) {
    case LIANBAN__V1__REVOKE_REQUEST__ACTION__WITHDRAW:
        *out_state = LB_STATE_INVALID;
        return LB_OK;
    case LIANBAN__V1__REVOKE_REQUEST__ACTION__SUSPEND:
        *out_state = LB_STATE_SUSPENDED;
        return LB_OK;
    case LIANBAN__V1__REVOKE_REQUEST__ACTION__RESUME:
        *out_state = LB_STATE_VALID;
        return LB_OK;
    default:
        LB_FAIL(LB_MALFORMED, "no such action");
    }
}

static lb_status load(struct change *change, const char *grant_id)
{
    LB_ENSURE(lb_consent_text_ok(grant_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN, "no such grant");
    lb_status status = lb_consent_grant_find(change->consent->store, grant_id, change->arena,
                                             &change->grant);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_GRANT_UNKNOWN, "no such grant");
    return status;
}

/* The subject's document or the guardian's; both are compared, whichever it is. */
static lb_status check_document(struct change *change, const char *id_no)
{
    const struct lb_consent_grant_row *grant = &change->grant;
    bool is_subject = false, is_guardian = false;
    LB_TRY(lb_consent_is_document(change->consent, id_no, grant->subject, &is_subject));
    LB_TRY(lb_consent_is_document(change->consent, id_no, grant->guardian, &is_guardian));
    LB_ENSURE(is_subject || (grant->has_guardian && is_guardian), LB_MALFORMED,
              "document of another person");
    change->by = is_subject ? grant->subject : grant->guardian;
    return LB_OK;
}

static const char *event_code(enum lb_grant_state state)
{
    if (state == LB_STATE_VALID)
        return "RESUMED";
    return state == LB_STATE_SUSPENDED ? "SUSPENDED" : "REVOKED";
}

static lb_status enter(const struct change *change)
{
    const struct lb_consent_grant_row *grant = &change->grant;
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256(change->push.token, digest);
    const struct lb_consent_event event = {
        .code = event_code(change->state),
        .desk = change->desk,
        .request_id = grant->request,
        .grant_id = grant->id,
        .form = grant->form,
        .form_version = grant->form_version,
        .form_sha256 = grant->form_sha256,
        .case_id = grant->case_id,
        .requester = grant->requester,
        .role = grant->role,
        .subject = grant->subject,
        .guardian = grant->has_guardian ? grant->guardian : NULL,
        .artefact_sha256 = digest,
    };
    return lb_consent_enter(change->consent, &event, change->arena);
}

/* An adapter that never hears of it still has a list that calls the grant valid: the last of all
 * made so far, at most. */
static lb_status bound(struct lb_consent *consent, const struct lb_consent_grant_row *grant,
                       int64_t now_unix_s, int64_t *out_stops_by)
{
    int64_t until = 0;
    LB_TRY(lb_consent_listed_until(consent->store, &until));
    if (until == 0)
        until = now_unix_s + consent->options.status_life_s;
    *out_stops_by = until < grant->exp ? until : grant->exp;
    return LB_OK;
}

lb_status lb_consent_apply(struct lb_consent *consent, struct lb_consent_grant_row *grant,
                           enum lb_grant_state state, int64_t now_unix_s, struct lb_arena *arena,
                           struct lb_consent_push *out_push)
{
    grant->state = state;
    grant->stops_by = 0;
    if (state != LB_STATE_VALID)
        LB_TRY(bound(consent, grant, now_unix_s, &grant->stops_by));
    LB_TRY(lb_consent_grant_change(consent->store, grant));
    LB_TRY(lb_consent_new_list(consent, now_unix_s, arena, &out_push->seq, &out_push->token));
    grant->changed_seq = out_push->seq;
    return lb_consent_grant_mark(consent->store, grant);
}

static lb_status make_list(struct change *change)
{
    return lb_consent_new_list(change->consent, change->now_unix_s, change->arena,
                               &change->push.seq, &change->push.token);
}

static lb_status decide(struct change *change)
{
    struct lb_consent *consent = change->consent;
    struct lb_consent_grant_row *grant = &change->grant;
    LB_TRY(lb_consent_store_begin(consent->store));
    LB_TRY(lb_consent_apply(consent, grant, change->state, change->now_unix_s, change->arena,
                            &change->push));
    LB_TRY(lb_consent_record_change(consent, grant, change->by, change->desk, change->now_unix_s,
                                    change->arena));
    LB_TRY(enter(change));
    LB_TRY(lb_consent_store_commit(consent->store));
    consent->has_listed = true;
    return LB_OK;
}

/* What is so already: nothing new is decided, but the list may be pushed again, fresh. */
static lb_status list_again(struct change *change)
{
    struct lb_consent *consent = change->consent;
    LB_TRY(lb_consent_store_begin(consent->store));
    LB_TRY(make_list(change));
    LB_TRY(lb_consent_store_commit(consent->store));
    consent->has_listed = true;
    return LB_OK;
}

static lb_status revoke(struct change *change, const Lianban__V1__RevokeRequest *request)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(change->consent->options.trust);
    LB_TRY(lb_consent_need_desk(change->consent, directory, change->desk));
    LB_TRY(read_action(request, &change->state));
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(change->consent);
    change->now_unix_s = lb_clock_unix_s(locked->options.clock);
    LB_TRY(load(change, request->grant_id));
    LB_TRY(check_document(change, request->id_no));
    if (change->grant.state == (int64_t)change->state)
        return list_again(change);
    LB_ENSURE(change->grant.state != LB_STATE_INVALID, LB_GRANT_REVOKED,
              "a withdrawn grant stays withdrawn");
    return decide(change);
}

lb_status lb_consent_revoke(struct lb_consent *consent, const char *caller,
                            const Lianban__V1__RevokeRequest *request, struct lb_arena *arena,
                            struct lb_consent_push *out_push)
{
    struct change change = {.consent = consent, .arena = arena, .desk = caller};
    lb_status status = revoke(&change, request);
    lb_consent_count_denial(consent, caller, status);
    LB_TRY(status);
    change.push.stops_by = change.grant.stops_by;
    change.push.started_unix_ms = lb_clock_unix_ms(consent->options.clock);
    *out_push = change.push;
    return LB_OK;
}
