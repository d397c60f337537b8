#include "gateway/rpc/stream.h"

#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/rpc/peer.h"

/* The core's clock and ours may differ by this much when a deadline strikes. */
#define DEADLINE_SLACK_MS 20

static void received(struct lb_rpc_tag *tag, bool ok);
static void started(struct lb_rpc_tag *tag, bool ok);
static void ended(struct lb_rpc_tag *tag, bool ok);
static void woken(struct lb_rpc_tag *tag, bool ok);

struct lb_rpc_stream *lb_rpc_stream_new(const struct lb_rpc_stream_init *init)
{
    struct lb_rpc_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    stream->runtime = init->runtime;
    stream->poller = init->poller;
    stream->call = init->call;
    stream->is_server = init->is_server;
    stream->owner = init->owner;
    stream->gate = init->gate;
    lb_rpc_gate_ref(stream->gate);
    stream->received.done = received;
    stream->started.done = started;
    stream->sent.done = lb_rpc_stream_sent;
    stream->woken.done = woken;
    stream->ended.done = ended;
    stream->last = &stream->first;
    stream->peer = lb_rpc_peer_empty();
    stream->final_wire.message = grpc_empty_slice();
    stream->status_message = grpc_empty_slice();
    grpc_metadata_array_init(&stream->initial_metadata);
    grpc_metadata_array_init(&stream->trailing_metadata);
    lb_buf_init(&stream->filled, LB_MAX_MESSAGE_BYTES);
    (void)pthread_mutex_init(&stream->lock, NULL);
    atomic_init(&stream->refs, 1);
    return stream;
}

void lb_rpc_stream_ref(struct lb_rpc_stream *stream)
{
    (void)atomic_fetch_add(&stream->refs, 1);
}

static void free_metadata(struct lb_rpc_stream *stream)
{
    for (size_t i = 0; i < stream->num_metadata; i++) {
        grpc_slice_unref(stream->metadata[i].key);
        grpc_slice_unref(stream->metadata[i].value);
    }
    free(stream->metadata);
    stream->metadata = NULL;
    stream->num_metadata = 0;
}

void lb_rpc_stream_unref(struct lb_rpc_stream *stream)
{
    if (atomic_fetch_sub(&stream->refs, 1) > 1)
        return;
    lb_rpc_stream_drop_queue(stream);
    free_metadata(stream);
    lb_buf_cleanup(&stream->filled);
    if (stream->peer != lb_rpc_peer_empty())
        free((void *)(uintptr_t)stream->peer);
    lb_rpc_gate_unref(stream->gate);
    (void)pthread_mutex_destroy(&stream->lock);
    free(stream);
}

const struct lb_rpc_peer *lb_rpc_stream_peer(const struct lb_rpc_stream *stream)
{
    struct lb_rpc_stream *own = (struct lb_rpc_stream *)(uintptr_t)stream;
    (void)pthread_mutex_lock(&own->lock);
    const struct lb_rpc_peer *peer = stream->peer;
    (void)pthread_mutex_unlock(&own->lock);
    return peer;
}

void lb_rpc_stream_start(struct lb_rpc_stream *stream, const grpc_op *ops, size_t num_ops,
                         struct lb_rpc_tag *tag)
{
    GPR_ASSERT(grpc_call_start_batch(stream->call, ops, num_ops, tag, NULL) == GRPC_CALL_OK);
}

void lb_rpc_stream_hold(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    stream->pending++;
    (void)pthread_mutex_unlock(&stream->lock);
}

/* --- the one exit --- */

static lb_status verdict(struct lb_rpc_stream *stream)
{
    if (stream->reason != LB_OK)
        return stream->reason;
    if (!stream->is_server)
        return lb_rpc_wire_status_read(stream->status_code, stream->status_message,
                                       &stream->trailing_metadata);
    if (!stream->cancelled)
        return stream->final;
    int64_t now = lb_clock_unix_ms(lb_clock_system());
    if (stream->deadline_unix_ms != 0 && now + DEADLINE_SLACK_MS >= stream->deadline_unix_ms)
        return LB_FAULT(LB_DEADLINE, "the client's deadline passed");
    return LB_FAULT(LB_CANCELLED, "the client went away or cancelled");
}

static void finish_off(struct lb_rpc_stream *stream)
{
    lb_status status = verdict(stream);
    lb_rpc_live_remove(stream->runtime, stream);
    grpc_metadata_array_destroy(&stream->initial_metadata);
    grpc_metadata_array_destroy(&stream->trailing_metadata);
    grpc_slice_unref(stream->status_message);
    grpc_call_unref(stream->call);
    if (stream->before_closed != NULL)
        stream->before_closed(stream->closed_arg, status);
    if (stream->events.closed != NULL)
        stream->events.closed(stream->self, stream, status);
    if (stream->after_closed != NULL)
        stream->after_closed(stream->closed_arg);
    lb_rpc_stream_unref(stream);
}

