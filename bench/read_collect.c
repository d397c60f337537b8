#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/call.h"
#include "bench/read_work.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/trust/directory.h"
#include "lianban/v1/broker.pb-c.h"

#define MAX_FAILURE_BYTES 160
#define MAX_LOGS 2

struct through {
    grpc_completion_queue *queue;
    struct lb_bench_pool *pool;
    struct lb_bench_route route;
    struct lb_watch watches[MAX_LOGS]; /* the adapter's, the broker's */
    struct lb_checkpoint_memo *memo;
    size_t next;
};

struct lane {
    struct through *through;
    struct lb_bench_lane *lane;
    struct lb_bench_call call;
    struct lb_arena *arena;
    struct lb_bench_read *read;
    lb_status status;
    bool answered;
};

static void need(lb_status status, const char *what)
{
    if (status != LB_OK)
        lb_bench_die("%s: %s", what, status->what);
}

/* One side's entry about the read: it is in its log as that log's key has signed it. */
static lb_status check_entry(const struct lane *own, const struct lb_checkpoint *checkpoint,
                             const Lianban__V1__EntryProof *entry, struct lb_span sealed,
                             enum lb_leaf_type type, struct lb_hash *out_peer,
                             struct lb_hash *out_hash)
{
    struct lb_leaf leaf;
    LB_ENSURE(entry != NULL, LB_RECEIPT_INVALID, "an entry is missing");
    LB_TRY(lb_link_verify(entry, checkpoint, &leaf, out_hash));
    LB_ENSURE(leaf.type == type, LB_RECEIPT_INVALID, "an entry of another kind");
    memcpy(out_peer->bytes, leaf.peer_leaf, sizeof(out_peer->bytes));
    if (type == LB_LEAF_ROUTE) /* there was no answer yet */
        lb_sha256(sealed, leaf.answer_hash);
    return lb_bench_leaf_check(own->read, &leaf, sealed);
}

static lb_status check_event(const struct lane *own, const Lianban__V1__CollectEvent *event)
{
    struct through *through = own->through;
    struct lb_span sealed = lb_pb_span(event->sealed);
    struct lb_checkpoint adapter, broker;
    struct lb_hash peer, read, route, deliver, ignored;
    LB_ENSURE(strcmp(event->code, "ANSWERED") == 0, LB_MALFORMED, "a read was refused");
    LB_ENSURE(event->adapter_log != NULL && event->broker_log != NULL, LB_RECEIPT_INVALID,
              "a log is missing");
    LB_TRY(lb_watch_check(&through->watches[0], event->adapter_log, &adapter));
    LB_TRY(lb_watch_check(&through->watches[1], event->broker_log, &broker));
    LB_TRY(check_entry(own, &adapter, event->adapter_entry, sealed, LB_LEAF_READ, &peer, &read));
    LB_TRY(check_entry(own, &broker, event->route, sealed, LB_LEAF_ROUTE, &ignored, &route));
    LB_ENSURE(memcmp(peer.bytes, route.bytes, sizeof(peer.bytes)) == 0, LB_RECEIPT_INVALID,
              "the adapter's entry is not linked to the broker's");
    LB_TRY(check_entry(own, &broker, event->deliver, sealed, LB_LEAF_DELIVER, &peer, &deliver));
    LB_ENSURE(memcmp(peer.bytes, read.bytes, sizeof(peer.bytes)) == 0, LB_RECEIPT_INVALID,
              "the broker's entry is not linked to the adapter's");
    return lb_bench_answer_check(through->pool, own->read, sealed);
}

static void on_message(void *self, struct lb_span bytes)
{
    struct lane *own = self;
    Lianban__V1__CollectEvent *event = NULL;
    own->status = lb_pb_unpack(&lianban__v1__collect_event__descriptor, bytes, own->arena, &event);
    if (own->status == LB_OK)
        own->status = check_event(own, event);
    own->answered = true;
}

static void on_closed(void *self, grpc_status_code code, struct lb_span details)
{
    struct lane *own = self;
    char failure[MAX_FAILURE_BYTES];
    bool well = code == GRPC_STATUS_OK && own->answered && own->status == LB_OK;
    (void)snprintf(failure, sizeof(failure), "%s: %.*s",
                   own->status == LB_OK ? "refused" : own->status->what, (int)details.len,
                   (const char *)details.ptr);
    lb_bench_lane_done(own->lane, well ? NULL : failure);
}

static void *make_lane(void *ctx, struct lb_bench_lane *lane)
{
    struct lane *own = calloc(1, sizeof(*own));
    if (own == NULL)
        lb_bench_die("out of memory");
    own->through = ctx;
    own->lane = lane;
    own->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    if (own->arena == NULL)
        lb_bench_die("out of memory");
    lb_bench_call_init(&own->call, own->through->queue, own, on_message, on_closed);
    own->call.metadata_key = "lianban-operator";
    own->call.metadata_value = own->through->pool->token;
    return own;
}

static bool begin(void *work)
{
    struct lane *own = work;
    struct through *through = own->through;
    const struct lb_section *section = &through->pool->plan->section;
    Lianban__V1__CollectRequest request = LIANBAN__V1__COLLECT_REQUEST__INIT;
    Lianban__V1__ReadRequest *reads[1];
    struct lb_span bytes = LB_SPAN_EMPTY;
    if (through->next == through->pool->num)
        return false;
    lb_arena_reset(own->arena);
    own->read = &through->pool->reads[through->next++];
    own->answered = false;
    own->status = LB_OK;
    reads[0] = &own->read->request;
    request.form = (char *)(uintptr_t)section->form;
    request.form_version = section->form_version;
    request.form_sha256 = lb_pb_bytes(lb_span_of(section->form_sha256, 32));
    request.reads = reads;
    request.n_reads = 1;
    need(lb_pb_pack(&request, own->arena, &bytes), "request");
    lb_bench_call_start(&own->call, &through->route, bytes);
    return true;
}

struct lb_bench_work lb_bench_collect_work(grpc_completion_queue *queue, grpc_channel *channel,
                                           struct lb_bench_pool *pool)
{
    const struct lb_bench_plan *plan = pool->plan;
    struct through *through = calloc(1, sizeof(*through));
    uint8_t broker_key[LB_P256_PUBLIC_BYTES];
    if (through == NULL)
        lb_bench_die("out of memory");
    (void)lb_sign_key_public(plan->broker_key, broker_key);
    through->queue = queue;
    through->pool = pool;
    through->route = lb_bench_route_to(channel, "/lianban.v1.Broker/Collect", true);
    need(lb_watch_init(&through->watches[0], lb_spiffe_log_origin(plan->adapter),
                       plan->adapter_log_key, 0, NULL), "the adapter's log");
    need(lb_watch_init(&through->watches[1], lb_spiffe_log_origin(plan->broker), broker_key, 0,
                       NULL), "the broker's log");
    need(lb_checkpoint_memo_new(&through->memo), "memo");
    through->watches[0].memo = through->watches[1].memo = through->memo;
    return (struct lb_bench_work){.ctx = through, .lane = make_lane, .begin = begin};
}
