#ifndef GATEWAY_MAINS_DOORS_H
#define GATEWAY_MAINS_DOORS_H

#include "gateway/mains/node.h"
#include "gateway/services/window_http.h"

/*
 * The window agent's ways in besides its Unix socket: HTTP+JSON and gRPC on loopback ports, for
 * window systems that lack Unix sockets, both for callers that bring the secret.
 *
 * Configuration:
 *   local: {http: 127.0.0.1:7080, grpc: 127.0.0.1:7081, secret: agent.secret}   # one port at least
 */
struct lb_doors {
    const char *http_listen;  /* NULL: none */
    const char *grpc_listen;  /* NULL: none */
    const uint8_t *secret;    /* LB_LOCAL_SECRET_BYTES */
    struct lb_window_http *http;
    struct lb_http_server *http_server;
    struct lb_rpc_server *grpc_server;
};

/* lb_doors_read reads `local`, which may be missing. CONFIG_INVALID, FILE_FAILED. */
LB_MUST lb_status lb_doors_read(struct lb_node_program *node, struct lb_doors *doors);
/* lb_doors_open serves; what it fails with stands in node->diag. */
LB_MUST lb_status lb_doors_open(struct lb_doors *doors, struct lb_node_program *node,
                                struct lb_window *window);
/* lb_doors_close ends it all; also when nothing was opened. */
void lb_doors_close(struct lb_doors *doors);

#endif
