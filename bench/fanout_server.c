/* A bare broker: one unary request becomes a unary call to each echo, all in parallel over one kept
 * mutual-TLS channel each; when all have answered, their answers go back in one reply. */
#include <getopt.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server.h"

#define MAX_ECHOES 32
#define MAX_BYTES (1024 * 1024)

struct fanout {
    struct lb_bench_server_options server;
    size_t num_echoes;
    const char *targets[MAX_ECHOES];
    grpc_channel *channels[MAX_ECHOES];
    void *methods[MAX_ECHOES];
    size_t part_bytes;  /* of the request that each echo gets */
    size_t reply_bytes; /* of the reply as a whole */
    grpc_slice filler;
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
    struct part parts[MAX_ECHOES];
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
    const struct fanout *fanout = job->fanout;
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(NULL, 0);
    grpc_slice_buffer *gathered = &reply->data.raw.slice_buffer;
    bool complete = true;
    for (size_t i = 0; i < fanout->num_echoes; i++) {
        const struct part *part = &job->parts[i];
        complete = complete && part->code == GRPC_STATUS_OK && part->reply != NULL;
        if (complete)
            gather(gathered, part->reply);
    }
    if (gathered->length < fanout->reply_bytes)
        grpc_slice_buffer_add(
            gathered, grpc_slice_sub(fanout->filler, 0, fanout->reply_bytes - gathered->length));
    if (complete)
        lb_bench_reply(job->slot, reply);
    else
        lb_bench_refuse(job->slot, GRPC_STATUS_UNAVAILABLE);
    grpc_byte_buffer_destroy(reply);
    for (size_t i = 0; i < fanout->num_echoes; i++)
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

/* The i-th echo's bytes: each gets another run of the request, as each department gets its own
 * sealed part. */
static grpc_byte_buffer *part_of(const struct fanout *fanout, grpc_slice request, size_t i)
{
    size_t len = GRPC_SLICE_LENGTH(request);
    size_t size = fanout->part_bytes < len ? fanout->part_bytes : len;
    size_t last = fanout->num_echoes > 1 ? fanout->num_echoes - 1 : 1;
    size_t at = (len - size) * i / last;
    grpc_slice piece = grpc_slice_sub(request, at, at + size);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&piece, 1);
    grpc_slice_unref(piece);
    return message;
}

static void serve(void *ctx, struct lb_bench_slot *slot)
{
    struct fanout *fanout = ctx;
    struct job *job = slot->work;
    grpc_byte_buffer_reader reader;
    GPR_ASSERT(grpc_byte_buffer_reader_init(&reader, slot->request));
    grpc_slice request = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    job->num_pending = fanout->num_echoes;
    for (size_t i = 0; i < fanout->num_echoes; i++) {
        struct part *part = &job->parts[i];
        grpc_byte_buffer *message = part_of(fanout, request, i);
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
    for (size_t i = 0; i < MAX_ECHOES; i++) {
        job->parts[i].ended.done = on_ended;
        job->parts[i].job = job;
    }
    return job;
}

/* --- start --- */

static void add_echo(struct fanout *fanout, const char *target)
{
    if (fanout->num_echoes == MAX_ECHOES)
        lb_bench_die("at most %d echoes", MAX_ECHOES);
    fanout->targets[fanout->num_echoes++] = target;
}

static void take(struct fanout *fanout, const char *name, const char *value)
{
    if (lb_bench_identity_option(&fanout->server.identity, name, value))
        return;
    if (strcmp(name, "listen") == 0)
        fanout->server.listen = value;
    else if (strcmp(name, "echo") == 0)
        add_echo(fanout, value);
    else if (strcmp(name, "part-bytes") == 0)
        fanout->part_bytes = lb_bench_count(name, value, MAX_BYTES);
    else
        fanout->reply_bytes = lb_bench_count(name, value, MAX_BYTES);
}

static void connect_echoes(struct fanout *fanout)
{
    if (fanout->num_echoes == 0)
        lb_bench_die("--echo is needed, once for each");
    for (size_t i = 0; i < fanout->num_echoes; i++) {
        fanout->channels[i] = lb_bench_channel_new(fanout->targets[i], &fanout->server.identity);
        fanout->methods[i] =
            grpc_channel_register_call(fanout->channels[i], LB_BENCH_METHOD, NULL, NULL);
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 1},     {"echo", required_argument, NULL, 1},
        {"part-bytes", required_argument, NULL, 1}, {"reply-bytes", required_argument, NULL, 1},
        {"cert", required_argument, NULL, 1},       {"key", required_argument, NULL, 1},
        {"ca", required_argument, NULL, 1},         {NULL, 0, NULL, 0}};
    struct fanout fanout = {
        .server = {.listen = "127.0.0.1:0", .serve = serve, .work = work},
        .part_bytes = 1024,
        .reply_bytes = 1,
    };
    int index = 0;
    for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        if (found == '?')
            return 2;
        take(&fanout, known[index].name, optarg);
    }
    grpc_init();
    fanout.filler = grpc_slice_malloc(fanout.reply_bytes);
    memset(GRPC_SLICE_START_PTR(fanout.filler), 'f', fanout.reply_bytes);
    fanout.server.ctx = &fanout;
    connect_echoes(&fanout);
    lb_bench_serve(&fanout.server);
    return 0;
}
