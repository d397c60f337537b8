#include "gateway/consent/inside.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* Whose documents lie on the desk, and whether that is enough. */

enum { NOBODY = 0, SUBJECT = 1, OTHER = 2 };

/* Both are compared, whichever it is. */
static lb_status whose(const struct lb_consent_decision *decision, const char *id_no,
                       unsigned *out_whose)
{
    const struct lb_consent_request_row *row = &decision->row;
    bool is_subject = false, is_other = false;
    LB_TRY(lb_consent_is_document(decision->consent, id_no, row->subject, &is_subject));
    LB_TRY(lb_consent_is_document(decision->consent, id_no, row->guardian, &is_other));
    is_other = is_other && row->relation != NULL;
    LB_ENSURE(is_subject || is_other, LB_MALFORMED, "document of another person");
    *out_whose = is_subject ? SUBJECT : OTHER;
    return LB_OK;
}

static lb_status read_documents(const struct lb_consent_decision *decision,
                                const Lianban__V1__ConfirmRequest *request, unsigned *out_present)
{
    unsigned first = NOBODY, second = NOBODY;
    LB_TRY(whose(decision, request->id_no, &first));
    if (request->also_id_no[0] != '\0') {
        LB_TRY(whose(decision, request->also_id_no, &second));
        LB_ENSURE(first != second, LB_MALFORMED, "one person's document twice");
    }
    *out_present = first | second;
    return LB_OK;
}

/* Either may say no; both have to say yes to what is sensitive. */
static lb_status present_both(struct lb_consent_decision *decision, unsigned present)
{
    size_t role = lb_form_role_index(decision->form, decision->row.role);
    bool is_guarded = (present & OTHER) != 0;
    decision->giver = is_guarded ? LB_GIVER_GUARDIAN : LB_GIVER_SELF;
    if (!decision->agreed)
        return LB_OK;
    LB_ENSURE((present & SUBJECT) != 0, LB_PARTY_MISSING, "a minor of 14 or more agrees as well");
    LB_ENSURE(is_guarded || !lb_consent_is_sensitive(decision->form, role, &decision->choice),
              LB_PARTY_MISSING, "a guardian agrees as well to what is sensitive");
    return LB_OK;
}

/* The subject in person needs no paper, and is bound by nobody's scope. */
static lb_status present_agent(struct lb_consent_decision *decision, unsigned present,
                               struct lb_span paper)
{
    const struct lb_consent_request_row *row = &decision->row;
    decision->giver = LB_GIVER_SELF;
    if ((present & SUBJECT) != 0)
        return LB_OK;
    decision->giver = LB_GIVER_AGENT;
    decision->choice.scope = row->scope;
    LB_ENSURE(row->agent_until > decision->now_unix_s, LB_AGENT_EXPIRED,
              "agent's paper has ended");
    LB_ENSURE(lb_span_eq(paper, lb_span_of(row->agent_document, LB_SHA256_BYTES)), LB_MALFORMED,
              "another paper than the agent's");
    return LB_OK;
}

static lb_status present_self(struct lb_consent_decision *decision, unsigned present)
{
    LB_ENSURE((present & SUBJECT) != 0, LB_MALFORMED, "document of another person");
    decision->giver = LB_GIVER_SELF;
    return LB_OK;
}

static lb_status present_other(struct lb_consent_decision *decision, unsigned present,
                               enum lb_giver giver)
{
    LB_ENSURE((present & OTHER) != 0, LB_MALFORMED, "document of another person");
    decision->giver = giver;
    return LB_OK;
}

lb_status lb_consent_present(struct lb_consent_decision *decision,
                             const Lianban__V1__ConfirmRequest *request)
{
    unsigned present = NOBODY;
    LB_TRY(read_documents(decision, request, &present));
    switch (decision->row.party) {
    case LB_PARTY_SELF:
        return present_self(decision, present);
    case LB_PARTY_GUARDIAN:
        return present_other(decision, present, LB_GIVER_GUARDIAN);
    case LB_PARTY_BOTH:
        return present_both(decision, present);
    case LB_PARTY_AGENT:
        return present_agent(decision, present, lb_pb_span(request->paper_sha256));
    case LB_PARTY_RELATIVE:
        return present_other(decision, present, LB_GIVER_RELATIVE);
    }
    LB_FAIL(LB_STORE_FAILED, "a request for nobody to decide");
}
