/* A bare mutual-TLS echo: takes a request, answers with so many bytes. One department at its
 * cheapest: no database, no judgement, no evidence. */
#include <getopt.h>
#include <grpc/byte_buffer.h>
#include <string.h>

#include "bench/server.h"

#define MAX_REPLY_BYTES (1024 * 1024)

/* The core empties the buffer it is given, so each reply has its own; the bytes are shared. */
static void serve(void *ctx, struct lb_bench_slot *slot)
{
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(ctx, 1);
    lb_bench_reply(slot, reply);
    grpc_byte_buffer_destroy(reply);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'}, {"reply-bytes", required_argument, NULL, 'r'},
        {"cert", required_argument, NULL, 0},     {"key", required_argument, NULL, 0},
        {"ca", required_argument, NULL, 0},       {NULL, 0, NULL, 0}};
    struct lb_bench_server_options options = {.listen = "127.0.0.1:0", .serve = serve};
    size_t reply_bytes = 1024;
    int index = 0;
    for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        if (found == '?')
            return 2;
        if (found == 'l')
            options.listen = optarg;
        else if (found == 'r')
            reply_bytes = lb_bench_count("reply-bytes", optarg, MAX_REPLY_BYTES);
        else
            (void)lb_bench_identity_option(&options.identity, known[index].name, optarg);
    }
    grpc_init();
    grpc_slice bytes = grpc_slice_malloc(reply_bytes);
    memset(GRPC_SLICE_START_PTR(bytes), 'e', reply_bytes);
    options.ctx = &bytes;
    lb_bench_serve(&options);
    return 0;
}
