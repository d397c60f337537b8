#include "gateway/consent/fixture.h"

#include <string.h>

#include "gateway/token/operator_token.h"
#include "gateway/token/slip.h"

/* Afterwards: slips, records, and what is still pending. */

static char *grant_one(struct fixture *fx)
{
    const Lianban__V1__GrantRequest request = fx_request(fx);
    return fx_agree(fx, fx_file(fx, &request));
}

static lb_status slip(struct fixture *fx, const char *desk, char *grant_id, char *id_no,
                      Lianban__V1__SlipResponse **out)
{
    Lianban__V1__SlipRequest request = LIANBAN__V1__SLIP_REQUEST__INIT;
    request.grant_id = grant_id;
    request.id_no = id_no;
    request.language = "zh";
    return lb_consent_slip(fx->consent, desk, &request, fx->arena, out);
}

static lb_status find(struct fixture *fx, const char *desk, char *code, char *id_no,
                      Lianban__V1__SlipStatus **out)
{
    Lianban__V1__FindSlipRequest request = LIANBAN__V1__FIND_SLIP_REQUEST__INIT;
    request.code = code;
    request.id_no = id_no;
    return lb_consent_find_slip(fx->consent, desk, &request, fx->arena, out);
}

/* --- slips --- */

static void a_slip_leads_back_to_its_grant(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__SlipResponse *printed = NULL, *again = NULL;
    Lianban__V1__SlipStatus *status = NULL;
    uint64_t seq = 0;
    struct lb_span token;
    char *grant = grant_one(fx);
    assert_ok(slip(fx, FX_DESK, grant, fx->adult, &printed));
    assert_int_equal(strlen(printed->code), 24);
    assert_non_null(strstr(printed->text, printed->code));
    assert_null(strstr(printed->text, fx->adult));
    assert_null(strstr(printed->text, FX_ADULT_NAME));
    assert_null(strstr(printed->text, grant));
    fx_stop(fx);
    fx_start(fx);
    assert_ok(slip(fx, FX_DESK_3, grant, fx->adult, &again)); /* lost, and printed anew */
    assert_string_equal(again->code, printed->code);
    assert_ok(find(fx, FX_DESK_3, printed->code, fx->adult, &status)); /* at any desk */
    assert_string_equal(status->grant_id, grant);
    assert_string_equal(status->state, "VALID");
    assert_int_equal(status->n_departments, 2);
    assert_int_equal(status->issued_unix_s, FX_NOW);
    assert_ok(fx_revoke(fx, FX_DESK_3, status->grant_id, fx->adult, &seq, &token));
    assert_ok(find(fx, FX_DESK, printed->code, fx->adult, &status));
    assert_string_equal(status->state, "WITHDRAWN");
    assert_int_equal(fx_entries(fx, "SLIP_PRINTED"), 2);
    assert_int_equal(fx_entries(fx, "SLIP_READ"), 2);
    assert_false(fx_holds(fx, lb_span_of(printed->code, 24))); /* the store has no codes */
}

static void slips_of_others(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__SlipResponse *printed = NULL;
    Lianban__V1__SlipStatus *status = NULL;
    char *grant = grant_one(fx);
    assert_code(slip(fx, FX_WINDOW, grant, fx->adult, &printed), LB_ROLE_NOT_ALLOWED);
    assert_code(slip(fx, FX_OTHER_DESK, grant, fx->adult, &printed), LB_ROLE_NOT_ALLOWED);
    assert_code(slip(fx, FX_DESK, grant, fx->other_adult, &printed), LB_MALFORMED);
    assert_code(slip(fx, FX_DESK, "g-1", fx->adult, &printed), LB_GRANT_UNKNOWN);
    assert_ok(slip(fx, FX_DESK, grant, fx->adult, &printed));
    assert_code(find(fx, FX_WINDOW, printed->code, fx->adult, &status), LB_ROLE_NOT_ALLOWED);
    assert_code(find(fx, FX_DESK, printed->code, fx->other_adult, &status), LB_GRANT_UNKNOWN);
    assert_code(find(fx, FX_DESK, printed->code, "", &status), LB_GRANT_UNKNOWN);
}

