#include "gateway/window/fixture.h"

#include "gateway/crypto/hash.h"
#include "gateway/register/proof.h"
#include "gateway/token/operator_token.h"
#include "gateway/window/inside.h"

/* Who may open a case and get a token, and who not any more. */

struct opening {
    Lianban__V1__Member member;
    Lianban__V1__Member *members[1];
    Lianban__V1__OperatorProof proof;
    Lianban__V1__OpenCaseRequest request;
    uint8_t nonce[LB_PROOF_NONCE_BYTES];
    uint8_t signature[LB_SIGNATURE_BYTES];
};

static void begin(struct fixture *fx, struct opening *opening, const char *badge, const char *unit)
{
    *opening = (struct opening){.member = LIANBAN__V1__MEMBER__INIT,
                                .proof = LIANBAN__V1__OPERATOR_PROOF__INIT,
                                .request = LIANBAN__V1__OPEN_CASE_REQUEST__INIT};
    opening->member.role = (char *)(uintptr_t) "applicant";
    opening->member.id_no = (char *)(uintptr_t)fx_id(fx, "19900101", 1);
    opening->member.name = (char *)(uintptr_t) "张三";
    opening->members[0] = &opening->member;
    opening->request.form = (char *)(uintptr_t)lb_form_of(fx->form)->id;
    opening->request.members = opening->members;
    opening->request.n_members = 1;
    opening->request.operator_badge = (char *)(uintptr_t)badge;
    opening->request.operator_unit = (char *)(uintptr_t)unit;
}

static lb_status open_case(struct fixture *fx, struct opening *opening, const char **out_id)
{
    Lianban__V1__OpenCaseResponse *response = NULL;
    LB_TRY(lb_window_open(fx->window, &opening->request, fx->arena, &response));
    *out_id = response->case_id;
    return LB_OK;
}

static void assert_opens(struct fixture *fx, struct opening *opening, enum lb_code code)
{
    const char *id = NULL;
    assert_code(open_case(fx, opening, &id), code);
}

static void prove(struct fixture *fx, struct opening *opening, const struct lb_sign_key *key,
                  int64_t time_s, uint8_t nonce)
{
    struct lb_proof proof = {.agent = FX_WINDOW, .badge = "D-1", .unit = "unit",
                             .form = opening->request.form, .time_unix_s = time_s};
    const struct lb_span parts[] = {lb_span_str(opening->member.id_no), lb_span_str("\n")};
    struct lb_span text;
    memset(opening->nonce, nonce, sizeof(opening->nonce));
    memcpy(proof.nonce, opening->nonce, sizeof(proof.nonce));
    lb_sha256_parts(parts, 2, proof.content);
    assert_ok(lb_proof_text(&proof, fx->arena, &text));
    assert_ok(lb_sign(key, text, opening->signature));
    opening->proof.time_unix_s = time_s;
    opening->proof.nonce = (ProtobufCBinaryData){sizeof(opening->nonce), opening->nonce};
    opening->proof.signature =
        (ProtobufCBinaryData){sizeof(opening->signature), opening->signature};
    opening->request.operator_proof = &opening->proof;
}

static void unknown_badges_and_foreign_units_open_nothing(void **state)
{
    struct fixture *fx = *state;
    struct opening opening;
    begin(fx, &opening, "B-2", "unit");
    assert_opens(fx, &opening, LB_BADGE_UNKNOWN);
    begin(fx, &opening, "B-1", "other");
    assert_opens(fx, &opening, LB_BADGE_UNKNOWN);
    begin(fx, &opening, "B-1'; DROP TABLE person; --", "unit");
    assert_opens(fx, &opening, LB_BADGE_UNKNOWN);
    begin(fx, &opening, "B-1", "unit");
    assert_opens(fx, &opening, LB_CODE_OK);
}

static void a_badge_outside_its_validity_opens_nothing(void **state)
{
    struct fixture *fx = *state;
    struct opening opening;
    begin(fx, &opening, "B-1", "unit");
    fx->clock.now_unix_ms += INT64_C(90) * 86400 * 1000;
    assert_opens(fx, &opening, LB_BADGE_EXPIRED);
    fx->clock.now_unix_ms += -INT64_C(92) * 86400 * 1000;
    assert_opens(fx, &opening, LB_BADGE_EXPIRED);
}

static void a_suspended_badge_opens_nothing(void **state)
{
    struct fixture *fx = *state;
    struct opening opening;
    begin(fx, &opening, "B-1", "unit");
    assert_ok(lb_register_suspend(fx->operators, "B-1", true, "test", FX_NOW));
    assert_opens(fx, &opening, LB_BADGE_SUSPENDED);
    assert_string_equal(fx->recorded, "OPERATOR_SUSPENDED");
    assert_ok(lb_register_suspend(fx->operators, "B-1", false, "test", FX_NOW));
    assert_opens(fx, &opening, LB_CODE_OK);
    assert_string_equal(fx->recorded, "OPERATOR_RESUMED");
}

static lb_status token(struct fixture *fx, const char *person, const char **out)
{
    return lb_window_operators_token(fx->window->operators, &fx->window->options, "unit", person,
                                     fx->arena, out);
}

