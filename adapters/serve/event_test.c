#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

/* Getting more of a standing grant than the citizen agreed to: more often, for longer, for another
 * question, by another requester, or with another kind of grant. */

#define LIFE_S (365 * LB_DAY_S)
#define EVERY 30

#define RULE(purpose_, event_)                                                                     \
    "{purpose: " purpose_ ", operators: [EXISTS], requesters: [street-office, other-office],"      \
    " bases: [consent, mandate], issuers: [consent-hall, street-office, other-office],"            \
    " laws: [SAL41], min_level: 2" event_ "}"
#define VIEW(id_, rule_)                                                                           \
    "view: " id_ "\nversion: 1\ntitle: {zh: 经营, en: Business}\n"                                 \
    "query: SELECT uscc FROM business WHERE legal_id = :id_no\nrows: many\ncomplete: true\n"       \
    "fields: {owned: {type: row, class: G3, rules: [" rule_ "]}}\n"

static const char found_view[] =
    VIEW("tax.found", RULE("find-aid", ", event: {triggers: [social-assistance], every_days: 30}"));
static const char other_view[] =
    VIEW("tax.other", RULE("find-work", ", event: {triggers: [jobless], every_days: 30}"));
static const char plain_view[] = VIEW("tax.plain", RULE("social-assistance", ""));

static void use_policy(struct fixture *fx)
{
    fed_write(&fx->fed, "found.yaml", lb_span_str(found_view));
    fed_write(&fx->fed, "other.yaml", lb_span_str(other_view));
    fed_write(&fx->fed, "plain.yaml", lb_span_str(plain_view));
    fed_write(&fx->fed, "policy.yaml",
              lb_span_str(fx_policy_of(fx, "found.yaml, other.yaml, plain.yaml")));
    fx_start_again(fx);
    assert_ok(fx_status(fx, fx->num_starts * 100, LB_STATE_VALID, 900));
}

/* What a test changes of an honest look. */
struct look {
    const char *view, *purpose;   /* NULL: tax.found, find-aid */
    const char *granted_id;       /* NULL: FX_ADULT */
    int64_t days, life_s, uses;   /* 0: EVERY, LIFE_S, as many as fit */
    bool ordinary, mandate, lawless, crossed, by_other;
};

static const struct lb_section_view *view_of(const char *id)
{
    static const struct lb_section_field fields[] = {{"owned", "EXISTS"}};
    static const struct lb_section_view views[] = {
        {"tax.found", 1, 1, fields}, {"tax.other", 1, 1, fields}, {"tax.plain", 1, 1, fields}};
    size_t i = 0;
    while (strcmp(views[i].id, id) != 0)
        i++;
    return &views[i];
}

static void sign_mandate(struct fx_ask *ask, bool lawless)
{
    static const char *const laws[] = {"SAL41"}, *const others[] = {"SAL40"};
    ask->section.basis = "mandate";
    ask->section.laws = lawless ? others : laws;
    ask->section.num_laws = 1;
    ask->grant.issuer = ask->operator_org;
    ask->grant.kid = ask->operator_kid;
    ask->grant.status_uri = NULL;
    ask->grant_key = ask->operator_key;
}

static void ask_as_other(struct fixture *fx, struct fx_ask *ask)
{
    ask->sender = &fx->other;
    ask->requester = FX_OTHER_WINDOW;
    ask->operator_org = ask->grant.requester = "other-office";
    ask->operator_kid = "m1";
    ask->operator_key = fx->other.issuer_key;
}

static void fill(struct fixture *fx, const struct look *look, struct fx_ask *ask)
{
    int64_t life_s = look->life_s == 0 ? LIFE_S : look->life_s;
    int64_t days = look->days == 0 ? EVERY : look->days;
    fx_ask_consent(fx, ask);
    ask->section.views = view_of(look->view == NULL ? "tax.found" : look->view);
    ask->views[0] = ask->section.views[0].id;
    ask->section.purpose = look->purpose == NULL ? "find-aid" : look->purpose;
    ask->section.event_days = look->ordinary ? 0 : days;
    ask->section.max_uses =
        look->uses != 0 ? look->uses : (life_s - 1) / (days * LB_DAY_S) + 1;
    ask->section.case_id = ask->grant.jti;
    ask->grant.exp = ask->grant.iat + life_s;
    ask->crossed = look->crossed;
    ask->deadline_ms = 30000;
    if (look->granted_id != NULL)
        ask->id_no = ask->granted_id = look->granted_id;
    if (look->by_other)
        ask_as_other(fx, ask);
    if (look->mandate)
        sign_mandate(ask, look->lawless);
}

/* Sends a built look, and gives the outer code, or of an answer the inner one. */
static enum lb_code send(struct fixture *fx, struct fx_ask *ask)
{
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_build(fx, ask, &built);
    enum lb_code code = fx_send(fx, &built, &answer);
    assert_true(answer.recorded);
    if (code != LB_ANSWERED)
        return code;
    const Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    assert_true(lb_code_by_name(opened->code, strlen(opened->code), &code));
    assert_int_equal(opened->n_facts, code == LB_CODE_OK ? 1 : 0);
    return code;
}

