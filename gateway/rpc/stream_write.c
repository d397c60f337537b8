/* The writing half of a stream: the queue, fill and kick, the end, and cancelling. */
#include <grpc/byte_buffer.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/rpc/stream.h"

grpc_byte_buffer *lb_rpc_stream_bytes(struct lb_span bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.ptr, bytes.len);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

static struct lb_rpc_queued *queued_new(struct lb_span bytes)
{
    struct lb_rpc_queued *item = calloc(1, sizeof(*item));
    if (item == NULL)
        return NULL;
    item->bytes = lb_rpc_stream_bytes(bytes);
    item->len = bytes.len;
    return item;
}

static void queued_free(struct lb_rpc_queued *item)
{
    grpc_byte_buffer_destroy(item->bytes);
    free(item);
}

void lb_rpc_stream_drop_queue(struct lb_rpc_stream *stream)
{
    while (stream->first != NULL) {
        struct lb_rpc_queued *next = stream->first->next;
        queued_free(stream->first);
        stream->first = next;
    }
    stream->last = &stream->first;
    stream->num_queued = 0;
    stream->queued_bytes = 0;
}

static lb_status enqueue(struct lb_rpc_stream *stream, struct lb_rpc_queued *item)
{
    LB_ENSURE(!stream->over && !stream->finishing && stream->reason == LB_OK, LB_CANCELLED,
              "the call is over");
    LB_ENSURE(stream->num_queued < LB_RPC_MAX_QUEUED &&
                  item->len <= LB_RPC_MAX_QUEUED_BYTES - stream->queued_bytes,
              LB_BUSY, "the stream's queue is full");
    *stream->last = item;
    stream->last = &item->next;
    stream->num_queued++;
    stream->queued_bytes += item->len;
    return LB_OK;
}

/* Under lock. */
static grpc_byte_buffer *dequeue(struct lb_rpc_stream *stream)
{
    struct lb_rpc_queued *item = stream->first;
    if (item == NULL)
        return NULL;
    stream->first = item->next;
    if (stream->first == NULL)
        stream->last = &stream->first;
    stream->num_queued--;
    stream->queued_bytes -= item->len;
    grpc_byte_buffer *bytes = item->bytes;
    free(item);
    return bytes;
}

void lb_rpc_stream_wake(struct lb_rpc_stream *stream)
{
    if (stream->waking || stream->ended_for_good)
        return;
    stream->waking = true;
    stream->pending++;
    lb_rpc_stream_start(stream, NULL, 0, &stream->woken);
}

static lb_status queue_one(struct lb_rpc_stream *stream, struct lb_span bytes, bool is_last)
{
    LB_ENSURE(bytes.len <= LB_MAX_MESSAGE_BYTES, LB_TOO_LARGE, "a message to send");
    struct lb_rpc_queued *item = queued_new(bytes);
    LB_ENSURE(item != NULL, LB_NO_MEMORY, "queue");
    (void)pthread_mutex_lock(&stream->lock);
    lb_status status = enqueue(stream, item);
    if (status == LB_OK) {
        stream->finishing = is_last;
        if (!stream->writing)
            lb_rpc_stream_wake(stream);
    }
    (void)pthread_mutex_unlock(&stream->lock);
    if (status != LB_OK)
        queued_free(item);
    return status;
}

lb_status lb_rpc_stream_send(struct lb_rpc_stream *stream, struct lb_span bytes)
{
    return queue_one(stream, bytes, false);
}

void lb_rpc_stream_reply(struct lb_rpc_stream *stream, struct lb_span bytes)
{
    lb_status status = queue_one(stream, bytes, true);
    /* Does nothing when the call is over already, which is the usual reason. */
    if (status != LB_OK)
        lb_rpc_stream_finish(stream, status);
}

void lb_rpc_stream_kick(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    if (!stream->over && stream->reason == LB_OK) {
        stream->kicked = true;
        if (!stream->writing)
            lb_rpc_stream_wake(stream);
    }
    (void)pthread_mutex_unlock(&stream->lock);
}

void lb_rpc_stream_finish(struct lb_rpc_stream *stream, lb_status status)
{
    (void)pthread_mutex_lock(&stream->lock);
    bool first = !stream->over && !stream->finishing && stream->reason == LB_OK;
    if (first) {
        stream->finishing = true;
        stream->final = status;
        if (!stream->writing)
            lb_rpc_stream_wake(stream);
    }
    (void)pthread_mutex_unlock(&stream->lock);
    /* The peer is told that the operator knows. */
    if (first && stream->is_server && lb_code_outer(lb_status_code(status)) == LB_INTERNAL)
        lb_log_failure("call_failed", status);
}

void lb_rpc_stream_not_found(struct lb_rpc_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    stream->not_found = true;
    (void)pthread_mutex_unlock(&stream->lock);
    lb_rpc_stream_finish(stream, LB_OK);
}

void lb_rpc_stream_cut(struct lb_rpc_stream *stream)
{
    if (stream->ended_for_good || stream->cut || stream->reason == LB_OK)
        return;
    stream->cut = true;
    enum lb_code code = lb_code_outer(stream->reason->code);
    if (lb_code_canonical(code) == LB_CANON_OK)
        code = LB_CANCELLED;
    /* A server's core sends this code and text along with the reset. */
    (void)grpc_call_cancel_with_status(stream->call, (grpc_status_code)lb_code_canonical(code),
                                       lb_code_name(code), NULL);
}

/* A server that is not in the middle of a write says why in the usual form, and the sweep cuts the
 * call if that does not get through. */
