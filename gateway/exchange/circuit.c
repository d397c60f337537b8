#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/evidence/reconcile.h"
#include "gateway/exchange/inside.h"
#include "gateway/json/json.h"

/* The breaker of each department's link: what counts for and against it, and the entries about its
 * changes. What a requester brings about by itself, a short deadline above all, says nothing of a
 * department. */

/* Unanswered or answered after this is a failure; at the caller's deadline, after this already. */
#define SLOW_MS 5000
#define PATIENT_MS 1000
/* Unanswered reads are looked for so often. */
#define LOOK_MS 500
#define MAX_LINKS 256U
#define MAX_LATE 16U

static int64_t now_ms(const struct lb_exchange *exchange)
{
    return lb_clock_monotonic_ms(exchange->options.clock);
}

static uint64_t asker_of(const struct routed_read *read)
{
    char who[LB_MAX_NAME_BYTES + 1];
    lb_admission_who(read->collect->caller, who);
    return lb_breaker_asker(who);
}

/* --- changes are evidence --- */

static void recorded(struct lb_log_entry *entry, lb_status status)
{
    lb_log_failure("circuit_not_recorded", status);
    lb_arena_free(entry->owner);
    free(entry);
}

static lb_status fill_entry(const struct adapter *adapter, const struct lb_breaker *breaker,
                            struct lb_arena *arena, struct lb_log_entry *entry)
{
    static const char *const codes[] = {"CIRCUIT_CLOSED", "CIRCUIT_OPEN", "CIRCUIT_HALF_OPEN"};
    struct lb_hash counterpart;
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_json_set_cstr(detail, "adapter", adapter->spiffe);
    lb_json_set_cstr(detail, "for", breaker->for_all ? "all" : "one");
    lb_reconcile_counterpart(adapter->spiffe, &counterpart);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", codes[breaker->state]);
    memcpy(entry->leaf.peer_leaf, counterpart.bytes, LB_HASH_BYTES);
    return lb_json_dump(detail, LB_JSON_COMPACT, arena, &entry->detail);
}

static void record(struct lb_exchange *exchange, const struct adapter *adapter,
                   const struct lb_breaker *breaker)
{
    struct lb_arena *arena = lb_arena_new(LB_MAX_DETAIL_BYTES);
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    lb_status status = arena == NULL || entry == NULL ? LB_FAULT(LB_NO_MEMORY, "entry") : LB_OK;
    lb_log_event(LB_LOG_WARN, "circuit", "\"adapter\":\"%s\",\"state\":\"%s\",\"for\":\"%s\"",
                 adapter->spiffe, lb_breaker_state_name(breaker->state),
                 breaker->for_all ? "all" : "one");
    if (status == LB_OK)
        status = fill_entry(adapter, breaker, arena, entry);
    if (status == LB_OK) {
        entry->owner = arena;
        entry->done = recorded;
        status = lb_log_append(exchange->options.log, entry);
    }
    if (status == LB_OK)
        return;
    lb_log_failure("circuit_not_recorded", status);
    lb_arena_free(arena);
    free(entry);
}

/* --- under the circuit's lock --- */

struct circuit {
    struct lb_exchange *exchange;
    struct adapter *adapter;
    struct lb_breaker before;
};

static struct lb_breaker *take(struct circuit *circuit)
{
    (void)pthread_mutex_lock(&circuit->adapter->circuit_lock);
    circuit->before = circuit->adapter->breaker;
    return &circuit->adapter->breaker;
}

/* Entries are queued under the lock, so that they come in the order of the changes. */
static void give_back(struct circuit *circuit)
{
    struct adapter *adapter = circuit->adapter;
    const struct lb_breaker *after = &adapter->breaker;
    if (after->state != circuit->before.state ||
        (after->state == LB_BREAKER_OPEN && after->for_all != circuit->before.for_all)) {
        adapter->circuit_unix_ms = lb_clock_unix_ms(circuit->exchange->options.clock);
        record(circuit->exchange, adapter, after);
    }
    (void)pthread_mutex_unlock(&adapter->circuit_lock);
}

bool lb_circuit_closed(struct lb_exchange *exchange, struct adapter *adapter,
                       struct routed_read *read)
{
    struct circuit circuit = {.exchange = exchange, .adapter = adapter};
    int64_t now = now_ms(exchange);
    bool asks = lb_breaker_asks(take(&circuit), asker_of(read), now, &read->probe);
    give_back(&circuit);
    read->sent_ms = asks ? now : 0;
    return asks;
}

