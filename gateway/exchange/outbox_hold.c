#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/evidence/reconcile.h"
#include "gateway/exchange/outbox_inside.h"
#include "gateway/json/json.h"
#include "gateway/wire/pb.h"

/* Taking on a parcel: its row and its HELD entry in one transaction, before anybody is told. */

#define DETAIL_ARENA_BYTES (8U * 1024)
#define TOLD_AT_ONCE 64

lb_status lb_parcel_detail(const char *sender, const char *recipient, struct lb_buf *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(DETAIL_ARENA_BYTES);
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    struct lb_span text = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "detail");
    lb_json_set_cstr(detail, "sender", sender);
    lb_json_set_cstr(detail, "recipient", recipient);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &text));
    lb_buf_put(out, text);
    return lb_buf_check(out);
}

/* --- in the guard --- */

lb_status lb_outbox_tidy(struct lb_outbox *outbox, struct lb_store *store)
{
    int64_t last = 0;
    for (size_t i = 0; i < TOLD_AT_ONCE; i++) {
        (void)pthread_mutex_lock(&outbox->lock);
        struct parcel *parcel = outbox->told;
        if (parcel != NULL)
            outbox->told = parcel->behind;
        last = outbox->next_id - (int64_t)outbox->options.limits.remembered;
        (void)pthread_mutex_unlock(&outbox->lock);
        if (parcel == NULL)
            break;
        int64_t id = parcel->id;
        free(parcel);
        LB_TRY(lb_rows_tell(store, id));
    }
    return lb_rows_purge(store, lb_clock_unix_s(outbox->options.clock), last);
}

static lb_status store_parcel(struct lb_log_entry *entry, struct lb_store *store)
{
    struct holding *holding = entry->owner;
    struct lb_span packed = lb_buf_span(&holding->packed);
    holding->next.held = entry->index;
    LB_TRY(holding->again ? lb_rows_renew(store, &holding->next, packed)
                          : lb_rows_insert(store, &holding->next, packed));
    return lb_outbox_tidy(holding->outbox, store);
}

/* --- in memory --- */

static lb_status begin_again(struct lb_outbox *outbox, struct parcel *parcel,
                             const struct parcel *what, struct holding *holding)
{
    LB_ENSURE(!parcel->renewing, LB_BUSY, "another sealing of it is being stored");
    LB_TRY(lb_outbox_resize(outbox, parcel, what->bytes));
    holding->again = true;
    holding->parcel = parcel;
    holding->next = *parcel;
    holding->next.expires_unix_s = what->expires_unix_s;
    memcpy(holding->next.sha256, what->sha256, sizeof(what->sha256));
    parcel->renewing = true;
    return LB_OK;
}

/* What became of a parcel is told past its end as well; only nothing new begins then. */
static lb_status check_end(const struct lb_outbox *outbox, const struct parcel *what)
{
    LB_ENSURE(what->expires_unix_s > lb_clock_unix_s(outbox->options.clock), LB_PARCEL_EXPIRED,
              "a parcel past its end");
    return LB_OK;
}

lb_status lb_outbox_begin(struct lb_outbox *outbox, const struct parcel *what,
                          struct holding *holding, enum found *out_found,
                          struct parcel **out_parcel)
{
    struct parcel *parcel = lb_outbox_find(outbox, what->sender, what->name);
    LB_ENSURE(parcel == NULL || parcel->state != PARCEL_STORING, LB_BUSY, "it is being stored");
    LB_ENSURE(parcel == NULL || parcel->recipient == what->recipient, LB_PARCEL_CHANGED,
              "a parcel of this name is for somebody else");
    *out_found = FOUND_NEW;
    if (parcel == NULL) {
        LB_TRY(check_end(outbox, what));
        LB_TRY(lb_outbox_add(outbox, what, &parcel));
        parcel->id = outbox->next_id++;
        parcel->since_unix_s = lb_clock_unix_s(outbox->options.clock);
        holding->parcel = parcel;
        holding->next = *parcel;
    } else if (parcel->state == PARCEL_OVER) {
        *out_found = FOUND_OVER;
    } else if (parcel->state == PARCEL_ENDING ||
               memcmp(parcel->sha256, what->sha256, sizeof(what->sha256)) == 0) {
        *out_found = FOUND_HELD;
    } else {
        LB_TRY(check_end(outbox, what));
        LB_TRY(begin_again(outbox, parcel, what, holding));
    }
    *out_parcel = parcel;
    return LB_OK;
}

