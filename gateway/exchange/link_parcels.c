#include "gateway/exchange/inside.h"

/* A link as the outlet of an adapter that takes parcels. */

static void kick(void *ctx)
{
    lb_broker_link_kick(ctx);
}

/* One link replaces another by itself. */
static void end(void *ctx, lb_status status)
{
    (void)ctx;
    lb_status_ignore(status);
}

lb_status lb_broker_link_open_outlet(struct lb_broker_link *link)
{
    struct lb_outbox *outbox = link->exchange->options.outbox;
    const struct lb_outlet_port port = {link, kick, end};
    if (outbox == NULL || !link->session.takes_parcels)
        return LB_OK;
    return lb_outbox_link(outbox, link->adapter->spiffe, &port, &link->outlet);
}

lb_status lb_broker_link_parcels(struct lb_broker_link *link,
                                 const Lianban__V1__ParcelBatch *batch)
{
    LB_ENSURE(link->outlet != NULL, LB_VERSION_UNSUPPORTED, "parcels were not agreed on");
    LB_TRY(lb_outlet_receive(link->outlet, &link->session, batch));
    lb_adapter_shown(link->adapter, link->exchange->options.clock,
                     lb_seen_size(link->session.seen));
    return LB_OK;
}

lb_status lb_broker_link_next_parcels(struct lb_broker_link *link, struct lb_arena *arena,
                                      struct lb_span *out_frame)
{
    link->reads_in_a_row = 0;
    return link->outlet == NULL
               ? LB_OK
               : lb_outlet_frame(link->outlet, &link->session, arena, out_frame);
}
