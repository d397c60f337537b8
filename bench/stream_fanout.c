/* A bare broker over long-lived streams: one unary request becomes a numbered item on the one
 * mutual-TLS stream to each echo; while a write is in flight, what queues behind it is coalesced
 * into the next message. When all have answered, their answers go back in one reply. */
#include <grpc/support/log.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/echoes.h"
#include "bench/items.h"

#define MAX_JOBS 4096

struct fanout;

/* The stream to one echo. Its answers come on one queue; whoever has a request queues it. */
struct stream {
    struct lb_bench_tag begun, received, written, ended;
    struct fanout *fanout;
    size_t index;
    grpc_call *call;
    pthread_mutex_t lock;          /* of the three below */
    struct lb_bench_items waiting;
    grpc_byte_buffer *outgoing;    /* NULL: no write is in flight */
    grpc_byte_buffer *incoming;
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice details;
};

/* One fan-out. Each answer has its own place, so that only the count is shared. */
struct job {
    struct fanout *fanout;
    struct lb_bench_slot *slot;
    uint32_t number;
    atomic_size_t num_pending;
    grpc_slice answers[LB_BENCH_MAX_ECHOES];
};

struct fanout {
    struct lb_bench_server_options server;
    struct lb_bench_echoes echoes;
    struct stream streams[LB_BENCH_MAX_ECHOES];
    size_t num_jobs;
    struct job *jobs[MAX_JOBS];
};

/* --- the answers --- */

static void answer(struct job *job)
{
    const struct lb_bench_echoes *echoes = &job->fanout->echoes;
    grpc_slice slices[LB_BENCH_MAX_ECHOES + 1];
    size_t num = echoes->num, bytes = 0;
    memcpy(slices, job->answers, num * sizeof(slices[0]));
    for (size_t i = 0; i < num; i++)
        bytes += GRPC_SLICE_LENGTH(slices[i]);
    if (bytes < echoes->reply_bytes)
        slices[num++] = grpc_slice_sub(echoes->filler, 0, echoes->reply_bytes - bytes);
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(slices, num);
    for (size_t i = 0; i < num; i++)
        grpc_slice_unref(slices[i]);
    lb_bench_reply(job->slot, reply);
    grpc_byte_buffer_destroy(reply);
}

static void receive(struct stream *stream)
{
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &stream->incoming;
    GPR_ASSERT(grpc_call_start_batch(stream->call, &op, 1, &stream->received, NULL) ==
               GRPC_CALL_OK);
}

static void on_received(struct lb_bench_tag *tag, bool ok)
{
    struct stream *stream = LB_BENCH_OWNER(tag, struct stream, received);
    struct fanout *fanout = stream->fanout;
    grpc_slice bytes;
    uint32_t number = 0;
    size_t at = 0;
    if (!ok || stream->incoming == NULL)
        lb_bench_die("a stream to an echo ended");
    grpc_slice message = lb_bench_items_read(stream->incoming);
    while (lb_bench_items_next(message, &at, &number, &bytes)) {
        if (number >= fanout->num_jobs)
            lb_bench_die("an answer to nothing");
        struct job *job = fanout->jobs[number];
        job->answers[stream->index] = bytes;
        if (atomic_fetch_sub(&job->num_pending, 1) == 1)
            answer(job);
    }
    grpc_slice_unref(message);
    receive(stream);
}

/* --- the questions --- */

/* Under lock. */
static void write_next(struct stream *stream)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    stream->outgoing = lb_bench_items_take(&stream->waiting);
    if (stream->outgoing == NULL)
        return;
    op.data.send_message.send_message = stream->outgoing;
    GPR_ASSERT(grpc_call_start_batch(stream->call, &op, 1, &stream->written, NULL) ==
               GRPC_CALL_OK);
}