/* Under lock. It is on disk: whoever is there gets it. */
static void held(struct holding *holding)
{
    struct parcel *parcel = holding->parcel;
    parcel->expires_unix_s = holding->next.expires_unix_s;
    memcpy(parcel->sha256, holding->next.sha256, sizeof(parcel->sha256));
    parcel->held = holding->next.held;
    parcel->renewing = false;
    if (parcel->state == PARCEL_STORING)
        parcel->state = PARCEL_WAITING;
    if (parcel->state == PARCEL_WAITING) {
        parcel->code = LB_CODE_OK;
        parcel->tries = 0;
        parcel->due_ms = 0;
        lb_parcel_back(parcel);
        if (parcel->recipient->outlet != NULL)
            lb_box_add_ready(parcel);
    }
    if (holding->is_word) {
        parcel->say_held = true;
        lb_box_add_news(parcel);
    }
}

/* Under lock. */
static void not_held(struct holding *holding)
{
    struct parcel *parcel = holding->parcel;
    if (holding->again) {
        parcel->renewing = false;
        return; /* it counts as large as it would have been, until it is over */
    }
    lb_outbox_remove(holding->outbox, parcel);
    free(parcel);
    holding->parcel = NULL;
}

static void recorded(struct lb_log_entry *entry, lb_status status)
{
    struct holding *holding = entry->owner;
    struct lb_outbox *outbox = holding->outbox;
    lb_status outcome = status != LB_OK ? lb_status_of(lb_log_refusal(status)) : entry->refused;
    (void)pthread_mutex_lock(&outbox->lock);
    if (outcome == LB_OK)
        held(holding);
    else
        not_held(holding);
    lb_outbox_wake(outbox);
    (void)pthread_mutex_unlock(&outbox->lock);
    holding->done(holding, outcome);
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->num_entries--;
    (void)pthread_cond_broadcast(&outbox->changed);
    (void)pthread_mutex_unlock(&outbox->lock);
}

/* So that whoever compares logs knows whose else have to have it. */
static void name_parties(const struct parcel *parcel, struct lb_leaf *leaf)
{
    struct lb_hash sender, recipient;
    lb_reconcile_counterpart(parcel->sender->party, &sender);
    lb_reconcile_counterpart(parcel->recipient->party, &recipient);
    memcpy(leaf->policy_hash, sender.bytes, sizeof(leaf->policy_hash));
    memcpy(leaf->answer_hash, recipient.bytes, sizeof(leaf->answer_hash));
}

void lb_outbox_record(struct holding *holding)
{
    struct lb_outbox *outbox = holding->outbox;
    struct lb_log_entry *entry = &holding->entry;
    const struct parcel *next = &holding->next;
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .code = "HELD", .count = 1};
    memcpy(entry->leaf.txn, next->name, sizeof(entry->leaf.txn));
    memcpy(entry->leaf.request_hash, next->sha256, sizeof(next->sha256));
    name_parties(next, &entry->leaf);
    entry->guard = store_parcel;
    entry->done = recorded;
    entry->owner = holding;
    lb_buf_init(&holding->detail, LB_MAX_DETAIL_BYTES);
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->num_entries++;
    (void)pthread_mutex_unlock(&outbox->lock);
    lb_status status =
        lb_parcel_detail(next->sender->party, next->recipient->party, &holding->detail);
    entry->detail = lb_buf_span(&holding->detail);
    if (status == LB_OK)
        status = lb_log_append(outbox->options.log, entry);
    if (status != LB_OK)
        recorded(entry, status);
}

/* --- what adapters hand in --- */

static void free_holding(struct holding *holding)
{
    lb_buf_cleanup(&holding->packed);
    lb_buf_cleanup(&holding->detail);
    free(holding);
}

/* Under lock. */
static void say(struct box *box, const struct note *note)
{
    if (box->outlet != NULL)
        lb_outlet_note(box->outlet, note);
}

