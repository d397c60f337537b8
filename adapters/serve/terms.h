#ifndef ADAPTERS_SERVE_TERMS_H
#define ADAPTERS_SERVE_TERMS_H

#include "adapters/serve/policy.h"

/* What a request says of itself, whoever it is about, judged by the department's policy. The
 * adapter and `lianban view explain` judge with this same code. */
struct lb_terms {
    const char *requester;       /* organization */
    const char *issuer;          /* organization that signed the grant */
    bool signs_consent;          /* the directory lists the issuer's key for it */
    bool signs_mandates;
    bool has_status;
    const char *form;
    uint32_t form_version;
    const uint8_t *form_sha256;  /* 32 bytes */
    const char *basis;
    const char *purpose;
    const char *const *laws;
    size_t num_laws;
    int level;
    enum lb_giver giver;         /* who agreed */
    int64_t life_s;              /* of the grant, from iat to exp */
    int64_t event_days;          /* a standing grant's interval; 0: an ordinary one */
    int64_t max_uses;            /* of the section */
};

/* lb_terms_form says whether the policy accepts the form: FORM_INERT. */
LB_MUST lb_status lb_terms_form(const struct lb_serve_policy *policy, const struct lb_terms *terms);

/* lb_terms_basis reads the basis and says whether its issuer may use it: consent comes from an
 * office that is not the requester and can withdraw it, a mandate from the requester itself.
 * BASIS_NOT_ALLOWED, SELF_CONSENT, GRANT_MALFORMED. */
LB_MUST lb_status lb_terms_basis(const struct lb_terms *terms, enum lb_basis *out_basis);

/* lb_terms_life is BASIS_NOT_ALLOWED for an emergency longer than LB_EMERGENCY_LIFE_S or one that
 * stands, EVENT_TOO_LONG for a standing grant past LB_EVENT_MAX_DAYS or with more uses than its
 * life has intervals: were the clock put forward, it would have no more of them all the same. */
LB_MUST lb_status lb_terms_life(const struct lb_terms *terms, enum lb_basis basis);

/* lb_terms_view gives a view's index in the policy, its number of views when it has no such one. */
size_t lb_terms_view(const struct lb_serve_policy *policy, const char *view);

/* lb_terms_want judges one want by the view's own rules: the statuses of lb_view_judge. */
LB_MUST lb_status lb_terms_want(const struct lb_serve_policy *policy, const struct lb_terms *terms,
                                enum lb_basis basis, const struct lb_view *view, const char *field,
                                const struct lb_op_call *call,
                                struct lb_view_verdict *out_verdict);

/* lb_terms_ask is what the rules of a view see of the terms. */
struct lb_view_ask lb_terms_ask(const struct lb_terms *terms, enum lb_basis basis);

#endif
