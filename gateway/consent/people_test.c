#include "gateway/consent/fixture.h"

#include <string.h>

/* Who agrees for whom: minors, agents, the dead, relatives outside. */

static lb_status ask(struct fixture *fx, const Lianban__V1__GrantRequest *request)
{
    Lianban__V1__GrantTicket *ticket = NULL;
    return lb_consent_request(fx->consent, FX_WINDOW, request, fx->arena, &ticket);
}

/* --- minors of 14 to 17 --- */

static Lianban__V1__GrantRequest teen_request(struct fixture *fx, const char *role,
                                              Lianban__V1__Guardian *guardian)
{
    Lianban__V1__GrantRequest request = fx_child_request(fx, guardian);
    request.role = (char *)(uintptr_t)role;
    request.id_no = fx->teen;
    return request;
}

/* What is sensitive needs both; one after the other is not both. */
static void both_agree_to_what_is_sensitive(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Guardian guardian;
    const Lianban__V1__GrantRequest request = teen_request(fx, "applicant", &guardian);
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.id_no = fx->teen;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_PARTY_MISSING);
    confirm.id_no = fx->adult;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_PARTY_MISSING);
    confirm.also_id_no = fx->adult; /* one person twice */
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    confirm.also_id_no = fx->other_adult;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    confirm.id_no = fx->teen;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    confirm.also_id_no = fx->adult;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    struct fx_opened opened;
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 2);
    assert_string_equal(opened.sections[0].guardian, "mother");
    assert_string_equal(opened.sections[1].guardian, "mother");
}

static void a_teenager_agrees_to_the_rest_alone(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Guardian guardian;
    struct fx_opened opened;
    char *sensitive[] = {"disabled-federation"};
    Lianban__V1__GrantRequest request = teen_request(fx, "applicant", &guardian);
    request.guardian = NULL;
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.id_no = fx->teen;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_PARTY_MISSING);
    confirm.refused_departments = sensitive;
    confirm.n_refused_departments = 1;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 1);
    assert_null(opened.sections[0].guardian);
    request = teen_request(fx, "child", &guardian); /* nothing sensitive is asked of children */
    id = fx_file(fx, &request);
    confirm = fx_confirm(fx, id);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_PARTY_MISSING); /* the guardian alone */
    confirm.id_no = fx->teen;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
}

static void either_of_both_may_refuse(void **state)
{
    struct fixture *fx = *state;
    for (int i = 0; i < 2; i++) {
        Lianban__V1__Guardian guardian;
        const Lianban__V1__GrantRequest request = teen_request(fx, "applicant", &guardian);
        Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, fx_file(fx, &request));
        confirm.agreed = false;
        confirm.id_no = i == 0 ? fx->teen : fx->adult;
        assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    }
}

/* Somebody's guardian is not everybody's. */
static void a_guardian_of_another_child_decides_nothing(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Guardian own, others;
    Lianban__V1__GrantRequest request = fx_child_request(fx, &own);
    (void)fx_file(fx, &request);
    Lianban__V1__GrantRequest other = fx_child_request(fx, &others);
    others.id_no = fx->other_adult;
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, fx_file(fx, &other));
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    confirm.agreed = false;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED);
    confirm.agreed = true;
    confirm.id_no = fx->other_adult;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
}

/* --- agents --- */

static Lianban__V1__GrantRequest agent_request(struct fixture *fx,
                                               Lianban__V1__Representative *agent)
{
    Lianban__V1__GrantRequest request = fx_request(fx);
    fx_agent(fx, agent);
    request.representative = agent;
    return request;
}

static void an_agent_is_bound_to_the_paper(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Representative agent;
    struct fx_opened opened;
    const Lianban__V1__GrantRequest request = agent_request(fx, &agent);
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.id_no = fx->other_adult;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED); /* no paper */
    confirm.paper_sha256 = confirm.notice_sha256;
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED); /* another */
    confirm.paper_sha256 = agent.document_sha256;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 1); /* the paper is for public security alone */
    const struct lb_section *section = &opened.sections[0];
    assert_string_equal(section->provider, "public-security");
    assert_string_equal(section->agent, "village-helper");
    assert_int_equal(section->agent_until, agent.until);
    assert_memory_equal(section->agent_document, agent.document_sha256.data, 32);
    assert_int_equal(section->num_agent_views, 2);
    assert_int_equal(opened.grant.exp, agent.until); /* not the form's thirty days */
    assert_null(section->guardian);
}

