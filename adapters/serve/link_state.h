#ifndef ADAPTERS_SERVE_LINK_STATE_H
#define ADAPTERS_SERVE_LINK_STATE_H

#include <pthread.h>

#include "adapters/serve/link.h"

/* The inside of a link, shared by what comes in (link.c) and what goes out (link_send.c). */

/* Something waiting to be sent. */
struct outgoing {
    struct outgoing *next;
    struct lb_serve_ack *ack;  /* NULL for an answer; of the rest an ack uses `code` only */
    uint8_t txn[16];
    enum lb_code code;
    bool recorded;
    uint64_t index;
    struct lb_buf sealed;
    struct lb_buf leaf;
};

struct lb_adapter_link {
    struct lb_adapter_link_options options;
    struct lb_session session;
    char broker[LB_MAX_SPIFFE_BYTES];
    pthread_mutex_t lock;
    size_t refs;              /* the stream's, and one per read in hand */
    bool closed;
    bool hello_sent;
    bool show_log;            /* after greeting, once, even with nothing to answer */
    struct outgoing *first;
    struct outgoing **last;
    size_t num_unsent;        /* reads taken on whose answers have not been sent */
};

/* lb_outgoing_free frees one that was sent, or never will be. */
void lb_outgoing_free(struct outgoing *item);

#endif
