#include "gateway/exchange/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/exchange/gather.h"
#include "gateway/exchange/inside.h"

/* Deadlines are looked at this often; a late answer is late by at most as much. */
#define WATCH_MS 20
/* A caller that has not taken its events so long after its deadline is given up. */
#define UNREAD_GRACE_MS 10000
/* What waits for adapters and callers takes memory: an answer has at most LB_MAX_ANSWER_BYTES. */
#define MAX_LIVE_READS 32768
/* Whoever is started anew is back by then. */
#define EXPECTED_MS 30000

static void expire_reads(struct lb_collect *collect)
{
    struct lb_exchange *exchange = collect->exchange;
    for (size_t i = 0; i < collect->num_reads; i++) {
        struct routed_read *read = &collect->reads[i];
        if (!lb_read_claim(read))
            continue;
        struct adapter *adapter = lb_exchange_adapter(exchange, read->request->audience);
        struct lb_broker_link *link =
            adapter == NULL ? NULL : lb_exchange_take_link(exchange, adapter);
        if (link != NULL) {
            if (lb_broker_link_forget(link, read))
                lb_collect_release(collect);
            lb_broker_link_unref(link);
        }
        lb_read_close(read, LB_DEADLINE, NULL);
    }
}

enum due { DUE_NOTHING, DUE_READS, DUE_CALLER };

/* What is due for a collect; under both locks. One without references is being freed. */
static enum due due_for(struct lb_collect *collect, int64_t now)
{
    if (collect->refs == 0 || collect->deadline_unix_ms > now)
        return DUE_NOTHING;
    if (!collect->expired) {
        collect->expired = true;
        return DUE_READS;
    }
    if (collect->given_up || now - collect->deadline_unix_ms < UNREAD_GRACE_MS)
        return DUE_NOTHING;
    collect->given_up = true;
    return DUE_CALLER;
}

