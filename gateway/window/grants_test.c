#include <string.h>

#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* The citizens' grants: asked for once, waited for, checked, and never replaced by guessing. */

static Lianban__V1__RequestGrantsResponse *ask(struct fixture *fx, const char *case_id)
{
    Lianban__V1__RequestGrantsResponse *response = NULL;
    assert_ok(lb_window_request_grants(fx->window, case_id, fx->arena, &response));
    return response;
}

static void assert_ends_with(struct fixture *fx, const char *case_id, enum lb_code code)
{
    struct fx_collected got;
    fx_run(fx, case_id, &got);
    assert_code(got.status, code);
    assert_int_equal(got.num_facts, 0);
    assert_null(got.result);
    assert_int_equal(fx->num_collects, 0); /* no department was asked anything */
}

static void asked_once(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, true);
    Lianban__V1__RequestGrantsResponse *first = ask(fx, case_id), *again = ask(fx, case_id);
    assert_int_equal(first->n_tickets, 3);
    assert_int_equal(again->n_tickets, 3);
    assert_int_equal(fx->num_tickets, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(again->tickets[i]->member, i);
        assert_string_equal(first->tickets[i]->request_id, again->tickets[i]->request_id);
        assert_string_equal(first->tickets[i]->code, again->tickets[i]->code);
    }
    assert_string_equal(fx->tickets[0].case_id, case_id);
    assert_int_equal(strlen(fx->tickets[0].operator_hash), 32);
    assert_null(strstr(fx->tickets[0].operator_hash, "B-0042"));
}

static void pending(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    assert_ends_with(fx, case_id, LB_GRANT_PENDING); /* nobody was even asked */
    (void)ask(fx, case_id);
    fx->tickets[0].agreed = fx->tickets[2].agreed = true;
    assert_ends_with(fx, case_id, LB_GRANT_PENDING);
    assert_string_equal(fx_get(fx, case_id)->state, "GRANTS_PENDING");
    assert_string_equal(fx_get(fx, case_id)->class_id, "");
    fx->tickets[1].agreed = true;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

static void refused(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, true);
    (void)ask(fx, case_id);
    fx->tickets[0].agreed = true;
    fx->tickets[2].refused = true; /* the second one has not come yet: the refusal is told */
    assert_ends_with(fx, case_id, LB_GRANT_REFUSED);
}

static void office_forgot(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    (void)ask(fx, case_id);
    fx->tickets[0].used = false;
    assert_ends_with(fx, case_id, LB_GRANT_UNKNOWN);
    Lianban__V1__RequestGrantsResponse *again = ask(fx, case_id);
    assert_int_equal(fx->num_tickets, 2);
    assert_string_equal(again->tickets[0]->request_id, "r-1");
}

static void expired(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx->grant_life_s = 600;
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].down = true;
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    fx->clock.now_unix_ms += 601 * 1000;
    fx->num_collects = 0;
    assert_ends_with(fx, case_id, LB_GRANT_EXPIRED);
    fx->adapters[FX_TAX].down = false;
    fx_agree(fx, case_id); /* files a new request */
    assert_int_equal(fx->num_tickets, 2);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

/* The agent seals with a new key: what was bound to the old one is asked for anew. */
static void key_replaced(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].down = true;
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    fx->num_collects = 0;
    struct lb_own_key other = {.id = "s1"};
    struct lb_seal_ring *ring = NULL;
    const struct lb_seal_ring_options options = {
        .self = FX_WINDOW, .trust = fx->trust, .clock = &fx->clock.clock};
    assert_ok(lb_x25519_generate(&other.key));
    assert_ok(lb_seal_ring_of(&options, &other, 1, &ring));
    fx->window->options.ring = ring; /* under the window's feet */
    assert_ends_with(fx, case_id, LB_GRANT_EXPIRED);
    fx->window->options.ring = fx->ring;
    lb_seal_ring_free(ring);
    fx->adapters[FX_TAX].down = false;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

/* --- grants that are not what was asked for --- */

static void of_another_case(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->section_case = "c-00000000000000000000000000000000";
    assert_ends_with(fx, case_id, LB_SECTION_INVALID);
}

static void about_somebody_else(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->section_subject = fx_id(fx, "19700707", 77);
    assert_ends_with(fx, case_id, LB_SUBJECT_MISMATCH);
}

/* A standing grant is of no use for an ordinary form, however it is bound. */
static void that_stands(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->section_days = 30;
    assert_ends_with(fx, case_id, LB_SECTION_INVALID);
}

static void consent_in_own_name(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->self_signed = true;
    assert_ends_with(fx, case_id, LB_SELF_CONSENT);
}

