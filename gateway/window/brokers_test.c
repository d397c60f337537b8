#include <string.h>

#include "gateway/window/brokers.h"
#include "gateway/window/fixture.h"

/* Several brokers: any may fail at any moment, and what was asked is finished by another. */

static const char *const names[] = {"a", "b", "c"};

static struct fx_hub *hub(struct fixture *fx, size_t broker)
{
    return &fx->hubs[broker];
}

static int setup_two(void **state)
{
    int failed = fx_setup(state);
    struct fixture *fx = *state;
    fx->num_brokers = 2;
    fx_restart(fx);
    return failed;
}

static void collect(struct fixture *fx, const char *case_id, struct fx_collected *got)
{
    fx_run(fx, case_id, got);
    assert_ok(got->status);
}

static const char *agreed(struct fixture *fx)
{
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    return case_id;
}

static void assert_complete(const struct fx_collected *got)
{
    assert_string_equal(got->result->class_id, "FULL");
    assert_int_equal(got->result->facts_ok, got->result->facts_total);
    assert_int_equal(got->result->receipts_failed, 0);
}

/* --- health --- */

static void the_preferred_one_first(void **state)
{
    struct lb_clock_fixed clock;
    struct lb_window_brokers brokers;
    (void)state;
    lb_clock_fixed_init(&clock, 1000);
    lb_window_brokers_init(&brokers, &clock.clock, names, 3);
    assert_int_equal(lb_window_brokers_pick(&brokers, 0), 0);
    assert_int_equal(lb_window_brokers_pick(&brokers, 1), 1);
    lb_window_brokers_failed(&brokers, 0);
    assert_int_equal(lb_window_brokers_pick(&brokers, 0), 1);
    lb_window_brokers_failed(&brokers, 1);
    assert_int_equal(lb_window_brokers_pick(&brokers, 0), 2);
    assert_int_equal(lb_window_brokers_pick(&brokers, 4), 0); /* better than none */
    assert_int_equal(lb_window_brokers_pick(&brokers, 5), 1);
    assert_int_equal(lb_window_brokers_pick(&brokers, 7), 3);
    lb_window_brokers_failed(&brokers, 2);
    assert_int_equal(lb_window_brokers_pick(&brokers, 0), 0);
    lb_window_brokers_answered(&brokers, 1);
    assert_int_equal(lb_window_brokers_pick(&brokers, 0), 1);
    lb_window_brokers_cleanup(&brokers);
}

static void probes_have_pauses(void **state)
{
    static const int64_t at[] = {1000, 3000, 7000, 15000, 25000, 35000};
    struct lb_clock_fixed clock;
    struct lb_window_brokers brokers;
    (void)state;
    lb_clock_fixed_init(&clock, 1000);
    lb_window_brokers_init(&brokers, &clock.clock, names, 2);
    assert_int_equal(lb_window_brokers_due(&brokers), 2);
    lb_window_brokers_failed(&brokers, 1);
    int64_t now = 0;
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        clock.now_monotonic_ms += at[i] - now - 1;
        assert_int_equal(lb_window_brokers_due(&brokers), 2);
        lb_window_brokers_failed(&brokers, 1); /* known already: no probe is put off */
        clock.now_monotonic_ms += 1;
        now = at[i];
        assert_int_equal(lb_window_brokers_due(&brokers), 1);
        assert_int_equal(lb_window_brokers_due(&brokers), 2);
    }
    lb_window_brokers_answered(&brokers, 1);
    clock.now_monotonic_ms += 100000;
    assert_int_equal(lb_window_brokers_due(&brokers), 2);
    lb_window_brokers_cleanup(&brokers);
}

/* --- collects --- */

static void a_dead_one_is_left_out_until_it_answers(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->dead = true;
    const char *case_id = agreed(fx);
    collect(fx, case_id, &got);
    assert_complete(&got);
    assert_int_equal(fx->num_collects, 2);
    for (size_t i = 0; i < FX_DEPARTMENTS; i++)
        assert_int_equal(fx->adapters[i].num_asked, 1);
    /* Not tried first again, although it would answer, until it was probed. */
    hub(fx, 0)->dead = false;
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(hub(fx, 0)->num_asked, 0);
    fx->clock.now_monotonic_ms += 1000;
    lb_window_probe(fx->window);
    assert_int_equal(hub(fx, 0)->num_probes, 1);
    collect(fx, agreed(fx), &got);
    assert_int_equal(hub(fx, 0)->num_asked, 0);
    hub(fx, 0)->well = true;
    fx->clock.now_monotonic_ms += 2000;
    lb_window_probe(fx->window);
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(hub(fx, 0)->num_asked, 1);
    assert_int_equal(hub(fx, 1)->num_asked, 3);
}

/* The first dies after one answer: that one is kept, the others are asked again as what they are,
 * the same requests sealed anew. */
static void one_that_dies_midway(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    size_t twice = 0;
    hub(fx, 0)->cut = true;
    hub(fx, 0)->cut_after = 1;
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(got.num_facts, got.result->facts_total); /* each told once */
    for (size_t i = 0; i < FX_DEPARTMENTS; i++) {
        const struct fx_adapter *adapter = &fx->adapters[i];
        if (adapter->num_asked == 1)
            continue;
        twice++;
        assert_int_equal(adapter->num_asked, 2);
        assert_memory_equal(adapter->asked[0].rid, adapter->asked[1].rid, 16);
        assert_memory_not_equal(adapter->asked[0].txn, adapter->asked[1].txn, 16);
        assert_true(adapter->asked[0].seq != adapter->asked[1].seq);
    }
    assert_int_equal(twice, FX_DEPARTMENTS - 1);
}

