#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/trace.h"
#include "gateway/exchange/fixture.h"
#include "gateway/wire/pb.h"

static struct lb_leaf leaf_of(const Lianban__V1__EntryProof *proof)
{
    struct lb_leaf leaf;
    assert_non_null(proof);
    assert_ok(lb_leaf_decode(lb_pb_span(proof->leaf), &leaf));
    return leaf;
}

/* The caller's own check of an event: both of the broker's entries are in its log. */
static void check_own_entries(struct fixture *fx, const Lianban__V1__CollectEvent *event)
{
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fx->broker.log_key, raw);
    assert_ok(lb_watch_init(&watch, lb_spiffe_log_origin(FX_BROKER), raw, 0, NULL));
    assert_ok(lb_watch_check(&watch, event->broker_log, &checkpoint));
    assert_ok(lb_link_verify(event->route, &checkpoint, &leaf, &hash));
    assert_int_equal(leaf.type, LB_LEAF_ROUTE);
    assert_ok(lb_link_verify(event->deliver, &checkpoint, &leaf, &hash));
    lb_watch_cleanup(&watch);
}

static void an_answer_is_recorded_on_both_sides_and_linked(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    struct lb_hash adapter_leaf;
    fx_link(fx);
    Lianban__V1__CollectEvent *event = fx_answer_one(fx, &call, 1);
    assert_int_equal(event->sealed.len, FX_ANSWER_BYTES);
    check_own_entries(fx, event);
    struct lb_leaf deliver = leaf_of(event->deliver);
    assert_int_equal(deliver.type, LB_LEAF_DELIVER);
    lb_merkle_leaf(lb_pb_span(event->adapter_entry->leaf), &adapter_leaf);
    assert_memory_equal(deliver.peer_leaf, adapter_leaf.bytes, 32);
    assert_null(fx_event(fx, &call));
    fx_close(&call);
    assert_ok(call.status);
    fx_unlink(fx);
}

static void an_adapter_that_is_away_is_said_to_be(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 2, 10, FX_PATIENT_MS));
    for (int i = 0; i < 2; i++) {
        Lianban__V1__CollectEvent *event = fx_event(fx, &call);
        assert_non_null(event);
        assert_string_equal(event->code, "UNAVAILABLE");
        check_own_entries(fx, event);
        assert_int_equal(leaf_of(event->deliver).type, LB_LEAF_FAILURE);
    }
    fx_close(&call);
    assert_ok(call.status);
}

static void a_lost_link_ends_its_reads_at_once(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 20, 30000));
    assert_non_null(fx_reads(fx));
    fx_unlink(fx);
    Lianban__V1__CollectEvent *event = fx_event(fx, &call);
    assert_non_null(event);
    assert_string_equal(event->code, "UNAVAILABLE");
    fx_close(&call);
}

static void a_silent_adapter_meets_the_deadline_and_is_late_for_good(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    struct fx_reply reply;
    fx_link(fx);
    Lianban__V1__Batch *batch = fx_collect_briefly(fx, &call, 1, 30);
    assert_non_null(batch);
    Lianban__V1__CollectEvent *event = fx_event(fx, &call);
    assert_non_null(event);
    assert_string_equal(event->code, "DEADLINE");
    fx_close(&call);
    fx_reply_honest(fx, batch->reads[0], &reply);
    assert_ok(fx_send(fx, &reply)); /* nobody waits for it any more; the link goes on */
    fx_unlink(fx);
}

static void requests_the_broker_can_judge_are_refused_whole(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_collect(fx, &call, lb_span_str("no.token.here"), fx_request(fx, 1, 40, FX_PATIENT_MS));
    assert_null(fx_event(fx, &call));
    fx_close(&call);
    assert_code(lb_status_code(call.status), LB_OPERATOR_TOKEN_INVALID);

    fx_collect(fx, &call, fx_operator_token(fx), lb_span_str("garbage"));
    fx_close(&call);
    assert_code(lb_status_code(call.status), LB_MALFORMED);

    fx->form.sha256[0] ^= 1;
    struct lb_span other_form = fx_request(fx, 1, 41, FX_PATIENT_MS);
    fx->form.sha256[0] ^= 1;
    fx_collect(fx, &call, fx_operator_token(fx), other_form);
    fx_close(&call);
    assert_code(lb_status_code(call.status), LB_FORM_UNKNOWN);
}

/* Whose log nobody vouches for routes nothing, says so, and goes on by itself. */
static void nothing_is_routed_while_the_log_is_held(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    struct lb_log_head before, after;
    fx_link(fx);
    assert_ok(lb_log_head(fx->log, fx->arena, &before));
    lb_log_hold(fx->log, true);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 45, FX_PATIENT_MS));
    assert_null(fx_event(fx, &call));
    fx_close(&call);
    assert_code(lb_status_code(call.status), LB_LOG_UNWITNESSED);
    lb_log_hold(fx->log, false);
    (void)fx_collect_one(fx, &call, 46);
    assert_ok(lb_log_head(fx->log, fx->arena, &after));
    assert_true(after.size > before.size);
    fx_unlink(fx);
    assert_non_null(fx_event(fx, &call));
    fx_close(&call);
}

static void one_txn_twice_under_way_is_a_replay(void **state)
{
    struct fixture *fx = *state;
    struct fx_call first, second;
    fx_link(fx);
    (void)fx_collect_one(fx, &first, 50);
    fx_collect(fx, &second, fx_operator_token(fx), fx_request(fx, 1, 50, FX_PATIENT_MS));
    Lianban__V1__CollectEvent *event = fx_event(fx, &second);
    assert_non_null(event);
    assert_string_equal(event->code, "REPLAY");
    fx_close(&second);
    fx_unlink(fx);
    fx_close(&first);
}

