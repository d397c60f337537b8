#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/read_work.h"
#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/evidence/session.h"
#include "gateway/exchange/outbox.h"
#include "gateway/trust/directory.h"
#include "lianban/v1/link.pb-c.h"

/* As a broker sends: gateway/exchange/link_send.c. */
#define MAX_FRAME_READS 64
#define MAX_FRAME_BYTES (512U * 1024)
#define ENTRIES_AT_ONCE 256

struct lb_bench_link {
    struct lb_bench_tag begun, received, written, ended;
    grpc_completion_queue *queue;
    struct lb_bench_pool *pool;
    struct lb_log *log;
    struct lb_seen *seen;
    struct lb_session session;
    struct lb_arena *out_arena, *in_arena;
    grpc_call *call;
    grpc_byte_buffer *incoming, *outgoing;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice details;
    const char *status_token;
    bool hello_sent, log_shown, status_sent, status_taken;
    bool handling;                   /* a message that came; what it frees goes out together */
    struct lb_bench_read **waiting;  /* a ring as large as the pool, which never wraps */
    size_t first_waiting, num_waiting, next;
};

static void need(lb_status status, const char *what)
{
    if (status != LB_OK)
        lb_bench_die("%s: %s", what, status->what);
}

/* --- out --- */

static struct lb_span pack(struct lb_bench_link *link, Lianban__V1__Frame *frame)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    need(lb_pb_pack(frame, link->out_arena, &bytes), "frame");
    return bytes;
}

static Lianban__V1__RoutedRead *route(struct lb_bench_link *link, struct lb_bench_read *read,
                                      uint64_t size)
{
    Lianban__V1__RoutedRead *routed = lb_arena_alloc(link->out_arena, sizeof(*routed));
    if (routed == NULL)
        lb_bench_die("out of memory");
    lianban__v1__routed_read__init(routed);
    routed->request = &read->request;
    need(lb_link_prove(link->log, read->route, read->route_leaf, size, link->out_arena,
                       &routed->route), "proof");
    return routed;
}

static struct lb_span next_batch(struct lb_bench_link *link)
{
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__RoutedRead *reads[MAX_FRAME_READS];
    uint64_t size = 0;
    size_t bytes = 0;
    need(lb_session_show(&link->session, link->out_arena, &batch.log, &size), "log");
    batch.reads = reads;
    while (link->first_waiting < link->num_waiting && batch.n_reads < MAX_FRAME_READS &&
           bytes < MAX_FRAME_BYTES) {
        struct lb_bench_read *read = link->waiting[link->first_waiting++];
        bytes += read->sealed.ciphertext.len + strlen(read->request.grant);
        reads[batch.n_reads++] = route(link, read, size);
    }
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    return pack(link, &frame);
}

static struct lb_span status_update(struct lb_bench_link *link)
{
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    update.token = (char *)(uintptr_t)link->status_token;
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
    frame.status_update = &update;
    return pack(link, &frame);
}

static struct lb_span next_frame(struct lb_bench_link *link)
{
    struct lb_span hello = LB_SPAN_EMPTY;
    lb_arena_reset(link->out_arena);
    if (!link->hello_sent) {
        link->hello_sent = true;
        need(lb_session_hello(&link->session, link->out_arena, &hello), "greeting");
        return hello;
    }
    if (!link->session.greeted)
        return LB_SPAN_EMPTY;
    if (link->log_shown && !link->status_sent) {
        link->status_sent = true;
        return status_update(link);
    }
    if (link->log_shown && link->first_waiting == link->num_waiting)
        return LB_SPAN_EMPTY;
    link->log_shown = true;
    return next_batch(link);
}

static void write_next(struct lb_bench_link *link)
{
    if (link->outgoing != NULL || link->handling)
        return;
    struct lb_span frame = next_frame(link);
    if (frame.len == 0)
        return;
    grpc_slice bytes = grpc_slice_from_copied_buffer((const char *)frame.ptr, frame.len);
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    link->outgoing = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    op.data.send_message.send_message = link->outgoing;
    GPR_ASSERT(grpc_call_start_batch(link->call, &op, 1, &link->written, NULL) == GRPC_CALL_OK);
}

static void on_written(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_link *link = LB_BENCH_OWNER(tag, struct lb_bench_link, written);
    grpc_byte_buffer_destroy(link->outgoing);
    link->outgoing = NULL;
    if (ok)
        write_next(link);
}

/* --- in --- */

static lb_status check_answer(struct lb_bench_link *link, const struct lb_bench_read *read,
                              const Lianban__V1__ReadAnswer *answer,
                              const struct lb_checkpoint *checkpoint)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_ENSURE(answer->entry != NULL, LB_RECEIPT_INVALID, "an answer without an entry");
    LB_TRY(lb_link_verify(answer->entry, checkpoint, &leaf, &hash));
    LB_ENSURE(leaf.type == LB_LEAF_READ, LB_RECEIPT_INVALID, "the entry is no read");
    LB_TRY(lb_bench_leaf_check(read, &leaf, lb_pb_span(answer->sealed)));
    return lb_bench_answer_check(link->pool, read, lb_pb_span(answer->sealed));
}

