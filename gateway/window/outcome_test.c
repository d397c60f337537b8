#include <string.h>

#include "gateway/window/fixture.h"

/* What codes and failures mean for the facts, and what is asked again. */

struct outcome {
    const char *code;
    const char *state;
    bool final;
};

/* Tax refuses every read with an outer code, and records it. */
static void outer_codes(void **state)
{
    static const struct outcome outcomes[] = {
        {"WRONG_REQUESTER", "denied", true},  {"USE_EXHAUSTED", "denied", true},
        {"RETRY_EXHAUSTED", "denied", true},  {"GRANT_REVOKED", "denied", true},
        {"FIELD_NOT_GRANTED", "denied", true}, {"STATUS_STALE", "unavailable", false},
        {"BUSY", "unavailable", false},       {"STOPPING", "unavailable", false},
        {"INTERNAL", "unavailable", false},   {"DEADLINE", "timeout", false},
    };
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        tax->refuse = outcomes[i].code;
        tax->refuse_times = SIZE_MAX;
        fx_run(fx, case_id, &got);
        const Lianban__V1__CaseFact *wage = fx_fact(&got, 0, "wage12");
        assert_string_equal(wage->state, outcomes[i].state);
        assert_string_equal(wage->code, outcomes[i].code);
        assert_true(wage->receipt_ok);
        assert_string_equal(got.result->class_id, "MANUAL");
        tax->refuse = NULL;
        size_t asked = tax->num_asked;
        fx_run(fx, case_id, &got);
        assert_int_equal(tax->num_asked, asked + (outcomes[i].final ? 0 : 1));
        assert_string_equal(got.result->class_id, outcomes[i].final ? "MANUAL" : "FULL");
        assert_ok(lb_window_close_case(fx->window, case_id));
    }
}

/* A code of a newer peer, and inner codes where only outer ones may stand, are never believed. */
static void codes_out_of_place(void **state)
{
    static const char *const codes[] = {"SOMETHING_NEWER", "NOT_FOUND", "OK", "STORE_FAILED"};
    struct fixture *fx = *state;
    struct fx_collected got;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx->adapters[FX_TAX].refuse = codes[i];
        fx->adapters[FX_TAX].refuse_times = SIZE_MAX;
        fx_run(fx, case_id, &got);
        assert_string_equal(fx_fact(&got, 0, "wage12")->state, "unavailable");
        assert_string_equal(fx_fact(&got, 0, "wage12")->code, "INTERNAL");
        assert_ok(lb_window_close_case(fx->window, case_id));
    }
}

static void inner_codes(void **state)
{
    static const struct outcome outcomes[] = {
        {"NOT_FOUND", "not_found", true},
        {"AMBIGUOUS", "ambiguous", true},
        {"STALE", "stale", true},
        {"SUBJECT_MISMATCH", "denied", true},
        {"GUARDIAN_NEEDED", "denied", true},
        {"TOO_LARGE", "denied", true},
        {"SOURCE_UNAVAILABLE", "unavailable", false},
        {"SOURCE_TIMEOUT", "timeout", false},
    };
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        tax->inner = outcomes[i].code;
        fx_run(fx, case_id, &got);
        const Lianban__V1__CaseFact *wage = fx_fact(&got, 0, "wage12");
        assert_string_equal(wage->state, outcomes[i].state);
        assert_string_equal(wage->code, outcomes[i].code);
        assert_true(wage->receipt_ok);
        assert_int_equal(got.result->receipts_failed, 0);
        tax->inner = NULL;
        size_t asked = tax->num_asked;
        fx_run(fx, case_id, &got);
        assert_int_equal(tax->num_asked, asked + (outcomes[i].final ? 0 : 1));
        assert_ok(lb_window_close_case(fx->window, case_id));
    }
}

/* States of single facts in one answer. */
static void mixed_facts(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[0]->state = LIANBAN__V1__FACT__STATE__TIMEOUT;
    answer->facts[0]->kind = LIANBAN__V1__FACT__KIND__KIND_UNKNOWN;
}

#define OVER 1900000000

static void at_night(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    Lianban__V1__Fact *const *facts = answer->facts;
    for (size_t i = 0; i < answer->n_facts; i++) {
        facts[i]->state = LIANBAN__V1__FACT__STATE__UNAVAILABLE;
        facts[i]->kind = LIANBAN__V1__FACT__KIND__KIND_UNKNOWN;
    }
    facts[0]->why = LIANBAN__V1__FACT__WHY__MAINTENANCE;
    facts[0]->again_unix_s = OVER;
    facts[1]->why = LIANBAN__V1__FACT__WHY__CODE;
    facts[1]->again_unix_s = OVER;
}

static void a_new_reason(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    at_night(answer, arena);
    answer->facts[0]->why = (Lianban__V1__Fact__Why)77;
}

/* Why a department has no answer now, and when it will; both may be had later. */
static void reasons_are_named(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    tax->change = at_night;
    fx_run(fx, case_id, &got);
    const Lianban__V1__CaseFact *wage = fx_fact(&got, 0, "wage12");
    assert_string_equal(wage->state, "unavailable");
    assert_string_equal(wage->code, "SOURCE_MAINTENANCE");
    assert_int_equal(wage->again_unix_s, OVER);
    const Lianban__V1__CaseFact *firms = fx_fact(&got, 0, "firms");
    assert_string_equal(firms->code, "CODE_UNMAPPED");
    assert_int_equal(firms->again_unix_s, 0);
    assert_string_equal(got.result->class_id, "MANUAL");
    fx_restart(fx);
    assert_int_equal(fx_get(fx, case_id)->missing[0]->again_unix_s, OVER);
    tax->change = a_new_reason;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "SOURCE_UNAVAILABLE");
    tax->change = NULL;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "ok");
    assert_int_equal(fx_fact(&got, 0, "wage12")->again_unix_s, 0);
    assert_ok(lb_window_close_case(fx->window, case_id));
}

