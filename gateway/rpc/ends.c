#include "gateway/rpc/ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"

struct ends_seen ends_seen;

void outbox_init(struct outbox *outbox)
{
    (void)pthread_mutex_init(&outbox->lock, NULL);
    lb_buf_init(&outbox->waiting, LB_MAX_MESSAGE_BYTES);
    outbox->frames = 0;
}

void outbox_cleanup(struct outbox *outbox)
{
    lb_buf_cleanup(&outbox->waiting);
    (void)pthread_mutex_destroy(&outbox->lock);
}

void outbox_add(struct outbox *outbox, struct lb_span bytes)
{
    (void)pthread_mutex_lock(&outbox->lock);
    lb_buf_put(&outbox->waiting, bytes);
    (void)pthread_mutex_unlock(&outbox->lock);
}

bool outbox_take(struct outbox *outbox, struct lb_buf *out)
{
    (void)pthread_mutex_lock(&outbox->lock);
    bool any = outbox->waiting.len > 0;
    if (any) {
        lb_buf_put(out, lb_buf_span(&outbox->waiting));
        outbox->waiting.len = 0;
        outbox->frames++;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    return any;
}

/* --- unary --- */

static lb_status echo(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                      struct lb_arena *arena, struct lb_span *reply)
{
    (void)ctx;
    (void)arena;
    (void)atomic_fetch_add(&ends_seen.handled, 1);
    const char *wanted = info->peer->chain_pem.len == 0 ? "" : FIXTURE_CLIENT_ID;
    LB_ENSURE(strcmp(info->peer->spiffe, wanted) == 0, LB_PEER_UNLISTED, "test");
    LB_ENSURE(info->deadline_unix_ms > 0 &&
                  info->deadline_unix_ms <=
                      lb_clock_unix_ms(lb_clock_system()) + LB_MAX_DEADLINE_MS,
              LB_INTERNAL, "test: deadline");
    *reply = request;
    return LB_OK;
}

static lb_status slow(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                      struct lb_arena *arena, struct lb_span *reply)
{
    (void)ctx;
    (void)info;
    (void)arena;
    (void)atomic_fetch_add(&ends_seen.slow_running, 1);
    fixture_sleep_ms(300);
    while (atomic_load(&ends_seen.slow_held) != 0)
        fixture_sleep_ms(1);
    *reply = request;
    (void)atomic_fetch_add(&ends_seen.slow_done, 1);
    return LB_OK;
}

/* The leaf of the caller. Behind it OpenSSL sends the CA that it was signed by. */
static lb_status who(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                     struct lb_arena *arena, struct lb_span *reply)
{
    static const char end[] = "-----END CERTIFICATE-----\n";
    (void)ctx;
    (void)request;
    struct lb_span chain = info->peer->chain_pem;
    if (chain.len == 0)
        return LB_OK;
    const uint8_t *leaf_end = memmem(chain.ptr, chain.len, end, sizeof(end) - 1);
    if (leaf_end != NULL)
        chain.len = (size_t)(leaf_end - chain.ptr) + sizeof(end) - 1;
    return lb_arena_copy(arena, chain, reply);
}

/* --- streams --- */

struct stream_end {
    struct outbox outbox;
};

static void stream_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct stream_end *end = self;
    outbox_add(&end->outbox, bytes);
    lb_rpc_stream_kick(stream);
}

static void stream_half_closed(void *self, struct lb_rpc_stream *stream)
{
    (void)self;
    lb_rpc_stream_finish(stream, LB_OK);
}

static bool stream_fill(void *self, struct lb_rpc_stream *stream, struct lb_buf *out)
{
    (void)stream;
    struct stream_end *end = self;
    return outbox_take(&end->outbox, out);
}

static void stream_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    (void)stream;
    struct stream_end *end = self;
    atomic_store(&ends_seen.closed_code, (int)lb_status_code(status));
    (void)atomic_fetch_add(&ends_seen.closed_times, 1);
    outbox_cleanup(&end->outbox);
    free(end);
}

static const struct lb_rpc_stream_events stream_events = {
    .message = stream_message,
    .half_closed = stream_half_closed,
    .fill = stream_fill,
    .closed = stream_closed,
};

static lb_status open_stream(void *ctx, const struct lb_rpc_call_info *info,
                           struct lb_rpc_stream *stream,
                           const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)ctx;
    (void)info;
    (void)stream;
    struct stream_end *end = calloc(1, sizeof(*end));
    LB_ENSURE(end != NULL, LB_NO_MEMORY, "test");
    outbox_init(&end->outbox);
    *out_events = &stream_events;
    *out_self = end;
    return LB_OK;
}