static void take_answers(struct lb_bench_link *link, const Lianban__V1__Batch *batch)
{
    struct lb_checkpoint checkpoint;
    need(lb_session_watch(&link->session, batch->log, &checkpoint), "the adapter's log");
    for (size_t i = 0; i < batch->n_answers; i++) {
        const Lianban__V1__ReadAnswer *answer = batch->answers[i];
        struct lb_bench_read *read = lb_bench_pool_find(link->pool, lb_pb_span(answer->txn));
        if (read == NULL || read->owner == NULL)
            lb_bench_die("an answer to nothing");
        struct lb_bench_lane *lane = read->owner;
        bool answered = strcmp(answer->code, "ANSWERED") == 0;
        lb_status status =
            answered ? check_answer(link, read, answer, &checkpoint) : LB_OK;
        read->owner = NULL;
        lb_bench_lane_done(lane, !answered ? answer->code
                                           : status == LB_OK ? NULL : status->what);
    }
}

/* It shows the adapter's log as an answer does, and the next one goes on from there. */
static void take_status_ack(struct lb_bench_link *link, const Lianban__V1__StatusAck *ack)
{
    struct lb_checkpoint checkpoint;
    if (strcmp(ack->code, "OK") != 0)
        lb_bench_die("the status list was refused: %s", ack->code);
    need(lb_session_watch(&link->session, ack->log, &checkpoint), "the adapter's log");
    link->status_taken = true;
}

static void take_frame(struct lb_bench_link *link, struct lb_span bytes)
{
    Lianban__V1__Frame *frame = NULL;
    lb_arena_reset(link->in_arena);
    need(lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, link->in_arena, &frame), "frame");
    link->handling = true;
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_HELLO)
        need(lb_session_greet(&link->session, frame->hello), "greeting");
    else if (frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH)
        take_answers(link, frame->batch);
    else if (frame->body_case == LIANBAN__V1__FRAME__BODY_STATUS_ACK)
        take_status_ack(link, frame->status_ack);
    link->handling = false;
}

static void receive(struct lb_bench_link *link)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &link->incoming;
    GPR_ASSERT(grpc_call_start_batch(link->call, &op, 1, &link->received, NULL) == GRPC_CALL_OK);
}

static void on_received(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_link *link = LB_BENCH_OWNER(tag, struct lb_bench_link, received);
    grpc_byte_buffer_reader reader;
    if (!ok || link->incoming == NULL)
        return; /* its status tells why */
    GPR_ASSERT(grpc_byte_buffer_reader_init(&reader, link->incoming));
    grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(link->incoming);
    take_frame(link, lb_span_of(GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes)));
    grpc_slice_unref(bytes);
    write_next(link);
    receive(link);
}

static void on_ended(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_link *link = LB_BENCH_OWNER(tag, struct lb_bench_link, ended);
    (void)ok;
    lb_bench_die("the link ended: %.*s", (int)GRPC_SLICE_LENGTH(link->details),
                 (const char *)GRPC_SLICE_START_PTR(link->details));
}

/* --- open, close --- */

static void on_begun(struct lb_bench_tag *tag, bool ok)
{
    (void)tag;
    (void)ok; /* its status tells why */
}

static void begin_stream(struct lb_bench_link *link, grpc_channel *channel)
{
    grpc_op hello[2] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY},
        {.op = GRPC_OP_RECV_INITIAL_METADATA},
    };
    grpc_op end = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    void *method = grpc_channel_register_call(channel, "/lianban.v1.Adapter/Link", NULL, NULL);
    link->begun.done = on_begun;
    link->received.done = on_received;
    link->written.done = on_written;
    link->ended.done = on_ended;
    grpc_metadata_array_init(&link->initial);
    grpc_metadata_array_init(&link->trailing);
    link->call = grpc_channel_create_registered_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                                     link->queue, method,
                                                     gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    hello[1].data.recv_initial_metadata.recv_initial_metadata = &link->initial;
    end.data.recv_status_on_client.trailing_metadata = &link->trailing;
    end.data.recv_status_on_client.status = &link->code;
    end.data.recv_status_on_client.status_details = &link->details;
    GPR_ASSERT(grpc_call_start_batch(link->call, hello, 2, &link->begun, NULL) == GRPC_CALL_OK);
    GPR_ASSERT(grpc_call_start_batch(link->call, &end, 1, &link->ended, NULL) == GRPC_CALL_OK);
    receive(link);
    write_next(link);
}

