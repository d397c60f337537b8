#include <string.h>

#include "gateway/note/record.h"
#include "gateway/window/fixture.h"

/* What citizens hold to be wrong in a department's answer. */

static lb_status ask(struct fixture *fx, const char *case_id, const char *fact, const char *says,
                     Lianban__V1__ActResponse **out)
{
    Lianban__V1__RequestCorrectionRequest request = LIANBAN__V1__REQUEST_CORRECTION_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)case_id;
    request.actor = fx_actor(fx, "B-0042", "窗口3");
    request.fact = (char *)(uintptr_t)fact;
    request.says = (char *)(uintptr_t)says;
    return lb_window_request_correction(fx->window, &request, fx->arena, out);
}

static lb_status close_one(struct fixture *fx, const char *case_id, uint32_t correction,
                           const char *outcome, Lianban__V1__ActResponse **out)
{
    Lianban__V1__CloseCorrectionRequest request = LIANBAN__V1__CLOSE_CORRECTION_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)case_id;
    request.actor = fx_actor(fx, "B-0042", "窗口3");
    request.correction = correction;
    request.outcome = (char *)(uintptr_t)outcome;
    request.answer = "已核实";
    return lb_window_close_correction(fx->window, &request, fx->arena, out);
}

static const Lianban__V1__CaseSummary *summary(struct fixture *fx)
{
    Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
    Lianban__V1__ListCasesResponse *page = NULL;
    assert_ok(lb_window_list(fx->window, &request, fx->arena, &page));
    assert_int_equal(page->n_cases, 1);
    return page->cases[0];
}

static void a_request_has_its_day_and_its_answer(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(ask(fx, case_id, "region", "已迁出", &act));
    assert_int_equal(act->result->n_corrections, 1);
    const Lianban__V1__CaseCorrection *one = act->result->corrections[0];
    assert_string_equal(one->department, "public-security");
    assert_string_equal(one->due, "2027-02-14"); /* thirty days */
    assert_string_equal(one->state, "WAITING");
    uint32_t number = one->record;
    fx_restart(fx);
    fx->clock.now_unix_ms += 86400 * INT64_C(1000);
    assert_ok(ask(fx, case_id, "region", "已迁出", &act)); /* the same again, and its day stays */
    assert_int_equal(act->record->number, number);
    assert_code(ask(fx, case_id, "region", "another", &act), LB_CASE_STATE);
    fx->clock.now_unix_ms += 29 * 86400 * INT64_C(1000);
    assert_int_equal(summary(fx)->corrections_open, 1);
    assert_int_equal(summary(fx)->corrections_overdue, 0); /* the last day */
    fx->clock.now_unix_ms += 86400 * INT64_C(1000);
    assert_int_equal(summary(fx)->corrections_overdue, 1);
    assert_string_equal(fx_get(fx, case_id)->corrections[0]->state, "OVERDUE");
    assert_ok(close_one(fx, case_id, number, "kept", &act));
    assert_string_equal(act->result->corrections[0]->state, "KEPT");
    assert_ok(close_one(fx, case_id, number, "kept", &act));
    assert_code(close_one(fx, case_id, number, "corrected", &act), LB_CASE_STATE);
    assert_int_equal(summary(fx)->corrections_open, 0);
    assert_ok(ask(fx, case_id, "region", "another", &act)); /* a new one */
    assert_int_equal(act->result->n_corrections, 2);
}

static void out_of_place_requests_are_refused(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_code(ask(fx, case_id, "wage12", "x", &act), LB_MALFORMED); /* nobody said anything */
    assert_code(ask(fx, case_id, "no_such", "x", &act), LB_MALFORMED);
    assert_code(ask(fx, case_id, "region", "", &act), LB_MALFORMED);
    assert_code(ask(fx, case_id, "region", "a\nby x", &act), LB_MALFORMED);
    assert_ok(ask(fx, case_id, "region", "x", &act));
    uint32_t number = act->record->number;
    assert_code(close_one(fx, case_id, 1, "kept", &act), LB_MALFORMED); /* a suggestion */
    assert_code(close_one(fx, case_id, number + 1, "kept", &act), LB_MALFORMED);
    assert_code(close_one(fx, case_id, 0, "kept", &act), LB_MALFORMED);
    assert_code(close_one(fx, case_id, number, "maybe", &act), LB_MALFORMED);
    assert_int_equal(fx_records(fx, case_id)->n_records, 2);
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_has_its_day_and_its_answer),
        TEST(out_of_place_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
