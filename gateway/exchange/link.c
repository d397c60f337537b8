#include <stdlib.h>
#include <string.h>

#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* The broker's end of a link: reads wait in a queue, then in a table by txn until their answer. */

static unsigned bucket_of(const uint8_t txn[16])
{
    return ((unsigned)txn[0] << 8 | txn[1]) % PENDING_BUCKETS;
}

void lb_broker_link_unref(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool last = --link->refs == 0;
    (void)pthread_mutex_unlock(&link->lock);
    if (!last)
        return;
    lb_session_cleanup(&link->session);
    (void)pthread_mutex_destroy(&link->receiving);
    (void)pthread_mutex_destroy(&link->lock);
    free(link);
}

static void hold(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->refs++;
    (void)pthread_mutex_unlock(&link->lock);
}

void lb_broker_link_kick(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    if (!link->detached)
        link->port.kick(link->port.ctx);
    (void)pthread_mutex_unlock(&link->lock);
}

/* A log in the place of others that were lost: what we saw of those must be named as lost. */
static lb_status check_recoveries(struct lb_seen *seen, const struct lb_node *node)
{
    for (size_t i = 0; i < node->num_recoveries; i++) {
        const struct lb_recovery *recovery = &node->recoveries[i];
        LB_TRY(lb_seen_check_lost(seen, recovery->lost_origin, recovery->lost->size,
                                  recovery->lost->root));
    }
    return LB_OK;
}

static lb_status init_session(struct lb_broker_link *link, const char *adapter)
{
    const struct lb_exchange_options *options = &link->exchange->options;
    struct lb_directory *directory = lb_trust_directory(options->trust);
    const struct lb_node *node = lb_directory_node(directory, adapter);
    lb_status status = LB_FAULT(LB_ROLE_NOT_ALLOWED, "directory lists no such adapter");
    if (node != NULL && node->kind == LB_NODE_ADAPTER && node->log_origin != NULL)
        status = check_recoveries(link->exchange->seen, node);
    if (status == LB_OK)
        status = lb_session_init(&link->session, options->log, node->log_origin, node->log_key,
                                 link->exchange->seen);
    lb_directory_unref(directory);
    return status;
}

void lb_broker_link_end(struct lb_broker_link *link, lb_status status)
{
    (void)pthread_mutex_lock(&link->lock);
    link->over = true;
    if (!link->detached)
        link->port.fail(link->port.ctx, status);
    (void)pthread_mutex_unlock(&link->lock);
}

/* What the new link greets with must be all that the old one has seen, so a frame that is being
 * taken there is waited for; none follows it. */
static void end_old(struct lb_broker_link *old)
{
    lb_broker_link_end(old, LB_FAULT(LB_CANCELLED, "replaced by a newer link"));
    (void)pthread_mutex_lock(&old->receiving);
    (void)pthread_mutex_unlock(&old->receiving);
    lb_broker_link_unref(old);
}

/* Under the exchange's lock. */
static bool is_attached(struct lb_broker_link *link)
{
    return link != NULL && link->port.attached && !lb_broker_link_is_over(link);
}

bool lb_exchange_attached(struct lb_exchange *exchange, const char *spiffe)
{
    struct adapter *adapter = lb_exchange_adapter(exchange, spiffe);
    (void)pthread_mutex_lock(&exchange->lock);
    bool attached = adapter != NULL && is_attached(adapter->link);
    (void)pthread_mutex_unlock(&exchange->lock);
    return attached;
}

static lb_status register_link(struct lb_exchange *exchange, struct adapter *adapter,
                               struct lb_broker_link *link)
{
    struct lb_broker_link *old = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    enum lb_code code = adapter->quarantine;
    if (code == LB_CODE_OK && !link->port.attached && is_attached(adapter->link))
        code = LB_CANCELLED;
    if (code == LB_CODE_OK) {
        old = adapter->link;
        adapter->link = link;
        adapter->changed_unix_ms = lb_clock_unix_ms(exchange->options.clock);
        lb_ending_forget_lists(exchange, adapter); /* it may have been started anew */
    }
    if (old != NULL)
        hold(old);
    (void)pthread_mutex_unlock(&exchange->lock);
    if (old != NULL)
        end_old(old);
    return lb_status_of(code);
}

