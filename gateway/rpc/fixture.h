#ifndef GATEWAY_RPC_FIXTURE_H
#define GATEWAY_RPC_FIXTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "gateway/base/diag.h"
#include "gateway/rpc/client.h"
#include "gateway/rpc/server.h"

/* What the tests of this folder share: certificates, one server and one channel over loopback. */

#define FIXTURE_SERVER_ID "spiffe://test/broker/a"
#define FIXTURE_CLIENT_ID "spiffe://test/window/b"

/* A verifier that says what the test tells it to, and counts. */
struct fixture_judge {
    atomic_int code;        /* enum lb_code; LB_CODE_OK accepts */
    atomic_int times;
    atomic_int accept_next; /* judgements still accepted before `code` counts */
    const char *seen_spiffe_wanted; /* every peer must have this id, else PEER_UNLISTED */
    _Atomic(const char *) expired_leaf; /* a chain that begins with this PEM is PEER_EXPIRED */
};

struct fixture {
    struct lb_rpc_runtime *runtime;
    struct lb_workers *workers;
    struct lb_rpc_server *server;
    struct lb_rpc_channel *channel;
    struct fixture_judge server_judge;
    struct fixture_judge client_judge;
    struct lb_diag diag;
    char target[128];
    const struct lb_rpc_method *methods;
    size_t num_methods;
    size_t max_calls;
};

struct lb_rpc_verifier fixture_verifier(struct fixture_judge *judge);

/* fixture_path returns a file in the test's folder; the text lives until the program ends. */
const char *fixture_path(const char *name);
/* fixture_identity returns the certificate files made for a name. */
struct lb_rpc_identity fixture_identity(const char *name);
/* fixture_copy copies one file of the test's folder over another, keeping it closed to others. */
void fixture_copy(const char *from, const char *to);
/* fixture_text reads one file of the test's folder; the caller frees it. */
char *fixture_text(const char *name);
int64_t fixture_now_ms(void);
void fixture_sleep_ms(int64_t ms);

/* fixture_certs makes the certificates; a group setup of cmocka. */
int fixture_certs(void **state);
int fixture_clean(void **state);

/* fixture_start starts runtime, workers, a TLS server with these methods and a channel to it. */
void fixture_start(struct fixture *fixture, const struct lb_rpc_method *methods,
                   size_t num_methods, size_t max_calls);
void fixture_stop(struct fixture *fixture, int64_t grace_ms);
/* fixture_options fills the options of one more server with the same methods. */
struct lb_rpc_server_options fixture_options(struct fixture *fixture,
                                             const struct lb_rpc_identity *identity);
/* fixture_channel makes a second channel to the fixture's server; NULL if refused. */
struct lb_rpc_channel *fixture_channel(struct fixture *fixture, const char *identity,
                                       const char *expected_spiffe);

/* fixture_call calls and returns the code; the reply is compared when wanted is not NULL. */
enum lb_code fixture_call(struct lb_rpc_channel *channel, const char *method, const char *request,
                          int64_t timeout_ms, const char *wanted);

/* --- a stream whose events are recorded --- */
struct recorder {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lb_rpc_stream *stream;
    size_t num_messages;
    size_t num_bytes;
    char last[64];
    unsigned half_closed;
    unsigned closed;
    enum lb_code code;
    bool pause_each;
    bool late; /* an event came after closed */
};

void recorder_init(struct recorder *recorder);
extern const struct lb_rpc_stream_events recorder_events;
/* recorder_open opens a stream and keeps the reference in recorder->stream. */
enum lb_code recorder_open(struct recorder *recorder, struct lb_rpc_channel *channel,
                           const char *method, int64_t timeout_ms);
/* Each waits at most ms and tells whether it came true. */
bool recorder_wait_messages(struct recorder *recorder, size_t num, int64_t ms);
bool recorder_wait_closed(struct recorder *recorder, int64_t ms);
/* recorder_end waits for `closed`, checks that it came once and last, and drops the stream. */
enum lb_code recorder_end(struct recorder *recorder);

#endif
