#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/exchange/inside.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* Status lists on their way from the issuers to the adapters. The newest list of every issuer goes
 * to each link, also to those that come later; a relay waits for the acknowledgements of its
 * own. */

#define MAX_RECEIPTS 256

struct receipt {
    struct adapter *adapter;
    bool acknowledged;
    enum lb_code code;
    uint64_t seq;
    int64_t millis;
};

struct relay {
    struct relay *next;
    const char *uri;
    uint64_t seq;
    int64_t started_ms;
    size_t num_receipts;
    size_t num_open;
    struct receipt receipts[MAX_RECEIPTS];
};

/* Returns num_status when there is none. */
static size_t find_status(const struct lb_exchange *exchange, const char *uri)
{
    size_t i = 0;
    while (i < exchange->num_status && strcmp(exchange->status[i].uri, uri) != 0)
        i++;
    return i;
}

/* Under lock. An older list than the one held, or another of its number, is refused. */
static lb_status hold_status(struct lb_exchange *exchange, const struct lb_status_list *list,
                             struct lb_span token)
{
    size_t index = find_status(exchange, lb_status_list_uri(list));
    LB_ENSURE(index < MAX_STATUS_LISTS, LB_TOO_LARGE, "too many status lists");
    struct status_entry *entry = &exchange->status[index];
    if (index == exchange->num_status) {
        char *uri = strdup(lb_status_list_uri(list));
        LB_ENSURE(uri != NULL, LB_NO_MEMORY, "status list");
        exchange->num_status++;
        *entry = (struct status_entry){.uri = uri};
        lb_buf_init(&entry->token, LB_MAX_STATUS_LIST_BYTES);
    } else if (lb_status_list_seq(list) <= entry->seq) {
        LB_ENSURE(lb_status_list_seq(list) == entry->seq, LB_STATUS_STALE,
                  "an older list than the one held");
        LB_ENSURE(lb_span_eq(token, lb_buf_span(&entry->token)), LB_STATUS_FORK,
                  "same sequence, other list");
        return LB_OK;
    }
    lb_buf_cleanup(&entry->token);
    lb_buf_put(&entry->token, token);
    LB_TRY(lb_buf_check(&entry->token));
    entry->seq = lb_status_list_seq(list);
    entry->order = ++exchange->status_order;
    return LB_OK;
}

lb_status lb_relay_next(struct lb_broker_link *link, struct lb_arena *arena,
                        struct lb_span *out_frame)
{
    struct lb_exchange *exchange = link->exchange;
    const struct status_entry *next = NULL;
    char *token = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    for (size_t i = 0; i < exchange->num_status; i++) {
        const struct status_entry *entry = &exchange->status[i];
        if (entry->order > link->next_status && (next == NULL || entry->order < next->order))
            next = entry;
    }
    if (next != NULL) {
        link->next_status = next->order;
        token = lb_arena_str(arena, lb_buf_span(&next->token));
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    if (next == NULL)
        return LB_OK;
    LB_ENSURE(token != NULL, LB_NO_MEMORY, "arena is full");
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    update.token = token;
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
    frame.status_update = &update;
    return lb_pb_pack(&frame, arena, out_frame);
}

void lb_relay_ack(struct lb_broker_link *link, const Lianban__V1__StatusAck *ack)
{
    struct lb_exchange *exchange = link->exchange;
    int64_t now = lb_clock_monotonic_ms(exchange->options.clock);
    enum lb_code code = LB_INTERNAL;
    if (!lb_code_by_name(ack->code, strlen(ack->code), &code))
        code = LB_INTERNAL;
    (void)pthread_mutex_lock(&exchange->lock);
    size_t index = find_status(exchange, ack->uri);
    if (code == LB_CODE_OK && index < exchange->num_status && link->adapter->link == link)
        link->adapter->acked[index] = ack->seq;
    for (struct relay *relay = exchange->relays; relay != NULL; relay = relay->next) {
        /* A refusal names no list; it can only be about what was sent last. */
        bool about = code != LB_CODE_OK ||
                     (strcmp(relay->uri, ack->uri) == 0 && ack->seq >= relay->seq);
        for (size_t i = 0; i < relay->num_receipts && about; i++) {
            struct receipt *receipt = &relay->receipts[i];
            if (receipt->adapter != link->adapter || receipt->acknowledged)
                continue;
            receipt->acknowledged = true;
            receipt->code = code;
            receipt->seq = ack->seq;
            receipt->millis = now - relay->started_ms;
            relay->num_open--;
        }
    }
    (void)pthread_cond_broadcast(&exchange->changed);
    (void)pthread_mutex_unlock(&exchange->lock);
}

static lb_status open_list(struct lb_exchange *exchange, struct lb_span token,
                           struct lb_arena *arena, struct lb_status_list **out)
{
    const char *organization = NULL, *kid = NULL;
    LB_TRY(lb_status_list_peek(token, arena, &organization, &kid));
    struct lb_directory *directory = lb_trust_directory(exchange->options.trust);
    const struct lb_issuer *issuer = lb_directory_issuer(directory, organization, kid);
    lb_status status = LB_FAULT(LB_ISSUER_UNKNOWN, "issuer is not listed");
    struct lb_status_list *list = NULL;
    if (issuer != NULL)
        status = lb_status_list_open(token, issuer->key, &list);
    if (status == LB_OK && strcmp(lb_status_list_uri(list), issuer->status_uri) != 0)
        status = LB_FAULT(LB_GRANT_MALFORMED, "list under another URI than the directory's");
    lb_directory_unref(directory);
    if (status == LB_OK)
        *out = list;
    else
        lb_status_list_unref(list);
    return status;
}

/* Every adapter of the directory gets a receipt; one without a link is told at once. */
static void list_receipts(struct lb_exchange *exchange, struct relay *relay)
{
    struct lb_directory *directory = lb_trust_directory(exchange->options.trust);
    for (size_t i = 0; i < directory->num_nodes && relay->num_receipts < MAX_RECEIPTS; i++) {
        if (directory->nodes[i].kind != LB_NODE_ADAPTER)
            continue;
        struct adapter *adapter = lb_exchange_adapter(exchange, directory->nodes[i].spiffe);
        if (adapter == NULL)
            continue;
        bool linked = lb_exchange_linked(exchange, adapter->spiffe);
        relay->receipts[relay->num_receipts++] = (struct receipt){
            .adapter = adapter, .acknowledged = !linked, .code = LB_UNAVAILABLE};
        relay->num_open += linked ? 1 : 0;
    }
    lb_directory_unref(directory);
}

/* Under lock: those that have the list already need not say so again. */
static void settle_known(struct lb_exchange *exchange, struct relay *relay)
{
    size_t index = find_status(exchange, relay->uri);
    for (size_t i = 0; i < relay->num_receipts && index < exchange->num_status; i++) {
        struct receipt *receipt = &relay->receipts[i];
        uint64_t known = receipt->adapter->acked[index];
        if (receipt->acknowledged || known < relay->seq)
            continue;
        receipt->acknowledged = true;
        receipt->code = LB_CODE_OK;
        receipt->seq = known;
        relay->num_open--;
    }
}

static void kick_all(struct lb_exchange *exchange, const struct relay *relay)
{
    for (size_t i = 0; i < relay->num_receipts; i++) {
        struct lb_broker_link *link =
            lb_exchange_take_link(exchange, relay->receipts[i].adapter);
        if (link == NULL)
            continue;
        lb_broker_link_kick(link);
        lb_broker_link_unref(link);
    }
}

static void await_receipts(struct lb_exchange *exchange, struct relay *relay, int64_t timeout_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&exchange->lock);
    int waited = 0;
    while (relay->num_open > 0 && !exchange->stopping && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&exchange->changed, &exchange->lock, &until);
    struct relay **at = &exchange->relays;
    while (*at != relay)
        at = &(*at)->next;
    *at = relay->next;
    (void)pthread_mutex_unlock(&exchange->lock);
}