/* --- a log that can't keep up --- */

struct crowd {
    sem_t held, go_on, done;
    struct lb_log_entry holder;
    struct lb_log_entry *entries;
};

static lb_status hold(struct lb_log_entry *entry, struct lb_store *store)
{
    struct crowd *crowd = entry->owner;
    (void)store;
    (void)sem_post(&crowd->held);
    (void)sem_wait(&crowd->go_on);
    return LB_OK;
}

static void count_one(struct lb_log_entry *entry, lb_status status)
{
    struct crowd *crowd = entry->owner;
    assert_ok(status);
    (void)sem_post(&crowd->done);
}

/* From here on nothing more finds room in the broker's queue. */
static void crowd_the_log(struct fixture *fx, struct crowd *crowd)
{
    const struct lb_log_entry one = {
        .leaf = {.type = LB_LEAF_ADMIN, .code = "TEST"}, .done = count_one, .owner = crowd};
    (void)sem_init(&crowd->held, 0, 0);
    (void)sem_init(&crowd->go_on, 0, 0);
    (void)sem_init(&crowd->done, 0, 0);
    crowd->entries = calloc(LB_LOG_QUEUE, sizeof(one));
    assert_non_null(crowd->entries);
    crowd->holder = one;
    crowd->holder.guard = hold;
    assert_ok(lb_log_append(fx->log, &crowd->holder));
    (void)sem_wait(&crowd->held);
    for (size_t i = 0; i < LB_LOG_QUEUE; i++) {
        crowd->entries[i] = one;
        assert_ok(lb_log_append(fx->log, &crowd->entries[i]));
    }
}

static void let_it_go(struct crowd *crowd)
{
    (void)sem_post(&crowd->go_on);
    for (size_t i = 0; i < LB_LOG_QUEUE + 1; i++)
        (void)sem_wait(&crowd->done);
    free(crowd->entries);
}

/* Come again soon: not the same as a log that can't be written. What was routed before and comes
 * back now stays here. */
static void a_crowded_log_is_busy(void **state)
{
    struct fixture *fx = *state;
    static struct crowd crowd;
    struct fx_call before, call;
    struct fx_reply reply;
    fx_link(fx);
    fx_reply_honest(fx, fx_collect_one(fx, &before, 70), &reply);
    crowd_the_log(fx, &crowd);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 71, FX_PATIENT_MS));
    Lianban__V1__CollectEvent *event = fx_event(fx, &call);
    assert_non_null(event);
    assert_string_equal(event->code, "BUSY");
    assert_null(event->route);
    assert_ok(fx_send(fx, &reply));
    event = fx_event(fx, &before);
    assert_non_null(event);
    assert_string_equal(event->code, "BUSY");
    assert_int_equal(event->sealed.len, 0);
    assert_null(event->deliver);
    let_it_go(&crowd);
    fx_close(&call);
    fx_close(&before);
    fx_unlink(fx);
}

/* Collects one read and returns the trace that the adapter is told. */
static void told_trace(struct fixture *fx, uint8_t txn, struct lb_trace *out)
{
    struct fx_call call;
    struct fx_reply reply;
    const Lianban__V1__RoutedRead *read = fx_collect_one(fx, &call, txn);
    fx_reply_honest(fx, read, &reply);
    assert_ok(fx_send(fx, &reply));
    assert_non_null(fx_event(fx, &call));
    assert_true(lb_trace_parse(lb_span_str(read->request->traceparent), out));
    fx_close(&call);
}

static void a_trace_goes_on_under_our_own_step(void **state)
{
    static const char id[] = "4bf92f3577b34da6a3ce929d0e0e4736";
    static const char good[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    struct fixture *fx = *state;
    struct lb_trace trace, other;
    fx_link(fx);
    fx->traceparent = good;
    told_trace(fx, 101, &trace);
    assert_string_equal(trace.id, id);
    assert_string_not_equal(trace.span, "00f067aa0ba902b7");
    assert_true(trace.sampled);
    fx->traceparent = NULL; /* a caller that knows only its metadata */
    fx->call_trace = good;
    told_trace(fx, 102, &trace);
    assert_string_equal(trace.id, id);
    fx->call_trace = "00-4bf92f3577b34da6a3ce929d0e0e4736";
    fx->traceparent = "990000196001010013";
    told_trace(fx, 103, &trace);
    told_trace(fx, 104, &other);
    assert_string_not_equal(trace.id, id);
    assert_string_not_equal(trace.id, other.id);
    assert_false(trace.sampled);
    fx->traceparent = fx->call_trace = NULL;
    fx_unlink(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_recorded_on_both_sides_and_linked),
        cmocka_unit_test(a_trace_goes_on_under_our_own_step),
        cmocka_unit_test(an_adapter_that_is_away_is_said_to_be),
        cmocka_unit_test(a_lost_link_ends_its_reads_at_once),
        cmocka_unit_test(a_silent_adapter_meets_the_deadline_and_is_late_for_good),
        cmocka_unit_test(requests_the_broker_can_judge_are_refused_whole),
        cmocka_unit_test(nothing_is_routed_while_the_log_is_held),
        cmocka_unit_test(one_txn_twice_under_way_is_a_replay),
        cmocka_unit_test(a_crowded_log_is_busy),
    };
    return cmocka_run_group_tests(tests, fx_begin, fx_end);
}
