#include "bench/echoes.h"

#include <getopt.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/log.h>
#include <string.h>

#define MAX_BYTES (1024 * 1024)

static void add_echo(struct lb_bench_echoes *echoes, const char *target)
{
    if (echoes->num == LB_BENCH_MAX_ECHOES)
        lb_bench_die("at most %d echoes", LB_BENCH_MAX_ECHOES);
    echoes->targets[echoes->num++] = target;
}

static void take(struct lb_bench_server_options *server, struct lb_bench_echoes *echoes,
                 const char *name, const char *value)
{
    if (lb_bench_identity_option(&server->identity, name, value))
        return;
    if (strcmp(name, "listen") == 0)
        server->listen = value;
    else if (strcmp(name, "echo") == 0)
        add_echo(echoes, value);
    else if (strcmp(name, "part-bytes") == 0)
        echoes->part_bytes = lb_bench_count(name, value, MAX_BYTES);
    else
        echoes->reply_bytes = lb_bench_count(name, value, MAX_BYTES);
}

void lb_bench_echoes_of(int argc, char **argv, struct lb_bench_server_options *server,
                        struct lb_bench_echoes *echoes)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, 1},     {"echo", required_argument, NULL, 1},
        {"part-bytes", required_argument, NULL, 1}, {"reply-bytes", required_argument, NULL, 1},
        {"cert", required_argument, NULL, 1},       {"key", required_argument, NULL, 1},
        {"ca", required_argument, NULL, 1},         {NULL, 0, NULL, 0}};
    int index = 0;
    *echoes = (struct lb_bench_echoes){.part_bytes = 1024, .reply_bytes = 1};
    server->listen = "127.0.0.1:0";
    for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
        if (found == '?')
            lb_bench_die("no such option");
        take(server, echoes, known[index].name, optarg);
    }
    if (echoes->num == 0)
        lb_bench_die("--echo is needed, once for each");
    grpc_init();
    echoes->filler = grpc_slice_malloc(echoes->reply_bytes);
    memset(GRPC_SLICE_START_PTR(echoes->filler), 'f', echoes->reply_bytes);
}

grpc_slice lb_bench_echoes_request(const struct lb_bench_slot *slot)
{
    grpc_byte_buffer_reader reader;
    GPR_ASSERT(grpc_byte_buffer_reader_init(&reader, slot->request));
    grpc_slice request = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    return request;
}

grpc_slice lb_bench_echoes_part(const struct lb_bench_echoes *echoes, grpc_slice request, size_t i)
{
    size_t len = GRPC_SLICE_LENGTH(request);
    size_t size = echoes->part_bytes < len ? echoes->part_bytes : len;
    size_t last = echoes->num > 1 ? echoes->num - 1 : 1;
    size_t at = (len - size) * i / last;
    return grpc_slice_sub(request, at, at + size);
}
