#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/link_state.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* Parcels on a link: those that come are taken in on the intake's worker, which answers each with a
 * receipt; what the department says goes out. */

#define MAX_PARCELS 64
#define MAX_PARCEL_BYTES (512U * 1024)
#define MAX_RECEIPTS 1024
/* A broker that hands over parcels and takes no receipts is not served without end. */
#define MAX_OPEN 4096
/* What goes into one frame. */
#define FRAME_ITEMS 64
#define FRAME_BYTES (448U * 1024)

/* A frame on its way to the worker. */
struct parcels_job {
    struct lb_job job;
    struct lb_adapter_link *link;
    struct lb_buf frame;
    size_t num;
    struct lb_hash leaves[MAX_PARCELS];  /* of the broker's entries */
};

static void free_item(struct parcel_item *item)
{
    lb_buf_cleanup(&item->leaf);
    lb_buf_cleanup(&item->parcel);
    free(item);
}

void lb_link_drop_parcels(struct lb_adapter_link *link)
{
    while (link->first_parcel != NULL) {
        struct parcel_item *item = link->first_parcel;
        link->first_parcel = item->next;
        free_item(item);
    }
}

/* --- what goes out --- */

static struct parcel_item *new_item(const uint8_t *name, size_t len)
{
    struct parcel_item *item = calloc(1, sizeof(*item));
    if (item == NULL)
        return NULL;
    memcpy(item->name, name, len < sizeof(item->name) ? len : sizeof(item->name));
    lb_buf_init(&item->leaf, LB_MAX_LEAF_BYTES);
    lb_buf_init(&item->parcel, LB_MAX_MESSAGE_BYTES);
    return item;
}

