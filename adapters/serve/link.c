#include "adapters/serve/link_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* A broker that sends reads and takes no answers is not served without end. */
#define MAX_UNSENT 8192
/* The largest grant and sealed request, and the rest; what is larger would be refused anyway. */
#define MAX_READ_BYTES (LB_MAX_GRANT_BYTES + LB_MAX_SEALED_BYTES + 16 * 1024)

void lb_outgoing_free(struct outgoing *item)
{
    lb_buf_cleanup(&item->sealed);
    lb_buf_cleanup(&item->leaf);
    free(item->ack);
    free(item);
}

void lb_link_unref(struct lb_adapter_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool last = --link->refs == 0;
    (void)pthread_mutex_unlock(&link->lock);
    if (!last)
        return;
    while (link->first != NULL) {
        struct outgoing *item = link->first;
        link->first = item->next;
        lb_outgoing_free(item);
    }
    lb_link_drop_parcels(link);
    lb_session_cleanup(&link->session);
    (void)pthread_mutex_destroy(&link->lock);
    free(link);
}

void lb_link_hold(struct lb_adapter_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->refs++;
    (void)pthread_mutex_unlock(&link->lock);
}

/* Takes on a read, with a reference. */
static bool take_on(struct lb_adapter_link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    bool room = link->num_unsent < MAX_UNSENT;
    if (room) {
        link->num_unsent++;
        link->refs++;
    }
    (void)pthread_mutex_unlock(&link->lock);
    return room;
}

