#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/limits.h"
#include "gateway/base/loopback.h"
#include "gateway/http/core.h"

#define IDLE_S 60          /* libmicrohttpd's own: a peer that takes nothing of an answer */
#define BACKLOG 64
#define STRICT 1           /* what is no HTTP is refused, not guessed at */
#define STACK_BYTES (512 * 1024)

/* --- exchanges --- */

struct lb_http_exchange *lb_http_exchange_new(struct lb_http_server *server, const char *target)
{
    struct lb_http_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->server = server;
    exchange->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    exchange->target = strdup(target);
    lb_buf_init(&exchange->body, LB_HTTP_MAX_BODY_BYTES);
    if (exchange->arena != NULL && exchange->target != NULL)
        return exchange;
    lb_http_exchange_free(exchange);
    return NULL;
}

void lb_http_exchange_free(struct lb_http_exchange *exchange)
{
    if (exchange == NULL)
        return;
    lb_buf_cleanup(&exchange->body);
    lb_arena_free(exchange->arena);
    free(exchange->target);
    free(exchange);
}

/* --- what libmicrohttpd calls --- */

/* The request's very first bytes, before its headers: the target as it was sent. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    return lb_http_exchange_new(cls, target);
}

/* Targets are compared as they were sent, so nothing in them is ever decoded. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)connection;
    (void)why;
    lb_http_exchange_free(*con_cls);
    *con_cls = NULL;
}

static enum MHD_Result serve(struct lb_http_exchange *exchange, struct MHD_Connection *connection)
{
    const struct lb_http_method *method = exchange->method;
    struct lb_http_reply reply = {.lines = NULL};
    lb_http_watch_whole(exchange->server, connection);
    if (exchange->body.len != exchange->body_len)
        return lb_http_refuse(exchange, connection, LB_FAULT(LB_MALFORMED, "another length"), 0);
    const struct lb_http_request request = {lb_buf_span(&exchange->body), exchange->traceparent};
    lb_status status = method->serve(method->ctx, &request, exchange->arena, &reply);
    if (status != LB_OK)
        return lb_http_refuse(exchange, connection, status, 0);
    return lb_http_answer(exchange, connection, &reply);
}

/* Called once with the head, then for each piece of the body, then at its end. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **con_cls)
{
    struct lb_http_exchange *exchange = *con_cls;
    (void)cls;
    (void)url;
    (void)version;
    if (exchange == NULL || exchange->answered)
        return MHD_NO;
    if (exchange->method == NULL) {
        unsigned http = 0;
        lb_status status = lb_http_check_head(exchange, connection, method, &http);
        return status == LB_OK ? MHD_YES : lb_http_refuse(exchange, connection, status, http);
    }
    if (*upload_len > 0) {
        lb_buf_put(&exchange->body, lb_span_of(upload, *upload_len));
        *upload_len = 0;
        return exchange->body.failed ? MHD_NO : MHD_YES;
    }
    return serve(exchange, connection);
}

/* --- starting and stopping --- */

static socklen_t address_of(const struct lb_loopback *loopback, struct sockaddr_storage *out)
{
    *out = (struct sockaddr_storage){.ss_family = loopback->is_v6 ? AF_INET6 : AF_INET};
    if (loopback->is_v6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
        v6->sin6_addr = in6addr_loopback;
        v6->sin6_port = htons(loopback->port);
        return sizeof(*v6);
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v4->sin_port = htons(loopback->port);
    return sizeof(*v4);
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

/* Ours rather than libmicrohttpd's, so that the port is known before the first request. */
static int open_socket(const struct lb_loopback *loopback)
{
    struct sockaddr_storage address;
    socklen_t len = address_of(loopback, &address);
    int on = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static struct MHD_Daemon *start_daemon(struct lb_http_server *server, int fd)
{
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)LB_HTTP_MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LB_HTTP_MAX_HEAD_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, (int)STRICT,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, lb_http_watch_connection, server,
        MHD_OPTION_END);
}

static lb_status serve_on(struct lb_http_server *server, const struct lb_loopback *loopback,
                          struct lb_diag *diag)
{
    int fd = open_socket(loopback);
    if (fd < 0) {
        lb_diag_set(diag, "%s: cannot listen here; another process holds the port; stop it "
                          "or choose another port",
                    server->options.listen);
        LB_FAIL(LB_CONFIG_INVALID, "the address cannot be bound");
    }
    server->port = bound_port(fd);
    (void)snprintf(server->host[0], sizeof(server->host[0]), "%s:%u",
                   loopback->is_v6 ? "[::1]" : "127.0.0.1", (unsigned)server->port);
    (void)snprintf(server->host[1], sizeof(server->host[1]), "localhost:%u",
                   (unsigned)server->port);
    server->daemon = start_daemon(server, fd);
    LB_ENSURE(server->daemon != NULL, LB_NO_MEMORY, "HTTP server");
    return LB_OK;
}

static lb_status start(struct lb_http_server *server, struct lb_diag *diag)
{
    struct lb_loopback loopback;
    lb_status status = lb_loopback_parse(server->options.listen, &loopback);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: HTTP is served on the loopback only; say 127.0.0.1:PORT",
                    server->options.listen);
    LB_TRY(status);
    LB_TRY(lb_http_sweep_start(server));
    return serve_on(server, &loopback, diag);
}

lb_status lb_http_server_new(const struct lb_http_options *options, struct lb_diag *diag,
                             struct lb_http_server **out_server)
{
    struct lb_http_server *server = calloc(1, sizeof(*server));
    pthread_condattr_t monotonic;
    LB_ENSURE(server != NULL, LB_NO_MEMORY, "server");
    server->options = *options;
    if (options->request_ms == 0)
        server->options.request_ms = LB_HTTP_REQUEST_MS;
    if (options->sign_of_life_ms == 0)
        server->options.sign_of_life_ms = LB_HTTP_SIGN_OF_LIFE_MS;
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    lb_status status = start(server, diag);
    if (status != LB_OK) {
        lb_http_server_stop(server);
        return status;
    }
    *out_server = server;
    return LB_OK;
}

uint16_t lb_http_server_port(const struct lb_http_server *server)
{
    return server->port;
}

void lb_http_server_stop(struct lb_http_server *server)
{
    if (server == NULL)
        return;
    int listening = server->daemon == NULL ? -1 : MHD_quiesce_daemon(server->daemon);
    lb_http_sweep_stop(server);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    if (listening >= 0)
        (void)close(listening);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}