static void refuse_word(struct lb_outbox *outbox, const struct holding *holding, enum lb_code code)
{
    struct note note = {.next = NULL};
    memcpy(note.name, holding->next.name, sizeof(note.name));
    memcpy(note.recipient, holding->next.recipient->party, sizeof(note.recipient));
    memcpy(note.code, lb_code_name(code), strlen(lb_code_name(code)) + 1);
    (void)pthread_mutex_lock(&outbox->lock);
    say(holding->next.sender, &note);
    lb_outbox_wake(outbox);
    (void)pthread_mutex_unlock(&outbox->lock);
}

static void word_recorded(struct holding *holding, lb_status status)
{
    if (status != LB_OK)
        refuse_word(holding->outbox, holding, lb_code_outer(status->code));
    free_holding(holding);
}

/* A name that is over and forgotten here is answered from the disk. */
static bool answer_over(struct lb_outbox *outbox, const struct incoming *incoming)
{
    struct note note = {.has_entry = true};
    if (lb_rows_find(outbox->rows, incoming->from->party, incoming->name, &note.index,
                     note.code) != LB_OK)
        return false;
    memcpy(note.name, incoming->name, sizeof(note.name));
    memcpy(note.recipient, incoming->recipient, sizeof(note.recipient));
    (void)pthread_mutex_lock(&outbox->lock);
    say(incoming->from, &note);
    (void)pthread_mutex_unlock(&outbox->lock);
    return true;
}

/* Under lock. */
static lb_status look_up(struct lb_outbox *outbox, const struct incoming *incoming,
                         struct holding *holding, enum found *out_found)
{
    struct parcel what = {.state = PARCEL_STORING, .sender = incoming->from};
    struct parcel *parcel = NULL;
    memcpy(what.name, incoming->name, sizeof(what.name));
    memcpy(what.sha256, incoming->sha256, sizeof(what.sha256));
    what.expires_unix_s = incoming->expires_unix_s;
    what.bytes = incoming->packed.len;
    what.recipient = lb_outbox_box(outbox, incoming->recipient);
    LB_ENSURE(what.recipient != NULL, LB_NO_MEMORY, "recipient");
    holding->next = what;
    LB_TRY(lb_outbox_begin(outbox, &what, holding, out_found, &parcel));
    if (*out_found == FOUND_NEW)
        return LB_OK;
    parcel->say_held = *out_found == FOUND_HELD;
    lb_box_add_news(parcel);
    return LB_OK;
}

static bool is_in_memory(struct lb_outbox *outbox, const struct incoming *incoming)
{
    (void)pthread_mutex_lock(&outbox->lock);
    bool found = lb_outbox_find(outbox, incoming->from, incoming->name) != NULL;
    (void)pthread_mutex_unlock(&outbox->lock);
    return found;
}

static void take_in(struct lb_outbox *outbox, struct incoming *incoming)
{
    enum found found = FOUND_HELD;
    if (!is_in_memory(outbox, incoming) && answer_over(outbox, incoming))
        return;
    struct holding *holding = calloc(1, sizeof(*holding));
    if (holding == NULL)
        return; /* without an answer it is handed in again */
    holding->outbox = outbox;
    holding->is_word = true;
    holding->done = word_recorded;
    holding->packed = incoming->packed;
    lb_buf_init(&incoming->packed, 0);
    (void)pthread_mutex_lock(&outbox->lock);
    lb_status status = look_up(outbox, incoming, holding, &found);
    (void)pthread_mutex_unlock(&outbox->lock);
    if (status == LB_OK && found == FOUND_NEW) {
        lb_outbox_record(holding);
        return;
    }
    if (status != LB_OK && holding->next.recipient != NULL)
        refuse_word(outbox, holding, lb_code_outer(status->code));
    free_holding(holding);
}

void lb_outbox_incoming(struct lb_outbox *outbox)
{
    while (true) {
        (void)pthread_mutex_lock(&outbox->lock);
        struct incoming *incoming = outbox->incoming;
        if (incoming != NULL) {
            outbox->incoming = incoming->next;
            outbox->num_incoming--;
            if (outbox->incoming == NULL)
                outbox->last_incoming = &outbox->incoming;
        }
        (void)pthread_mutex_unlock(&outbox->lock);
        if (incoming == NULL)
            return;
        take_in(outbox, incoming);
        lb_buf_cleanup(&incoming->packed);
        free(incoming);
    }
}
