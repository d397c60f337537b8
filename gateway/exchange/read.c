#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/reconcile.h"
#include "gateway/exchange/gather.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"
#include "policy/engine/view.h"

/* The life of one read: a ROUTE entry, then the link, then a DELIVER or FAILURE entry, then its
 * event. Each entry under way and each place in a link holds a reference to the collect. */

/* So many outcomes are handed over even if more of their case are about to be ready. */
#define MANY_READY 16

static void join_views(const Lianban__V1__ReadRequest *request, struct lb_leaf *leaf)
{
    size_t used = 0;
    for (size_t i = 0; i < request->n_views; i++) {
        size_t len = strlen(request->views[i]);
        if (used + len + 2 > sizeof(leaf->views))
            return;
        if (used > 0)
            leaf->views[used++] = ',';
        memcpy(leaf->views + used, request->views[i], len + 1);
        used += len;
    }
}

static void fill_leaf(const struct routed_read *read, enum lb_leaf_type type, enum lb_code code,
                      struct lb_leaf *leaf)
{
    const Lianban__V1__ReadRequest *request = read->request;
    *leaf = (struct lb_leaf){.type = type, .count = 1};
    memcpy(leaf->txn, request->txn.data, sizeof(leaf->txn));
    (void)snprintf(leaf->code, sizeof(leaf->code), "%s", lb_code_name(code));
    join_views(request, leaf);
}

bool lb_read_hold_sent(struct routed_read *read)
{
    struct lb_collect *collect = read->collect;
    (void)pthread_mutex_lock(&collect->lock);
    bool sent = read->state == READ_SENT;
    if (sent)
        collect->refs++;
    (void)pthread_mutex_unlock(&collect->lock);
    return sent;
}

bool lb_read_claim(struct routed_read *read)
{
    (void)pthread_mutex_lock(&read->collect->lock);
    bool mine = read->state == READ_SENT;
    if (mine) {
        read->state = READ_CLOSING;
        read->collect->num_unanswered--;
    }
    (void)pthread_mutex_unlock(&read->collect->lock);
    return mine;
}

/* The end of a stage is the begin of the next. */
static void end_stage(struct routed_read *read, enum lb_meter_stage stage)
{
    struct lb_meter *meter = read->collect->exchange->options.meter;
    read->stage_us = lb_meter_took(meter, stage, read->stage_us);
}

/* For who looks at one request through all hops; its caller asked for it. */
static void log_read(const struct routed_read *read)
{
    const struct lb_exchange_options *options = &read->collect->exchange->options;
    if (!read->trace.sampled)
        return;
    lb_log_event(LB_LOG_INFO, "read_routed",
                 "\"trace\":\"%s\",\"span\":\"%s\",\"code\":\"%s\",\"ms\":%lld", read->trace.id,
                 read->trace.span, lb_code_name(read->code),
                 (long long)(lb_clock_monotonic_ms(options->clock) - read->begun_ms));
}

/* Under the collect's lock. Outcomes that come together go into one message, so the caller is not
 * woken while others of its case are about to be ready; of many it is. */
static bool worth_telling(const struct lb_collect *collect)
{
    return collect->num_closing == 0 || collect->num_ready >= MANY_READY;
}

/* The last event of a collect ends it. */
static void make_ready(struct routed_read *read, bool was_closing)
{
    struct lb_collect *collect = read->collect;
    const struct lb_exchange_options *options = &collect->exchange->options;
    lb_meter_count(options->meter, LB_METER_ROUTED, read->code);
    log_read(read);
    (void)pthread_mutex_lock(&collect->lock);
    collect->num_closing -= was_closing ? 1 : 0;
    read->state = READ_READY;
    read->next_ready = NULL;
    *collect->last_ready = read;
    collect->last_ready = &read->next_ready;
    collect->num_ready++;
    bool last = --collect->num_open == 0;
    lb_collect_progress(collect);
    if (!collect->detached) {
        if (worth_telling(collect))
            collect->port.kick(collect->port.ctx);
        if (last)
            collect->port.finish(collect->port.ctx, LB_OK);
    }
    (void)pthread_mutex_unlock(&collect->lock);
    if (last) {
        lb_exchange_case_ends(collect->exchange,
                              lb_clock_monotonic_ms(options->clock) - read->begun_ms);
        lb_collect_yield(collect, true);
    }
}

static void close_recorded(struct lb_log_entry *entry, lb_status status)
{
    struct routed_read *read = entry->owner;
    struct lb_collect *collect = read->collect;
    read->closed = status == LB_OK;
    end_stage(read, LB_METER_DELIVER);
    if (status != LB_OK) {
        /* What came back stays here: no evidence, no data. */
        read->code = lb_log_refusal(status);
        lb_buf_cleanup(&read->sealed);
    }
    make_ready(read, true);
    lb_collect_release(collect);
}

