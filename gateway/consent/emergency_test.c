#include "gateway/consent/fixture.h"

#include <stdio.h>
#include <string.h>

/* Emergencies: capped, short, to be supplemented, and blocking when they are not. */

static char *file_case(struct fixture *fx, int number)
{
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.case_id = lb_arena_printf(fx->arena, "2027-%06d", number);
    return fx_file(fx, &request);
}

static lb_status issue(struct fixture *fx, const char *desk, char *request_id, char *reason,
                       Lianban__V1__EmergencyResponse **out)
{
    Lianban__V1__EmergencyRequest request = LIANBAN__V1__EMERGENCY_REQUEST__INIT;
    Lianban__V1__EmergencyResponse *response = NULL;
    request.request_id = request_id;
    request.reason = reason;
    lb_status status = lb_consent_emergency(fx->consent, desk, &request, fx->arena, &response);
    if (out != NULL)
        *out = response;
    return status;
}

static lb_status close_one(struct fixture *fx, char *grant_id, char *outcome, char *id_no)
{
    Lianban__V1__CloseEmergencyRequest request = LIANBAN__V1__CLOSE_EMERGENCY_REQUEST__INIT;
    uint8_t report[32] = {7};
    request.grant_id = grant_id;
    request.outcome = outcome;
    request.id_no = id_no;
    request.report_sha256 = (ProtobufCBinaryData){32, report};
    return lb_consent_close_emergency(fx->consent, FX_DESK, &request, fx->arena);
}

static uint32_t overdue(struct fixture *fx, size_t *out_open)
{
    Lianban__V1__ListDueResponse *due = NULL;
    assert_ok(lb_consent_due(fx->consent, FX_DESK, fx->arena, &due));
    *out_open = due->n_items;
    return due->overdue;
}

static void it_is_short_and_says_what_it_is(void **state)
{
    struct fixture *fx = *state;
    struct fx_opened opened;
    Lianban__V1__EmergencyResponse *response = NULL;
    char *id = file_case(fx, 1);
    assert_ok(issue(fx, FX_DESK, id, "health", &response));
    assert_int_equal(response->expires_unix_s, FX_NOW + 86400);
    assert_int_equal(response->due_unix_s, FX_NOW + 10 * 86400);
    fx_open(fx, id, &opened);
    assert_int_equal(opened.grant.exp - opened.grant.iat, 86400);
    assert_int_equal(opened.num, 2);
    for (size_t i = 0; i < opened.num; i++) {
        assert_string_equal(opened.sections[i].basis, "emergency");
        assert_string_equal(opened.sections[i].laws[0], "SAL50");
        assert_string_equal(opened.sections[i].method, "none");
        assert_int_equal(opened.sections[i].level, 1);
        assert_null(opened.sections[i].guardian);
    }
    assert_int_equal(fx_entries(fx, "EMERGENCY"), 1);
    assert_int_equal(fx_entries(fx, "GRANTED"), 0);
    fx_stop(fx);
    const char *record = fx_text(fx, "SELECT record FROM consent_record");
    fx_start(fx);
    assert_non_null(strstr(record, "\"event_type\":\"emergency\""));
    assert_non_null(strstr(record, "\"reason\":\"health\""));
    assert_null(strstr(record, "given_by"));
}

static void who_may_and_why(void **state)
{
    struct fixture *fx = *state;
    static const char *const callers[] = {FX_WINDOW, FX_OTHER_DESK, FX_SERVER, FX_ADAPTER, ""};
    static char *const reasons[] = {"", "convenience", "health ", "HEALTH"};
    char *id = file_case(fx, 1);
    for (size_t i = 0; i < 5; i++)
        assert_code(issue(fx, callers[i], id, "life", NULL), LB_ROLE_NOT_ALLOWED);
    for (size_t i = 0; i < 4; i++)
        assert_code(issue(fx, FX_DESK, id, reasons[i], NULL), LB_MALFORMED);
    assert_code(issue(fx, FX_DESK, "r-1", "life", NULL), LB_GRANT_UNKNOWN);
    (void)fx_agree(fx, id);
    assert_code(issue(fx, FX_DESK, id, "life", NULL), LB_CASE_STATE);
    assert_int_equal(fx_entries(fx, "EMERGENCY"), 0);
}

static void a_lost_answer_is_told_again(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__EmergencyResponse *first = NULL, *again = NULL;
    char *id = file_case(fx, 1);
    assert_ok(issue(fx, FX_DESK, id, "life", &first));
    fx_advance(fx, 60);
    assert_ok(issue(fx, FX_DESK, id, "life", &again));
    assert_string_equal(again->grant_id, first->grant_id);
    assert_int_equal(again->due_unix_s, first->due_unix_s);
    assert_int_equal(again->expires_unix_s, first->expires_unix_s);
    assert_code(issue(fx, FX_DESK, id, "food", NULL), LB_CASE_STATE);
    assert_code(issue(fx, FX_DESK_3, id, "life", NULL), LB_CASE_STATE);
    assert_int_equal(fx_entries(fx, "EMERGENCY"), 1);
}

