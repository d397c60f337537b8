#include "gateway/rpc/client.h"

#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/rpc/args.h"
#include "gateway/rpc/credentials.h"
#include "gateway/rpc/account.h"
#include "gateway/rpc/stream.h"

#define UNIX_SCHEME "unix:"
/* A connection whose peer was refused is replaced, but not more often than this. */
#define RENEW_MS 1000
#define MAX_CALL_METADATA 32U

struct lb_rpc_channel {
    struct lb_rpc_runtime *runtime;
    struct lb_rpc_gate *gate;
    grpc_channel_credentials *credentials;
    char *target, *peer; /* peer: whom it expects, or NULL */
    struct lb_rpc_account account;
    pthread_mutex_t lock; /* guards the rest */
    grpc_channel *core;
    bool stale; /* one side no longer accepts the certificates of the connection */
    int64_t renewed_ms;
};

/* --- the channel --- */

static lb_status check_options(const struct lb_rpc_channel_options *options)
{
    bool is_unix = strncmp(options->target, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0;
    LB_ENSURE(!is_unix || options->target[strlen(UNIX_SCHEME)] == '/', LB_CONFIG_INVALID,
              "a Unix socket takes an absolute path");
    if (is_unix && options->identity == NULL)
        return LB_OK;
    LB_ENSURE(options->identity != NULL && options->verifier.verify != NULL &&
                  options->expected_spiffe != NULL,
              LB_CONFIG_INVALID, "a network target needs an identity, a verifier and an id");
    struct lb_diag diag;
    return lb_rpc_identity_check(options->runtime, options->identity, &diag);
}

static grpc_channel *connect_to(const struct lb_rpc_channel *channel)
{
    struct lb_rpc_args args;
    lb_rpc_args_channel(&args);
    return grpc_channel_create(channel->target, channel->credentials, &args.args);
}

static enum lb_rpc_state state_of(const void *owner)
{
    struct lb_rpc_channel *channel = (struct lb_rpc_channel *)(uintptr_t)owner;
    (void)pthread_mutex_lock(&channel->lock);
    grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel->core, 0);
    (void)pthread_mutex_unlock(&channel->lock);
    switch (state) {
    case GRPC_CHANNEL_CONNECTING:
        return LB_RPC_CONNECTING;
    case GRPC_CHANNEL_READY:
        return LB_RPC_READY;
    case GRPC_CHANNEL_TRANSIENT_FAILURE:
        return LB_RPC_FAILING;
    default:
        return LB_RPC_IDLE;
    }
}

static lb_status fill_channel(struct lb_rpc_channel *channel,
                              const struct lb_rpc_channel_options *options)
{
    struct lb_rpc_verifier verifier = options->verifier;
    if (options->identity == NULL)
        verifier.verify = NULL;
    channel->target = strdup(options->target);
    LB_ENSURE(channel->target != NULL, LB_NO_MEMORY, "channel");
    if (options->expected_spiffe != NULL) {
        channel->peer = strdup(options->expected_spiffe);
        LB_ENSURE(channel->peer != NULL, LB_NO_MEMORY, "channel");
    }
    LB_TRY(lb_rpc_gate_new(verifier, options->expected_spiffe, &channel->gate));
    lb_rpc_gate_show(channel->gate, options->seen);
    LB_TRY(lb_rpc_credentials_channel(options->runtime, options->identity, channel->gate,
                                      &channel->credentials));
    channel->core = connect_to(channel);
    LB_ENSURE(channel->core != NULL, LB_NO_MEMORY, "channel");
    channel->account.owner = channel;
    channel->account.peer = channel->peer;
    channel->account.target = channel->target;
    channel->account.state = state_of;
    lb_rpc_account_add(channel->runtime, &channel->account);
    return LB_OK;
}

lb_status lb_rpc_channel_new(const struct lb_rpc_channel_options *options,
                             struct lb_rpc_channel **out_channel)
{
    LB_TRY(check_options(options));
    struct lb_rpc_channel *channel = calloc(1, sizeof(*channel));
    LB_ENSURE(channel != NULL, LB_NO_MEMORY, "channel");
    channel->runtime = options->runtime;
    (void)pthread_mutex_init(&channel->lock, NULL);
    lb_status status = fill_channel(channel, options);
    if (status != LB_OK) {
        lb_rpc_channel_free(channel);
        return status;
    }
    *out_channel = channel;
    return LB_OK;
}

void lb_rpc_channel_free(struct lb_rpc_channel *channel)
{
    if (channel == NULL)
        return;
    lb_rpc_account_remove(channel->runtime, &channel->account);
    if (channel->core != NULL)
        grpc_channel_destroy(channel->core);
    if (channel->credentials != NULL)
        grpc_channel_credentials_release(channel->credentials);
    lb_rpc_gate_shut(channel->gate);
    (void)pthread_mutex_destroy(&channel->lock);
    free(channel->target);
    free(channel->peer);
    free(channel);
}

