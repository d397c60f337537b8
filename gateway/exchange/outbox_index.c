#include <stdio.h>
#include <stdlib.h>

#include "gateway/exchange/outbox_inside.h"

/* What is held, in memory: by sender and name, by the party it is for, and how much it is. */

struct box *lb_outbox_box(struct lb_outbox *outbox, const char *party)
{
    struct box *box = outbox->boxes;
    while (box != NULL && strcmp(box->party, party) != 0)
        box = box->next;
    if (box != NULL || strlen(party) >= LB_MAX_SPIFFE_BYTES)
        return box;
    box = calloc(1, sizeof(*box));
    if (box == NULL)
        return NULL;
    (void)snprintf(box->party, sizeof(box->party), "%s", party);
    box->last_ready = &box->ready;
    box->last_news = &box->news;
    box->number = outbox->num_boxes++;
    box->next = outbox->boxes;
    outbox->boxes = box;
    return box;
}

/* Names are their senders' to choose, so that one sender can fill a bucket: with its own. */
static struct parcel **bucket_of(struct lb_outbox *outbox, const struct box *sender,
                                 const uint8_t name[PARCEL_NAME_BYTES])
{
    uint64_t hash = (uintptr_t)sender >> 4;
    for (size_t i = 0; i < PARCEL_NAME_BYTES; i++)
        hash = (hash ^ name[i]) * UINT64_C(0x100000001b3);
    return &outbox->buckets[(hash ^ hash >> 32) % PARCEL_BUCKETS];
}

struct parcel *lb_outbox_find(struct lb_outbox *outbox, const struct box *sender,
                              const uint8_t name[PARCEL_NAME_BYTES])
{
    struct parcel *parcel = *bucket_of(outbox, sender, name);
    while (parcel != NULL && (parcel->sender != sender ||
                              memcmp(parcel->name, name, PARCEL_NAME_BYTES) != 0))
        parcel = parcel->next_same;
    return parcel;
}

struct parcel *lb_outbox_find_of(struct lb_outbox *outbox, const char *sender,
                                 const uint8_t name[PARCEL_NAME_BYTES])
{
    const struct box *box = outbox->boxes;
    while (box != NULL && strcmp(box->party, sender) != 0)
        box = box->next;
    return box == NULL ? NULL : lb_outbox_find(outbox, box, name);
}

static bool has_room(const struct lb_outbox *outbox, const struct parcel *what, size_t num,
                     uint64_t bytes)
{
    const struct lb_outbox_limits *limits = &outbox->options.limits;
    return outbox->num_parcels + num <= limits->parcels &&
           what->sender->num_of + num <= limits->of_sender &&
           what->recipient->num_for + num <= limits->for_recipient &&
           outbox->num_bytes + bytes <= limits->bytes &&
           what->sender->bytes_of + bytes <= limits->bytes_of_sender &&
           what->recipient->bytes_for + bytes <= limits->bytes_for_recipient;
}

static void link_in(struct lb_outbox *outbox, struct parcel *parcel)
{
    struct parcel **bucket = bucket_of(outbox, parcel->sender, parcel->name);
    parcel->next_same = *bucket;
    *bucket = parcel;
    parcel->before = outbox->last;
    if (outbox->last != NULL)
        outbox->last->behind = parcel;
    else
        outbox->first = parcel;
    outbox->last = parcel;
}

static void count_bytes(struct lb_outbox *outbox, struct parcel *parcel, size_t bytes)
{
    outbox->num_bytes += bytes - parcel->bytes;
    parcel->sender->bytes_of += bytes - parcel->bytes;
    parcel->recipient->bytes_for += bytes - parcel->bytes;
    parcel->bytes = bytes;
}