static void open_log(struct lb_bench_link *link)
{
    const struct lb_bench_plan *plan = link->pool->plan;
    struct lb_diag diag = {""};
    char seen[512];
    const struct lb_log_options options = {
        .folder = plan->broker_state,
        .origin = lb_spiffe_log_origin(plan->broker),
        .key = plan->broker_key,
        .clock = lb_clock_system(),
        .migrations = lb_outbox_migrations,
    };
    if (lb_log_open(&options, &diag, &link->log) != LB_OK)
        lb_bench_die("%s: %s", plan->broker_state, diag.text);
    (void)snprintf(seen, sizeof(seen), "%s/seen", plan->broker_state);
    need(lb_seen_new(seen, &link->seen), seen);
    need(lb_session_init(&link->session, link->log, lb_spiffe_log_origin(plan->adapter),
                         plan->adapter_log_key, link->seen), "link");
}

static void fill_leaf(const struct lb_bench_plan *plan, const struct lb_bench_read *read,
                      struct lb_leaf *leaf)
{
    size_t used = 0;
    *leaf = (struct lb_leaf){.type = LB_LEAF_ROUTE, .code = "OK", .count = 1};
    memcpy(leaf->txn, read->txn, sizeof(leaf->txn));
    memcpy(leaf->request_hash, read->ciphertext_hash, sizeof(leaf->request_hash));
    for (size_t i = 0; i < plan->section.num_views; i++)
        used += (size_t)snprintf(leaf->views + used, sizeof(leaf->views) - used, "%s%s",
                                 i == 0 ? "" : ",", plan->section.views[i].id);
}

/* A ROUTE entry for every read, as a broker has it before it sends the read on. */
static void make_routes(struct lb_bench_link *link)
{
    struct lb_bench_pool *pool = link->pool;
    struct lb_log_entry *entries = calloc(ENTRIES_AT_ONCE, sizeof(entries[0]));
    if (entries == NULL)
        lb_bench_die("out of memory");
    for (size_t from = 0; from < pool->num; from += ENTRIES_AT_ONCE) {
        size_t num = pool->num - from < ENTRIES_AT_ONCE ? pool->num - from : ENTRIES_AT_ONCE;
        memset(entries, 0, num * sizeof(entries[0]));
        for (size_t i = 0; i < num; i++)
            fill_leaf(pool->plan, &pool->reads[from + i], &entries[i].leaf);
        need(lb_log_append_all(link->log, entries, num), "the broker's log");
        for (size_t i = 0; i < num; i++) {
            struct lb_bench_read *read = &pool->reads[from + i];
            read->route = entries[i].index;
            need(lb_arena_copy(pool->arena, lb_span_of(entries[i].leaf_bytes, entries[i].leaf_len),
                               &read->route_leaf), "leaf");
        }
    }
    free(entries);
}

static const char *read_token(const char *path, struct lb_arena *arena)
{
    struct lb_span token = LB_SPAN_EMPTY;
    need(lb_file_read(path, LB_MAX_STATUS_LIST_BYTES, arena, &token), path);
    return lb_arena_str(arena, token);
}

struct lb_bench_link *lb_bench_link_open(grpc_completion_queue *queue, grpc_channel *channel,
                                         struct lb_bench_pool *pool, const char *status_file)
{
    struct lb_bench_link *link = calloc(1, sizeof(*link));
    if (link == NULL)
        lb_bench_die("out of memory");
    link->queue = queue;
    link->pool = pool;
    link->out_arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    link->in_arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    link->waiting = calloc(pool->num, sizeof(struct lb_bench_read *));
    if (link->out_arena == NULL || link->in_arena == NULL || link->waiting == NULL)
        lb_bench_die("out of memory");
    link->status_token = read_token(status_file, pool->arena);
    open_log(link);
    make_routes(link);
    begin_stream(link, channel);
    while (!link->status_taken) {
        grpc_event event =
            grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        struct lb_bench_tag *tag = event.tag;
        tag->done(tag, event.success != 0);
    }
    return link;
}

void lb_bench_link_close(struct lb_bench_link *link)
{
    lb_session_cleanup(&link->session);
    lb_seen_free(link->seen);
    lb_log_close(link->log);
}

/* --- lanes --- */

struct lane {
    struct lb_bench_link *link;
    struct lb_bench_lane *lane;
};

static void *make_lane(void *ctx, struct lb_bench_lane *lane)
{
    struct lane *own = calloc(1, sizeof(*own));
    if (own == NULL)
        lb_bench_die("out of memory");
    *own = (struct lane){ctx, lane};
    return own;
}

static bool begin(void *work)
{
    struct lane *own = work;
    struct lb_bench_link *link = own->link;
    if (link->next == link->pool->num)
        return false;
    struct lb_bench_read *read = &link->pool->reads[link->next++];
    read->owner = own->lane;
    link->waiting[link->num_waiting++] = read;
    write_next(link);
    return true;
}

struct lb_bench_work lb_bench_link_work(struct lb_bench_link *link)
{
    return (struct lb_bench_work){.ctx = link, .lane = make_lane, .begin = begin};
}
