/* One call at a server: checks in order, the method, and for unary ones the way over a worker. */
#include <stdlib.h>

#include "gateway/base/clock.h"
#include "gateway/rpc/peer.h"
#include "gateway/rpc/server_core.h"
#include "gateway/rpc/stream.h"

struct server_call {
    struct lb_rpc_server *server;
    struct lb_rpc_stream *stream;       /* a reference of ours */
    const struct lb_rpc_method *method; /* NULL for the health check */
    struct lb_rpc_call_info info;
    struct lb_arena *arena;
    struct lb_span request;
    bool has_request;
    struct lb_job job;
    struct lb_ticket ticket;
    int64_t begun_us; /* for the meter */
    atomic_uint holders; /* the stream until it is closed, the worker until it has answered */
};

static void call_drop(struct server_call *call)
{
    if (atomic_fetch_sub(&call->holders, 1) > 1)
        return;
    struct lb_rpc_server *server = call->server;
    if (call->stream != NULL)
        lb_rpc_stream_unref(call->stream);
    lb_arena_free(call->arena);
    free(call);
    lb_rpc_server_leave(server);
}

static void count_call(void *arg, lb_status status)
{
    const struct server_call *call = arg;
    const struct lb_rpc_server_options *options = &call->server->options;
    lb_rpc_account_over(&call->server->account, status);
    size_t method = LB_METER_MAX_METHODS;
    if (call->method != NULL)
        method = (size_t)(call->method - options->methods);
    else if (call->info.method != NULL)
        return; /* the health check */
    lb_meter_call(options->meter, method, lb_status_code(status));
    (void)lb_meter_took(options->meter, LB_METER_CALL, call->begun_us);
}

static void after_closed(void *arg)
{
    call_drop(arg);
}

/* --- unary calls --- */

static void leave(struct server_call *call, bool served)
{
    if (call->server->options.admission != NULL)
        lb_admission_leave(call->server->options.admission, &call->ticket, served);
}

static void run_handler(struct lb_job *job)
{
    struct server_call *call = LB_RPC_OWNER(job, struct server_call, job);
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status =
        call->method->unary(call->method->ctx, &call->info, call->request, call->arena, &reply);
    if (status == LB_OK)
        lb_rpc_stream_reply(call->stream, reply);
    else
        lb_rpc_stream_finish(call->stream, status);
    leave(call, true);
    call_drop(call);
}

/* Not admitted, or no worker will look at it. */
static void turn_away(struct server_call *call, lb_status status)
{
    const struct lb_rpc_server_options *options = &call->server->options;
    if (lb_later_ms(status) > 0 && options->refused != NULL)
        options->refused(options->refused_ctx, call->info.peer->spiffe, status->code);
    lb_rpc_stream_finish(call->stream, status);
    call_drop(call);
}

static void begin(struct lb_ticket *ticket, lb_status status)
{
    struct server_call *call = LB_RPC_OWNER(ticket, struct server_call, ticket);
    if (status == LB_OK) {
        status = lb_workers_submit(call->server->options.workers, &call->job);
        if (status == LB_OK)
            return;
        leave(call, false);
    }
    turn_away(call, status);
}

static void submit(struct server_call *call)
{
    struct lb_admission *admission = call->server->options.admission;
    char who[LB_MAX_NAME_BYTES + 1];
    call->job.run = run_handler;
    call->ticket.begin = begin;
    (void)atomic_fetch_add(&call->holders, 1);
    if (admission == NULL || call->method->load == LB_RPC_LIGHT) {
        begin(&call->ticket, LB_OK);
        return;
    }
    lb_admission_who(call->info.peer->spiffe, who);
    lb_status status = lb_admission_enter(
        admission, who,
        call->method->load == LB_RPC_BEGINS ? LB_ADMIT_BEGINS : LB_ADMIT_FINISHES, 1,
        call->info.deadline_unix_ms - lb_clock_unix_ms(lb_clock_system()), &call->ticket);
    if (status != LB_OK)
        turn_away(call, status);
}

