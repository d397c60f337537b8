#include "gateway/services/window_http.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/services/message_json.h"
#include "gateway/window/tracing.h"

/* Nothing is decided here: a request's JSON becomes the message, the method of the gRPC service
 * runs, and its reply becomes JSON. */

typedef lb_status (*listen_fn)(struct lb_window *window, const char *case_id,
                               const struct lb_listener_port *port,
                               struct lb_case_listener **out_listener);

struct method {
    struct lb_window *window;
    const struct lb_rpc_method *rpc;
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
    listen_fn listen;  /* of a method that answers with events */
};

struct lb_window_http {
    struct lb_rpc_method rpc[LB_WINDOW_METHODS];
    struct method methods[LB_WINDOW_METHODS];
    struct lb_http_method http[LB_WINDOW_METHODS];
};

/* --- one answer --- */

static lb_status serve_one(void *ctx, const struct lb_http_request *http, struct lb_arena *arena,
                           struct lb_http_reply *out)
{
    const struct method *method = ctx;
    const struct lb_rpc_call_info info = {.method = method->rpc->path};
    struct lb_span request = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    void *message = NULL;
    LB_TRY(lb_message_of_json(method->input, http->body, arena, &message));
    LB_TRY(lb_pb_pack(message, arena, &request));
    LB_TRY(method->rpc->unary(method->rpc->ctx, &info, request, arena, &reply));
    LB_TRY(lb_pb_unpack(method->output, reply, arena, &message));
    return lb_message_to_json(message, arena, &out->json);
}

/* --- events --- */

#define LINE_ARENA_BYTES LB_CALL_ARENA_BYTES

struct events {
    const struct method *method;
    struct lb_case_listener *listener;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ready;      /* fill may have something */
    bool finished;
    lb_status status;
    bool told;       /* the end was told */
    struct lb_buf first;  /* the first line, read before the answer began */
};

static void on_ready(void *ctx)
{
    struct events *events = ctx;
    (void)pthread_mutex_lock(&events->lock);
    events->ready = true;
    (void)pthread_cond_broadcast(&events->changed);
    (void)pthread_mutex_unlock(&events->lock);
}

static void on_finish(void *ctx, lb_status status)
{
    struct events *events = ctx;
    (void)pthread_mutex_lock(&events->lock);
    events->finished = true;
    events->status = status;
    (void)pthread_cond_broadcast(&events->changed);
    (void)pthread_mutex_unlock(&events->lock);
}

static void wait_for(struct events *events, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanos = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + nanos / 1000000000);
    until.tv_nsec = (long)(nanos % 1000000000);
    (void)pthread_mutex_lock(&events->lock);
    int timed_out = 0;
    while (!events->ready && !events->finished && timed_out == 0)
        timed_out = pthread_cond_timedwait(&events->changed, &events->lock, &until);
    events->ready = false;
    (void)pthread_mutex_unlock(&events->lock);
}

static bool has_finished(struct events *events, lb_status *out_status)
{
    (void)pthread_mutex_lock(&events->lock);
    bool finished = events->finished;
    *out_status = events->status;
    (void)pthread_mutex_unlock(&events->lock);
    return finished;
}

static lb_status put_event(const struct events *events, struct lb_span bytes, struct lb_buf *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LINE_ARENA_BYTES);
    struct lb_span line = LB_SPAN_EMPTY;
    void *message = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "event");
    LB_TRY(lb_pb_unpack(events->method->output, bytes, arena, &message));
    LB_TRY(lb_message_to_json(message, arena, &line));
    lb_buf_put(out, line);
    return lb_buf_check(out);
}

/* A failure in mid-answer is its last line. */
static void put_failure(struct events *events, lb_status status, struct lb_buf *out)
{
    events->told = true;
    lb_buf_put_str(out, "{\"error\":");
    lb_http_put_error(status, out);
    lb_buf_put_str(out, "}");
}

/* The next event, if there is one now. */
static bool take_event(struct events *events, struct lb_buf *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf bytes;
    lb_buf_init(&bytes, LB_MAX_MESSAGE_BYTES);
    if (!lb_case_listener_fill(events->listener, &bytes))
        return false;
    lb_status status = put_event(events, lb_buf_span(&bytes), out);
    if (status != LB_OK)
        put_failure(events, status, out);
    return true;
}

