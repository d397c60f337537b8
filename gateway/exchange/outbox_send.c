#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/exchange/outbox_inside.h"

/* What is made ready for the outlets, so that whoever writes on a stream never waits for the disk:
 * a batch for each, and the next only when that is on its way. So a party that takes nothing costs
 * one batch, however much waits for it. */

#define BATCH_ARENA_BYTES (2U * 1024 * 1024)

/* --- what is due --- */

static void look_at(struct lb_outbox *outbox, struct parcel *parcel, int64_t now_ms)
{
    bool waits = parcel->state == PARCEL_WAITING && !parcel->in_ready;
    if (parcel->due_ms > now_ms)
        return;
    if (waits && parcel->recipient->outlet != NULL) {
        lb_parcel_back(parcel);
        lb_box_add_ready(parcel);
    } else if (waits) {
        lb_parcel_delay(outbox, parcel, LB_UNAVAILABLE);
    } else if (parcel->state == PARCEL_OVER && parcel->sender->outlet != NULL) {
        lb_box_add_news(parcel);
    }
}

void lb_outbox_due(struct lb_outbox *outbox)
{
    int64_t now_ms = lb_clock_monotonic_ms(outbox->options.clock);
    for (struct parcel *parcel = outbox->first; parcel != NULL; parcel = parcel->behind)
        look_at(outbox, parcel, now_ms);
}

/* --- a batch --- */

void lb_item_of(const struct lb_outbox *outbox, const struct parcel *parcel, bool is_news,
                struct item *out)
{
    int64_t wait_ms = parcel->due_ms - lb_clock_monotonic_ms(outbox->options.clock);
    *out = (struct item){
        .id = parcel->id,
        .is_news = is_news,
        .sender = parcel->sender->party,
        .recipient = parcel->recipient->party,
        .state = parcel->state,
        .held = parcel->held,
        .ended = parcel->ended,
        .delivered = parcel->delivered,
        .code = parcel->code,
    };
    memcpy(out->name, parcel->name, sizeof(out->name));
    if (parcel->state == PARCEL_WAITING && parcel->code != LB_CODE_OK)
        out->next_try_unix_s = lb_clock_unix_s(outbox->options.clock) +
                               (wait_ms > 0 ? (wait_ms + 999) / 1000 : 0);
}

void lb_batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    lb_arena_free(batch->arena);
    free(batch);
}

static struct batch *batch_new(void)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL)
        return NULL;
    batch->arena = lb_arena_new(BATCH_ARENA_BYTES);
    if (batch->arena != NULL)
        return batch;
    free(batch);
    return NULL;
}

/* Under lock. What is said here is not said again before ANSWER_MS. */
static void take_news(struct lb_outbox *outbox, struct box *box, int64_t now_ms,
                      struct batch *batch)
{
    for (size_t i = 0; i < BATCH_NEWS; i++) {
        struct parcel *parcel = lb_box_take_news(box);
        if (parcel == NULL)
            return;
        bool held = parcel->say_held && box->outlet->is_link;
        bool waits = parcel->state == PARCEL_WAITING && (held || parcel->code != LB_CODE_OK);
        parcel->say_held = false;
        if (!waits && parcel->state != PARCEL_OVER)
            continue;
        lb_item_of(outbox, parcel, true, &batch->items[batch->num++]);
        if (parcel->state == PARCEL_OVER)
            parcel->due_ms = now_ms + ANSWER_MS;
    }
}

/* Under lock. */
static void take_ready(struct lb_outbox *outbox, struct box *box, int64_t now_ms,
                       struct batch *batch)
{
    size_t num = 0, bytes = 0;
    while (box->ready != NULL && num < BATCH_PARCELS && box->num_out < MAX_OUT &&
           bytes + box->ready->bytes <= BATCH_BYTES) {
        struct parcel *parcel = lb_box_take_ready(box);
        if (parcel->state != PARCEL_WAITING)
            continue;
        bytes += parcel->bytes;
        num++;
        parcel->out = true;
        box->num_out++;
        parcel->due_ms = now_ms + ANSWER_MS;
        lb_item_of(outbox, parcel, false, &batch->items[batch->num++]);
    }
}

/* What was stored of an item. One that has become something else meanwhile is left out: it comes
 * again as that. */
static bool load(struct lb_outbox *outbox, struct batch *batch, struct item *item)
{
    lb_status status = LB_OK;
    if (!item->is_news)
        status = lb_rows_sealed(outbox->rows, item->id, batch->arena, &item->stored, &item->held);
    else if (item->state == PARCEL_OVER)
        status = lb_rows_receipt(outbox->rows, item->id, batch->arena, &item->stored);
    if (lb_status_code(status) == LB_ABSENT)
        return item->is_news && !item->delivered; /* an end of our own has no receipt */
    lb_log_failure("parcel_not_read", status);
    return status == LB_OK;
}

static void load_all(struct lb_outbox *outbox, struct batch *batch)
{
    size_t num = 0;
    for (size_t i = 0; i < batch->num; i++) {
        if (load(outbox, batch, &batch->items[i]))
            batch->items[num++] = batch->items[i];
    }
    batch->num = num;
}

static void give(struct lb_outbox *outbox, struct box *box, uint64_t serial, struct batch *batch)
{
    struct batch *unwanted = batch;
    (void)pthread_mutex_lock(&outbox->lock);
    struct lb_outlet *outlet = box->outlet;
    if (outlet != NULL && outlet->serial == serial) {
        outlet->preparing = false;
        outlet->batch = batch->num > 0 ? batch : NULL;
        unwanted = batch->num > 0 ? NULL : batch;
        outlet->port.kick(outlet->port.ctx);
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    lb_batch_free(unwanted);
}

/* Under lock. */
static bool wants(const struct box *box)
{
    return box->outlet != NULL && box->outlet->batch == NULL &&
           (box->news != NULL || (box->ready != NULL && box->num_out < MAX_OUT));
}

static void prepare(struct lb_outbox *outbox, struct box *box)
{
    struct batch *batch = batch_new();
    uint64_t serial = 0;
    if (batch == NULL)
        return; /* it is looked at again in a while */
    (void)pthread_mutex_lock(&outbox->lock);
    if (wants(box)) {
        int64_t now_ms = lb_clock_monotonic_ms(outbox->options.clock);
        serial = box->outlet->serial;
        box->outlet->preparing = true;
        take_news(outbox, box, now_ms, batch);
        take_ready(outbox, box, now_ms, batch);
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    load_all(outbox, batch);
    give(outbox, box, serial, batch);
}

void lb_outbox_prepare(struct lb_outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->lock);
    struct box *box = outbox->boxes;
    while (box != NULL) {
        bool wanted = wants(box);
        (void)pthread_mutex_unlock(&outbox->lock);
        if (wanted)
            prepare(outbox, box);
        (void)pthread_mutex_lock(&outbox->lock);
        box = box->next; /* boxes stay */
    }
    (void)pthread_mutex_unlock(&outbox->lock);
}