/* Ten messages at once, and then a failure by name. */
static void ten_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)self;
    for (int i = 0; i < 10; i++)
        assert_null(lb_rpc_stream_send(stream, bytes));
    lb_rpc_stream_finish(stream, LB_FAULT(LB_GRANT_EXPIRED, "test"));
    assert_int_equal(lb_status_code(lb_rpc_stream_send(stream, bytes)), LB_CANCELLED);
}

static const struct lb_rpc_stream_events ten_events = {.message = ten_message};

static lb_status open_ten(void *ctx, const struct lb_rpc_call_info *info,
                          struct lb_rpc_stream *stream,
                          const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)ctx;
    (void)info;
    (void)stream;
    *out_events = &ten_events;
    *out_self = NULL;
    return LB_OK;
}

static lb_status open_refused(void *ctx, const struct lb_rpc_call_info *info,
                              struct lb_rpc_stream *stream,
                              const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)ctx;
    (void)info;
    (void)stream;
    (void)out_events;
    (void)out_self;
    LB_FAIL(LB_ROLE_NOT_ALLOWED, "test");
}

/* Reads one message and no more. */
static void deaf_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)self;
    (void)bytes;
    lb_rpc_stream_pause(stream);
}

static const struct lb_rpc_stream_events deaf_events = {.message = deaf_message};

static lb_status open_deaf(void *ctx, const struct lb_rpc_call_info *info,
                           struct lb_rpc_stream *stream,
                           const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)ctx;
    (void)info;
    (void)stream;
    *out_events = &deaf_events;
    *out_self = NULL;
    return LB_OK;
}

/* The server ends the call by itself, with a code. */
static void cut_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)self;
    (void)bytes;
    lb_rpc_stream_cancel(stream, LB_FAULT(LB_CONTEXT_UNKNOWN, "test"));
}

static const struct lb_rpc_stream_events cut_events = {.message = cut_message};

static lb_status open_cut(void *ctx, const struct lb_rpc_call_info *info,
                          struct lb_rpc_stream *stream,
                          const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)ctx;
    (void)info;
    (void)stream;
    *out_events = &cut_events;
    *out_self = NULL;
    return LB_OK;
}

/* Counts what reaches it, and lets the test send. */
static void count_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)self;
    (void)bytes;
    if (atomic_fetch_add(&ends_seen.counted, 1) > 0)
        return;
    lb_rpc_stream_ref(stream);
    atomic_store(&ends_seen.counting, stream);
}

static void count_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    (void)self;
    (void)stream;
    atomic_store(&ends_seen.closed_code, (int)lb_status_code(status));
    (void)atomic_fetch_add(&ends_seen.closed_times, 1);
}

static const struct lb_rpc_stream_events count_events = {
    .message = count_message,
    .closed = count_closed,
};

static lb_status open_count(void *ctx, const struct lb_rpc_call_info *info,
                            struct lb_rpc_stream *stream,
                            const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)ctx;
    (void)info;
    (void)stream;
    (void)atomic_fetch_add(&ends_seen.opened, 1);
    *out_events = &count_events;
    *out_self = NULL;
    return LB_OK;
}

const struct lb_rpc_method ends_methods[] = {
    {.path = ENDS_ECHO, .unary = echo},
    {.path = ENDS_SLOW, .unary = slow},
    {.path = ENDS_WHO, .unary = who},
    {.path = ENDS_STREAM, .stream = open_stream},
    {.path = ENDS_TEN, .stream = open_ten},
    {.path = ENDS_REFUSED, .stream = open_refused},
    {.path = ENDS_DEAF, .stream = open_deaf},
    {.path = ENDS_CUT, .stream = open_cut},
    {.path = ENDS_COUNT, .stream = open_count},
};
const size_t ends_num_methods = sizeof(ends_methods) / sizeof(ends_methods[0]);

void ends_start(struct fixture *fixture, size_t max_calls)
{
    atomic_store(&ends_seen.handled, 0);
    atomic_store(&ends_seen.slow_running, 0);
    atomic_store(&ends_seen.slow_done, 0);
    atomic_store(&ends_seen.slow_held, 0);
    atomic_store(&ends_seen.closed_code, -1);
    atomic_store(&ends_seen.closed_times, 0);
    atomic_store(&ends_seen.counted, 0);
    atomic_store(&ends_seen.opened, 0);
    atomic_store(&ends_seen.counting, NULL);
    fixture_start(fixture, ends_methods, ends_num_methods, max_calls);
}

enum lb_code ends_call_echo(struct lb_rpc_channel *channel)
{
    return fixture_call(channel, ENDS_ECHO, "x", 8000, "x");
}
