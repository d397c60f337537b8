#ifndef GATEWAY_EXCHANGE_OUTBOX_H
#define GATEWAY_EXCHANGE_OUTBOX_H

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/meter.h"
#include "gateway/evidence/log.h"
#include "gateway/evidence/session.h"
#include "gateway/trust/trust.h"
#include "lianban/v1/broker.pb-c.h"

/*
 * The broker's outbox: parcels of both directions, as ciphertext, until their recipient's receipt
 * or their end, and then that, until their sender has it (docs/PROTOCOL.md, section 11). A parcel
 * is stored in one transaction with its HELD entry, and taken out in one with its HANDED or ENDED
 * entry, in the evidence log's own file. What was tried and when is in memory only: whoever is
 * started anew tries everything at once.
 *
 * A party, agent or adapter, has one outlet at a time: its Follow, or its link.
 */
struct lb_outbox;

/* What an outbox holds at most. Past one, OUTBOX_FULL. */
struct lb_outbox_limits {
    size_t parcels, of_sender, for_recipient;
    uint64_t bytes, bytes_of_sender, bytes_for_recipient;  /* of ciphertext */
    size_t remembered;  /* so many newer ones make a name be forgotten that is over and told */
};
#define LB_OUTBOX_PARCELS 131072U
#define LB_OUTBOX_PARCELS_OF_PARTY 16384U
#define LB_OUTBOX_BYTES (UINT64_C(2) * 1024 * 1024 * 1024)
#define LB_OUTBOX_BYTES_OF_PARTY (UINT64_C(512) * 1024 * 1024)
#define LB_OUTBOX_REMEMBERED (1024U * 1024)
#define LB_PARCEL_LIFE_S (90 * 86400)  /* from when it comes to its end, at most */

struct lb_outbox_options {
    struct lb_trust *trust;
    struct lb_log *log;              /* opened with lb_outbox_migrations */
    const char *store_path;          /* of that log's store */
    struct lb_meter *meter;          /* NULL: nobody counts */
    const struct lb_clock *clock;
    struct lb_outbox_limits limits;  /* all zero: the usual ones */
    int64_t look_every_ms;           /* for ends and what is to be tried again; 0: a second */
};

/* The outbox's tables in the evidence store. */
extern const char *const lb_outbox_migrations[];

/* lb_outbox_new reads what is held and starts its thread. Options are borrowed for its life.
 * STORE_FAILED and the like, NO_MEMORY. */
LB_MUST lb_status lb_outbox_new(const struct lb_outbox_options *options,
                                struct lb_outbox **out_outbox);
/* lb_outbox_leave ends every Follow with STOPPING; later ones are refused with it. */
void lb_outbox_leave(struct lb_outbox *outbox);
/* lb_outbox_free waits for the entries under way; outlets must be closed and the log still there.
 * NULL is allowed. */
void lb_outbox_free(struct lb_outbox *outbox);

/* --- agents --- */

/* lb_outbox_submit takes a parcel of the caller's and has it on disk before it returns; the same
 * parcel again is answered with what became of it. Blocks. MALFORMED (the sender is not the caller,
 * an end more than LB_PARCEL_LIFE_S ahead, and what is of no shape), TOO_LARGE, PARCEL_EXPIRED,
 * PEER_UNLISTED (no such adapter), RECEIPT_INVALID (an entry that does not hold), PARCEL_CHANGED
 * (another recipient than before), OUTBOX_FULL; BUSY while the same name is being stored; LOG_FULL,
 * LOG_UNAVAILABLE, LOG_UNWITNESSED. */
LB_MUST lb_status lb_outbox_submit(struct lb_outbox *outbox, const char *caller,
                                   const Lianban__V1__SubmitRequest *request,
                                   struct lb_arena *arena, Lianban__V1__SubmitResponse *out);

