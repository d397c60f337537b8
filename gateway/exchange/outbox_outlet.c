#include <stdlib.h>

#include "gateway/exchange/outbox_inside.h"

/* Where a party gets what is for it. A new outlet begins with all that there is: whatever the one
 * before it was given and nobody answered may be lost. */

static void free_notes(struct lb_outlet *outlet)
{
    while (outlet->notes != NULL) {
        struct note *note = outlet->notes;
        outlet->notes = note->next;
        free(note);
    }
}

/* Under lock. */
static void detach(struct lb_outlet *outlet)
{
    if (outlet->box->outlet == outlet)
        outlet->box->outlet = NULL;
    lb_batch_free(outlet->batch);
    outlet->batch = NULL;
    free_notes(outlet);
}

/* Under lock: the end of a parcel that has one, and why another waits, is told again. */
static void begin_anew(struct lb_outbox *outbox, struct box *box)
{
    for (struct parcel *parcel = outbox->first; parcel != NULL; parcel = parcel->behind) {
        bool waits = parcel->state == PARCEL_WAITING;
        if (parcel->recipient == box && waits) {
            lb_parcel_back(parcel);
            lb_box_add_ready(parcel);
            box->outlet->backlog++;
        }
        if (parcel->sender == box &&
            (parcel->state == PARCEL_OVER || (waits && parcel->code != LB_CODE_OK))) {
            lb_box_add_news(parcel);
            box->outlet->backlog++;
        }
    }
}

/* Under lock. */
static lb_status put(struct lb_outbox *outbox, const char *party, struct lb_outlet *outlet)
{
    LB_ENSURE(outlet->is_link || !outbox->leaving, LB_STOPPING, "stopping");
    struct box *box = lb_outbox_box(outbox, party);
    LB_ENSURE(box != NULL, LB_NO_MEMORY, "outlet");
    struct lb_outlet *old = box->outlet;
    outlet->box = box;
    outlet->serial = ++outbox->next_serial;
    if (old != NULL) {
        old->port.end(old->port.ctx, LB_FAULT(LB_CANCELLED, "replaced by a newer one"));
        detach(old);
    }
    box->outlet = outlet;
    begin_anew(outbox, box);
    lb_outbox_wake(outbox);
    return LB_OK;
}

lb_status lb_outlet_open(struct lb_outbox *outbox, const char *party, bool is_link,
                         const struct lb_outlet_port *port, struct lb_outlet **out_outlet)
{
    struct lb_outlet *outlet = calloc(1, sizeof(*outlet));
    LB_ENSURE(outlet != NULL, LB_NO_MEMORY, "outlet");
    outlet->outbox = outbox;
    outlet->port = *port;
    outlet->is_link = is_link;
    outlet->last_note = &outlet->notes;
    (void)pthread_mutex_lock(&outbox->lock);
    lb_status status = put(outbox, party, outlet);
    (void)pthread_mutex_unlock(&outbox->lock);
    if (status != LB_OK) {
        free(outlet);
        return status;
    }
    *out_outlet = outlet;
    return LB_OK;
}

/* Under lock. What was out, or ready, is due at once, and is taken up when the party is back. */
static void take_back(struct lb_outbox *outbox, struct box *box)
{
    while (lb_box_take_ready(box) != NULL)
        ;
    for (struct parcel *parcel = outbox->first; parcel != NULL; parcel = parcel->behind) {
        if (parcel->recipient != box || !parcel->out)
            continue;
        lb_parcel_back(parcel);
        parcel->due_ms = 0;
    }
}

void lb_outlet_close(struct lb_outlet *outlet)
{
    struct lb_outbox *outbox = outlet->outbox;
    (void)pthread_mutex_lock(&outbox->lock);
    bool current = outlet->box->outlet == outlet;
    detach(outlet);
    if (current)
        take_back(outbox, outlet->box);
    (void)pthread_mutex_unlock(&outbox->lock);
    free(outlet);
}

void lb_outlet_note(struct lb_outlet *outlet, const struct note *note)
{
    struct note *copy = outlet->num_notes < MAX_NOTES ? malloc(sizeof(*copy)) : NULL;
    if (copy == NULL)
        return; /* whoever asked asks again */
    *copy = *note;
    copy->next = NULL;
    *outlet->last_note = copy;
    outlet->last_note = &copy->next;
    outlet->num_notes++;
    outlet->port.kick(outlet->port.ctx);
}