lb_status lb_broker_link_new(struct lb_exchange *exchange, const char *spiffe,
                             const struct lb_broker_port *port, struct lb_broker_link **out_link)
{
    struct adapter *adapter = lb_exchange_adapter(exchange, spiffe);
    LB_ENSURE(adapter != NULL, LB_NO_MEMORY, "adapter");
    struct lb_broker_link *link = calloc(1, sizeof(*link));
    LB_ENSURE(link != NULL, LB_NO_MEMORY, "link");
    link->exchange = exchange;
    lb_status status = init_session(link, spiffe);
    if (status != LB_OK) {
        free(link);
        return status;
    }
    (void)pthread_mutex_init(&link->receiving, NULL);
    (void)pthread_mutex_init(&link->lock, NULL);
    link->adapter = adapter;
    link->port = *port;
    link->refs = 1;
    link->last_queued = &link->queue;
    status = register_link(exchange, adapter, link);
    if (status != LB_OK) {
        lb_broker_link_unref(link);
        return status;
    }
    *out_link = link;
    return LB_OK;
}

lb_status lb_broker_link_enqueue(struct lb_broker_link *link, struct routed_read *read)
{
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&link->lock);
    unsigned bucket = bucket_of(read->request->txn.data);
    if (link->detached || link->over || !link->session.greeted) {
        status = LB_FAULT(LB_UNAVAILABLE, "link is not up");
    } else if (link->num_pending >= MAX_PENDING) {
        status = LB_FAULT(LB_BUSY, "too many reads wait for this adapter");
    } else {
        for (struct routed_read *p = link->pending[bucket]; p != NULL; p = p->next_pending) {
            if (memcmp(p->request->txn.data, read->request->txn.data, 16) == 0)
                status = LB_FAULT(LB_REPLAY, "txn is under way already");
        }
    }
    if (status == LB_OK && lb_read_hold_sent(read)) {
        read->next_pending = link->pending[bucket];
        link->pending[bucket] = read;
        link->num_pending++;
        read->next = NULL;
        *link->last_queued = read;
        link->last_queued = &read->next;
        link->port.kick(link->port.ctx);
    }
    (void)pthread_mutex_unlock(&link->lock);
    return status;
}

/* Under lock. */
static void unqueue(struct lb_broker_link *link, struct routed_read *read)
{
    struct routed_read **at = &link->queue;
    while (*at != NULL && *at != read)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = read->next;
    if (*at == NULL)
        link->last_queued = at;
}

/* Under lock. */
static bool unpend(struct lb_broker_link *link, struct routed_read *read)
{
    struct routed_read **at = &link->pending[bucket_of(read->request->txn.data)];
    while (*at != NULL && *at != read)
        at = &(*at)->next_pending;
    if (*at == NULL)
        return false;
    *at = read->next_pending;
    link->num_pending--;
    return true;
}

bool lb_broker_link_forget(struct lb_broker_link *link, struct routed_read *read)
{
    (void)pthread_mutex_lock(&link->lock);
    bool was_pending = unpend(link, read);
    if (was_pending)
        unqueue(link, read);
    (void)pthread_mutex_unlock(&link->lock);
    return was_pending;
}

struct routed_read *lb_broker_link_take(struct lb_broker_link *link, const uint8_t txn[16])
{
    (void)pthread_mutex_lock(&link->lock);
    struct routed_read *read = link->pending[bucket_of(txn)];
    while (read != NULL && memcmp(read->request->txn.data, txn, 16) != 0)
        read = read->next_pending;
    if (read != NULL) {
        (void)unpend(link, read);
        unqueue(link, read);
    }
    (void)pthread_mutex_unlock(&link->lock);
    return read;
}

/* --- frames in --- */

static lb_status take_hello(struct lb_broker_link *link, const Lianban__V1__Hello *hello)
{
    (void)pthread_mutex_lock(&link->lock);
    lb_status status = lb_session_greet(&link->session, hello);
    link->show_log = status == LB_OK;
    if (status == LB_OK && !link->detached)
        link->port.kick(link->port.ctx);
    (void)pthread_mutex_unlock(&link->lock);
    if (status == LB_OK)
        lb_circuit_linked(link->exchange, link->adapter);
    return status == LB_OK ? lb_broker_link_open_outlet(link) : status;
}

