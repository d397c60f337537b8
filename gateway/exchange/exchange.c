#include "gateway/exchange/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/exchange/inside.h"

/* Deadlines are looked at this often; a late answer is late by at most as much. */
#define WATCH_MS 20

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

/* One expired collect with a reference, or NULL. */
static struct lb_collect *next_expired(struct lb_exchange *exchange, int64_t now)
{
    struct lb_collect *found = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    for (struct lb_collect *c = exchange->collects; c != NULL && found == NULL; c = c->next) {
        if (c->deadline_unix_ms > now || lb_collect_expired(c))
            continue;
        (void)pthread_mutex_lock(&c->lock);
        c->expired = true;
        c->refs++;
        (void)pthread_mutex_unlock(&c->lock);
        found = c;
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return found;
}

static bool wait_a_little(struct lb_exchange *exchange)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WATCH_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&exchange->lock);
    if (!exchange->stopping)
        (void)pthread_cond_timedwait(&exchange->changed, &exchange->lock, &until);
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
        while ((collect = next_expired(exchange, now)) != NULL) {
            expire_reads(collect);
            lb_collect_release(collect);
        }
    }
    return NULL;
}

lb_status lb_exchange_new(const struct lb_exchange_options *options,
                          struct lb_exchange **out_exchange)
{
    struct lb_exchange *exchange = calloc(1, sizeof(*exchange));
    LB_ENSURE(exchange != NULL, LB_NO_MEMORY, "exchange");
    exchange->options = *options;
    lb_status status = lb_operator_cache_new(&exchange->operators);
    if (status != LB_OK) {
        free(exchange);
        return status;
    }
    (void)pthread_mutex_init(&exchange->lock, NULL);
    (void)pthread_cond_init(&exchange->changed, NULL);
    if (pthread_create(&exchange->watch, NULL, watch_deadlines, exchange) != 0) {
        lb_operator_cache_free(exchange->operators);
        free(exchange);
        LB_FAIL(LB_NO_MEMORY, "the deadline watch cannot be started");
    }
    *out_exchange = exchange;
    return LB_OK;
}

void lb_exchange_free(struct lb_exchange *exchange)
{
    if (exchange == NULL)
        return;
    (void)pthread_mutex_lock(&exchange->lock);
    exchange->stopping = true;
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
    (void)pthread_join(exchange->watch, NULL);
    lb_operator_cache_free(exchange->operators);
    while (exchange->adapters != NULL) {
        struct adapter *adapter = exchange->adapters;
        exchange->adapters = adapter->next;
        free(adapter);
    }
    for (size_t i = 0; i < exchange->num_status; i++) {
        lb_buf_cleanup(&exchange->status[i].token);
        free(exchange->status[i].uri);
    }
    (void)pthread_cond_destroy(&exchange->changed);
    (void)pthread_mutex_destroy(&exchange->lock);
    free(exchange);
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
        adapter->next = exchange->adapters;
        exchange->adapters = adapter;
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return adapter;
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
    bool greeted = link->session.greeted && !link->detached;
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
    adapter->quarantine = reason->code;
    (void)pthread_mutex_unlock(&exchange->lock);
    if (!first)
        return;
    lb_log_event(LB_LOG_ERROR, "adapter_quarantined", "\"adapter\":\"%s\",\"code\":\"%s\"",
                 adapter->spiffe, lb_code_name(reason->code));
    lb_log_count_denial(exchange->options.log, adapter->spiffe, reason->code);
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