/* `more` of them come at once, so it is not said yet that there is something to be sent. */
static void enqueue(struct lb_adapter_link *link, struct outgoing *item, bool more)
{
    (void)pthread_mutex_lock(&link->lock);
    bool closed = link->closed;
    if (!closed) {
        item->next = NULL;
        *link->last = item;
        link->last = &item->next;
        if (!more)
            link->options.port.kick(link->options.port.ctx);
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (closed)
        lb_outgoing_free(item);
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

lb_status lb_adapter_link_new(const struct lb_adapter_link_options *options,
                              struct lb_adapter_link **out_link)
{
    LB_ENSURE(lb_serve_policy_broker(options->policy, options->broker), LB_ROLE_NOT_ALLOWED,
              "policy does not name this broker");
    struct lb_directory *directory = lb_trust_directory(options->trust);
    const struct lb_node *node = lb_directory_node(directory, options->broker);
    struct lb_adapter_link *link = calloc(1, sizeof(*link));
    lb_status status = LB_OK;
    if (link == NULL)
        status = LB_FAULT(LB_NO_MEMORY, "link");
    else if (node == NULL || node->kind != LB_NODE_BROKER || node->log_origin == NULL)
        status = LB_FAULT(LB_ROLE_NOT_ALLOWED, "directory lists no such broker");
    else
        status = check_recoveries(options->seen, node);
    if (status == LB_OK)
        status = lb_session_init(&link->session, options->log, node->log_origin, node->log_key,
                                 options->seen);
    lb_directory_unref(directory);
    if (status != LB_OK) {
        free(link);
        return status;
    }
    link->options = *options;
    link->options.broker = NULL; /* borrowed for this call only */
    (void)snprintf(link->broker, sizeof(link->broker), "%s", options->broker);
    link->refs = 1;
    link->last = &link->first;
    link->last_parcel = &link->first_parcel;
    (void)pthread_mutex_init(&link->lock, NULL);
    *out_link = link;
    return LB_OK;
}

/* Without memory an answer is lost on the way; its entry stands, and the requester may retry. */
static void lose(struct lb_adapter_link *link, struct outgoing *item)
{
    lb_log_failure("answer_lost", LB_FAULT(LB_NO_MEMORY, "answer"));
    (void)pthread_mutex_lock(&link->lock);
    link->num_unsent--;
    /* It may have been the last of several. */
    if (!link->closed)
        link->options.port.kick(link->options.port.ctx);
    (void)pthread_mutex_unlock(&link->lock);
    if (item != NULL)
        lb_outgoing_free(item);
}

static void answered(void *ctx, const struct lb_serve_answer *answer)
{
    struct lb_adapter_link *link = ctx;
    struct outgoing *item = calloc(1, sizeof(*item));
    if (item != NULL) {
        memcpy(item->txn, answer->txn, sizeof(item->txn));
        item->code = answer->code;
        item->recorded = answer->recorded;
        item->index = answer->index;
        lb_buf_init(&item->sealed, LB_MAX_SEALED_BYTES);
        lb_buf_init(&item->leaf, LB_MAX_LEAF_BYTES);
        lb_buf_put(&item->sealed, answer->sealed);
        lb_buf_put(&item->leaf, answer->leaf);
    }
    /* Half an answer would look like a lie; none is late. */
    if (item != NULL && !item->sealed.failed && !item->leaf.failed)
        enqueue(link, item, answer->more);
    else
        lose(link, item);
    lb_link_unref(link);
}

lb_status lb_adapter_check_route(const Lianban__V1__RoutedRead *read,
                                 const struct lb_checkpoint *checkpoint,
                                 struct lb_serve_route *out_route)
{
    struct lb_leaf leaf;
    struct lb_serve_route route;
    LB_ENSURE(read->request != NULL && read->route != NULL && read->request->sealed != NULL,
              LB_MALFORMED, "a read without its parts");
    LB_ENSURE(read->request->txn.len == 16, LB_MALFORMED, "txn is not 16 bytes");
    LB_TRY(lb_link_verify(read->route, checkpoint, &leaf, &route.leaf));
    lb_sha256(lb_pb_span(read->request->sealed->ciphertext), route.request_sha256);
    LB_ENSURE(leaf.type == LB_LEAF_ROUTE &&
                  memcmp(leaf.txn, read->request->txn.data, sizeof(leaf.txn)) == 0 &&
                  memcmp(leaf.request_hash, route.request_sha256,
                         sizeof(route.request_sha256)) == 0,
              LB_RECEIPT_INVALID, "the route entry is about another request");
    *out_route = route;
    return LB_OK;
}

/* What can't be taken on is refused at once; nothing was looked at, so there is no entry. The
 * broker believes that of no other code. */
static void refuse(struct lb_adapter_link *link, const uint8_t *txn, lb_status reason)
{
    struct outgoing *item = calloc(1, sizeof(*item));
    if (item == NULL) {
        lose(link, NULL);
        return;
    }
    memcpy(item->txn, txn, sizeof(item->txn));
    item->code = reason->code == LB_STOPPING ? LB_STOPPING : LB_BUSY;
    enqueue(link, item, false);
}

static lb_status take_read(struct lb_adapter_link *link, const Lianban__V1__RoutedRead *read,
                           const struct lb_checkpoint *checkpoint, struct lb_serve_batch *batch)
{
    struct lb_serve_route route;
    LB_TRY(lb_adapter_check_route(read, checkpoint, &route));
    LB_ENSURE(protobuf_c_message_get_packed_size(&read->request->base) <= MAX_READ_BYTES,
              LB_TOO_LARGE, "a read that no broker should pass on");
    LB_ENSURE(take_on(link), LB_BUSY, "the broker takes no answers");
    lb_status status =
        lb_serve_add(link->options.serve, read->request, &route, answered, link, batch);
    if (status != LB_OK) {
        refuse(link, read->request->txn.data, status);
        lb_link_unref(link);
    }
    return LB_OK;
}

/* What was taken on before a read that no broker sends is answered all the same. */
static lb_status take_batch(struct lb_adapter_link *link, const Lianban__V1__Batch *batch)
{
    struct lb_checkpoint checkpoint;
    struct lb_serve_batch reads;
    lb_status status = LB_OK;
    LB_ENSURE(batch->n_reads <= LB_MAX_ITEMS_PER_BATCH && batch->n_answers == 0, LB_MALFORMED,
              "batch has the wrong items");
    LB_TRY(lb_session_watch(&link->session, batch->log, &checkpoint));
    lb_serve_batch_init(&reads);
    for (size_t i = 0; i < batch->n_reads && status == LB_OK; i++)
        status = take_read(link, batch->reads[i], &checkpoint, &reads);
    lb_serve_submit_all(link->options.serve, &reads);
    return status;
}

/* What ends grants touches the store, so it is taken in on a worker. */
struct ending_job {
    struct lb_job job;
    struct lb_adapter_link *link;
    bool is_revocation;
    struct lb_buf token;
    struct lb_buf grant;      /* of a revocation */
};

static void free_ending(struct ending_job *job)
{
    lb_buf_cleanup(&job->token);
    lb_buf_cleanup(&job->grant);
    free(job);
}

static lb_status take_in(const struct ending_job *job, struct lb_serve_ack *ack)
{
    struct lb_serve *serve = job->link->options.serve;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    if (job->is_revocation)
        return lb_serve_withdraw(serve, lb_buf_span(&job->grant), lb_buf_span(&job->token), arena,
                                 ack);
    return lb_serve_status_update(serve, lb_buf_span(&job->token), arena, ack);
}

static void run_ending(struct lb_job *base)
{
    struct ending_job *job = (struct ending_job *)base;
    struct lb_adapter_link *link = job->link;
    struct outgoing *item = calloc(1, sizeof(*item));
    struct lb_serve_ack *ack = calloc(1, sizeof(*ack));
    if (item != NULL && ack != NULL) {
        lb_status status = take_in(job, ack);
        item->code = lb_code_outer(lb_status_code(status));
        item->ack = ack;
        enqueue(link, item, false);
    } else {
        free(item);
        free(ack);
    }
    free_ending(job);
    lb_link_unref(link);
}

static lb_status queue_ending(struct lb_adapter_link *link, const char *token, const char *grant)
{
    struct ending_job *job = calloc(1, sizeof(*job));
    LB_ENSURE(job != NULL, LB_NO_MEMORY, "ending");
    job->job.run = run_ending;
    job->link = link;
    job->is_revocation = grant != NULL;
    lb_buf_init(&job->token, LB_MAX_STATUS_LIST_BYTES);
    lb_buf_init(&job->grant, LB_MAX_GRANT_BYTES);
    lb_buf_put_str(&job->token, token);
    lb_buf_put_str(&job->grant, grant != NULL ? grant : "");
    lb_link_hold(link);
    lb_status status = lb_buf_check(&job->token);
    if (status == LB_OK)
        status = lb_buf_check(&job->grant);
    if (status == LB_OK)
        status = lb_workers_submit(link->options.workers, &job->job);
    if (status != LB_OK) {
        free_ending(job);
        lb_link_unref(link);
    }
    return status;
}

static lb_status take_hello(struct lb_adapter_link *link, const Lianban__V1__Hello *hello)
{
    LB_TRY(lb_session_greet(&link->session, hello));
    (void)pthread_mutex_lock(&link->lock);
    link->show_log = true;
    link->options.port.kick(link->options.port.ctx);
    (void)pthread_mutex_unlock(&link->lock);
    if (link->session.takes_parcels)
        lb_intake_join(lb_serve_intake(link->options.serve), link);
    return LB_OK;
}

lb_status lb_adapter_link_receive(struct lb_adapter_link *link, struct lb_span bytes)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "frame");
    Lianban__V1__Frame *frame = NULL;
    LB_TRY(lb_trust_need_log(link->options.trust, link->broker,
                             lb_seen_origin(link->session.seen)));
    LB_TRY(lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, arena, &frame));
    switch (frame->body_case) {
    case LIANBAN__V1__FRAME__BODY_HELLO:
        return take_hello(link, frame->hello);
    case LIANBAN__V1__FRAME__BODY_BATCH:
        return take_batch(link, frame->batch);
    case LIANBAN__V1__FRAME__BODY_STATUS_UPDATE:
        LB_ENSURE(link->session.greeted, LB_MALFORMED, "no greeting");
        return queue_ending(link, frame->status_update->token, NULL);
    case LIANBAN__V1__FRAME__BODY_REVOCATION:
        LB_ENSURE(link->session.greeted, LB_MALFORMED, "no greeting");
        return queue_ending(link, frame->revocation->token, frame->revocation->grant);
    case LIANBAN__V1__FRAME__BODY_PARCELS:
        return lb_link_take_parcels(link, frame->parcels, bytes);
    default:
        LB_FAIL(LB_VERSION_UNSUPPORTED, "unknown frame");
    }
}

void lb_adapter_link_close(struct lb_adapter_link *link)
{
    lb_intake_leave(lb_serve_intake(link->options.serve), link);
    (void)pthread_mutex_lock(&link->lock);
    link->closed = true;
    (void)pthread_mutex_unlock(&link->lock);
    lb_link_unref(link);
}
