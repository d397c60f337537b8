#include "gateway/exchange/outbox_inside.h"
#include "gateway/wire/pb.h"

/* What is said of a parcel, with the proofs of the entries behind it. */

#define LEAF_ARENA_BYTES (64U * 1024)

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

lb_status lb_show_own(struct lb_log *log, struct lb_arena *arena, struct shown *out)
{
    uint64_t from = 0;
    *out = (struct shown){.log = log};
    return lb_link_show(log, &from, arena, &out->progress, &out->size);
}

lb_status lb_own_entry(const struct shown *shown, uint64_t index, struct lb_arena *arena,
                       Lianban__V1__EntryProof **out)
{
    struct lb_span leaf = LB_SPAN_EMPTY;
    LB_TRY(lb_log_leaf(shown->log, index, arena, &leaf));
    return lb_link_prove(shown->log, index, leaf, shown->size, arena, out);
}

static lb_status own_receipt(const struct shown *shown, const uint8_t name[PARCEL_NAME_BYTES],
                             struct lb_arena *arena, Lianban__V1__ParcelReceipt **out)
{
    Lianban__V1__ParcelReceipt *receipt = lb_arena_alloc(arena, sizeof(*receipt));
    struct lb_span copy = LB_SPAN_EMPTY;
    LB_ENSURE(receipt != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_arena_copy(arena, lb_span_of(name, PARCEL_NAME_BYTES), &copy));
    lianban__v1__parcel_receipt__init(receipt);
    receipt->name = lb_pb_bytes(copy);
    receipt->log = shown->progress;
    *out = receipt;
    return LB_OK;
}

/* KEY_RETIRED is for the sender to act on; anything else it waits for is the broker's business. */
static void say_waiting(const struct item *item, Lianban__V1__ParcelReceipt *receipt)
{
    receipt->code = text_of("HELD");
    receipt->next_try_unix_s = item->next_try_unix_s;
    if (item->code == LB_KEY_RETIRED)
        receipt->code = text_of(lb_code_name(item->code));
    else if (item->code != LB_CODE_OK)
        receipt->away = text_of(lb_code_name(item->code));
}

lb_status lb_item_receipt(const struct shown *shown, const struct item *item,
                          struct lb_arena *arena, Lianban__V1__ParcelReceipt **out)
{
    Lianban__V1__ParcelReceipt *receipt = NULL;
    bool over = item->state == PARCEL_OVER;
    if (over && item->stored.len > 0)
        return lb_pb_unpack(&lianban__v1__parcel_receipt__descriptor, item->stored, arena, out);
    LB_TRY(own_receipt(shown, item->name, arena, &receipt));
    receipt->sender = text_of(item->sender);
    receipt->recipient = text_of(item->recipient);
    if (over)
        receipt->code = text_of(item->delivered ? "DELIVERED" : lb_code_name(item->code));
    else
        say_waiting(item, receipt);
    LB_TRY(lb_own_entry(shown, over ? item->ended : item->held, arena, &receipt->entry));
    *out = receipt;
    return LB_OK;
}

lb_status lb_note_receipt(const struct shown *shown, const struct note *note, const char *sender,
                          struct lb_arena *arena, Lianban__V1__ParcelReceipt **out)
{
    Lianban__V1__ParcelReceipt *receipt = NULL;
    LB_TRY(own_receipt(shown, note->name, arena, &receipt));
    receipt->sender = text_of(sender);
    receipt->recipient = lb_arena_str(arena, lb_span_str(note->recipient));
    receipt->code = lb_arena_str(arena, lb_span_str(note->code));
    LB_ENSURE(receipt->recipient != NULL && receipt->code != NULL, LB_NO_MEMORY, "arena is full");
    if (note->has_entry)
        LB_TRY(lb_own_entry(shown, note->index, arena, &receipt->entry));
    *out = receipt;
    return LB_OK;
}

lb_status lb_item_routed(const struct shown *shown, const struct item *item,
                         struct lb_arena *arena, Lianban__V1__RoutedParcel **out)
{
    Lianban__V1__RoutedParcel *routed = lb_arena_alloc(arena, sizeof(*routed));
    LB_ENSURE(routed != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__routed_parcel__init(routed);
    LB_TRY(lb_pb_unpack(&lianban__v1__parcel__descriptor, item->stored, arena, &routed->parcel));
    LB_TRY(lb_own_entry(shown, item->held, arena, &routed->entry));
    *out = routed;
    return LB_OK;
}