/* Queues a whole item, or drops it; `counted` says that it has its place already. */
static bool enqueue(struct lb_adapter_link *link, struct parcel_item *item, bool counted)
{
    bool whole = item != NULL && !item->leaf.failed && !item->parcel.failed;
    (void)pthread_mutex_lock(&link->lock);
    bool queued = whole && !link->closed && (counted || link->num_parcels < MAX_OPEN);
    if (queued) {
        *link->last_parcel = item;
        link->last_parcel = &item->next;
        link->num_parcels += counted ? 0 : 1;
        link->options.port.kick(link->options.port.ctx);
    } else {
        link->num_parcels -= counted ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (!queued && item != NULL)
        free_item(item);
    return queued;
}

/* A receipt that is lost is asked for again: the broker sends its parcel anew. */
static void send_receipt(struct lb_adapter_link *link, const Lianban__V1__Parcel *parcel,
                         const struct lb_intake_receipt *receipt)
{
    struct parcel_item *item = new_item(parcel->name.data, parcel->name.len);
    if (item != NULL) {
        (void)snprintf(item->sender, sizeof(item->sender), "%s", parcel->sender);
        item->code = receipt->code;
        item->recorded = receipt->recorded;
        item->index = receipt->index;
        lb_buf_put(&item->leaf, lb_span_of(receipt->leaf, receipt->leaf_len));
    }
    (void)enqueue(link, item, true);
}

bool lb_link_send_word(struct lb_adapter_link *link, const struct lb_link_word *word)
{
    struct parcel_item *item = new_item(word->name, sizeof(word->name));
    if (item != NULL) {
        item->index = word->index;
        lb_buf_put(&item->leaf, word->leaf);
        lb_buf_put(&item->parcel, word->parcel);
    }
    return enqueue(link, item, false);
}

void lb_link_send_ended(struct lb_adapter_link *link, const uint8_t name[LB_PARCEL_NAME_BYTES])
{
    (void)enqueue(link, new_item(name, LB_PARCEL_NAME_BYTES), false);
}

static struct parcel_item *take_items(struct lb_adapter_link *link, size_t *out_num)
{
    struct parcel_item *first = NULL, **last = &first;
    size_t num = 0, bytes = 0;
    (void)pthread_mutex_lock(&link->lock);
    while (link->first_parcel != NULL && num < FRAME_ITEMS && bytes < FRAME_BYTES) {
        struct parcel_item *item = link->first_parcel;
        link->first_parcel = item->next;
        if (link->first_parcel == NULL)
            link->last_parcel = &link->first_parcel;
        item->next = NULL;
        *last = item;
        last = &item->next;
        bytes += item->parcel.len + item->leaf.len;
        num++;
    }
    link->num_parcels -= num;
    (void)pthread_mutex_unlock(&link->lock);
    *out_num = num;
    return first;
}

static lb_status fill_receipt(struct lb_adapter_link *link, const struct parcel_item *item,
                              uint64_t size, struct lb_arena *arena,
                              Lianban__V1__ParcelReceipt **out)
{
    Lianban__V1__ParcelReceipt *receipt = lb_arena_alloc(arena, sizeof(*receipt));
    LB_ENSURE(receipt != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__parcel_receipt__init(receipt);
    receipt->name = lb_pb_bytes(lb_span_of(item->name, sizeof(item->name)));
    receipt->sender = (char *)(uintptr_t)item->sender;
    receipt->recipient = (char *)(uintptr_t)lb_serve_self(link->options.serve);
    receipt->code = (char *)(uintptr_t)item->code;
    if (item->recorded)
        LB_TRY(lb_link_prove(link->options.log, item->index, lb_buf_span(&item->leaf), size, arena,
                             &receipt->entry));
    *out = receipt;
    return LB_OK;
}

static lb_status fill_word(struct lb_adapter_link *link, const struct parcel_item *item,
                           uint64_t size, struct lb_arena *arena, Lianban__V1__RoutedParcel **out)
{
    Lianban__V1__RoutedParcel *routed = lb_arena_alloc(arena, sizeof(*routed));
    LB_ENSURE(routed != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__routed_parcel__init(routed);
    LB_TRY(lb_pb_unpack(&lianban__v1__parcel__descriptor, lb_buf_span(&item->parcel), arena,
                        &routed->parcel));
    LB_TRY(lb_link_prove(link->options.log, item->index, lb_buf_span(&item->leaf), size, arena,
                         &routed->entry));
    *out = routed;
    return LB_OK;
}

static lb_status fill(struct lb_adapter_link *link, const struct parcel_item *item, uint64_t size,
                      struct lb_arena *arena, Lianban__V1__ParcelBatch *batch)
{
    if (item->code != NULL)
        return fill_receipt(link, item, size, arena, &batch->receipts[batch->n_receipts++]);
    if (item->parcel.len > 0)
        return fill_word(link, item, size, arena, &batch->parcels[batch->n_parcels++]);
    batch->ended[batch->n_ended++] = lb_pb_bytes(lb_span_of(item->name, sizeof(item->name)));
    return LB_OK;
}

static lb_status pack(struct lb_adapter_link *link, const struct parcel_item *first, size_t num,
                      struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__ParcelBatch batch = LIANBAN__V1__PARCEL_BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    uint64_t size = 0;
    LB_TRY(lb_session_show(&link->session, arena, &batch.log, &size));
    batch.receipts = lb_arena_array(arena, num, sizeof(batch.receipts[0]));
    batch.parcels = lb_arena_array(arena, num, sizeof(batch.parcels[0]));
    batch.ended = lb_arena_array(arena, num, sizeof(batch.ended[0]));
    LB_ENSURE(batch.receipts != NULL && batch.parcels != NULL && batch.ended != NULL, LB_NO_MEMORY,
              "arena is full");
    for (const struct parcel_item *item = first; item != NULL; item = item->next)
        LB_TRY(fill(link, item, size, arena, &batch));
    frame.body_case = LIANBAN__V1__FRAME__BODY_PARCELS;
    frame.parcels = &batch;
    return lb_pb_pack(&frame, arena, out);
}

lb_status lb_link_pack_parcels(struct lb_adapter_link *link, struct lb_arena *arena,
                               struct lb_span *out)
{
    size_t num = 0;
    struct parcel_item *items = take_items(link, &num);
    lb_status status = items == NULL ? LB_OK : pack(link, items, num, arena, out);
    while (items != NULL) {
        struct parcel_item *item = items;
        items = item->next;
        free_item(item);
    }
    return status;
}

/* --- what comes --- */

static bool take_on(struct lb_adapter_link *link, size_t num)
{
    (void)pthread_mutex_lock(&link->lock);
    bool room = link->num_parcels + num <= MAX_OPEN;
    if (room) {
        link->num_parcels += num;
        link->refs++;
    }
    (void)pthread_mutex_unlock(&link->lock);
    return room;
}

static void drop_open(struct lb_adapter_link *link, size_t num)
{
    (void)pthread_mutex_lock(&link->lock);
    link->num_parcels -= num;
    (void)pthread_mutex_unlock(&link->lock);
}

static lb_status take_in(struct parcels_job *job, struct lb_arena *arena)
{
    struct lb_intake *intake = lb_serve_intake(job->link->options.serve);
    struct lb_intake_routed routed[MAX_PARCELS];
    Lianban__V1__Frame *frame = NULL;
    struct lb_intake_receipt *receipts = lb_arena_array(arena, job->num, sizeof(*receipts));
    LB_ENSURE(receipts != NULL, LB_NO_MEMORY, "parcels");
    LB_TRY(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&job->frame), arena, &frame));
    for (size_t i = 0; i < job->num; i++)
        routed[i] = (struct lb_intake_routed){frame->parcels->parcels[i]->parcel, job->leaves[i]};
    lb_intake_take(intake, routed, job->num, receipts);
    for (size_t i = 0; i < job->num; i++)
        send_receipt(job->link, routed[i].parcel, &receipts[i]);
    lb_intake_receipts(intake, job->link, frame->parcels->receipts, frame->parcels->n_receipts);
    return LB_OK;
}

static void run_parcels(struct lb_job *base)
{
    struct parcels_job *job = (struct parcels_job *)base;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "parcels") : take_in(job, arena);
    if (status != LB_OK) {
        lb_log_failure("parcels_lost", status);
        drop_open(job->link, job->num);
    }
    lb_link_unref(job->link);
    lb_buf_cleanup(&job->frame);
    free(job);
}