static void renew(struct fx_ask *ask)
{
    assert_ok(lb_crypto_random(ask->rid, sizeof(ask->rid)));
    assert_ok(lb_crypto_random(ask->txn, sizeof(ask->txn)));
}

static enum lb_code send_look(struct fixture *fx, const struct look *look)
{
    struct fx_ask ask;
    fill(fx, look, &ask);
    return send(fx, &ask);
}

/* One look in an interval: not by other request ids, not at once, not through a restart. The same
 * question sealed anew is answered again, as ever. */
static void one_use_in_an_interval(void **state)
{
    struct fixture *fx = *state;
    const struct look look = {.granted_id = FX_ELDER};
    struct fx_ask ask;
    uint8_t rid[16];
    fill(fx, &look, &ask);
    assert_code(send(fx, &ask), LB_CODE_OK);
    memcpy(rid, ask.rid, sizeof(rid));
    renew(&ask);
    assert_code(send(fx, &ask), LB_EVENT_TOO_SOON);
    renew(&ask);
    memcpy(ask.rid, rid, sizeof(rid));
    assert_code(send(fx, &ask), LB_CODE_OK);
    fx_restart(fx);
    assert_ok(fx_status(fx, fx->num_starts * 100, LB_STATE_VALID, 900));
    renew(&ask);
    assert_code(send(fx, &ask), LB_EVENT_TOO_SOON);
    memcpy(ask.rid, rid, sizeof(rid));
    assert_code(send(fx, &ask), LB_CODE_OK);
}

static void a_crowd_gets_one_answer(void **state)
{
    struct fixture *fx = *state;
    enum { NUM = 8 };
    const struct look look = {.granted_id = FX_OTHER_ADULT};
    struct fx_ask asks[NUM];
    struct fx_built built[NUM];
    struct lb_serve_answer answers[NUM];
    size_t answered = 0;
    fill(fx, &look, &asks[0]);
    for (size_t i = 0; i < NUM; i++) {
        asks[i] = asks[0];  /* under one grant once the first is built */
        renew(&asks[i]);
        fx_build(fx, &asks[i], &built[i]);
    }
    fx_send_all(fx, built, NUM, answers);
    for (size_t i = 0; i < NUM; i++) {
        answered += answers[i].code == LB_ANSWERED;
        if (answers[i].code != LB_ANSWERED)
            assert_code(answers[i].code, LB_EVENT_TOO_SOON);
    }
    assert_int_equal(answered, 1);
}

/* A further grant about the same person gives no further look, be it a mandate that the requester
 * signed by itself; outside the seal this looks like an answer. Another requester has its own. */
static void another_grant_gives_no_further_look(void **state)
{
    struct fixture *fx = *state;
    const struct look consent = {.days = 40}, mandate = {.mandate = true},
                      other = {.by_other = true};
    struct fx_ask ask;
    assert_code(send_look(fx, &consent), LB_CODE_OK);
    assert_code(send_look(fx, &consent), LB_EVENT_ASKED);
    assert_code(send_look(fx, &mandate), LB_EVENT_ASKED);
    fill(fx, &mandate, &ask);
    assert_code(send(fx, &ask), LB_EVENT_ASKED);
    memset(ask.txn, 7, sizeof(ask.txn));
    assert_code(send(fx, &ask), LB_EVENT_ASKED);
    renew(&ask);
    assert_code(send(fx, &ask), LB_EVENT_TOO_SOON);
    assert_code(send_look(fx, &other), LB_CODE_OK);
}

