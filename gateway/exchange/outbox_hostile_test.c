#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_fixture.h"
#include "gateway/wire/pb.h"

/* Parcels and receipts that do not hold; who speaks for others; who takes nothing. */

#define assert_refused(fx_, parcel_, code_)                                                        \
    assert_code(lb_status_code(ofx_submit(fx_, &(fx_)->street, parcel_, NULL)), code_)

static void nobody_submits_for_another(void **state)
{
    struct ofx *fx = *state;
    Lianban__V1__Parcel *parcel = ofx_parcel(fx, 1, &fx->hall, &fx->tax);
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel = ofx_parcel(fx, 1, &fx->tax, &fx->street); /* an adapter's word, by an agent */
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel = ofx_parcel(fx, 1, &fx->street, &fx->broker);
    assert_refused(fx, parcel, LB_PEER_UNLISTED);
    parcel->recipient = (char *)(uintptr_t)OFX_HALL;
    assert_refused(fx, parcel, LB_PEER_UNLISTED);
    parcel->recipient = (char *)(uintptr_t)"spiffe://test.gov/adapter/nobody";
    assert_refused(fx, parcel, LB_PEER_UNLISTED);
    char *endless = lb_arena_alloc(fx->arena, 4096);
    memset(endless, 'a', 4095);
    endless[4095] = 0;
    parcel->recipient = endless;
    assert_refused(fx, parcel, LB_MALFORMED);
    assert_int_equal(ofx_rows(fx, "1"), 0);
}

static void a_parcel_has_its_shape(void **state)
{
    struct ofx *fx = *state;
    Lianban__V1__Parcel *parcel = ofx_parcel(fx, 1, &fx->street, &fx->tax);
    Lianban__V1__Sealed good = *parcel->sealed;
    uint8_t *large = calloc(1, LB_MAX_PARCEL_BYTES + 4096);
    parcel->name.len = 15;
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel->name.len = 16;
    parcel->sealed->ciphertext.len--;
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel->sealed->ciphertext.len = 16;
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel->sealed->ciphertext = lb_pb_bytes(lb_span_of(large, LB_MAX_PARCEL_BYTES + 16));
    assert_refused(fx, parcel, LB_TOO_LARGE);
    *parcel->sealed = good;
    parcel->sealed->seq = 1;
    assert_refused(fx, parcel, LB_MALFORMED);
    *parcel->sealed = good;
    parcel->sealed->key_id = (char *)(uintptr_t)"";
    assert_refused(fx, parcel, LB_MALFORMED);
    *parcel->sealed = good;
    parcel->sealed->enc.len = 31;
    assert_refused(fx, parcel, LB_MALFORMED);
    *parcel->sealed = good;
    parcel->sealed = NULL;
    assert_refused(fx, parcel, LB_MALFORMED);
    free(large);
}

static void an_end_is_ahead_and_not_too_far(void **state)
{
    struct ofx *fx = *state;
    Lianban__V1__Parcel *parcel = ofx_parcel(fx, 1, &fx->street, &fx->tax);
    parcel->expires_unix_s = ofx_now_s(fx);
    assert_refused(fx, parcel, LB_PARCEL_EXPIRED);
    parcel->expires_unix_s = INT64_MIN;
    assert_refused(fx, parcel, LB_PARCEL_EXPIRED);
    parcel->expires_unix_s = ofx_now_s(fx) + 90 * 86400 + 1;
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel->expires_unix_s = INT64_MAX;
    assert_refused(fx, parcel, LB_MALFORMED);
    parcel->expires_unix_s = ofx_now_s(fx) + 90 * 86400;
    assert_ok(ofx_submit(fx, &fx->street, parcel, NULL));
}

static void an_agents_entry_must_hold_if_it_comes(void **state)
{
    struct ofx *fx = *state;
    Lianban__V1__Parcel *parcel = ofx_parcel(fx, 1, &fx->street, &fx->tax);
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__SubmitRequest request = LIANBAN__V1__SUBMIT_REQUEST__INIT;
    Lianban__V1__SubmitResponse response = LIANBAN__V1__SUBMIT_RESPONSE__INIT;
    struct lb_span name = lb_pb_span(parcel->name), other = lb_span_str("sixteen bytes of");
    struct lb_span ciphertext = lb_pb_span(parcel->sealed->ciphertext);
    const struct ofx_proof proofs[] = {
        ofx_entry(fx, &fx->street, "HELD", name, ciphertext),
        ofx_entry(fx, &fx->street, "SENT", name, name),
        ofx_entry(fx, &fx->street, "SENT", other, ciphertext),
        ofx_entry(fx, &fx->hall, "SENT", name, ciphertext),
        ofx_entry(fx, &fx->street, "SENT", name, ciphertext),
    };
    routed.parcel = parcel;
    request.parcel = &routed;
    for (size_t i = 0; i < 4; i++) {
        routed.entry = proofs[i].entry;
        request.log = proofs[i].log;
        assert_true(lb_outbox_submit(fx->outbox, OFX_STREET, &request, fx->arena, &response) !=
                    LB_OK);
    }
    routed.entry = proofs[4].entry;
    assert_true(lb_outbox_submit(fx->outbox, OFX_STREET, &request, fx->arena, &response) != LB_OK);
    request.log = NULL;
    assert_true(lb_outbox_submit(fx->outbox, OFX_STREET, &request, fx->arena, &response) != LB_OK);
    assert_int_equal(ofx_rows(fx, "1"), 0);
    request.log = proofs[4].log;
    assert_ok(lb_outbox_submit(fx->outbox, OFX_STREET, &request, fx->arena, &response));
}