/* Codes are told apart from nothing but by being right, and guessing ends soon. */
static void guessing_is_cut_short(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__SlipResponse *printed = NULL;
    Lianban__V1__SlipStatus *status = NULL;
    char *grant = grant_one(fx);
    assert_ok(slip(fx, FX_DESK, grant, fx->adult, &printed));
    for (int i = 0; i < 5; i++) {
        uint8_t secret[LB_SLIP_SECRET_BYTES] = {(uint8_t)(i + 1)};
        char code[LB_SLIP_CODE_BYTES];
        lb_slip_code(secret, code); /* well-formed, of nobody */
        assert_code(find(fx, FX_DESK, i == 0 ? "1234" : code, fx->adult, &status),
                    LB_GRANT_UNKNOWN);
    }
    assert_code(find(fx, FX_DESK, printed->code, fx->adult, &status), LB_TRIES_EXHAUSTED);
    fx_stop(fx);
    fx_start(fx); /* a restart forgets nothing */
    assert_code(find(fx, FX_DESK, printed->code, fx->adult, &status), LB_TRIES_EXHAUSTED);
    assert_ok(find(fx, FX_DESK_3, printed->code, fx->adult, &status));
    fx_advance(fx, 601);
    assert_ok(find(fx, FX_DESK, printed->code, fx->adult, &status));
    assert_int_equal(fx_entries(fx, "GRANT_UNKNOWN"), 5);
}

static char *token_of(struct fixture *fx, const char *person)
{
    struct lb_span token;
    const struct lb_operator claims = {
        .organization = "hall", .kid = "o1", .unit = "u", .person = person, .jti = person,
        .iat = FX_NOW - 100, .exp = FX_NOW + 600};
    assert_ok(lb_operator_token_issue(&claims, fx->officer_key, fx->arena, &token));
    return lb_arena_str(fx->arena, token);
}

static enum lb_code guess(struct fixture *fx, const char *desk, char *officer)
{
    Lianban__V1__FindSlipRequest request = LIANBAN__V1__FIND_SLIP_REQUEST__INIT;
    Lianban__V1__SlipStatus *status = NULL;
    request.code = "1234";
    request.id_no = fx->adult;
    request.officer_token = officer;
    return lb_status_code(lb_consent_find_slip(fx->consent, desk, &request, fx->arena, &status));
}

/* Where officers are known, one who guesses is stopped at every desk, and the colleague who sits
 * down after him is not; but a desk is not without end either. */
static void guesses_count_for_officer_and_desk(void **state)
{
    struct fixture *fx = *state;
    char *first = token_of(fx, "000000000000000000000000000000aa");
    char *second = token_of(fx, "000000000000000000000000000000bb");
    char *third = token_of(fx, "000000000000000000000000000000cc");
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(fx, i < 3 ? FX_DESK : FX_DESK_3, first), LB_GRANT_UNKNOWN);
    assert_int_equal(guess(fx, FX_DESK, first), LB_TRIES_EXHAUSTED);
    assert_int_equal(guess(fx, FX_DESK_3, first), LB_TRIES_EXHAUSTED);
    for (int i = 0; i < 5; i++)
        assert_int_equal(guess(fx, FX_DESK, second), LB_GRANT_UNKNOWN);
    for (int i = 0; i < 2; i++)
        assert_int_equal(guess(fx, FX_DESK, third), LB_GRANT_UNKNOWN);
    assert_int_equal(guess(fx, FX_DESK, third), LB_TRIES_EXHAUSTED); /* ten there */
    assert_int_equal(guess(fx, FX_DESK_3, third), LB_GRANT_UNKNOWN);
}

/* --- records --- */

static lb_status read(struct fixture *fx, const char *desk, char *grant_id,
                      Lianban__V1__RecordResponse **out)
{
    Lianban__V1__RecordRequest request = LIANBAN__V1__RECORD_REQUEST__INIT;
    request.grant_id = grant_id;
    return lb_consent_read_record(fx->consent, desk, &request, fx->arena, out);
}

static void principal_of(struct fixture *fx, const char *text, char out[65])
{
    struct lb_json *json = NULL;
    struct lb_span id;
    (void)fx;
    assert_ok(lb_json_parse(lb_span_str(text), &json));
    assert_ok(lb_json_get_str(json, "pii_principal_id", &id));
    assert_int_equal(id.len, 64);
    memcpy(out, id.ptr, 64);
    out[64] = '\0';
    lb_json_free(json);
}

