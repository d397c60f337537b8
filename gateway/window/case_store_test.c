#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/window/fixture.h"

/* Cases on disk: they survive a restart at any step, nobody else reads them, and closing erases. */

static void survives_every_step(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_adapter *tax = &fx->adapters[FX_TAX];
    const char *case_id = fx_open(fx, true);
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->state, "OPEN");
    fx_agree(fx, case_id);
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->state, "GRANTS_PENDING");
    Lianban__V1__RequestGrantsResponse *tickets = NULL;
    assert_ok(lb_window_request_grants(fx->window, case_id, fx->arena, &tickets));
    assert_int_equal(tickets->n_tickets, 3);
    assert_int_equal(fx->num_tickets, 3); /* the same ones */
    tax->silent = true;
    fx_run(fx, case_id, &got);
    fx_restart(fx);
    tax->silent = false;
    fx_run(fx, case_id, &got);
    assert_int_equal(got.num_facts, 4); /* only what was missing */
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(got.result->receipts_checked, 8);
    assert_memory_equal(tax->asked[0].rid, tax->asked[2].rid, 16);
    assert_memory_equal(tax->asked[1].rid, tax->asked[3].rid, 16);
    fx_restart(fx);
    const Lianban__V1__CaseResult *kept = fx_get(fx, case_id);
    assert_string_equal(kept->state, "DECIDED");
    assert_string_equal(kept->class_id, "FULL");
    assert_string_equal(kept->class_en, "full");
    assert_string_equal(kept->reasons[1]->truth, "TRUE");
    assert_int_equal(kept->facts_ok, 12);
    assert_int_equal(kept->documents_saved, got.result->documents_saved);
    assert_int_equal(kept->receipts_checked, 8);
    assert_int_equal(kept->thresholds_version, 7);
    assert_int_equal(kept->n_amounts, 1);
    assert_string_equal(kept->amounts[0]->amount, "gap");
    assert_string_equal(kept->amounts[0]->unit, "cents");
    assert_int_equal(kept->amounts[0]->value, got.result->amounts[0]->value);
    assert_true(kept->amounts[0]->value > 0);
}

/* --- power cut while the departments are asked --- */

static void copy_file(struct fixture *fx, const char *from, const char *to)
{
    struct lb_span content;
    struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
    assert_ok(lb_file_read(fx_path(fx, from), 32 * 1024 * 1024, arena, &content));
    assert_ok(lb_file_write(fx_path(fx, to), content, 0600));
    lb_arena_free(arena);
}

static void freeze(struct fixture *fx, Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)event;
    (void)arena;
    if (fx->which++ > 0)
        return;
    copy_file(fx, "cases.db", "frozen.db");
    copy_file(fx, "cases.db-wal", "frozen.db-wal");
}

/* What went out is known afterwards: the same request ids, so that no use is counted twice. */
static void power_cut_in_mid_collect(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->tamper = freeze;
    fx_run(fx, case_id, &got);
    (void)snprintf(fx->store_path, sizeof(fx->store_path), "%s", fx_path(fx, "frozen.db"));
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->class_id, ""); /* it never heard an answer */
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    for (size_t i = 0; i < FX_DEPARTMENTS; i++) {
        assert_int_equal(fx->adapters[i].num_asked, 2);
        assert_memory_equal(fx->adapters[i].asked[0].rid, fx->adapters[i].asked[1].rid, 16);
    }
}

static void manual_and_codes_survive(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].inner = "SUBJECT_MISMATCH";
    fx_run(fx, case_id, &got);
    fx_restart(fx);
    const Lianban__V1__CaseResult *kept = fx_get(fx, case_id);
    assert_string_equal(kept->class_id, "MANUAL");
    assert_string_equal(kept->class_zh, "转人工审核");
    assert_int_equal(kept->n_amounts, 0); /* nothing is told where a person decides */
    assert_string_equal(kept->reasons[1]->truth, "UNKNOWN");
    assert_int_equal(kept->n_missing, 2);
    assert_string_equal(kept->missing[0]->state, "denied");
    assert_string_equal(kept->missing[0]->code, "SUBJECT_MISMATCH");
    assert_memory_equal(kept->missing[0]->txn.data, fx->adapters[FX_TAX].asked[0].txn, 16);
}

/* A listener gets what came before the restart, in the order it came. */
static void events_survive(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_listener watch;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    fx_restart(fx);
    fx_listener_init(&watch);
    const struct lb_listener_port port = fx_listener_port(&watch);
    assert_ok(lb_window_watch(fx->window, case_id, &port, &watch.listener));
    for (size_t i = 0; i < got.num_facts; i++) {
        const Lianban__V1__CaseEvent *event = fx_listener_next(fx, &watch);
        assert_int_equal(event->body_case, LIANBAN__V1__CASE_EVENT__BODY_FACT);
        assert_string_equal(event->fact->fact, got.facts[i]->fact);
        assert_string_equal(event->fact->shown, got.facts[i]->shown);
        assert_string_equal(event->fact->as_of, got.facts[i]->as_of);
        assert_int_equal(event->fact->receipt_ok, got.facts[i]->receipt_ok);
    }
    assert_int_equal(fx_listener_next(fx, &watch)->body_case,
                     LIANBAN__V1__CASE_EVENT__BODY_RESULT);
    assert_null(fx_listener_next(fx, &watch));
    fx_listener_close(&watch);
}

