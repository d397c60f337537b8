#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/evidence/reconcile.h"
#include "gateway/exchange/breaker.h"
#include "gateway/exchange/fixture.h"
#include "gateway/exchange/overview.h"
#include "gateway/wire/pb.h"

/* The breaker of a link within the broker: what opens it, what does not, and its evidence. */

static const char *circuit_of(struct fixture *fx)
{
    struct lb_adapter_view view[4];
    size_t num = lb_exchange_adapters(fx->exchange, view, 4);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(view[i].spiffe, FX_ADAPTER) == 0)
            return lb_breaker_state_name(view[i].circuit);
    }
    return "";
}

/* Sends one read, and loses the link with it under way. */
static void lose_one(struct fixture *fx, uint8_t txn)
{
    struct fx_call call;
    fx_link(fx);
    (void)fx_collect_one(fx, &call, txn);
    fx_unlink(fx);
    assert_non_null(fx_event(fx, &call));
    fx_close(&call);
    (void)usleep((LB_BREAKER_APART_MS + 50) * 1000);
}

static void answer_one(struct fixture *fx, uint8_t txn)
{
    struct fx_call call;
    (void)fx_answer_one(fx, &call, txn);
    fx_close(&call);
}

/* How many entries of a code stand in the broker's log, and that each names the department. */
static size_t count_entries(struct fixture *fx, const char *code)
{
    struct lb_log_head head;
    size_t found = 0;
    assert_ok(lb_log_head(fx->log, fx->arena, &head));
    for (uint64_t i = 0; i < head.size; i++) {
        struct lb_span bytes = LB_SPAN_EMPTY;
        struct lb_leaf leaf;
        assert_ok(lb_log_leaf(fx->log, i, fx->arena, &bytes));
        assert_ok(lb_leaf_decode(bytes, &leaf));
        if (strcmp(leaf.code, code) != 0)
            continue;
        struct lb_hash counterpart;
        lb_reconcile_counterpart(FX_ADAPTER, &counterpart);
        assert_int_equal(leaf.type, LB_LEAF_ADMIN);
        assert_memory_equal(leaf.peer_leaf, counterpart.bytes, LB_HASH_BYTES);
        found++;
    }
    return found;
}

/* A flapping link: after some losses with nothing answered between, its reads are unavailable at
 * once although it is linked again and silent; a probe that is answered closes it. */
static void a_link_that_loses_reads_is_not_asked_until_a_probe_passes(void **state)
{
    struct fixture *fx = *state;
    struct fx_call probe, cut;
    struct fx_reply reply;
    for (uint8_t i = 0; i < LB_BREAKER_FAILURES; i++)
        lose_one(fx, (uint8_t)(10 + i));
    assert_string_equal(circuit_of(fx), "open");
    assert_int_equal(count_entries(fx, "CIRCUIT_OPEN"), 1);
    fx_link(fx); /* a new link may try at once */
    const Lianban__V1__RoutedRead *read = fx_collect_one(fx, &probe, 20);
    assert_string_equal(circuit_of(fx), "half-open");
    struct fx_call more;
    fx_collect(fx, &more, fx_operator_token(fx),
               fx_request(fx, LB_BREAKER_PROBES_EACH - 1, 60, FX_PATIENT_MS));
    for (size_t sent = 0; sent + 1 < LB_BREAKER_PROBES_EACH; sent += fx_reads(fx)->n_reads)
        continue;
    fx_collect(fx, &cut, fx_operator_token(fx), fx_request(fx, 2, 30, FX_PATIENT_MS));
    for (int i = 0; i < 2; i++) {
        Lianban__V1__CollectEvent *event = fx_event(fx, &cut);
        assert_non_null(event);
        assert_string_equal(event->code, "UNAVAILABLE"); /* never a value, and at once */
        assert_int_equal(event->sealed.len, 0);
        assert_non_null(event->deliver); /* recorded as any other failure */
    }
    fx_close(&cut);
    fx_reply_honest(fx, read, &reply);
    assert_ok(fx_send(fx, &reply));
    assert_non_null(fx_event(fx, &probe));
    fx_close(&probe);
    assert_string_equal(circuit_of(fx), "closed");
    answer_one(fx, 40);
    assert_int_equal(count_entries(fx, "CIRCUIT_HALF_OPEN"), 1);
    assert_int_equal(count_entries(fx, "CIRCUIT_CLOSED"), 1);
    fx_unlink(fx);
    fx_close(&more);
}

/* The attack: deadlines that nobody can keep. They are the requester's own. */
static void a_requesters_own_deadlines_open_nothing(void **state)
{
    struct fixture *fx = *state;
    fx_link(fx);
    for (uint8_t i = 0; i < 2 * LB_BREAKER_FAILURES; i++) {
        struct fx_call call;
        fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, (uint8_t)(50 + i), 250));
        fx_close(&call);
    }
    assert_string_equal(circuit_of(fx), "closed");
    answer_one(fx, 70);
    fx_unlink(fx);
}

/* The same with callers that go away. */
static void callers_that_leave_open_nothing(void **state)
{
    struct fixture *fx = *state;
    fx_link(fx);
    for (uint8_t i = 0; i < 2 * LB_BREAKER_FAILURES; i++) {
        struct fx_call call;
        fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, (uint8_t)(80 + i), 300));
        fx_leave(&call);
        (void)usleep((LB_BREAKER_APART_MS + 50) * 1000);
    }
    assert_string_equal(circuit_of(fx), "closed");
    fx_unlink(fx);
}

/* Whoever hangs is found before the deadline of those who wait for it. */
static void a_department_that_hangs_is_found_before_the_deadline(void **state)
{
    struct fixture *fx = *state;
    struct fx_call calls[LB_BREAKER_FAILURES + 1], late;
    fx_link(fx);
    for (uint8_t i = 0; i <= LB_BREAKER_FAILURES; i++) {
        fx_collect(fx, &calls[i], fx_operator_token(fx),
                   fx_request(fx, 1, (uint8_t)(100 + i), FX_PATIENT_MS));
        (void)usleep(600 * 1000); /* those that wait together count once */
    }
    for (int i = 0; i < FX_WAIT_STEPS && strcmp(circuit_of(fx), "open") != 0; i++)
        (void)usleep(FX_WAIT_STEP_US);
    assert_string_equal(circuit_of(fx), "open");
    for (size_t i = 0; i <= LB_BREAKER_FAILURES; i++)
        assert_false(__atomic_load_n(&calls[i].finished, __ATOMIC_ACQUIRE));
    fx_collect(fx, &late, fx_operator_token(fx), fx_request(fx, 1, 110, FX_PATIENT_MS));
    Lianban__V1__CollectEvent *event = fx_event(fx, &late);
    assert_non_null(event);
    assert_string_equal(event->code, "UNAVAILABLE");
    fx_close(&late);
    fx_unlink(fx);
    for (size_t i = 0; i <= LB_BREAKER_FAILURES; i++)
        fx_close(&calls[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_link_that_loses_reads_is_not_asked_until_a_probe_passes, fx_begin, fx_end),
        cmocka_unit_test_setup_teardown(a_requesters_own_deadlines_open_nothing, fx_begin, fx_end),
        cmocka_unit_test_setup_teardown(callers_that_leave_open_nothing, fx_begin, fx_end),
        cmocka_unit_test_setup_teardown(a_department_that_hangs_is_found_before_the_deadline,
                                        fx_begin, fx_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
