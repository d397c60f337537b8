#ifndef BENCH_ECHOES_H
#define BENCH_ECHOES_H

#include "bench/server.h"

/* What every bare fan-out has: the echoes that it asks, what each gets of a request, and how large
 * a reply is. */
#define LB_BENCH_MAX_ECHOES 32

struct lb_bench_echoes {
    size_t num;
    const char *targets[LB_BENCH_MAX_ECHOES];
    size_t part_bytes;  /* of the request that each echo gets */
    size_t reply_bytes; /* of the reply as a whole */
    grpc_slice filler;  /* as long as a reply */
};

/* lb_bench_echoes_of reads the program's arguments, of which wrong ones end it, and begins gRPC:
 * --echo, --part-bytes, --reply-bytes, --listen, and the identity's. */
void lb_bench_echoes_of(int argc, char **argv, struct lb_bench_server_options *server,
                        struct lb_bench_echoes *echoes);

/* lb_bench_echoes_request is a call's request in one piece, lb_bench_echoes_part the i-th echo's
 * bytes of it: each gets another run of the request, as each department gets its own sealed part.
 * The caller unrefs both. */
grpc_slice lb_bench_echoes_request(const struct lb_bench_slot *slot);
grpc_slice lb_bench_echoes_part(const struct lb_bench_echoes *echoes, grpc_slice request, size_t i);

#endif
