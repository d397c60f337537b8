#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_inside.h"
#include "gateway/wire/pb.h"

/* Parcels over an adapter's link, both ways. */

lb_status lb_outbox_link(struct lb_outbox *outbox, const char *adapter,
                         const struct lb_outlet_port *port, struct lb_outlet **out_outlet)
{
    return lb_outlet_open(outbox, adapter, true, port, out_outlet);
}

/* --- out --- */

/* All that one frame takes. */
struct load {
    struct batch *batch;
    struct note *notes;
};

/* Under lock. */
static struct note *take_notes(struct lb_outlet *outlet)
{
    struct note *first = outlet->notes, **end = &first;
    for (size_t i = 0; *end != NULL && i < BATCH_NOTES; i++, outlet->num_notes--)
        end = &(*end)->next;
    outlet->notes = *end;
    *end = NULL;
    if (outlet->notes == NULL)
        outlet->last_note = &outlet->notes;
    else
        outlet->port.kick(outlet->port.ctx);
    return first;
}

static void take_load(struct lb_outlet *outlet, struct load *out)
{
    (void)pthread_mutex_lock(&outlet->outbox->lock);
    out->batch = outlet->batch;
    out->notes = take_notes(outlet);
    outlet->batch = NULL;
    if (out->batch != NULL)
        lb_outbox_wake(outlet->outbox); /* there is room for the next */
    (void)pthread_mutex_unlock(&outlet->outbox->lock);
}

static void free_load(struct load *load)
{
    lb_batch_free(load->batch);
    while (load->notes != NULL) {
        struct note *note = load->notes;
        load->notes = note->next;
        free(note);
    }
}

/* What can't be proved now stays out of the frame, and comes again. */
static void add_items(const struct shown *shown, const struct batch *batch, struct lb_arena *arena,
                      Lianban__V1__ParcelBatch *out)
{
    for (size_t i = 0; batch != NULL && i < batch->num; i++) {
        const struct item *item = &batch->items[i];
        lb_status status =
            item->is_news
                ? lb_item_receipt(shown, item, arena, &out->receipts[out->n_receipts])
                : lb_item_routed(shown, item, arena, &out->parcels[out->n_parcels]);
        lb_log_failure("parcel_not_packed", status);
        out->n_receipts += status == LB_OK && item->is_news;
        out->n_parcels += status == LB_OK && !item->is_news;
    }
}

static void add_notes(const struct shown *shown, const struct note *notes, const char *sender,
                      struct lb_arena *arena, Lianban__V1__ParcelBatch *out)
{
    for (const struct note *note = notes; note != NULL; note = note->next) {
        lb_status status =
            lb_note_receipt(shown, note, sender, arena, &out->receipts[out->n_receipts]);
        lb_log_failure("parcel_not_packed", status);
        out->n_receipts += status == LB_OK;
    }
}

static lb_status pack(const struct lb_outlet *outlet, const struct load *load,
                      struct lb_session *session, struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__ParcelBatch parcels = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    struct shown shown = {.log = session->log};
    parcels.parcels = lb_arena_array(arena, BATCH_PARCELS, sizeof(parcels.parcels[0]));
    parcels.receipts =
        lb_arena_array(arena, BATCH_NEWS + BATCH_NOTES, sizeof(parcels.receipts[0]));
    LB_ENSURE(parcels.parcels != NULL && parcels.receipts != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_session_show(session, arena, &parcels.log, &shown.size));
    add_items(&shown, load->batch, arena, &parcels);
    add_notes(&shown, load->notes, outlet->box->party, arena, &parcels);
    frame.body_case = LIANBAN__V1__FRAME__BODY_PARCELS;
    frame.parcels = &parcels;
    return lb_pb_pack(&frame, arena, out);
}

lb_status lb_outlet_frame(struct lb_outlet *outlet, struct lb_session *session,
                          struct lb_arena *arena, struct lb_span *out_frame)
{
    struct load load;
    take_load(outlet, &load);
    bool any = load.batch != NULL || load.notes != NULL;
    lb_status status = any ? pack(outlet, &load, session, arena, out_frame) : LB_OK;
    free_load(&load);
    return status;
}

/* --- in --- */

static void refuse(struct lb_outlet *outlet, const Lianban__V1__Parcel *parcel, lb_status reason)
{
    struct note note = {.next = NULL};
    if (parcel == NULL || parcel->name.len != PARCEL_NAME_BYTES)
        return; /* nobody could tell what it is about */
    memcpy(note.name, parcel->name.data, sizeof(note.name));
    (void)snprintf(note.recipient, sizeof(note.recipient), "%s", parcel->recipient);
    (void)snprintf(note.code, sizeof(note.code), "%s", lb_code_name(lb_code_outer(reason->code)));
    (void)pthread_mutex_lock(&outlet->outbox->lock);
    lb_outlet_note(outlet, &note);
    (void)pthread_mutex_unlock(&outlet->outbox->lock);
}

