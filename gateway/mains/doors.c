#include "gateway/mains/doors.h"

#include "gateway/base/limits.h"
#include "gateway/base/loopback.h"
#include "gateway/services/local_access.h"

#define MAX_LOCAL_CALLS 256

static lb_status read_listen(struct lb_node_program *node, const struct lb_yaml_node *local,
                             const char *key, const char **out)
{
    struct lb_loopback loopback;
    const char *listen = NULL;
    LB_TRY(lb_yaml_opt_text(local, key, NULL, &node->diag, &listen));
    if (listen == NULL)
        return LB_OK;
    if (lb_loopback_parse(listen, &loopback) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(local, key), &node->diag,
                            "what is plaintext stays on this machine; say 127.0.0.1:PORT");
    *out = lb_arena_str(node->arena, lb_span_str(listen));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

lb_status lb_doors_read(struct lb_node_program *node, struct lb_doors *doors)
{
    static const char *const keys[] = {"http", "grpc", "secret", NULL};
    const struct lb_yaml_node *local = lb_yaml_get(node->root, "local");
    if (local == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(local, keys, &node->diag));
    LB_TRY(read_listen(node, local, "http", &doors->http_listen));
    LB_TRY(read_listen(node, local, "grpc", &doors->grpc_listen));
    if (doors->http_listen == NULL && doors->grpc_listen == NULL)
        return lb_yaml_fail(local, &node->diag, "local has neither http nor grpc; name a port");
    return lb_node_need_secret(node, local, "secret", &doors->secret);
}

static lb_status open_http(struct lb_doors *doors, struct lb_node_program *node,
                           struct lb_window *window)
{
    LB_TRY(lb_window_http_new(window, &doors->http));
    const struct lb_http_options options = {
        .listen = doors->http_listen,
        .admit = lb_local_access_admit_http,
        .admit_ctx = (void *)(uintptr_t)doors->secret,
        .methods = lb_window_http_methods(doors->http),
        .num_methods = LB_WINDOW_METHODS,
    };
    return lb_http_server_new(&options, &node->diag, &doors->http_server);
}

static lb_status open_grpc(struct lb_doors *doors, struct lb_node_program *node,
                           struct lb_window *window)
{
    struct lb_rpc_method methods[LB_WINDOW_METHODS];
    lb_window_service_methods(window, methods);
    const struct lb_rpc_server_options options = {
        .runtime = node->runtime,
        .listen = doors->grpc_listen,
        .workers = node->workers,
        .admit = lb_local_access_admit_rpc,
        .admit_ctx = (void *)(uintptr_t)doors->secret,
        .methods = methods,
        .num_methods = LB_WINDOW_METHODS,
        .max_calls = MAX_LOCAL_CALLS,
    };
    return lb_rpc_server_new(&options, &node->diag, &doors->grpc_server);
}

lb_status lb_doors_open(struct lb_doors *doors, struct lb_node_program *node,
                        struct lb_window *window)
{
    if (doors->http_listen != NULL)
        LB_TRY(open_http(doors, node, window));
    if (doors->grpc_listen != NULL)
        LB_TRY(open_grpc(doors, node, window));
    return LB_OK;
}

void lb_doors_close(struct lb_doors *doors)
{
    lb_http_server_stop(doors->http_server);
    lb_rpc_server_stop(doors->grpc_server, LB_STOP_GRACE_MS);
    lb_window_http_free(doors->http);
    *doors = (struct lb_doors){.http_listen = NULL};
}
