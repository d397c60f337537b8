/* Unary calls: what arrives, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/rpc/ends.h"
#include "grpc/health/v1/health.pb-c.h"

#define PATIENT_MS 30000  /* a deadline that is not meant to strike */

/* Fails with the code named in the request. */
static lb_status named(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                       struct lb_arena *arena, struct lb_span *reply)
{
    (void)ctx;
    (void)info;
    (void)arena;
    enum lb_code code = LB_INTERNAL;
    *reply = request;
    if (!lb_code_by_name((const char *)request.ptr, request.len, &code))
        return LB_FAULT(LB_MALFORMED, "test");
    return lb_status_of(code);
}

static lb_status huge(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                      struct lb_arena *arena, struct lb_span *reply)
{
    (void)ctx;
    (void)info;
    (void)request;
    size_t len = LB_MAX_MESSAGE_BYTES + 1;
    uint8_t *bytes = lb_arena_alloc(arena, len);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "test");
    *reply = lb_span_of(bytes, len);
    return LB_OK;
}

static lb_status metadata(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    (void)ctx;
    struct lb_span value =
        lb_rpc_call_metadata(info, (const char *)request.ptr); /* a NUL follows, see arena.h */
    return lb_arena_copy(arena, value, reply);
}

static const struct lb_rpc_method methods[] = {
    {.path = "/test.Unary/Named", .unary = named},
    {.path = "/test.Unary/Huge", .unary = huge},
    {.path = "/test.Unary/Metadata", .unary = metadata},
};
#define NUM_METHODS (sizeof(methods) / sizeof(methods[0]))

static void echo_comes_back(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, "hello", PATIENT_MS, "hello"),
                     LB_CODE_OK);
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, "", 0, ""), LB_CODE_OK);
    assert_null(lb_rpc_channel_refusal(fixture.channel));
    fixture_stop(&fixture, 1000);
}

static void largest_message_passes(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    char *text = calloc(1, LB_MAX_MESSAGE_BYTES + 2);
    assert_non_null(text);
    memset(text, 'x', LB_MAX_MESSAGE_BYTES);
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, text, PATIENT_MS, text), LB_CODE_OK);
    text[LB_MAX_MESSAGE_BYTES] = 'x';
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, text, PATIENT_MS, NULL),
                     LB_TOO_LARGE);
    free(text);
    fixture_stop(&fixture, 1000);
}

static void too_large_reply_is_named(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture, methods, NUM_METHODS, 16);
    assert_int_equal(fixture_call(fixture.channel, "/test.Unary/Huge", "", PATIENT_MS, NULL),
                     LB_TOO_LARGE);
    fixture_stop(&fixture, 1000);
}

/* Every outer code arrives by name, and no other one does. */
static void codes_travel_by_name(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_start(&fixture, methods, NUM_METHODS, 16);
    for (int i = LB_CODE_OK + 1; i < LB_NUM_CODES; i++) {
        enum lb_code code = (enum lb_code)i;
        enum lb_code outer = lb_code_outer(code);
        /* ANSWERED is canonical OK; without a reply a unary call is no answer. */
        enum lb_code wanted = lb_code_canonical(outer) == LB_CANON_OK ? LB_MALFORMED : outer;
        bool is_peer = strncmp(lb_code_name(code), "PEER_", 5) == 0;
        if (is_peer)
            continue; /* these make the channel connect anew; see tls_test */
        assert_int_equal(fixture_call(fixture.channel, "/test.Unary/Named", lb_code_name(code),
                                      PATIENT_MS, NULL),
                         wanted);
    }
    fixture_stop(&fixture, 1000);
}

static void unknown_method_is_named(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(fixture_call(fixture.channel, "/test.Unary/Nothing", "x", PATIENT_MS, NULL),
                     LB_NO_METHOD);
    assert_int_equal(fixture_call(fixture.channel, "/test.Unary/Ech", "x", PATIENT_MS, NULL),
                     LB_NO_METHOD);
    assert_int_equal(fixture_call(fixture.channel, "/test.Unary/Echo/", "x", PATIENT_MS, NULL),
                     LB_NO_METHOD);
    fixture_stop(&fixture, 1000);
}