static void it_is_capped(void **state)
{
    struct fixture *fx = *state;
    assert_ok(issue(fx, FX_DESK, file_case(fx, 1), "life", NULL));
    assert_code(issue(fx, FX_DESK, file_case(fx, 1), "life", NULL), LB_EMERGENCY_CAPPED);
    assert_ok(issue(fx, FX_DESK, file_case(fx, 2), "life", NULL));
    assert_code(issue(fx, FX_DESK, file_case(fx, 3), "life", NULL), LB_EMERGENCY_CAPPED);
    fx_stop(fx);
    fx_start(fx); /* a restart forgets nothing */
    assert_code(issue(fx, FX_DESK, file_case(fx, 3), "life", NULL), LB_EMERGENCY_CAPPED);
    assert_ok(issue(fx, FX_DESK_3, file_case(fx, 3), "life", NULL));
    assert_code(issue(fx, FX_DESK_3, file_case(fx, 4), "life", NULL), LB_EMERGENCY_CAPPED);
    fx_advance(fx, 86400);
    assert_ok(issue(fx, FX_DESK_3, file_case(fx, 4), "life", NULL));
    assert_int_equal(fx_entries(fx, "EMERGENCY"), 4);
    assert_int_equal(fx_entries(fx, "EMERGENCY_CAPPED"), 4);
}

static void an_overdue_one_blocks_the_office(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__EmergencyResponse *late = NULL;
    size_t open = 0;
    assert_ok(issue(fx, FX_DESK, file_case(fx, 1), "food", &late));
    fx_advance(fx, 10 * 86400);
    assert_int_equal(overdue(fx, &open), 0);
    assert_int_equal(open, 1);
    fx_advance(fx, 1);
    assert_int_equal(overdue(fx, &open), 1);
    fx_publish(fx, fx_directory(fx)); /* the window has a new sealing key by now */
    assert_code(issue(fx, FX_DESK_3, file_case(fx, 2), "food", NULL), LB_SUPPLEMENT_OVERDUE);
    assert_ok(close_one(fx, late->grant_id, "unreachable", ""));
    assert_int_equal(overdue(fx, &open), 0);
    assert_int_equal(open, 0);
    assert_ok(issue(fx, FX_DESK_3, file_case(fx, 2), "food", NULL));
}

static void a_later_consent_is_the_supplement(void **state)
{
    struct fixture *fx = *state;
    size_t open = 0;
    assert_ok(issue(fx, FX_DESK, file_case(fx, 1), "shelter", NULL));
    (void)fx_agree(fx, file_case(fx, 2)); /* of another case */
    (void)overdue(fx, &open);
    assert_int_equal(open, 1);
    (void)fx_agree(fx, file_case(fx, 1));
    (void)overdue(fx, &open);
    assert_int_equal(open, 0);
}

static void closing_needs_a_paper_and_the_right_person(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__EmergencyResponse *response = NULL;
    Lianban__V1__CloseEmergencyRequest bare = LIANBAN__V1__CLOSE_EMERGENCY_REQUEST__INIT;
    assert_ok(issue(fx, FX_DESK, file_case(fx, 1), "child", &response));
    bare.grant_id = response->grant_id;
    bare.outcome = "unneeded";
    assert_code(lb_consent_close_emergency(fx->consent, FX_DESK, &bare, fx->arena), LB_MALFORMED);
    assert_code(close_one(fx, response->grant_id, "forgotten", ""), LB_MALFORMED);
    assert_code(close_one(fx, response->grant_id, "consented", ""), LB_MALFORMED);
    assert_code(close_one(fx, response->grant_id, "consented", fx->other_adult), LB_MALFORMED);
    assert_code(close_one(fx, "g-1", "unneeded", ""), LB_GRANT_UNKNOWN);
    assert_ok(close_one(fx, response->grant_id, "consented", fx->adult));
    assert_code(close_one(fx, response->grant_id, "consented", fx->adult), LB_GRANT_UNKNOWN);
    assert_int_equal(fx_entries(fx, "SUPPLEMENTED"), 1);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"
                                  " WHERE record LIKE '%\"event_state\":\"consented\"%'"), 1);
    fx_start(fx);
}

static void who_refuses_afterwards_ends_it(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__EmergencyResponse *response = NULL;
    Lianban__V1__GetGrantResponse *got = NULL;
    char *id = file_case(fx, 1);
    assert_ok(issue(fx, FX_DESK, id, "disaster", &response));
    assert_ok(close_one(fx, response->grant_id, "refused", ""));
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_REVOKED);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM grants WHERE state = 1"), 1);
    assert_true(fx_count(fx, "SELECT max(seq) FROM status_list") >= 1);
    fx_start(fx);
}

/* No evidence, no grant, and nothing counted. */
static void without_evidence_there_is_none(void **state)
{
    struct fixture *fx = *state;
    char *id = file_case(fx, 1);
    (void)fx_agree(fx, file_case(fx, 2)); /* so that the log has a time */
    fx->log_clock.now_unix_ms -= 10000;
    assert_code(issue(fx, FX_DESK, id, "life", NULL), LB_LOG_UNAVAILABLE);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM emergency"), 0);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM grants"), 1);
    fx->log_clock.now_unix_ms += 20000;
    fx_start(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_short_and_says_what_it_is, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(who_may_and_why, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_lost_answer_is_told_again, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(it_is_capped, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(an_overdue_one_blocks_the_office, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_later_consent_is_the_supplement, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(closing_needs_a_paper_and_the_right_person, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(who_refuses_afterwards_ends_it, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(without_evidence_there_is_none, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
