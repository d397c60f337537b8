#ifndef GATEWAY_RPC_SERVER_CORE_H
#define GATEWAY_RPC_SERVER_CORE_H

#include "gateway/rpc/core.h"
#include "gateway/rpc/account.h"
#include "gateway/rpc/gate.h"
#include "gateway/rpc/server.h"

/* The inside of a server, seen by this folder only. */

/* Calls each poller is ready to accept; the core queues what comes faster. */
#define LB_RPC_SLOTS_PER_POLLER 8U

struct lb_rpc_slot {
    struct lb_rpc_tag accepted;
    struct lb_rpc_server *server;
    struct lb_rpc_poller *poller;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
};

struct lb_rpc_server {
    struct lb_rpc_server_options options; /* what its pointers point at is the caller's or below */
    struct lb_rpc_method *methods;
    struct lb_rpc_gate *gate;
    grpc_server *core;
    char *listen;
    bool proves_callers; /* by their certificates, and not by a socket's mode alone */
    int port;
    struct lb_rpc_tag stopped;
    struct lb_rpc_account account;

    pthread_mutex_t lock; /* guards up to num_slots */
    pthread_cond_t changed;
    bool stopping;
    bool core_stopped;
    size_t num_armed; /* slots waiting in the core */
    size_t num_live;  /* calls whose stream is not closed or whose worker is not done */

    size_t num_slots;
    struct lb_rpc_slot slots[];
};

/* What came in; the metadata array's elements live as long as the call. */
struct lb_rpc_incoming {
    struct lb_rpc_poller *poller;
    grpc_call *call;
    grpc_call_details details;
    grpc_metadata_array metadata;
};

/* lb_rpc_server_serve takes over an accepted call: checks, finds the method, runs it. */
void lb_rpc_server_serve(struct lb_rpc_server *server, struct lb_rpc_incoming *incoming);

/* lb_rpc_server_enter counts a call in: BUSY above max_calls, STOPPING while stopping. It is
 * counted whatever the result, and lb_rpc_server_leave must follow. */
LB_MUST lb_status lb_rpc_server_enter(struct lb_rpc_server *server);
void lb_rpc_server_leave(struct lb_rpc_server *server);

/* lb_rpc_server_free frees a stopped or never started server; NULL is allowed. */
void lb_rpc_server_free(struct lb_rpc_server *server);

/* lb_rpc_health_answer packs the reply to grpc.health.v1.Health/Check. ABSENT for a service that
 * the server does not have, MALFORMED and TOO_LARGE for another message. */
LB_MUST lb_status lb_rpc_health_answer(const struct lb_rpc_server *server, struct lb_span request,
                                       struct lb_arena *arena, struct lb_span *out_reply);
#define LB_RPC_HEALTH_PATH "/grpc.health.v1.Health/Check"

#endif