/* With a reference for its entry; says whether no answer of its case is waited for any more. */
static bool begin_closing(struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&collect->lock);
    collect->refs++;
    collect->num_closing++;
    bool last = collect->num_unanswered == 0;
    (void)pthread_mutex_unlock(&collect->lock);
    return last;
}

void lb_read_close(struct routed_read *read, enum lb_code code, const struct lb_hash *peer_leaf)
{
    struct lb_collect *collect = read->collect;
    struct lb_exchange *exchange = collect->exchange;
    struct lb_log_entry *entry = &read->close;
    end_stage(read, LB_METER_FAN_OUT);
    lb_circuit_tell(collect->exchange, read, code);
    read->code = code;
    fill_leaf(read, peer_leaf != NULL ? LB_LEAF_DELIVER : LB_LEAF_FAILURE, code, &entry->leaf);
    memcpy(entry->leaf.request_hash, read->route.leaf.request_hash, LB_HASH_BYTES);
    if (peer_leaf != NULL) {
        memcpy(entry->leaf.peer_leaf, peer_leaf->bytes, 32);
        memcpy(entry->leaf.policy_hash, read->policy_hash, 32);
        if (read->sealed.len > 0)
            memcpy(entry->leaf.answer_hash, read->answer_hash, LB_HASH_BYTES);
    }
    entry->detail = collect->detail;
    entry->owner = read;
    entry->done = close_recorded;
    bool last = begin_closing(collect);
    lb_gather_add(exchange->gather, &entry, 1,
                  last ? lb_exchange_pace_us(exchange) : lb_exchange_sibling_pace_us(exchange));
}

/* Only what asks a drill's views and nothing else is drilled. */
static bool is_drilled(const struct routed_read *read)
{
    for (size_t i = 0; i < read->request->n_views; i++) {
        if (!lb_view_is_drill(read->request->views[i]))
            return false;
    }
    return read->request->n_views > 0 &&
           lb_drill_fault(read->collect->exchange->options.drill, LB_DRILL_BROKER_AWAY);
}

/* Under way means SENT, so that a deadline or a lost link can end it from here on. */
static void send_on(struct routed_read *read)
{
    struct lb_collect *collect = read->collect;
    struct adapter *adapter =
        is_drilled(read) ? NULL : lb_exchange_adapter(collect->exchange, read->request->audience);
    struct lb_broker_link *link =
        adapter == NULL ? NULL : lb_exchange_take_link(collect->exchange, adapter);
    lb_status status = LB_FAULT(LB_UNAVAILABLE, "adapter is not linked");
    bool cut = link != NULL && !lb_circuit_closed(collect->exchange, adapter, read);
    if (link != NULL) {
        if (!cut)
            status = lb_broker_link_enqueue(link, read);
        lb_broker_link_unref(link);
    }
    if (status == LB_OK || !lb_read_claim(read))
        return;
    lb_circuit_unsent(collect->exchange, read);
    enum lb_code code = lb_code_outer(status->code);
    if (code == LB_UNAVAILABLE && adapter != NULL && !cut)
        code = lb_exchange_away(collect->exchange, adapter);
    lb_read_close(read, code, NULL);
}

static void route_recorded(struct lb_log_entry *entry, lb_status status)
{
    struct routed_read *read = entry->owner;
    struct lb_collect *collect = read->collect;
    end_stage(read, LB_METER_ROUTE);
    /* In one step: after it the deadline watch finds the read, and before it we see its mark. */
    (void)pthread_mutex_lock(&collect->lock);
    bool late = collect->expired;
    read->routed = status == LB_OK;
    if (read->routed)
        read->state = READ_SENT;
    else
        collect->num_unanswered--;
    (void)pthread_mutex_unlock(&collect->lock);
    if (status != LB_OK) {
        read->code = lb_log_refusal(status);
        make_ready(read, false);
    } else if (late && lb_read_claim(read)) {
        lb_read_close(read, LB_DEADLINE, NULL);
    } else {
        send_on(read);
    }
    lb_collect_release(collect);
}

struct lb_log_entry *lb_read_route(struct routed_read *read)
{
    struct lb_collect *collect = read->collect;
    struct lb_log_entry *entry = &read->route;
    struct lb_hash counterpart;
    read->stage_us = lb_meter_now(collect->exchange->options.meter);
    fill_leaf(read, LB_LEAF_ROUTE, LB_CODE_OK, &entry->leaf);
    lb_sha256(lb_pb_span(read->request->sealed->ciphertext), entry->leaf.request_hash);
    lb_reconcile_counterpart(read->request->audience, &counterpart);
    memcpy(entry->leaf.peer_leaf, counterpart.bytes, LB_HASH_BYTES);
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "ROUTED");
    entry->detail = collect->detail;
    entry->owner = read;
    entry->done = route_recorded;
    lb_collect_hold(collect);
    return entry;
}
