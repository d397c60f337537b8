#include "adapters/serve/fixture_attacks.h"

static void other_audience(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->audience = "spiffe://test.gov/adapter/housing";
}

static void section_of_other_department(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.provider = "housing";
}

static void unknown_requester(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->requester = "spiffe://test.gov/window/nobody";
}

static void unaccepted_requester(struct fixture *fx, struct fx_ask *ask)
{
    ask->requester = FX_OTHER_WINDOW;
    ask->sender = &fx->other;
}

static void stolen_grant(struct fixture *fx, struct fx_ask *ask)
{
    /* The grant is bound to the honest window; somebody else seals with its own key. */
    ask->sender = &fx->other;
}

static void unknown_issuer(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->grant.issuer = "nobody";
}

static void inert_issuer(struct fixture *fx, struct fx_ask *ask)
{
    ask->grant.issuer = "stranger";
    ask->grant.kid = "x1";
    ask->grant_key = fx->stranger.issuer_key;
}

static void forged_signature(struct fixture *fx, struct fx_ask *ask)
{
    ask->grant_key = fx->stranger.issuer_key;
}

static void self_consent(struct fixture *fx, struct fx_ask *ask)
{
    ask->grant.issuer = "street-office";
    ask->grant.kid = "m1";
    ask->grant_key = fx->window.issuer_key;
}

static void self_consent_without_status(struct fixture *fx, struct fx_ask *ask)
{
    self_consent(fx, ask);
    ask->grant.status_uri = NULL;
}

static void office_signs_mandate(struct fixture *fx, struct fx_ask *ask)
{
    ask->grant.issuer = "consent-hall";
    ask->grant.kid = "h1";
    ask->grant.status_uri = FX_STATUS_URI;
    ask->grant.status_index = 7;
    ask->grant_key = fx->hall.issuer_key;
}

static void expired(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->grant.iat = ask->grant.nbf = ask->grant.exp - 7200;
    ask->grant.exp = ask->grant.nbf + 3000;
}

static void not_yet(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->grant.nbf += 600;
}

static void grant_of_other_requester(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->grant.requester = "other-office";
}

static void no_status(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->grant.status_uri = NULL;
}

static void unknown_status(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->grant.status_uri = "https://elsewhere.test/1";
}

static void other_form(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.form_version = 2;
}

static void changed_form(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.form_sha256[0] ^= 1;
}

static void other_purpose(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.purpose = "marketing";
}

static void wrong_law(struct fixture *fx, struct fx_ask *ask)
{
    static const char *const laws[] = {"SAL99"};
    (void)fx;
    ask->section.laws = laws;
}

static void unknown_basis(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.basis = "curiosity";
}

static void low_level(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.level = 1;
}

static void ungranted_field(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->field = "months";
}

static void unknown_field(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"salary", "SUM(12)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    (void)fx;
    ask->section.views = views;
    ask->field = "salary";
}

static void field_without_a_rule(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"months", "EXISTS"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    (void)fx;
    ask->section.views = views;
    ask->field = "months";
    ask->operator_name = "EXISTS";
    ask->arg = NULL;
}

static void weaker_operator(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->arg = "6";
}

static void granted_wider_than_the_view(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"income", "SUM(24)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 1, 1, fields}};
    (void)fx;
    ask->section.views = views;
    ask->arg = "24";
}

static void unknown_operator(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->operator_name = "PEEK";
}

static void unknown_view(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->views[0] = "tax.secrets";
}

static void other_view_announced(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->views[0] = "tax.business";
}

static void other_view_version(struct fixture *fx, struct fx_ask *ask)
{
    static const struct lb_section_field fields[] = {{"income", "SUM(12)"}};
    static const struct lb_section_view views[] = {{"tax.wage", 2, 1, fields}};
    (void)fx;
    ask->section.views = views;
}

static void sealed_long_ago(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->sealed_age_s = 125;
}

static void sealed_in_the_future(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->sealed_age_s = -120;
}

static void too_late(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->deadline_ms = -1;
}

static void deadline_of_tomorrow(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->deadline_ms = 86400000;
}

static void retired_key(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->key_id = "s0";
}

static void expired_operator(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->operator_life_s = -100;
}

static void operator_of_other_office(struct fixture *fx, struct fx_ask *ask)
{
    ask->operator_org = "other-office";
    ask->operator_key = fx->other.issuer_key;
}

static void forged_operator(struct fixture *fx, struct fx_ask *ask)
{
    ask->operator_key = fx->other.issuer_key;
}

static void other_operator_than_granted(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.operator_hash = "ffffffffffffffffffffffffffffffff";
}

static void unlisted_key(struct fixture *fx, struct fx_ask *ask)
{
    /* Configured still, but no longer in the directory. */
    (void)fx;
    ask->key_id = "s2";
}

static void claim_that_nobody_takes(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->claim = "1200000";
}

static void one_thing_twice(struct fixture *fx, struct fx_ask *ask)
{
    static const struct fx_want again[] = {{"income", "SUM", "12", NULL}};
    (void)fx;
    ask->more = again;
    ask->num_more = 1;
}

static void one_want_of_two_ungranted(struct fixture *fx, struct fx_ask *ask)
{
    static const struct fx_want also[] = {{"months", "EXISTS", NULL, NULL}};
    (void)fx;
    ask->more = also;
    ask->num_more = 1;
}

static const char *const agent_scope[] = {"tax.business"};

