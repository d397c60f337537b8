#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

/* A withdrawal: as easy as giving (PIPL 15), at any desk of the office, after identity was proved
 * again. Made durable in the order of confirm.c: an entry REVOKED may stand without its row after a
 * crash, and the desk, which got no answer, asks again. */

struct withdrawal {
    struct lb_consent *consent;
    struct lb_arena *arena;
    const char *desk;
    int64_t now_unix_s;
    struct lb_consent_grant_row grant;
    const uint8_t *by;  /* pseudonym of whose document it was */
    uint64_t seq;
    struct lb_span token;
};

static lb_status load(struct withdrawal *withdrawal, const char *grant_id)
{
    LB_ENSURE(lb_consent_text_ok(grant_id, LB_MAX_NAME_BYTES), LB_GRANT_UNKNOWN, "no such grant");
    lb_status status = lb_consent_grant_find(withdrawal->consent->store, grant_id,
                                             withdrawal->arena, &withdrawal->grant);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_GRANT_UNKNOWN, "no such grant");
    return status;
}

/* The subject's document or the guardian's; both are compared, whichever it is. */
static lb_status check_document(struct withdrawal *withdrawal, const char *id_no)
{
    const struct lb_consent_grant_row *grant = &withdrawal->grant;
    bool is_subject = false, is_guardian = false;
    LB_TRY(lb_consent_is_document(withdrawal->consent, id_no, grant->subject, &is_subject));
    LB_TRY(lb_consent_is_document(withdrawal->consent, id_no, grant->guardian, &is_guardian));
    LB_ENSURE(is_subject || (grant->has_guardian && is_guardian), LB_MALFORMED,
              "document of another person");
    withdrawal->by = is_subject ? grant->subject : grant->guardian;
    return LB_OK;
}

static lb_status enter(const struct withdrawal *withdrawal)
{
    const struct lb_consent_grant_row *grant = &withdrawal->grant;
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256(withdrawal->token, digest);
    const struct lb_consent_event event = {
        .code = "REVOKED",
        .desk = withdrawal->desk,
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
    return lb_consent_enter(withdrawal->consent, &event, withdrawal->arena);
}

static lb_status withdraw(struct withdrawal *withdrawal)
{
    struct lb_consent *consent = withdrawal->consent;
    LB_TRY(lb_consent_store_begin(consent->store));
    LB_TRY(lb_consent_grant_withdraw(consent->store, &withdrawal->grant));
    LB_TRY(lb_consent_new_list(consent, withdrawal->now_unix_s, withdrawal->arena,
                               &withdrawal->seq, &withdrawal->token));
    LB_TRY(lb_consent_record_withdrawal(consent, &withdrawal->grant, withdrawal->by,
                                        withdrawal->desk, withdrawal->now_unix_s,
                                        withdrawal->arena));
    LB_TRY(enter(withdrawal));
    LB_TRY(lb_consent_store_commit(consent->store));
    consent->has_listed = true;
    return LB_OK;
}

/* A grant withdrawn before: nothing new is decided, but the list may be pushed again, fresh. */
static lb_status list_again(struct withdrawal *withdrawal)
{
    struct lb_consent *consent = withdrawal->consent;
    LB_TRY(lb_consent_store_begin(consent->store));
    LB_TRY(lb_consent_new_list(consent, withdrawal->now_unix_s, withdrawal->arena,
                               &withdrawal->seq, &withdrawal->token));
    LB_TRY(lb_consent_store_commit(consent->store));
    consent->has_listed = true;
    return LB_OK;
}

static lb_status revoke(struct withdrawal *withdrawal, const Lianban__V1__RevokeRequest *request)
{
    LB_DEFER(lb_consent_unref) struct lb_directory *directory =
        lb_trust_directory(withdrawal->consent->options.trust);
    LB_TRY(lb_consent_need_desk(withdrawal->consent, directory, withdrawal->desk));
    LB_DEFER(lb_consent_unlock) struct lb_consent *locked = lb_consent_lock(withdrawal->consent);
    withdrawal->now_unix_s = lb_clock_unix_s(locked->options.clock);
    LB_TRY(load(withdrawal, request->grant_id));
    LB_TRY(check_document(withdrawal, request->id_no));
    if (withdrawal->grant.state == LB_STATE_INVALID)
        return list_again(withdrawal);
    return withdraw(withdrawal);
}

lb_status lb_consent_revoke(struct lb_consent *consent, const char *caller,
                            const Lianban__V1__RevokeRequest *request, struct lb_arena *arena,
                            uint64_t *out_seq, struct lb_span *out_token)
{
    struct withdrawal withdrawal = {.consent = consent, .arena = arena, .desk = caller};
    lb_status status = revoke(&withdrawal, request);
    lb_consent_count_denial(consent, caller, status);
    LB_TRY(status);
    *out_seq = withdrawal.seq;
    *out_token = withdrawal.token;
    return LB_OK;
}