static void one_name_is_for_one_recipient(void **state)
{
    struct ofx *fx = *state;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    parcel->recipient = (char *)(uintptr_t)OFX_HOUSING;
    assert_refused(fx, parcel, LB_PARCEL_CHANGED);
    parcel = ofx_parcel(fx, 1, &fx->hall, &fx->housing); /* another sender's name */
    assert_ok(ofx_submit(fx, &fx->hall, parcel, NULL));
    assert_int_equal(ofx_rows(fx, "1"), 2);
}

/* --- what adapters hand in --- */

static void a_word_without_its_entry_is_refused(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__RoutedParcel *parcels[] = {&routed};
    Lianban__V1__Parcel *word = ofx_parcel(fx, 1, &fx->tax, &fx->street);
    ofx_link(fx, &link, &fx->tax);
    batch.parcels = parcels;
    batch.n_parcels = 1;
    routed.parcel = word;
    assert_ok(ofx_send(&link, &batch));
    assert_string_equal(ofx_told(&link)->code, "MALFORMED");
    word->sender = (char *)(uintptr_t)OFX_HOUSING;
    assert_ok(ofx_word(&link, word));
    assert_string_equal(ofx_told(&link)->code, "MALFORMED");
    word = ofx_parcel(fx, 1, &fx->tax, &fx->housing);
    assert_ok(ofx_word(&link, word));
    assert_string_equal(ofx_told(&link)->code, "PEER_UNLISTED");
    word = ofx_parcel(fx, 1, &fx->tax, &fx->street);
    word->expires_unix_s = ofx_now_s(fx) - 1;
    assert_ok(ofx_word(&link, word));
    assert_string_equal(ofx_told(&link)->code, "PARCEL_EXPIRED");
    assert_int_equal(ofx_rows(fx, "1"), 0);
    ofx_unlink(&link);
}

static void a_word_with_another_entry_tells_against_the_adapter(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__RoutedParcel *parcels[] = {&routed};
    Lianban__V1__Parcel *word = ofx_parcel(fx, 1, &fx->tax, &fx->street);
    ofx_link(fx, &link, &fx->tax);
    struct ofx_proof proof = ofx_entry(fx, &fx->tax, "SENT", lb_pb_span(word->name),
                                       lb_pb_span(word->name));
    routed.parcel = word;
    routed.entry = proof.entry;
    batch.log = proof.log;
    batch.parcels = parcels;
    batch.n_parcels = 1;
    assert_code(lb_status_code(ofx_send(&link, &batch)), LB_RECEIPT_INVALID);
    ofx_unlink(&link);
}

/* --- what recipients say --- */

static void delivered_takes_an_entry_about_this_parcel(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1), *other = ofx_hold(fx, 2);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link));
    assert_code(lb_status_code(ofx_say(&link, parcel, "DELIVERED", false)), LB_RECEIPT_INVALID);

    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__ParcelReceipt *receipts[] = {&receipt};
    receipt.entry = ofx_entry_on(&link, "DELIVERED", other, &batch);
    receipt.name = parcel->name;
    receipt.sender = parcel->sender;
    receipt.recipient = parcel->recipient;
    receipt.code = (char *)(uintptr_t)"DELIVERED";
    batch.receipts = receipts;
    batch.n_receipts = 1;
    assert_code(lb_status_code(ofx_send(&link, &batch)), LB_RECEIPT_INVALID);
    receipt.entry = ofx_entry_on(&link, "BUSY", parcel, &batch); /* of another outcome */
    assert_code(lb_status_code(ofx_send(&link, &batch)), LB_RECEIPT_INVALID);
    batch.log = NULL;
    receipt.code = (char *)(uintptr_t)"SUBJECT_MISMATCH"; /* an inner code has no place here */
    assert_code(lb_status_code(ofx_send(&link, &batch)), LB_MALFORMED);
    batch.log = NULL;
    receipt.code = (char *)(uintptr_t)"HELD";
    assert_code(lb_status_code(ofx_send(&link, &batch)), LB_MALFORMED);
    assert_int_equal(ofx_rows(fx, "ended IS NULL"), 2);
    ofx_unlink(&link);
}