/* What an end says of the department: nothing when it is the caller's own doing, or a refusal that
 * comes at once. */
enum verdict { SAYS_NOTHING, SAYS_GOOD, SAYS_BAD };

static enum verdict verdict_of(enum lb_code code, int64_t took_ms)
{
    if (code == LB_ANSWERED)
        return took_ms < SLOW_MS ? SAYS_GOOD : SAYS_BAD;
    if (code == LB_UNAVAILABLE) /* it was sent, and the link was lost */
        return SAYS_BAD;
    return code == LB_DEADLINE && took_ms >= PATIENT_MS ? SAYS_BAD : SAYS_NOTHING;
}

void lb_circuit_tell(struct lb_exchange *exchange, struct routed_read *read, enum lb_code code)
{
    if (read->sent_ms == 0)
        return;
    struct circuit circuit = {exchange, lb_exchange_adapter(exchange, read->request->audience),
                              {.state = LB_BREAKER_CLOSED}};
    if (circuit.adapter == NULL)
        return;
    int64_t now = now_ms(exchange);
    struct lb_breaker *breaker = take(&circuit);
    switch (verdict_of(code, now - read->sent_ms)) {
    case SAYS_GOOD:
        lb_breaker_good(breaker);
        break;
    case SAYS_BAD:
        lb_breaker_bad(breaker, asker_of(read), now, read->probe);
        break;
    case SAYS_NOTHING:
        lb_breaker_neither(breaker, asker_of(read), read->probe);
        break;
    }
    give_back(&circuit);
}

void lb_circuit_unsent(struct lb_exchange *exchange, struct routed_read *read)
{
    lb_circuit_tell(exchange, read, LB_CANCELLED);
    read->sent_ms = 0;
}

void lb_circuit_linked(struct lb_exchange *exchange, struct adapter *adapter)
{
    struct circuit circuit = {.exchange = exchange, .adapter = adapter};
    lb_breaker_retry(take(&circuit), now_ms(exchange));
    give_back(&circuit);
}

/* --- reads that nobody answers --- */

/* Who has waited too long for this link's department; each read counts once. */
static size_t find_late(struct lb_broker_link *link, int64_t now, uint64_t late[MAX_LATE])
{
    size_t num = 0;
    (void)pthread_mutex_lock(&link->lock);
    for (size_t i = 0; i < PENDING_BUCKETS && link->num_pending > 0 && num < MAX_LATE; i++) {
        for (struct routed_read *read = link->pending[i]; read != NULL && num < MAX_LATE;
             read = read->next_pending) {
            if (read->overdue || now - read->sent_ms < SLOW_MS)
                continue;
            read->overdue = true;
            late[num++] = asker_of(read);
        }
    }
    (void)pthread_mutex_unlock(&link->lock);
    return num;
}

static void look_at(struct lb_exchange *exchange, struct lb_broker_link *link)
{
    uint64_t late[MAX_LATE];
    int64_t now = now_ms(exchange);
    size_t num = find_late(link, now, late);
    if (num == 0)
        return;
    struct circuit circuit = {.exchange = exchange, .adapter = link->adapter};
    struct lb_breaker *breaker = take(&circuit);
    for (size_t i = 0; i < num; i++)
        lb_breaker_bad(breaker, late[i], now, false);
    give_back(&circuit);
}

void lb_circuit_watch(struct lb_exchange *exchange)
{
    struct lb_broker_link *links[MAX_LINKS];
    size_t num = 0;
    int64_t now = now_ms(exchange);
    if (now < exchange->look_ms)
        return;
    exchange->look_ms = now + LOOK_MS;
    (void)pthread_mutex_lock(&exchange->lock);
    for (struct adapter *a = exchange->adapters; a != NULL && num < MAX_LINKS; a = a->next) {
        if (a->link == NULL)
            continue;
        (void)pthread_mutex_lock(&a->link->lock);
        a->link->refs++;
        (void)pthread_mutex_unlock(&a->link->lock);
        links[num++] = a->link;
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    for (size_t i = 0; i < num; i++) {
        look_at(exchange, links[i]);
        lb_broker_link_unref(links[i]);
    }
}