/* As easy as giving: whoever agreed withdraws, and so does the citizen; nobody else. */
static void agents_and_citizens_withdraw(void **state)
{
    struct fixture *fx = *state;
    for (int i = 0; i < 2; i++) {
        Lianban__V1__Representative agent;
        Lianban__V1__ConfirmResponse *response = NULL;
        const Lianban__V1__GrantRequest request = agent_request(fx, &agent);
        Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, fx_file(fx, &request));
        uint64_t seq = 0;
        struct lb_span token;
        confirm.id_no = fx->other_adult;
        confirm.paper_sha256 = agent.document_sha256;
        assert_ok(fx_decide(fx, FX_DESK, &confirm, &response));
        assert_code(fx_revoke(fx, FX_DESK, response->grant_id, fx->teen, &seq, &token),
                    LB_MALFORMED);
        assert_ok(fx_revoke(fx, FX_DESK, response->grant_id,
                            i == 0 ? fx->adult : fx->other_adult, &seq, &token));
    }
}

static void an_expired_agent_is_sent_away(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Representative agent;
    Lianban__V1__GrantRequest request = agent_request(fx, &agent);
    agent.until = FX_NOW + 600;
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    confirm.id_no = fx->other_adult;
    confirm.paper_sha256 = agent.document_sha256;
    fx_advance(fx, 600);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_AGENT_EXPIRED);
    /* The citizen may still come in person, for everything. */
    struct fx_opened opened;
    confirm = fx_confirm(fx, id);
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 2);
    assert_null(opened.sections[0].agent);
}

static void spoil(struct fixture *fx, int way, Lianban__V1__GrantRequest *request,
                  Lianban__V1__Representative *agent)
{
    static char *const departments[][2] = {
        {"tax", ""}, {"public-security", "public-security"}, {"public-security ", ""}, {"", ""}};
    *request = agent_request(fx, agent);
    switch (way) {
    case 0: agent->until = FX_NOW; return;
    case 1: agent->until = FX_NOW + INT64_C(400) * 86400; return;
    case 2: agent->until = INT64_MAX; return;
    case 3: agent->document_sha256.len = 31; return;
    case 4: agent->n_departments = 0; return;
    case 5: agent->n_departments = 1000000; return;
    case 6: agent->kind = "guardian"; return;
    case 7: agent->kind = "relative"; return;
    case 8: agent->id_no = fx->adult; return;     /* oneself */
    case 9: agent->id_no = fx->teen; return;
    case 10: agent->relation = ""; return;
    case 11: agent->relation = "a\nb"; return;
    case 12: agent->interest = "burial"; return;
    case 13: request->role = "child"; request->id_no = fx->child; return;
    default: break;
    }
    agent->departments = (char **)(uintptr_t)departments[way - 14];
    agent->n_departments = way == 15 ? 2 : 1;
}

static void agents_that_are_none(void **state)
{
    struct fixture *fx = *state;
    for (int way = 0; way < 18; way++) {
        Lianban__V1__Representative agent;
        Lianban__V1__GrantRequest request;
        spoil(fx, way, &request, &agent);
        lb_status status = ask(fx, &request);
        if (lb_status_code(status) != LB_MALFORMED)
            fail_msg("way %d: %s", way, lb_code_name(lb_status_code(status)));
    }
}

/* --- the dead --- */

static void a_near_relative_agrees_for_the_dead(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Representative relative;
    struct fx_opened opened;
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.role = "late";
    assert_code(ask(fx, &request), LB_MALFORMED); /* the dead do not agree */
    request.representative = &relative;
    fx_relative(fx, &relative);
    relative.relation = "neighbour";
    assert_code(ask(fx, &request), LB_MALFORMED);
    fx_relative(fx, &relative);
    relative.interest = "curiosity";
    assert_code(ask(fx, &request), LB_MALFORMED);
    fx_relative(fx, &relative);
    request.role = "applicant"; /* nor does a relative for the living */
    assert_code(ask(fx, &request), LB_MALFORMED);
    request.role = "late";
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED); /* the dead one's card */
    confirm.id_no = fx->other_adult;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_string_equal(opened.sections[0].relative, "child");
    assert_string_equal(opened.sections[0].interest, "inheritance");
    assert_null(opened.sections[0].guardian);
}

/* --- outside the household --- */

static void one_outside_agrees_separately(void **state)
{
    struct fixture *fx = *state;
    struct fx_opened opened;
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.role = "supporter";
    request.id_no = fx->other_adult;
    char *id = fx_file(fx, &request);
    Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    assert_code(fx_decide(fx, FX_DESK, &confirm, NULL), LB_MALFORMED); /* the applicant's word */
    confirm.id_no = fx->other_adult;
    assert_ok(fx_decide(fx, FX_DESK, &confirm, NULL));
    fx_open(fx, id, &opened);
    assert_int_equal(opened.num, 1);
    assert_string_equal(opened.sections[0].provider, "tax"); /* a mandate for the household */
    assert_string_equal(opened.sections[0].basis, "separate_consent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_agree_to_what_is_sensitive, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_teenager_agrees_to_the_rest_alone, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(either_of_both_may_refuse, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_guardian_of_another_child_decides_nothing, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(an_agent_is_bound_to_the_paper, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(agents_and_citizens_withdraw, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(an_expired_agent_is_sent_away, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(agents_that_are_none, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_near_relative_agrees_for_the_dead, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(one_outside_agrees_separately, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
