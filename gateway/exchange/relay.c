#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* Telling every adapter of what ends grants, and who has stopped. An adapter's word alone is
 * nothing: it counts with the entry of its own log, which whoever asked can check as well. */

#define MAX_RECEIPTS 256

struct receipt {
    struct adapter *adapter;
    bool settled;
    enum lb_code code;
    uint64_t seq;
    int64_t millis;
    struct lb_buf ack;   /* the proof, with LB_CODE_OK */
};

struct relay {
    struct relay *next;
    uint8_t sha256[32];  /* of the token */
    const char *uri;     /* of a list; NULL for a withdrawal */
    uint64_t seq;
    int64_t started_ms;
    size_t num_receipts;
    size_t num_open;
    struct receipt receipts[MAX_RECEIPTS];
};

/* --- what an adapter says --- */

/* The entry is about this very token, in the log that the adapter signs. */
static lb_status check_proof(struct lb_broker_link *link, const Lianban__V1__StatusAck *ack)
{
    struct lb_checkpoint checkpoint;
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_TRY(lb_session_watch(&link->session, ack->log, &checkpoint));
    lb_adapter_shown(link->adapter, link->exchange->options.clock, checkpoint.size);
    LB_TRY(lb_link_verify(ack->entry, &checkpoint, &leaf, &hash));
    bool named = strcmp(leaf.code, ack->uri[0] != 0 ? "STATUS_LIST" : "GRANT_WITHDRAWN") == 0;
    LB_ENSURE(leaf.type == LB_LEAF_ADMIN && named && ack->sha256.len == 32 &&
                  memcmp(leaf.request_hash, ack->sha256.data, 32) == 0,
              LB_RECEIPT_INVALID, "the entry is about something else");
    return LB_OK;
}

/* As others will check it: by signature and path, without a history. */
static lb_status pack_proof(const Lianban__V1__StatusAck *ack, struct lb_arena *arena,
                            struct lb_span *out)
{
    Lianban__V1__StatusAck bare = *ack;
    Lianban__V1__LogProgress log = LIANBAN__V1__LOG_PROGRESS__INIT;
    log.checkpoint = ack->log->checkpoint;
    bare.log = &log;
    return lb_pb_pack(&bare, arena, out);
}

/* Under lock. */
static void settle(struct relay *relay, struct receipt *receipt, enum lb_code code, uint64_t seq,
                   struct lb_span proof)
{
    receipt->settled = true;
    receipt->code = code;
    receipt->seq = seq;
    lb_buf_put(&receipt->ack, proof);
    relay->num_open--;
}

/* A newer list of the same issuer says all that an older one did. */
static bool is_about(const struct relay *relay, const Lianban__V1__StatusAck *ack,
                     enum lb_code code)
{
    if (ack->sha256.len == 32 && memcmp(relay->sha256, ack->sha256.data, 32) == 0)
        return true;
    return code == LB_CODE_OK && relay->uri != NULL && strcmp(relay->uri, ack->uri) == 0 &&
           ack->seq >= relay->seq;
}

/* Under lock. */
static void tell_relays(struct lb_broker_link *link, const Lianban__V1__StatusAck *ack,
                        enum lb_code code, struct lb_span proof)
{
    struct lb_exchange *exchange = link->exchange;
    int64_t now = lb_clock_monotonic_ms(exchange->options.clock);
    for (struct relay *relay = exchange->relays; relay != NULL; relay = relay->next) {
        if (!is_about(relay, ack, code))
            continue;
        for (size_t i = 0; i < relay->num_receipts; i++) {
            struct receipt *receipt = &relay->receipts[i];
            if (receipt->adapter != link->adapter || receipt->settled)
                continue;
            receipt->millis = now - relay->started_ms;
            settle(relay, receipt, code, ack->seq, proof);
        }
    }
    (void)pthread_cond_broadcast(&exchange->changed);
}

lb_status lb_relay_ack(struct lb_broker_link *link, const Lianban__V1__StatusAck *ack)
{
    struct lb_exchange *exchange = link->exchange;
    struct lb_span proof = LB_SPAN_EMPTY;
    enum lb_code code = LB_INTERNAL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "acknowledgement");
    if (!lb_code_by_name(ack->code, strlen(ack->code), &code))
        code = LB_INTERNAL;
    if (code == LB_CODE_OK && (ack->log == NULL || ack->entry == NULL)) {
        code = LB_RECEIPT_INVALID; /* it may have stopped; nothing shows it */
    } else if (code == LB_CODE_OK) {
        LB_TRY(check_proof(link, ack));
        LB_TRY(pack_proof(ack, arena, &proof));
    }
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&exchange->lock);
    struct ending *ending =
        ack->sha256.len == 32 ? lb_ending_by_sha256(exchange, ack->sha256.data) : NULL;
    if (code == LB_CODE_OK && ending != NULL && link->adapter->link == link)
        status = lb_ending_prove(ending, link->adapter, proof, false);
    tell_relays(link, ack, code, proof);
    if (link->num_unacknowledged > 0)
        link->num_unacknowledged--;
    (void)pthread_mutex_unlock(&exchange->lock);
    lb_broker_link_kick(link); /* there may be more */
    return status;
}

/* --- asking everybody --- */

static enum lb_code absent_code(struct lb_exchange *exchange, struct adapter *adapter,
                                bool is_list)
{
    struct lb_broker_link *link = lb_exchange_take_link(exchange, adapter);
    if (link == NULL)
        return LB_UNAVAILABLE;
    (void)pthread_mutex_lock(&link->lock);
    bool up = link->session.greeted && !link->detached && !link->over;
    bool able = is_list || link->session.takes_revocations;
    (void)pthread_mutex_unlock(&link->lock);
    lb_broker_link_unref(link);
    if (!up)
        return LB_UNAVAILABLE;
    return able ? LB_CODE_OK : LB_VERSION_UNSUPPORTED;
}