/* It serves, but has no link to one department: only that one is asked elsewhere. */
static void one_without_a_link(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->unlinked = 1U << FX_TAX;
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(hub(fx, 1)->num_asked, 1);
    for (size_t i = 0; i < FX_DEPARTMENTS; i++)
        assert_int_equal(fx->adapters[i].num_asked, 1);
    /* Such a broker is not down. */
    collect(fx, agreed(fx), &got);
    assert_int_equal(hub(fx, 0)->num_asked, 2);
}

static void a_refusal_that_another_may_not_share(void **state)
{
    static const enum lb_code codes[] = {LB_FORM_UNKNOWN, LB_BUSY, LB_LOG_FULL, LB_PEER_EXPIRED,
                                         LB_STOPPING};
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->well = true;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        size_t before = hub(fx, 0)->num_asked;
        hub(fx, 0)->refuses = codes[i];
        collect(fx, agreed(fx), &got);
        assert_complete(&got);
        assert_int_equal(hub(fx, 0)->num_asked, before + 1);
        fx->clock.now_monotonic_ms += 1000;
        lb_window_probe(fx->window);
    }
}

/* What is about the request, and what a department has said, is said once. */
static void what_is_not_asked_again(void **state)
{
    static const enum lb_code codes[] = {LB_OPERATOR_TOKEN_INVALID, LB_GRANT_EXPIRED, LB_MALFORMED};
    struct fixture *fx = *state;
    struct fx_collected got;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        hub(fx, 0)->refuses = codes[i];
        collect(fx, agreed(fx), &got);
        assert_string_equal(got.result->class_id, "MANUAL");
    }
    hub(fx, 0)->refuses = LB_CODE_OK;
    fx->adapters[FX_TAX].refuse = "BUSY";
    fx->adapters[FX_TAX].refuse_times = SIZE_MAX;
    collect(fx, agreed(fx), &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "BUSY");
    assert_int_equal(hub(fx, 1)->num_asked, 0);
}

/* Neither helps, for a third of the time; then the case says what is missing. */
static void none_is_left(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->dead = hub(fx, 1)->dead = true;
    const char *case_id = agreed(fx);
    collect(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "UNAVAILABLE");
    assert_int_equal(fx->num_collects, 2 * (1 + 4)); /* after 100, 200, 400 and 500 of 1,666 ms */
    /* One that is down is still better than none. */
    hub(fx, 0)->dead = false;
    collect(fx, case_id, &got);
    assert_complete(&got);
}

/* Both brokers say that a department took leave: it alone is asked again, until it is back. */
static void one_that_is_started_anew(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    for (size_t i = 0; i < 2; i++) {
        hub(fx, i)->unlinked = 1U << FX_TAX;
        hub(fx, i)->leaving = 2;
    }
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(fx->num_collects, 2 * 2 + 1);
    for (size_t i = 0; i < FX_DEPARTMENTS; i++)
        assert_int_equal(fx->adapters[i].num_asked, 1);
}

/* One that took leave and does not come back costs a third of the time, and no more. */
static void one_that_stays_away(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    for (size_t i = 0; i < 2; i++) {
        hub(fx, i)->unlinked = 1U << FX_TAX;
        hub(fx, i)->leaving = SIZE_MAX;
    }
    collect(fx, agreed(fx), &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "STOPPING");
    assert_int_equal(fx->num_collects, 2 * (1 + 4));
}

static void the_only_one_is_started_anew(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->dead_for = 2;
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(fx->num_collects, 3);
}

/* A context that the department has forgotten, after the first broker died: one round more. */
static void sealed_anew_at_the_second(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->dead = true;
    fx->adapters[FX_TAX].refuse = "CONTEXT_UNKNOWN";
    fx->adapters[FX_TAX].refuse_times = 1;
    collect(fx, agreed(fx), &got);
    assert_complete(&got);
    assert_int_equal(fx->adapters[FX_TAX].num_asked, 2);
    assert_int_equal(fx->num_collects, 3);
}

/* A receipt is checked against the log of the broker that was asked, and no other. */
static void a_log_of_another_broker(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    hub(fx, 0)->lends_log = true;
    collect(fx, agreed(fx), &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "RECEIPT_INVALID");
    assert_true(got.result->receipts_failed > 0);
    hub(fx, 0)->dead = true;
    hub(fx, 1)->lends_log = true;
    collect(fx, agreed(fx), &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->code, "RECEIPT_INVALID");
}

static void too_many_or_none(void **state)
{
    struct fixture *fx = *state;
    struct lb_window *window = NULL;
    size_t nums[] = {0, LB_WINDOW_MAX_BROKERS + 1};
    for (size_t i = 0; i < 2; i++) {
        fx->num_brokers = nums[i];
        assert_code(fx_new_window(fx, &window), LB_CONFIG_INVALID);
        assert_non_null(strstr(fx->diag.text, "brokers"));
    }
    fx->num_brokers = 2;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_preferred_one_first),
        cmocka_unit_test(probes_have_pauses),
        cmocka_unit_test_setup_teardown(a_dead_one_is_left_out_until_it_answers, setup_two,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(one_that_dies_midway, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(one_without_a_link, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(a_refusal_that_another_may_not_share, setup_two,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_asked_again, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(none_is_left, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(one_that_is_started_anew, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(one_that_stays_away, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(the_only_one_is_started_anew, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(sealed_anew_at_the_second, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(a_log_of_another_broker, setup_two, fx_teardown),
        cmocka_unit_test_setup_teardown(too_many_or_none, setup_two, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
