#include "gateway/exchange/overview.h"

#include <string.h>

#include "gateway/exchange/inside.h"

void lb_adapter_shown(struct adapter *adapter, const struct lb_clock *clock, uint64_t log_size)
{
    atomic_store(&adapter->shown_unix_ms, lb_clock_unix_ms(clock));
    atomic_store(&adapter->log_size, log_size);
}

void lb_adapter_answered(struct adapter *adapter, const struct lb_clock *clock)
{
    atomic_store(&adapter->answered_unix_ms, lb_clock_unix_ms(clock));
    (void)atomic_fetch_add(&adapter->num_answers, 1);
}

/* Under the exchange's lock. Withdrawals are not counted: they end by themselves. */
static size_t count_unacknowledged(const struct lb_exchange *exchange,
                                   const struct adapter *adapter)
{
    size_t num = 0;
    for (const struct ending *ending = exchange->endings; ending != NULL; ending = ending->next)
        num += ending->uri != NULL && lb_ending_proof_of(ending, adapter) == NULL;
    return num;
}

static void view_link(struct lb_broker_link *link, struct lb_adapter_view *out)
{
    (void)pthread_mutex_lock(&link->lock);
    out->linked = !link->over && !link->detached && link->session.greeted;
    out->num_pending = link->num_pending;
    (void)pthread_mutex_unlock(&link->lock);
}

static void view_circuit(struct adapter *adapter, struct lb_adapter_view *out)
{
    (void)pthread_mutex_lock(&adapter->circuit_lock);
    out->circuit = adapter->breaker.state;
    out->circuit_for_all = adapter->breaker.for_all;
    out->circuit_unix_ms = adapter->circuit_unix_ms;
    (void)pthread_mutex_unlock(&adapter->circuit_lock);
}

static void view(const struct lb_exchange *exchange, struct adapter *adapter,
                 struct lb_adapter_view *out)
{
    *out = (struct lb_adapter_view){
        .quarantine = adapter->quarantine,
        .changed_unix_ms = adapter->changed_unix_ms,
        .answered_unix_ms = atomic_load(&adapter->answered_unix_ms),
        .shown_unix_ms = atomic_load(&adapter->shown_unix_ms),
        .log_size = atomic_load(&adapter->log_size),
        .num_answers = atomic_load(&adapter->num_answers),
        .num_unacknowledged = count_unacknowledged(exchange, adapter),
    };
    memcpy(out->spiffe, adapter->spiffe, sizeof(out->spiffe));
    view_circuit(adapter, out);
    if (adapter->link != NULL)
        view_link(adapter->link, out);
}

size_t lb_exchange_adapters(struct lb_exchange *exchange, struct lb_adapter_view *out, size_t max)
{
    size_t num = 0;
    (void)pthread_mutex_lock(&exchange->lock);
    for (struct adapter *adapter = exchange->adapters; adapter != NULL && num < max;
         adapter = adapter->next)
        view(exchange, adapter, &out[num++]);
    (void)pthread_mutex_unlock(&exchange->lock);
    return num;
}

void lb_exchange_load(struct lb_exchange *exchange, struct lb_admission_view *out)
{
    lb_admission_view(exchange->admission, out);
}
