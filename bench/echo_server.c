/* A bare mutual-TLS echo: takes a request, answers with so many bytes. One department at its
 * cheapest: no database, no judgement, no evidence. */
#include <getopt.h>
#include <grpc/byte_buffer.h>
#include <string.h>

#include "bench/server.h"

#define MAX_REPLY_BYTES (4 * 1024 * 1024)

struct echo {
    grpc_slice bytes;
    bool sized; /* a request begins with how many of them it wants */
};

static size_t wanted(const struct echo *echo, const grpc_byte_buffer *request)
{
    const grpc_slice_buffer *slices = &request->data.raw.slice_buffer;
    uint32_t bytes = 0;
    if (!echo->sized || slices->count == 0 || GRPC_SLICE_LENGTH(slices->slices[0]) < sizeof(bytes))
        return GRPC_SLICE_LENGTH(echo->bytes);
    memcpy(&bytes, GRPC_SLICE_START_PTR(slices->slices[0]), sizeof(bytes));
    return bytes < GRPC_SLICE_LENGTH(echo->bytes) ? bytes : GRPC_SLICE_LENGTH(echo->bytes);
}

/* The core empties the buffer it is given, so each reply has its own; the bytes are shared. */
static void serve(void *ctx, struct lb_bench_slot *slot)
{
    struct echo *echo = ctx;
    grpc_slice bytes = grpc_slice_sub(echo->bytes, 0, wanted(echo, slot->request));
    grpc_byte_buffer *reply = grpc_raw_byte_buffer_create(&bytes, 1);
    grpc_slice_unref(bytes);
    lb_bench_reply(slot, reply);
    grpc_byte_buffer_destroy(reply);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 'l'}, {"reply-bytes", required_argument, NULL, 'r'},
        {"cert", required_argument, NULL, 0},     {"key", required_argument, NULL, 0},
        {"ca", required_argument, NULL, 0},       {"sized", no_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    struct lb_bench_server_options options = {.listen = "127.0.0.1:0", .serve = serve};
    struct echo echo = {.sized = false};
    size_t reply_bytes = 1024;
    int index = 0;
    for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        if (found == '?')
            return 2;
        echo.sized |= found == 's';
        if (found == 'l')
            options.listen = optarg;
        else if (found == 'r')
            reply_bytes = lb_bench_count("reply-bytes", optarg, MAX_REPLY_BYTES);
        else if (found == 0)
            (void)lb_bench_identity_option(&options.identity, known[index].name, optarg);
    }
    grpc_init();
    echo.bytes = grpc_slice_malloc(reply_bytes);
    memset(GRPC_SLICE_START_PTR(echo.bytes), 'e', reply_bytes);
    options.ctx = &echo;
    lb_bench_serve(&options);
    return 0;
}