/* The attack: a token that lies ready for the suspended one. */
static void a_cached_token_goes_with_its_operator(void **state)
{
    struct fixture *fx = *state;
    char person[LB_REGISTER_HASH_CHARS + 1];
    const char *first = NULL, *again = NULL;
    struct lb_operator claims;
    lb_register_hash(fx->person_key, fx_id(fx, "19800101", 2), person);
    assert_ok(token(fx, person, &first));
    assert_ok(token(fx, person, &again));
    assert_string_equal(first, again);
    assert_ok(lb_operator_token_peek(lb_span_str(first), fx->arena, &claims));
    assert_string_equal(claims.person, person);
    assert_int_equal(claims.exp - claims.iat, LB_OPERATOR_TOKEN_LIFE_S);

    assert_ok(lb_register_suspend(fx->operators, "B-1", true, "test", FX_NOW));
    assert_code(token(fx, person, &again), LB_BADGE_SUSPENDED);
    assert_ok(lb_register_suspend(fx->operators, "B-1", false, "test", FX_NOW));
    assert_ok(token(fx, person, &again));
    assert_string_not_equal(first, again); /* the old one was not kept */
    assert_code(token(fx, "00112233445566778899aabbccddeeff", &again), LB_BADGE_UNKNOWN);
    fx->clock.now_unix_ms += INT64_C(90) * 86400 * 1000;
    assert_code(token(fx, person, &again), LB_BADGE_EXPIRED);
}

static void suspended_in_the_middle_of_a_case(void **state)
{
    struct fixture *fx = *state;
    const char *id = fx_open(fx, false);
    fx_agree(fx, id);
    assert_ok(lb_register_suspend(fx->operators, "B-0042", true, "test", FX_NOW));
    struct fx_collected got;
    fx_run(fx, id, &got);
    assert_code(got.status, LB_BADGE_SUSPENDED);
    assert_int_equal(fx->num_collects, 0);
    assert_ok(lb_register_suspend(fx->operators, "B-0042", false, "test", FX_NOW));
    fx_run(fx, id, &got);
    assert_ok(got.status);
}

static void nobody_serves_before_the_evidence_is_there(void **state)
{
    struct fixture *fx = *state;
    struct opening opening;
    begin(fx, &opening, "B-1", "unit");
    fx->record_fails = LB_FAULT(LB_LOG_UNAVAILABLE, "the disk is full");
    assert_opens(fx, &opening, LB_LOG_UNAVAILABLE);
    assert_int_equal(fx->num_recorded, 0);
    fx->record_fails = LB_OK;
    assert_opens(fx, &opening, LB_CODE_OK);
    assert_int_equal(fx->num_recorded, 3); /* the three of the fixture, each once */
    assert_opens(fx, &opening, LB_CODE_OK);
    assert_int_equal(fx->num_recorded, 3);
}

static void a_device_key_must_be_proved(void **state)
{
    struct fixture *fx = *state;
    struct opening opening;
    begin(fx, &opening, "D-1", "unit");
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);
    prove(fx, &opening, fx->street_key, FX_NOW, 1);
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);
    prove(fx, &opening, fx->device_key, FX_NOW + LB_PROOF_MAX_AGE_S + 1, 1);
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);
    prove(fx, &opening, fx->device_key, FX_NOW - 1, 1); /* before the agent was there */
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);

    prove(fx, &opening, fx->device_key, FX_NOW, 1);
    opening.member.id_no = (char *)(uintptr_t)fx_id(fx, "19900101", 2);
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN); /* signed for somebody else's case */
    opening.member.id_no = (char *)(uintptr_t)fx_id(fx, "19900101", 1);
    assert_opens(fx, &opening, LB_CODE_OK);
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN); /* once */
    prove(fx, &opening, fx->device_key, FX_NOW, 2);
    assert_opens(fx, &opening, LB_CODE_OK);
    opening.proof.signature.len--;
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);
    opening.proof.nonce.len--;
    assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);
}

static void proofs_stay_used_as_long_as_they_would_pass(void **state)
{
    struct fixture *fx = *state;
    struct opening opening;
    begin(fx, &opening, "D-1", "unit");
    prove(fx, &opening, fx->device_key, FX_NOW + LB_PROOF_MAX_AGE_S, 1);
    assert_opens(fx, &opening, LB_CODE_OK);
    for (int i = 0; i < 2; i++) {
        fx->clock.now_unix_ms += LB_PROOF_MAX_AGE_S * 1000;
        assert_opens(fx, &opening, LB_DEVICE_UNPROVEN);
    }
}

/* Contexts do not outlive their time in an agent that has nothing to do. */
static void old_contexts_are_wiped(void **state)
{
    struct fixture *fx = *state;
    static const struct lb_window_context nothing;
    struct fx_collected got;
    const char *id = fx_open(fx, false);
    fx_agree(fx, id);
    fx_run(fx, id, &got);
    assert_ok(got.status);
    assert_int_equal(fx->window->num_contexts, FX_DEPARTMENTS);
    fx->clock.now_monotonic_ms += LB_WINDOW_CONTEXT_LIFE_MS - 1;
    assert_ok(lb_window_tick(fx->window));
    assert_int_equal(fx->window->num_contexts, FX_DEPARTMENTS);
    fx->clock.now_monotonic_ms += 1;
    assert_ok(lb_window_tick(fx->window));
    assert_int_equal(fx->window->num_contexts, 0);
    for (size_t i = 0; i < FX_DEPARTMENTS; i++)
        assert_memory_equal(&fx->window->contexts[i], &nothing, sizeof(nothing));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unknown_badges_and_foreign_units_open_nothing, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_badge_outside_its_validity_opens_nothing, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_suspended_badge_opens_nothing, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_cached_token_goes_with_its_operator, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(suspended_in_the_middle_of_a_case, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(nobody_serves_before_the_evidence_is_there, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_device_key_must_be_proved, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(old_contexts_are_wiped, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(proofs_stay_used_as_long_as_they_would_pass, fx_setup,
                                        fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
