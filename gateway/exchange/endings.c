#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* What ends grants, held for links that come later. A list is replaced by the next of its issuer; a
 * withdrawal stays until its grant is over. */

#define MAX_LISTS 16
#define MAX_WITHDRAWALS 1024
#define MAX_UNACKNOWLEDGED 2
/* A checkpoint, a leaf, a path, and room for their frame. */
#define MAX_PROOF_BYTES (16U * 1024)

static void drop_proofs(struct ending *ending)
{
    while (ending->proofs != NULL) {
        struct ending_proof *proof = ending->proofs;
        ending->proofs = proof->next;
        lb_buf_cleanup(&proof->ack);
        free(proof);
    }
}

static void free_ending(struct ending *ending)
{
    drop_proofs(ending);
    lb_buf_cleanup(&ending->token);
    lb_buf_cleanup(&ending->grant);
    free(ending->uri);
    free(ending);
}

void lb_ending_free_all(struct lb_exchange *exchange)
{
    while (exchange->endings != NULL) {
        struct ending *ending = exchange->endings;
        exchange->endings = ending->next;
        free_ending(ending);
    }
}

struct ending *lb_ending_by_sha256(struct lb_exchange *exchange, const uint8_t sha256[32])
{
    struct ending *ending = exchange->endings;
    while (ending != NULL && memcmp(ending->sha256, sha256, 32) != 0)
        ending = ending->next;
    return ending;
}

static size_t count(const struct lb_exchange *exchange, bool lists)
{
    size_t num = 0;
    for (const struct ending *e = exchange->endings; e != NULL; e = e->next)
        num += (e->uri != NULL) == lists ? 1 : 0;
    return num;
}

static lb_status add(struct lb_exchange *exchange, struct lb_span token, struct ending **out)
{
    struct ending *ending = calloc(1, sizeof(*ending));
    LB_ENSURE(ending != NULL, LB_NO_MEMORY, "ending");
    lb_buf_init(&ending->token, LB_MAX_STATUS_LIST_BYTES);
    lb_buf_init(&ending->grant, LB_MAX_GRANT_BYTES);
    lb_buf_put(&ending->token, token);
    lb_status status = lb_buf_check(&ending->token);
    if (status != LB_OK) {
        free_ending(ending);
        return status;
    }
    lb_sha256(token, ending->sha256);
    ending->order = ++exchange->last_order;
    ending->next = exchange->endings;
    exchange->endings = ending;
    *out = ending;
    return LB_OK;
}

/* --- lists --- */

static struct ending *list_of(struct lb_exchange *exchange, const char *uri)
{
    struct ending *ending = exchange->endings;
    while (ending != NULL && (ending->uri == NULL || strcmp(ending->uri, uri) != 0))
        ending = ending->next;
    return ending;
}

static lb_status replace(struct lb_exchange *exchange, struct ending *ending, uint64_t seq,
                         struct lb_span token)
{
    struct lb_buf fresh;
    lb_buf_init(&fresh, LB_MAX_STATUS_LIST_BYTES);
    lb_buf_put(&fresh, token);
    lb_status status = lb_buf_check(&fresh);
    if (status != LB_OK) {
        lb_buf_cleanup(&fresh);
        return status;
    }
    drop_proofs(ending);
    lb_buf_cleanup(&ending->token);
    ending->token = fresh;
    ending->seq = seq;
    lb_sha256(token, ending->sha256);
    ending->order = ++exchange->last_order;
    return LB_OK;
}

static lb_status add_list(struct lb_exchange *exchange, const char *uri, uint64_t seq,
                          struct lb_span token, struct ending **out)
{
    LB_ENSURE(count(exchange, true) < MAX_LISTS, LB_TOO_LARGE, "too many status lists");
    char *name = strdup(uri);
    LB_ENSURE(name != NULL, LB_NO_MEMORY, "status list");
    struct ending *ending = NULL;
    lb_status status = add(exchange, token, &ending);
    if (status != LB_OK) {
        free(name);
        return status;
    }
    ending->uri = name;
    ending->seq = seq;
    *out = ending;
    return LB_OK;
}

lb_status lb_ending_hold_list(struct lb_exchange *exchange, const char *uri, uint64_t seq,
                              struct lb_span token, struct ending **out_ending, bool *out_new)
{
    struct ending *known = list_of(exchange, uri);
    *out_new = known == NULL || seq > known->seq;
    if (known == NULL)
        return add_list(exchange, uri, seq, token, out_ending);
    if (*out_new)
        LB_TRY(replace(exchange, known, seq, token));
    LB_ENSURE(seq == known->seq, LB_STATUS_STALE, "an older list than the one held");
    LB_ENSURE(lb_span_eq(token, lb_buf_span(&known->token)), LB_STATUS_FORK,
              "same sequence, other list");
    *out_ending = known;
    return LB_OK;
}

/* --- withdrawals --- */

lb_status lb_ending_hold_withdrawal(struct lb_exchange *exchange, struct lb_span grant,
                                    struct lb_span token, int64_t expires_unix_s,
                                    struct ending **out_ending, bool *out_new)
{
    uint8_t sha256[32];
    lb_sha256(token, sha256);
    struct ending *known = lb_ending_by_sha256(exchange, sha256);
    *out_new = known == NULL;
    if (known == NULL) {
        LB_TRY(add(exchange, token, &known));
        lb_buf_put(&known->grant, grant);
        known->expires_unix_s = expires_unix_s;
    }
    *out_ending = known;
    return LB_OK;
}