static enum lb_code call_with(struct lb_rpc_channel *channel, const struct lb_rpc_metadata *list,
                              size_t num, const char *key, char *out, size_t out_size)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status = lb_rpc_call(channel, "/test.Unary/Metadata", list, num, lb_span_str(key),
                                   PATIENT_MS, arena, &reply);
    (void)snprintf(out, out_size, "%.*s", (int)reply.len, (const char *)reply.ptr);
    lb_arena_free(arena);
    return lb_status_code(status);
}

static void metadata_arrives(void **state)
{
    (void)state;
    struct fixture fixture;
    char out[64];
    char big[9000];
    memset(big, 'x', sizeof(big));
    const struct lb_rpc_metadata list[] = {
        {"lianban-operator", lb_span_str("token")},
        {"lianban-twice", lb_span_str("one")},
        {"lianban-twice", lb_span_str("two")},
    };
    const struct lb_rpc_metadata upper[] = {{"Upper", lb_span_str("x")}};
    const struct lb_rpc_metadata newline[] = {{"lower", lb_span_str("a\nb")}};
    const struct lb_rpc_metadata large[] = {{"lower", lb_span_of(big, sizeof(big))}};
    fixture_start(&fixture, methods, NUM_METHODS, 16);
    struct lb_rpc_channel *channel = fixture.channel;
    assert_int_equal(call_with(channel, list, 3, "lianban-operator", out, sizeof(out)), 0);
    assert_string_equal(out, "token");
    assert_int_equal(call_with(channel, list, 3, "lianban-twice", out, sizeof(out)), 0);
    assert_string_equal(out, "");
    assert_int_equal(call_with(channel, list, 3, "absent", out, sizeof(out)), 0);
    assert_string_equal(out, "");
    assert_int_equal(call_with(channel, upper, 1, "x", out, sizeof(out)), LB_MALFORMED);
    assert_int_equal(call_with(channel, newline, 1, "x", out, sizeof(out)), LB_MALFORMED);
    assert_int_equal(call_with(channel, large, 1, "x", out, sizeof(out)), LB_TOO_LARGE);
    fixture_stop(&fixture, 1000);
}

/* The handler is held until the call has come back. */
static void deadline_strikes_while_the_handler_runs(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    atomic_store(&ends_seen.slow_held, 1);
    /* On a busy machine it may strike before the handler begins. */
    for (int64_t ms = 100; ms < PATIENT_MS && atomic_load(&ends_seen.slow_running) == 0; ms *= 2)
        assert_int_equal(fixture_call(fixture.channel, ENDS_SLOW, "x", ms, NULL), LB_DEADLINE);
    assert_true(atomic_load(&ends_seen.slow_running) > 0);
    assert_int_equal(atomic_load(&ends_seen.slow_done), 0);
    atomic_store(&ends_seen.slow_held, 0);
    fixture_stop(&fixture, PATIENT_MS);
    assert_int_equal(atomic_load(&ends_seen.slow_done), atomic_load(&ends_seen.slow_running));
}

static void cancelled_call_ends_and_frees(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 16);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_SLOW, PATIENT_MS), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("x")));
    while (atomic_load(&ends_seen.slow_running) == 0)
        fixture_sleep_ms(1);
    lb_rpc_stream_cancel(recorder.stream, LB_FAULT(LB_BUSY, "test"));
    assert_int_equal(recorder_end(&recorder), LB_BUSY);
    assert_int_equal(recorder.num_messages, 0);
    fixture_stop(&fixture, 2000);
}

static void request_without_a_message_is_malformed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 16);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_ECHO, PATIENT_MS), 0);
    lb_rpc_stream_finish(recorder.stream, LB_OK);
    assert_int_equal(recorder_end(&recorder), LB_MALFORMED);
    fixture_stop(&fixture, 1000);
}

