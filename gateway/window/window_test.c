#include <string.h>

#include "gateway/window/fixture.h"

/* Whole cases, from opening to closing. */

static void one_person(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    assert_int_equal(strlen(case_id), 34);
    assert_string_equal(fx_get(fx, case_id)->state, "OPEN");
    fx_agree(fx, case_id);
    assert_string_equal(fx_get(fx, case_id)->state, "GRANTS_PENDING");
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    assert_int_equal(got.num_facts, 6);
    assert_non_null(got.result);
    assert_string_equal(got.result->case_id, case_id);
    assert_string_equal(got.result->form, "test-aid");
    assert_int_equal(got.result->form_version, 3);
    assert_string_equal(got.result->state, "DECIDED");
    assert_string_equal(got.result->class_id, "FULL");
    assert_string_equal(got.result->class_zh, "全额");
    assert_int_equal(got.result->facts_total, 6);
    assert_int_equal(got.result->facts_ok, 6);
    assert_int_equal(got.result->documents_saved, 3);
    assert_int_equal(got.result->receipts_checked, 3);
    assert_int_equal(got.result->receipts_failed, 0);
    assert_int_equal(got.result->n_missing, 0);
    assert_int_equal(got.result->thresholds_version, 7);
    assert_int_equal(fx->num_collects, 1);
}

static void reasons(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    assert_int_equal(fx_get(fx, case_id)->n_reasons, 0);
    assert_string_equal(fx_get(fx, case_id)->class_id, "");
    fx->adapters[FX_TAX].down = true;
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_int_equal(got.result->n_reasons, 5);
    assert_string_equal(got.result->reasons[0]->condition, "identified");
    assert_string_equal(got.result->reasons[0]->truth, "TRUE");
    assert_string_equal(got.result->reasons[1]->condition, "poor");
    assert_string_equal(got.result->reasons[1]->truth, "UNKNOWN");
    assert_string_equal(got.result->reasons[1]->text_zh, "收入低于标准");
    assert_string_equal(got.result->reasons[1]->text_en, "Income below the line");
    assert_string_equal(got.result->reasons[1]->source, "SAL 20");
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_string_equal(got.result->class_zh, "转人工审核");
}

/* Values leave the agent only where the form shows them. */
static void shown_and_not_shown(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "same_person")->shown, "true");
    assert_string_equal(fx_fact(&got, 0, "region")->shown, "110101");
    assert_string_equal(fx_fact(&got, 0, "firms")->shown, "0");
    assert_string_equal(fx_fact(&got, 0, "wage12")->shown, "");
    assert_string_equal(fx_fact(&got, 0, "severe")->shown, "");
    assert_string_equal(fx_fact(&got, 0, "same_household")->shown, "");
    const Lianban__V1__CaseFact *wage = fx_fact(&got, 0, "wage12");
    assert_string_equal(wage->department, "tax");
    assert_string_equal(wage->view, "tax.income");
    assert_string_equal(wage->field, "income");
    assert_string_equal(wage->operator_, "SUM");
    assert_int_equal(wage->n_args, 1);
    assert_string_equal(wage->args[0], "12");
    assert_string_equal(wage->state, "ok");
    assert_string_equal(wage->code, "");
    assert_string_equal(wage->as_of, "2027-01-14");
    assert_true(wage->receipt_ok);
    assert_memory_equal(wage->txn.data, fx->adapters[FX_TAX].asked[0].txn, 16);
}

static void household(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    assert_int_equal(fx->num_tickets, 3);
    assert_string_equal(fx->tickets[2].role, "child");
    assert_string_equal(fx->tickets[2].guardian, "child");
    assert_string_equal(fx->tickets[0].guardian, "");
    fx_run(fx, case_id, &got);
    assert_int_equal(got.num_facts, 12);
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(got.result->receipts_checked, 8);
    assert_int_equal(fx->num_collects, 1);
    assert_int_equal(fx->adapters[FX_POLICE].num_asked, 3);
    assert_int_equal(fx->adapters[FX_POLICE].asked[0].num_wants, 3);
    assert_int_equal(fx->adapters[FX_POLICE].asked[2].num_wants, 1);
    assert_int_equal(fx->adapters[FX_TAX].num_asked, 2); /* nobody asks about a child's wages */
    assert_int_equal(fx->adapters[FX_DISABLED].num_asked, 3);
    assert_memory_not_equal(fx->adapters[FX_POLICE].asked[0].rid,
                            fx->adapters[FX_POLICE].asked[1].rid, 16);
}

/* The department got the request, its answer got lost: the second collect asks the same again. */
static void completed_by_a_second_collect(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected first, second;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    tax->silent = true;
    fx_run(fx, case_id, &first);
    assert_ok(first.status);
    assert_int_equal(first.num_facts, 6);
    assert_string_equal(fx_fact(&first, 0, "wage12")->state, "unavailable");
    assert_string_equal(fx_fact(&first, 0, "wage12")->code, "UNAVAILABLE");
    assert_false(fx_fact(&first, 0, "wage12")->receipt_ok);
    assert_string_equal(first.result->class_id, "MANUAL");
    assert_int_equal(first.result->facts_ok, 4);
    assert_int_equal(first.result->documents_saved, 2);
    assert_int_equal(first.result->n_missing, 2);
    assert_string_equal(first.result->missing[0]->fact, "wage12");
    tax->silent = false;
    fx_run(fx, case_id, &second);
    assert_int_equal(second.num_facts, 2); /* only what was missing */
    assert_string_equal(second.result->class_id, "FULL");
    assert_int_equal(second.result->receipts_checked, 3);
    assert_int_equal(tax->num_asked, 2);
    assert_memory_equal(tax->asked[0].rid, tax->asked[1].rid, 16);
    assert_memory_not_equal(tax->asked[0].txn, tax->asked[1].txn, 16);
    assert_int_equal(tax->asked[1].num_wants, tax->asked[0].num_wants);
    assert_int_equal(fx->adapters[FX_POLICE].num_asked, 1);
    fx_run(fx, case_id, &second); /* nothing is missing: nobody is asked */
    assert_int_equal(second.num_facts, 0);
    assert_string_equal(second.result->class_id, "FULL");
    assert_int_equal(fx->num_collects, 2);
}

