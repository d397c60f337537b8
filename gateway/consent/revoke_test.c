#include "gateway/consent/fixture.h"

#include <string.h>

#include "gateway/token/status_list.h"

/* Withdrawing: at any desk of the office, with the document, once and for all. */

static lb_status state_of(struct fixture *fx, struct lb_span token, uint64_t index)
{
    struct lb_status_list *list = NULL;
    assert_ok(lb_status_list_open(token, fx->issuer_public, &list));
    lb_status status =
        lb_status_list_check(list, index, fx->clock.now_unix_ms / 1000);
    lb_status_list_unref(list);
    return status;
}

static char *grant_one(struct fixture *fx, char **out_request, uint64_t *out_index)
{
    Lianban__V1__GetGrantResponse *got = NULL;
    struct lb_grant grant;
    struct lb_span jwt;
    struct lb_span *disclosures = NULL;
    size_t num = 0;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    *out_request = fx_file(fx, &request);
    char *id = fx_agree(fx, *out_request);
    assert_ok(fx_fetch(fx, FX_WINDOW, *out_request, &got));
    assert_ok(lb_sd_jwt_split(lb_span_str(got->sd_jwt), fx->arena, &jwt, &disclosures, &num));
    assert_ok(lb_grant_verify(jwt, fx->issuer_public, fx->arena, &grant));
    *out_index = grant.status_index;
    return id;
}

static void test_attacks(void **state)
{
    struct fixture *fx = *state;
    static const char *const callers[] = {FX_WINDOW, FX_OWN_WINDOW, FX_SERVER, FX_OTHER_DESK,
                                          FX_ADAPTER, ""};
    char *request = NULL;
    uint64_t index = 0, seq = 0;
    struct lb_span token = LB_SPAN_EMPTY;
    char *id = grant_one(fx, &request, &index);
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
        assert_code(fx_revoke(fx, callers[i], id, fx->adult, &seq, &token), LB_ROLE_NOT_ALLOWED);
    assert_code(fx_revoke(fx, FX_DESK, id, fx->other_adult, &seq, &token), LB_MALFORMED);
    assert_code(fx_revoke(fx, FX_DESK, id, "", &seq, &token), LB_MALFORMED);
    assert_code(fx_revoke(fx, FX_DESK, "", fx->adult, &seq, &token), LB_GRANT_UNKNOWN);
    assert_code(fx_revoke(fx, FX_DESK, request, fx->adult, &seq, &token), LB_GRANT_UNKNOWN);
    assert_code(fx_revoke(fx, FX_DESK, "g-00000000000000000000000000000000", fx->adult, &seq,
                          &token),
                LB_GRANT_UNKNOWN);
    assert_int_equal(token.len, 0);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    assert_ok(state_of(fx, token, index));
    assert_int_equal(fx_entries(fx, "ROLE_NOT_ALLOWED"), 6);
    assert_int_equal(fx_entries(fx, "REVOKED"), 0);
}

static void test_withdrawal(void **state)
{
    struct fixture *fx = *state;
    char *request = NULL, *other_request = NULL;
    uint64_t index = 0, other = 0, first = 0, second = 0;
    struct lb_span token, again, current;
    Lianban__V1__GetGrantResponse *got = NULL;
    char *id = grant_one(fx, &request, &index);
    (void)grant_one(fx, &other_request, &other);
    assert_ok(fx_revoke(fx, FX_DESK, id, fx->adult, &first, &token));
    assert_code(state_of(fx, token, index), LB_GRANT_REVOKED);
    assert_ok(state_of(fx, token, other));
    assert_code(fx_fetch(fx, FX_WINDOW, request, &got), LB_GRANT_REVOKED);
    assert_ok(fx_fetch(fx, FX_WINDOW, other_request, &got));
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &current));
    assert_true(lb_span_eq(current, token));
    /* Twice: nothing new is decided, and the list goes out again. */
    assert_ok(fx_revoke(fx, FX_DESK, id, fx->adult, &second, &again));
    assert_true(second > first);
    assert_code(state_of(fx, again, index), LB_GRANT_REVOKED);
    assert_int_equal(fx_entries(fx, "REVOKED"), 1);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &current));
    assert_code(state_of(fx, current, index), LB_GRANT_REVOKED);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM consent_record"), 3);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM request WHERE sd_jwt IS NOT NULL"), 1);
    fx_start(fx);
}

/* The copy for the window is long gone; the grant can be withdrawn to its end, and after. */
static void test_late(void **state)
{
    struct fixture *fx = *state;
    char *request = NULL;
    uint64_t index = 0, seq = 0;
    struct lb_span token;
    char *id = grant_one(fx, &request, &index);
    fx_advance(fx, 29 * 86400);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token)); /* purges */
    assert_ok(state_of(fx, token, index));
    assert_ok(fx_revoke(fx, FX_DESK, id, fx->adult, &seq, &token));
    assert_code(state_of(fx, token, index), LB_GRANT_REVOKED);
    fx_advance(fx, 2 * 86400 + 1);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    assert_code(fx_revoke(fx, FX_DESK, id, fx->adult, &seq, &token), LB_GRANT_UNKNOWN);
}

static void test_guardian(void **state)
{
    struct fixture *fx = *state;
    char *people[] = {fx->adult, fx->child};
    for (size_t i = 0; i < 2; i++) {
        uint64_t seq = 0;
        struct lb_span token;
        Lianban__V1__Guardian guardian;
        const Lianban__V1__GrantRequest request = fx_child_request(fx, &guardian);
        char *id = fx_agree(fx, fx_file(fx, &request));
        assert_code(fx_revoke(fx, FX_DESK, id, fx->other_adult, &seq, &token), LB_MALFORMED);
        assert_ok(fx_revoke(fx, FX_DESK, id, people[i], &seq, &token));
    }
    assert_int_equal(fx_entries(fx, "REVOKED"), 2);
}

static void test_log_gone(void **state)
{
    struct fixture *fx = *state;
    char *request = NULL;
    uint64_t index = 0, seq = 0;
    struct lb_span before, token = LB_SPAN_EMPTY;
    char *id = grant_one(fx, &request, &index);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &before));
    fx->log_clock.now_unix_ms -= 10000;
    assert_code(fx_revoke(fx, FX_DESK, id, fx->adult, &seq, &token), LB_LOG_UNAVAILABLE);
    assert_int_equal(token.len, 0);
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, &token));
    assert_true(lb_span_eq(before, token));
    fx->log_clock.now_unix_ms += 20000;
    fx_stop(fx);
    fx_start(fx);
    assert_ok(fx_revoke(fx, FX_DESK, id, fx->adult, &seq, &token));
    assert_code(state_of(fx, token, index), LB_GRANT_REVOKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_attacks, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_withdrawal, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_late, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_guardian, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_log_gone, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
