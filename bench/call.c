#include "bench/call.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>

struct lb_bench_route lb_bench_route_to(grpc_channel *channel, const char *method, bool streams)
{
    void *registered = grpc_channel_register_call(channel, method, NULL, NULL);
    return (struct lb_bench_route){channel, registered, streams};
}

static void release(struct lb_bench_call *call)
{
    grpc_slice details = call->details;
    grpc_metadata_array_destroy(&call->initial);
    grpc_metadata_array_destroy(&call->trailing);
    grpc_byte_buffer_destroy(call->request);
    grpc_call_unref(call->call);
    call->closed(call->self, call->code,
                 lb_span_of(GRPC_SLICE_START_PTR(details), GRPC_SLICE_LENGTH(details)));
    grpc_slice_unref(details);
}

/* Passes a reply on and frees it. */
static void pass(struct lb_bench_call *call)
{
    grpc_byte_buffer_reader reader;
    if (call->reply == NULL)
        return;
    GPR_ASSERT(grpc_byte_buffer_reader_init(&reader, call->reply));
    grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
    call->message(call->self,
                  lb_span_of(GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes)));
    grpc_slice_unref(bytes);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(call->reply);
    call->reply = NULL;
}

static void read_next(struct lb_bench_call *call)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &call->reply;
    GPR_ASSERT(grpc_call_start_batch(call->call, &op, 1, &call->received, NULL) == GRPC_CALL_OK);
}

static void on_received(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_call *call = LB_BENCH_OWNER(tag, struct lb_bench_call, received);
    if (ok && call->reply != NULL) {
        pass(call);
        read_next(call);
        return;
    }
    call->reading = false;
    if (call->over)
        release(call);
}

static void on_ended(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_call *call = LB_BENCH_OWNER(tag, struct lb_bench_call, ended);
    (void)ok;
    call->over = true;
    if (call->reading)
        return;
    pass(call);
    release(call);
}

void lb_bench_call_init(struct lb_bench_call *call, grpc_completion_queue *queue, void *self,
                        void (*message)(void *self, struct lb_span bytes),
                        void (*closed)(void *self, grpc_status_code code, struct lb_span details))
{
    *call = (struct lb_bench_call){.queue = queue, .self = self, .message = message,
                                   .closed = closed};
    call->ended.done = on_ended;
    call->received.done = on_received;
}

void lb_bench_call_start(struct lb_bench_call *call, const struct lb_bench_route *route,
                         struct lb_span request)
{
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY},
        {.op = GRPC_OP_SEND_MESSAGE}, {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        {.op = GRPC_OP_RECV_INITIAL_METADATA}, {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
        {.op = GRPC_OP_RECV_MESSAGE},
    };
    grpc_slice bytes = grpc_slice_from_copied_buffer((const char *)request.ptr, request.len);
    call->request = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    call->call = grpc_channel_create_registered_call(
        route->channel, NULL, GRPC_PROPAGATE_DEFAULTS, call->queue, route->registered,
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                     gpr_time_from_millis(LB_BENCH_CALL_MS, GPR_TIMESPAN)),
        NULL);
    grpc_metadata_array_init(&call->initial);
    grpc_metadata_array_init(&call->trailing);
    if (call->metadata_key != NULL) {
        call->metadata.key = grpc_slice_from_static_string(call->metadata_key);
        call->metadata.value = grpc_slice_from_static_string(call->metadata_value);
        ops[0].data.send_initial_metadata.count = 1;
        ops[0].data.send_initial_metadata.metadata = &call->metadata;
    }
    call->reply = NULL;
    call->over = false;
    call->reading = route->streams;
    ops[1].data.send_message.send_message = call->request;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
    ops[4].data.recv_status_on_client.trailing_metadata = &call->trailing;
    ops[4].data.recv_status_on_client.status = &call->code;
    ops[4].data.recv_status_on_client.status_details = &call->details;
    ops[5].data.recv_message.recv_message = &call->reply;
    size_t num_ops = route->streams ? 5 : 6;
    GPR_ASSERT(grpc_call_start_batch(call->call, ops, num_ops, &call->ended, NULL) ==
               GRPC_CALL_OK);
    if (route->streams)
        read_next(call);
}
