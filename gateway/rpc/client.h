#ifndef GATEWAY_RPC_CLIENT_H
#define GATEWAY_RPC_CLIENT_H

#include "gateway/base/arena.h"
#include "gateway/rpc/runtime.h"

/* A connection to one server that is kept and remade with backoff (100 ms to 1 s). Calls do not
 * wait for a server that is down: they fail with UNAVAILABLE. After a call was refused for a
 * certificate, ours or the server's, the next one (a second later at the earliest) makes a new
 * connection, so that a renewed certificate is used without a restart. */
struct lb_rpc_channel;

struct lb_rpc_channel_options {
    struct lb_rpc_runtime *runtime;
    const char *target;                      /* "127.0.0.1:7443" or "unix:/path" */
    const struct lb_rpc_identity *identity;  /* NULL for plaintext on a Unix socket */
    struct lb_rpc_verifier verifier;         /* besides, the peer has the expected id */
    const char *expected_spiffe;             /* the only server accepted; NULL: no identity */
    /* Told, with the verifier's ctx, whom a server says it is before that is judged, also one that
     * is not the expected one; for diagnosis. As often and from the same threads as the verifier.
     * May be NULL. */
    void (*seen)(void *ctx, const struct lb_rpc_peer *peer);
};

/* lb_rpc_channel_new makes a channel; nothing is connected before the first call. CONFIG_INVALID
 * for a network target without identity, for an identity without verifier or expected id, for a
 * Unix socket that is no absolute path, and for an unusable identity (lb_rpc_identity_check tells
 * why). Strings are copied. */
LB_MUST lb_status lb_rpc_channel_new(const struct lb_rpc_channel_options *options,
                                     struct lb_rpc_channel **out_channel);
/* lb_rpc_channel_free ends the channel; its calls must be over. NULL is allowed. */
void lb_rpc_channel_free(struct lb_rpc_channel *channel);

/* lb_rpc_channel_refusal returns why the newest handshake was refused by the verifier or because
 * the server was not the expected one; LB_OK if none was or a later one passed. Calls say
 * UNAVAILABLE then, since nothing was reached; this is for the operator. */
lb_status lb_rpc_channel_refusal(struct lb_rpc_channel *channel);

/* lb_rpc_call makes a unary call and waits at most timeout_ms (cut to LB_MAX_DEADLINE_MS, which
 * also stands for 0). The status has the server's named code when it sent an ErrorDetail, otherwise
 * UNAVAILABLE, DEADLINE, CANCELLED, NO_METHOD, TOO_LARGE or INTERNAL by the canonical code.
 * Besides: the verifier's code when it refuses the server; TOO_LARGE for a request above
 * LB_MAX_MESSAGE_BYTES or more than 8 KiB or 32 pieces of metadata; MALFORMED for metadata that
 * HTTP/2 does not allow and for other than one reply; NO_MEMORY when the arena is full. The reply
 * is copied into the arena. Not to be called on a poller. */
LB_MUST lb_status lb_rpc_call(struct lb_rpc_channel *channel, const char *method,
                              const struct lb_rpc_metadata *metadata, size_t num_metadata,
                              struct lb_span request, int64_t timeout_ms, struct lb_arena *arena,
                              struct lb_span *out_reply);

/* lb_rpc_call_stream makes a call that is answered by a stream and waits for its end; on_event gets
 * each message, one at a time, on a poller. Whenever nothing has come for quiet_ms (0: never),
 * `still_there` is asked, on the caller's thread, and may block; a no ends the call with
 * UNAVAILABLE. The server's code, or as lb_rpc_open and lb_rpc_stream_send. Not to be called on a
 * poller. */
struct lb_rpc_stream_call {
    const char *method;
    const struct lb_rpc_metadata *metadata;
    size_t num_metadata;
    struct lb_span request;
    int64_t timeout_ms;
    void (*on_event)(void *arg, struct lb_span event);
    int64_t quiet_ms;
    bool (*still_there)(void *arg);
    void *arg;
};
LB_MUST lb_status lb_rpc_call_stream(struct lb_rpc_channel *channel,
                                     const struct lb_rpc_stream_call *call);

/* lb_rpc_open opens a stream; events follow, `closed` always comes, even if the server is never
 * reached; events may come before this returns. timeout_ms 0 means no deadline. The caller may send
 * at once. *out_stream is a reference the caller must unref. Fails, without events, as lb_rpc_call
 * does before anything is sent: the verifier's code, MALFORMED, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_rpc_open(struct lb_rpc_channel *channel, const char *method,
                              const struct lb_rpc_metadata *metadata, size_t num_metadata,
                              int64_t timeout_ms, const struct lb_rpc_stream_events *events,
                              void *self, struct lb_rpc_stream **out_stream);

#endif