static void answer_health(struct server_call *call)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status = lb_rpc_health_answer(call->server, call->request, call->arena, &reply);
    if (status == LB_OK)
        lb_rpc_stream_reply(call->stream, reply);
    else if (status->code == LB_ABSENT)
        lb_rpc_stream_not_found(call->stream);
    else
        lb_rpc_stream_finish(call->stream, status);
}

/* The one request; reading stops after it, so a second is never taken from the peer. */
static void unary_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct server_call *call = self;
    lb_rpc_stream_pause(stream);
    call->has_request = true;
    lb_status status = lb_arena_copy(call->arena, bytes, &call->request);
    if (status != LB_OK)
        lb_rpc_stream_finish(stream, status);
    else if (call->method == NULL)
        answer_health(call);
    else
        submit(call);
}

static void unary_half_closed(void *self, struct lb_rpc_stream *stream)
{
    const struct server_call *call = self;
    if (!call->has_request)
        lb_rpc_stream_finish(stream, LB_FAULT(LB_MALFORMED, "a unary call without a request"));
}

static const struct lb_rpc_stream_events unary_events = {
    .message = unary_message,
    .half_closed = unary_half_closed,
};

/* --- what a handler is told --- */

static struct lb_span slice_span(const grpc_slice *slice)
{
    return lb_span_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static lb_status copy_metadata(struct server_call *call, const grpc_metadata_array *metadata)
{
    struct lb_rpc_metadata *copy =
        lb_arena_array(call->arena, metadata->count, sizeof(struct lb_rpc_metadata));
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "call metadata");
    for (size_t i = 0; i < metadata->count; i++) {
        copy[i].key = lb_arena_str(call->arena, slice_span(&metadata->metadata[i].key));
        LB_ENSURE(copy[i].key != NULL, LB_NO_MEMORY, "call metadata");
        LB_TRY(lb_arena_copy(call->arena, slice_span(&metadata->metadata[i].value),
                             &copy[i].value));
    }
    call->info.metadata = copy;
    call->info.num_metadata = metadata->count;
    return LB_OK;
}

static int64_t unix_ms_of(gpr_timespec at)
{
    gpr_timespec infinite = gpr_inf_future(at.clock_type);
    if (gpr_time_cmp(at, infinite) >= 0)
        return 0;
    gpr_timespec real = gpr_convert_clock_type(at, GPR_CLOCK_REALTIME);
    return (int64_t)real.tv_sec * 1000 + real.tv_nsec / 1000000;
}

static int64_t deadline_of(const struct server_call *call, gpr_timespec asked)
{
    int64_t deadline = unix_ms_of(asked);
    if (call->method != NULL && call->method->stream != NULL)
        return deadline;
    int64_t latest = lb_clock_unix_ms(lb_clock_system()) + LB_MAX_DEADLINE_MS;
    return deadline == 0 || deadline > latest ? latest : deadline;
}

struct lb_span lb_rpc_call_metadata(const struct lb_rpc_call_info *info, const char *key)
{
    struct lb_span found = LB_SPAN_EMPTY;
    size_t times = 0;
    for (size_t i = 0; i < info->num_metadata; i++) {
        if (lb_span_is(lb_span_str(info->metadata[i].key), key)) {
            found = info->metadata[i].value;
            times++;
        }
    }
    return times == 1 ? found : LB_SPAN_EMPTY;
}

/* --- the checks, in order --- */

static lb_status find_method(struct server_call *call, struct lb_span path)
{
    const struct lb_rpc_server_options *options = &call->server->options;
    if (lb_span_is(path, LB_RPC_HEALTH_PATH)) {
        call->info.method = LB_RPC_HEALTH_PATH;
        return LB_OK;
    }
    for (size_t i = 0; i < options->num_methods; i++) {
        if (lb_span_is(path, options->methods[i].path)) {
            call->method = &options->methods[i];
            call->info.method = call->method->path;
            return LB_OK;
        }
    }
    LB_FAIL(LB_NO_METHOD, "unknown method");
}

