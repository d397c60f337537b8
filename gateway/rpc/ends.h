#ifndef GATEWAY_RPC_ENDS_H
#define GATEWAY_RPC_ENDS_H

#include "gateway/rpc/fixture.h"

/* The methods that the tests' servers have, and what they leave behind for a test to see. */

#define ENDS_ECHO "/test.Unary/Echo"      /* replies with the request */
#define ENDS_SLOW "/test.Unary/Slow"      /* the same, 300 ms later */
#define ENDS_WHO "/test.Unary/Who"        /* replies with the caller's leaf certificate */
#define ENDS_STREAM "/test.Stream/Echo"   /* sends back what comes, coalesced */
#define ENDS_TEN "/test.Stream/Ten"       /* ten copies of a message, then GRANT_EXPIRED */
#define ENDS_REFUSED "/test.Stream/Refused" /* ROLE_NOT_ALLOWED at once */
#define ENDS_DEAF "/test.Stream/Deaf"     /* reads one message and no more */
#define ENDS_CUT "/test.Stream/Cut"       /* cancels with CONTEXT_UNKNOWN at the first message */
#define ENDS_COUNT "/test.Stream/Count"   /* counts messages, and lets the test send */

struct ends_seen {
    atomic_int handled; /* unary calls that reached Echo */
    atomic_int slow_running;
    atomic_int slow_done;
    atomic_int slow_held;  /* the slow handler waits while it is set */
    atomic_int closed_code; /* of the newest closed Stream or Count end; -1 before */
    atomic_int closed_times;
    atomic_int counted;
    atomic_int opened;
    _Atomic(struct lb_rpc_stream *) counting; /* Count's end after its first message; a reference */
};
extern struct ends_seen ends_seen;

/* ends_start forgets what was seen and starts a fixture whose server has all the methods. */
void ends_start(struct fixture *fixture, size_t max_calls);
/* ends_call_echo calls ENDS_ECHO and returns the code; the reply is checked. */
enum lb_code ends_call_echo(struct lb_rpc_channel *channel);
extern const struct lb_rpc_method ends_methods[];
extern const size_t ends_num_methods;

/* What one end has to send: records are added by anybody, and fill takes all there are. */
struct outbox {
    pthread_mutex_t lock;
    struct lb_buf waiting;
    unsigned frames;
};
void outbox_init(struct outbox *outbox);
void outbox_cleanup(struct outbox *outbox);
void outbox_add(struct outbox *outbox, struct lb_span bytes);
bool outbox_take(struct outbox *outbox, struct lb_buf *out);

#endif