lb_status lb_outbox_add(struct lb_outbox *outbox, const struct parcel *what,
                        struct parcel **out_parcel)
{
    LB_ENSURE(has_room(outbox, what, 1, what->bytes), LB_OUTBOX_FULL, "too much waits");
    struct parcel *parcel = malloc(sizeof(*parcel));
    LB_ENSURE(parcel != NULL, LB_NO_MEMORY, "parcel");
    *parcel = *what;
    parcel->behind = NULL;
    parcel->bytes = 0;
    outbox->num_parcels++;
    parcel->sender->num_of++;
    parcel->recipient->num_for++;
    count_bytes(outbox, parcel, what->bytes);
    link_in(outbox, parcel);
    *out_parcel = parcel;
    return LB_OK;
}

lb_status lb_outbox_resize(struct lb_outbox *outbox, struct parcel *parcel, size_t bytes)
{
    uint64_t more = bytes > parcel->bytes ? bytes - parcel->bytes : 0;
    LB_ENSURE(has_room(outbox, parcel, 0, more), LB_OUTBOX_FULL, "too much waits");
    count_bytes(outbox, parcel, bytes);
    return LB_OK;
}

void lb_outbox_settle(struct lb_outbox *outbox, struct parcel *parcel)
{
    count_bytes(outbox, parcel, 0);
    parcel->recipient->num_for--;
    parcel->state = PARCEL_OVER;
}

/* --- what a box is to be given --- */

void lb_box_add_ready(struct parcel *parcel)
{
    struct box *box = parcel->recipient;
    if (parcel->in_ready)
        return;
    parcel->in_ready = true;
    parcel->next_ready = NULL;
    *box->last_ready = parcel;
    box->last_ready = &parcel->next_ready;
}

void lb_box_add_news(struct parcel *parcel)
{
    struct box *box = parcel->sender;
    if (parcel->in_news)
        return;
    parcel->in_news = true;
    parcel->next_news = NULL;
    *box->last_news = parcel;
    box->last_news = &parcel->next_news;
}

struct parcel *lb_box_take_ready(struct box *box)
{
    struct parcel *parcel = box->ready;
    if (parcel == NULL)
        return NULL;
    box->ready = parcel->next_ready;
    if (box->ready == NULL)
        box->last_ready = &box->ready;
    parcel->in_ready = false;
    return parcel;
}

struct parcel *lb_box_take_news(struct box *box)
{
    struct parcel *parcel = box->news;
    if (parcel == NULL)
        return NULL;
    box->news = parcel->next_news;
    if (box->news == NULL)
        box->last_news = &box->news;
    parcel->in_news = false;
    return parcel;
}

static void drop_ready(struct parcel *parcel)
{
    struct box *box = parcel->recipient;
    struct parcel **at = &box->ready;
    while (parcel->in_ready && *at != parcel)
        at = &(*at)->next_ready;
    if (!parcel->in_ready)
        return;
    *at = parcel->next_ready;
    if (*at == NULL)
        box->last_ready = at;
    parcel->in_ready = false;
}

static void drop_news(struct parcel *parcel)
{
    struct box *box = parcel->sender;
    struct parcel **at = &box->news;
    while (parcel->in_news && *at != parcel)
        at = &(*at)->next_news;
    if (!parcel->in_news)
        return;
    *at = parcel->next_news;
    if (*at == NULL)
        box->last_news = at;
    parcel->in_news = false;
}

void lb_parcel_back(struct parcel *parcel)
{
    if (!parcel->out)
        return;
    parcel->out = false;
    parcel->recipient->num_out--;
}

void lb_outbox_remove(struct lb_outbox *outbox, struct parcel *parcel)
{
    struct parcel **at = bucket_of(outbox, parcel->sender, parcel->name);
    drop_ready(parcel);
    drop_news(parcel);
    lb_parcel_back(parcel);
    if (parcel->state != PARCEL_OVER)
        lb_outbox_settle(outbox, parcel);
    while (*at != parcel)
        at = &(*at)->next_same;
    *at = parcel->next_same;
    *(parcel->before != NULL ? &parcel->before->behind : &outbox->first) = parcel->behind;
    *(parcel->behind != NULL ? &parcel->behind->before : &outbox->last) = parcel->before;
    parcel->sender->num_of--;
    outbox->num_parcels--;
}