void lb_rpc_stream_cancel(struct lb_rpc_stream *stream, lb_status reason)
{
    (void)pthread_mutex_lock(&stream->lock);
    if (!stream->over && stream->reason == LB_OK) {
        stream->reason = reason == LB_OK ? LB_FAULT(LB_CANCELLED, "cancelled here") : reason;
        lb_rpc_stream_drop_queue(stream);
        stream->kicked = false;
        if (stream->is_server && !stream->writing && !stream->last_sent) {
            stream->finishing = true;
            stream->final = stream->reason;
            lb_rpc_stream_wake(stream);
        } else {
            lb_rpc_stream_cut(stream);
        }
    }
    (void)pthread_mutex_unlock(&stream->lock);
}

/* --- writing --- */

/* What one write takes along. */
struct write {
    grpc_byte_buffer *message;
    bool last;
};

/* Reserves the write slot; false when it is taken or nothing may be written any more. */
static bool take_slot(struct lb_rpc_stream *stream, struct write *write, bool *out_fill)
{
    (void)pthread_mutex_lock(&stream->lock);
    bool free_slot = !stream->writing && !stream->over && !stream->last_sent && !stream->broken &&
                     !stream->cut;
    if (free_slot) {
        stream->writing = true;
        write->message = dequeue(stream);
        *out_fill = write->message == NULL && stream->kicked && stream->events.fill != NULL;
        stream->kicked = stream->kicked && !*out_fill && stream->events.fill != NULL;
    }
    (void)pthread_mutex_unlock(&stream->lock);
    return free_slot;
}

/* Asks the owner for a message; after one it is asked again, until it has nothing. */
static void ask_owner(struct lb_rpc_stream *stream, struct write *write)
{
    struct lb_buf *buf = &stream->filled;
    if (stream->events.fill(stream->self, stream, buf)) {
        lb_status status = lb_buf_check(buf);
        if (status == LB_OK) {
            write->message = lb_rpc_stream_bytes(lb_buf_span(buf));
            (void)pthread_mutex_lock(&stream->lock);
            stream->kicked = stream->reason == LB_OK;
            (void)pthread_mutex_unlock(&stream->lock);
        } else {
            lb_rpc_stream_cancel(stream, status);
        }
    }
    lb_wipe(buf->ptr, buf->len);
    buf->len = 0;
    buf->failed = false;
}

enum step { STEP_WRITE, STEP_AGAIN, STEP_NOTHING };

/* Settles what the slot is used for; gives it back when there is nothing to write. */
static enum step settle(struct lb_rpc_stream *stream, struct write *write)
{
    (void)pthread_mutex_lock(&stream->lock);
    enum step step = STEP_WRITE;
    write->last = stream->finishing && stream->first == NULL && !stream->kicked;
    if (stream->cut || (write->message == NULL && !write->last)) {
        stream->writing = false;
        bool more = (stream->first != NULL || stream->kicked) && !stream->cut;
        step = more ? STEP_AGAIN : STEP_NOTHING;
    } else {
        stream->last_sent = write->last;
        stream->pending++;
    }
    (void)pthread_mutex_unlock(&stream->lock);
    return step;
}

static void write_out(struct lb_rpc_stream *stream, const struct write *write)
{
    grpc_op ops[3];
    size_t num = 0;
    if (!stream->initial_sent)
        ops[num++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    stream->initial_sent = true;
    stream->outgoing = write->message;
    if (write->message != NULL) {
        ops[num] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
        ops[num++].data.send_message.send_message = write->message;
    }
    if (write->last && stream->is_server) {
        struct lb_rpc_wire_status *wire = &stream->final_wire;
        lb_rpc_wire_status_of(stream->final, wire);
        if (stream->not_found && wire->code == GRPC_STATUS_OK)
            wire->code = GRPC_STATUS_NOT_FOUND;
        ops[num] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
        ops[num].data.send_status_from_server.trailing_metadata_count = wire->num_details;
        ops[num].data.send_status_from_server.trailing_metadata = &wire->detail;
        ops[num].data.send_status_from_server.status = wire->code;
        ops[num++].data.send_status_from_server.status_details = &wire->message;
    } else if (write->last) {
        ops[num++] = (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    }
    lb_rpc_stream_start(stream, ops, num, &stream->sent);
}

void lb_rpc_stream_pump(struct lb_rpc_stream *stream)
{
    for (;;) {
        struct write write = {NULL, false};
        bool fill = false;
        if (!take_slot(stream, &write, &fill))
            return;
        if (fill)
            ask_owner(stream, &write);
        /* What leaves is for this peer, so it must still be welcome. */
        lb_status status = write.message == NULL ? LB_OK : lb_rpc_stream_judge(stream);
        if (status != LB_OK)
            lb_rpc_stream_cancel(stream, status);
        enum step step = settle(stream, &write);
        if (step == STEP_WRITE) {
            write_out(stream, &write);
            return;
        }
        if (write.message != NULL)
            grpc_byte_buffer_destroy(write.message);
        if (step == STEP_NOTHING)
            return;
    }
}

void lb_rpc_stream_sent(struct lb_rpc_tag *tag, bool ok)
{
    struct lb_rpc_stream *stream = LB_RPC_OWNER(tag, struct lb_rpc_stream, sent);
    if (stream->outgoing != NULL)
        grpc_byte_buffer_destroy(stream->outgoing);
    stream->outgoing = NULL;
    lb_rpc_wire_status_cleanup(&stream->final_wire);
    (void)pthread_mutex_lock(&stream->lock);
    stream->writing = false;
    stream->broken = stream->broken || !ok;
    (void)pthread_mutex_unlock(&stream->lock);
    lb_rpc_stream_pump(stream);
    lb_rpc_stream_release(stream);
}
