#include "gateway/consent/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gateway/token/ticket.h"

/* What a window can't ask, and what becomes of what it may. */

static lb_status ask(struct fixture *fx, const char *caller,
                     const Lianban__V1__GrantRequest *request)
{
    Lianban__V1__GrantTicket *ticket = NULL;
    lb_status status = lb_consent_request(fx->consent, caller, request, fx->arena, &ticket);
    assert_true((status == LB_OK) == (ticket != NULL));
    return status;
}

static void test_callers(void **state)
{
    struct fixture *fx = *state;
    static const char *const callers[] = {FX_DESK, FX_SERVER, FX_ADAPTER, FX_OWN_WINDOW, "",
                                          "spiffe://example.gov/window/nobody"};
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.requester_key.data[0] = 30; /* right for the office's own window */
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
        assert_code(ask(fx, callers[i], &request), LB_ROLE_NOT_ALLOWED);
    assert_int_equal(fx_entries(fx, "ROLE_NOT_ALLOWED"), 6);
    assert_int_equal(fx_entries(fx, "GRANTED"), 0);
}

static void test_keys(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.requester_key.data[0] = 11; /* past its time */
    assert_code(ask(fx, FX_WINDOW, &request), LB_WRONG_REQUESTER);
    request.requester_key.data[0] = 20; /* another window's */
    assert_code(ask(fx, FX_WINDOW, &request), LB_WRONG_REQUESTER);
    assert_ok(ask(fx, FX_OTHER_WINDOW, &request));
    request.requester_key.data[0] = 10;
    request.requester_key.len = 31;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    request.requester_key = (ProtobufCBinaryData){0, NULL};
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
}

static void test_forms(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.form_version = 2;
    assert_code(ask(fx, FX_WINDOW, &request), LB_FORM_UNKNOWN);
    request = fx_request(fx);
    request.form_sha256.data[31] ^= 1;
    assert_code(ask(fx, FX_WINDOW, &request), LB_FORM_UNKNOWN);
    request = fx_request(fx);
    request.form_sha256.len = 16;
    assert_code(ask(fx, FX_WINDOW, &request), LB_FORM_UNKNOWN);
    request = fx_request(fx);
    request.form[0] = 'T';
    assert_code(ask(fx, FX_WINDOW, &request), LB_FORM_UNKNOWN);
    request = fx_request(fx);
    request.role[0] = 'x';
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
}

static void test_texts(void **state)
{
    struct fixture *fx = *state;
    static char *const bad[] = {
        "", "a\nb", "a\x7F", "\xFF\xFE", "\xC0\x80",
        "a23456789012345678901234567890123456789012345678901234567890123456",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Lianban__V1__GrantRequest request = fx_request(fx);
        request.case_id = bad[i];
        assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
        request = fx_request(fx);
        request.operator_ = bad[i];
        assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
        Lianban__V1__Guardian guardian;
        request = fx_child_request(fx, &guardian);
        guardian.relation = bad[i];
        assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    }
}

static void test_identities(void **state)
{
    struct fixture *fx = *state;
    char unborn[19], wrong[19];
    char long_name[2048];
    fx_id("20991231", "001", unborn);
    (void)snprintf(wrong, sizeof(wrong), "%s", fx->adult);
    wrong[16] = wrong[16] == '0' ? '1' : '0';
    memset(long_name, 'A', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = 0;
    char *ids[] = {"",      wrong, unborn, "110101800101001", "99010119800315001",
                   "9901011980031500100"};
    char *names[] = {"", " ", "\xFF", "a\x01", long_name};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        Lianban__V1__GrantRequest request = fx_request(fx);
        request.id_no = ids[i];
        assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
        Lianban__V1__Guardian guardian;
        request = fx_child_request(fx, &guardian);
        guardian.id_no = ids[i];
        assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        Lianban__V1__GrantRequest request = fx_request(fx);
        request.name = names[i];
        assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    }
    assert_int_equal(fx_entries(fx, "ID_INVALID"), 0); /* an inner code: nobody sees it */
    assert_int_equal(fx_entries(fx, "MALFORMED"), 17);
}

static void test_minors(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Guardian guardian;
    Lianban__V1__GrantRequest request = fx_child_request(fx, &guardian);
    assert_ok(ask(fx, FX_WINDOW, &request));
    request.guardian = NULL;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    request = fx_child_request(fx, &guardian);
    guardian.id_no = fx->teen;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    request = fx_child_request(fx, &guardian);
    guardian.id_no = request.id_no;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    request = fx_child_request(fx, &guardian);
    request.id_no = fx->other_adult;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    /* In a role of one's own: nobody else agrees, and no child does. */
    request = fx_child_request(fx, &guardian);
    request.role = "applicant";
    request.id_no = fx->other_adult;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    request = fx_request(fx);
    request.id_no = fx->child;
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    request.id_no = fx->teen;
    assert_ok(ask(fx, FX_WINDOW, &request));
}

