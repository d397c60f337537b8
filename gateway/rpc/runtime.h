#ifndef GATEWAY_RPC_RUNTIME_H
#define GATEWAY_RPC_RUNTIME_H

#include "gateway/base/limits.h"
#include "gateway/base/buf.h"
#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * The gRPC C core, the only place that sees it: pollers, credentials, servers, channels and message
 * streams. It knows bytes, metadata, peers and deadlines, and nothing of what they mean.
 *
 * One thread and one completion queue per poller. Callbacks run on a poller and must not block;
 * blocking handlers run on the server's workers.
 */
struct lb_rpc_runtime;

/* lb_rpc_runtime_new starts gRPC and num_pollers threads; 0 means one per core. To be called early
 * by main: it pins the cipher suites in the environment, where the core looks for them. Fails with
 * VERSION_UNSUPPORTED when the linked core is not the 1.51 series we were built for, NO_MEMORY when
 * threads or memory run out. */
LB_MUST lb_status lb_rpc_runtime_new(size_t num_pollers, struct lb_rpc_runtime **out_runtime);
/* lb_rpc_runtime_free stops the pollers; every server and channel must be gone. NULL is allowed. */
void lb_rpc_runtime_free(struct lb_rpc_runtime *runtime);

/* lb_rpc_runtime_progress says whether every poller has come round to its queue since this last
 * said so; one without work does once a second. For a watchdog; one thread at a time. */
bool lb_rpc_runtime_progress(struct lb_rpc_runtime *runtime);

/* Who is at the other end, proved by the TLS handshake. */
struct lb_rpc_peer {
    const char *spiffe;        /* "" on a plaintext Unix socket */
    struct lb_span chain_pem;  /* what it presented, leaf first; empty on a Unix socket */
};

/*
 * Judges a peer. Called in every handshake, on every call, on every message in either direction,
 * and for all live calls every LB_PEER_SWEEP_MS; from any thread, several at a time. It must be
 * fast for a peer seen before (comparing the chain with a remembered one is quicker than hashing
 * it), must not block, and must not call back into this folder. Anything but LB_OK ends the
 * handshake or the call with that code.
 */
struct lb_rpc_verifier {
    void *ctx;
    lb_status (*verify)(void *ctx, const struct lb_rpc_peer *peer);
};

/* This process's own certificate. Files are re-read when they change (checked once a second), so a
 * renewed certificate serves new connections without a restart. */
struct lb_rpc_identity {
    const char *cert_path; /* leaf first, intermediates behind it */
    const char *key_path;  /* closed to group and others */
    const char *ca_path;   /* every CA whose members may connect; checked besides the verifier */
};

/* lb_rpc_identity_check reads the files once and tries them together, so that a mistake is found at
 * start: CONFIG_INVALID with a sentence in diag when one is missing, unreadable, no PEM, when the
 * key is open to others or does not belong to the certificate. Server and channel do it
 * themselves. */
struct lb_diag;
LB_MUST lb_status lb_rpc_identity_check(const struct lb_rpc_runtime *runtime,
                                        const struct lb_rpc_identity *identity,
                                        struct lb_diag *diag);

struct lb_rpc_metadata {
    const char *key;  /* lower case */
    struct lb_span value;
};

/*
 * A bidirectional stream of messages, either end of any call. Its owner gets events, one at a time:
 * messages, then exactly one `closed`, which is the last. Between, the owner may use it from any
 * thread while it holds a reference (lb_rpc_stream_ref) or is inside an event.
 */
struct lb_rpc_stream;

struct lb_rpc_stream_events {
    /* A message arrived; bytes are valid during the call. The next is read only after this returns
     * (flow control), unless lb_rpc_stream_pause was called. May be NULL for send-only use. */
    void (*message)(void *self, struct lb_rpc_stream *stream, struct lb_span bytes);
    /* The peer will send no more messages. May be NULL. */
    void (*half_closed)(void *self, struct lb_rpc_stream *stream);
    /* A write slot is free and lb_rpc_stream_kick was called: put the next message into out and
     * return true, or return false when there is nothing to send. Never two calls at once. May be
     * NULL when only lb_rpc_stream_send is used. */
    bool (*fill)(void *self, struct lb_rpc_stream *stream, struct lb_buf *out);
    /* The call is over: LB_OK or why. The stream reference given to the owner ends after this. */
    void (*closed)(void *self, struct lb_rpc_stream *stream, lb_status status);
};

/* lb_rpc_stream_send queues one message (copied). BUSY when more than 64 messages or 8 MiB wait;
 * TOO_LARGE above LB_MAX_MESSAGE_BYTES; CANCELLED when the call is over or finished. */
LB_MUST lb_status lb_rpc_stream_send(struct lb_rpc_stream *stream, struct lb_span bytes);
/* lb_rpc_stream_kick asks for `fill` as soon as no write is in flight: what queues behind a write
 * goes together into the next message. Cheap; any thread. */
void lb_rpc_stream_kick(struct lb_rpc_stream *stream);
/* lb_rpc_stream_pause, called inside `message`, stops reading after that message; nothing more is
 * taken from the peer (flow control holds it back) until lb_rpc_stream_resume, from any thread. A
 * server's status waits behind messages that are not read; cancelling ends a paused call too. */
void lb_rpc_stream_pause(struct lb_rpc_stream *stream);
void lb_rpc_stream_resume(struct lb_rpc_stream *stream);
/* lb_rpc_stream_finish: on a server, sends what is queued, then the status (LB_OK or a failure with
 * its outer code; a failure of INNER scope travels as plain OK, its outcome is in the messages); on
 * a client, half-closes after what is queued (status is ignored). */
void lb_rpc_stream_finish(struct lb_rpc_stream *stream, lb_status status);
/* lb_rpc_stream_cancel ends the call at once; `closed` follows with the given reason (LB_OK counts
 * as CANCELLED). What is queued is dropped. A server's peer is told the reason's outer code. */
void lb_rpc_stream_cancel(struct lb_rpc_stream *stream, lb_status reason);
/* lb_rpc_stream_peer returns who is at the other end; borrowed from the stream. On a client it is
 * empty ("" and no chain) until the call is connected, which is so in every event but a `closed`
 * of a server never reached. */
const struct lb_rpc_peer *lb_rpc_stream_peer(const struct lb_rpc_stream *stream);
void lb_rpc_stream_ref(struct lb_rpc_stream *stream);
void lb_rpc_stream_unref(struct lb_rpc_stream *stream);

#endif
