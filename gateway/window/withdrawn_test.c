#include <string.h>

#include "gateway/base/file.h"
#include "gateway/window/fixture.h"
#include "gateway/window/withdrawn.h"

/* What a citizen withdraws goes from the agent as well: its memory, its file and its events. */

static struct lb_withdrawn *looker(struct fixture *fx)
{
    struct lb_withdrawn *withdrawn = NULL;
    assert_ok(lb_withdrawn_new(fx->window, &withdrawn));
    return withdrawn;
}

/* A family whose case is decided. */
static const char *decided(struct fixture *fx, struct fx_collected *got)
{
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, got);
    assert_string_equal(got->result->class_id, "FULL");
    return case_id;
}

/* All that a listener can still get of a case. */
static void watch(struct fixture *fx, const char *case_id, struct fx_collected *out)
{
    struct fx_listener listener;
    memset(out, 0, sizeof(*out));
    fx_listener_init(&listener);
    const struct lb_listener_port port = fx_listener_port(&listener);
    assert_ok(lb_window_watch(fx->window, case_id, &port, &listener.listener));
    for (Lianban__V1__CaseEvent *event = fx_listener_next(fx, &listener); event != NULL;
         event = fx_listener_next(fx, &listener)) {
        if (event->body_case == LIANBAN__V1__CASE_EVENT__BODY_RESULT)
            out->result = event->result;
        else
            out->facts[out->num_facts++] = event->fact;
    }
    fx_listener_close(&listener);
}

static void what_it_brought_is_erased(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got, seen;
    const char *case_id = decided(fx, &got);
    struct lb_withdrawn *withdrawn = looker(fx);
    fx->list_seq = 1;
    assert_ok(lb_withdrawn_look(withdrawn));
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    /* The applicant withdraws: index 0 is the first ticket. */
    fx->list_seq = 2;
    fx->list_states[0] = 1;
    assert_ok(lb_withdrawn_look(withdrawn));
    Lianban__V1__CaseResult *result = fx_get(fx, case_id);
    assert_string_equal(result->class_id, "MANUAL");
    watch(fx, case_id, &seen);
    const Lianban__V1__CaseFact *region = fx_fact(&seen, 0, "region");
    assert_string_equal(region->state, "denied");
    assert_string_equal(region->code, "GRANT_REVOKED");
    assert_string_equal(region->shown, "");
    for (size_t i = 0; i < seen.num_facts; i++)
        assert_string_equal(seen.facts[i]->code, "GRANT_REVOKED"); /* no older event is left */
    assert_string_equal(seen.result->class_id, "MANUAL");
    lb_withdrawn_free(withdrawn);
    /* Nor does it come back from the file. */
    fx_restart(fx);
    watch(fx, case_id, &seen);
    assert_string_equal(fx_fact(&seen, 0, "region")->code, "GRANT_REVOKED");
    /* What the law lets us ask stays, and what the others agreed to. */
    assert_string_equal(fx_fact(&seen, 0, "wage12")->state, "ok");
    assert_string_equal(fx_fact(&seen, 1, "severe")->state, "ok");
}

static void asked_anew_it_may_come_back(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = decided(fx, &got);
    struct lb_withdrawn *withdrawn = looker(fx);
    size_t tickets = fx->num_tickets;
    fx->list_seq = 2;
    fx->list_states[0] = 1;
    assert_ok(lb_withdrawn_look(withdrawn));
    fx_run(fx, case_id, &got);
    assert_code(got.status, LB_GRANT_PENDING);
    fx_agree(fx, case_id);
    assert_int_equal(fx->num_tickets, tickets + 1);
    fx->clock.now_unix_ms += 1000;
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    assert_string_equal(fx_fact(&got, 0, "region")->state, "ok");
    assert_string_equal(got.result->class_id, "FULL");
    fx->list_seq = 3;
    assert_ok(lb_withdrawn_look(withdrawn));
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    lb_withdrawn_free(withdrawn);
}

/* A collect that has just ended still gives its listener the result; a listener that never takes it
 * does not hold the erasure off for ever. */
static void who_listens_gets_the_end(void **state)
{
    struct fixture *fx = *state;
    struct fx_listener listener;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_listener_init(&listener);
    const struct lb_listener_port port = fx_listener_port(&listener);
    assert_ok(lb_window_collect(fx->window, case_id, &port, &listener.listener));
    fx_listener_wait(&listener);
    struct lb_withdrawn *withdrawn = looker(fx);
    fx->list_states[0] = 1;
    for (fx->list_seq = 1; fx->list_seq <= 3; fx->list_seq++) {
        assert_ok(lb_withdrawn_look(withdrawn));
        assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    }
    assert_ok(lb_withdrawn_look(withdrawn));
    assert_string_equal(fx_get(fx, case_id)->class_id, "MANUAL");
    assert_null(fx_listener_next(fx, &listener));
    fx_listener_close(&listener);
    lb_withdrawn_free(withdrawn);
}

static void only_the_offices_own_newest_word_counts(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct lb_withdrawn *withdrawn = looker(fx);
    assert_ok(lb_withdrawn_look(withdrawn));
    assert_int_equal(fx->num_lists, 0); /* with no case there is nothing to ask */
    const char *case_id = decided(fx, &got);
    fx->list_seq = 5;
    assert_ok(lb_withdrawn_look(withdrawn));
    fx->list_states[0] = 1;
    assert_code(lb_withdrawn_look(withdrawn), LB_STATUS_FORK);
    fx->list_seq = 4;
    assert_code(lb_withdrawn_look(withdrawn), LB_STATUS_STALE);
    fx->list_seq = 6;
    fx->forged_list = true;
    assert_code(lb_withdrawn_look(withdrawn), LB_SIGNATURE_INVALID);
    fx->forged_list = false;
    fx->list_fails = LB_FAULT(LB_UNAVAILABLE, "test");
    assert_code(lb_withdrawn_look(withdrawn), LB_UNAVAILABLE);
    fx->list_fails = LB_OK;
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    fx->list_states[0] = 2; /* suspended: nothing is erased */
    assert_ok(lb_withdrawn_look(withdrawn));
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    lb_withdrawn_free(withdrawn);
}

static void a_suspended_grant_is_asked_again(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    struct fx_adapter *disabled = &fx->adapters[FX_DISABLED];
    disabled->refuse = "GRANT_SUSPENDED";
    disabled->refuse_times = SIZE_MAX;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "severe")->state, "unavailable");
    assert_string_equal(fx_fact(&got, 0, "severe")->code, "GRANT_SUSPENDED");
    disabled->refuse_times = 0;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_it_brought_is_erased, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(asked_anew_it_may_come_back, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(who_listens_gets_the_end, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(only_the_offices_own_newest_word_counts, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_suspended_grant_is_asked_again, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
