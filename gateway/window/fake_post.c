#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/parcel.h"
#include "gateway/window/fixture.h"
#include "gateway/wire/pb.h"

/* Brokers that keep parcels, and departments that take and answer them. */

/* --- brokers --- */

static void check_entry(struct fixture *fx, const Lianban__V1__SubmitRequest *request,
                        const struct fx_posted *posted, struct lb_arena *arena)
{
    uint8_t key[LB_P256_PUBLIC_BYTES];
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    (void)arena;
    assert_int_equal(lb_sign_key_public(fx->window_key, key), 32);
    assert_ok(lb_watch_init(&watch, lb_spiffe_log_origin(FX_WINDOW), key, 0, NULL));
    assert_ok(lb_watch_check(&watch, request->log, &checkpoint));
    lb_watch_cleanup(&watch);
    assert_ok(lb_link_verify(request->parcel->entry, &checkpoint, &leaf, &hash));
    assert_int_equal(leaf.type, LB_LEAF_PARCEL);
    assert_string_equal(leaf.code, "SENT");
    assert_memory_equal(leaf.txn, posted->name, 16);
    assert_memory_equal(leaf.request_hash, posted->sha256, 32);
}

static void keep(struct fixture *fx, size_t broker, const Lianban__V1__SubmitRequest *request,
                 struct lb_arena *arena)
{
    const Lianban__V1__Parcel *parcel = request->parcel->parcel;
    assert_true(fx->num_posted < FX_MAX_POSTED);
    struct fx_posted *posted = &fx->posted[fx->num_posted++];
    assert_string_equal(parcel->sender, FX_WINDOW);
    assert_int_equal(parcel->name.len, 16);
    assert_int_equal(parcel->sealed->seq, 0);
    *posted = (struct fx_posted){.broker = broker, .expires_unix_s = parcel->expires_unix_s};
    memcpy(posted->name, parcel->name.data, 16);
    memcpy(posted->enc, parcel->sealed->enc.data, 32);
    memcpy(posted->sender_key, parcel->sealed->sender_key.data, 32);
    (void)snprintf(posted->recipient, sizeof(posted->recipient), "%s", parcel->recipient);
    (void)snprintf(posted->key_id, sizeof(posted->key_id), "%s", parcel->sealed->key_id);
    assert_ok(lb_arena_copy(fx->arena, lb_pb_span(parcel->sealed->ciphertext),
                            &posted->ciphertext));
    lb_sha256(posted->ciphertext, posted->sha256);
    check_entry(fx, request, posted, arena);
}

lb_status fx_submit(void *ctx, size_t broker, const Lianban__V1__SubmitRequest *request,
                    struct lb_arena *arena, Lianban__V1__SubmitResponse **out)
{
    struct fixture *fx = ctx;
    const struct fx_hub *hub = &fx->hubs[broker];
    const Lianban__V1__Parcel *parcel = request->parcel->parcel;
    LB_ENSURE(!hub->dead, LB_UNAVAILABLE, "test");
    keep(fx, broker, request, arena);
    Lianban__V1__SubmitResponse *response = lb_arena_alloc(arena, sizeof(*response));
    Lianban__V1__ParcelReceipt *receipt = lb_arena_alloc(arena, sizeof(*receipt));
    lianban__v1__submit_response__init(response);
    lianban__v1__parcel_receipt__init(receipt);
    receipt->name = parcel->name;
    receipt->sender = parcel->sender;
    receipt->recipient = parcel->recipient;
    receipt->code = (char *)(uintptr_t)(hub->post_says == NULL ? "HELD" : hub->post_says);
    if (hub->post_away != NULL) {
        receipt->away = (char *)(uintptr_t)hub->post_away;
        receipt->next_try_unix_s = FX_NOW + 30;
    }
    response->receipt = receipt;
    *out = response;
    return LB_OK;
}

lb_status fx_follow(void *ctx, const struct lb_window_follow_call *call)
{
    (void)ctx;
    (void)call;
    LB_FAIL(LB_UNAVAILABLE, "test");
}

