#ifndef GATEWAY_EXCHANGE_FIXTURE_H
#define GATEWAY_EXCHANGE_FIXTURE_H

#include "gateway/evidence/session.h"
#include "gateway/exchange/exchange.h"
#include "gateway/token/grant.h"
#include "lianban/v1/link.pb-c.h"
#include "tests/support/federation.h"

/* For tests: a broker's use cases with real logs, a caller, and an adapter played by the test,
 * frame by frame. */

#define FX_BROKER "spiffe://test.gov/broker/hub"
#define FX_ADAPTER "spiffe://test.gov/adapter/tax"
#define FX_WINDOW "spiffe://test.gov/window/street-office"
#define FX_ANSWER_BYTES 256
#define FX_MAX_READS 250

struct fixture {
    struct federation fed;
    struct lb_arena *arena;
    struct fed_party broker, adapter, window, hall;
    struct lb_log *log;          /* the broker's */
    struct lb_log *adapter_log;
    struct lb_workers *workers;
    struct lb_offered_form form;
    struct lb_outbox *outbox;
    struct lb_exchange *exchange;
    size_t max_reads;            /* from the next start on; 0: FX_MAX_READS */
    size_t min_places;           /* likewise; 0: the broker's own */
    /* the adapter's end, played by the test */
    struct lb_broker_link *link;
    struct lb_seen *adapter_seen;
    struct lb_session session;
    lb_status failed;            /* what the broker ended the link with */
    /* what the next grants are like */
    bool by_hall;                /* consent with status index 7 instead of a mandate */
    const uint8_t *subject_key;  /* 32 bytes, or NULL */
    const char *last_grant;      /* the last one made */
    const char *traceparent;     /* of the next reads; NULL for none */
    const char *call_trace;      /* of the next call's metadata; likewise */
};

#define FX_STATUS_URI "https://hall.test.gov/1"

void fx_setup(struct fixture *fx);
void fx_teardown(struct fixture *fx);

/* fx_link links the played adapter: greeting and logs both ways. */
void fx_link(struct fixture *fx);
/* fx_unlink closes it as a lost connection does. */
void fx_unlink(struct fixture *fx);
/* fx_link_in_vain dials an adapter that is not there. */
void fx_link_in_vain(struct fixture *fx);

/* fx_frame waits up to 60 s for the broker's next frame, fx_send_frame hands it one. */
Lianban__V1__Frame *fx_frame(struct fixture *fx);
lb_status fx_send_frame(struct fixture *fx, Lianban__V1__Frame *frame);
/* fx_restart ends the broker's use cases and begins them anew on the same files. */
void fx_restart(struct fixture *fx);

/* fx_begin and fx_end set up and tear down a fixture for a case, or for a group of them. */
int fx_begin(void **state);
int fx_end(void **state);

/* One collect as the caller sees it. */
struct fx_call {
    struct lb_collect *collect;
    bool finished;
    bool failed;                 /* ended by force: events were lost */
    lb_status status;
};

#define FX_PATIENT_MS 30000  /* a time that is not meant to strike */
#define FX_WAIT_STEPS 6000   /* how often what is waited for is looked at */
#define FX_WAIT_STEP_US 10000

/* fx_request packs a CollectRequest with num reads; txn i begins with first_txn + i. */
struct lb_span fx_request(struct fixture *fx, size_t num, uint8_t first_txn, int64_t deadline_ms);
struct lb_span fx_operator_token(struct fixture *fx);
void fx_collect(struct fixture *fx, struct fx_call *call, struct lb_span token,
                struct lb_span request);
/* fx_event waits up to 60 s for the next event; NULL when the call ended without one. */
Lianban__V1__CollectEvent *fx_event(struct fixture *fx, struct fx_call *call);
void fx_close(struct fx_call *call);
/* fx_leave closes without waiting for the end, as a caller that went away. */
void fx_leave(struct fx_call *call);
/* fx_wait waits up to 60 s for the call's end. */
void fx_wait(struct fx_call *call);

/* fx_reads waits up to 60 s for the broker's next frame with reads. */
Lianban__V1__Batch *fx_reads(struct fixture *fx);
/* fx_collect_briefly collects num reads under a deadline that is meant to strike, and returns once
 * all of them have reached the adapter, with the frame that brought the last: 2 s, and twice as
 * much again where the machine was too busy for that. NULL after a minute. */
Lianban__V1__Batch *fx_collect_briefly(struct fixture *fx, struct fx_call *call, size_t num,
                                       uint8_t first_txn);

/* What the played adapter answers; a test spoils a part. */
struct fx_reply {
    const Lianban__V1__RoutedRead *read;
    const char *code;
    struct lb_leaf leaf;         /* as an honest adapter would record it */
    struct lb_span sealed;
    bool leave_out_entry;
};

/* fx_collect_one collects one read, whose txn begins so; returned as it reached the adapter. */
const Lianban__V1__RoutedRead *fx_collect_one(struct fixture *fx, struct fx_call *call,
                                              uint8_t txn);
/* fx_answer_one has the adapter answer it as well; the event, with the call still open. */
Lianban__V1__CollectEvent *fx_answer_one(struct fixture *fx, struct fx_call *call, uint8_t txn);

void fx_reply_honest(struct fixture *fx, const Lianban__V1__RoutedRead *read,
                     struct fx_reply *reply);
/* fx_send records the leaf in the adapter's log and hands the broker the frame; the status is what
 * the broker says of it. */
lb_status fx_send(struct fixture *fx, const struct fx_reply *reply);

#endif
