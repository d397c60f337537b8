#include "gateway/rpc/raw_client.h"

#include <stdlib.h>
#include <string.h>

#define PATIENCE_S 8

static bool run(struct raw_call *raw, const grpc_op *ops, size_t num)
{
    if (grpc_call_start_batch(raw->call, ops, num, raw, NULL) != GRPC_CALL_OK)
        return false;
    return grpc_completion_queue_pluck(raw->queue, raw, gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
               .success != 0;
}

void raw_open(struct raw_call *raw, const char *target, grpc_channel_credentials *credentials,
              grpc_compression_algorithm packing, const char *method)
{
    grpc_arg setting = {.type = GRPC_ARG_INTEGER,
                        .key = (char *)(uintptr_t)GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM};
    setting.value.integer = (int)packing;
    grpc_channel_args args = {.num_args = 1, .args = &setting};
    memset(raw, 0, sizeof(*raw));
    raw->channel = grpc_channel_create(target, credentials, &args);
    grpc_channel_credentials_release(credentials);
    raw->queue = grpc_completion_queue_create_for_pluck(NULL);
    gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                         gpr_time_from_seconds(PATIENCE_S, GPR_TIMESPAN));
    grpc_slice name = grpc_slice_from_copied_string(method);
    raw->call =
        grpc_channel_create_call(raw->channel, NULL, 0, raw->queue, name, NULL, deadline, NULL);
    grpc_slice_unref(name);
    grpc_metadata_array_init(&raw->initial);
    grpc_metadata_array_init(&raw->trailing);
    raw->code = GRPC_STATUS__DO_NOT_USE;
    raw->message = grpc_empty_slice();
}

bool raw_metadata(struct raw_call *raw, const char *key, struct lb_span value)
{
    grpc_metadata pair;
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    memset(&pair, 0, sizeof(pair));
    if (key != NULL) {
        pair.key = grpc_slice_from_copied_string(key);
        pair.value = grpc_slice_from_copied_buffer((const char *)value.ptr, value.len);
        op.data.send_initial_metadata.count = 1;
        op.data.send_initial_metadata.metadata = &pair;
    }
    bool taken = run(raw, &op, 1);
    raw->begun = true;
    if (key != NULL) {
        grpc_slice_unref(pair.key);
        grpc_slice_unref(pair.value);
    }
    return taken;
}

bool raw_message(struct raw_call *raw, struct lb_span bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.ptr, bytes.len);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    op.data.send_message.send_message = buffer;
    bool taken = run(raw, &op, 1);
    grpc_byte_buffer_destroy(buffer);
    grpc_slice_unref(slice);
    return taken;
}

grpc_status_code raw_finish(struct raw_call *raw)
{
    grpc_byte_buffer *reply = NULL;
    grpc_op ops[5] = {{.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
                      {.op = GRPC_OP_RECV_INITIAL_METADATA},
                      {.op = GRPC_OP_RECV_MESSAGE},
                      {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
                      {.op = GRPC_OP_SEND_INITIAL_METADATA}};
    ops[0].data.recv_status_on_client.trailing_metadata = &raw->trailing;
    ops[0].data.recv_status_on_client.status = &raw->code;
    ops[0].data.recv_status_on_client.status_details = &raw->message;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &raw->initial;
    ops[2].data.recv_message.recv_message = &reply;
    (void)run(raw, ops, raw->begun ? 4 : 5);
    if (reply != NULL)
        grpc_byte_buffer_destroy(reply);
    return raw->code;
}

void raw_cleanup(struct raw_call *raw)
{
    grpc_slice_unref(raw->message);
    grpc_metadata_array_destroy(&raw->initial);
    grpc_metadata_array_destroy(&raw->trailing);
    grpc_call_unref(raw->call);
    grpc_channel_destroy(raw->channel);
    grpc_completion_queue_shutdown(raw->queue);
    while (grpc_completion_queue_pluck(raw->queue, NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
               .type != GRPC_QUEUE_SHUTDOWN)
        continue;
    grpc_completion_queue_destroy(raw->queue);
}
