#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/exchange/fixture_relay.h"
#include "gateway/token/status_list.h"

/* Status lists on their way: "stopped" needs the adapter's own entry, and what an adapter has not
 * heard it is told again. */

static void stopped_comes_with_its_proof(void **state)
{
    struct fixture *fx = *state;
    struct fx_told told;
    struct lb_span token = fx_list(fx, 5, LB_STATE_INVALID);
    fx_link(fx);
    fx_tell(fx, &told, LB_SPAN_EMPTY, token, FX_PATIENT_MS);
    Lianban__V1__Frame *frame = fx_ending(fx);
    assert_non_null(frame);
    assert_true(lb_span_eq(lb_span_str(frame->status_update->token), token));
    assert_ok(fx_acknowledge(fx, token, true, FX_HONEST));
    const Lianban__V1__StatusReceipt *receipt = fx_outcome(&told);
    assert_string_equal(receipt->code, "OK");
    assert_int_equal(receipt->seq, 5);
    /* Whoever asked can check it with the adapter's key alone. */
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fx->adapter.log_key, raw);
    assert_ok(lb_watch_init(&watch, lb_spiffe_log_origin(FX_ADAPTER), raw, 0, NULL));
    assert_ok(lb_watch_check(&watch, receipt->log, &checkpoint));
    assert_ok(lb_link_verify(receipt->entry, &checkpoint, &leaf, &hash));
    assert_string_equal(leaf.code, "STATUS_LIST");
    lb_watch_cleanup(&watch);
    fx_forget(&told);
    /* Asked again, it is known; the adapter is not told twice. */
    fx_tell(fx, &told, LB_SPAN_EMPTY, token, FX_PATIENT_MS);
    receipt = fx_outcome(&told);
    assert_string_equal(receipt->code, "OK");
    assert_non_null(receipt->entry);
    fx_forget(&told);
    fx_unlink(fx);
}

static void an_adapter_that_is_away_is_named_and_told_when_it_comes(void **state)
{
    struct fixture *fx = *state;
    struct fx_told told;
    struct lb_span token = fx_list(fx, 5, LB_STATE_VALID);
    fx_tell(fx, &told, LB_SPAN_EMPTY, token, FX_PATIENT_MS);
    assert_string_equal(fx_outcome(&told)->code, "UNAVAILABLE");
    fx_forget(&told);
    for (int round = 0; round < 2; round++) {
        fx_link(fx); /* and once more when it comes again: it may have lost the list */
        Lianban__V1__Frame *frame = fx_ending(fx);
        assert_non_null(frame);
        assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_STATUS_UPDATE);
        assert_ok(fx_acknowledge(fx, token, true, FX_HONEST));
        fx_unlink(fx);
    }
}

static void a_silent_adapter_is_told_again(void **state)
{
    struct fixture *fx = *state;
    struct fx_told told;
    struct lb_span token = fx_list(fx, 5, LB_STATE_VALID);
    fx_link(fx);
    fx_tell(fx, &told, LB_SPAN_EMPTY, token, FX_IMPATIENT_MS);
    assert_non_null(fx_ending(fx)); /* and drops it */
    const Lianban__V1__StatusReceipt *receipt = fx_outcome(&told);
    assert_string_equal(receipt->code, "DEADLINE");
    assert_null(receipt->entry);
    fx_forget(&told);
    fx_tell(fx, &told, LB_SPAN_EMPTY, token, FX_PATIENT_MS);
    assert_non_null(fx_ending(fx));
    assert_ok(fx_acknowledge(fx, token, true, FX_HONEST));
    assert_string_equal(fx_outcome(&told)->code, "OK");
    fx_forget(&told);
    fx_unlink(fx);
}

