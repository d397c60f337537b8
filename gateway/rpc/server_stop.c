/* Ending a server: the six steps, in which nothing is freed that a poller or worker still uses. */
#include <errno.h>
#include <stdlib.h>

#include "gateway/rpc/server_core.h"
#include "gateway/rpc/stream.h"

/* Waiting is cut into pieces, so that a call that slipped in is told to stop as well. */
#define PATIENCE_MS 200

void lb_rpc_server_free(struct lb_rpc_server *server)
{
    if (server == NULL)
        return;
    lb_rpc_account_remove(server->options.runtime, &server->account);
    if (server->core != NULL)
        grpc_server_destroy(server->core);
    lb_rpc_gate_shut(server->gate);
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    free(server->methods);
    free(server->listen);
    free(server);
}

static void cancel_one(struct lb_rpc_stream *stream, void *arg)
{
    (void)arg;
    lb_rpc_stream_cancel(stream, LB_FAULT(LB_STOPPING, "the server is stopping"));
}

static bool at_rest(const struct lb_rpc_server *server)
{
    return server->core_stopped && server->num_live == 0 && server->num_armed == 0;
}

/* Waits until no call, accept or core work is left, at most ms. */
static bool wait_rest(struct lb_rpc_server *server, int64_t ms)
{
    struct timespec until = lb_rpc_after_ms(ms);
    int rc = 0;
    (void)pthread_mutex_lock(&server->lock);
    while (!at_rest(server) && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    bool rest = at_rest(server);
    (void)pthread_mutex_unlock(&server->lock);
    return rest;
}

void lb_rpc_server_shut(struct lb_rpc_server *server)
{
    if (server == NULL || server->core == NULL)
        return;
    (void)pthread_mutex_lock(&server->lock);
    bool was_open = !server->stopping;
    server->stopping = true; /* 1: no slot is armed any more */
    (void)pthread_mutex_unlock(&server->lock);
    if (was_open)
        grpc_server_shutdown_and_notify(server->core, server->options.runtime->pollers[0].queue,
                                        &server->stopped); /* 2 */
}

void lb_rpc_server_stop(struct lb_rpc_server *server, int64_t grace_ms)
{
    if (server == NULL)
        return;
    if (server->core == NULL) {
        lb_rpc_server_free(server);
        return;
    }
    struct lb_rpc_runtime *runtime = server->options.runtime;
    lb_rpc_server_shut(server);
    bool rest = wait_rest(server, grace_ms);           /* 3 */
    if (!rest) {
        lb_rpc_live_each(runtime, server, cancel_one, NULL); /* 4: with a code that clients see */
        rest = wait_rest(server, PATIENCE_MS);
    }
    while (!rest) { /* 5: a worker may hold a call long after its client is gone */
        lb_rpc_live_each(runtime, server, cancel_one, NULL);
        grpc_server_cancel_all_calls(server->core);
        rest = wait_rest(server, PATIENCE_MS);
    }
    lb_rpc_server_free(server); /* 6 */
}