static void another_adapter_has_no_say(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__ParcelReceipt *receipts[] = {&receipt};
    ofx_link(fx, &link, &fx->housing);
    assert_ok(ofx_say(&link, parcel, "DELIVERED", true)); /* with its own entry: passed over */
    receipt.name = parcel->name;
    receipt.sender = parcel->sender;
    receipt.recipient = parcel->recipient;
    receipt.code = (char *)(uintptr_t)"MALFORMED";
    batch.receipts = receipts;
    batch.n_receipts = 1;
    assert_code(lb_status_code(ofx_send(&link, &batch)), LB_MALFORMED);
    batch.log = NULL;
    batch.n_receipts = 0;
    batch.ended = &parcel->name;
    batch.n_ended = 1;
    assert_ok(ofx_send(&link, &batch)); /* no parcel of its own */
    assert_true(ofx_quiet(&link));
    assert_int_equal(ofx_rows(fx, "ended IS NULL"), 1);
    ofx_unlink(&link);
}

static void what_was_never_sent_is_not_refused(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__Parcel *unknown = ofx_parcel(fx, 9, &fx->street, &fx->tax);
    ofx_link(fx, &link, &fx->tax);
    assert_ok(ofx_say(&link, unknown, "DELIVERED", true));
    unknown->sender = (char *)(uintptr_t)"spiffe://test.gov/window/nobody";
    assert_ok(ofx_say(&link, unknown, "INTAKE_CLOSED", false));
    Lianban__V1__Parcel *parcel = ofx_parcel(fx, 1, &fx->street, &fx->tax);
    assert_ok(ofx_submit(fx, &fx->street, parcel, NULL));
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "BUSY", false));
    assert_ok(ofx_say(&link, parcel, "INTAKE_CLOSED", true)); /* it is not there any more */
    assert_true(ofx_quiet(&link));
    assert_int_equal(ofx_rows(fx, "ended IS NULL"), 1);
    ofx_unlink(&link);
}

static void nobody_takes_what_is_not_his(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__Parcel *word = ofx_parcel(fx, 7, &fx->tax, &fx->street);
    Lianban__V1__TakeRequest request = LIANBAN__V1__TAKE_REQUEST__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__ParcelReceipt *receipts[] = {&receipt};
    ofx_link(fx, &link, &fx->tax);
    assert_ok(ofx_word(&link, word));
    assert_string_equal(ofx_told(&link)->code, "HELD");
    assert_ok(ofx_take(fx, &fx->hall, word, false)); /* passed over */
    receipt.name = word->name;
    receipt.sender = word->sender;
    receipt.recipient = word->recipient;
    receipt.code = (char *)(uintptr_t)"MALFORMED";
    request.receipts = receipts;
    request.n_receipts = 1;
    assert_code(lb_status_code(lb_outbox_take(fx->outbox, OFX_HALL, &request)), LB_MALFORMED);
    receipt.code = (char *)(uintptr_t)"DELIVERED";
    assert_code(lb_status_code(lb_outbox_take(fx->outbox, OFX_STREET, &request)),
                LB_RECEIPT_INVALID);
    struct ofx_proof proof = ofx_entry(fx, &fx->hall, "DELIVERED", lb_pb_span(word->name),
                                       lb_pb_span(word->sealed->ciphertext));
    receipt.entry = proof.entry;
    request.log = proof.log;
    assert_true(lb_outbox_take(fx->outbox, OFX_STREET, &request) != LB_OK); /* another's log */
    assert_ok(ofx_take(fx, &fx->street, word, true)); /* it is not the sender */
    ProtobufCBinaryData names[257] = {{0, NULL}};
    request.n_receipts = 0;
    request.ended = names;
    request.n_ended = 257;
    assert_code(lb_status_code(lb_outbox_take(fx->outbox, OFX_STREET, &request)), LB_MALFORMED);
    request.n_ended = 1;
    assert_code(lb_status_code(lb_outbox_take(fx->outbox, OFX_STREET, &request)), LB_MALFORMED);
    assert_int_equal(ofx_rows(fx, "ended IS NULL"), 1);
    ofx_unlink(&link);
}

/* --- too much --- */

