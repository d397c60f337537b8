/* A client that keeps none of the rules, and a server that claims what it should not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/rpc/fixture.h"
#include "gateway/rpc/raw_client.h"
#include "gateway/rpc/wire_status.h"

#define MIB (1024U * 1024)

static atomic_int handled;

static lb_status echo(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                      struct lb_arena *arena, struct lb_span *reply)
{
    (void)ctx;
    (void)info;
    (void)arena;
    (void)atomic_fetch_add(&handled, 1);
    *reply = request;
    return LB_OK;
}

/* A server that answers a unary call twice. */
static void twice_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)self;
    assert_null(lb_rpc_stream_send(stream, bytes));
    assert_null(lb_rpc_stream_send(stream, bytes));
    lb_rpc_stream_finish(stream, LB_OK);
}

/* A server that ends a unary call well, without an answer. */
static void never_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)self;
    (void)bytes;
    lb_rpc_stream_finish(stream, LB_OK);
}

static lb_status open_with(void *ctx, const struct lb_rpc_call_info *info,
                           struct lb_rpc_stream *stream,
                           const struct lb_rpc_stream_events **out_events, void **out_self)
{
    (void)info;
    (void)stream;
    *out_events = ctx;
    *out_self = NULL;
    return LB_OK;
}

static struct lb_rpc_stream_events twice_events = {.message = twice_message};
static struct lb_rpc_stream_events never_events = {.message = never_message};

static const struct lb_rpc_method methods[] = {
    {.path = "/test.Unary/Echo", .unary = echo},
    {.path = "/test.Unary/Twice", .stream = open_with, .ctx = &twice_events},
    {.path = "/test.Unary/Never", .stream = open_with, .ctx = &never_events},
};
#define NUM_METHODS (sizeof(methods) / sizeof(methods[0]))

/* The fixture's server, and a second one on a Unix socket for the raw client. */
struct ground {
    struct fixture fixture;
    struct lb_rpc_server *plain;
    char address[256];
};

static void ground_start(struct ground *ground)
{
    atomic_store(&handled, 0);
    fixture_start(&ground->fixture, methods, NUM_METHODS, 16);
    (void)snprintf(ground->address, sizeof(ground->address), "unix:%s",
                   fixture_path("hostile.sock"));
    struct lb_rpc_server_options options = {
        .runtime = ground->fixture.runtime,
        .listen = ground->address,
        .workers = ground->fixture.workers,
        .methods = methods,
        .num_methods = NUM_METHODS,
        .max_calls = 4,
    };
    assert_null(lb_rpc_server_new(&options, &ground->fixture.diag, &ground->plain));
}

static void ground_stop(struct ground *ground)
{
    lb_rpc_server_stop(ground->plain, 1000);
    fixture_stop(&ground->fixture, 1000);
}

static void begin(struct ground *ground, struct raw_call *raw, const char *method)
{
    raw_open(raw, ground->address, grpc_insecure_credentials_create(), GRPC_COMPRESS_NONE, method);
}

/* A thousandth of the size on the wire, so it must not even be unpacked. */
static void compressed_message_is_refused(void **state)
{
    (void)state;
    struct ground ground;
    struct raw_call raw;
    uint8_t *zeros = calloc(1, MIB);
    assert_non_null(zeros);
    ground_start(&ground);
    raw_open(&raw, ground.address, grpc_insecure_credentials_create(), GRPC_COMPRESS_GZIP,
             "/test.Unary/Echo");
    assert_true(raw_metadata(&raw, NULL, LB_SPAN_EMPTY));
    (void)raw_message(&raw, lb_span_of(zeros, MIB));
    grpc_status_code code = raw_finish(&raw);
    assert_true(code == GRPC_STATUS_INVALID_ARGUMENT || code == GRPC_STATUS_UNIMPLEMENTED);
    assert_int_equal(atomic_load(&handled), 0);
    raw_cleanup(&raw);
    free(zeros);
    ground_stop(&ground);
}

