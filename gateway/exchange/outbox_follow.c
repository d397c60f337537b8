#include "gateway/base/log.h"
#include "gateway/exchange/outbox_inside.h"
#include "gateway/wire/pb.h"

/* An agent's Follow: one event at a time, as its stream can take them. */

lb_status lb_outbox_follow(struct lb_outbox *outbox, const char *agent,
                           const struct lb_outlet_port *port, struct lb_outlet **out_outlet)
{
    return lb_outlet_open(outbox, agent, false, port, out_outlet);
}

/* What the next event is about. */
struct next {
    struct batch *batch;  /* taken out of the outlet while it is packed; NULL: nothing is ready */
    bool caught_up;
};

/* Under lock. Nothing left of what was there when the call came? */
static bool has_caught_up(struct lb_outlet *outlet)
{
    bool nothing = outlet->box->news == NULL && outlet->box->ready == NULL && !outlet->preparing;
    bool now = !outlet->caught_up && outlet->batch == NULL && (outlet->backlog == 0 || nothing);
    outlet->caught_up = outlet->caught_up || now;
    return now;
}

static void take_next(struct lb_outlet *outlet, struct next *out)
{
    (void)pthread_mutex_lock(&outlet->outbox->lock);
    *out = (struct next){.caught_up = has_caught_up(outlet)};
    if (!out->caught_up) {
        out->batch = outlet->batch;
        outlet->batch = NULL;
    }
    (void)pthread_mutex_unlock(&outlet->outbox->lock);
}

/* Gives back what is left of a batch, unless the outlet was replaced meanwhile. */
static void give_back(struct lb_outlet *outlet, struct batch *batch)
{
    (void)pthread_mutex_lock(&outlet->outbox->lock);
    if (batch->at < batch->num && outlet->box->outlet == outlet) {
        outlet->batch = batch;
        batch = NULL;
    }
    lb_outbox_wake(outlet->outbox);
    outlet->port.kick(outlet->port.ctx);
    (void)pthread_mutex_unlock(&outlet->outbox->lock);
    lb_batch_free(batch);
}

static lb_status pack_news(const struct shown *shown, const struct item *item,
                           struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__ParcelEvent event = LIANBAN__V1__PARCEL_EVENT__INIT;
    Lianban__V1__FollowEvent follow = LIANBAN__V1__FOLLOW_EVENT__INIT;
    bool over = item->state == PARCEL_OVER;
    LB_TRY(lb_item_receipt(shown, item, arena, &event.receipt));
    LB_TRY(lb_own_entry(shown, over ? item->ended : item->held, arena, &event.broker_entry));
    event.broker_log = shown->progress;
    follow.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_EVENT;
    follow.event = &event;
    return lb_pb_pack(&follow, arena, out);
}

static lb_status pack_parcel(const struct shown *shown, const struct item *item,
                             struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__ParcelHanded handed = LIANBAN__V1__PARCEL_HANDED__INIT;
    Lianban__V1__FollowEvent follow = LIANBAN__V1__FOLLOW_EVENT__INIT;
    LB_TRY(lb_item_routed(shown, item, arena, &handed.parcel));
    handed.log = shown->progress;
    follow.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_HANDED;
    follow.handed = &handed;
    return lb_pb_pack(&follow, arena, out);
}

static lb_status pack_item(struct lb_log *log, const struct item *item, struct lb_arena *arena,
                           struct lb_span *out)
{
    struct shown shown;
    LB_TRY(lb_show_own(log, arena, &shown));
    return item->is_news ? pack_news(&shown, item, arena, out)
                         : pack_parcel(&shown, item, arena, out);
}

static lb_status pack_caught_up(struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__FollowEvent follow = LIANBAN__V1__FOLLOW_EVENT__INIT;
    follow.body_case = LIANBAN__V1__FOLLOW_EVENT__BODY_CAUGHT_UP;
    follow.caught_up = true;
    return lb_pb_pack(&follow, arena, out);
}

/* The next of a batch that can be packed; what can't comes again. */
static lb_status pack_some(struct lb_outlet *outlet, struct batch *batch, struct lb_arena *arena,
                           struct lb_span *out)
{
    struct lb_log *log = outlet->outbox->options.log;
    lb_status status = LB_OK;
    while (batch->at < batch->num && out->len == 0) {
        status = pack_item(log, &batch->items[batch->at++], arena, out);
        lb_log_failure("parcel_not_packed", status);
        outlet->backlog -= outlet->backlog > 0;
    }
    return LB_OK;
}

bool lb_follow_fill(struct lb_outlet *outlet, struct lb_buf *out)
{
    struct next next;
    struct lb_span event = LB_SPAN_EMPTY;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    if (arena == NULL)
        return false; /* the thread kicks again */
    take_next(outlet, &next);
    lb_status status = LB_OK;
    if (next.caught_up)
        status = pack_caught_up(arena, &event);
    else if (next.batch != NULL)
        status = pack_some(outlet, next.batch, arena, &event);
    if (next.batch != NULL)
        give_back(outlet, next.batch);
    if (status == LB_OK && event.len > 0) {
        lb_buf_put(out, event);
        status = lb_buf_check(out);
    }
    lb_log_failure("parcel_not_told", status);
    return status == LB_OK && event.len > 0;
}
