#include "gateway/rpc/server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/diag.h"
#include "gateway/base/loopback.h"
#include "gateway/rpc/args.h"
#include "gateway/rpc/credentials.h"
#include "gateway/rpc/server_core.h"

#define UNIX_SCHEME "unix:"

static const char *socket_path(const char *listen)
{
    size_t scheme = strlen(UNIX_SCHEME);
    return strncmp(listen, UNIX_SCHEME "/", scheme + 1) == 0 ? listen + scheme : NULL;
}

/* --- accepting --- */

static void arm(struct lb_rpc_slot *slot)
{
    struct lb_rpc_server *server = slot->server;
    grpc_call_details_init(&slot->details);
    grpc_metadata_array_init(&slot->metadata);
    slot->call = NULL;
    (void)pthread_mutex_lock(&server->lock);
    bool start = !server->stopping;
    if (start)
        server->num_armed++;
    (void)pthread_mutex_unlock(&server->lock);
    if (start)
        (void)grpc_server_request_call(server->core, &slot->call, &slot->details, &slot->metadata,
                                       slot->poller->queue, slot->poller->queue, &slot->accepted);
}

static void disarm(struct lb_rpc_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->num_armed--;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

static void accepted(struct lb_rpc_tag *tag, bool ok)
{
    struct lb_rpc_slot *slot = LB_RPC_OWNER(tag, struct lb_rpc_slot, accepted);
    struct lb_rpc_server *server = slot->server;
    if (!ok) {
        grpc_call_details_destroy(&slot->details);
        grpc_metadata_array_destroy(&slot->metadata);
        disarm(server);
        return;
    }
    struct lb_rpc_incoming incoming = {
        .poller = slot->poller,
        .call = slot->call,
        .details = slot->details,
        .metadata = slot->metadata,
    };
    arm(slot);
    lb_rpc_server_serve(server, &incoming);
    grpc_call_details_destroy(&incoming.details);
    grpc_metadata_array_destroy(&incoming.metadata);
    disarm(server); /* the accept that came back; arm counted the new one */
}

lb_status lb_rpc_server_enter(struct lb_rpc_server *server)
{
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&server->lock);
    server->num_live++;
    if (server->stopping)
        status = LB_FAULT(LB_STOPPING, "the server is stopping");
    else if (server->num_live > server->options.max_calls)
        status = LB_FAULT(LB_BUSY, "too many calls in flight");
    (void)pthread_mutex_unlock(&server->lock);
    return status;
}