/* An hour later the mandate is a new one, the logical request the same. */
static void mandate_is_renewed(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    tax->silent = true;
    fx_run(fx, case_id, &got);
    fx->clock.now_unix_ms += 2 * 3600 * 1000;
    fx->clock.now_monotonic_ms += 2 * 3600 * 1000;
    tax->silent = false;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_memory_equal(tax->asked[0].rid, tax->asked[1].rid, 16);
}

static void contexts_are_reused_for_a_while(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const struct fx_adapter *tax = &fx->adapters[FX_TAX];
    for (int i = 0; i < 3; i++) {
        const char *case_id = fx_open(fx, false);
        fx_agree(fx, case_id);
        fx_run(fx, case_id, &got);
        assert_string_equal(got.result->class_id, "FULL");
        fx->clock.now_unix_ms += 5 * 60 * 1000;
        fx->clock.now_monotonic_ms += 5 * 60 * 1000;
    }
    assert_memory_equal(tax->asked[0].enc, tax->asked[1].enc, 32);
    assert_memory_not_equal(tax->asked[1].enc, tax->asked[2].enc, 32);
    assert_memory_not_equal(tax->asked[0].enc, fx->adapters[FX_POLICE].asked[0].enc, 32);
}

static void watching(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_listener watch, late;
    const char *case_id = fx_open(fx, false);
    fx_listener_init(&watch);
    fx_listener_init(&late);
    const struct lb_listener_port port = fx_listener_port(&watch);
    const struct lb_listener_port late_port = fx_listener_port(&late);
    assert_ok(lb_window_watch(fx->window, case_id, &port, &watch.listener));
    assert_null(fx_listener_next(fx, &watch));
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_int_equal(watch.kicks, 7);
    for (int i = 0; i < 7; i++)
        assert_int_equal(fx_listener_next(fx, &watch)->body_case,
                         i < 6 ? LIANBAN__V1__CASE_EVENT__BODY_FACT
                               : LIANBAN__V1__CASE_EVENT__BODY_RESULT);
    assert_null(fx_listener_next(fx, &watch));
    assert_false(watch.finished);
    assert_ok(lb_window_watch(fx->window, case_id, &late_port, &late.listener));
    assert_int_equal(late.kicks, 1);
    assert_non_null(fx_listener_next(fx, &late));
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_true(watch.finished && late.finished);
    assert_ok(watch.status);
    assert_null(fx_listener_next(fx, &late)); /* closing erases */
    fx_listener_close(&watch);
    fx_listener_close(&late);
}

/* --- while a collect is under way --- */

static void look_inside(struct fixture *fx, Lianban__V1__CollectEvent *event,
                        struct lb_arena *arena)
{
    struct fx_listener *second = fx->guest;
    (void)event;
    (void)arena;
    if (second->listener != NULL)
        return;
    const char *case_id = fx->tickets[0].case_id;
    const struct lb_listener_port port = fx_listener_port(second);
    assert_string_equal(fx_get(fx, case_id)->state, "COLLECTING");
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_STATE);
    assert_ok(lb_window_collect(fx->window, case_id, &port, &second->listener));
}

static void second_listener_joins(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_listener second;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_listener_init(&second);
    fx->tamper = look_inside;
    fx->guest = &second;
    fx_run(fx, case_id, &got);
    fx_listener_wait(&second);
    assert_ok(second.status);
    assert_int_equal(fx->num_collects, 1);
    size_t num = 0;
    while (fx_listener_next(fx, &second) != NULL)
        num++;
    assert_int_equal(num, 7);
    fx_listener_close(&second);
}

static void unknown_cases(void **state)
{
    struct fixture *fx = *state;
    static const char *const ids[] = {"", "c-", "c-00000000000000000000000000000000",
                                      "c-000000000000000000000000000000000", "../../etc"};
    Lianban__V1__CaseResult *result = NULL;
    Lianban__V1__RequestGrantsResponse *tickets = NULL;
    struct fx_listener listener;
    fx_listener_init(&listener);
    const struct lb_listener_port port = fx_listener_port(&listener);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_code(lb_window_get(fx->window, ids[i], fx->arena, &result), LB_CASE_UNKNOWN);
        assert_code(lb_window_request_grants(fx->window, ids[i], fx->arena, &tickets),
                    LB_CASE_UNKNOWN);
        assert_code(lb_window_close_case(fx->window, ids[i]), LB_CASE_UNKNOWN);
        assert_code(lb_window_collect(fx->window, ids[i], &port, &listener.listener),
                    LB_CASE_UNKNOWN);
        assert_code(lb_window_watch(fx->window, ids[i], &port, &listener.listener),
                    LB_CASE_UNKNOWN);
    }
    assert_null(listener.listener);
    const char *case_id = fx_open(fx, false);
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_UNKNOWN);
    fx_listener_close(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_person, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(reasons, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(shown_and_not_shown, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(household, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(completed_by_a_second_collect, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(mandate_is_renewed, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(contexts_are_reused_for_a_while, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(watching, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(second_listener_joins, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(unknown_cases, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
