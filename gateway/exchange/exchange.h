#ifndef GATEWAY_EXCHANGE_EXCHANGE_H
#define GATEWAY_EXCHANGE_EXCHANGE_H

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/meter.h"
#include "gateway/base/workers.h"
#include "gateway/drill/watch.h"
#include "gateway/evidence/log.h"
#include "gateway/exchange/outbox.h"
#include "gateway/store/schema.h"
#include "gateway/trust/trust.h"
#include "lianban/v1/broker.pb-c.h"

/*
 * The broker's use cases: record a sealed read, send it on, record what came back, hand it over. It
 * sees who asks which department under which form, and nothing of the subject. Knows no gRPC:
 * services carry its frames and events.
 */
struct lb_exchange;

/* A form the broker offers, as its file has it. */
struct lb_offered_form {
    const char *id;
    uint32_t version;
    const char *title_zh;
    const char *title_en;
    uint8_t sha256[32];
    struct lb_span content;
};

struct lb_exchange_options {
    const char *self;                      /* SPIFFE id */
    struct lb_trust *trust;
    struct lb_log *log;
    struct lb_meter *meter;                /* NULL: nobody counts */
    struct lb_workers *workers;
    const struct lb_clock *clock;
    struct lb_outbox *outbox;              /* parcels; NULL: none are taken */
    struct lb_drill_watch *drill;          /* what is made believe now; NULL: nothing ever */
    const struct lb_offered_form *forms;
    size_t num_forms;
    const char *seen_folder;               /* largest sizes seen of the adapters' logs */
    const char *kept_path;                 /* citizens' withdrawals; NULL: in memory only */
    size_t max_reads;                      /* held at a time, with their answers; 0: the default */
    int64_t wait_ms;                       /* a form waits at most; 0: LB_EXCHANGE_WAIT_MS */
    size_t min_places;                     /* reads in hand whatever the rate; 0: the default */
};

#define LB_EXCHANGE_WAIT_MS 3000

/* lb_exchange_new starts the deadline watch. Options are borrowed for its life. */
LB_MUST lb_status lb_exchange_new(const struct lb_exchange_options *options,
                                  struct lb_exchange **out_exchange);
/* lb_exchange_free waits for the reads under way and ends it; all links and collects must be closed
 * and log and workers still there. NULL is allowed. */
void lb_exchange_free(struct lb_exchange *exchange);

/* --- links to adapters --- */

struct lb_broker_link;

struct lb_broker_port {
    void *ctx;
    void (*kick)(void *ctx);
    void (*fail)(void *ctx, lb_status status);
    bool attached;   /* the adapter dialled */
};

/* lb_broker_link_new registers the one link to an adapter; a second one to the same adapter
 * replaces the first, which fails with CANCELLED and takes and gives no frame any more. But one
 * that we dialled never replaces one that the adapter did, so that two ways to one adapter do not
 * end each other for ever: CANCELLED.
 * ROLE_NOT_ALLOWED when the directory lists no such adapter; LOG_FORK, LOG_BEHIND or
 * RECEIPT_INVALID when it is in quarantine for that. */
LB_MUST lb_status lb_broker_link_new(struct lb_exchange *exchange, const char *adapter,
                                     const struct lb_broker_port *port,
                                     struct lb_broker_link **out_link);
/* lb_broker_link_receive takes one frame; a failure ends the link, and evidence that does not hold
 * puts the adapter in quarantine. Calls are serial. */
LB_MUST lb_status lb_broker_link_receive(struct lb_broker_link *link, struct lb_span frame);
/* lb_broker_link_fill writes the next frame; false when there is none. Calls are serial. */
bool lb_broker_link_fill(struct lb_broker_link *link, struct lb_buf *out);
/* lb_broker_link_leave: the adapter has taken leave, and is expected back for 30 s. Until then its
 * reads become STOPPING, which whoever asked may wait for, and not UNAVAILABLE. */
void lb_broker_link_leave(struct lb_broker_link *link);
/* lb_broker_link_close forgets the port; reads without an answer become UNAVAILABLE, or STOPPING
 * after lb_broker_link_leave. */
void lb_broker_link_close(struct lb_broker_link *link);
/* lb_exchange_attached says whether a link stands that the adapter has dialled. */
bool lb_exchange_attached(struct lb_exchange *exchange, const char *adapter);
/* lb_exchange_linked says whether an adapter is linked and greeted. */
bool lb_exchange_linked(struct lb_exchange *exchange, const char *adapter);

