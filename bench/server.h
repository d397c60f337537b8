#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include "bench/ends.h"

/*
 * A bare unary server: one thread and one queue per core, one registered method whose request comes
 * with the call, one batch for the reply, slots that are made once and used again.
 */
struct lb_bench_server;

/* One call. Everything about it happens on the thread of its queue. */
struct lb_bench_slot {
    struct lb_bench_tag accepted;
    struct lb_bench_tag replied;
    struct lb_bench_server *server;
    grpc_completion_queue *queue;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *request; /* freed with the call */
    int cancelled;
    void *work; /* what options.work made */
};

struct lb_bench_server_options {
    const char *listen; /* host:port; port 0 takes a free one */
    struct lb_bench_identity identity;
    void *ctx;
    /* The queues are there, one for each thread that will run; may be NULL. */
    void (*ready)(void *ctx, grpc_completion_queue **queues, size_t num);
    /* Makes what a slot keeps from call to call; may be NULL. */
    void *(*work)(void *ctx, struct lb_bench_slot *slot);
    /* A request is there; lb_bench_reply must follow, now or later. */
    void (*serve)(void *ctx, struct lb_bench_slot *slot);
};

/* lb_bench_reply answers a call; the buffer is empty afterwards, and still the caller's. */
void lb_bench_reply(struct lb_bench_slot *slot, grpc_byte_buffer *reply);

/* lb_bench_refuse answers a call with a status that is not OK. */
void lb_bench_refuse(struct lb_bench_slot *slot, grpc_status_code code);

/* lb_bench_serve listens, prints "port N" on standard output, and serves until the process is
 * killed. Any failure to start ends the program. */
void lb_bench_serve(const struct lb_bench_server_options *options);

#endif
