#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/exchange/fixture.h"
#include "gateway/wire/pb.h"

/* Outcomes that are ready together, for a caller that takes them so and for one that does not. */

#define NUM 5

/* As an older caller's request, or as a newer one's. */
static struct lb_span request_of(struct fixture *fx, uint8_t first_txn, bool together)
{
    Lianban__V1__CollectRequest *request = NULL;
    struct lb_span bytes = fx_request(fx, NUM, first_txn, FX_PATIENT_MS);
    assert_ok(lb_pb_unpack(&lianban__v1__collect_request__descriptor, bytes, fx->arena, &request));
    request->together = together;
    assert_ok(lb_pb_pack(request, fx->arena, &bytes));
    return bytes;
}

/* Collects and has all answered before anybody takes an event. */
static void collect_all(struct fixture *fx, struct fx_call *call, uint8_t first_txn, bool together)
{
    size_t num = 0;
    fx_collect(fx, call, fx_operator_token(fx), request_of(fx, first_txn, together));
    while (num < NUM) {
        Lianban__V1__Batch *batch = fx_reads(fx);
        assert_non_null(batch);
        for (size_t i = 0; i < batch->n_reads; i++, num++) {
            struct fx_reply reply;
            fx_reply_honest(fx, batch->reads[i], &reply);
            assert_ok(fx_send(fx, &reply));
        }
    }
    fx_wait(call);
}

static void check_entry(const Lianban__V1__EntryProof *proof,
                        const struct lb_checkpoint *checkpoint, ProtobufCBinaryData txn,
                        enum lb_leaf_type type)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    assert_non_null(proof);
    assert_ok(lb_link_verify(proof, checkpoint, &leaf, &hash));
    assert_int_equal(leaf.type, type);
    assert_memory_equal(leaf.txn, txn.data, 16);
}

/* Each txn once, each with both entries under the one checkpoint. */
static void check_together(struct fixture *fx, const Lianban__V1__CollectEvent *event,
                           uint8_t first_txn)
{
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    unsigned seen = 1U << (event->txn.data[0] - first_txn);
    (void)lb_sign_key_public(fx->broker.log_key, raw);
    assert_ok(lb_watch_init(&watch, lb_spiffe_log_origin(FX_BROKER), raw, 0, NULL));
    assert_ok(lb_watch_check(&watch, event->broker_log, &checkpoint));
    check_entry(event->route, &checkpoint, event->txn, LB_LEAF_ROUTE);
    check_entry(event->deliver, &checkpoint, event->txn, LB_LEAF_DELIVER);
    for (size_t i = 0; i < event->n_more; i++) {
        const Lianban__V1__CollectOutcome *outcome = event->more[i];
        seen |= 1U << (outcome->txn.data[0] - first_txn);
        assert_string_equal(outcome->code, "ANSWERED");
        assert_int_equal(outcome->sealed.len, FX_ANSWER_BYTES);
        assert_non_null(outcome->adapter_entry);
        assert_non_null(outcome->adapter_log);
        check_entry(outcome->route, &checkpoint, outcome->txn, LB_LEAF_ROUTE);
        check_entry(outcome->deliver, &checkpoint, outcome->txn, LB_LEAF_DELIVER);
    }
    assert_int_equal(seen, (1U << NUM) - 1);
    lb_watch_cleanup(&watch);
}

static void what_is_ready_together_comes_in_one_message(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_link(fx);
    collect_all(fx, &call, 1, true);
    Lianban__V1__CollectEvent *event = fx_event(fx, &call);
    assert_non_null(event);
    assert_int_equal(event->n_more, NUM - 1);
    check_together(fx, event, 1);
    assert_null(fx_event(fx, &call));
    assert_int_equal(lb_status_code(call.status), LB_CODE_OK);
    fx_close(&call);
    fx_unlink(fx);
}

static void an_older_caller_gets_them_one_by_one(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_link(fx);
    collect_all(fx, &call, 31, false);
    for (size_t i = 0; i < NUM; i++) {
        Lianban__V1__CollectEvent *event = fx_event(fx, &call);
        assert_non_null(event);
        assert_int_equal(event->n_more, 0);
        assert_non_null(event->broker_log);
    }
    assert_null(fx_event(fx, &call));
    fx_close(&call);
    fx_unlink(fx);
}

/* Nobody waits for a sibling that does not come: what is there is told long before the deadline. */
static void an_answer_does_not_wait_for_one_that_stays_away(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    struct fx_reply reply;
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), request_of(fx, 61, true));
    Lianban__V1__Batch *batch = fx_reads(fx);
    assert_non_null(batch);
    fx_reply_honest(fx, batch->reads[0], &reply);
    assert_ok(fx_send(fx, &reply));
    Lianban__V1__CollectEvent *event = fx_event(fx, &call);
    assert_non_null(event);
    assert_string_equal(event->code, "ANSWERED");
    assert_int_equal(event->n_more, 0);
    assert_false(__atomic_load_n(&call.finished, __ATOMIC_ACQUIRE));
    fx_unlink(fx);
    size_t num = 1;
    while ((event = fx_event(fx, &call)) != NULL) {
        assert_string_equal(event->code, "UNAVAILABLE");
        num += 1 + event->n_more;
    }
    assert_int_equal(num, NUM);
    fx_close(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ready_together_comes_in_one_message),
        cmocka_unit_test(an_older_caller_gets_them_one_by_one),
        cmocka_unit_test(an_answer_does_not_wait_for_one_that_stays_away),
    };
    return cmocka_run_group_tests(tests, fx_begin, fx_end);
}