/* --- collecting --- */

struct lb_collect;

struct lb_collect_port {
    void *ctx;
    void (*kick)(void *ctx);                      /* an event is ready: call fill when possible */
    void (*finish)(void *ctx, lb_status status);  /* no more events will come */
    void (*fail)(void *ctx, lb_status status);    /* end the call now: events are lost */
    struct lb_span traceparent;  /* of the caller's metadata, borrowed for the call that takes the
                                    port; counts for reads that have none of their own */
};

/* lb_exchange_collect takes a CollectRequest (copied) of an authenticated window and works on it;
 * the port is told of everything else, refusals included. `operator_token` is the metadata's. BUSY,
 * with a time to come again (lb_later), when it could not be done in time or others were kept from
 * their turn (admit.c); told to the port when its turn did not come, or too many reads are held. */
LB_MUST lb_status lb_exchange_collect(struct lb_exchange *exchange, const char *caller,
                                      struct lb_span operator_token, struct lb_span request,
                                      int64_t deadline_unix_ms,
                                      const struct lb_collect_port *port,
                                      struct lb_collect **out_collect);
/* lb_exchange_may_collect says whether a request by this caller would be refused now, before it has
 * come: a BUSY of lb_later, counted as the refusal that it is. Never blocks. */
LB_MUST lb_status lb_exchange_may_collect(struct lb_exchange *exchange, const char *caller,
                                          int64_t deadline_unix_ms);
/* lb_collect_fill writes the next CollectEvent, with all that is ready if the caller takes outcomes
 * together; false when none is ready. Calls are serial. A
 * caller that has not taken all of them 10 s after the deadline fails with DEADLINE. */
bool lb_collect_fill(struct lb_collect *collect, struct lb_buf *out);
/* lb_collect_close forgets the port. What is under way still ends and is recorded. */
void lb_collect_close(struct lb_collect *collect);

/* lb_exchange_drain returns when no collect is left, or after timeout_ms; for a shutdown, when no
 * new ones come. Whoever waits for adapters' proofs gets those that have come. */
void lb_exchange_drain(struct lb_exchange *exchange, int64_t timeout_ms);

/* --- what ends grants --- */

/* lb_exchange_relay_status checks a status list token (signature by an issuer of the directory),
 * sends it to every linked adapter, keeps it for those that link later, and waits up to timeout_ms
 * for their acknowledgements, each with its proof. Reads under way whose grant it ends come to
 * their end at once. Blocks. SIGNATURE_INVALID, ISSUER_UNKNOWN, GRANT_MALFORMED (not the issuer's
 * own URI included); STATUS_STALE for an older list than the one held, STATUS_FORK for another of
 * the same number: an acknowledgement of the one held would say nothing of it. */
LB_MUST lb_status lb_exchange_relay_status(struct lb_exchange *exchange, struct lb_span token,
                                           int64_t timeout_ms, struct lb_arena *arena,
                                           Lianban__V1__RelayStatusResponse **out);

/* lb_exchange_relay_revocation does the same with a citizen's own withdrawal of a grant: it is
 * recorded and on disk before any adapter is told, and kept until the grant's end.
 * ISSUER_UNKNOWN, SIGNATURE_INVALID (of the grant, or not by the key it names), GRANT_MALFORMED,
 * GRANT_EXPIRED, VERSION_UNSUPPORTED, TOO_LARGE; BUSY when too many are held; LOG_UNAVAILABLE. */
LB_MUST lb_status lb_exchange_relay_revocation(struct lb_exchange *exchange, struct lb_span grant,
                                               struct lb_span token, int64_t timeout_ms,
                                               struct lb_arena *arena,
                                               Lianban__V1__RelayStatusResponse **out);

/* --- forms --- */

/* lb_exchange_form finds an offered form; version 0 is the newest. NULL when there is none. */
const struct lb_offered_form *lb_exchange_form(const struct lb_exchange *exchange, const char *id,
                                               uint32_t version);
size_t lb_exchange_num_forms(const struct lb_exchange *exchange);
const struct lb_offered_form *lb_exchange_form_at(const struct lb_exchange *exchange, size_t index);

/* The store of withdrawals, for who looks at all of a node's. */
extern const struct lb_store_schema lb_exchange_schema;

#endif