/* Nobody is asked for what could not be granted. */
static void test_plan(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__GrantRequest request = fx_request(fx);
    request.role = "payer"; /* everything about a payer is asked under a mandate */
    assert_code(ask(fx, FX_WINDOW, &request), LB_MALFORMED);
    struct lb_json *directory = fx_directory(fx);
    fx_drop_node(directory, "spiffe://example.gov/adapter/disabled-federation");
    fx_publish(fx, directory);
    request = fx_request(fx);
    assert_code(ask(fx, FX_WINDOW, &request), LB_FORM_INERT);
    directory = fx_directory(fx);
    fx_drop_view(directory, "public-security.person");
    fx_publish(fx, directory);
    assert_code(ask(fx, FX_WINDOW, &request), LB_VIEW_UNKNOWN);
    directory = fx_directory(fx);
    fx_drop_view(directory, "tax.income"); /* no business of ours */
    fx_drop_node(directory, "spiffe://example.gov/adapter/tax");
    fx_publish(fx, directory);
    assert_ok(ask(fx, FX_WINDOW, &request));
}

static void test_ticket(void **state)
{
    struct fixture *fx = *state;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    Lianban__V1__GrantTicket *one = NULL, *two = NULL;
    char code[7];
    assert_ok(lb_consent_request(fx->consent, FX_WINDOW, &request, fx->arena, &one));
    assert_ok(lb_consent_request(fx->consent, FX_WINDOW, &request, fx->arena, &two));
    assert_string_not_equal(one->request_id, two->request_id);
    assert_int_equal(strlen(one->request_id), 34);
    assert_int_equal(strspn(one->request_id, "r-0123456789abcdef"), 34);
    assert_memory_equal(one->request_id, "r-", 2);
    assert_int_equal(strlen(one->code), 6);
    assert_int_equal(strspn(one->code, "0123456789"), 6);
    lb_ticket_code(one->request_id, code);
    assert_string_equal(one->code, code);
}

static void fill(struct fixture *fx, const char *caller, int num)
{
    char sql[1024];
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " INSERT INTO request(id, state, keep_until, caller, form, form_version,"
                   " form_sha256, case_id, requester_key, role, operator, subject, guardian,"
                   " commitment) SELECT '%s' || i, 0, %lld, '%s', 'f', 1, x'00', 'c', x'00', 'r',"
                   " 'o', x'00', x'00', x'00' FROM n",
                   num, caller, (long long)FX_NOW + 86400, caller);
    fx_stop(fx);
    fx_exec(fx, sql);
    fx_start(fx);
}

static void test_bounds(void **state)
{
    struct fixture *fx = *state;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    Lianban__V1__GrantRequest other = fx_request(fx);
    other.requester_key.data[0] = 20;
    fill(fx, FX_WINDOW, 20000);
    assert_code(ask(fx, FX_WINDOW, &request), LB_BUSY);
    assert_ok(ask(fx, FX_OTHER_WINDOW, &other));
    fill(fx, "x", 79999);
    assert_code(ask(fx, FX_OTHER_WINDOW, &other), LB_BUSY);
    fx_advance(fx, 86401); /* nobody decided within a day */
    assert_ok(ask(fx, FX_WINDOW, &request));
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM request"), 1);
    fx_start(fx);
}

static void test_pending_ends(void **state)
{
    struct fixture *fx = *state;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_file(fx, &request);
    Lianban__V1__GetGrantResponse *got = NULL;
    Lianban__V1__ConfirmResponse *response = NULL;
    const Lianban__V1__ConfirmRequest confirm = fx_confirm(fx, id);
    fx_advance(fx, 86399);
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_PENDING);
    fx_advance(fx, 1);
    assert_code(fx_fetch(fx, FX_WINDOW, id, &got), LB_GRANT_UNKNOWN);
    assert_code(lb_consent_confirm(fx->consent, FX_DESK, &confirm, fx->arena, &response),
                LB_GRANT_UNKNOWN);
}

static void test_notice(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__NoticeRequest request = LIANBAN__V1__NOTICE_REQUEST__INIT;
    Lianban__V1__NoticeResponse *notice = NULL;
    request.form = "test-aid";
    request.form_version = 3;
    request.requester = FX_WINDOW;
    request.language = "en";
    assert_ok(lb_consent_notice(fx->consent, &request, fx->arena, &notice));
    assert_non_null(strstr(notice->text, "Street office"));
    assert_int_equal(notice->sha256.len, 32);
    request.language = "zh";
    assert_ok(lb_consent_notice(fx->consent, &request, fx->arena, &notice));
    assert_non_null(strstr(notice->text, "街道办事处"));
    request.requester = FX_OTHER_WINDOW; /* without a name: goes by its id */
    assert_ok(lb_consent_notice(fx->consent, &request, fx->arena, &notice));
    assert_non_null(strstr(notice->text, "village-office"));
    request.language = "fr";
    assert_code(lb_consent_notice(fx->consent, &request, fx->arena, &notice), LB_MALFORMED);
    request.language = "zh";
    request.requester = FX_DESK;
    assert_code(lb_consent_notice(fx->consent, &request, fx->arena, &notice), LB_MALFORMED);
    request.requester = FX_WINDOW;
    request.form_version = 4;
    assert_code(lb_consent_notice(fx->consent, &request, fx->arena, &notice), LB_FORM_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_callers, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_keys, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_forms, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_texts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_identities, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_minors, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_plan, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_ticket, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_bounds, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_pending_ends, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_notice, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
