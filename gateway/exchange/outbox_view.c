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

static void describe(const struct lb_outbox *outbox, const struct parcel *parcel,
                     struct lb_outbox_held *out)
{
    struct item item;
    bool over = parcel->state == PARCEL_OVER;
    lb_item_of(outbox, parcel, true, &item);
    *out = (struct lb_outbox_held){
        .over = over,
        .delivered = parcel->delivered,
        .code = parcel->code,
        .tries = parcel->tries,
        .next_try_unix_s = item.next_try_unix_s,
        .since_unix_s = parcel->since_unix_s,
        .expires_unix_s = parcel->expires_unix_s,
        .entry = over ? parcel->ended : parcel->held,
    };
    memcpy(out->name, parcel->name, sizeof(out->name));
    (void)snprintf(out->sender, sizeof(out->sender), "%s", item.sender);
    (void)snprintf(out->recipient, sizeof(out->recipient), "%s", item.recipient);
}

size_t lb_outbox_list(struct lb_outbox *outbox, struct lb_outbox_held *out, size_t max)
{
    size_t num = 0;
    (void)pthread_mutex_lock(&outbox->lock);
    for (const struct parcel *parcel = outbox->first; parcel != NULL; parcel = parcel->behind) {
        if (parcel->state == PARCEL_STORING)
            continue;
        if (num < max)
            describe(outbox, parcel, &out[num]);
        num++;
    }
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
