#include "gateway/exchange/outbox.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/exchange/outbox_inside.h"

/* The outbox's life, and its one thread: it stores what adapters hand in, looks once in a while for
 * what is due, and makes ready what outlets give out. */

#define LOOK_MS 1000

void lb_outbox_wake(struct lb_outbox *outbox)
{
    outbox->work = true;
    (void)pthread_cond_broadcast(&outbox->changed);
}

static bool wait_for_work(struct lb_outbox *outbox, int64_t look_ms)
{
    const struct timespec until = lb_clock_after_ms(look_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&outbox->lock);
    while (!outbox->stopping && !outbox->work && waited == 0)
        waited = pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until);
    bool stopping = outbox->stopping;
    outbox->work = false;
    (void)pthread_mutex_unlock(&outbox->lock);
    return !stopping;
}

static int64_t now_ms(void)
{
    return lb_clock_monotonic_ms(lb_clock_system());
}

static void *work(void *arg)
{
    struct lb_outbox *outbox = arg;
    const int64_t look_ms = outbox->options.look_every_ms;
    int64_t looked_ms = now_ms() - look_ms;
    do {
        lb_outbox_incoming(outbox);
        if (now_ms() - looked_ms >= look_ms) {
            looked_ms = now_ms();
            lb_outbox_expire(outbox);
            (void)pthread_mutex_lock(&outbox->lock);
            lb_outbox_due(outbox);
            (void)pthread_mutex_unlock(&outbox->lock);
        }
        lb_outbox_prepare(outbox);
    } while (wait_for_work(outbox, look_ms));
    return NULL;
}

/* --- begin --- */

static lb_status take_box(struct lb_outbox *outbox, struct lb_span party, struct box **out)
{
    char name[LB_MAX_SPIFFE_BYTES] = "";
    LB_ENSURE(party.len < sizeof(name), LB_STORE_FAILED, "a row of no kind");
    memcpy(name, party.ptr, party.len);
    *out = lb_outbox_box(outbox, name);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "outbox");
    return LB_OK;
}

static lb_status take_end(const struct parcel_row *row, struct parcel *out)
{
    out->ended = row->ended;
    out->delivered = lb_span_is(row->code, "DELIVERED");
    if (!out->delivered)
        LB_ENSURE(lb_code_by_name((const char *)row->code.ptr, row->code.len, &out->code),
                  LB_STORE_FAILED, "a row of no kind");
    return LB_OK;
}

/* What was held is held, also where limits are lower now. */
static lb_status take_row(void *ctx, const struct parcel_row *row)
{
    struct lb_outbox *outbox = ctx;
    struct parcel what = {.state = PARCEL_WAITING}, *parcel = NULL;
    LB_ENSURE(row->name.len == sizeof(what.name) && row->sha256.len == sizeof(what.sha256),
              LB_STORE_FAILED, "a row of no kind");
    LB_TRY(take_box(outbox, row->sender, &what.sender));
    LB_TRY(take_box(outbox, row->recipient, &what.recipient));
    memcpy(what.name, row->name.ptr, sizeof(what.name));
    memcpy(what.sha256, row->sha256.ptr, sizeof(what.sha256));
    what.id = row->id;
    what.since_unix_s = row->since_unix_s;
    what.expires_unix_s = row->expires_unix_s;
    what.bytes = (size_t)row->bytes;
    what.held = row->held;
    if (row->over)
        LB_TRY(take_end(row, &what));
    LB_TRY(lb_outbox_add(outbox, &what, &parcel));
    if (row->over)
        lb_outbox_settle(outbox, parcel);
    return LB_OK;
}

