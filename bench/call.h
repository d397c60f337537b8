#ifndef BENCH_CALL_H
#define BENCH_CALL_H

#include "bench/ends.h"
#include "gateway/base/span.h"

/* A client's call on the one queue of the load: one request, and one reply or a stream of them. */

/* Where a call goes; made once. */
struct lb_bench_route {
    grpc_channel *channel;
    void *registered;
    bool streams;
};

/* lb_bench_route_to registers a method ("/package.Service/Method") on a channel. */
struct lb_bench_route lb_bench_route_to(grpc_channel *channel, const char *method, bool streams);

struct lb_bench_call {
    struct lb_bench_tag ended;
    struct lb_bench_tag received;
    grpc_completion_queue *queue;
    void *self;
    /* A reply came; the bytes are valid during the call. */
    void (*message)(void *self, struct lb_span bytes);
    /* The call is over and may be started again; details are valid during the call. */
    void (*closed)(void *self, grpc_status_code code, struct lb_span details);
    const char *metadata_key; /* one entry with every call; NULL for none */
    const char *metadata_value;

    grpc_call *call;
    grpc_metadata metadata;
    grpc_byte_buffer *request;
    grpc_byte_buffer *reply;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
    bool over;
    bool reading;
};

/* lb_bench_call_init sets what stays the same from call to call. */
void lb_bench_call_init(struct lb_bench_call *call, grpc_completion_queue *queue, void *self,
                        void (*message)(void *self, struct lb_span bytes),
                        void (*closed)(void *self, grpc_status_code code, struct lb_span details));

/* lb_bench_call_start sends a request (copied) and waits for a connection if there is none. */
void lb_bench_call_start(struct lb_bench_call *call, const struct lb_bench_route *route,
                         struct lb_span request);

#endif
