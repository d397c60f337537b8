#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/exchange/outbox_inside.h"
#include "gateway/wire/pb.h"

/* What agents call: Submit and Take. */

#define MAX_TAKEN 256

/* --- Submit --- */

struct submission {
    struct parcel what;
    struct holding *holding;
    bool finished;         /* under lock */
    lb_status status;
};

static void submitted(struct holding *holding, lb_status status)
{
    struct submission *submission = holding->owner;
    struct lb_outbox *outbox = holding->outbox;
    (void)pthread_mutex_lock(&outbox->lock);
    submission->status = status;
    submission->finished = true;
    (void)pthread_cond_broadcast(&outbox->changed);
    (void)pthread_mutex_unlock(&outbox->lock);
}

static lb_status check_entry(const struct lb_outbox *outbox, const char *caller,
                             const Lianban__V1__SubmitRequest *request)
{
    struct lb_checkpoint checkpoint;
    if (request->parcel->entry == NULL)
        return LB_OK;
    LB_TRY(lb_party_checkpoint(outbox, caller, request->log, &checkpoint));
    return lb_parcel_check_entry(request->parcel, &checkpoint);
}

/* Under lock. */
static lb_status describe(struct lb_outbox *outbox, const Lianban__V1__Parcel *parcel, size_t bytes,
                          struct parcel *out)
{
    *out = (struct parcel){.state = PARCEL_STORING};
    memcpy(out->name, parcel->name.data, sizeof(out->name));
    lb_sha256(lb_pb_span(parcel->sealed->ciphertext), out->sha256);
    out->expires_unix_s = parcel->expires_unix_s;
    out->bytes = bytes;
    out->sender = lb_outbox_box(outbox, parcel->sender);
    out->recipient = lb_outbox_box(outbox, parcel->recipient);
    LB_ENSURE(out->sender != NULL && out->recipient != NULL, LB_NO_MEMORY, "parcel");
    return LB_OK;
}

/* Under lock: how it stands, for the answer. */
static void take_down(const struct lb_outbox *outbox, const struct parcel *parcel, struct item *out)
{
    lb_item_of(outbox, parcel, true, out);
    if (out->state != PARCEL_WAITING || out->code != LB_CODE_OK ||
        parcel->recipient->outlet != NULL)
        return;
    out->code = LB_UNAVAILABLE; /* nobody has tried yet, and nobody is there */
    out->next_try_unix_s = lb_clock_unix_s(outbox->options.clock);
}

static lb_status wait_stored(struct lb_outbox *outbox, struct submission *submission,
                             struct item *out)
{
    (void)pthread_mutex_lock(&outbox->lock);
    while (!submission->finished)
        (void)pthread_cond_wait(&outbox->changed, &outbox->lock);
    const struct parcel *parcel =
        submission->status != LB_OK
            ? NULL
            : lb_outbox_find(outbox, submission->what.sender, submission->what.name);
    if (parcel != NULL)
        take_down(outbox, parcel, out);
    (void)pthread_mutex_unlock(&outbox->lock);
    LB_TRY(submission->status);
    LB_ENSURE(parcel != NULL, LB_BUSY, "it is over and told already"); /* asking again tells how */
    return LB_OK;
}

/* Stores a parcel, or finds it in memory. */
static lb_status hold(struct lb_outbox *outbox, const Lianban__V1__Parcel *parcel,
                      struct lb_span packed, struct holding *holding, struct item *out)
{
    struct submission submission = {.holding = holding};
    struct parcel *found_parcel = NULL;
    enum found found = FOUND_NEW;
    holding->outbox = outbox;
    holding->done = submitted;
    holding->owner = &submission;
    lb_buf_init(&holding->packed, packed.len);
    lb_buf_put(&holding->packed, packed);
    LB_TRY(lb_buf_check(&holding->packed));
    (void)pthread_mutex_lock(&outbox->lock);
    lb_status status = describe(outbox, parcel, packed.len, &submission.what);
    if (status == LB_OK)
        status = lb_outbox_begin(outbox, &submission.what, holding, &found, &found_parcel);
    if (status == LB_OK && found != FOUND_NEW)
        take_down(outbox, found_parcel, out);
    (void)pthread_mutex_unlock(&outbox->lock);
    LB_TRY(status);
    if (found != FOUND_NEW)
        return LB_OK;
    lb_outbox_record(holding);
    return wait_stored(outbox, &submission, out);
}

