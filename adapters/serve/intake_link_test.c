#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "adapters/serve/fixture_broker.h"
#include "adapters/serve/fixture_parcel.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* Parcels on a link, against a broker played by the test. */

/* What the played broker sends: `num` times one parcel with an entry that a test may spoil. */
static lb_status send_parcels(struct fx_played *played, Lianban__V1__Parcel *parcel, size_t num,
                              void (*spoil)(struct lb_leaf *leaf))
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__RoutedParcel *list[65];
    struct lb_span bytes = LB_SPAN_EMPTY;
    uint64_t size = 0;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .code = "HELD", .count = 1};
    memcpy(entry->leaf.txn, parcel->name.data, 16);
    lb_sha256(lb_pb_span(parcel->sealed->ciphertext), entry->leaf.request_hash);
    if (spoil != NULL)
        spoil(&entry->leaf);
    assert_ok(lb_log_append_wait(played->log, entry));
    assert_ok(lb_session_show(&played->session, arena, &batch.log, &size));
    routed.parcel = parcel;
    assert_ok(lb_link_prove(played->log, entry->index,
                            lb_span_of(entry->leaf_bytes, entry->leaf_len), size, arena,
                            &routed.entry));
    for (size_t i = 0; i < num; i++)
        list[i] = &routed;
    batch.parcels = list;
    batch.n_parcels = num;
    frame.body_case = LIANBAN__V1__FRAME__BODY_PARCELS;
    frame.parcels = &batch;
    assert_ok(lb_pb_pack(&frame, arena, &bytes));
    lb_status status = lb_adapter_link_receive(played->link, bytes);
    free(entry);
    return status;
}

/* The next frame about parcels, whose log holds. */
static const Lianban__V1__ParcelBatch *next_parcels(struct fx_played *played,
                                                    struct lb_checkpoint *checkpoint)
{
    for (int i = 0; i < 20; i++) {
        const Lianban__V1__Frame *frame = fx_next_frame(played);
        if (frame != NULL && frame->body_case == LIANBAN__V1__FRAME__BODY_PARCELS) {
            assert_ok(lb_session_watch(&played->session, frame->parcels->log, checkpoint));
            return frame->parcels;
        }
        if (frame != NULL)
            assert_ok(lb_session_watch(&played->session, frame->batch->log, checkpoint));
    }
    fail_msg("no frame about parcels came");
    return NULL;
}

static void a_parcel_is_answered_with_a_proved_entry(void **state)
{
    struct fx_played *played = *state;
    struct fx_parcel parcel;
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint64_t first = 0;
    fx_reconnect(played);
    assert_true(played->session.takes_parcels);
    fx_parcel_honest(&played->fx, &parcel);
    for (int i = 0; i < 2; i++) {
        assert_ok(send_parcels(played, fx_seal_parcel(&played->fx, &parcel), 1, NULL));
        const Lianban__V1__ParcelBatch *batch = next_parcels(played, &checkpoint);
        assert_int_equal(batch->n_receipts, 1);
        const Lianban__V1__ParcelReceipt *receipt = batch->receipts[0];
        assert_string_equal(receipt->code, "DELIVERED");
        assert_string_equal(receipt->sender, FX_WINDOW);
        assert_string_equal(receipt->recipient, FX_ADAPTER);
        assert_memory_equal(receipt->name.data, parcel.name, 16);
        assert_ok(lb_link_verify(receipt->entry, &checkpoint, &leaf, &hash));
        assert_int_equal(leaf.type, LB_LEAF_PARCEL);
        assert_string_equal(leaf.code, "DELIVERED");
        assert_memory_equal(leaf.txn, parcel.name, 16);
        if (i == 0)
            first = receipt->entry->index;
        assert_int_equal(receipt->entry->index, first);
    }
}

static void many_of_one_frame_are_each_answered(void **state)
{
    struct fx_played *played = *state;
    struct fx_parcel parcel;
    struct lb_checkpoint checkpoint;
    size_t told = 0;
    fx_reconnect(played);
    fx_parcel_honest(&played->fx, &parcel);
    assert_ok(send_parcels(played, fx_seal_parcel(&played->fx, &parcel), 64, NULL));
    while (told < 64)
        told += next_parcels(played, &checkpoint)->n_receipts;
    assert_int_equal(told, 64);
}

static void too_many_end_the_link(void **state)
{
    struct fx_played *played = *state;
    struct fx_parcel parcel;
    fx_reconnect(played);
    fx_parcel_honest(&played->fx, &parcel);
    assert_code(lb_status_code(send_parcels(played, fx_seal_parcel(&played->fx, &parcel), 65,
                                            NULL)),
                LB_MALFORMED);
}

static void nothing_comes_before_the_greeting(void **state)
{
    struct fx_played *played = *state;
    struct fx_parcel parcel;
    fx_parcel_honest(&played->fx, &parcel);
    assert_code(lb_status_code(send_parcels(played, fx_seal_parcel(&played->fx, &parcel), 1, NULL)),
                LB_MALFORMED);
}

static void other_parcel(struct lb_leaf *leaf)
{
    leaf->request_hash[0] ^= 1;
}

static void other_name(struct lb_leaf *leaf)
{
    leaf->txn[0] ^= 1;
}

static void other_kind(struct lb_leaf *leaf)
{
    leaf->type = LB_LEAF_ROUTE;
}

static void other_word(struct lb_leaf *leaf)
{
    memcpy(leaf->code, "HANDED", sizeof("HANDED"));
}

static void a_parcel_without_its_entry_ends_the_link(void **state)
{
    void (*const spoils[])(struct lb_leaf *) = {other_parcel, other_name, other_kind, other_word};
    struct fx_played *played = *state;
    struct fx_parcel parcel;
    fx_reconnect(played);
    fx_parcel_honest(&played->fx, &parcel);
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
        assert_code(lb_status_code(send_parcels(played, fx_seal_parcel(&played->fx, &parcel), 1,
                                                spoils[i])),
                    LB_RECEIPT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_comes_before_the_greeting),
        cmocka_unit_test(a_parcel_is_answered_with_a_proved_entry),
        cmocka_unit_test(many_of_one_frame_are_each_answered),
        cmocka_unit_test(too_many_end_the_link),
        cmocka_unit_test(a_parcel_without_its_entry_ends_the_link),
    };
    return cmocka_run_group_tests(tests, fx_played_strange_setup, fx_played_teardown);
}