/* The broker has recorded this very ciphertext before it passed it on. */
static lb_status check_held(const Lianban__V1__RoutedParcel *routed,
                            const struct lb_checkpoint *checkpoint, struct lb_hash *out_leaf)
{
    struct lb_leaf leaf;
    uint8_t digest[32];
    LB_ENSURE(routed->parcel != NULL && routed->entry != NULL && routed->parcel->sealed != NULL,
              LB_MALFORMED, "a parcel without its parts");
    LB_ENSURE(routed->parcel->name.len == LB_PARCEL_NAME_BYTES, LB_MALFORMED,
              "name is not 16 bytes");
    LB_ENSURE(strlen(routed->parcel->sender) < LB_MAX_SPIFFE_BYTES, LB_MALFORMED,
              "sender too long");
    LB_TRY(lb_link_verify(routed->entry, checkpoint, &leaf, out_leaf));
    lb_sha256(lb_pb_span(routed->parcel->sealed->ciphertext), digest);
    LB_ENSURE(leaf.type == LB_LEAF_PARCEL && strcmp(leaf.code, "HELD") == 0 &&
                  memcmp(leaf.txn, routed->parcel->name.data, sizeof(leaf.txn)) == 0 &&
                  memcmp(leaf.request_hash, digest, sizeof(digest)) == 0,
              LB_RECEIPT_INVALID, "the broker's entry is about another parcel");
    return LB_OK;
}

static lb_status make_job(struct lb_adapter_link *link, const Lianban__V1__ParcelBatch *batch,
                          const struct lb_checkpoint *checkpoint, struct lb_span bytes,
                          struct parcels_job **out)
{
    struct parcels_job *job = calloc(1, sizeof(*job));
    LB_ENSURE(job != NULL, LB_NO_MEMORY, "parcels");
    job->job.run = run_parcels;
    job->link = link;
    job->num = batch->n_parcels;
    lb_buf_init(&job->frame, LB_MAX_MESSAGE_BYTES);
    lb_buf_put(&job->frame, bytes);
    lb_status status = lb_buf_check(&job->frame);
    for (size_t i = 0; i < job->num && status == LB_OK; i++)
        status = check_held(batch->parcels[i], checkpoint, &job->leaves[i]);
    if (status != LB_OK) {
        lb_buf_cleanup(&job->frame);
        free(job);
        return status;
    }
    *out = job;
    return LB_OK;
}

static lb_status queue_parcels(struct lb_adapter_link *link, const Lianban__V1__ParcelBatch *batch,
                               const struct lb_checkpoint *checkpoint, struct lb_span bytes)
{
    struct parcels_job *job = NULL;
    LB_TRY(make_job(link, batch, checkpoint, bytes, &job));
    if (!take_on(link, job->num)) {
        lb_buf_cleanup(&job->frame);
        free(job);
        LB_FAIL(LB_BUSY, "the broker takes no receipts");
    }
    lb_status status = lb_intake_submit(lb_serve_intake(link->options.serve), &job->job);
    if (status == LB_OK)
        return LB_OK;
    enum lb_code code = status->code == LB_STOPPING ? LB_STOPPING : LB_BUSY;
    for (size_t i = 0; i < job->num; i++)
        send_receipt(link, batch->parcels[i]->parcel,
                     &(struct lb_intake_receipt){.code = lb_code_name(code)});
    lb_buf_cleanup(&job->frame);
    free(job);
    lb_link_unref(link);
    return LB_OK;
}

lb_status lb_link_take_parcels(struct lb_adapter_link *link, const Lianban__V1__ParcelBatch *batch,
                               struct lb_span bytes)
{
    struct lb_checkpoint checkpoint;
    LB_ENSURE(link->session.greeted && link->session.takes_parcels, LB_MALFORMED,
              "parcels without a greeting that names them");
    LB_ENSURE(batch->n_parcels <= MAX_PARCELS && batch->n_receipts <= MAX_RECEIPTS &&
                  batch->n_ended == 0,
              LB_MALFORMED, "batch has the wrong items");
    size_t total = 0;
    for (size_t i = 0; i < batch->n_parcels; i++)
        total += protobuf_c_message_get_packed_size(&batch->parcels[i]->base);
    LB_ENSURE(total <= MAX_PARCEL_BYTES, LB_TOO_LARGE, "more parcels than a frame may have");
    LB_TRY(lb_session_watch(&link->session, batch->log, &checkpoint));
    if (batch->n_parcels == 0 && batch->n_receipts == 0)
        return LB_OK;
    return queue_parcels(link, batch, &checkpoint, bytes);
}