lb_status lb_rpc_channel_refusal(struct lb_rpc_channel *channel)
{
    return lb_rpc_gate_refusal(channel->gate);
}

/* --- renewing the connection --- */

static bool about_certificate(lb_status status)
{
    switch (lb_status_code(status)) {
    case LB_PEER_UNVERIFIED:
    case LB_PEER_EXPIRED:
    case LB_PEER_REVOKED:
    case LB_PEER_UNLISTED:
        return true;
    default:
        return false;
    }
}

/* A call that was refused for a certificate would be refused on the same connection for ever, even
 * after that certificate was renewed: the next call makes a new one. */
static void note_refusal(struct lb_rpc_channel *channel, lb_status status)
{
    if (!about_certificate(status))
        return;
    (void)pthread_mutex_lock(&channel->lock);
    channel->stale = true;
    (void)pthread_mutex_unlock(&channel->lock);
}

/* Gives up a stale connection; true if it did. Calls still open on it run on. */
static bool renew(struct lb_rpc_channel *channel)
{
    grpc_channel *old = NULL;
    int64_t now = lb_clock_monotonic_ms(lb_clock_system());
    (void)pthread_mutex_lock(&channel->lock);
    if (channel->stale && (channel->renewed_ms == 0 || now - channel->renewed_ms >= RENEW_MS)) {
        old = channel->core;
        lb_rpc_gate_forget(channel->gate);
        channel->core = connect_to(channel);
        channel->stale = false;
        channel->renewed_ms = now;
    }
    (void)pthread_mutex_unlock(&channel->lock);
    if (old != NULL)
        grpc_channel_destroy(old);
    return old != NULL;
}

/* The peer of the standing connection is judged before anything is sent to it; a new connection's
 * peer is judged in its handshake. */
static lb_status ready(struct lb_rpc_channel *channel)
{
    (void)renew(channel);
    lb_status status = lb_rpc_gate_judge_last(channel->gate);
    if (!about_certificate(status))
        return status;
    note_refusal(channel, status);
    return renew(channel) ? LB_OK : status;
}

/* --- calls --- */

struct call_request {
    const char *method;
    const struct lb_rpc_metadata *metadata;
    size_t num_metadata;
    int64_t timeout_ms;
    const struct lb_rpc_stream_events *events;
    void *self;
    grpc_byte_buffer *only_message; /* unary; taken over */
};

static void unref_metadata(grpc_metadata *metadata, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        grpc_slice_unref(metadata[i].key);
        grpc_slice_unref(metadata[i].value);
    }
    free(metadata);
}

static lb_status make_metadata(const struct call_request *request, grpc_metadata **out_metadata)
{
    LB_ENSURE(request->num_metadata <= MAX_CALL_METADATA, LB_TOO_LARGE, "call metadata");
    grpc_metadata *metadata = calloc(request->num_metadata + 1, sizeof(*metadata));
    LB_ENSURE(metadata != NULL, LB_NO_MEMORY, "call metadata");
    size_t bytes = 0;
    bool legal = true;
    for (size_t i = 0; i < request->num_metadata; i++) {
        const struct lb_rpc_metadata *from = &request->metadata[i];
        metadata[i].key = grpc_slice_from_copied_string(from->key);
        metadata[i].value =
            grpc_slice_from_copied_buffer((const char *)from->value.ptr, from->value.len);
        bytes += strlen(from->key) + from->value.len;
        legal = legal && grpc_header_key_is_legal(metadata[i].key) &&
                (grpc_is_binary_header(metadata[i].key) ||
                 grpc_header_nonbin_value_is_legal(metadata[i].value));
    }
    if (legal && bytes <= LB_RPC_MAX_METADATA_BYTES / 2) {
        *out_metadata = metadata;
        return LB_OK;
    }
    unref_metadata(metadata, request->num_metadata);
    LB_ENSURE(legal, LB_MALFORMED, "a metadata key or value that HTTP/2 does not allow");
    LB_FAIL(LB_TOO_LARGE, "call metadata");
}

static void call_over(void *arg, lb_status status)
{
    struct lb_rpc_channel *channel = arg;
    lb_rpc_account_over(&channel->account, status);
    note_refusal(channel, status);
}

static struct lb_rpc_stream *new_stream(struct lb_rpc_channel *channel,
                                        const struct call_request *request)
{
    const struct lb_rpc_poller *poller = lb_rpc_next_poller(channel->runtime);
    gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_REALTIME);
    if (request->timeout_ms > 0)
        deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                gpr_time_from_millis(request->timeout_ms, GPR_TIMESPAN));
    grpc_slice method = grpc_slice_from_copied_string(request->method);
    (void)pthread_mutex_lock(&channel->lock);
    grpc_call *call = grpc_channel_create_call(channel->core, NULL, 0, poller->queue, method, NULL,
                                               deadline, NULL);
    (void)pthread_mutex_unlock(&channel->lock);
    grpc_slice_unref(method);
    struct lb_rpc_stream_init init = {
        .runtime = channel->runtime,
        .poller = poller,
        .call = call,
        .owner = channel,
        .gate = channel->gate,
    };
    struct lb_rpc_stream *stream = lb_rpc_stream_new(&init);
    if (stream == NULL) {
        grpc_call_unref(call);
        return NULL;
    }
    stream->events = *request->events;
    stream->self = request->self;
    stream->before_closed = call_over;
    stream->closed_arg = channel;
    return stream;
}

