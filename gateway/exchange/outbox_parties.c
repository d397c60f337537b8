#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_fixture.h"
#include "gateway/wire/pb.h"

/* Adapters and agents, played by the test. */

static void no_kick(void *ctx)
{
    (void)ctx;
}

static void no_end(void *ctx, lb_status status)
{
    (void)ctx;
    lb_status_ignore(status);
}

/* --- links --- */

static void greet(struct ofx *fx, struct lb_session *from, struct lb_session *to)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    Lianban__V1__Frame *frame = NULL;
    assert_ok(lb_session_hello(from, fx->arena, &bytes));
    assert_ok(lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, fx->arena, &frame));
    assert_ok(lb_session_greet(to, frame->hello));
}

void ofx_link(struct ofx *fx, struct ofx_link *link, struct ofx_party *adapter)
{
    const struct lb_outlet_port port = {link, no_kick, no_end};
    uint8_t ours[LB_P256_PUBLIC_BYTES], theirs[LB_P256_PUBLIC_BYTES];
    const char *folder = lb_arena_printf(fx->arena, "%s/seen-%p", fx->folder, (void *)adapter);
    *link = (struct ofx_link){.fx = fx, .adapter = adapter};
    (void)lb_sign_key_public(fx->broker.keys.log_key, ours);
    (void)lb_sign_key_public(adapter->keys.log_key, theirs);
    assert_ok(lb_file_mkdirs(folder));
    assert_ok(lb_seen_new(folder, &link->seen));
    assert_ok(lb_session_init(&link->ours, fx->broker.log, lb_spiffe_log_origin(adapter->spiffe),
                              theirs, fx->seen));
    assert_ok(lb_session_init(&link->theirs, adapter->log, lb_spiffe_log_origin(OFX_BROKER), ours,
                              link->seen));
    greet(fx, &link->ours, &link->theirs);
    greet(fx, &link->theirs, &link->ours);
    assert_true(link->ours.takes_parcels);
    assert_ok(lb_outbox_link(fx->outbox, adapter->spiffe, &port, &link->outlet));
}

void ofx_unlink(struct ofx_link *link)
{
    lb_outlet_close(link->outlet);
    lb_session_cleanup(&link->ours);
    lb_session_cleanup(&link->theirs);
    lb_seen_free(link->seen);
    link->outlet = NULL;
}

static void check_held(struct ofx_link *link, const Lianban__V1__RoutedParcel *routed,
                       const struct lb_checkpoint *checkpoint)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint8_t digest[32];
    (void)link;
    assert_non_null(routed->entry);
    assert_ok(lb_link_verify(routed->entry, checkpoint, &leaf, &hash));
    lb_sha256(lb_pb_span(routed->parcel->sealed->ciphertext), digest);
    assert_string_equal(leaf.code, "HELD");
    assert_memory_equal(leaf.txn, routed->parcel->name.data, 16);
    assert_memory_equal(leaf.request_hash, digest, 32);
}

static Lianban__V1__ParcelBatch *try_batch(struct ofx_link *link)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    Lianban__V1__Frame *frame = NULL;
    struct lb_checkpoint checkpoint;
    assert_ok(lb_outlet_frame(link->outlet, &link->ours, link->fx->arena, &bytes));
    if (bytes.len == 0)
        return NULL;
    assert_true(bytes.len < LB_MAX_MESSAGE_BYTES);
    assert_ok(lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, link->fx->arena, &frame));
    assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_PARCELS);
    assert_ok(lb_session_watch(&link->theirs, frame->parcels->log, &checkpoint));
    assert_true(frame->parcels->n_parcels <= 64);
    for (size_t i = 0; i < frame->parcels->n_parcels; i++)
        check_held(link, frame->parcels->parcels[i], &checkpoint);
    return frame->parcels->n_parcels + frame->parcels->n_receipts > 0 ? frame->parcels : NULL;
}

Lianban__V1__ParcelBatch *ofx_batch(struct ofx_link *link)
{
    Lianban__V1__ParcelBatch *batch = NULL;
    for (int i = 0; i < OFX_STEPS && batch == NULL; i++) {
        batch = try_batch(link);
        if (batch == NULL)
            (void)usleep(OFX_STEP_US);
    }
    return batch;
}

bool ofx_quiet(struct ofx_link *link)
{
    (void)usleep(5 * OFX_LOOK_MS * 1000);
    return try_batch(link) == NULL;
}

const Lianban__V1__RoutedParcel *ofx_given(struct ofx_link *link)
{
    const Lianban__V1__ParcelBatch *batch;
    while ((batch = ofx_batch(link)) != NULL) {
        if (batch->n_parcels > 0)
            return batch->parcels[0];
    }
    return NULL;
}

const Lianban__V1__ParcelReceipt *ofx_told(struct ofx_link *link)
{
    const Lianban__V1__ParcelBatch *batch;
    while ((batch = ofx_batch(link)) != NULL) {
        if (batch->n_receipts > 0)
            return batch->receipts[0];
    }
    return NULL;
}