/* What was finished before the look for events has none after it. */
static enum lb_http_next next_event(struct events *events, int64_t wait_ms, struct lb_buf *out)
{
    lb_status status = LB_OK;
    if (events->told)
        return LB_HTTP_END;
    bool finished = has_finished(events, &status);
    if (take_event(events, out))
        return LB_HTTP_LINE;
    if (!finished) {
        wait_for(events, wait_ms);
        return take_event(events, out) ? LB_HTTP_LINE : LB_HTTP_QUIET;
    }
    if (status == LB_OK)
        return LB_HTTP_END;
    put_failure(events, status, out);
    return LB_HTTP_LINE;
}

static enum lb_http_next next_line(void *self, int64_t wait_ms, struct lb_buf *out)
{
    struct events *events = self;
    if (events->first.len == 0)
        return next_event(events, wait_ms, out);
    lb_buf_put(out, lb_buf_span(&events->first));
    lb_buf_cleanup(&events->first);
    lb_buf_init(&events->first, 0);
    return LB_HTTP_LINE;
}

static void close_events(void *self)
{
    struct events *events = self;
    if (events->listener != NULL)
        lb_case_listener_close(events->listener);
    lb_buf_cleanup(&events->first);
    (void)pthread_cond_destroy(&events->changed);
    (void)pthread_mutex_destroy(&events->lock);
    free(events);
}

/* A collect that cannot be done says so before it has told anything; then the answer is that
 * failure with its HTTP status. A watch may be quiet for long and begins at once. */
static lb_status begin_collect(void *self, int64_t wait_ms, bool *out_begun)
{
    struct events *events = self;
    lb_status status = LB_OK;
    bool finished = has_finished(events, &status);
    *out_begun = take_event(events, &events->first);
    if (*out_begun)
        return LB_OK;
    *out_begun = finished;
    if (!finished)
        wait_for(events, wait_ms);
    return status;
}

static const struct lb_http_lines collect_lines = {begin_collect, next_line, close_events};
static const struct lb_http_lines watch_lines = {NULL, next_line, close_events};

static struct events *events_new(const struct method *method)
{
    struct events *events = calloc(1, sizeof(*events));
    pthread_condattr_t monotonic;
    if (events == NULL)
        return NULL;
    events->method = method;
    lb_buf_init(&events->first, LB_HTTP_MAX_LINE_BYTES);
    (void)pthread_mutex_init(&events->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&events->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    return events;
}

static lb_status serve_events(void *ctx, const struct lb_http_request *http,
                              struct lb_arena *arena, struct lb_http_reply *out)
{
    const struct method *method = ctx;
    Lianban__V1__CaseRequest *request = NULL;
    LB_TRY(lb_message_of_json(method->input, http->body, arena, &request));
    if (method->listen == lb_window_collect)
        LB_TRY(lb_window_trace(method->window, request->case_id, http->traceparent));
    struct events *events = events_new(method);
    LB_ENSURE(events != NULL, LB_NO_MEMORY, "listener");
    const struct lb_listener_port port = {events, on_ready, on_finish};
    lb_status status =
        method->listen(method->window, request->case_id, &port, &events->listener);
    if (status != LB_OK) {
        close_events(events);
        return status;
    }
    out->lines = method->listen == lb_window_collect ? &collect_lines : &watch_lines;
    out->lines_self = events;
    return LB_OK;
}

/* --- the table --- */

static listen_fn listens(const char *name)
{
    if (strcmp(name, "Collect") == 0)
        return lb_window_collect;
    return strcmp(name, "Watch") == 0 ? lb_window_watch : NULL;
}

static const ProtobufCMethodDescriptor *described(const struct lb_rpc_method *rpc)
{
    const char *name = strrchr(rpc->path, '/') + 1;
    return protobuf_c_service_descriptor_get_method_by_name(&lianban__v1__window__descriptor,
                                                            name);
}

lb_status lb_window_http_new(struct lb_window *window, struct lb_window_http **out_http)
{
    struct lb_window_http *http = calloc(1, sizeof(*http));
    LB_ENSURE(http != NULL, LB_NO_MEMORY, "HTTP front");
    lb_window_service_methods(window, http->rpc);
    for (size_t i = 0; i < LB_WINDOW_METHODS; i++) {
        const ProtobufCMethodDescriptor *method = described(&http->rpc[i]);
        http->methods[i] = (struct method){window, &http->rpc[i], method->input, method->output,
                                           listens(method->name)};
        http->http[i] = (struct lb_http_method){
            .path = http->rpc[i].path,
            .serve = http->rpc[i].unary != NULL ? serve_one : serve_events,
            .ctx = &http->methods[i],
        };
    }
    *out_http = http;
    return LB_OK;
}

void lb_window_http_free(struct lb_window_http *http)
{
    free(http);
}

const struct lb_http_method *lb_window_http_methods(const struct lb_window_http *http)
{
    return http->http;
}