static lb_status write_receipts(const struct relay *relay, struct lb_arena *arena,
                                Lianban__V1__RelayStatusResponse **out)
{
    Lianban__V1__RelayStatusResponse *response = lb_arena_alloc(arena, sizeof(*response));
    LB_ENSURE(response != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__relay_status_response__init(response);
    response->receipts =
        lb_arena_array(arena, relay->num_receipts, sizeof(response->receipts[0]));
    LB_ENSURE(response->receipts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < relay->num_receipts; i++) {
        const struct receipt *receipt = &relay->receipts[i];
        Lianban__V1__StatusReceipt *wire = lb_arena_alloc(arena, sizeof(*wire));
        LB_ENSURE(wire != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__status_receipt__init(wire);
        wire->adapter = receipt->adapter->spiffe;
        wire->code = (char *)(uintptr_t)lb_code_name(
            receipt->acknowledged ? receipt->code : LB_DEADLINE);
        wire->seq = receipt->seq;
        wire->millis = (uint32_t)receipt->millis;
        response->receipts[response->n_receipts++] = wire;
    }
    *out = response;
    return LB_OK;
}

lb_status lb_exchange_relay_status(struct lb_exchange *exchange, struct lb_span token,
                                   int64_t timeout_ms, struct lb_arena *arena,
                                   Lianban__V1__RelayStatusResponse **out)
{
    struct lb_status_list *list = NULL;
    LB_ENSURE(token.len <= LB_MAX_STATUS_LIST_BYTES, LB_TOO_LARGE, "status list is too large");
    LB_TRY(open_list(exchange, token, arena, &list));
    struct relay *relay = calloc(1, sizeof(*relay));
    lb_status status = relay == NULL ? LB_FAULT(LB_NO_MEMORY, "relay") : LB_OK;
    if (status == LB_OK) {
        relay->uri = lb_status_list_uri(list);
        relay->seq = lb_status_list_seq(list);
        relay->started_ms = lb_clock_monotonic_ms(exchange->options.clock);
        list_receipts(exchange, relay);
        (void)pthread_mutex_lock(&exchange->lock);
        relay->next = exchange->relays;
        exchange->relays = relay;
        status = hold_status(exchange, list, token);
        settle_known(exchange, relay);
        (void)pthread_mutex_unlock(&exchange->lock);
        kick_all(exchange, relay);
        await_receipts(exchange, relay, status == LB_OK ? timeout_ms : 0);
    }
    if (status == LB_OK)
        status = write_receipts(relay, arena, out);
    free(relay);
    lb_status_list_unref(list);
    return status;
}