static void signed_by_another_key(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    struct lb_sign_key *right = fx->office_key;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &fx->office_key));
    assert_ends_with(fx, case_id, LB_SIGNATURE_INVALID);
    lb_sign_key_free(fx->office_key);
    fx->office_key = right;
}

static void bound_to_another_key(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tickets[0].requester_key[0] ^= 1;
    assert_ends_with(fx, case_id, LB_WRONG_REQUESTER);
}

static void by_another_operator(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tickets[0].operator_hash[0] = fx->tickets[0].operator_hash[0] == 'a' ? 'b' : 'a';
    assert_ends_with(fx, case_id, LB_SECTION_INVALID);
}

static void notice(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GetNoticeRequest request = LIANBAN__V1__GET_NOTICE_REQUEST__INIT;
    Lianban__V1__GetNoticeResponse *response = NULL;
    request.case_id = (char *)(uintptr_t)fx_open(fx, false);
    request.language = (char *)(uintptr_t) "zh";
    assert_ok(lb_window_notice(fx->window, &request, fx->arena, &response));
    assert_true(strlen(response->text) > 10);
    assert_int_equal(response->sha256.len, 32);
    request.language = (char *)(uintptr_t) "fr";
    assert_code(lb_window_notice(fx->window, &request, fx->arena, &response), LB_MALFORMED);
    request.case_id = (char *)(uintptr_t) "c-0";
    assert_code(lb_window_notice(fx->window, &request, fx->arena, &response), LB_CASE_UNKNOWN);
}

/* --- what is kept back --- */

static void assert_denied(const struct fx_collected *got, const char *fact)
{
    assert_string_equal(fx_fact(got, 0, fact)->state, "denied");
    assert_string_equal(fx_fact(got, 0, fact)->code, "PART_REFUSED");
}

/* Refused: not asked, denied, and a person decides, whatever the rest would come to. */
static void refused_department(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx->department_refused = true;
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    assert_denied(&got, "severe");
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "ok");
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_int_equal(got.result->receipts_failed, 0);
    size_t collects = fx->num_collects;
    fx_run(fx, case_id, &got); /* nor is it asked when the case goes on */
    assert_int_equal(fx->num_collects, collects);
    assert_string_equal(fx_get(fx, case_id)->class_id, "MANUAL");
}

static void refused_fact(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx->fact_refused = true;
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_denied(&got, "region");
    assert_string_equal(fx_fact(&got, 0, "same_person")->state, "ok");
    assert_string_equal(fx_fact(&got, 0, "severe")->state, "ok");
    assert_string_equal(got.result->class_id, "MANUAL");
}

/* --- who agrees for others --- */

static lb_status open_with(struct fixture *fx, Lianban__V1__Representative *representative,
                           const char **out_case)
{
    Lianban__V1__Member member = LIANBAN__V1__MEMBER__INIT;
    Lianban__V1__Member *members[] = {&member};
    Lianban__V1__OpenCaseRequest request = LIANBAN__V1__OPEN_CASE_REQUEST__INIT;
    lb_status status = LB_OK;
    member.role = "applicant";
    member.id_no = (char *)(uintptr_t)fx_id(fx, "19800101", 11);
    member.name = "张三丰";
    member.representative = representative;
    request.form = "test-aid";
    request.members = members;
    request.n_members = 1;
    request.operator_badge = "B-1";
    request.operator_unit = "unit";
    *out_case = fx_open_request(fx, &request, &status);
    return status;
}

static void an_agent_is_passed_on(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Representative agent = LIANBAN__V1__REPRESENTATIVE__INIT;
    const char *case_id = NULL;
    agent.kind = "agent";
    agent.id_no = (char *)(uintptr_t)fx_id(fx, "19820202", 22);
    agent.name = "李四维";
    agent.relation = "village-helper";
    assert_ok(open_with(fx, &agent, &case_id));
    (void)ask(fx, case_id);
    assert_string_equal(fx->representative, "agent");
    agent.kind = "friend";
    assert_code(open_with(fx, &agent, &case_id), LB_MALFORMED);
    agent.kind = "agent";
    agent.id_no = "990101198001010000";
    assert_code(open_with(fx, &agent, &case_id), LB_MALFORMED);
    agent.id_no = (char *)(uintptr_t)fx_id(fx, "19820202", 22);
    agent.relation = lb_arena_alloc(fx->arena, 5000);
    memset(agent.relation, 'a', 4999);
    assert_code(open_with(fx, &agent, &case_id), LB_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(asked_once, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(pending, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(refused, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(office_forgot, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(expired, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(key_replaced, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(of_another_case, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(about_somebody_else, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(that_stands, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(consent_in_own_name, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(signed_by_another_key, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(bound_to_another_key, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(by_another_operator, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(notice, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(refused_department, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(refused_fact, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(an_agent_is_passed_on, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