static lb_status answer(struct lb_outbox *outbox, struct item *item, struct lb_arena *arena,
                        Lianban__V1__SubmitResponse *out)
{
    struct shown shown;
    lb_status stored = item->state != PARCEL_OVER
                           ? LB_OK
                           : lb_rows_receipt(outbox->rows, item->id, arena, &item->stored);
    if (lb_status_code(stored) != LB_ABSENT)
        LB_TRY(stored);
    LB_TRY(lb_show_own(outbox->options.log, arena, &shown));
    return lb_item_receipt(&shown, item, arena, &out->receipt);
}

static bool is_in_memory(struct lb_outbox *outbox, const Lianban__V1__Parcel *parcel)
{
    (void)pthread_mutex_lock(&outbox->lock);
    bool found = lb_outbox_find_of(outbox, parcel->sender, parcel->name.data) != NULL;
    (void)pthread_mutex_unlock(&outbox->lock);
    return found;
}

/* A name that is over and told is answered by our own entry about its end; ABSENT. */
static lb_status answer_over(struct lb_outbox *outbox, const Lianban__V1__Parcel *parcel,
                             struct lb_arena *arena, Lianban__V1__SubmitResponse *out)
{
    struct note note = {.has_entry = true};
    struct shown shown;
    LB_TRY(lb_rows_find(outbox->rows, parcel->sender, parcel->name.data, &note.index, note.code));
    memcpy(note.name, parcel->name.data, sizeof(note.name));
    memcpy(note.recipient, parcel->recipient, strlen(parcel->recipient) + 1);
    LB_TRY(lb_show_own(outbox->options.log, arena, &shown));
    return lb_note_receipt(&shown, &note, parcel->sender, arena, &out->receipt);
}

lb_status lb_outbox_submit(struct lb_outbox *outbox, const char *caller,
                           const Lianban__V1__SubmitRequest *request, struct lb_arena *arena,
                           Lianban__V1__SubmitResponse *out)
{
    LB_ENSURE(request->parcel != NULL, LB_MALFORMED, "no parcel");
    const Lianban__V1__Parcel *parcel = request->parcel->parcel;
    struct lb_span packed = LB_SPAN_EMPTY;
    struct item item;
    LB_TRY(lb_parcel_check(outbox, parcel, caller, LB_NODE_ADAPTER));
    LB_TRY(check_entry(outbox, caller, request));
    lb_status over = is_in_memory(outbox, parcel) ? LB_FAULT(LB_ABSENT, "it is held")
                                                  : answer_over(outbox, parcel, arena, out);
    if (lb_status_code(over) != LB_ABSENT)
        return over;
    LB_TRY(lb_pb_pack(parcel, arena, &packed));
    struct holding *holding = calloc(1, sizeof(*holding));
    LB_ENSURE(holding != NULL, LB_NO_MEMORY, "parcel");
    lb_status status = hold(outbox, parcel, packed, holding, &item);
    lb_buf_cleanup(&holding->packed);
    lb_buf_cleanup(&holding->detail);
    free(holding);
    LB_TRY(status);
    return answer(outbox, &item, arena, out);
}

/* --- Take --- */

static lb_status check_take(const Lianban__V1__TakeRequest *request)
{
    LB_ENSURE(request->n_receipts <= MAX_TAKEN && request->n_ended <= MAX_TAKEN, LB_MALFORMED,
              "too many taken at once");
    for (size_t i = 0; i < request->n_ended; i++)
        LB_ENSURE(request->ended[i].len == PARCEL_NAME_BYTES, LB_MALFORMED, "name of a parcel");
    return LB_OK;
}

lb_status lb_outbox_take(struct lb_outbox *outbox, const char *caller,
                         const Lianban__V1__TakeRequest *request)
{
    struct lb_checkpoint checkpoint;
    struct verdict verdicts[MAX_TAKEN];
    bool proved = request->log != NULL && request->n_receipts > 0;
    LB_TRY(check_take(request));
    if (proved)
        LB_TRY(lb_party_checkpoint(outbox, caller, request->log, &checkpoint));
    for (size_t i = 0; i < request->n_receipts; i++)
        LB_TRY(lb_verdict_read(request->receipts[i], caller, proved ? &checkpoint : NULL,
                               &verdicts[i]));
    for (size_t i = 0; i < request->n_receipts; i++)
        LB_TRY(lb_outbox_verdict(outbox, caller, request->receipts[i], request->log,
                                 &verdicts[i]));
    for (size_t i = 0; i < request->n_ended; i++)
        lb_outbox_told(outbox, caller, request->ended[i].data);
    return LB_OK;
}
