#ifndef GATEWAY_SERVICES_FRAMES_H
#define GATEWAY_SERVICES_FRAMES_H

#include <pthread.h>

#include "gateway/rpc/client.h"
#include "gateway/rpc/server.h"

/*
 * Carries a link's frames over a gRPC stream, whoever dialled. A link (the broker's or the
 * adapter's end) is made for each stream and closed with it.
 */
struct lb_frames;

/* What makes and is a link's end. */
struct lb_frames_end {
    /* Makes the end for a stream to `peer`; kick and fail are to be called with `port`. */
    lb_status (*open)(void *owner, const char *peer, void *port, void **out_end);
    lb_status (*receive)(void *end, struct lb_span frame);
    bool (*fill)(void *end, struct lb_buf *out);
    /* `leaving`: the peer has taken leave, as a node does that is started anew. */
    void (*close)(void *end, bool leaving);
};

/* For an end's port. */
void lb_frames_kick(void *port);
void lb_frames_fail(void *port, lb_status status);

/* lb_frames_accepted says whether the peer dialled. */
bool lb_frames_accepted(const void *port);

/* The links a server has accepted and not yet lost, so that it can end them when it stops. */
struct lb_frames_set {
    pthread_mutex_t lock;
    struct lb_frames *first;
    bool stopping;
};

/* lb_frames_set_init makes an empty set. */
void lb_frames_set_init(struct lb_frames_set *set);
/* lb_frames_set_leave takes leave of every peer, once what waits to be sent to it is sent; later
 * links are refused. lb_frames_set_stop is still due. */
void lb_frames_set_leave(struct lb_frames_set *set);
/* lb_frames_set_stop ends every link with STOPPING; later ones are refused with it. */
void lb_frames_set_stop(struct lb_frames_set *set);

/* lb_frames_accept is a server's stream handler for a method that carries frames. An older link of
 * the same peer ends with CANCELLED. */
LB_MUST lb_status lb_frames_accept(struct lb_frames_set *set, const struct lb_frames_end *end,
                                   void *owner,
                                   const struct lb_rpc_call_info *info,
                                   struct lb_rpc_stream *stream,
                                   const struct lb_rpc_stream_events **out_events,
                                   void **out_self);

/* A dialler keeps one link to a peer up for as long as it lives, redialling at pauses of at most
 * 100 ms to 1 s, each of which is cut short by up to a half by chance: those that lost one broker
 * do not come back to it all at once. */
struct lb_dialler;

struct lb_dialler_options {
    const struct lb_frames_end *end;
    void *owner;
    struct lb_rpc_channel *channel;   /* to the peer; taken over */
    const char *method;               /* /lianban.v1.Adapter/Link or /lianban.v1.Broker/Attach */
    const char *peer;                 /* SPIFFE id */
    /* Whether a link that the peer has dialled stands, so that none of ours is wanted. May be
     * NULL. */
    bool (*held)(void *owner, const char *peer);
};

/* lb_dialler_new begins to dial, on a thread of its own; the strings of options are borrowed but
 * for the peer. CONFIG_INVALID for a peer's id that is too long, NO_MEMORY; the channel then stays
 * the caller's. */
LB_MUST lb_status lb_dialler_new(const struct lb_dialler_options *options,
                                 struct lb_dialler **out_dialler);
/* lb_dialler_leave takes leave of the peer likewise, and dials no more. NULL is allowed. */
void lb_dialler_leave(struct lb_dialler *dialler);
/* lb_dialler_free ends the link and waits for it. NULL is allowed. */
void lb_dialler_free(struct lb_dialler *dialler);

#endif