static lb_status copy_parcel(const Lianban__V1__Parcel *parcel, struct box *from,
                             struct incoming **out)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4 * LB_MAX_PARCEL_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "parcel");
    LB_TRY(lb_pb_pack(parcel, arena, &bytes));
    struct incoming *incoming = calloc(1, sizeof(*incoming));
    LB_ENSURE(incoming != NULL, LB_NO_MEMORY, "parcel");
    lb_buf_init(&incoming->packed, 2 * LB_MAX_PARCEL_BYTES);
    lb_buf_put(&incoming->packed, bytes);
    incoming->from = from;
    incoming->expires_unix_s = parcel->expires_unix_s;
    memcpy(incoming->name, parcel->name.data, sizeof(incoming->name));
    lb_sha256(lb_pb_span(parcel->sealed->ciphertext), incoming->sha256);
    (void)snprintf(incoming->recipient, sizeof(incoming->recipient), "%s", parcel->recipient);
    if (!incoming->packed.failed) {
        *out = incoming;
        return LB_OK;
    }
    lb_buf_cleanup(&incoming->packed);
    free(incoming);
    LB_FAIL(LB_NO_MEMORY, "parcel");
}

/* The disk is not for who reads a link: the outbox's own thread looks it up and stores it. */
static lb_status queue_parcel(struct lb_outlet *outlet, const Lianban__V1__Parcel *parcel)
{
    struct lb_outbox *outbox = outlet->outbox;
    struct incoming *incoming = NULL;
    LB_TRY(lb_parcel_check(outbox, parcel, outlet->box->party, LB_NODE_WINDOW));
    LB_TRY(copy_parcel(parcel, outlet->box, &incoming));
    (void)pthread_mutex_lock(&outbox->lock);
    bool room = outbox->num_incoming < MAX_INCOMING;
    if (room) {
        *outbox->last_incoming = incoming;
        outbox->last_incoming = &incoming->next;
        outbox->num_incoming++;
        lb_outbox_wake(outbox);
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    if (room)
        return LB_OK;
    lb_buf_cleanup(&incoming->packed);
    free(incoming);
    LB_FAIL(LB_BUSY, "too many parcels at once");
}

/* An adapter has an entry about its own parcel, and one that does not hold tells against it. */
static lb_status take_parcel(struct lb_outlet *outlet, const Lianban__V1__RoutedParcel *routed,
                             const struct lb_checkpoint *checkpoint)
{
    const Lianban__V1__Parcel *parcel = routed->parcel;
    lb_status status = LB_OK;
    if (parcel == NULL || parcel->sealed == NULL || routed->entry == NULL)
        status = LB_FAULT(LB_MALFORMED, "a parcel without its parts");
    else if (parcel->name.len == PARCEL_NAME_BYTES)
        LB_TRY(lb_parcel_check_entry(routed, checkpoint));
    if (status == LB_OK)
        status = queue_parcel(outlet, parcel);
    if (status != LB_OK)
        refuse(outlet, parcel, status);
    return LB_OK;
}

static lb_status check_batch(const struct lb_outlet *outlet, const Lianban__V1__ParcelBatch *batch)
{
    LB_ENSURE(batch->n_parcels <= BATCH_PARCELS && batch->n_receipts <= LB_MAX_ITEMS_PER_BATCH &&
                  batch->n_ended <= LB_MAX_ITEMS_PER_BATCH,
              LB_MALFORMED, "batch has too many items");
    for (size_t i = 0; i < batch->n_ended; i++)
        LB_ENSURE(batch->ended[i].len == PARCEL_NAME_BYTES, LB_MALFORMED, "name of a parcel");
    (void)pthread_mutex_lock(&outlet->outbox->lock);
    bool room = outlet->num_notes + batch->n_parcels <= MAX_NOTES;
    (void)pthread_mutex_unlock(&outlet->outbox->lock);
    LB_ENSURE(room, LB_BUSY, "the adapter takes no answers");
    return LB_OK;
}

static lb_status take_receipt(struct lb_outlet *outlet, const Lianban__V1__ParcelReceipt *receipt,
                              const Lianban__V1__LogProgress *log,
                              const struct lb_checkpoint *checkpoint)
{
    struct verdict verdict;
    const char *adapter = outlet->box->party;
    LB_ENSURE(receipt->log == NULL, LB_MALFORMED, "a receipt with a log of its own on a link");
    LB_TRY(lb_verdict_read(receipt, adapter, checkpoint, &verdict));
    return lb_outbox_verdict(outlet->outbox, adapter, receipt, log, &verdict);
}

lb_status lb_outlet_receive(struct lb_outlet *outlet, struct lb_session *session,
                            const Lianban__V1__ParcelBatch *batch)
{
    struct lb_checkpoint checkpoint;
    LB_TRY(check_batch(outlet, batch));
    LB_TRY(lb_session_watch(session, batch->log, &checkpoint));
    for (size_t i = 0; i < batch->n_receipts; i++)
        LB_TRY(take_receipt(outlet, batch->receipts[i], batch->log, &checkpoint));
    for (size_t i = 0; i < batch->n_ended; i++)
        lb_outbox_told(outlet->outbox, outlet->box->party, batch->ended[i].data);
    for (size_t i = 0; i < batch->n_parcels; i++)
        LB_TRY(take_parcel(outlet, batch->parcels[i], &checkpoint));
    return LB_OK;
}