static void records_tell_no_two_are_of_one_person(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__RecordResponse *first = NULL, *second = NULL, *again = NULL;
    char a[65], b[65], c[65];
    uint64_t seq = 0;
    struct lb_span token;
    char *grant = grant_one(fx), *other = grant_one(fx);
    assert_code(read(fx, FX_WINDOW, grant, &first), LB_ROLE_NOT_ALLOWED);
    assert_code(read(fx, FX_DESK, "g-1", &first), LB_GRANT_UNKNOWN);
    assert_ok(read(fx, FX_DESK, grant, &first));
    assert_ok(read(fx, FX_DESK, other, &second));
    assert_int_equal(first->n_records, 1);
    principal_of(fx, first->records[0], a);
    principal_of(fx, second->records[0], b);
    assert_string_not_equal(a, b);
    fx_stop(fx);
    const char *stored = fx_text(fx, "SELECT record FROM consent_record");
    fx_start(fx);
    principal_of(fx, stored, c);
    assert_string_not_equal(a, c);
    assert_null(strstr(first->records[0], c)); /* nor is it who decided */
    assert_ok(fx_revoke(fx, FX_DESK, grant, fx->adult, &seq, &token));
    assert_ok(read(fx, FX_DESK, grant, &again));
    assert_int_equal(again->n_records, 2);
    assert_string_equal(again->records[0], first->records[0]);
    assert_non_null(strstr(again->records[1], "\"event_state\":\"withdrawn\""));
    assert_int_equal(fx_entries(fx, "RECORD_READ"), 3);
}

static void no_evidence_no_record(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__RecordResponse *record = NULL;
    Lianban__V1__SlipResponse *printed = NULL;
    char *grant = grant_one(fx);
    fx->log_clock.now_unix_ms -= 10000;
    assert_code(read(fx, FX_DESK, grant, &record), LB_LOG_UNAVAILABLE);
    assert_null(record);
    assert_code(slip(fx, FX_DESK, grant, fx->adult, &printed), LB_LOG_UNAVAILABLE);
    assert_null(printed);
    fx_stop(fx);
    fx->log_clock.now_unix_ms += 20000;
    fx_start(fx);
}

/* --- pending --- */

static void lists_what_waits(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ListPendingRequest ask = LIANBAN__V1__LIST_PENDING_REQUEST__INIT;
    Lianban__V1__ListPendingResponse *page = NULL;
    Lianban__V1__Guardian guardian;
    const Lianban__V1__GrantRequest child = fx_child_request(fx, &guardian);
    char *own = fx_file(fx, &child);
    for (int i = 0; i < 4; i++) {
        const Lianban__V1__GrantRequest request = fx_request(fx);
        (void)fx_file(fx, &request);
    }
    (void)grant_one(fx); /* decided: not listed */
    assert_code(lb_consent_pending(fx->consent, FX_WINDOW, &ask, fx->arena, &page),
                LB_ROLE_NOT_ALLOWED);
    ask.limit = 101;
    assert_code(lb_consent_pending(fx->consent, FX_DESK, &ask, fx->arena, &page), LB_MALFORMED);
    size_t found = 0, guarded = 0, pages = 0;
    ask.limit = 2;
    do {
        assert_ok(lb_consent_pending(fx->consent, FX_DESK, &ask, fx->arena, &page));
        for (size_t i = 0; i < page->n_requests; i++) {
            const Lianban__V1__PendingRequest *request = page->requests[i];
            found++;
            guarded += strcmp(request->agrees, "guardian") == 0;
            if (strcmp(request->agrees, "guardian") == 0)
                assert_string_equal(request->request_id, own);
            assert_int_equal(strlen(request->code), 6);
            ask.after = request->request_id;
        }
        pages++;
    } while (page->more);
    assert_int_equal(found, 5);
    assert_int_equal(guarded, 1);
    assert_int_equal(pages, 3);
    fx_advance(fx, 24 * 3600);
    ask.after = "";
    assert_ok(lb_consent_pending(fx->consent, FX_DESK, &ask, fx->arena, &page));
    assert_int_equal(page->n_requests, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slip_leads_back_to_its_grant, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(slips_of_others, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(guessing_is_cut_short, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(guesses_count_for_officer_and_desk, fx_setup_officers,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(records_tell_no_two_are_of_one_person, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(no_evidence_no_record, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(lists_what_waits, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