lb_status ofx_send(struct ofx_link *link, Lianban__V1__ParcelBatch *batch)
{
    uint64_t size = 0;
    if (batch->log == NULL)
        assert_ok(lb_session_show(&link->theirs, link->fx->arena, &batch->log, &size));
    return lb_outlet_receive(link->outlet, &link->ours, batch);
}

Lianban__V1__EntryProof *ofx_entry_on(struct ofx_link *link, const char *code,
                                      const Lianban__V1__Parcel *parcel,
                                      Lianban__V1__ParcelBatch *batch)
{
    struct ofx *fx = link->fx;
    struct ofx_proof proof = ofx_entry(fx, link->adapter, code, lb_pb_span(parcel->name),
                                       lb_pb_span(parcel->sealed->ciphertext));
    Lianban__V1__EntryProof *again = NULL;
    uint64_t size = 0;
    assert_ok(lb_session_show(&link->theirs, fx->arena, &batch->log, &size));
    assert_ok(lb_link_prove(link->adapter->log, proof.entry->index, lb_pb_span(proof.entry->leaf),
                            size, fx->arena, &again));
    return again;
}

lb_status ofx_say(struct ofx_link *link, const Lianban__V1__Parcel *parcel, const char *code,
                  bool entry)
{
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__ParcelReceipt *receipts[] = {&receipt};
    receipt.name = parcel->name;
    receipt.sender = parcel->sender;
    receipt.recipient = (char *)(uintptr_t)link->adapter->spiffe;
    receipt.code = (char *)(uintptr_t)code;
    if (entry)
        receipt.entry = ofx_entry_on(link, code, parcel, &batch);
    batch.receipts = receipts;
    batch.n_receipts = 1;
    return ofx_send(link, &batch);
}

lb_status ofx_word(struct ofx_link *link, Lianban__V1__Parcel *parcel)
{
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__RoutedParcel *parcels[] = {&routed};
    routed.parcel = parcel;
    routed.entry = ofx_entry_on(link, "SENT", parcel, &batch);
    batch.parcels = parcels;
    batch.n_parcels = 1;
    return ofx_send(link, &batch);
}

/* --- agents --- */

static void end_follow(void *ctx, lb_status status)
{
    struct ofx_follow *follow = ctx;
    follow->ended = status;
}

lb_status ofx_follow(struct ofx *fx, struct ofx_follow *follow, const struct ofx_party *agent)
{
    const struct lb_outlet_port port = {follow, no_kick, end_follow};
    *follow = (struct ofx_follow){.fx = fx};
    return lb_outbox_follow(fx->outbox, agent->spiffe, &port, &follow->outlet);
}

void ofx_unfollow(struct ofx_follow *follow)
{
    lb_outlet_close(follow->outlet);
    follow->outlet = NULL;
}

Lianban__V1__FollowEvent *ofx_event(struct ofx_follow *follow)
{
    struct lb_buf buf;
    Lianban__V1__FollowEvent *event = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    for (int i = 0; i < OFX_STEPS && event == NULL; i++) {
        if (lb_follow_fill(follow->outlet, &buf))
            assert_ok(lb_pb_unpack(&lianban__v1__follow_event__descriptor, lb_buf_span(&buf),
                                   follow->fx->arena, &event));
        else
            (void)usleep(OFX_STEP_US);
    }
    lb_buf_cleanup(&buf);
    return event;
}

const Lianban__V1__ParcelEvent *ofx_outcome(struct ofx_follow *follow, const char *code)
{
    const Lianban__V1__FollowEvent *event;
    while ((event = ofx_event(follow)) != NULL) {
        if (event->body_case == LIANBAN__V1__FOLLOW_EVENT__BODY_EVENT &&
            strcmp(event->event->receipt->code, code) == 0)
            return event->event;
    }
    return NULL;
}

lb_status ofx_take(struct ofx *fx, const struct ofx_party *agent, const Lianban__V1__Parcel *parcel,
                   bool ended)
{
    Lianban__V1__TakeRequest request = LIANBAN__V1__TAKE_REQUEST__INIT;
    Lianban__V1__ParcelReceipt receipt = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__ParcelReceipt *receipts[] = {&receipt};
    ProtobufCBinaryData names[] = {parcel->name};
    request.ended = names;
    request.n_ended = ended ? 1 : 0;
    if (!ended) {
        struct ofx_proof proof = ofx_entry(fx, agent, "DELIVERED", lb_pb_span(parcel->name),
                                           lb_pb_span(parcel->sealed->ciphertext));
        receipt.name = parcel->name;
        receipt.sender = parcel->sender;
        receipt.recipient = (char *)(uintptr_t)agent->spiffe;
        receipt.code = (char *)(uintptr_t)"DELIVERED";
        receipt.entry = proof.entry;
        request.log = proof.log;
        request.receipts = receipts;
        request.n_receipts = 1;
    }
    return lb_outbox_take(fx->outbox, agent->spiffe, &request);
}