static void unknown_fact(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->facts[0]->kind = LIANBAN__V1__FACT__KIND__KIND_UNKNOWN;
}

static void single_facts(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    tax->change = mixed_facts;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "timeout");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "SOURCE_TIMEOUT");
    assert_string_equal(fx_fact(&got, 0, "firms")->state, "ok");
    tax->change = NULL;
    fx_run(fx, case_id, &got);
    assert_int_equal(got.num_facts, 1); /* the other one stands */
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(tax->asked[1].num_wants, 2); /* a retry asks the same as the first time */
}

/* An honest unknown is an answer, and never FALSE. */
static void honest_unknown(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].change = unknown_fact;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "ok");
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_int_equal(got.result->facts_ok, 6);
    assert_int_equal(got.result->n_missing, 1);
    assert_string_equal(got.result->missing[0]->fact, "wage12");
    size_t asked = fx->adapters[FX_TAX].num_asked;
    fx_run(fx, case_id, &got);
    assert_int_equal(fx->adapters[FX_TAX].num_asked, asked);
}

/* --- sealing anew --- */

static void sealed_anew_once(void **state)
{
    static const char *const codes[] = {"CONTEXT_UNKNOWN", "KEY_RETIRED", "REQUEST_STALE"};
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    for (size_t i = 0; i < 3; i++) {
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        tax->refuse = codes[i];
        tax->refuse_times = 1;
        tax->num_asked = 0;
        fx_run(fx, case_id, &got);
        assert_string_equal(got.result->class_id, "FULL");
        assert_int_equal(got.num_facts, 6);
        assert_int_equal(tax->num_asked, 2);
        assert_memory_equal(tax->asked[0].rid, tax->asked[1].rid, 16);
        assert_memory_not_equal(tax->asked[0].txn, tax->asked[1].txn, 16);
        assert_memory_not_equal(tax->asked[0].enc, tax->asked[1].enc, 32);
        assert_int_equal(got.result->receipts_checked, 4);
        /* And not a third time; but one key may be retired, and of another that is listed its node
         * may not have seen the file yet: as long as the patience lasts. */
        size_t most = strcmp(codes[i], "KEY_RETIRED") == 0 ? 2 + 4 : 2;
        tax->refuse_times = SIZE_MAX;
        tax->num_asked = 0;
        case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx_run(fx, case_id, &got);
        assert_int_equal(tax->num_asked, most);
        assert_string_equal(fx_fact(&got, 0, "wage12")->state, "unavailable");
        assert_string_equal(fx_fact(&got, 0, "wage12")->code, codes[i]);
    }
}

/* --- the broker --- */

static void department_is_down(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx->adapters[FX_DISABLED].down = true;
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    for (uint32_t i = 0; i < 3; i++) {
        assert_string_equal(fx_fact(&got, i, "severe")->state, "unavailable");
        assert_string_equal(fx_fact(&got, i, "severe")->code, "UNAVAILABLE");
    }
    assert_int_equal(got.result->receipts_checked, 5);
    assert_int_equal(got.result->receipts_failed, 0);
    assert_string_equal(got.result->class_id, "MANUAL");
    fx->adapters[FX_DISABLED].down = false;
    fx_run(fx, case_id, &got);
    assert_int_equal(got.num_facts, 3);
    assert_string_equal(got.result->class_id, "FULL");
}

static void broker_fails(void **state)
{
    static const struct {
        enum lb_code code;
        const char *state;
        const char *told;
    } failures[] = {
        {LB_DEADLINE, "timeout", "DEADLINE"},
        {LB_UNAVAILABLE, "unavailable", "UNAVAILABLE"},
        {LB_FORM_UNKNOWN, "unavailable", "FORM_UNKNOWN"},
        {LB_STORE_FAILED, "unavailable", "INTERNAL"},
    };
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        for (size_t k = 0; k < FX_DEPARTMENTS; k++)
            fx->adapters[k].silent = true;
        fx->collect_fails = lb_status_of(failures[i].code);
        fx_run(fx, case_id, &got);
        assert_ok(got.status);
        assert_int_equal(got.num_facts, 6);
        assert_string_equal(fx_fact(&got, 0, "severe")->state, failures[i].state);
        assert_string_equal(fx_fact(&got, 0, "severe")->code, failures[i].told);
    }
    for (size_t k = 0; k < FX_DEPARTMENTS; k++)
        fx->adapters[k].silent = false;
    fx->collect_fails = LB_OK;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

/* What came before the broker failed is kept. */
static void broker_fails_midway(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].silent = true;
    fx->collect_fails = LB_FAULT(LB_DEADLINE, "test");
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "timeout");
    assert_string_equal(fx_fact(&got, 0, "severe")->state, "ok");
    assert_string_equal(fx_fact(&got, 0, "region")->state, "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outer_codes, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(codes_out_of_place, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(inner_codes, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(reasons_are_named, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(single_facts, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(honest_unknown, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(sealed_anew_once, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(department_is_down, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(broker_fails, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(broker_fails_midway, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
