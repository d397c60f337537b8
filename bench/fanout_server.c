/* A bare broker: one unary request becomes a unary call to each echo, all in parallel over one kept
 * mutual-TLS channel each; when all have answered, their answers go back in one reply. */
#include <grpc/byte_buffer.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#include "bench/echoes.h"

struct fanout {
    struct lb_bench_server_options server;
    struct lb_bench_echoes echoes;
    grpc_channel *channels[LB_BENCH_MAX_ECHOES];
    void *methods[LB_BENCH_MAX_ECHOES];
};

struct job;

/* One call to one echo. */
struct part {
    struct lb_bench_tag ended;
    struct job *job;
    grpc_call *call;
    grpc_byte_buffer *reply;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
};

/* One fan-out; it stays on one queue, so nothing is locked. */
struct job {
    struct fanout *fanout;
    struct lb_bench_slot *slot;
    size_t num_pending;
    struct part parts[LB_BENCH_MAX_ECHOES];
};

/* --- the answers --- */

static void part_free(struct part *part)
{
    grpc_byte_buffer_destroy(part->reply);
    grpc_metadata_array_destroy(&part->initial);
    grpc_metadata_array_destroy(&part->trailing);
    grpc_slice_unref(part->details);
    grpc_call_unref(part->call);
}

/* Appends a reference to the answer's bytes. */
static void gather(grpc_slice_buffer *into, grpc_byte_buffer *reply)
{
    const grpc_slice_buffer *from = &reply->data.raw.slice_buffer;
    for (size_t i = 0; i < from->count; i++)
        grpc_slice_buffer_add(into, grpc_slice_ref(from->slices[i]));
}

static void answer(struct job *job)
{
    const struct lb_bench_echoes *echoes = &job->fanout->echoes;
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(NULL, 0);
    grpc_slice_buffer *gathered = &reply->data.raw.slice_buffer;
    bool complete = true;
    for (size_t i = 0; i < echoes->num; i++) {
        const struct part *part = &job->parts[i];
        complete = complete && part->code == GRPC_STATUS_OK && part->reply != NULL;
        if (complete)
            gather(gathered, part->reply);
    }
    if (gathered->length < echoes->reply_bytes)
        grpc_slice_buffer_add(gathered, grpc_slice_sub(echoes->filler, 0,
                                                       echoes->reply_bytes - gathered->length));
    if (complete)
        lb_bench_reply(job->slot, reply);
    else
        lb_bench_refuse(job->slot, GRPC_STATUS_UNAVAILABLE);
    grpc_byte_buffer_destroy(reply);
    for (size_t i = 0; i < echoes->num; i++)
        part_free(&job->parts[i]);
}

static void on_ended(struct lb_bench_tag *tag, bool ok)
{
    struct part *part = LB_BENCH_OWNER(tag, struct part, ended);
    struct job *job = part->job;
    (void)ok;
    if (--job->num_pending == 0)
        answer(job);
}

/* --- the questions --- */

static void start(struct part *part, grpc_byte_buffer *message)
{
    grpc_op ops[6] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_MESSAGE},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE}, {.op = GRPC_OP_RECV_STATUS_ON_CLIENT},
    };
    grpc_metadata_array_init(&part->initial);
    grpc_metadata_array_init(&part->trailing);
    part->reply = NULL;
    ops[1].data.send_message.send_message = message;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &part->initial;
    ops[4].data.recv_message.recv_message = &part->reply;
    ops[5].data.recv_status_on_client.trailing_metadata = &part->trailing;
    ops[5].data.recv_status_on_client.status = &part->code;
    ops[5].data.recv_status_on_client.status_details = &part->details;
    GPR_ASSERT(grpc_call_start_batch(part->call, ops, 6, &part->ended, NULL) == GRPC_CALL_OK);
}

static void serve(void *ctx, struct lb_bench_slot *slot)
{
    struct fanout *fanout = ctx;
    struct job *job = slot->work;
    grpc_slice request = lb_bench_echoes_request(slot);
    job->num_pending = fanout->echoes.num;
    for (size_t i = 0; i < fanout->echoes.num; i++) {
        struct part *part = &job->parts[i];
        grpc_slice piece = lb_bench_echoes_part(&fanout->echoes, request, i);
        grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&piece, 1);
        grpc_slice_unref(piece);
        part->call = grpc_channel_create_registered_call(
            fanout->channels[i], slot->call, GRPC_PROPAGATE_DEFAULTS, slot->queue,
            fanout->methods[i], slot->deadline, NULL);
        start(part, message);
        grpc_byte_buffer_destroy(message);
    }
    grpc_slice_unref(request);
}

static void *work(void *ctx, struct lb_bench_slot *slot)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        lb_bench_die("out of memory");
    job->fanout = ctx;
    job->slot = slot;
    for (size_t i = 0; i < LB_BENCH_MAX_ECHOES; i++) {
        job->parts[i].ended.done = on_ended;
        job->parts[i].job = job;
    }
    return job;
}

/* --- start --- */

static void connect_echoes(struct fanout *fanout)
{
    for (size_t i = 0; i < fanout->echoes.num; i++) {
        fanout->channels[i] =
            lb_bench_channel_new(fanout->echoes.targets[i], &fanout->server.identity);
        fanout->methods[i] =
            grpc_channel_register_call(fanout->channels[i], LB_BENCH_METHOD, NULL, NULL);
    }
}

int main(int argc, char **argv)
{
    struct fanout fanout = {.server = {.serve = serve, .work = work}};
    lb_bench_echoes_of(argc, argv, &fanout.server, &fanout.echoes);
    fanout.server.ctx = &fanout;
    connect_echoes(&fanout);
    lb_bench_serve(&fanout.server);
    return 0;
}