static void check_taken(struct fixture *fx, const Lianban__V1__TakeRequest *request,
                        const Lianban__V1__ParcelReceipt *receipt)
{
    uint8_t key[LB_P256_PUBLIC_BYTES];
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    (void)snprintf(fx->taken_code, sizeof(fx->taken_code), "%s", receipt->code);
    if (strcmp(receipt->code, "DELIVERED") != 0)
        return;
    assert_int_equal(lb_sign_key_public(fx->window_key, key), 32);
    assert_ok(lb_watch_init(&watch, lb_spiffe_log_origin(FX_WINDOW), key, 0, NULL));
    assert_ok(lb_watch_check(&watch, request->log, &checkpoint));
    lb_watch_cleanup(&watch);
    assert_ok(lb_link_verify(receipt->entry, &checkpoint, &leaf, &hash));
    assert_int_equal(leaf.type, LB_LEAF_PARCEL);
    assert_string_equal(leaf.code, "DELIVERED");
    assert_memory_equal(leaf.txn, receipt->name.data, 16);
}

lb_status fx_take(void *ctx, size_t broker, const Lianban__V1__TakeRequest *request)
{
    struct fixture *fx = ctx;
    (void)broker;
    LB_TRY(fx->take_fails);
    for (size_t i = 0; i < request->n_receipts; i++)
        check_taken(fx, request, request->receipts[i]);
    fx->num_taken += request->n_receipts;
    fx->num_ended += request->n_ended;
    return LB_OK;
}

/* --- departments --- */

static struct fx_adapter *recipient(struct fixture *fx, const struct fx_posted *posted)
{
    for (size_t i = 0; i < FX_ADAPTERS; i++)
        if (strcmp(fx->adapters[i].spiffe, posted->recipient) == 0)
            return &fx->adapters[i];
    fail_msg("no such department");
    return NULL;
}

const struct fx_posted *fx_posted_to(struct fixture *fx, enum fx_department department)
{
    for (size_t i = fx->num_posted; i > 0; i--)
        if (strcmp(fx->posted[i - 1].recipient, fx->adapters[department].spiffe) == 0)
            return &fx->posted[i - 1];
    fail_msg("nothing was sent there");
    return NULL;
}

Lianban__V1__Part *fx_read(struct fixture *fx, const struct fx_posted *posted)
{
    Lianban__V1__SealedParcel *content = NULL;
    struct lb_parcel_cover cover = {.sender = FX_WINDOW,
                                    .recipient = posted->recipient,
                                    .key_id = posted->key_id,
                                    .expires_unix_s = posted->expires_unix_s};
    struct lb_parcel_sealed sealed = {.ciphertext = posted->ciphertext};
    struct lb_span message;
    memcpy(cover.name, posted->name, 16);
    memcpy(sealed.enc, posted->enc, 32);
    assert_memory_equal(posted->sender_key, fx->seal_key.public_key, 32);
    assert_ok(lb_parcel_open(&cover, &recipient(fx, posted)->seal_key, posted->sender_key,
                             &sealed, fx->arena, &message));
    assert_ok(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, message, fx->arena,
                           &content));
    assert_int_equal(content->version, 1);
    assert_int_equal(content->body_case, LIANBAN__V1__SEALED_PARCEL__BODY_PART);
    return content->part;
}

Lianban__V1__ParcelReceipt *fx_receipt(struct fixture *fx, const struct fx_posted *posted,
                                       const char *code)
{
    struct fx_adapter *adapter = recipient(fx, posted);
    struct lb_leaf leaf = {.type = LB_LEAF_PARCEL, .count = 1};
    struct lb_log_entry entry;
    Lianban__V1__ParcelReceipt *receipt = lb_arena_alloc(fx->arena, sizeof(*receipt));
    assert_non_null(receipt);
    lianban__v1__parcel_receipt__init(receipt);
    memcpy(leaf.txn, posted->name, 16);
    memcpy(leaf.request_hash, posted->sha256, 32);
    (void)snprintf(leaf.code, sizeof(leaf.code), "%s", code);
    fx_log_entry(fx, adapter->log, &leaf, &entry);
    fx_log_prove(adapter->log, &entry, fx->arena, &receipt->log, &receipt->entry);
    receipt->name = lb_pb_bytes(lb_span_of(posted->name, 16));
    receipt->sender = (char *)(uintptr_t)FX_WINDOW;
    receipt->recipient = adapter->spiffe;
    receipt->code = (char *)(uintptr_t)code;
    return receipt;
}

