#ifndef GATEWAY_EXCHANGE_INSIDE_H
#define GATEWAY_EXCHANGE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/admission.h"
#include "gateway/base/trace.h"
#include "gateway/evidence/session.h"
#include "gateway/exchange/breaker.h"
#include "gateway/exchange/exchange.h"
#include "gateway/token/operator_cache.h"
#include "gateway/token/status_list.h"
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
    struct lb_trace trace;                     /* of our own step */
    int64_t begun_ms;                          /* monotonic */
    enum read_state state;                     /* under the collect's lock */
    struct routed_read *next;                  /* in a link's queue, then in the frame being made */
    struct routed_read *next_ready;            /* in the collect's ready list */
    struct routed_read *next_pending;          /* in a link's table */
    int64_t sent_ms;                           /* monotonic: given to a link; 0: never was */
    bool probe;                                /* it shows whether the department is back */
    bool overdue;                              /* counted as such; under the link's lock */
    struct lb_log_entry route;
    bool routed;                               /* the route entry is durable */
    struct lb_log_entry close;
    bool closed;                               /* the closing entry is durable */
    int64_t stage_us;                          /* when its present stage began, for the meter */
    enum lb_code code;                         /* outer code of the outcome */
    struct lb_buf sealed;
    uint8_t answer_hash[32];                   /* of `sealed`, if there is any */
    uint8_t policy_hash[32];                   /* of the adapter's entry */
    struct lb_buf adapter_leaf;
    uint64_t adapter_index;
    struct lb_buf adapter_path;                /* 32 bytes each */
    struct lb_buf adapter_checkpoint;
};

struct lb_collect {
    struct lb_job job;
    struct lb_ticket ticket;                   /* its place (admit.c) */
    int64_t began_ms;                          /* monotonic: it got its place; under its lock */
    int64_t yields_ms;                         /* monotonic: it gives it back by then; likewise */
    struct lb_exchange *exchange;
    struct lb_arena *arena;
    pthread_mutex_t lock;
    size_t refs;
    struct lb_collect_port port;
    bool detached;                             /* the port is gone */
    struct lb_collect *next;                   /* in the exchange's list of started ones */

    char *caller;
    struct lb_span operator_token;
    struct lb_trace trace;                     /* of the call's metadata; none without */
    struct lb_span request_bytes;
    Lianban__V1__CollectRequest *request;
    struct lb_span detail;                     /* who and which form, for the entries */
    int64_t deadline_unix_ms;                  /* the earliest of the call's and its reads' */
    bool expired;                              /* past it: whatever is still under way ends */
    bool given_up;                             /* and long past it: nobody takes the events */
    size_t num_reserved;                       /* of the exchange's num_reads */
    size_t num_reads;
    struct routed_read *reads;
    struct lb_log_entry **routes;              /* their ROUTE entries */
    size_t num_open;                           /* reads whose event is not ready yet */
    size_t num_unanswered;                     /* of those, still ROUTING or SENT */
    size_t num_closing;                        /* whose closing entry is on its way */
    size_t num_ready;                          /* in the list below */
    struct routed_read *ready;
    struct routed_read **last_ready;
};

#define PENDING_BUCKETS 1024U
#define MAX_PENDING 8192U

struct relay;
struct lb_exchange_kept;

struct lb_broker_link {
    struct lb_exchange *exchange;
    struct adapter *adapter;
    struct lb_session session;
    struct lb_outlet *outlet;                  /* for parcels, if the adapter takes any */
    unsigned reads_in_a_row;                   /* frames sent without a parcel between */
    pthread_mutex_t receiving;                 /* held while a frame is taken */
    pthread_mutex_t lock;
    size_t refs;
    struct lb_broker_port port;
    bool detached;
    bool over;                                 /* replaced or refused: no frame counts any more */
    bool leaving;                              /* under the exchange's lock */
    bool settled;                              /* it has taken in the lists; likewise */
    bool hello_sent;
    bool show_log;
    struct routed_read *queue;                 /* to be sent */
    struct routed_read **last_queued;
    struct routed_read *pending[PENDING_BUCKETS];
    size_t num_pending;
    uint64_t last_ending;                      /* sent so far, by their order */
    size_t num_unacknowledged;                 /* of those; under the exchange's lock */
};