/* The peer is proved by the connection, which may be older than a revocation: it is judged anew. */
static lb_status know_peer(struct server_call *call, grpc_call *core)
{
    if (!lb_rpc_gate_checks(call->server->gate))
        return LB_OK;
    struct lb_rpc_peer *peer = NULL;
    LB_TRY(lb_rpc_peer_of_call(core, &peer));
    call->stream->peer = peer;
    call->info.peer = peer;
    return lb_rpc_gate_judge(call->server->gate, peer);
}

static lb_status open_method(struct server_call *call)
{
    struct lb_rpc_stream *stream = call->stream;
    const struct lb_rpc_method *method = call->method;
    if (method == NULL || method->unary != NULL) {
        stream->events = unary_events;
        stream->self = call;
        return LB_OK;
    }
    const struct lb_rpc_stream_events *events = NULL;
    void *self = NULL;
    LB_TRY(method->stream(method->ctx, &call->info, stream, &events, &self));
    stream->events = *events;
    stream->self = self;
    return LB_OK;
}

static lb_status admit(struct server_call *call, const struct lb_rpc_incoming *incoming)
{
    const struct lb_rpc_server_options *options = &call->server->options;
    LB_TRY(know_peer(call, incoming->call));
    LB_TRY(copy_metadata(call, &incoming->metadata));
    if (options->admit != NULL)
        LB_TRY(options->admit(options->admit_ctx, &call->info));
    LB_TRY(find_method(call, slice_span(&incoming->details.method)));
    call->info.deadline_unix_ms = deadline_of(call, incoming->details.deadline);
    call->stream->deadline_unix_ms = call->info.deadline_unix_ms;
    return LB_OK;
}

static struct server_call *call_new(struct lb_rpc_server *server,
                                    const struct lb_rpc_incoming *incoming)
{
    struct server_call *call = calloc(1, sizeof(*call));
    if (call == NULL)
        return NULL;
    call->server = server;
    call->info.peer = lb_rpc_peer_empty();
    call->begun_us = lb_meter_now(server->options.meter);
    atomic_init(&call->holders, 1);
    call->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_rpc_stream_init init = {
        .runtime = server->options.runtime,
        .poller = incoming->poller,
        .call = incoming->call,
        .is_server = true,
        .owner = server,
        .gate = server->gate,
    };
    call->stream = lb_rpc_stream_new(&init);
    if (call->arena == NULL || call->stream == NULL) {
        if (call->stream != NULL)
            lb_rpc_stream_unref(call->stream);
        lb_arena_free(call->arena);
        free(call);
        return NULL;
    }
    lb_rpc_account_began(&server->account);
    lb_rpc_stream_ref(call->stream); /* one for the call's end, one for us */
    call->stream->before_closed = count_call;
    call->stream->after_closed = after_closed;
    call->stream->closed_arg = call;
    return call;
}

void lb_rpc_server_serve(struct lb_rpc_server *server, struct lb_rpc_incoming *incoming)
{
    lb_status status = lb_rpc_server_enter(server);
    struct server_call *call = call_new(server, incoming);
    if (call == NULL) {
        grpc_call_unref(incoming->call);
        lb_rpc_server_leave(server);
        return;
    }
    if (status == LB_OK)
        status = admit(call, incoming);
    /* A stream's owner may use it as soon as it is asked, so the call has begun by then. */
    lb_rpc_stream_hold(call->stream);
    lb_rpc_stream_serve(call->stream);
    if (status == LB_OK)
        status = open_method(call);
    if (status == LB_OK)
        lb_rpc_stream_read(call->stream);
    else
        lb_rpc_stream_finish(call->stream, status);
    lb_rpc_stream_release(call->stream);
}
