#ifndef GATEWAY_RPC_STREAM_H
#define GATEWAY_RPC_STREAM_H

#include "gateway/rpc/core.h"
#include "gateway/rpc/gate.h"
#include "gateway/rpc/wire_status.h"

/*
 * The call, either end. All batches of a call are started on its poller (a client's first ones by
 * its opener, before the poller can get at it), so reading and writing need no lock; what other
 * threads may touch is under `lock`, and they reach the poller by an empty batch (`woken`).
 *
 *   pending counts the operations in flight. The last one to come back after the call is over ends
 *   it: that is the only exit, and nothing else frees a call.
 */

#define LB_RPC_MAX_QUEUED 64U
#define LB_RPC_MAX_QUEUED_BYTES (8U * 1024 * 1024)

struct lb_rpc_queued {
    struct lb_rpc_queued *next;
    grpc_byte_buffer *bytes;
    size_t len;
};

struct lb_rpc_stream {
    /* fixed before the first operation */
    struct lb_rpc_runtime *runtime;
    const struct lb_rpc_poller *poller;
    grpc_call *call;
    bool is_server;
    const void *owner; /* the server or channel it belongs to */
    struct lb_rpc_gate *gate;
    struct lb_rpc_stream_events events;
    void *self;
    int64_t deadline_unix_ms; /* 0: none */
    /* Called at the end before and after `closed`; either may be NULL. */
    void (*before_closed)(void *arg, lb_status status);
    void (*after_closed)(void *arg);
    void *closed_arg;

    /* the poller's */
    struct lb_rpc_tag started; /* client: metadata sent; if unary, message and half-close */
    struct lb_rpc_tag received;
    struct lb_rpc_tag sent;
    struct lb_rpc_tag woken;
    struct lb_rpc_tag ended; /* client: status received; server: close received */
    grpc_byte_buffer *incoming;
    bool reading;
    bool read_done; /* nothing more comes, or nothing is wanted yet */
    grpc_byte_buffer *outgoing;
    bool initial_sent;
    bool broken; /* a write failed: the call is dying */
    struct lb_buf filled;
    struct lb_rpc_wire_status final_wire;
    grpc_metadata *metadata; /* client: what it sends first */
    size_t num_metadata;
    grpc_metadata_array initial_metadata;
    grpc_metadata_array trailing_metadata;
    grpc_status_code status_code;
    grpc_slice status_message;
    int cancelled;

    /* anybody's, under lock */
    pthread_mutex_t lock;
    unsigned pending;
    bool over;  /* the status or close has come */
    bool ended_for_good;
    bool waking;
    bool writing;
    bool kicked;
    bool paused;
    bool finishing;   /* status or half-close is due after what is queued */
    bool last_sent;   /* it was handed to the core */
    bool cut;         /* the core was told to cancel */
    bool not_found;   /* server: the health protocol's NOT_FOUND, which has no named code */
    lb_status final;  /* server: the status to send */
    lb_status reason; /* why it was cancelled here */
    struct lb_rpc_queued *first;
    struct lb_rpc_queued **last;
    size_t num_queued;
    size_t queued_bytes;
    const struct lb_rpc_peer *peer; /* set once; freed with the stream unless empty */

    /* the runtime's, under its lock */
    struct lb_rpc_stream *live_next;
    struct lb_rpc_stream **live_link;

    atomic_uint refs;
};

/* What both ends give to lb_rpc_stream_new; call, poller and gate are needed, and the call is taken
 * over. */
struct lb_rpc_stream_init {
    struct lb_rpc_runtime *runtime;
    const struct lb_rpc_poller *poller;
    grpc_call *call;
    bool is_server;
    const void *owner;
    struct lb_rpc_gate *gate;
};

/* lb_rpc_stream_new makes a stream with one reference, the owner's, which ends after `closed`. NULL
 * when memory is exhausted; the call is still the caller's then. */
struct lb_rpc_stream *lb_rpc_stream_new(const struct lb_rpc_stream_init *init);

/* lb_rpc_stream_serve starts a server's stream, which waits for its close from now on;
 * lb_rpc_stream_read begins with its messages, once its events are set. Both on the poller. */
void lb_rpc_stream_serve(struct lb_rpc_stream *stream);
void lb_rpc_stream_read(struct lb_rpc_stream *stream);

/* lb_rpc_stream_open starts a client's stream with its metadata (taken over with their slices). A
 * unary call gives its one message, which goes with the metadata and the half-close in one
 * batch. */
void lb_rpc_stream_open(struct lb_rpc_stream *stream, grpc_metadata *metadata,
                        size_t num_metadata, grpc_byte_buffer *only_message);

/* lb_rpc_stream_reply queues the one message of a unary call together with its end. */
void lb_rpc_stream_reply(struct lb_rpc_stream *stream, struct lb_span bytes);

/* lb_rpc_stream_not_found ends a server's call with the bare canonical NOT_FOUND. */
void lb_rpc_stream_not_found(struct lb_rpc_stream *stream);

/* lb_rpc_stream_check is the sweep's look at one live call: peer, deadline, and whether a
 * cancellation got through. Any thread that holds a reference. */
void lb_rpc_stream_check(struct lb_rpc_stream *stream);

/* lb_rpc_stream_judge asks the gate about the stream's peer; LB_OK while it is not connected. */
LB_MUST lb_status lb_rpc_stream_judge(struct lb_rpc_stream *stream);

/* lb_rpc_stream_bytes makes a message of the core. */
grpc_byte_buffer *lb_rpc_stream_bytes(struct lb_span bytes);

/* --- between stream.c and stream_write.c; on the poller --- */

/* lb_rpc_stream_pump starts the next write if none is in flight and something is due. */
void lb_rpc_stream_pump(struct lb_rpc_stream *stream);
/* lb_rpc_stream_hold counts an operation about to start; lb_rpc_stream_release ends one, and the
 * call with the last. */
void lb_rpc_stream_hold(struct lb_rpc_stream *stream);
void lb_rpc_stream_release(struct lb_rpc_stream *stream);
/* lb_rpc_stream_drop_queue frees what waits; under lock. */
void lb_rpc_stream_drop_queue(struct lb_rpc_stream *stream);
/* lb_rpc_stream_cut tells the core to cancel, with the reason's outer code; under lock. */
void lb_rpc_stream_cut(struct lb_rpc_stream *stream);
/* lb_rpc_stream_wake posts an empty batch unless one is under way; under lock. */
void lb_rpc_stream_wake(struct lb_rpc_stream *stream);
/* lb_rpc_stream_learn_peer reads the peer of a client's call once it is connected, and judges
 * it. */
LB_MUST lb_status lb_rpc_stream_learn_peer(struct lb_rpc_stream *stream);
/* lb_rpc_stream_sent is the write's tag. */
void lb_rpc_stream_sent(struct lb_rpc_tag *tag, bool ok);
/* lb_rpc_stream_start starts a batch; anything but OK is a mistake of ours and stops the
 * process. */
void lb_rpc_stream_start(struct lb_rpc_stream *stream, const grpc_op *ops, size_t num_ops,
                         struct lb_rpc_tag *tag);

#endif
