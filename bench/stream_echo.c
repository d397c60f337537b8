/* A bare mutual-TLS echo over one long-lived stream: each numbered item is answered with so many
 * bytes under its number; while a write is in flight, what queues behind it is coalesced into the
 * next message. */
#include <getopt.h>
#include <grpc/support/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/items.h"

#include "bench/ends.h"

#define MAX_REPLY_BYTES (4 * 1024 * 1024)
#define MAX_MESSAGE_BYTES (16 * 1024 * 1024)

struct echo {
    grpc_server *core;
    grpc_completion_queue *queue;
    void *method;
    grpc_slice reply;
};

/* One caller's stream; all of it happens on the one queue. */
struct stream {
    struct lb_bench_tag accepted, begun, received, written, closed;
    struct echo *echo;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *incoming, *outgoing;
    struct lb_bench_items waiting;
    int cancelled;
};

static void await(struct echo *echo);

static void start(struct stream *stream, const grpc_op *op, struct lb_bench_tag *tag)
{
    GPR_ASSERT(grpc_call_start_batch(stream->call, op, 1, tag, NULL) == GRPC_CALL_OK);
}

static void receive(struct stream *stream)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &stream->incoming;
    start(stream, &op, &stream->received);
}

/* Sends what waits, unless a write is in flight. */
static void write_next(struct stream *stream)
{
    if (stream->outgoing != NULL)
        return;
    stream->outgoing = lb_bench_items_take(&stream->waiting);
    if (stream->outgoing == NULL)
        return;
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    op.data.send_message.send_message = stream->outgoing;
    start(stream, &op, &stream->written);
}

static void on_written(struct lb_bench_tag *tag, bool ok)
{
    struct stream *stream = LB_BENCH_OWNER(tag, struct stream, written);
    grpc_byte_buffer_destroy(stream->outgoing);
    stream->outgoing = NULL;
    if (ok)
        write_next(stream);
}

static void on_received(struct lb_bench_tag *tag, bool ok)
{
    struct stream *stream = LB_BENCH_OWNER(tag, struct stream, received);
    grpc_slice item;
    uint32_t number = 0;
    size_t at = 0;
    if (!ok || stream->incoming == NULL)
        return;
    grpc_slice message = lb_bench_items_read(stream->incoming);
    while (lb_bench_items_next(message, &at, &number, &item)) {
        grpc_slice_unref(item);
        lb_bench_items_put(&stream->waiting, number, grpc_slice_ref(stream->echo->reply));
    }
    grpc_slice_unref(message);
    write_next(stream);
    receive(stream);
}

/* The streams live as long as the process that made them and this one. */
static void ignore(struct lb_bench_tag *tag, bool ok)
{
    (void)tag;
    (void)ok;
}

static void on_accepted(struct lb_bench_tag *tag, bool ok)
{
    struct stream *stream = LB_BENCH_OWNER(tag, struct stream, accepted);
    if (!ok)
        return;
    grpc_op hello = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    grpc_op end = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    end.data.recv_close_on_server.cancelled = &stream->cancelled;
    start(stream, &hello, &stream->begun);
    start(stream, &end, &stream->closed);
    receive(stream);
    await(stream->echo);
}

static void await(struct echo *echo)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        lb_bench_die("out of memory");
    stream->echo = echo;
    stream->accepted.done = on_accepted;
    stream->begun.done = stream->closed.done = ignore;
    stream->received.done = on_received;
    stream->written.done = on_written;
    grpc_metadata_array_init(&stream->metadata);
    grpc_call_error error = grpc_server_request_registered_call(
        echo->core, echo->method, &stream->call, &stream->deadline, &stream->metadata, NULL,
        echo->queue, echo->queue, &stream->accepted);
    GPR_ASSERT(error == GRPC_CALL_OK);
}

static void serve(struct echo *echo, const char *listen, const struct lb_bench_identity *identity)
{
    grpc_arg setting = {.type = GRPC_ARG_INTEGER,
                        .key = (char *)(uintptr_t)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
                        .value.integer = MAX_MESSAGE_BYTES};
    const grpc_channel_args args = {1, &setting};
    grpc_server_credentials *credentials = lb_bench_server_credentials(identity);
    echo->core = grpc_server_create(&args, NULL);
    echo->queue = grpc_completion_queue_create_for_next(NULL);
    echo->method = grpc_server_register_method(echo->core, LB_BENCH_STREAM, NULL,
                                               GRPC_SRM_PAYLOAD_NONE, 0);
    grpc_server_register_completion_queue(echo->core, echo->queue, NULL);
    int port = grpc_server_add_http2_port(echo->core, listen, credentials);
    grpc_server_credentials_release(credentials);
    if (port == 0)
        lb_bench_die("cannot listen on %s", listen);
    grpc_server_start(echo->core);
    await(echo);
    (void)printf("port %d\n", port);
    (void)fflush(stdout);
    lb_bench_poll(echo->queue);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"reply-bytes", required_argument, NULL, 'r'}, {"cert", required_argument, NULL, 0},
        {"key", required_argument, NULL, 0},           {"ca", required_argument, NULL, 0},
        {NULL, 0, NULL, 0}};
    struct lb_bench_identity identity = {NULL, NULL, NULL};
    struct echo echo = {.core = NULL};
    size_t reply_bytes = 1024;
    int index = 0;
    for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        if (found == '?')
            return 2;
        if (found == 'r')
            reply_bytes = lb_bench_count("reply-bytes", optarg, MAX_REPLY_BYTES);
        else
            (void)lb_bench_identity_option(&identity, known[index].name, optarg);
    }
    grpc_init();
    echo.reply = grpc_slice_malloc(reply_bytes);
    memset(GRPC_SLICE_START_PTR(echo.reply), 'e', reply_bytes);
    serve(&echo, "127.0.0.1:0", &identity);
    return 0;
}