static void oversized_message_is_refused(void **state)
{
    (void)state;
    struct ground ground;
    struct raw_call raw;
    uint8_t *bytes = calloc(2, MIB);
    assert_non_null(bytes);
    ground_start(&ground);
    begin(&ground, &raw, "/test.Unary/Echo");
    assert_true(raw_metadata(&raw, NULL, LB_SPAN_EMPTY));
    (void)raw_message(&raw, lb_span_of(bytes, LB_MAX_MESSAGE_BYTES + 1));
    assert_int_equal(raw_finish(&raw), GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_int_equal(atomic_load(&handled), 0);
    raw_cleanup(&raw);
    free(bytes);
    ground_stop(&ground);
}

static void oversized_metadata_is_refused(void **state)
{
    (void)state;
    struct ground ground;
    struct raw_call raw;
    char big[20 * 1024];
    memset(big, 'x', sizeof(big));
    ground_start(&ground);
    begin(&ground, &raw, "/test.Unary/Echo");
    (void)raw_metadata(&raw, "lianban-big", lb_span_of(big, sizeof(big)));
    (void)raw_message(&raw, lb_span_str("x"));
    assert_int_not_equal(raw_finish(&raw), GRPC_STATUS_OK);
    assert_int_equal(atomic_load(&handled), 0);
    raw_cleanup(&raw);
    ground_stop(&ground);
}

static void second_request_is_not_taken(void **state)
{
    (void)state;
    struct ground ground;
    struct raw_call raw;
    ground_start(&ground);
    begin(&ground, &raw, "/test.Unary/Echo");
    assert_true(raw_metadata(&raw, NULL, LB_SPAN_EMPTY));
    assert_true(raw_message(&raw, lb_span_str("one")));
    (void)raw_message(&raw, lb_span_str("two"));
    (void)raw_finish(&raw);
    assert_int_equal(atomic_load(&handled), 1);
    raw_cleanup(&raw);
    ground_stop(&ground);
}

static void client_that_says_nothing_is_dropped(void **state)
{
    (void)state;
    struct ground ground;
    struct raw_call raw[8];
    ground_start(&ground);
    for (size_t i = 0; i < 8; i++) {
        begin(&ground, &raw[i], "/test.Unary/Echo");
        assert_true(raw_metadata(&raw[i], NULL, LB_SPAN_EMPTY));
    }
    for (size_t i = 0; i < 8; i++)
        raw_cleanup(&raw[i]);
    assert_int_equal(atomic_load(&handled), 0);
    ground_stop(&ground);
}

static void unary_call_has_exactly_one_reply(void **state)
{
    (void)state;
    struct ground ground;
    ground_start(&ground);
    struct lb_rpc_channel *channel = ground.fixture.channel;
    assert_int_equal(fixture_call(channel, "/test.Unary/Twice", "x", 5000, NULL), LB_MALFORMED);
    assert_int_equal(fixture_call(channel, "/test.Unary/Never", "x", 5000, NULL), LB_MALFORMED);
    assert_int_equal(fixture_call(channel, "/test.Unary/Echo", "x", 5000, "x"), LB_CODE_OK);
    ground_stop(&ground);
}

/* --- what a server may claim --- */

static enum lb_code read_back(grpc_status_code code, struct lb_span details, const char *message)
{
    grpc_metadata pair;
    memset(&pair, 0, sizeof(pair));
    pair.key = grpc_slice_from_static_string("grpc-status-details-bin");
    pair.value = grpc_slice_from_copied_buffer((const char *)details.ptr, details.len);
    grpc_metadata_array trailing = {.count = 1, .capacity = 1, .metadata = &pair};
    grpc_slice text = grpc_slice_from_copied_string(message);
    enum lb_code read = lb_status_code(lb_rpc_wire_status_read(code, text, &trailing));
    grpc_slice_unref(text);
    grpc_slice_unref(pair.value);
    return read;
}

/* Bytes of what we send for a code, to be bent. */
static size_t details_of(enum lb_code code, uint8_t *out, size_t size)
{
    struct lb_rpc_wire_status wire;
    lb_rpc_wire_status_of(lb_status_of(code), &wire);
    assert_int_equal(wire.num_details, 1);
    size_t len = GRPC_SLICE_LENGTH(wire.detail.value);
    assert_true(len <= size);
    memcpy(out, GRPC_SLICE_START_PTR(wire.detail.value), len);
    lb_rpc_wire_status_cleanup(&wire);
    return len;
}

static void replace_name(uint8_t *bytes, size_t len, const char *from, const char *to)
{
    assert_int_equal(strlen(from), strlen(to));
    uint8_t *at = memmem(bytes, len, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
}

static void claimed_codes_are_checked(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    size_t len = details_of(LB_REPLAY, bytes, sizeof(bytes));
    struct lb_span details = lb_span_of(bytes, len);
    grpc_status_code canonical = (grpc_status_code)lb_code_canonical(LB_REPLAY);
    assert_int_equal(read_back(canonical, details, ""), LB_REPLAY);
    /* another canonical code than the name's, in the details and in the message */
    assert_int_equal(read_back(GRPC_STATUS_UNAVAILABLE, details, ""), LB_UNAVAILABLE);
    assert_int_equal(read_back(GRPC_STATUS_DATA_LOSS, details, "REPLAY"), LB_INTERNAL);
    assert_int_equal(read_back(GRPC_STATUS_OK, details, "REPLAY"), LB_CODE_OK);
    /* cut off, at every length */
    for (size_t i = 0; i < len; i++) {
        enum lb_code code = read_back(GRPC_STATUS_CANCELLED, lb_span_of(bytes, i), "");
        assert_int_equal(code, LB_CANCELLED);
    }
    /* a name that nobody knows */
    replace_name(bytes, len, "REPLAY", "RELAPY");
    assert_int_equal(read_back(canonical, details, "what"), LB_INTERNAL);
    /* a type that is not ours */
    len = details_of(LB_REPLAY, bytes, sizeof(bytes));
    replace_name(bytes, len, "ErrorDetail", "OtherDetail");
    assert_int_equal(read_back(canonical, details, ""), LB_INTERNAL);
    /* codes that never leave a process, claimed by name */
    assert_int_equal(read_back(GRPC_STATUS_NOT_FOUND, LB_SPAN_EMPTY, "NOT_FOUND"), LB_INTERNAL);
    assert_int_equal(read_back(GRPC_STATUS_INTERNAL, LB_SPAN_EMPTY, "STORE_FAILED"), LB_INTERNAL);
    assert_int_equal(read_back(GRPC_STATUS_UNAUTHENTICATED, LB_SPAN_EMPTY, "PEER_REVOKED"),
                     LB_PEER_REVOKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_message_is_refused),
        cmocka_unit_test(oversized_message_is_refused),
        cmocka_unit_test(oversized_metadata_is_refused),
        cmocka_unit_test(second_request_is_not_taken),
        cmocka_unit_test(client_that_says_nothing_is_dropped),
        cmocka_unit_test(unary_call_has_exactly_one_reply),
        cmocka_unit_test(claimed_codes_are_checked),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