/* What is known of one adapter, for the life of the process. */
struct adapter {
    struct adapter *next;
    char spiffe[LB_MAX_SPIFFE_BYTES];
    struct lb_broker_link *link;               /* under the exchange's lock */
    enum lb_code quarantine;                   /* LB_CODE_OK, or why */
    int64_t changed_unix_ms;                   /* when `link` came or went; likewise */
    bool expected;                             /* it took leave, or we just started; likewise */
    int64_t away_ms;                           /* monotonic: since when; likewise */
    _Atomic int64_t answered_unix_ms, shown_unix_ms;
    _Atomic uint64_t log_size, num_answers;
    pthread_mutex_t circuit_lock;              /* of the next two; nothing is locked under it */
    struct lb_breaker breaker;
    int64_t circuit_unix_ms;                   /* when it last changed; 0: never did */
};

/* What ends grants, on its way to every adapter: the newest list of an issuer, or a citizen's own
 * withdrawal. Under the exchange's lock. */
struct ending {
    struct ending *next;
    char *uri;                                 /* of a list; NULL for a withdrawal */
    uint64_t seq;
    uint8_t sha256[32];                        /* of the token */
    struct lb_buf token;
    struct lb_buf grant;                       /* of a withdrawal */
    int64_t expires_unix_s;                    /* of that grant */
    uint64_t order;                            /* rises; links catch up by it */
    struct ending_proof *proofs;
};

/* That an adapter has it: its StatusAck, without the consistency proof. */
struct ending_proof {
    struct ending_proof *next;
    struct adapter *adapter;
    struct lb_buf ack;
    bool kept;                                 /* on disk, for a withdrawal */
};

struct lb_exchange {
    struct lb_exchange_options options;
    struct lb_admission *admission;
    struct lb_operator_cache *operators;
    struct lb_seen *seen;                      /* of the adapters' logs */
    pthread_mutex_t lock;
    pthread_cond_t changed;                    /* acknowledged, a collect ended, or we; monotonic */
    int64_t started_ms;                        /* monotonic */
    struct adapter *adapters;
    struct lb_collect *collects;               /* started ones; a freed one leaves */
    size_t num_collects;                       /* all that exist: the end waits for them */
    size_t num_reads;                          /* all that they hold in memory */
    struct ending *endings;
    uint64_t last_order;                       /* of an ending */
    struct relay *relays;
    struct lb_exchange_kept *kept;             /* withdrawals on disk */
    struct lb_gather *gather;                  /* entries that wait for each other */
    _Atomic int64_t num_live;                  /* cases routed and not yet at their end */
    _Atomic int64_t case_us;                   /* what one took lately, smoothed */
    bool drained;                              /* whoever waits for proofs waits no longer */
    bool stopping;
    int64_t look_ms;                           /* the watch's: circuit.c looks again then */
    pthread_t watch;
};

/* exchange.c: adapters are made on first mention and never freed before the end. */
struct adapter *lb_exchange_adapter(struct lb_exchange *exchange, const char *spiffe);
/* lb_exchange_take_link returns the adapter's link with a reference, or NULL. */
struct lb_broker_link *lb_exchange_take_link(struct lb_exchange *exchange,
                                             struct adapter *adapter);
void lb_exchange_quarantine(struct lb_exchange *exchange, struct adapter *adapter,
                            lb_status reason);
/* lb_exchange_away is why an adapter without a link can't be asked: STOPPING while it is expected
 * to come (back), otherwise UNAVAILABLE. */
enum lb_code lb_exchange_away(struct lb_exchange *exchange, const struct adapter *adapter);
/* lb_exchange_count_collect and lb_exchange_forget_collect bracket a collect's life. */
void lb_exchange_count_collect(struct lb_exchange *exchange);
void lb_exchange_forget_collect(struct lb_exchange *exchange);
/* lb_exchange_add_reads reserves memory for a collect's reads: BUSY when too many are held. */
LB_MUST lb_status lb_exchange_add_reads(struct lb_exchange *exchange, size_t num);
/* lb_exchange_add_collect puts a started collect under the deadline watch. */
void lb_exchange_add_collect(struct lb_exchange *exchange, struct lb_collect *collect);
/* lb_exchange_remove_collect takes out one that is about to be freed, with its reads. */
void lb_exchange_remove_collect(struct lb_exchange *exchange, struct lb_collect *collect);

/* overview.c: what the operator is told. An adapter has shown a checkpoint that held, or answered a
 * read. */