static void on_written(struct lb_bench_tag *tag, bool ok)
{
    struct stream *stream = LB_BENCH_OWNER(tag, struct stream, written);
    (void)ok; /* a stream that broke is told of by what it receives */
    (void)pthread_mutex_lock(&stream->lock);
    grpc_byte_buffer_destroy(stream->outgoing);
    write_next(stream);
    (void)pthread_mutex_unlock(&stream->lock);
}

static void send(struct stream *stream, uint32_t number, grpc_slice bytes)
{
    (void)pthread_mutex_lock(&stream->lock);
    lb_bench_items_put(&stream->waiting, number, bytes);
    if (stream->outgoing == NULL)
        write_next(stream);
    (void)pthread_mutex_unlock(&stream->lock);
}

static void serve(void *ctx, struct lb_bench_slot *slot)
{
    struct fanout *fanout = ctx;
    struct job *job = slot->work;
    grpc_slice request = lb_bench_echoes_request(slot);
    atomic_store(&job->num_pending, fanout->echoes.num);
    for (size_t i = 0; i < fanout->echoes.num; i++)
        send(&fanout->streams[i], job->number, lb_bench_echoes_part(&fanout->echoes, request, i));
    grpc_slice_unref(request);
}

static void *work(void *ctx, struct lb_bench_slot *slot)
{
    struct fanout *fanout = ctx;
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL || fanout->num_jobs == MAX_JOBS)
        lb_bench_die("out of memory");
    job->fanout = fanout;
    job->slot = slot;
    job->number = (uint32_t)fanout->num_jobs;
    fanout->jobs[fanout->num_jobs++] = job;
    return job;
}

/* --- start --- */

static void ignore(struct lb_bench_tag *tag, bool ok)
{
    (void)tag;
    (void)ok;
}

static void on_ended(struct lb_bench_tag *tag, bool ok)
{
    (void)tag;
    (void)ok;
    lb_bench_die("a stream to an echo ended");
}

static void begin(struct stream *stream)
{
    grpc_op hello[2] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA, .flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY},
        {.op = GRPC_OP_RECV_INITIAL_METADATA},
    };
    grpc_op end = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    grpc_metadata_array_init(&stream->initial);
    grpc_metadata_array_init(&stream->trailing);
    hello[1].data.recv_initial_metadata.recv_initial_metadata = &stream->initial;
    end.data.recv_status_on_client.trailing_metadata = &stream->trailing;
    end.data.recv_status_on_client.status = &stream->code;
    end.data.recv_status_on_client.status_details = &stream->details;
    GPR_ASSERT(grpc_call_start_batch(stream->call, hello, 2, &stream->begun, NULL) ==
               GRPC_CALL_OK);
    GPR_ASSERT(grpc_call_start_batch(stream->call, &end, 1, &stream->ended, NULL) ==
               GRPC_CALL_OK);
    receive(stream);
}

static void connect_echoes(void *ctx, grpc_completion_queue **queues, size_t num)
{
    struct fanout *fanout = ctx;
    for (size_t i = 0; i < fanout->echoes.num; i++) {
        struct stream *stream = &fanout->streams[i];
        grpc_channel *channel =
            lb_bench_channel_new(fanout->echoes.targets[i], &fanout->server.identity);
        void *method = grpc_channel_register_call(channel, LB_BENCH_STREAM, NULL, NULL);
        stream->fanout = fanout;
        stream->index = i;
        stream->begun.done = ignore;
        stream->received.done = on_received;
        stream->written.done = on_written;
        stream->ended.done = on_ended;
        (void)pthread_mutex_init(&stream->lock, NULL);
        stream->call = grpc_channel_create_registered_call(
            channel, NULL, GRPC_PROPAGATE_DEFAULTS, queues[i % num], method,
            gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        begin(stream);
    }
}

int main(int argc, char **argv)
{
    static struct fanout fanout = {
        .server = {.ready = connect_echoes, .serve = serve, .work = work}};
    lb_bench_echoes_of(argc, argv, &fanout.server, &fanout.echoes);
    fanout.server.ctx = &fanout;
    lb_bench_serve(&fanout.server);
    return 0;
}
