#ifndef GATEWAY_RPC_SERVER_H
#define GATEWAY_RPC_SERVER_H

#include "gateway/base/admission.h"
#include "gateway/base/arena.h"
#include "gateway/base/meter.h"
#include "gateway/base/workers.h"
#include "gateway/rpc/runtime.h"

/* What a handler is told about a call. Valid as long as the call. */
struct lb_rpc_call_info {
    const char *method;
    const struct lb_rpc_peer *peer;
    int64_t deadline_unix_ms;  /* never later than now + LB_MAX_DEADLINE_MS for unary calls; 0 on a
                                  stream without one */
    const struct lb_rpc_metadata *metadata;  /* at most 16 KiB in all */
    size_t num_metadata;
};

/* lb_rpc_call_metadata finds a value by key; the empty span when absent, and when the key was sent
 * more than once, so that nobody can disagree about which one counts. */
struct lb_span lb_rpc_call_metadata(const struct lb_rpc_call_info *info, const char *key);

/*
 * One method. A unary handler runs on the workers and may block: it reads `request`, puts the reply
 * (allocated in the call's arena) into *reply, and its status becomes the call's. It runs to
 * its end even when the caller has gone meanwhile. A stream handler is opened on a poller: it sets
 * *out_events and *out_self for the stream, or refuses, and then it gets no events; for a
 * server-streaming method the single request arrives as the first message. What outlives `closed`
 * needs a reference of its own to the stream, and none to `info`.
 */
struct lb_rpc_method {
    const char *path;  /* "/lianban.v1.Broker/Collect" */
    lb_status (*unary)(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                       struct lb_arena *arena, struct lb_span *reply);
    lb_status (*stream)(void *ctx, const struct lb_rpc_call_info *info,
                        struct lb_rpc_stream *stream,
                        const struct lb_rpc_stream_events **out_events, void **out_self);
    void *ctx;
    /* What a unary method is to the server's admission; LB_RPC_LIGHT passes it by. */
    enum { LB_RPC_LIGHT, LB_RPC_BEGINS, LB_RPC_FINISHES } load;
};

struct lb_rpc_server;

struct lb_rpc_server_options {
    struct lb_rpc_runtime *runtime;
    /* "127.0.0.1:7443" or "unix:/path" (0660) with TLS; "unix:/path" (0600) in plaintext when
     * identity is NULL. A TCP address without an identity is refused with CONFIG_INVALID, unless it
     * is the loopback's and `admit` judges the callers. Port 0 picks a free one. */
    const char *listen;
    const struct lb_rpc_identity *identity;
    struct lb_rpc_verifier verifier;  /* verify may be NULL without an identity only */
    /* Judges every call by its metadata, the health check's too; asked on a poller: it must not
     * block. NULL: nothing to judge. */
    lb_status (*admit)(void *ctx, const struct lb_rpc_call_info *info);
    void *admit_ctx;
    struct lb_workers *workers;       /* for unary handlers */
    const struct lb_rpc_method *methods;
    size_t num_methods;
    struct lb_meter *meter;           /* counts calls, the health check's not; NULL: nobody does */
    size_t max_calls;                 /* in flight; more are refused with BUSY */
    /* Asked before a unary call that is no light one takes a worker, by the caller's organization;
     * what it refuses is told to `refused` (on a poller: it must not block), which may be NULL.
     * NULL: nobody is. */
    struct lb_admission *admission;
    void (*refused)(void *ctx, const char *peer, enum lb_code code);
    void *refused_ctx;
    /* Health of the whole server and each service: SERVING while this returns true. NULL: always.
     * Asked on a poller: it must not block. */
    bool (*healthy)(void *ctx);
    void *healthy_ctx;
};

/* lb_rpc_server_new binds and serves, grpc.health.v1.Health/Check included. The options' methods
 * and strings are copied; what a method's ctx, the verifier's and the workers point at must outlive
 * the server. CONFIG_INVALID with a sentence in diag when the port is taken, a certificate file is
 * missing or unusable, or a network address comes without an identity; NO_MEMORY. */
struct lb_diag;
LB_MUST lb_status lb_rpc_server_new(const struct lb_rpc_server_options *options,
                                    struct lb_diag *diag, struct lb_rpc_server **out_server);
/* lb_rpc_server_port returns the bound port, 0 for a Unix socket. */
int lb_rpc_server_port(const struct lb_rpc_server *server);
/* lb_rpc_server_shut refuses new calls from now on, and tells clients to go elsewhere; those in
 * flight go on, and lb_rpc_server_stop is still due. NULL is allowed. */
void lb_rpc_server_shut(struct lb_rpc_server *server);
/* lb_rpc_server_stop refuses new calls, waits up to grace_ms for those in flight, cancels the rest
 * with STOPPING, waits for handlers that still run, and frees the server. Not to be called on a
 * poller or worker. NULL is allowed. */
void lb_rpc_server_stop(struct lb_rpc_server *server, int64_t grace_ms);

#endif