struct lb_span fx_news(struct fixture *fx, Lianban__V1__ParcelReceipt *receipt)
{
    Lianban__V1__FollowEvent event = LIANBAN__V1__FOLLOW_EVENT__INIT;
    Lianban__V1__ParcelEvent news = LIANBAN__V1__PARCEL_EVENT__INIT;
    struct lb_span bytes;
    news.receipt = receipt;
    event.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_EVENT;
    event.event = &news;
    assert_ok(lb_pb_pack(&event, fx->arena, &bytes));
    return bytes;
}

static struct lb_span pack_word(struct fixture *fx, const Lianban__V1__Word *word)
{
    Lianban__V1__SealedParcel content = LIANBAN__V1__SEALED_PARCEL__INIT;
    struct lb_span bytes;
    content.version = 1;
    content.made_unix_s = FX_NOW;
    content.body_case = LIANBAN__V1__SEALED_PARCEL__BODY_WORD;
    content.word = (Lianban__V1__Word *)(uintptr_t)word;
    assert_ok(lb_pb_pack(&content, fx->arena, &bytes));
    return bytes;
}

struct lb_span fx_word(struct fixture *fx, enum fx_department department,
                       const Lianban__V1__Word *word, uint8_t seed)
{
    struct fx_adapter *adapter = &fx->adapters[department];
    Lianban__V1__FollowEvent event = LIANBAN__V1__FOLLOW_EVENT__INIT;
    Lianban__V1__ParcelHanded handed = LIANBAN__V1__PARCEL_HANDED__INIT;
    Lianban__V1__RoutedParcel routed = LIANBAN__V1__ROUTED_PARCEL__INIT;
    Lianban__V1__Parcel parcel = LIANBAN__V1__PARCEL__INIT;
    Lianban__V1__Sealed sealed = LIANBAN__V1__SEALED__INIT;
    struct lb_parcel_cover cover = {.sender = adapter->spiffe, .recipient = FX_WINDOW,
                                    .key_id = "s1", .expires_unix_s = FX_NOW + 86400};
    struct lb_parcel_sealed out;
    struct lb_span bytes;
    memset(cover.name, seed, sizeof(cover.name));
    assert_ok(lb_parcel_seal(&cover, fx->seal_key.public_key, &adapter->seal_key,
                             pack_word(fx, word), fx->arena, &out));
    sealed.key_id = (char *)(uintptr_t) "s1";
    sealed.enc = lb_pb_bytes(lb_span_of(out.enc, sizeof(out.enc)));
    sealed.sender_key = lb_pb_bytes(lb_span_of(adapter->seal_key.public_key, 32));
    sealed.ciphertext = lb_pb_bytes(out.ciphertext);
    parcel.name = lb_pb_bytes(lb_span_of(cover.name, sizeof(cover.name)));
    parcel.sender = adapter->spiffe;
    parcel.recipient = (char *)(uintptr_t)FX_WINDOW;
    parcel.expires_unix_s = cover.expires_unix_s;
    parcel.sealed = &sealed;
    routed.parcel = &parcel;
    handed.parcel = &routed;
    event.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_HANDED;
    event.handed = &handed;
    assert_ok(lb_pb_pack(&event, fx->arena, &bytes));
    return bytes;
}

/* --- days --- */

void fx_calendar(struct fixture *fx)
{
    static const char text[] =
        "calendar: test\nversion: 1\nutc_offset_minutes: 480\nhours: {weekdays: \"08:30-17:30\"}\n"
        "grace_minutes: 0\nyears: [2027]\n"
        "holidays: [{from: 2027-01-20, to: 2027-01-20, zh: 假, en: Holiday}]\n"
        "workdays: [2027-01-16]\n";
    assert_ok(lb_file_write(fx_path(fx, "calendar.yaml"), lb_span_str(text), 0600));
    if (lb_work_calendar_load(fx_path(fx, "calendar.yaml"), &fx->diag, &fx->calendar) != LB_OK)
        fail_msg("%s", fx->diag.text);
    fx_restart(fx);
}
