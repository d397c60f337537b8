#ifndef ADAPTERS_SERVE_LINK_STATE_H
#define ADAPTERS_SERVE_LINK_STATE_H

#include <pthread.h>

#include "adapters/serve/intake.h"
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

/* Something about parcels that waits to be sent. */
struct parcel_item {
    struct parcel_item *next;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    char sender[LB_MAX_SPIFFE_BYTES];  /* of the parcel a receipt is about */
    const char *code;                  /* a receipt's; NULL for others */
    bool recorded;
    uint64_t index;
    struct lb_buf leaf;
    struct lb_buf parcel;              /* a word's Parcel, packed; empty for the end of one */
};

/* A word as it is sent. Borrowed. */
struct lb_link_word {
    uint8_t name[LB_PARCEL_NAME_BYTES];
    struct lb_span parcel;             /* packed */
    uint64_t index;                    /* of its SENT entry */
    struct lb_span leaf;
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
    struct parcel_item *first_parcel;
    struct parcel_item **last_parcel;
    size_t num_parcels;       /* taken on or queued, and not answered or sent */
    bool parcels_next;        /* their turn, when there is something else as well */
};

/* lb_outgoing_free frees one that was sent, or never will be. */
void lb_outgoing_free(struct outgoing *item);

/* lb_link_hold takes a reference that lb_link_unref gives back; the last one frees the link. */
void lb_link_hold(struct lb_adapter_link *link);
void lb_link_unref(struct lb_adapter_link *link);

/* lb_link_send_word queues a word; false when there is no room. lb_link_send_ended queues what
 * tells the broker that a word's end is known; one that is lost is told when the broker asks. */
bool lb_link_send_word(struct lb_adapter_link *link, const struct lb_link_word *word);
void lb_link_send_ended(struct lb_adapter_link *link, const uint8_t name[LB_PARCEL_NAME_BYTES]);

/* lb_link_take_parcels takes a ParcelBatch, whose whole frame is `bytes`; a failure ends the
 * link. */
LB_MUST lb_status lb_link_take_parcels(struct lb_adapter_link *link,
                                       const Lianban__V1__ParcelBatch *batch,
                                       struct lb_span bytes);
/* lb_link_pack_parcels makes a frame of what waits; empty when nothing does. */
LB_MUST lb_status lb_link_pack_parcels(struct lb_adapter_link *link, struct lb_arena *arena,
                                       struct lb_span *out);
/* lb_link_drop_parcels frees what waits, when nobody else has the link. */
void lb_link_drop_parcels(struct lb_adapter_link *link);

#endif
