#include "bench/ends.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"

#define MAX_MESSAGE_BYTES (8 * 1024 * 1024)

void lb_bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

size_t lb_bench_count(const char *name, const char *text, size_t max)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (end == text || *end != 0 || text[0] == '-' || value < 1 || value > max)
        lb_bench_die("--%s must be from 1 to %zu", name, max);
    return (size_t)value;
}

void lb_bench_poll(grpc_completion_queue *queue)
{
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return;
        struct lb_bench_tag *tag = event.tag;
        tag->done(tag, event.success != 0);
    }
}

bool lb_bench_identity_option(struct lb_bench_identity *identity, const char *name,
                              const char *value)
{
    const char **into = strcmp(name, "cert") == 0  ? &identity->cert
                        : strcmp(name, "key") == 0 ? &identity->key
                        : strcmp(name, "ca") == 0  ? &identity->ca
                                                   : NULL;
    if (into == NULL)
        return false;
    *into = value;
    return true;
}

/* --- credentials --- */

struct pems {
    struct lb_arena *arena;
    const char *ca;
    grpc_ssl_pem_key_cert_pair pair;
};

static const char *read_pem(struct lb_arena *arena, const char *path)
{
    struct lb_span content;
    if (path == NULL)
        lb_bench_die("--cert, --key and --ca are needed");
    lb_status status = lb_file_read(path, LB_MAX_PEM_BYTES, arena, &content);
    if (status != LB_OK)
        lb_bench_die("%s: %s", path, status->what);
    return (const char *)content.ptr;
}

static struct pems read_pems(const struct lb_bench_identity *identity)
{
    struct pems pems = {.arena = lb_arena_new(4 * (size_t)LB_MAX_PEM_BYTES)};
    if (pems.arena == NULL)
        lb_bench_die("out of memory");
    pems.ca = read_pem(pems.arena, identity->ca);
    pems.pair.cert_chain = read_pem(pems.arena, identity->cert);
    pems.pair.private_key = read_pem(pems.arena, identity->key);
    return pems;
}

grpc_server_credentials *lb_bench_server_credentials(const struct lb_bench_identity *identity)
{
    struct pems pems = read_pems(identity);
    grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_ex(
        pems.ca, &pems.pair, 1, GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, NULL);
    lb_arena_free(pems.arena);
    return credentials;
}

static grpc_channel_credentials *channel_credentials(const struct lb_bench_identity *identity)
{
    if (identity == NULL)
        return grpc_insecure_credentials_create();
    struct pems pems = read_pems(identity);
    grpc_channel_credentials *credentials =
        grpc_ssl_credentials_create(pems.ca, &pems.pair, NULL, NULL);
    lb_arena_free(pems.arena);
    return credentials;
}

static grpc_arg setting(const char *key, int value)
{
    grpc_arg arg = {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key};
    arg.value.integer = value;
    return arg;
}

grpc_channel *lb_bench_channel_new(const char *target, const struct lb_bench_identity *identity)
{
    grpc_channel_credentials *credentials = channel_credentials(identity);
    grpc_arg settings[] = {
        setting(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, MAX_MESSAGE_BYTES),
        setting(GRPC_ARG_ENABLE_RETRIES, 0),
        setting(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        setting(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
        setting(GRPC_ARG_ENABLE_CHANNELZ, 0),
        setting(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
    };
    const grpc_channel_args args = {sizeof(settings) / sizeof(settings[0]), settings};
    grpc_channel *channel = grpc_channel_create(target, credentials, &args);
    grpc_channel_credentials_release(credentials);
    return channel;
}