static lb_status take_frame(struct lb_broker_link *link, const Lianban__V1__Frame *frame)
{
    switch (frame->body_case) {
    case LIANBAN__V1__FRAME__BODY_HELLO:
        return take_hello(link, frame->hello);
    case LIANBAN__V1__FRAME__BODY_BATCH:
        return lb_broker_link_answers(link, frame->batch);
    case LIANBAN__V1__FRAME__BODY_STATUS_ACK:
        return lb_relay_ack(link, frame->status_ack);
    case LIANBAN__V1__FRAME__BODY_PARCELS:
        return lb_broker_link_parcels(link, frame->parcels);
    default:
        LB_FAIL(LB_VERSION_UNSUPPORTED, "unknown frame");
    }
}

bool lb_broker_link_is_over(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool over = link->over;
    (void)pthread_mutex_unlock(&link->lock);
    return over;
}

/* Only what the adapter shows of its own log tells against it. That our log is shorter than it has
 * seen (in its greeting) tells against us. */
static bool is_bad_evidence(const Lianban__V1__Frame *frame, enum lb_code code)
{
    return frame != NULL && frame->body_case != LIANBAN__V1__FRAME__BODY_HELLO &&
           (code == LB_LOG_FORK || code == LB_LOG_BEHIND || code == LB_RECEIPT_INVALID);
}

static lb_status receive(struct lb_broker_link *link, struct lb_span bytes)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "frame");
    Lianban__V1__Frame *frame = NULL;
    lb_status status = lb_trust_need_log(link->exchange->options.trust, link->adapter->spiffe,
                                         lb_seen_origin(link->session.seen));
    if (status == LB_OK)
        status = lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, arena, &frame);
    if (status == LB_OK)
        status = take_frame(link, frame);
    if (status == LB_OK)
        return LB_OK;
    if (is_bad_evidence(frame, status->code))
        lb_exchange_quarantine(link->exchange, link->adapter, status);
    else
        lb_log_count_denial(link->exchange->options.log, link->adapter->spiffe, status->code);
    return status;
}

lb_status lb_broker_link_receive(struct lb_broker_link *link, struct lb_span bytes)
{
    (void)pthread_mutex_lock(&link->receiving);
    lb_status status = lb_broker_link_is_over(link) ? LB_FAULT(LB_CANCELLED, "link is over")
                                                    : receive(link, bytes);
    (void)pthread_mutex_unlock(&link->receiving);
    return status;
}

/* --- the end --- */

static struct routed_read *take_any(struct lb_broker_link *link)
{
    struct routed_read *read = NULL;
    (void)pthread_mutex_lock(&link->lock);
    for (unsigned i = 0; i < PENDING_BUCKETS && read == NULL && link->num_pending > 0; i++)
        read = link->pending[i];
    if (read != NULL) {
        (void)unpend(link, read);
        unqueue(link, read);
    }
    (void)pthread_mutex_unlock(&link->lock);
    return read;
}

void lb_broker_link_leave(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->exchange->lock);
    link->leaving = true;
    (void)pthread_mutex_unlock(&link->exchange->lock);
}

static bool has_stood(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool stood = link->session.greeted;
    (void)pthread_mutex_unlock(&link->lock);
    return stood;
}

/* Under the exchange's lock. A try that came to nothing does not take back the leave before it. */
static void forget(struct lb_exchange *exchange, struct lb_broker_link *link, bool stood)
{
    struct adapter *adapter = link->adapter;
    adapter->link = NULL;
    adapter->changed_unix_ms = lb_clock_unix_ms(exchange->options.clock);
    if (!stood)
        return;
    adapter->expected = link->leaving;
    adapter->away_ms = lb_clock_monotonic_ms(exchange->options.clock);
}

void lb_broker_link_close(struct lb_broker_link *link)
{
    struct lb_exchange *exchange = link->exchange;
    bool stood = has_stood(link);
    if (link->outlet != NULL)
        lb_outlet_close(link->outlet);
    link->outlet = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    enum lb_code code = link->leaving ? LB_STOPPING : LB_UNAVAILABLE;
    if (link->adapter->link == link)
        forget(exchange, link, stood);
    (void)pthread_mutex_unlock(&exchange->lock);
    (void)pthread_mutex_lock(&link->lock);
    link->detached = true;
    (void)pthread_mutex_unlock(&link->lock);
    struct routed_read *read;
    while ((read = take_any(link)) != NULL) {
        struct lb_collect *collect = read->collect;
        if (lb_read_claim(read))
            lb_read_close(read, code, NULL);
        lb_collect_release(collect);
    }
    lb_broker_link_unref(link);
}