bool lb_ending_has_room(const struct lb_exchange *exchange)
{
    return count(exchange, false) < MAX_WITHDRAWALS;
}

void lb_ending_purge(struct lb_exchange *exchange, int64_t now_unix_s)
{
    struct ending **at = &exchange->endings;
    while (*at != NULL) {
        struct ending *ending = *at;
        if (ending->uri == NULL && ending->expires_unix_s <= now_unix_s) {
            *at = ending->next;
            free_ending(ending);
        } else {
            at = &ending->next;
        }
    }
}

/* --- proofs --- */

struct ending_proof *lb_ending_proof_of(const struct ending *ending,
                                        const struct adapter *adapter)
{
    struct ending_proof *proof = ending->proofs;
    while (proof != NULL && proof->adapter != adapter)
        proof = proof->next;
    return proof;
}

lb_status lb_ending_prove(struct ending *ending, struct adapter *adapter, struct lb_span ack,
                          bool kept)
{
    struct ending_proof *proof = lb_ending_proof_of(ending, adapter);
    if (proof == NULL) {
        proof = calloc(1, sizeof(*proof));
        LB_ENSURE(proof != NULL, LB_NO_MEMORY, "proof");
        proof->adapter = adapter;
        proof->next = ending->proofs;
        ending->proofs = proof;
    }
    lb_buf_cleanup(&proof->ack);
    lb_buf_init(&proof->ack, MAX_PROOF_BYTES);
    lb_buf_put(&proof->ack, ack);
    proof->kept = kept;
    return lb_buf_check(&proof->ack);
}

void lb_ending_send_again(struct lb_exchange *exchange, struct ending *ending)
{
    ending->order = ++exchange->last_order;
    for (struct adapter *adapter = exchange->adapters; adapter != NULL; adapter = adapter->next) {
        if (adapter->link != NULL)
            adapter->link->num_unacknowledged = 0;
    }
}

void lb_ending_forget_lists(struct lb_exchange *exchange, const struct adapter *adapter)
{
    for (struct ending *ending = exchange->endings; ending != NULL; ending = ending->next) {
        struct ending_proof **at = &ending->proofs;
        while (ending->uri != NULL && *at != NULL && (*at)->adapter != adapter)
            at = &(*at)->next;
        if (ending->uri == NULL || *at == NULL)
            continue;
        struct ending_proof *proof = *at;
        *at = proof->next;
        lb_buf_cleanup(&proof->ack);
        free(proof);
    }
}

/* --- sending --- */

/* Under lock: the oldest that this link has not been sent and still needs. An adapter gets them one
 * by one as it takes them in; of many lists in a row only the newest matters. */
static struct ending *next_for(struct lb_broker_link *link)
{
    struct ending *next = NULL;
    if (link->num_unacknowledged >= MAX_UNACKNOWLEDGED)
        return NULL;
    for (struct ending *e = link->exchange->endings; e != NULL; e = e->next) {
        bool needs = (e->uri != NULL || link->session.takes_revocations) &&
                     lb_ending_proof_of(e, link->adapter) == NULL;
        if (needs && e->order > link->last_ending && (next == NULL || e->order < next->order))
            next = e;
    }
    return next;
}

static lb_status pack(bool is_list, char *token, char *grant, struct lb_arena *arena,
                      struct lb_span *out)
{
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    Lianban__V1__Revocation revocation = LIANBAN__V1__REVOCATION__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    if (is_list) {
        update.token = token;
        frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
        frame.status_update = &update;
    } else {
        revocation.token = token;
        revocation.grant = grant;
        frame.body_case = LIANBAN__V1__FRAME__BODY_REVOCATION;
        frame.revocation = &revocation;
    }
    return lb_pb_pack(&frame, arena, out);
}

lb_status lb_ending_next(struct lb_broker_link *link, struct lb_arena *arena,
                         struct lb_span *out_frame)
{
    struct lb_exchange *exchange = link->exchange;
    char *token = NULL, *grant = NULL;
    bool is_list = false;
    (void)pthread_mutex_lock(&exchange->lock);
    struct ending *next = next_for(link);
    if (next != NULL) {
        link->last_ending = next->order;
        link->num_unacknowledged++;
        is_list = next->uri != NULL;
        token = lb_arena_str(arena, lb_buf_span(&next->token));
        grant = lb_arena_str(arena, lb_buf_span(&next->grant));
    }
    link->settled = link->settled || (next == NULL && link->num_unacknowledged == 0);
    (void)pthread_mutex_unlock(&exchange->lock);
    if (next == NULL)
        return LB_OK;
    LB_ENSURE(token != NULL && grant != NULL, LB_NO_MEMORY, "arena is full");
    return pack(is_list, token, grant, arena, out_frame);
}

bool lb_ending_settled(struct lb_broker_link *link)
{
    (void)pthread_mutex_lock(&link->exchange->lock);
    bool settled = link->settled;
    (void)pthread_mutex_unlock(&link->exchange->lock);
    return settled;
}
