#include "adapters/serve/terms.h"

#include <string.h>

lb_status lb_terms_form(const struct lb_serve_policy *policy, const struct lb_terms *terms)
{
    const struct lb_accepted_form *form =
        lb_serve_policy_form(policy, terms->form, terms->form_version);
    LB_ENSURE(form != NULL &&
                  lb_span_eq(lb_span_of(form->sha256, 32), lb_span_of(terms->form_sha256, 32)),
              LB_FORM_INERT, "policy does not name this form");
    return LB_OK;
}

lb_status lb_terms_basis(const struct lb_terms *terms, enum lb_basis *out_basis)
{
    enum lb_basis basis = LB_NUM_BASES;
    bool own = strcmp(terms->issuer, terms->requester) == 0;
    LB_ENSURE(lb_basis_parse(lb_span_str(terms->basis), &basis) == LB_OK, LB_BASIS_NOT_ALLOWED,
              "unknown basis");
    if (basis == LB_BASIS_MANDATE) {
        LB_ENSURE(own && terms->signs_mandates, LB_BASIS_NOT_ALLOWED,
                  "a mandate is signed by the requester itself");
        *out_basis = basis;
        return LB_OK;
    }
    LB_ENSURE(!own, LB_SELF_CONSENT, "the requester signed its own consent");
    LB_ENSURE(terms->signs_consent, LB_BASIS_NOT_ALLOWED, "issuer does not issue consent");
    LB_ENSURE(terms->has_status, LB_GRANT_MALFORMED, "consent without a status");
    *out_basis = basis;
    return LB_OK;
}

lb_status lb_terms_life(const struct lb_terms *terms, enum lb_basis basis)
{
    LB_ENSURE(basis != LB_BASIS_EMERGENCY || terms->life_s <= LB_EMERGENCY_LIFE_S,
              LB_BASIS_NOT_ALLOWED, "an emergency that lasts longer than a day");
    if (terms->event_days == 0)
        return LB_OK;
    LB_ENSURE(basis != LB_BASIS_EMERGENCY, LB_BASIS_NOT_ALLOWED, "an emergency that stands");
    LB_ENSURE(terms->life_s <= LB_EVENT_MAX_DAYS * LB_DAY_S, LB_EVENT_TOO_LONG,
              "a standing grant that lasts longer than a year");
    LB_ENSURE(terms->max_uses <= (terms->life_s - 1) / (terms->event_days * LB_DAY_S) + 1,
              LB_EVENT_TOO_LONG, "more uses than intervals");
    return LB_OK;
}

size_t lb_terms_view(const struct lb_serve_policy *policy, const char *view)
{
    size_t i = 0;
    while (i < policy->num_views && strcmp(policy->views[i]->id, view) != 0)
        i++;
    return i;
}

struct lb_view_ask lb_terms_ask(const struct lb_terms *terms, enum lb_basis basis)
{
    return (struct lb_view_ask){
        .purpose = terms->purpose,
        .form = terms->form,
        .event_days = terms->event_days,
        .requester = terms->requester,
        .issuer = terms->issuer,
        .basis = basis,
        .laws = terms->laws,
        .num_laws = terms->num_laws,
        .level = terms->level,
        .giver = terms->giver,
    };
}

lb_status lb_terms_want(const struct lb_serve_policy *policy, const struct lb_terms *terms,
                        enum lb_basis basis, const struct lb_view *view, const char *field,
                        const struct lb_op_call *call, struct lb_view_verdict *out_verdict)
{
    const struct lb_view_ask ask = lb_terms_ask(terms, basis);
    return lb_view_judge(view, field, call, &ask, policy->rules, out_verdict);
}