/* An agent with a paper for a day, which is in order but that the view accepts no agents. */
static void agent(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.agent = "village-helper";
    ask->section.agent_until = lb_clock_unix_s(lb_clock_system()) + 86400;
    ask->section.agent_views = agent_scope;
    ask->section.num_agent_views = 1;
}

static void expired_agent(struct fixture *fx, struct fx_ask *ask)
{
    agent(fx, ask);
    ask->section.agent_until -= 86400;
}

static void agent_out_of_scope(struct fixture *fx, struct fx_ask *ask)
{
    static const char *const other[] = {"tax.wage"};
    agent(fx, ask);
    ask->section.agent_views = other;
}

static void relative(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.relative = "child";
    ask->section.interest = "inheritance";
}

static void emergency(struct fixture *fx, struct fx_ask *ask)
{
    (void)fx;
    ask->section.basis = "emergency";
}

const struct attack fx_attacks[] = {
    {"addressed to another instance", LB_WRONG_AUDIENCE, false, other_audience},
    {"section of another department", LB_WRONG_AUDIENCE, false, section_of_other_department},
    {"unknown requester", LB_REQUESTER_NOT_ALLOWED, false, unknown_requester},
    {"listed but unaccepted requester", LB_REQUESTER_NOT_ALLOWED, false, unaccepted_requester},
    {"stolen grant", LB_WRONG_REQUESTER, false, stolen_grant},
    {"unknown issuer", LB_ISSUER_UNKNOWN, false, unknown_issuer},
    {"listed but unaccepted issuer", LB_ISSUER_INERT, true, inert_issuer},
    {"forged signature", LB_SIGNATURE_INVALID, true, forged_signature},
    {"window signs consent itself", LB_SELF_CONSENT, true, self_consent},
    {"the same without a status", LB_SELF_CONSENT, true, self_consent_without_status},
    {"consent office signs a mandate", LB_BASIS_NOT_ALLOWED, false, office_signs_mandate},
    {"expired grant", LB_GRANT_EXPIRED, true, expired},
    {"grant not yet valid", LB_GRANT_NOT_YET_VALID, true, not_yet},
    {"grant of another organization", LB_WRONG_REQUESTER, true, grant_of_other_requester},
    {"consent without a status", LB_GRANT_MALFORMED, true, no_status},
    {"status list never seen", LB_STATUS_STALE, true, unknown_status},
    {"another version of the form", LB_FORM_INERT, false, other_form},
    {"form changed under its name", LB_FORM_INERT, false, changed_form},
    {"another purpose", LB_PURPOSE_NOT_ALLOWED, false, other_purpose},
    {"another law", LB_BASIS_NOT_ALLOWED, false, wrong_law},
    {"unknown basis", LB_BASIS_NOT_ALLOWED, false, unknown_basis},
    {"proof too weak", LB_LOA_LOW, false, low_level},
    {"ungranted field", LB_FIELD_NOT_GRANTED, false, ungranted_field},
    {"field the view lacks", LB_FIELD_UNKNOWN, false, unknown_field},
    {"field without a rule", LB_PURPOSE_NOT_ALLOWED, false, field_without_a_rule},
    {"operator other than granted", LB_OPERATOR_TOO_WEAK, false, weaker_operator},
    {"granted wider than the view", LB_OPERATOR_TOO_WEAK, false, granted_wider_than_the_view},
    {"unknown operator", LB_OPERATOR_UNKNOWN, false, unknown_operator},
    {"unknown view", LB_VIEW_UNKNOWN, false, unknown_view},
    {"want outside the announced views", LB_FIELD_NOT_GRANTED, false, other_view_announced},
    {"another version of the view", LB_FIELD_NOT_GRANTED, false, other_view_version},
    {"sealed long ago", LB_REQUEST_STALE, false, sealed_long_ago},
    {"sealed in the future", LB_REQUEST_STALE, false, sealed_in_the_future},
    {"past its deadline", LB_DEADLINE, false, too_late},
    {"deadline of tomorrow", LB_MALFORMED, false, deadline_of_tomorrow},
    {"retired key", LB_KEY_RETIRED, false, retired_key},
    {"key the directory does not list", LB_KEY_RETIRED, false, unlisted_key},
    {"claim that nobody takes", LB_MALFORMED, false, claim_that_nobody_takes},
    {"one thing asked twice", LB_MALFORMED, false, one_thing_twice},
    {"one want of two ungranted", LB_FIELD_NOT_GRANTED, false, one_want_of_two_ungranted},
    {"operator's session over", LB_OPERATOR_TOKEN_EXPIRED, false, expired_operator},
    {"operator of another office", LB_OPERATOR_TOKEN_INVALID, false, operator_of_other_office},
    {"forged operator token", LB_OPERATOR_TOKEN_INVALID, false, forged_operator},
    {"another operator than granted", LB_OPERATOR_TOKEN_INVALID, false,
     other_operator_than_granted},
    {"agent where none is accepted", LB_GIVER_NOT_ALLOWED, true, agent},
    {"agent whose paper has ended", LB_AGENT_EXPIRED, true, expired_agent},
    {"agent for another view", LB_AGENT_SCOPE, true, agent_out_of_scope},
    {"relative where none is accepted", LB_GIVER_NOT_ALLOWED, true, relative},
    {"emergency where none is accepted", LB_BASIS_NOT_ALLOWED, true, emergency},
};

const size_t fx_num_attacks = sizeof(fx_attacks) / sizeof(fx_attacks[0]);
