#include <stdio.h>

#include "gateway/exchange/outbox_inside.h"

/* What the operator is told. */

static void add(const struct parcel *parcel, struct lb_outbox_party *out, size_t max)
{
    size_t to = parcel->recipient->number, from = parcel->sender->number;
    bool over = parcel->state == PARCEL_OVER;
    if (over && from < max)
        out[from].num_untold++;
    if (over || to >= max)
        return;
    if (out[to].num_waiting++ == 0) { /* they stand as they came */
        out[to].oldest_unix_s = parcel->since_unix_s;
        out[to].code = parcel->code;
    }
}

size_t lb_outbox_parties(struct lb_outbox *outbox, struct lb_outbox_party *out, size_t max)
{
    (void)pthread_mutex_lock(&outbox->lock);
    size_t num = outbox->num_boxes < max ? outbox->num_boxes : max;
    for (const struct box *box = outbox->boxes; box != NULL; box = box->next) {
        if (box->number >= max)
            continue;
        out[box->number] = (struct lb_outbox_party){.num_waiting = 0};
        (void)snprintf(out[box->number].party, sizeof(out->party), "%s", box->party);
    }
    for (const struct parcel *parcel = outbox->first; parcel != NULL; parcel = parcel->behind)
        add(parcel, out, max);
    (void)pthread_mutex_unlock(&outbox->lock);
    return num;
}

static unsigned percent(uint64_t is, uint64_t most, unsigned before)
{
    uint64_t share = most == 0 ? 0 : is * 100 / most;
    return share > before ? (unsigned)share : before;
}

unsigned lb_outbox_percent(struct lb_outbox *outbox)
{
    const struct lb_outbox_limits *limits = &outbox->options.limits;
    (void)pthread_mutex_lock(&outbox->lock);
    unsigned most = percent(outbox->num_parcels, limits->parcels, 0);
    most = percent(outbox->num_bytes, limits->bytes, most);
    for (const struct box *box = outbox->boxes; box != NULL; box = box->next) {
        most = percent(box->num_of, limits->of_sender, most);
        most = percent(box->num_for, limits->for_recipient, most);
        most = percent(box->bytes_of, limits->bytes_of_sender, most);
        most = percent(box->bytes_for, limits->bytes_for_recipient, most);
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    return most;
}