/* A word without proof is reported as one; a proof that proves something else is a lie. */
static void forged_acknowledgements_count_for_nothing(void **state)
{
    static const enum fx_lie lies[] = {FX_OTHER_TOKEN, FX_OTHER_EVENT, FX_A_READ, FX_NOT_COMMITTED};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]) + 1; i++) {
        struct fixture *fx = *state;
        struct fx_told told;
        struct lb_span token = fx_list(fx, 5, LB_STATE_VALID);
        bool bare = i == sizeof(lies) / sizeof(lies[0]);
        fx_link(fx);
        fx_tell(fx, &told, LB_SPAN_EMPTY, token, bare ? FX_PATIENT_MS : FX_IMPATIENT_MS);
        assert_non_null(fx_ending(fx));
        lb_status status = fx_acknowledge(fx, token, true, bare ? FX_NO_PROOF : lies[i]);
        assert_code(lb_status_code(status), bare ? LB_CODE_OK : LB_RECEIPT_INVALID);
        assert_code(lb_status_code(fx->failed), bare ? LB_CODE_OK : LB_RECEIPT_INVALID);
        const Lianban__V1__StatusReceipt *receipt = fx_outcome(&told);
        assert_string_equal(receipt->code, bare ? "RECEIPT_INVALID" : "DEADLINE");
        assert_null(receipt->entry);
        fx_forget(&told);
        fx_unlink(fx);
        fx->failed = LB_OK;
        fx_restart(fx); /* out of quarantine */
    }
}

/* One that was started anew has no list, and would refuse what comes before it. */
static void reads_follow_what_ends_grants(void **state)
{
    struct fixture *fx = *state;
    struct fx_told told;
    struct fx_call call;
    struct fx_reply reply;
    struct lb_buf none;
    struct lb_span token = fx_list(fx, 5, LB_STATE_VALID);
    fx_tell(fx, &told, LB_SPAN_EMPTY, token, FX_PATIENT_MS);
    assert_string_equal(fx_outcome(&told)->code, "UNAVAILABLE");
    fx_forget(&told);
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 90, FX_PATIENT_MS));
    Lianban__V1__Frame *frame = fx_ending(fx);
    assert_non_null(frame);
    (void)usleep(200000); /* the read is routed by now, and waits */
    lb_buf_init(&none, LB_MAX_MESSAGE_BYTES);
    assert_false(lb_broker_link_fill(fx->link, &none));
    lb_buf_cleanup(&none);
    assert_ok(fx_acknowledge(fx, token, true, FX_HONEST));
    Lianban__V1__Batch *batch = fx_reads(fx);
    assert_non_null(batch);
    fx_reply_honest(fx, batch->reads[0], &reply);
    assert_ok(fx_send(fx, &reply));
    assert_string_equal(fx_event(fx, &call)->code, "ANSWERED");
    fx_close(&call);
    fx_unlink(fx);
}

/* Whoever asked gets what has come so far, and will ask again. */
static void a_broker_that_stops_waits_for_no_proof(void **state)
{
    struct fixture *fx = *state;
    struct fx_told told;
    const struct lb_clock *clock = lb_clock_system();
    fx_link(fx);
    int64_t begun_ms = lb_clock_monotonic_ms(clock);
    fx_tell(fx, &told, LB_SPAN_EMPTY, fx_list(fx, 5, LB_STATE_VALID), FX_PATIENT_MS);
    assert_non_null(fx_ending(fx));
    lb_exchange_drain(fx->exchange, FX_PATIENT_MS);
    assert_string_not_equal(fx_outcome(&told)->code, "OK");
    assert_true(lb_clock_monotonic_ms(clock) - begun_ms < FX_PATIENT_MS);
    fx_forget(&told);
    fx_unlink(fx);
}

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, fx_begin, fx_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stopped_comes_with_its_proof),
        CASE(an_adapter_that_is_away_is_named_and_told_when_it_comes),
        CASE(a_silent_adapter_is_told_again),
        CASE(forged_acknowledgements_count_for_nothing),
        CASE(reads_follow_what_ends_grants),
        CASE(a_broker_that_stops_waits_for_no_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