void lb_rpc_server_leave(struct lb_rpc_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->num_live--;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

/* --- starting --- */

static void stopped(struct lb_rpc_tag *tag, bool ok)
{
    (void)ok;
    struct lb_rpc_server *server = LB_RPC_OWNER(tag, struct lb_rpc_server, stopped);
    (void)pthread_mutex_lock(&server->lock);
    server->core_stopped = true;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
}

/* Plaintext that never leaves the machine, whose callers prove themselves another way. */
static bool is_guarded_loopback(const struct lb_rpc_server_options *options)
{
    struct lb_loopback loopback;
    return options->identity == NULL && options->admit != NULL &&
           lb_loopback_parse(options->listen, &loopback) == LB_OK;
}

static lb_status check_options(const struct lb_rpc_server_options *options, struct lb_diag *diag)
{
    bool is_unix = strncmp(options->listen, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0;
    if (is_unix && socket_path(options->listen) == NULL) {
        lb_diag_set(diag, "%s: a Unix socket is given as unix:/absolute/path", options->listen);
        LB_FAIL(LB_CONFIG_INVALID, "unix address");
    }
    if ((is_unix && options->identity == NULL) || is_guarded_loopback(options))
        return LB_OK;
    if (options->identity == NULL || options->verifier.verify == NULL) {
        lb_diag_set(diag, "%s: a network address needs a certificate, a key and a CA; plaintext is "
                          "served on unix:/path, or on 127.0.0.1:PORT to callers with a secret",
                    options->listen);
        LB_FAIL(LB_CONFIG_INVALID, "TCP address without an identity");
    }
    return lb_rpc_identity_check(options->runtime, options->identity, diag);
}

static lb_status server_alloc(const struct lb_rpc_server_options *options,
                              struct lb_rpc_server **out_server)
{
    size_t num_slots = options->runtime->num_pollers * LB_RPC_SLOTS_PER_POLLER;
    struct lb_rpc_server *server =
        calloc(1, sizeof(*server) + num_slots * sizeof(server->slots[0]));
    LB_ENSURE(server != NULL, LB_NO_MEMORY, "server");
    (void)pthread_mutex_init(&server->lock, NULL);
    lb_rpc_cond_init(&server->changed);
    server->options = *options;
    server->proves_callers = options->identity != NULL;
    server->options.identity = NULL; /* not needed after the start, and not ours to keep */
    server->stopped.done = stopped;
    server->num_slots = num_slots;
    server->listen = strdup(options->listen);
    server->methods = calloc(options->num_methods + 1, sizeof(server->methods[0]));
    if (server->listen == NULL || server->methods == NULL) {
        lb_rpc_server_free(server);
        LB_FAIL(LB_NO_MEMORY, "server");
    }
    memcpy(server->methods, options->methods, options->num_methods * sizeof(server->methods[0]));
    server->options.methods = server->methods;
    server->options.listen = server->listen;
    *out_server = server;
    return LB_OK;
}

/* The core removes a socket file that is in its way, so a server that still answers there must be
 * found first. */
static bool socket_answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return false;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool answers = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    (void)close(fd);
    return answers;
}

static lb_status bind_to(struct lb_rpc_server *server, grpc_server_credentials *credentials,
                         struct lb_diag *diag)
{
    const char *path = socket_path(server->listen);
    bool taken = path != NULL && socket_answers(path);
    if (!taken)
        server->port = grpc_server_add_http2_port(server->core, server->listen, credentials);
    if (taken || server->port == 0) {
        lb_diag_set(diag, "%s: cannot listen here; another process holds the address, or it does "
                          "not belong to this machine; stop that process or choose another address",
                    server->listen);
        LB_FAIL(LB_CONFIG_INVALID, "the address cannot be bound");
    }
    if (path == NULL)
        return LB_OK;
    server->port = 0;
    mode_t mode = S_IRUSR | S_IWUSR | (server->proves_callers ? S_IRGRP | S_IWGRP : 0);
    if (chmod(path, mode) != 0) {
        lb_diag_set(diag, "%s: the socket cannot be closed to other users", server->listen);
        LB_FAIL(LB_CONFIG_INVALID, "socket mode");
    }
    return LB_OK;
}

static lb_status core_new(struct lb_rpc_server *server,
                          const struct lb_rpc_server_options *options, struct lb_diag *diag)
{
    struct lb_rpc_args args;
    grpc_server_credentials *credentials = NULL;
    LB_TRY(lb_rpc_gate_new(options->verifier, NULL, &server->gate));
    LB_TRY(lb_rpc_credentials_server(options->runtime, options->identity, server->gate,
                                     &credentials));
    lb_rpc_args_server(&args, options->max_calls);
    server->core = grpc_server_create(&args.args, NULL);
    for (size_t i = 0; i < options->runtime->num_pollers; i++)
        grpc_server_register_completion_queue(server->core, options->runtime->pollers[i].queue,
                                              NULL);
    lb_status status = bind_to(server, credentials, diag);
    grpc_server_credentials_release(credentials);
    return status;
}

static enum lb_rpc_state listens(const void *owner)
{
    (void)owner;
    return LB_RPC_LISTENING;
}

static void serve(struct lb_rpc_server *server)
{
    grpc_server_start(server->core);
    server->account.owner = server;
    server->account.target = server->listen;
    server->account.state = listens;
    lb_rpc_account_add(server->options.runtime, &server->account);
    for (size_t i = 0; i < server->num_slots; i++) {
        struct lb_rpc_slot *slot = &server->slots[i];
        slot->accepted.done = accepted;
        slot->server = server;
        slot->poller = &server->options.runtime->pollers[i / LB_RPC_SLOTS_PER_POLLER];
        arm(slot);
    }
}

lb_status lb_rpc_server_new(const struct lb_rpc_server_options *options, struct lb_diag *diag,
                            struct lb_rpc_server **out_server)
{
    LB_TRY(check_options(options, diag));
    struct lb_rpc_server *server = NULL;
    LB_TRY(server_alloc(options, &server));
    lb_status status = core_new(server, options, diag);
    if (status != LB_OK) {
        lb_rpc_server_stop(server, 0);
        return status;
    }
    serve(server);
    *out_server = server;
    return LB_OK;
}

int lb_rpc_server_port(const struct lb_rpc_server *server)
{
    return server->port;
}