/* --- secrecy --- */

static void closing_erases(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    const char *other = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    const char *plain[] = {fx_id(fx, "19800101", 11), fx_id(fx, "20150303", 33), "张三丰", "张小宝",
                           "B-0042", "123456"};
    struct lb_span sealed = fx_stored_case(fx, case_id);
    assert_true(sealed.len > 4096);
    assert_true(fx_in_files(fx, sealed.ptr + 100, 64)); /* the search can find */
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        assert_false(fx_in_files(fx, plain[i], strlen(plain[i])));
    assert_ok(lb_window_close_case(fx->window, case_id));
    for (size_t at = 0; at + 64 <= sealed.len; at += 64)
        assert_false(fx_in_files(fx, sealed.ptr + at, 64)); /* not even what was encrypted */
    assert_false(fx_in_files(fx, case_id, strlen(case_id)));
    fx_restart(fx);
    Lianban__V1__CaseResult *result = NULL;
    assert_code(lb_window_get(fx->window, case_id, fx->arena, &result), LB_CASE_UNKNOWN);
    assert_string_equal(fx_get(fx, other)->state, "OPEN");
}

static void assert_start_fails(struct fixture *fx, enum lb_code code, const char *says)
{
    struct lb_window *window = NULL;
    lb_window_free(fx->window);
    fx->window = NULL;
    assert_code(fx_new_window(fx, &window), code);
    assert_null(window);
    if (strstr(fx->diag.text, says) == NULL)
        fail_msg("%s", fx->diag.text);
}

static void wrong_key(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_open(fx, false);
    fx->case_key[31] ^= 1;
    assert_start_fails(fx, LB_CONFIG_INVALID, "another case key");
    fx->case_key[31] ^= 1;
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->state, "OPEN");
}

/* Also a store without a single case. */
static void wrong_key_of_empty_store(void **state)
{
    struct fixture *fx = *state;
    fx->case_key[0] ^= 1;
    assert_start_fails(fx, LB_CONFIG_INVALID, "another case key");
}

/* --- damage --- */

static void damaged_case(void **state)
{
    struct fixture *fx = *state;
    (void)fx_open(fx, false);
    fx_change_store(fx, "UPDATE cases SET sealed = zeroblob(200)");
    assert_start_fails(fx, LB_STORE_FAILED, "cannot be read");
    fx_change_store(fx, "UPDATE cases SET sealed = x'00'");
    assert_start_fails(fx, LB_STORE_FAILED, "cannot be read");
}

static void case_under_another_id(void **state)
{
    struct fixture *fx = *state;
    (void)fx_open(fx, false);
    fx_change_store(fx, "UPDATE cases SET id = 'c-00000000000000000000000000000000'");
    assert_start_fails(fx, LB_STORE_FAILED, "cannot be read");
}

static void newer_store(void **state)
{
    struct fixture *fx = *state;
    fx_change_store(fx, "PRAGMA user_version = 99");
    assert_start_fails(fx, LB_VERSION_UNSUPPORTED, "cases.db");
}

/* --- what else is refused at start --- */

static void form_not_listed(void **state)
{
    struct fixture *fx = *state;
    lb_window_free(fx->window);
    fx->window = NULL;
    char *text = lb_arena_printf(fx->arena, "# changed\n%s", fx_form_text());
    struct lb_form_compiled *right = fx->form, *changed = NULL;
    assert_ok(lb_form_load_text(lb_span_str(text), "form.yaml", fx->rules, &fx->diag, &changed));
    fx->forms[0].form = changed;
    assert_start_fails(fx, LB_FORM_UNKNOWN, "test-aid");
    fx->forms[0].form = right;
    lb_form_free(changed);
}

static void key_not_listed(void **state)
{
    struct fixture *fx = *state;
    struct lb_x25519_key right = fx->seal_key;
    assert_ok(lb_x25519_generate(&fx->seal_key));
    assert_start_fails(fx, LB_CONFIG_INVALID, "no sealing key of");
    fx->seal_key = right;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(survives_every_step, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(power_cut_in_mid_collect, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(manual_and_codes_survive, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(events_survive, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(closing_erases, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(wrong_key, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(wrong_key_of_empty_store, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(damaged_case, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(case_under_another_id, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(newer_store, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(form_not_listed, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(key_not_listed, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