void lb_adapter_shown(struct adapter *adapter, const struct lb_clock *clock, uint64_t log_size);
void lb_adapter_answered(struct adapter *adapter, const struct lb_clock *clock);

/* collect.c */
void lb_collect_hold(struct lb_collect *collect);
void lb_collect_release(struct lb_collect *collect);
/* lb_collect_fail ends the call; what its caller has not taken is lost to it. */
void lb_collect_fail(struct lb_collect *collect, lb_status status);
/* lb_collect_refuse tells the caller of one that never began (lb_exchange_refused). */
void lb_collect_refuse(struct lb_collect *collect, lb_status status);
/* lb_collect_check judges the request before anything is routed (check.c). */
LB_MUST lb_status lb_collect_check(struct lb_collect *collect);

/* pace.c: how long an entry may wait for others to share its commit: 0 while few cases are under
 * way. An answer that is not its case's last waits a little longer, for its siblings. */
int64_t lb_exchange_pace_us(const struct lb_exchange *exchange);
int64_t lb_exchange_sibling_pace_us(const struct lb_exchange *exchange);
/* A case begins to be routed, and has its last outcome ready. */
void lb_exchange_case_begins(struct lb_exchange *exchange);
void lb_exchange_case_ends(struct lb_exchange *exchange, int64_t took_ms);
/* admit.c: a collect's place among those in hand. lb_collect_ask gets it one, now or later, and its
 * job then runs; BUSY of lb_later when it had better come again. lb_collect_yield gives it back,
 * once; lb_collect_progress is told, under the collect's lock, that an event is ready;
 * lb_exchange_yield_due is for the deadline watch. lb_exchange_refused notes that somebody got no
 * place: before any signature was looked at, so it is counted and no entry of its own. */
LB_MUST lb_status lb_exchange_admission_new(const struct lb_exchange_options *options,
                                            struct lb_admission **out_admission);
LB_MUST lb_status lb_collect_ask(struct lb_collect *collect);
void lb_collect_yield(struct lb_collect *collect, bool served);
void lb_collect_progress(struct lb_collect *collect);
void lb_exchange_yield_due(struct lb_exchange *exchange);
void lb_exchange_refused(struct lb_exchange *exchange, const char *caller, lb_status status);

/* circuit.c: whether a department is asked at all. lb_circuit_closed says so for a read that is
 * about to be sent; lb_circuit_unsent that it was not after all, lb_circuit_tell how one that was
 * has ended; lb_circuit_linked that a link stands anew; lb_circuit_watch is for the deadline
 * watch. */
bool lb_circuit_closed(struct lb_exchange *exchange, struct adapter *adapter,
                       struct routed_read *read);
void lb_circuit_unsent(struct lb_exchange *exchange, struct routed_read *read);
void lb_circuit_tell(struct lb_exchange *exchange, struct routed_read *read, enum lb_code code);
void lb_circuit_linked(struct lb_exchange *exchange, struct adapter *adapter);
void lb_circuit_watch(struct lb_exchange *exchange);

/* read.c */
/* lb_read_route makes a read's ROUTE entry, with a reference to the collect until it is done;
 * whoever calls hands it to the log. */
struct lb_log_entry *lb_read_route(struct routed_read *read);
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

/* link_parcels.c */
/* lb_broker_link_open_outlet opens it for an adapter that has greeted, if both take parcels. Not
 * under the link's lock, which the outbox takes to kick. NO_MEMORY. */
LB_MUST lb_status lb_broker_link_open_outlet(struct lb_broker_link *link);
/* lb_broker_link_parcels takes a frame with parcels: statuses of lb_outlet_receive. */
LB_MUST lb_status lb_broker_link_parcels(struct lb_broker_link *link,
                                         const Lianban__V1__ParcelBatch *batch);
/* lb_broker_link_next_parcels packs the next such frame; empty when there is none. */
LB_MUST lb_status lb_broker_link_next_parcels(struct lb_broker_link *link, struct lb_arena *arena,
                                              struct lb_span *out_frame);

/* answer.c: what came back, checked against what was asked. */
LB_MUST lb_status lb_broker_link_answers(struct lb_broker_link *link,
                                         const Lianban__V1__Batch *batch);
/* lb_broker_link_take removes a pending read by its txn; NULL when it is not waited for (any
 * more). */
struct routed_read *lb_broker_link_take(struct lb_broker_link *link, const uint8_t txn[16]);