/* lb_outbox_take takes the caller's word on parcels for it, and which ends of its own it has. Names
 * that are not known (any more) are passed over. MALFORMED, RECEIPT_INVALID: then nothing of
 * it was taken. */
LB_MUST lb_status lb_outbox_take(struct lb_outbox *outbox, const char *caller,
                                 const Lianban__V1__TakeRequest *request);

struct lb_outlet;

/* Called under the outbox's lock, never after the outlet was closed: no blocking, no calls back. */
struct lb_outlet_port {
    void *ctx;
    void (*kick)(void *ctx);
    void (*end)(void *ctx, lb_status status);  /* replaced, or stopping */
};

/* lb_outbox_follow opens an agent's outlet; one that it had ends with CANCELLED. STOPPING,
 * NO_MEMORY. */
LB_MUST lb_status lb_outbox_follow(struct lb_outbox *outbox, const char *agent,
                                   const struct lb_outlet_port *port,
                                   struct lb_outlet **out_outlet);
/* lb_follow_fill writes the next FollowEvent; false when there is none. Calls are serial. */
bool lb_follow_fill(struct lb_outlet *outlet, struct lb_buf *out);
/* lb_outlet_close forgets it; what it was given and nobody answered is tried again. */
void lb_outlet_close(struct lb_outlet *outlet);

/* --- adapters, over their links --- */

/* lb_outbox_link opens an adapter's outlet; one that it had gets nothing any more. NO_MEMORY. */
LB_MUST lb_status lb_outbox_link(struct lb_outbox *outbox, const char *adapter,
                                 const struct lb_outlet_port *port,
                                 struct lb_outlet **out_outlet);
/* lb_outlet_frame packs the next ParcelBatch frame, proved against the log that the session shows;
 * empty when there is none. Calls are serial. */
LB_MUST lb_status lb_outlet_frame(struct lb_outlet *outlet, struct lb_session *session,
                                  struct lb_arena *arena, struct lb_span *out_frame);
/* lb_outlet_receive takes an adapter's ParcelBatch: its parcels are answered in a later frame.
 * MALFORMED, RECEIPT_INVALID, BUSY (it takes no answers), and what is wrong with its log. */
LB_MUST lb_status lb_outlet_receive(struct lb_outlet *outlet, struct lb_session *session,
                                    const Lianban__V1__ParcelBatch *batch);

/* --- for its operator: names, members and codes --- */

/* How a member stands. */
struct lb_outbox_party {
    char party[LB_MAX_SPIFFE_BYTES];
    size_t num_waiting;     /* for it */
    int64_t oldest_unix_s;  /* when the oldest of these came; 0 for none */
    enum lb_code code;      /* why that one waits; LB_CODE_OK: it is on its way */
    size_t num_untold;      /* its own that are over, of which it has not said that it knows */
};
/* lb_outbox_parties tells of every member met since the start, at most max; returns how many. Any
 * thread. */
size_t lb_outbox_parties(struct lb_outbox *outbox, struct lb_outbox_party *out, size_t max);
/* A parcel that waits, or whose end its sender does not know yet. */
struct lb_outbox_held {
    uint8_t name[16];
    char sender[LB_MAX_SPIFFE_BYTES], recipient[LB_MAX_SPIFFE_BYTES];
    bool over, delivered;
    enum lb_code code;        /* why it waits, or came to nothing; LB_CODE_OK */
    unsigned tries;           /* in vain */
    int64_t next_try_unix_s;  /* 0: it is on its way, or over */
    int64_t since_unix_s, expires_unix_s;
    uint64_t entry;           /* the newest about it in our log */
};
/* lb_outbox_list tells of them, the oldest first and at most max; returns how many there are. Any
 * thread. */
size_t lb_outbox_list(struct lb_outbox *outbox, struct lb_outbox_held *out, size_t max);
/* lb_outbox_percent is how full it is by the limit that is nearest. Any thread. */
unsigned lb_outbox_percent(struct lb_outbox *outbox);

#endif