/* On failure the message is still the caller's. */
static lb_status begin(struct lb_rpc_channel *channel, const struct call_request *request,
                       struct lb_rpc_stream **out_stream)
{
    grpc_metadata *metadata = NULL;
    LB_TRY(make_metadata(request, &metadata));
    struct lb_rpc_stream *stream = new_stream(channel, request);
    if (stream == NULL) {
        unref_metadata(metadata, request->num_metadata);
        LB_FAIL(LB_NO_MEMORY, "stream");
    }
    lb_rpc_account_began(&channel->account);
    lb_rpc_stream_ref(stream); /* one until it is closed, one for the caller */
    lb_rpc_stream_open(stream, metadata, request->num_metadata, request->only_message);
    *out_stream = stream;
    return LB_OK;
}

lb_status lb_rpc_open(struct lb_rpc_channel *channel, const char *method,
                      const struct lb_rpc_metadata *metadata, size_t num_metadata,
                      int64_t timeout_ms, const struct lb_rpc_stream_events *events, void *self,
                      struct lb_rpc_stream **out_stream)
{
    struct call_request request = {
        .method = method,
        .metadata = metadata,
        .num_metadata = num_metadata,
        .timeout_ms = timeout_ms,
        .events = events,
        .self = self,
    };
    LB_TRY(ready(channel));
    return begin(channel, &request, out_stream);
}

/* --- unary --- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
    lb_status status;
    struct lb_arena *arena; /* the caller's, who sleeps meanwhile */
    struct lb_span reply;
    unsigned num_replies;
    lb_status copied;
};

static void take_reply(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)stream;
    struct waiting *waiting = self;
    if (waiting->num_replies++ == 0)
        waiting->copied = lb_arena_copy(waiting->arena, bytes, &waiting->reply);
}

static void wake_caller(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    (void)stream;
    struct waiting *waiting = self;
    (void)pthread_mutex_lock(&waiting->lock);
    waiting->status = status;
    waiting->done = true;
    (void)pthread_cond_signal(&waiting->done_cond);
    (void)pthread_mutex_unlock(&waiting->lock);
}

static const struct lb_rpc_stream_events call_events = {
    .message = take_reply,
    .closed = wake_caller,
};

static lb_status wait_reply(struct waiting *waiting, struct lb_span *out_reply)
{
    (void)pthread_mutex_lock(&waiting->lock);
    while (!waiting->done)
        (void)pthread_cond_wait(&waiting->done_cond, &waiting->lock);
    (void)pthread_mutex_unlock(&waiting->lock);
    LB_TRY(waiting->status);
    LB_TRY(waiting->copied);
    LB_ENSURE(waiting->num_replies == 1, LB_MALFORMED, "a unary call has exactly one reply");
    *out_reply = waiting->reply;
    return LB_OK;
}

lb_status lb_rpc_call(struct lb_rpc_channel *channel, const char *method,
                      const struct lb_rpc_metadata *metadata, size_t num_metadata,
                      struct lb_span request_bytes, int64_t timeout_ms, struct lb_arena *arena,
                      struct lb_span *out_reply)
{
    GPR_ASSERT(!lb_rpc_on_poller(channel->runtime));
    LB_ENSURE(request_bytes.len <= LB_MAX_MESSAGE_BYTES, LB_TOO_LARGE, "a request to send");
    LB_TRY(ready(channel));
    struct waiting waiting = {.arena = arena};
    (void)pthread_mutex_init(&waiting.lock, NULL);
    (void)pthread_cond_init(&waiting.done_cond, NULL);
    bool bounded = timeout_ms > 0 && timeout_ms < LB_MAX_DEADLINE_MS;
    struct call_request request = {
        .method = method,
        .metadata = metadata,
        .num_metadata = num_metadata,
        .timeout_ms = bounded ? timeout_ms : LB_MAX_DEADLINE_MS,
        .events = &call_events,
        .self = &waiting,
        .only_message = lb_rpc_stream_bytes(request_bytes),
    };
    struct lb_rpc_stream *stream = NULL;
    lb_status status = begin(channel, &request, &stream);
    if (status == LB_OK) {
        status = wait_reply(&waiting, out_reply);
        lb_rpc_stream_unref(stream);
    } else {
        grpc_byte_buffer_destroy(request.only_message);
    }
    (void)pthread_cond_destroy(&waiting.done_cond);
    (void)pthread_mutex_destroy(&waiting.lock);
    return status;
}