static enum lb_code check_health(struct fixture *fixture, const char *service, int *out_status)
{
    uint8_t packed[128];
    Grpc__Health__V1__HealthCheckRequest check = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    check.service = (char *)(uintptr_t)service;
    size_t len = grpc__health__v1__health_check_request__pack(&check, packed);
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status = lb_rpc_call(fixture->channel, "/grpc.health.v1.Health/Check", NULL, 0,
                                   lb_span_of(packed, len), PATIENT_MS, arena, &reply);
    if (status == LB_OK) {
        Grpc__Health__V1__HealthCheckResponse *answer =
            grpc__health__v1__health_check_response__unpack(NULL, reply.len, reply.ptr);
        assert_non_null(answer);
        *out_status = (int)answer->status;
        grpc__health__v1__health_check_response__free_unpacked(answer, NULL);
    }
    lb_arena_free(arena);
    return lb_status_code(status);
}

static void health_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    int serving = -1;
    ends_start(&fixture, 16);
    assert_int_equal(check_health(&fixture, "", &serving), LB_CODE_OK);
    assert_int_equal(serving, 1);
    assert_int_equal(check_health(&fixture, "test.Unary", &serving), LB_CODE_OK);
    assert_int_equal(serving, 1);
    /* canonical NOT_FOUND has no named code of ours */
    assert_int_equal(check_health(&fixture, "test.Una", &serving), LB_INTERNAL);
    assert_int_equal(fixture_call(fixture.channel, "/grpc.health.v1.Health/Check", "\xff\xff",
                                  PATIENT_MS, NULL),
                     LB_MALFORMED);
    fixture_stop(&fixture, 1000);
}

/* --- a stream that is waited for --- */

struct listening {
    int times;       /* asked whether the server is still there */
    int last;        /* says no at this time */
    atomic_int events;
};

static void count_event(void *arg, struct lb_span event)
{
    struct listening *listening = arg;
    (void)event;
    (void)atomic_fetch_add(&listening->events, 1);
}

static bool still_there(void *arg)
{
    struct listening *listening = arg;
    return ++listening->times < listening->last;
}

static void a_server_that_falls_silent_is_given_up(void **state)
{
    (void)state;
    struct fixture fixture;
    struct listening listening = {.last = 3};
    ends_start(&fixture, 16);
    struct lb_rpc_stream_call call = {
        .method = ENDS_DEAF,
        .request = lb_span_str("x"),
        .timeout_ms = 60000,
        .on_event = count_event,
        .quiet_ms = 50,
        .still_there = still_there,
        .arg = &listening,
    };
    int64_t began = fixture_now_ms();
    assert_int_equal(lb_status_code(lb_rpc_call_stream(fixture.channel, &call)), LB_UNAVAILABLE);
    assert_int_equal(listening.times, 3);
    assert_in_range(fixture_now_ms() - began, 150, 30000);
    /* One that speaks and ends is asked nothing. */
    call.method = ENDS_TEN;
    call.quiet_ms = 20000;
    listening = (struct listening){.last = 1};
    assert_int_equal(lb_status_code(lb_rpc_call_stream(fixture.channel, &call)),
                     LB_GRANT_EXPIRED);
    assert_int_equal(atomic_load(&listening.events), 10);
    assert_int_equal(listening.times, 0);
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_comes_back),
        cmocka_unit_test(largest_message_passes),
        cmocka_unit_test(too_large_reply_is_named),
        cmocka_unit_test(codes_travel_by_name),
        cmocka_unit_test(unknown_method_is_named),
        cmocka_unit_test(metadata_arrives),
        cmocka_unit_test(deadline_strikes_while_the_handler_runs),
        cmocka_unit_test(cancelled_call_ends_and_frees),
        cmocka_unit_test(request_without_a_message_is_malformed),
        cmocka_unit_test(health_is_told),
        cmocka_unit_test(a_server_that_falls_silent_is_given_up),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