void lb_rpc_stream_release(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    stream->pending--;
    bool last = stream->over && stream->pending == 0;
    if (last)
        stream->ended_for_good = true;
    (void)pthread_mutex_unlock(&stream->lock);
    if (last)
        finish_off(stream);
}

static void ended(struct lb_rpc_tag *tag, bool ok)
{
    (void)ok; /* these operations always succeed */
    struct lb_rpc_stream *stream = LB_RPC_OWNER(tag, struct lb_rpc_stream, ended);
    (void)pthread_mutex_lock(&stream->lock);
    stream->over = true;
    (void)pthread_mutex_unlock(&stream->lock);
    lb_rpc_stream_release(stream);
}

/* --- who is there --- */

lb_status lb_rpc_stream_judge(struct lb_rpc_stream *stream)
{
    const struct lb_rpc_peer *peer = lb_rpc_stream_peer(stream);
    if (peer == lb_rpc_peer_empty())
        return LB_OK;
    return lb_rpc_gate_judge(stream->gate, peer);
}

lb_status lb_rpc_stream_learn_peer(struct lb_rpc_stream *stream)
{
    if (!lb_rpc_gate_checks(stream->gate) || stream->peer != lb_rpc_peer_empty())
        return LB_OK;
    struct lb_rpc_peer *peer = NULL;
    LB_TRY(lb_rpc_peer_of_call(stream->call, &peer));
    (void)pthread_mutex_lock(&stream->lock);
    stream->peer = peer;
    (void)pthread_mutex_unlock(&stream->lock);
    return lb_rpc_gate_judge(stream->gate, peer);
}

void lb_rpc_stream_check(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    bool dying = stream->over || stream->reason != LB_OK;
    if (dying)
        lb_rpc_stream_cut(stream);
    (void)pthread_mutex_unlock(&stream->lock);
    if (dying)
        return;
    lb_status status = lb_rpc_stream_judge(stream);
    if (status == LB_OK && stream->deadline_unix_ms != 0 &&
        lb_clock_unix_ms(lb_clock_system()) > stream->deadline_unix_ms)
        status = LB_FAULT(LB_DEADLINE, "the call's deadline passed");
    if (status != LB_OK)
        lb_rpc_stream_cancel(stream, status);
}

/* --- reading --- */

static void read_next(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    bool start = !stream->reading && !stream->read_done && !stream->over && !stream->paused &&
                 stream->reason == LB_OK;
    if (start)
        stream->pending++;
    (void)pthread_mutex_unlock(&stream->lock);
    if (!start)
        return;
    stream->reading = true;
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &stream->incoming;
    lb_rpc_stream_start(stream, &op, 1, &stream->received);
}

static bool alive(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    bool result = stream->reason == LB_OK;
    (void)pthread_mutex_unlock(&stream->lock);
    return result;
}

/* Decompression is switched off, because a small message could become a huge one. */
static lb_status acceptable(struct lb_rpc_stream *stream, const grpc_byte_buffer *bytes)
{
    if (!stream->is_server)
        LB_TRY(lb_rpc_stream_learn_peer(stream));
    LB_TRY(lb_rpc_stream_judge(stream));
    LB_ENSURE(bytes->type == GRPC_BB_RAW && bytes->data.raw.compression == GRPC_COMPRESS_NONE,
              LB_MALFORMED, "a compressed message");
    return LB_OK;
}

static void hand_over(struct lb_rpc_stream *stream, grpc_byte_buffer *bytes)
{
    if (stream->events.message == NULL)
        return;
    const grpc_slice_buffer *slices = &bytes->data.raw.slice_buffer;
    if (slices->count == 1) {
        const grpc_slice *only = &slices->slices[0];
        stream->events.message(stream->self, stream,
                               lb_span_of(GRPC_SLICE_START_PTR(*only), GRPC_SLICE_LENGTH(*only)));
        return;
    }
    grpc_byte_buffer_reader reader;
    GPR_ASSERT(grpc_byte_buffer_reader_init(&reader, bytes));
    grpc_slice whole = grpc_byte_buffer_reader_readall(&reader);
    stream->events.message(stream->self, stream,
                           lb_span_of(GRPC_SLICE_START_PTR(whole), GRPC_SLICE_LENGTH(whole)));
    grpc_slice_unref(whole);
    grpc_byte_buffer_reader_destroy(&reader);
}

