#ifndef ADAPTERS_SERVE_LINK_H
#define ADAPTERS_SERVE_LINK_H

#include "adapters/serve/serve.h"
#include "gateway/base/buf.h"
#include "gateway/evidence/session.h"

/*
 * The adapter's end of a link to one broker: reads come in frames, answers leave in frames, each
 * with the evidence of both logs. Knows no gRPC: a service carries the frames.
 */
struct lb_adapter_link;

/* How a link reaches its stream; both may be called from any thread until lb_adapter_link_close. */
struct lb_adapter_port {
    void *ctx;
    void (*kick)(void *ctx);                     /* something is to be sent: call fill */
    void (*fail)(void *ctx, lb_status status);   /* end the stream with this status */
};

struct lb_adapter_link_options {
    struct lb_serve *serve;
    struct lb_log *log;
    struct lb_trust *trust;
    struct lb_workers *workers;  /* for what ends grants; freed before the serve */
    const struct lb_serve_policy *policy;
    const char *broker;        /* SPIFFE id of the other end, proved by TLS */
    struct lb_seen *seen;      /* outlives every link */
    struct lb_adapter_port port;
};

/* lb_adapter_link_new begins with a greeting to be sent. ROLE_NOT_ALLOWED when the policy does not
 * name the broker or the directory does not list it as one. */
LB_MUST lb_status lb_adapter_link_new(const struct lb_adapter_link_options *options,
                                      struct lb_adapter_link **out_link);
/* lb_adapter_link_receive takes one frame; any failure means the link must end with it. Calls are
 * serial. */
LB_MUST lb_status lb_adapter_link_receive(struct lb_adapter_link *link, struct lb_span frame);
/* lb_adapter_link_fill writes the next frame to send; false when there is none. Calls are
 * serial. */
bool lb_adapter_link_fill(struct lb_adapter_link *link, struct lb_buf *out);
/* lb_adapter_link_close forgets the port; what was answered meanwhile is dropped (its entry
 * stands). The link is freed when the last read in hand has ended. */
void lb_adapter_link_close(struct lb_adapter_link *link);

/* lb_adapter_check_route verifies the broker's promise that it recorded this very request before
 * sending it: a ROUTE entry of the checkpoint's tree with the request's txn and the hash of its
 * ciphertext. MALFORMED, RECEIPT_INVALID. */
LB_MUST lb_status lb_adapter_check_route(const Lianban__V1__RoutedRead *read,
                                         const struct lb_checkpoint *checkpoint,
                                         struct lb_serve_route *out_route);

#endif