/* A collect for which something is due, with a reference, or NULL. */
static struct lb_collect *next_due(struct lb_exchange *exchange, int64_t now, enum due *out_due)
{
    struct lb_collect *found = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    for (struct lb_collect *c = exchange->collects; c != NULL && found == NULL; c = c->next) {
        (void)pthread_mutex_lock(&c->lock);
        *out_due = due_for(c, now);
        if (*out_due != DUE_NOTHING) {
            c->refs++;
            found = c;
        }
        (void)pthread_mutex_unlock(&c->lock);
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return found;
}

static bool wait_a_little(struct lb_exchange *exchange)
{
    const struct timespec until = lb_clock_after_ms(WATCH_MS);
    int waited = 0;
    (void)pthread_mutex_lock(&exchange->lock);
    while (!exchange->stopping && waited == 0)
        waited = pthread_cond_timedwait(&exchange->changed, &exchange->lock, &until);
    bool stopping = exchange->stopping;
    (void)pthread_mutex_unlock(&exchange->lock);
    return !stopping;
}

static void *watch_deadlines(void *arg)
{
    struct lb_exchange *exchange = arg;
    while (wait_a_little(exchange)) {
        int64_t now = lb_clock_unix_ms(exchange->options.clock);
        struct lb_collect *collect;
        enum due due = DUE_NOTHING;
        while ((collect = next_due(exchange, now, &due)) != NULL) {
            if (due == DUE_READS)
                expire_reads(collect);
            else
                lb_collect_fail(collect, LB_FAULT(LB_DEADLINE, "nobody takes the events"));
            lb_collect_release(collect);
        }
        lb_exchange_yield_due(exchange);
        lb_circuit_watch(exchange);
        lb_kept_flush(exchange);
    }
    return NULL;
}

static lb_status make_parts(struct lb_exchange *exchange)
{
    LB_TRY(lb_exchange_admission_new(&exchange->options, &exchange->admission));
    LB_TRY(lb_operator_cache_new(&exchange->operators));
    LB_TRY(lb_seen_new(exchange->options.seen_folder, &exchange->seen));
    LB_TRY(lb_gather_new(exchange->options.log, &exchange->gather));
    return lb_kept_open(exchange, exchange->options.kept_path);
}

static void free_parts(struct lb_exchange *exchange)
{
    lb_gather_free(exchange->gather);
    lb_admission_free(exchange->admission);
    lb_operator_cache_free(exchange->operators);
    lb_seen_free(exchange->seen);
    lb_ending_free_all(exchange);
    lb_kept_close(exchange->kept);
    while (exchange->adapters != NULL) {
        struct adapter *adapter = exchange->adapters;
        exchange->adapters = adapter->next;
        (void)pthread_mutex_destroy(&adapter->circuit_lock);
        free(adapter);
    }
}

lb_status lb_exchange_new(const struct lb_exchange_options *options,
                          struct lb_exchange **out_exchange)
{
    struct lb_exchange *exchange = calloc(1, sizeof(*exchange));
    LB_ENSURE(exchange != NULL, LB_NO_MEMORY, "exchange");
    exchange->options = *options;
    exchange->started_ms = lb_clock_monotonic_ms(options->clock);
    if (exchange->options.max_reads == 0)
        exchange->options.max_reads = MAX_LIVE_READS;
    (void)pthread_mutex_init(&exchange->lock, NULL);
    lb_clock_cond_init(&exchange->changed);
    lb_status status = make_parts(exchange);
    if (status == LB_OK &&
        pthread_create(&exchange->watch, NULL, watch_deadlines, exchange) != 0)
        status = LB_FAULT(LB_NO_MEMORY, "the deadline watch cannot be started");
    if (status != LB_OK) {
        free_parts(exchange);
        free(exchange);
        return status;
    }
    *out_exchange = exchange;
    return LB_OK;
}

void lb_exchange_free(struct lb_exchange *exchange)
{
    if (exchange == NULL)
        return;
    /* What is under way ends and is recorded first; the log's thread still works on it. */
    (void)pthread_mutex_lock(&exchange->lock);
    while (exchange->num_collects > 0)
        (void)pthread_cond_wait(&exchange->changed, &exchange->lock);
    exchange->drained = exchange->stopping = true;
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
    (void)pthread_join(exchange->watch, NULL);
    lb_kept_flush(exchange);
    free_parts(exchange);
    (void)pthread_cond_destroy(&exchange->changed);
    (void)pthread_mutex_destroy(&exchange->lock);
    free(exchange);
}

void lb_exchange_drain(struct lb_exchange *exchange, int64_t timeout_ms)
{
    const struct timespec until = lb_clock_after_ms(timeout_ms);
    int waited = 0;
    (void)pthread_mutex_lock(&exchange->lock);
    while (exchange->num_collects > 0 && waited == 0)
        waited = pthread_cond_timedwait(&exchange->changed, &exchange->lock, &until);
    exchange->drained = true;
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
}

struct adapter *lb_exchange_adapter(struct lb_exchange *exchange, const char *spiffe)
{
    if (strlen(spiffe) >= LB_MAX_SPIFFE_BYTES)
        return NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    struct adapter *adapter = exchange->adapters;
    while (adapter != NULL && strcmp(adapter->spiffe, spiffe) != 0)
        adapter = adapter->next;
    if (adapter == NULL && (adapter = calloc(1, sizeof(*adapter))) != NULL) {
        (void)snprintf(adapter->spiffe, sizeof(adapter->spiffe), "%s", spiffe);
        adapter->expected = true;
        (void)pthread_mutex_init(&adapter->circuit_lock, NULL);
        adapter->away_ms = exchange->started_ms;
        adapter->next = exchange->adapters;
        exchange->adapters = adapter;
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return adapter;
}

enum lb_code lb_exchange_away(struct lb_exchange *exchange, const struct adapter *adapter)
{
    int64_t now = lb_clock_monotonic_ms(exchange->options.clock);
    (void)pthread_mutex_lock(&exchange->lock);
    bool expected = adapter->expected && now - adapter->away_ms < EXPECTED_MS;
    (void)pthread_mutex_unlock(&exchange->lock);
    return expected ? LB_STOPPING : LB_UNAVAILABLE;
}

struct lb_broker_link *lb_exchange_take_link(struct lb_exchange *exchange, struct adapter *adapter)
{
    (void)pthread_mutex_lock(&exchange->lock);
    struct lb_broker_link *link = adapter->link;
    if (link != NULL) {
        (void)pthread_mutex_lock(&link->lock);
        link->refs++;
        (void)pthread_mutex_unlock(&link->lock);
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return link;
}

bool lb_exchange_linked(struct lb_exchange *exchange, const char *spiffe)
{
    struct adapter *adapter = lb_exchange_adapter(exchange, spiffe);
    struct lb_broker_link *link =
        adapter == NULL ? NULL : lb_exchange_take_link(exchange, adapter);
    if (link == NULL)
        return false;
    (void)pthread_mutex_lock(&link->lock);
    bool greeted = link->session.greeted && !link->detached && !link->over;
    (void)pthread_mutex_unlock(&link->lock);
    lb_broker_link_unref(link);
    return greeted;
}

/* An adapter whose evidence does not hold is not asked again until somebody has looked: the process
 * must be started anew. The reason is an entry of its own. */
void lb_exchange_quarantine(struct lb_exchange *exchange, struct adapter *adapter,
                            lb_status reason)
{
    (void)pthread_mutex_lock(&exchange->lock);
    bool first = adapter->quarantine == LB_CODE_OK;
    if (first)
        adapter->quarantine = reason->code;
    if (adapter->link != NULL)
        lb_broker_link_end(adapter->link, reason);
    (void)pthread_mutex_unlock(&exchange->lock);
    if (!first)
        return;
    lb_log_event(LB_LOG_ERROR, "adapter_quarantined", "\"adapter\":\"%s\",\"code\":\"%s\"",
                 adapter->spiffe, lb_code_name(reason->code));
    lb_log_count_denial(exchange->options.log, adapter->spiffe, reason->code);
}

void lb_exchange_count_collect(struct lb_exchange *exchange)
{
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->num_collects++;
    (void)pthread_mutex_unlock(&exchange->lock);
}

void lb_exchange_forget_collect(struct lb_exchange *exchange)
{
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->num_collects--;
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
}

lb_status lb_exchange_add_reads(struct lb_exchange *exchange, size_t num)
{
    (void)pthread_mutex_lock(&exchange->lock);
    bool room = num <= exchange->options.max_reads - exchange->num_reads;
    if (room)
        exchange->num_reads += num;
    (void)pthread_mutex_unlock(&exchange->lock);
    LB_ENSURE(room, LB_BUSY, "too many reads are held");
    return LB_OK;
}

void lb_exchange_add_collect(struct lb_exchange *exchange, struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&exchange->lock);
    collect->next = exchange->collects;
    exchange->collects = collect;
    (void)pthread_mutex_unlock(&exchange->lock);
}

void lb_exchange_remove_collect(struct lb_exchange *exchange, struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&exchange->lock);
    struct lb_collect **at = &exchange->collects;
    while (*at != NULL && *at != collect)
        at = &(*at)->next;
    if (*at == collect)
        *at = collect->next;
    exchange->num_reads -= collect->num_reserved;
    (void)pthread_mutex_unlock(&exchange->lock);
}

size_t lb_exchange_num_forms(const struct lb_exchange *exchange)
{
    return exchange->options.num_forms;
}

const struct lb_offered_form *lb_exchange_form_at(const struct lb_exchange *exchange, size_t index)
{
    return index < exchange->options.num_forms ? &exchange->options.forms[index] : NULL;
}

const struct lb_offered_form *lb_exchange_form(const struct lb_exchange *exchange, const char *id,
                                               uint32_t version)
{
    const struct lb_offered_form *found = NULL;
    for (size_t i = 0; i < exchange->options.num_forms; i++) {
        const struct lb_offered_form *form = &exchange->options.forms[i];
        if (strcmp(form->id, id) != 0 || (version != 0 && form->version != version))
            continue;
        if (found == NULL || form->version > found->version)
            found = form;
    }
    return found;
}
