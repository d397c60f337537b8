#ifndef GATEWAY_EXCHANGE_INSIDE_H
#define GATEWAY_EXCHANGE_INSIDE_H

#include <pthread.h>

#include "gateway/evidence/session.h"
#include "gateway/exchange/exchange.h"
#include "gateway/token/operator_cache.h"
#include "lianban/v1/link.pb-c.h"

/*
 * A routed read on its way, inside its collect. Whoever moves it from SENT to CLOSING (an answer, a
 * deadline, a lost link) ends it; the others find it taken.
 */
enum read_state {
    READ_ROUTING,  /* its ROUTE entry is being made durable */
    READ_SENT,     /* waiting for the adapter */
    READ_CLOSING,  /* its DELIVER or FAILURE entry is being made durable */
    READ_READY,    /* its event can be handed over */
};

struct routed_read {
    struct lb_collect *collect;
    const Lianban__V1__ReadRequest *request;   /* in the collect's arena */
    enum read_state state;                     /* under the collect's lock */
    struct routed_read *next;                  /* in a link's queue, then in the frame being made */
    struct routed_read *next_ready;            /* in the collect's ready list */
    struct routed_read *next_pending;          /* in a link's table */
    struct lb_log_entry route;
    bool routed;                               /* the route entry is durable */
    struct lb_log_entry close;
    bool closed;                               /* the closing entry is durable */
    enum lb_code code;                         /* outer code of the outcome */
    struct lb_buf sealed;
    struct lb_buf adapter_leaf;
    uint64_t adapter_index;
    struct lb_buf adapter_path;                /* 32 bytes each */
    struct lb_buf adapter_checkpoint;
};

struct lb_collect {
    struct lb_job job;
    struct lb_exchange *exchange;
    struct lb_arena *arena;
    pthread_mutex_t lock;
    size_t refs;
    struct lb_collect_port port;
    bool detached;                             /* the port is gone */
    struct lb_collect *next;                   /* in the exchange's list of started ones */

    char *caller;
    struct lb_span operator_token;
    struct lb_span request_bytes;
    Lianban__V1__CollectRequest *request;
    struct lb_span detail;                     /* who and which form, for the entries */
    int64_t deadline_unix_ms;                  /* the earliest of the call's and its reads' */
    bool expired;                              /* past it: whatever is still under way ends */
    bool given_up;                             /* and long past it: nobody takes the events */
    size_t num_reserved;                       /* of the exchange's num_reads */
    size_t num_reads;
    struct routed_read *reads;
    size_t num_open;                           /* reads whose event is not ready yet */
    struct routed_read *ready;
    struct routed_read **last_ready;
};

#define PENDING_BUCKETS 1024U
#define MAX_PENDING 8192U

struct relay;

struct lb_broker_link {
    struct lb_exchange *exchange;
    struct adapter *adapter;
    struct lb_session session;
    pthread_mutex_t receiving;                 /* held while a frame is taken */
    pthread_mutex_t lock;
    size_t refs;
    struct lb_broker_port port;
    bool detached;
    bool over;                                 /* replaced or refused: no frame counts any more */
    bool hello_sent;
    bool show_log;
    struct routed_read *queue;                 /* to be sent */
    struct routed_read **last_queued;
    struct routed_read *pending[PENDING_BUCKETS];
    size_t num_pending;
    size_t next_status;                        /* status lists sent so far, by relay order */
};

#define MAX_STATUS_LISTS 16

/* What is known of one adapter, for the life of the process. */
struct adapter {
    struct adapter *next;
    char spiffe[LB_MAX_SPIFFE_BYTES];
    struct lb_broker_link *link;               /* under the exchange's lock */
    enum lb_code quarantine;                   /* LB_CODE_OK, or why */
    uint64_t acked[MAX_STATUS_LISTS];          /* seq in force there on this link, by status list */
};

/* The newest list of one issuer's URI. */
struct status_entry {
    char *uri;
    uint64_t seq;
    struct lb_buf token;
    uint64_t order;                            /* rises with every new list; links catch up by it */
};