static lb_status load(struct lb_outbox *outbox)
{
    const struct lb_outbox_limits limits = outbox->options.limits;
    const struct lb_outbox_limits none = {SIZE_MAX, SIZE_MAX, SIZE_MAX, UINT64_MAX, UINT64_MAX,
                                          UINT64_MAX, SIZE_MAX};
    LB_TRY(lb_rows_open(outbox->options.store_path, &outbox->rows));
    LB_TRY(lb_rows_last(outbox->rows, &outbox->next_id));
    outbox->next_id++;
    outbox->options.limits = none;
    lb_status status = lb_rows_each(outbox->rows, take_row, outbox);
    outbox->options.limits = limits;
    return status;
}

static void set_limits(struct lb_outbox_options *options)
{
    if (options->look_every_ms == 0)
        options->look_every_ms = LOOK_MS;
    if (options->limits.parcels == 0)
        options->limits = (struct lb_outbox_limits){
            .parcels = LB_OUTBOX_PARCELS,
            .of_sender = LB_OUTBOX_PARCELS_OF_PARTY,
            .for_recipient = LB_OUTBOX_PARCELS_OF_PARTY,
            .bytes = LB_OUTBOX_BYTES,
            .bytes_of_sender = LB_OUTBOX_BYTES_OF_PARTY,
            .bytes_for_recipient = LB_OUTBOX_BYTES_OF_PARTY,
            .remembered = LB_OUTBOX_REMEMBERED,
        };
}

/* --- end --- */

static void free_parcels(struct parcel *parcel)
{
    while (parcel != NULL) {
        struct parcel *behind = parcel->behind;
        free(parcel);
        parcel = behind;
    }
}

static void free_all(struct lb_outbox *outbox)
{
    lb_rows_close(outbox->rows);
    free_parcels(outbox->first);
    free_parcels(outbox->told);
    while (outbox->boxes != NULL) {
        struct box *box = outbox->boxes;
        outbox->boxes = box->next;
        free(box);
    }
    while (outbox->incoming != NULL) {
        struct incoming *incoming = outbox->incoming;
        outbox->incoming = incoming->next;
        lb_buf_cleanup(&incoming->packed);
        free(incoming);
    }
    (void)pthread_cond_destroy(&outbox->changed);
    (void)pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

lb_status lb_outbox_new(const struct lb_outbox_options *options, struct lb_outbox **out_outbox)
{
    struct lb_outbox *outbox = calloc(1, sizeof(*outbox));
    LB_ENSURE(outbox != NULL, LB_NO_MEMORY, "outbox");
    outbox->options = *options;
    outbox->last_incoming = &outbox->incoming;
    set_limits(&outbox->options);
    (void)pthread_mutex_init(&outbox->lock, NULL);
    lb_clock_cond_init(&outbox->changed);
    lb_status status = load(outbox);
    if (status == LB_OK && pthread_create(&outbox->thread, NULL, work, outbox) != 0)
        status = LB_FAULT(LB_NO_MEMORY, "the outbox's thread cannot be started");
    if (status != LB_OK) {
        free_all(outbox);
        return status;
    }
    *out_outbox = outbox;
    return LB_OK;
}

void lb_outbox_leave(struct lb_outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->leaving = true;
    for (struct box *box = outbox->boxes; box != NULL; box = box->next) {
        struct lb_outlet *outlet = box->outlet;
        if (outlet != NULL && !outlet->is_link)
            outlet->port.end(outlet->port.ctx, LB_FAULT(LB_STOPPING, "stopping"));
    }
    (void)pthread_mutex_unlock(&outbox->lock);
}

void lb_outbox_free(struct lb_outbox *outbox)
{
    if (outbox == NULL)
        return;
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->stopping = true;
    (void)pthread_cond_broadcast(&outbox->changed);
    (void)pthread_mutex_unlock(&outbox->lock);
    (void)pthread_join(outbox->thread, NULL);
    /* The log's threads still work on these. */
    (void)pthread_mutex_lock(&outbox->lock);
    while (outbox->num_entries > 0)
        (void)pthread_cond_wait(&outbox->changed, &outbox->lock);
    (void)pthread_mutex_unlock(&outbox->lock);
    free_all(outbox);
}