/* endings.c: the table; all but lb_ending_next under the exchange's lock. */
struct ending *lb_ending_by_sha256(struct lb_exchange *exchange, const uint8_t sha256[32]);
/* lb_ending_hold_list takes a list unless an older one or another of its number is held:
 * STATUS_STALE, STATUS_FORK; TOO_LARGE past the number of lists. out_new says whether it is new. */
LB_MUST lb_status lb_ending_hold_list(struct lb_exchange *exchange, const char *uri, uint64_t seq,
                                      struct lb_span token, struct ending **out_ending,
                                      bool *out_new);
/* lb_ending_has_room says whether one more withdrawal may be taken. */
bool lb_ending_has_room(const struct lb_exchange *exchange);
/* lb_ending_hold_withdrawal takes a citizen's withdrawal. */
LB_MUST lb_status lb_ending_hold_withdrawal(struct lb_exchange *exchange, struct lb_span grant,
                                            struct lb_span token, int64_t expires_unix_s,
                                            struct ending **out_ending, bool *out_new);
struct ending_proof *lb_ending_proof_of(const struct ending *ending,
                                        const struct adapter *adapter);
/* lb_ending_prove keeps what an adapter proved; an earlier proof of it is replaced. */
LB_MUST lb_status lb_ending_prove(struct ending *ending, struct adapter *adapter,
                                  struct lb_span ack, bool kept);
/* lb_ending_send_again sends it once more to every adapter that has not proved to have it. */
void lb_ending_send_again(struct lb_exchange *exchange, struct ending *ending);
/* lb_ending_forget_lists: an adapter that links anew may have lost its lists, not withdrawals. */
void lb_ending_forget_lists(struct lb_exchange *exchange, const struct adapter *adapter);
/* lb_ending_purge drops withdrawals of grants that are over. */
void lb_ending_purge(struct lb_exchange *exchange, int64_t now_unix_s);
void lb_ending_free_all(struct lb_exchange *exchange);
/* lb_ending_next packs the next frame for a link; empty when there is none. */
LB_MUST lb_status lb_ending_next(struct lb_broker_link *link, struct lb_arena *arena,
                                 struct lb_span *out_frame);
/* lb_ending_settled says whether an adapter has answered to everything that it was told when it
 * linked: one that was started anew refuses every read before it has a list. */
bool lb_ending_settled(struct lb_broker_link *link);

/* kept.c: withdrawals survive the process. Without a path nothing is kept. */
LB_MUST lb_status lb_kept_open(struct lb_exchange *exchange, const char *path);
void lb_kept_close(struct lb_exchange_kept *kept);
/* lb_kept_add makes a withdrawal durable before anybody is told of it. Blocks. */
LB_MUST lb_status lb_kept_add(struct lb_exchange *exchange, const uint8_t sha256[32],
                              struct lb_span grant, struct lb_span token,
                              int64_t expires_unix_s);
/* lb_kept_flush writes down new proofs; for the deadline watch, since pollers must not block. */
void lb_kept_flush(struct lb_exchange *exchange);

/* cut.c: reads under way whose grant has just ended come to their end at once. `ended` is a
 * lb_status_list for the first, the lb_grant withdrawn for the second. */
void lb_cut_by_list(struct lb_exchange *exchange, const void *ended);
void lb_cut_by_withdrawal(struct lb_exchange *exchange, const void *ended);

/* relay.c: telling every adapter of what ends grants, and who has stopped. */
struct lb_relay_ask {
    struct lb_span token;
    const char *uri;         /* of a list, with its seq; NULL for a withdrawal */
    uint64_t seq;
    struct lb_span grant;    /* of a withdrawal, with its end */
    int64_t expires_unix_s;
    void (*cut)(struct lb_exchange *exchange, const void *ended);
    const void *ended;
    int64_t timeout_ms;
};
/* lb_relay_run holds what ends grants, sends it and waits for the proofs. Blocks. Statuses of
 * lb_ending_hold_list and lb_ending_hold_withdrawal. */
LB_MUST lb_status lb_relay_run(struct lb_exchange *exchange, const struct lb_relay_ask *ask,
                               struct lb_arena *arena, Lianban__V1__RelayStatusResponse **out);
/* lb_relay_ack takes what an adapter says; RECEIPT_INVALID, LOG_FORK and the like when its proof
 * does not hold. */
LB_MUST lb_status lb_relay_ack(struct lb_broker_link *link, const Lianban__V1__StatusAck *ack);

#endif
