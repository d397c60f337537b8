#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/fixture.h"
#include "gateway/wire/pb.h"

/* Parcels on a link beside reads. */

static uint8_t bytes[4096 + 16];

static lb_status submit(struct fixture *fx, uint8_t name)
{
    Lianban__V1__Parcel parcel = LIANBAN__V1__PARCEL__INIT;
    Lianban__V1__Sealed sealed = LIANBAN__V1__SEALED__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__SubmitRequest request = LIANBAN__V1__SUBMIT_REQUEST__INIT;
    Lianban__V1__SubmitResponse response = LIANBAN__V1__SUBMIT_RESPONSE__INIT;
    memset(bytes, name, sizeof(bytes));
    parcel.name = lb_pb_bytes(lb_span_of(bytes, 16));
    parcel.sender = (char *)(uintptr_t)FX_WINDOW;
    parcel.recipient = (char *)(uintptr_t)FX_ADAPTER;
    parcel.expires_unix_s = lb_clock_unix_s(lb_clock_system()) + 3600;
    parcel.sealed = &sealed;
    sealed.key_id = (char *)(uintptr_t)"k";
    sealed.enc = sealed.sender_key = lb_pb_bytes(lb_span_of(bytes, 32));
    sealed.ciphertext = lb_pb_bytes(lb_span_of(bytes, sizeof(bytes)));
    routed.parcel = &parcel;
    request.parcel = &routed;
    return lb_outbox_submit(fx->outbox, FX_WINDOW, &request, fx->arena, &response);
}

/* The next frame with parcels, past logs that are shown. */
static Lianban__V1__ParcelBatch *parcels(struct fixture *fx)
{
    Lianban__V1__Frame *frame;
    struct lb_checkpoint checkpoint;
    while ((frame = fx_frame(fx)) != NULL) {
        if (frame->body_case == LIANBAN__V1__FRAME__BODY_PARCELS) {
            assert_ok(lb_session_watch(&fx->session, frame->parcels->log, &checkpoint));
            return frame->parcels;
        }
        assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_BATCH);
        assert_ok(lb_session_watch(&fx->session, frame->batch->log, &checkpoint));
    }
    return NULL;
}

static lb_status say_delivered(struct fixture *fx, const Lianban__V1__Parcel *parcel, bool honest)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__ParcelReceipt *receipts[] = {&receipt};
    uint64_t size = 0;
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .code = "DELIVERED", .count = 1};
    memcpy(entry->leaf.txn, parcel->name.data, 16);
    entry->leaf.txn[15] ^= honest ? 0 : 1;
    assert_ok(lb_log_append_wait(fx->adapter_log, entry));
    assert_ok(lb_session_show(&fx->session, fx->arena, &batch.log, &size));
    assert_ok(lb_link_prove(fx->adapter_log, entry->index,
                            lb_span_of(entry->leaf_bytes, entry->leaf_len), size, fx->arena,
                            &receipt.entry));
    free(entry);
    receipt.name = parcel->name;
    receipt.sender = parcel->sender;
    receipt.recipient = parcel->recipient;
    receipt.code = (char *)(uintptr_t)"DELIVERED";
    batch.receipts = receipts;
    batch.n_receipts = 1;
    frame.body_case = LIANBAN__V1__FRAME__BODY_PARCELS;
    frame.parcels = &batch;
    return fx_send_frame(fx, &frame);
}

static void reads_go_before_parcels(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_link(fx);
    assert_ok(submit(fx, 1));
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 1, FX_PATIENT_MS));
    const Lianban__V1__ParcelBatch *batch = parcels(fx); /* the read was in a frame before it */
    assert_non_null(batch);
    assert_int_equal(batch->n_parcels, 1);
    assert_ok(say_delivered(fx, batch->parcels[0]->parcel, true));
    fx_leave(&call);
    fx_unlink(fx);
}

static void who_lies_of_a_parcel_is_asked_no_more(void **state)
{
    struct fixture *fx = *state;
    const struct lb_broker_port port = {fx, NULL, NULL, false};
    struct lb_broker_link *link = NULL;
    fx_link(fx);
    assert_ok(submit(fx, 2));
    const Lianban__V1__ParcelBatch *batch = parcels(fx);
    assert_code(lb_status_code(say_delivered(fx, batch->parcels[0]->parcel, false)),
                LB_RECEIPT_INVALID);
    assert_code(lb_status_code(fx->failed), LB_RECEIPT_INVALID);
    fx_unlink(fx);
    assert_code(lb_status_code(lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &link)),
                LB_RECEIPT_INVALID);
}

static int setup(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    fx_setup(fx);
    *state = fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_go_before_parcels),
        cmocka_unit_test(who_lies_of_a_parcel_is_asked_no_more),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