/* At a server, a client that went away is not one that finished; at a client the status tells. */
static bool ended_well(const struct lb_rpc_stream *stream)
{
    return !stream->is_server || !grpc_call_failed_before_recv_message(stream->call);
}

static void received(struct lb_rpc_tag *tag, bool ok)
{
    struct lb_rpc_stream *stream = LB_RPC_OWNER(tag, struct lb_rpc_stream, received);
    grpc_byte_buffer *bytes = stream->incoming;
    stream->incoming = NULL;
    stream->reading = false;
    if (bytes == NULL) {
        stream->read_done = true;
        if (ok && alive(stream) && ended_well(stream) && stream->events.half_closed != NULL)
            stream->events.half_closed(stream->self, stream);
    } else if (alive(stream)) {
        lb_status status = acceptable(stream, bytes);
        if (status == LB_OK)
            hand_over(stream, bytes);
        else
            lb_rpc_stream_cancel(stream, status);
    }
    if (bytes != NULL)
        grpc_byte_buffer_destroy(bytes);
    read_next(stream);
    lb_rpc_stream_release(stream);
}

void lb_rpc_stream_pause(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    stream->paused = true;
    (void)pthread_mutex_unlock(&stream->lock);
}

void lb_rpc_stream_resume(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    stream->paused = false;
    lb_rpc_stream_wake(stream);
    (void)pthread_mutex_unlock(&stream->lock);
}

static void woken(struct lb_rpc_tag *tag, bool ok)
{
    (void)ok;
    struct lb_rpc_stream *stream = LB_RPC_OWNER(tag, struct lb_rpc_stream, woken);
    (void)pthread_mutex_lock(&stream->lock);
    stream->waking = false;
    (void)pthread_mutex_unlock(&stream->lock);
    lb_rpc_stream_pump(stream);
    read_next(stream);
    lb_rpc_stream_release(stream);
}

/* --- beginning --- */

void lb_rpc_stream_serve(struct lb_rpc_stream *stream)
{
    stream->read_done = true;
    lb_rpc_live_add(stream->runtime, stream);
    lb_rpc_stream_hold(stream);
    grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    op.data.recv_close_on_server.cancelled = &stream->cancelled;
    lb_rpc_stream_start(stream, &op, 1, &stream->ended);
}

void lb_rpc_stream_read(struct lb_rpc_stream *stream)
{
    stream->read_done = false;
    read_next(stream);
}

static void started(struct lb_rpc_tag *tag, bool ok)
{
    struct lb_rpc_stream *stream = LB_RPC_OWNER(tag, struct lb_rpc_stream, started);
    free_metadata(stream);
    stream->broken = !ok;
    lb_status status = ok ? lb_rpc_stream_learn_peer(stream) : LB_OK;
    if (status != LB_OK)
        lb_rpc_stream_cancel(stream, status);
    lb_rpc_stream_sent(&stream->sent, ok);
}

static void start_client_status(struct lb_rpc_stream *stream)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op.data.recv_status_on_client.trailing_metadata = &stream->trailing_metadata;
    op.data.recv_status_on_client.status = &stream->status_code;
    op.data.recv_status_on_client.status_details = &stream->status_message;
    lb_rpc_stream_start(stream, &op, 1, &stream->ended);
}

void lb_rpc_stream_open(struct lb_rpc_stream *stream, grpc_metadata *metadata,
                        size_t num_metadata, grpc_byte_buffer *only_message)
{
    bool unary = only_message != NULL;
    stream->metadata = metadata;
    stream->num_metadata = num_metadata;
    stream->outgoing = only_message;
    stream->initial_sent = true;
    stream->writing = true;
    stream->finishing = unary;
    stream->last_sent = unary;
    stream->reading = true;
    stream->pending = 3; /* before the first batch: from then on the poller may end the others */
    lb_rpc_live_add(stream->runtime, stream);

    /* Reading batches must not overlap each other, so the one that leads to more comes last. */
    start_client_status(stream);
    grpc_op first[3] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},
                        {.op = GRPC_OP_SEND_MESSAGE},
                        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}};
    first[0].data.send_initial_metadata.count = num_metadata;
    first[0].data.send_initial_metadata.metadata = metadata;
    first[1].data.send_message.send_message = only_message;
    lb_rpc_stream_start(stream, first, unary ? 3 : 1, &stream->started);
    grpc_op last[2] = {{.op = GRPC_OP_RECV_INITIAL_METADATA}, {.op = GRPC_OP_RECV_MESSAGE}};
    last[0].data.recv_initial_metadata.recv_initial_metadata = &stream->initial_metadata;
    last[1].data.recv_message.recv_message = &stream->incoming;
    lb_rpc_stream_start(stream, last, 2, &stream->received);
}
