#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_inside.h"
#include "gateway/wire/pb.h"

/* What becomes of a parcel: its recipient has it, will never take it, or not now; or its time is
 * over. An end is an entry before anybody is told. */

#define FIRST_TRY_MS 2000
#define LAST_TRY_MS 300000
#define ENDED_AT_ONCE 256
#define RECEIPT_ARENA_BYTES (64U * 1024)
#define MAX_RECEIPT_BYTES (16U * 1024)

/* An end on its way into the log. */
struct ending_entry {
    struct lb_log_entry entry;
    struct lb_outbox *outbox;
    struct parcel *parcel;  /* ENDING, so that nobody else touches it */
    struct verdict verdict;
    struct lb_buf receipt, detail;
};

/* --- later --- */

/* Somewhere between half of it and all, so that many do not come at once. */
static int64_t by_chance(int64_t pause_ms)
{
    uint8_t dice = 0;
    lb_status_ignore(lb_crypto_random(&dice, sizeof(dice)));
    return pause_ms / 2 + pause_ms / 2 * dice / UINT8_MAX;
}

void lb_parcel_delay(struct lb_outbox *outbox, struct parcel *parcel, enum lb_code code)
{
    unsigned doublings = parcel->tries < 8 ? parcel->tries : 8;
    int64_t pause_ms = FIRST_TRY_MS << doublings;
    parcel->tries++;
    parcel->code = code;
    parcel->due_ms = lb_clock_monotonic_ms(outbox->options.clock) +
                     by_chance(pause_ms < LAST_TRY_MS ? pause_ms : LAST_TRY_MS);
    if (parcel->sender->outlet != NULL)
        lb_box_add_news(parcel);
}

/* --- the end --- */

static const char *end_code(const struct verdict *verdict)
{
    return verdict->delivered ? "DELIVERED" : lb_code_name(verdict->code);
}

static lb_status store_end(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct ending_entry *ending = entry->owner;
    LB_TRY(lb_rows_end(store, ending->parcel->id, entry->index, end_code(&ending->verdict),
                       lb_buf_span(&ending->receipt)));
    return lb_outbox_tidy(ending->outbox, store);
}

static void free_ending(struct ending_entry *ending)
{
    lb_buf_cleanup(&ending->receipt);
    lb_buf_cleanup(&ending->detail);
    free(ending);
}

/* Under lock. */
static void over(const struct ending_entry *ending)
{
    struct parcel *parcel = ending->parcel;
    lb_outbox_settle(ending->outbox, parcel);
    parcel->ended = ending->entry.index;
    parcel->delivered = ending->verdict.delivered;
    parcel->code = ending->verdict.code;
    parcel->due_ms = 0;
    lb_meter_count(ending->outbox->options.meter, LB_METER_PARCEL, parcel->code);
    if (parcel->sender->outlet != NULL)
        lb_box_add_news(parcel);
}

/* What could not be recorded has not been: the recipient is asked again, or the end comes again. */
static void recorded(struct lb_log_entry *entry, lb_status status)
{
    struct ending_entry *ending = entry->owner;
    struct lb_outbox *outbox = ending->outbox;
    lb_status outcome = status != LB_OK ? status : entry->refused;
    (void)pthread_mutex_lock(&outbox->lock);
    if (outcome == LB_OK) {
        over(ending);
    } else {
        ending->parcel->state = PARCEL_WAITING;
        lb_parcel_delay(outbox, ending->parcel, lb_log_refusal(outcome));
    }
    lb_outbox_wake(outbox);
    outbox->num_entries--;
    (void)pthread_cond_broadcast(&outbox->changed);
    (void)pthread_mutex_unlock(&outbox->lock);
    lb_log_failure("parcel_end_not_recorded", outcome);
    free_ending(ending);
}

static void fill_leaf(struct ending_entry *ending)
{
    const struct verdict *verdict = &ending->verdict;
    struct lb_leaf *leaf = &ending->entry.leaf;
    *leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .count = 1};
    if (verdict->delivered)
        (void)snprintf(leaf->code, sizeof(leaf->code), "HANDED");
    else
        (void)snprintf(leaf->code, sizeof(leaf->code), "ENDED_%s", lb_code_name(verdict->code));
    memcpy(leaf->txn, ending->parcel->name, sizeof(leaf->txn));
    memcpy(leaf->request_hash, ending->parcel->sha256, sizeof(leaf->request_hash));
    if (verdict->has_entry)
        memcpy(leaf->peer_leaf, verdict->entry.bytes, sizeof(leaf->peer_leaf));
}

/* As the sender will check it: by signature and path, without a history. */
static lb_status pack_receipt(const Lianban__V1__ParcelReceipt *receipt,
                              const Lianban__V1__LogProgress *log, struct lb_buf *out)
{
    Lianban__V1__ParcelReceipt bare = LIANBAN__V1__PARCEL_RECEIPT__INIT;
    Lianban__V1__LogProgress progress = LIANBAN__V1__LOG_PROGRESS__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(RECEIPT_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "receipt");
    bare.name = receipt->name;
    bare.sender = receipt->sender;
    bare.recipient = receipt->recipient;
    bare.code = receipt->code;
    bare.entry = receipt->entry;
    progress.checkpoint = log->checkpoint;
    bare.log = &progress;
    LB_TRY(lb_pb_pack(&bare, arena, &bytes));
    lb_buf_put(out, bytes);
    return lb_buf_check(out);
}

