#include "bench/server.h"

#include <grpc/support/log.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* More calls than any load has in flight, so that none waits for a slot. */
#define SLOTS_PER_QUEUE 256

struct lb_bench_server {
    struct lb_bench_server_options options;
    grpc_server *core;
    void *method;
};

static void arm(struct lb_bench_slot *slot)
{
    const struct lb_bench_server *server = slot->server;
    grpc_metadata_array_init(&slot->metadata);
    slot->call = NULL;
    slot->request = NULL;
    grpc_call_error error = grpc_server_request_registered_call(
        server->core, server->method, &slot->call, &slot->deadline, &slot->metadata, &slot->request,
        slot->queue, slot->queue, &slot->accepted);
    GPR_ASSERT(error == GRPC_CALL_OK);
}

static void on_accepted(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_slot *slot = LB_BENCH_OWNER(tag, struct lb_bench_slot, accepted);
    if (!ok)
        return;
    if (slot->request == NULL) { /* the client went away before its message came */
        lb_bench_refuse(slot, GRPC_STATUS_INVALID_ARGUMENT);
        return;
    }
    slot->server->options.serve(slot->server->options.ctx, slot);
}

static void on_replied(struct lb_bench_tag *tag, bool ok)
{
    struct lb_bench_slot *slot = LB_BENCH_OWNER(tag, struct lb_bench_slot, replied);
    (void)ok;
    grpc_byte_buffer_destroy(slot->request);
    grpc_metadata_array_destroy(&slot->metadata);
    grpc_call_unref(slot->call);
    arm(slot);
}

static void end(struct lb_bench_slot *slot, grpc_byte_buffer *reply, grpc_status_code code)
{
    grpc_op ops[4] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_STATUS_FROM_SERVER},
        {.op = GRPC_OP_RECV_CLOSE_ON_SERVER},
        {.op = GRPC_OP_SEND_MESSAGE},
    };
    ops[1].data.send_status_from_server.status = code;
    ops[2].data.recv_close_on_server.cancelled = &slot->cancelled;
    ops[3].data.send_message.send_message = reply;
    grpc_call_error error =
        grpc_call_start_batch(slot->call, ops, reply == NULL ? 3 : 4, &slot->replied, NULL);
    GPR_ASSERT(error == GRPC_CALL_OK);
}

void lb_bench_reply(struct lb_bench_slot *slot, grpc_byte_buffer *reply)
{
    end(slot, reply, GRPC_STATUS_OK);
}

void lb_bench_refuse(struct lb_bench_slot *slot, grpc_status_code code)
{
    end(slot, NULL, code);
}

/* --- start --- */

static void make_slots(struct lb_bench_server *server, grpc_completion_queue *queue)
{
    const struct lb_bench_server_options *options = &server->options;
    struct lb_bench_slot *slots = calloc(SLOTS_PER_QUEUE, sizeof(*slots));
    if (slots == NULL)
        lb_bench_die("out of memory");
    for (size_t i = 0; i < SLOTS_PER_QUEUE; i++) {
        slots[i].accepted.done = on_accepted;
        slots[i].replied.done = on_replied;
        slots[i].server = server;
        slots[i].queue = queue;
        slots[i].work = options->work == NULL ? NULL : options->work(options->ctx, &slots[i]);
        arm(&slots[i]);
    }
}

static void *poll_queue(void *queue)
{
    lb_bench_poll(queue);
    return NULL;
}

static void listen_on(struct lb_bench_server *server)
{
    const struct lb_bench_server_options *options = &server->options;
    grpc_server_credentials *credentials = lb_bench_server_credentials(&options->identity);
    int port = grpc_server_add_http2_port(server->core, options->listen, credentials);
    grpc_server_credentials_release(credentials);
    if (port == 0)
        lb_bench_die("cannot listen on %s", options->listen);
    (void)printf("port %d\n", port);
}

void lb_bench_serve(const struct lb_bench_server_options *options)
{
    struct lb_bench_server server = {.options = *options};
    size_t num_queues = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    grpc_completion_queue **queues = calloc(num_queues, sizeof(grpc_completion_queue *));
    if (queues == NULL)
        lb_bench_die("out of memory");
    server.core = grpc_server_create(NULL, NULL);
    server.method = grpc_server_register_method(server.core, LB_BENCH_METHOD, NULL,
                                                GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    for (size_t i = 0; i < num_queues; i++) {
        queues[i] = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(server.core, queues[i], NULL);
    }
    if (options->ready != NULL)
        options->ready(options->ctx, queues, num_queues);
    listen_on(&server);
    grpc_server_start(server.core);
    for (size_t i = 0; i < num_queues; i++)
        make_slots(&server, queues[i]);
    (void)fflush(stdout);
    for (size_t i = 1; i < num_queues; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, poll_queue, queues[i]) != 0)
            lb_bench_die("cannot start a thread");
    }
    lb_bench_poll(queues[0]);
}