static void only_what_the_view_says(void **state)
{
    struct fixture *fx = *state;
    static const struct {
        struct look look;
        enum lb_code code;
    } rows[] = {
        {{.ordinary = true, .uses = 1}, LB_EVENT_NOT_ALLOWED},
        {{.ordinary = true, .mandate = true, .uses = 1}, LB_EVENT_NOT_ALLOWED},
        {{.view = "tax.plain", .purpose = "social-assistance"}, LB_EVENT_NOT_ALLOWED},
        {{.view = "tax.other", .purpose = "find-work"}, LB_EVENT_NOT_ALLOWED},
        {{.view = "tax.plain"}, LB_PURPOSE_NOT_ALLOWED},
        {{.purpose = "social-assistance"}, LB_PURPOSE_NOT_ALLOWED},
        {{.days = EVERY - 1}, LB_EVENT_NOT_ALLOWED},
        {{.days = 1}, LB_EVENT_NOT_ALLOWED},
        {{.life_s = 366 * LB_DAY_S + 1}, LB_EVENT_TOO_LONG},
        {{.life_s = 10 * LIFE_S, .uses = 1}, LB_EVENT_TOO_LONG},
        {{.uses = 14}, LB_EVENT_TOO_LONG},
        {{.life_s = EVERY * LB_DAY_S, .uses = 2}, LB_EVENT_TOO_LONG},
        {{.mandate = true, .lawless = true}, LB_BASIS_NOT_ALLOWED},
        {{.crossed = true}, LB_WRONG_REQUESTER},
        {{.view = "tax.plain", .purpose = "social-assistance", .ordinary = true, .uses = 1,
          .crossed = true}, LB_WRONG_REQUESTER},
        {{.view = "tax.plain", .purpose = "social-assistance", .ordinary = true, .uses = 1},
         LB_CODE_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_code(send_look(fx, &rows[i].look), rows[i].code);
}

static void an_emergency_never_stands(void **state)
{
    struct fixture *fx = *state;
    const struct look look = {.life_s = 3600};
    struct fx_ask ask;
    fill(fx, &look, &ask);
    ask.section.basis = "emergency";
    assert_code(send(fx, &ask), LB_BASIS_NOT_ALLOWED);
}

/* Whose key sealed, whose token it is, and when: all as with any grant. Only who asked for it once
 * need not be who uses it. */
static void it_is_a_grant_like_any_other(void **state)
{
    struct fixture *fx = *state;
    const struct look look = {.granted_id = FX_CHILD, .days = 366};
    struct fx_ask ask;
    fill(fx, &look, &ask);
    ask.grant.iat = ask.grant.nbf = ask.grant.exp - LIFE_S - 10;
    ask.grant.exp -= LIFE_S + 5;
    assert_code(send(fx, &ask), LB_GRANT_EXPIRED);
    fill(fx, &look, &ask);
    ask.sender = &fx->other;
    ask.requester = FX_OTHER_WINDOW;
    assert_code(send(fx, &ask), LB_WRONG_REQUESTER);
    fill(fx, &look, &ask);
    ask.operator_org = "other-office";
    ask.operator_key = fx->other.issuer_key;
    assert_code(send(fx, &ask), LB_OPERATOR_TOKEN_INVALID);
    fill(fx, &look, &ask);
    ask.person = "ffeeddccbbaa99887766554433221100";
    assert_code(send(fx, &ask), LB_GUARDIAN_NEEDED);
}

/* The ordinary desk ends it, for the use that is due as well; a suspended one comes back with what
 * it has left of its interval. */
static void what_was_withdrawn_stands_no_more(void **state)
{
    struct fixture *fx = *state;
    const struct look look = {.by_other = true, .granted_id = FX_ELDER};
    struct fx_ask ask;
    fill(fx, &look, &ask);
    assert_ok(fx_status(fx, fx->num_starts * 100 + 1, LB_STATE_SUSPENDED, 900));
    assert_code(send(fx, &ask), LB_GRANT_SUSPENDED);
    assert_ok(fx_status(fx, fx->num_starts * 100 + 2, LB_STATE_VALID, 900));
    renew(&ask);
    assert_code(send(fx, &ask), LB_CODE_OK);
    renew(&ask);
    assert_code(send(fx, &ask), LB_EVENT_TOO_SOON);
    assert_ok(fx_status(fx, fx->num_starts * 100 + 3, LB_STATE_INVALID, 900));
    renew(&ask);
    assert_code(send(fx, &ask), LB_GRANT_REVOKED);
    fill(fx, &look, &ask);
    ask.grant.status_index = 8;
    assert_code(send(fx, &ask), LB_EVENT_ASKED);
}

static void the_officer_reads_that_it_stands(void **state)
{
    struct fixture *fx = *state;
    const struct look look = {.by_other = true, .granted_id = FX_OTHER_ADULT};
    struct fx_ask ask;
    struct fx_built built;
    struct lb_serve_answer answer;
    fill(fx, &look, &ask);
    ask.grant.status_index = 8;
    fx_build(fx, &ask, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    assert_non_null(strstr(fx_detail(fx, answer.index), "\"every_days\":30"));
}

static void a_purpose_is_for_one_kind_of_grant(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_policy *policy = NULL;
    struct lb_diag diag = {""};
    fed_write(&fx->fed, "clash.yaml", lb_span_str(VIEW("tax.clash", RULE("find-work", ""))));
    fed_write(&fx->fed, "clash-policy.yaml",
              lb_span_str(fx_policy_of(fx, "clash.yaml, found.yaml, other.yaml")));
    lb_status status =
        lb_serve_policy_load(fed_path(&fx->fed, "clash-policy.yaml"), &diag, &policy);
    assert_code(lb_status_code(status), LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "find-work"));
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    use_policy(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_view_says),
        cmocka_unit_test(another_grant_gives_no_further_look),
        cmocka_unit_test(a_crowd_gets_one_answer),
        cmocka_unit_test(one_use_in_an_interval),
        cmocka_unit_test(an_emergency_never_stands),
        cmocka_unit_test(it_is_a_grant_like_any_other),
        cmocka_unit_test(what_was_withdrawn_stands_no_more),
        cmocka_unit_test(the_officer_reads_that_it_stands),
        cmocka_unit_test(a_purpose_is_for_one_kind_of_grant),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