static lb_status prepare(struct ending_entry *ending, const Lianban__V1__ParcelReceipt *receipt,
                         const Lianban__V1__LogProgress *log)
{
    const struct parcel *parcel = ending->parcel;
    fill_leaf(ending);
    if (ending->verdict.has_entry)
        LB_TRY(pack_receipt(receipt, log, &ending->receipt));
    LB_TRY(lb_parcel_detail(parcel->sender->party, parcel->recipient->party, &ending->detail));
    ending->entry.detail = lb_buf_span(&ending->detail);
    return LB_OK;
}

/* The parcel is ENDING, by us, and its entry counted. */
static lb_status record_end(struct lb_outbox *outbox, struct parcel *parcel,
                            const struct verdict *verdict,
                            const Lianban__V1__ParcelReceipt *receipt,
                            const Lianban__V1__LogProgress *log)
{
    struct ending_entry *ending = calloc(1, sizeof(*ending));
    if (ending == NULL) {
        (void)pthread_mutex_lock(&outbox->lock);
        parcel->state = PARCEL_WAITING;
        outbox->num_entries--;
        (void)pthread_mutex_unlock(&outbox->lock);
        LB_FAIL(LB_NO_MEMORY, "end of a parcel");
    }
    ending->outbox = outbox;
    ending->parcel = parcel;
    ending->verdict = *verdict;
    ending->entry.guard = store_end;
    ending->entry.done = recorded;
    ending->entry.owner = ending;
    lb_buf_init(&ending->receipt, MAX_RECEIPT_BYTES);
    lb_buf_init(&ending->detail, LB_MAX_DETAIL_BYTES);
    lb_status status = prepare(ending, receipt, log);
    if (status == LB_OK)
        status = lb_log_append(outbox->options.log, &ending->entry);
    if (status != LB_OK)
        recorded(&ending->entry, status);
    return LB_OK;
}

/* Under lock. */
static void begin_end(struct lb_outbox *outbox, struct parcel *parcel)
{
    parcel->state = PARCEL_ENDING;
    lb_parcel_back(parcel);
    outbox->num_entries++;
}

/* Under lock: whether the verdict is an end. Of a name that is not held, or that was never given to
 * who speaks, nothing is to be said; but who has an entry that it has it, has it. */
static bool is_end(struct lb_outbox *outbox, struct parcel *parcel, const char *recipient,
                   const struct verdict *verdict)
{
    if (parcel == NULL || parcel->state != PARCEL_WAITING ||
        strcmp(parcel->recipient->party, recipient) != 0)
        return false;
    if (verdict->delivered)
        return true;
    if (!parcel->out)
        return false;
    if (lb_verdict_is_final(verdict->code))
        return true;
    lb_parcel_back(parcel);
    lb_parcel_delay(outbox, parcel, verdict->code);
    lb_outbox_wake(outbox);
    return false;
}

lb_status lb_outbox_verdict(struct lb_outbox *outbox, const char *recipient,
                            const Lianban__V1__ParcelReceipt *receipt,
                            const Lianban__V1__LogProgress *log, const struct verdict *verdict)
{
    (void)pthread_mutex_lock(&outbox->lock);
    struct parcel *parcel = lb_outbox_find_of(outbox, receipt->sender, receipt->name.data);
    bool ends = is_end(outbox, parcel, recipient, verdict);
    if (ends)
        begin_end(outbox, parcel);
    (void)pthread_mutex_unlock(&outbox->lock);
    return ends ? record_end(outbox, parcel, verdict, receipt, log) : LB_OK;
}

void lb_outbox_expire(struct lb_outbox *outbox)
{
    static const struct verdict expired = {.code = LB_PARCEL_EXPIRED};
    int64_t now = lb_clock_unix_s(outbox->options.clock);
    struct parcel *due[ENDED_AT_ONCE];
    size_t num = 0;
    (void)pthread_mutex_lock(&outbox->lock);
    for (struct parcel *parcel = outbox->first; parcel != NULL && num < ENDED_AT_ONCE;
         parcel = parcel->behind) {
        if (parcel->state != PARCEL_WAITING || parcel->renewing || parcel->expires_unix_s > now)
            continue;
        begin_end(outbox, parcel);
        due[num++] = parcel;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    for (size_t i = 0; i < num; i++)
        lb_log_failure("parcel_not_ended", record_end(outbox, due[i], &expired, NULL, NULL));
}

void lb_outbox_told(struct lb_outbox *outbox, const char *sender,
                    const uint8_t name[PARCEL_NAME_BYTES])
{
    (void)pthread_mutex_lock(&outbox->lock);
    struct parcel *parcel = lb_outbox_find_of(outbox, sender, name);
    if (parcel != NULL && parcel->state == PARCEL_OVER && !parcel->renewing) {
        lb_outbox_remove(outbox, parcel);
        parcel->behind = outbox->told;
        outbox->told = parcel;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
}