static void what_waits_is_bounded(void **state)
{
    struct ofx *fx = *state;
    ofx_stop(fx);
    fx->limits = (struct lb_outbox_limits){.parcels = 4, .of_sender = 3, .for_recipient = 2,
                                           .bytes = 1000000, .bytes_of_sender = 1000000,
                                           .bytes_for_recipient = 1000000, .remembered = 1000};
    ofx_start(fx);
    Lianban__V1__Parcel *first = ofx_hold(fx, 1);
    (void)ofx_hold(fx, 2);
    assert_refused(fx, ofx_parcel(fx, 3, &fx->street, &fx->tax), LB_OUTBOX_FULL);
    assert_ok(ofx_submit(fx, &fx->street, ofx_parcel(fx, 3, &fx->street, &fx->housing), NULL));
    assert_refused(fx, ofx_parcel(fx, 4, &fx->street, &fx->housing), LB_OUTBOX_FULL);
    assert_ok(ofx_submit(fx, &fx->hall, ofx_parcel(fx, 4, &fx->hall, &fx->housing), NULL));
    assert_ok(ofx_submit(fx, &fx->street, first, NULL)); /* it is there already */
    ofx_stop(fx);
    fx->limits.parcels = 1; /* what is held stays held */
    ofx_start(fx);
    assert_refused(fx, ofx_parcel(fx, 5, &fx->street, &fx->tax), LB_OUTBOX_FULL);
    assert_int_equal(ofx_rows(fx, "1"), 4);
    ofx_stop(fx);
    fx->limits = (struct lb_outbox_limits){.parcels = 9, .of_sender = 9, .for_recipient = 9,
                                           .bytes = 5 * 4500, .bytes_of_sender = 1000000,
                                           .bytes_for_recipient = 1000000, .remembered = 1000};
    ofx_start(fx);
    assert_ok(ofx_submit(fx, &fx->street, ofx_parcel(fx, 5, &fx->street, &fx->tax), NULL));
    assert_refused(fx, ofx_parcel(fx, 6, &fx->street, &fx->tax), LB_OUTBOX_FULL);
}

/* Thousands wait: an adapter gets them in frames of their size, and no more before it answers. */
static void a_party_that_takes_nothing_costs_one_batch(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    enum { NUM = 260 };
    for (unsigned i = 0; i < NUM; i++) {
        Lianban__V1__Parcel *parcel = ofx_parcel(fx, (uint8_t)i, &fx->street, &fx->tax);
        parcel->name.data[0] = (uint8_t)(i >> 8);
        assert_ok(ofx_submit(fx, &fx->street, parcel, NULL));
    }
    ofx_link(fx, &link, &fx->tax);
    size_t given = 0;
    const Lianban__V1__ParcelBatch *batch;
    const Lianban__V1__RoutedParcel *last = NULL;
    while (given < 256 && (batch = ofx_batch(&link)) != NULL) {
        given += batch->n_parcels;
        last = batch->parcels[batch->n_parcels - 1];
    }
    assert_int_equal(given, 256);
    assert_true(ofx_quiet(&link));
    assert_ok(ofx_say(&link, last->parcel, "DELIVERED", true));
    assert_non_null(ofx_given(&link)); /* one more */
    assert_true(ofx_quiet(&link));
    ofx_unlink(&link);
}

static void the_clock_may_jump(void **state)
{
    struct ofx *fx = *state;
    struct ofx_link link;
    Lianban__V1__Parcel *parcel = ofx_hold(fx, 1);
    ofx_link(fx, &link, &fx->tax);
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "BUSY", false));
    fx->clock.now_unix_ms -= 86400000; /* the wall's alone: pauses go by the other */
    fx->clock.now_monotonic_ms += 5000;
    assert_non_null(ofx_given(&link));
    assert_ok(ofx_say(&link, parcel, "DELIVERED", true));
    ofx_unlink(&link);
}

int main(void)
{
#define EACH(test_) cmocka_unit_test_setup_teardown(test_, ofx_setup, ofx_teardown)
    const struct CMUnitTest tests[] = {
        EACH(nobody_submits_for_another),
        EACH(a_parcel_has_its_shape),
        EACH(an_end_is_ahead_and_not_too_far),
        EACH(an_agents_entry_must_hold_if_it_comes),
        EACH(one_name_is_for_one_recipient),
        EACH(a_word_without_its_entry_is_refused),
        EACH(a_word_with_another_entry_tells_against_the_adapter),
        EACH(delivered_takes_an_entry_about_this_parcel),
        EACH(another_adapter_has_no_say),
        EACH(what_was_never_sent_is_not_refused),
        EACH(nobody_takes_what_is_not_his),
        EACH(what_waits_is_bounded),
        EACH(a_party_that_takes_nothing_costs_one_batch),
        EACH(the_clock_may_jump),
    };
    return cmocka_run_group_tests(tests, ofx_open, ofx_close);
}