struct lb_exchange {
    struct lb_exchange_options options;
    struct lb_operator_cache *operators;
    struct lb_seen *seen;                      /* of the adapters' logs */
    pthread_mutex_t lock;
    pthread_cond_t changed;                    /* acknowledged, a collect ended, or we; monotonic */
    struct adapter *adapters;
    struct lb_collect *collects;               /* started ones; a freed one leaves */
    size_t num_collects;                       /* all that exist: the end waits for them */
    size_t num_reads;                          /* all that they hold in memory */
    size_t num_status;
    struct status_entry status[MAX_STATUS_LISTS];
    uint64_t status_order;
    struct relay *relays;
    bool stopping;
    pthread_t watch;
};

/* exchange.c: adapters are made on first mention and never freed before the end. */
struct adapter *lb_exchange_adapter(struct lb_exchange *exchange, const char *spiffe);
/* lb_exchange_take_link returns the adapter's link with a reference, or NULL. */
struct lb_broker_link *lb_exchange_take_link(struct lb_exchange *exchange,
                                             struct adapter *adapter);
void lb_exchange_quarantine(struct lb_exchange *exchange, struct adapter *adapter,
                            lb_status reason);
/* lb_exchange_count_collect and lb_exchange_forget_collect bracket a collect's life. */
void lb_exchange_count_collect(struct lb_exchange *exchange);
void lb_exchange_forget_collect(struct lb_exchange *exchange);
/* lb_exchange_add_reads reserves memory for a collect's reads: BUSY when too many are held. */
LB_MUST lb_status lb_exchange_add_reads(struct lb_exchange *exchange, size_t num);
/* lb_exchange_add_collect puts a started collect under the deadline watch. */
void lb_exchange_add_collect(struct lb_exchange *exchange, struct lb_collect *collect);
/* lb_exchange_remove_collect takes out one that is about to be freed, with its reads. */
void lb_exchange_remove_collect(struct lb_exchange *exchange, struct lb_collect *collect);

/* collect.c */
void lb_collect_hold(struct lb_collect *collect);
void lb_collect_release(struct lb_collect *collect);
/* lb_collect_fail ends the call; what its caller has not taken is lost to it. */
void lb_collect_fail(struct lb_collect *collect, lb_status status);
/* lb_collect_check judges the request before anything is routed (check.c). */
LB_MUST lb_status lb_collect_check(struct lb_collect *collect);

/* read.c */
void lb_read_route(struct routed_read *read);
/* lb_read_claim moves SENT to CLOSING; false when somebody else ended the read. */
bool lb_read_claim(struct routed_read *read);
/* lb_read_hold_sent takes a reference to the collect of a read that is still SENT; false when
 * somebody has ended it. */
bool lb_read_hold_sent(struct routed_read *read);
/* lb_read_close ends a claimed read with a DELIVER entry (ANSWERED or an adapter's refusal, linked
 * to its leaf) or, with peer_leaf NULL, a FAILURE entry. */
void lb_read_close(struct routed_read *read, enum lb_code code, const struct lb_hash *peer_leaf);

/* link.c */
/* lb_broker_link_enqueue queues a read unless it was ended meanwhile. UNAVAILABLE, BUSY, REPLAY. */
LB_MUST lb_status lb_broker_link_enqueue(struct lb_broker_link *link, struct routed_read *read);
/* lb_broker_link_forget takes a read out of the link's queue and table; false when it was not
 * there. */
bool lb_broker_link_forget(struct lb_broker_link *link, struct routed_read *read);
void lb_broker_link_kick(struct lb_broker_link *link);
/* lb_broker_link_end takes and sends nothing more on a link and ends its stream. */
void lb_broker_link_end(struct lb_broker_link *link, lb_status status);
bool lb_broker_link_is_over(struct lb_broker_link *link);
void lb_broker_link_unref(struct lb_broker_link *link);

/* answer.c: what came back, checked against what was asked. */
LB_MUST lb_status lb_broker_link_answers(struct lb_broker_link *link,
                                         const Lianban__V1__Batch *batch);
/* lb_broker_link_take removes a pending read by its txn; NULL when it is not waited for (any
 * more). */
struct routed_read *lb_broker_link_take(struct lb_broker_link *link, const uint8_t txn[16]);

/* relay.c */
LB_MUST lb_status lb_relay_next(struct lb_broker_link *link, struct lb_arena *arena,
                                struct lb_span *out_frame);
void lb_relay_ack(struct lb_broker_link *link, const Lianban__V1__StatusAck *ack);

#endif