/* Every adapter of the directory gets a receipt; one that can't be told is settled at once. */
static void list_receipts(struct lb_exchange *exchange, struct relay *relay)
{
    struct lb_directory *directory = lb_trust_directory(exchange->options.trust);
    for (size_t i = 0; i < directory->num_nodes && relay->num_receipts < MAX_RECEIPTS; i++) {
        if (directory->nodes[i].kind != LB_NODE_ADAPTER)
            continue;
        struct adapter *adapter = lb_exchange_adapter(exchange, directory->nodes[i].spiffe);
        if (adapter == NULL)
            continue;
        enum lb_code code = absent_code(exchange, adapter, relay->uri != NULL);
        struct receipt *receipt = &relay->receipts[relay->num_receipts++];
        *receipt = (struct receipt){
            .adapter = adapter, .settled = code != LB_CODE_OK, .code = code};
        lb_buf_init(&receipt->ack, LB_MAX_MESSAGE_BYTES);
        relay->num_open += receipt->settled ? 0 : 1;
    }
    lb_directory_unref(directory);
}

/* Under lock: what was proved before need not be said again, even by one that is away now. */
static void settle_proved(struct relay *relay, const struct ending *ending)
{
    for (size_t i = 0; i < relay->num_receipts; i++) {
        struct receipt *receipt = &relay->receipts[i];
        const struct ending_proof *proof = lb_ending_proof_of(ending, receipt->adapter);
        if (proof == NULL || (receipt->settled && ending->uri != NULL))
            continue;
        relay->num_open += receipt->settled ? 1 : 0;
        settle(relay, receipt, LB_CODE_OK, ending->seq, lb_buf_span(&proof->ack));
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
    const struct timespec until = lb_clock_after_ms(timeout_ms);
    (void)pthread_mutex_lock(&exchange->lock);
    int waited = 0;
    while (relay->num_open > 0 && !exchange->drained && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&exchange->changed, &exchange->lock, &until);
    struct relay **at = &exchange->relays;
    while (*at != relay)
        at = &(*at)->next;
    *at = relay->next;
    (void)pthread_mutex_unlock(&exchange->lock);
}

static lb_status write_receipt(const struct receipt *receipt, struct lb_arena *arena,
                               Lianban__V1__StatusReceipt **out)
{
    Lianban__V1__StatusReceipt *wire = lb_arena_alloc(arena, sizeof(*wire));
    LB_ENSURE(wire != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__status_receipt__init(wire);
    wire->adapter = receipt->adapter->spiffe;
    wire->code =
        (char *)(uintptr_t)lb_code_name(receipt->settled ? receipt->code : LB_DEADLINE);
    wire->seq = receipt->seq;
    wire->millis = (uint32_t)receipt->millis;
    if (receipt->settled && receipt->ack.len > 0) {
        Lianban__V1__StatusAck *ack = NULL;
        LB_TRY(lb_buf_check(&receipt->ack));
        LB_TRY(lb_pb_unpack(&lianban__v1__status_ack__descriptor, lb_buf_span(&receipt->ack),
                            arena, &ack));
        wire->log = ack->log;
        wire->entry = ack->entry;
    }
    *out = wire;
    return LB_OK;
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
    for (size_t i = 0; i < relay->num_receipts; i++)
        LB_TRY(write_receipt(&relay->receipts[i], arena,
                             &response->receipts[response->n_receipts++]));
    *out = response;
    return LB_OK;
}

static struct relay *relay_new(struct lb_exchange *exchange, const struct lb_relay_ask *ask)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL)
        return NULL;
    lb_sha256(ask->token, relay->sha256);
    relay->uri = ask->uri;
    relay->seq = ask->seq;
    relay->started_ms = lb_clock_monotonic_ms(exchange->options.clock);
    list_receipts(exchange, relay);
    return relay;
}

static void relay_free(struct relay *relay)
{
    for (size_t i = 0; i < relay->num_receipts; i++)
        lb_buf_cleanup(&relay->receipts[i].ack);
    free(relay);
}

/* In one step with holding it: no acknowledgement comes in between. */
static lb_status hold_and_join(struct lb_exchange *exchange, const struct lb_relay_ask *ask,
                               struct relay *relay, bool *out_new)
{
    struct ending *ending = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    lb_status status =
        ask->uri != NULL
            ? lb_ending_hold_list(exchange, ask->uri, ask->seq, ask->token, &ending, out_new)
            : lb_ending_hold_withdrawal(exchange, ask->grant, ask->token, ask->expires_unix_s,
                                        &ending, out_new);
    if (status == LB_OK) {
        relay->next = exchange->relays;
        exchange->relays = relay;
        settle_proved(relay, ending);
        if (!*out_new && relay->num_open > 0)
            lb_ending_send_again(exchange, ending); /* it may have got lost */
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return status;
}

lb_status lb_relay_run(struct lb_exchange *exchange, const struct lb_relay_ask *ask,
                       struct lb_arena *arena, Lianban__V1__RelayStatusResponse **out)
{
    bool is_new = false;
    struct relay *relay = relay_new(exchange, ask);
    LB_ENSURE(relay != NULL, LB_NO_MEMORY, "relay");
    lb_status status = hold_and_join(exchange, ask, relay, &is_new);
    if (status == LB_OK) {
        kick_all(exchange, relay);
        if (is_new)
            ask->cut(exchange, ask->ended);
        await_receipts(exchange, relay, ask->timeout_ms);
        status = write_receipts(relay, arena, out);
    }
    relay_free(relay);
    return status;
}
