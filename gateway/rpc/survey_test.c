/* What is told of channels and servers: whom they are to, how they stand, what became of calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/rpc/ends.h"
#include "gateway/rpc/survey.h"

#define PATIENT_MS 30000

static struct lb_rpc_standing rows[4];

/* The row of a channel, or of the server; fails without. */
static const struct lb_rpc_standing *row(struct fixture *fixture, const char *peer, size_t wanted)
{
    size_t num = lb_rpc_survey(fixture->runtime, rows, 4);
    assert_int_equal(num, wanted);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(rows[i].peer, peer) == 0)
            return &rows[i];
    }
    fail_msg("%s is not told of", peer);
    return NULL;
}

static void calls_are_counted_at_both_ends(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    int64_t now = lb_clock_unix_ms(lb_clock_system());
    const struct lb_rpc_standing *at = row(&fixture, FIXTURE_SERVER_ID, 2);
    assert_int_equal(at->state, LB_RPC_IDLE);
    assert_int_equal(at->started, 0);
    assert_int_equal(at->last_failure, LB_CODE_OK);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    assert_int_equal(fixture_call(fixture.channel, "/test.Unary/None", "", PATIENT_MS, NULL),
                     LB_NO_METHOD);
    at = row(&fixture, FIXTURE_SERVER_ID, 2);
    assert_int_equal(at->state, LB_RPC_READY);
    assert_true(at->since_unix_ms >= now);
    assert_int_equal(at->started, 3);
    assert_int_equal(at->succeeded, 2);
    assert_int_equal(at->failed, 1);
    assert_int_equal(at->last_failure, LB_NO_METHOD);
    assert_true(at->last_failed_unix_ms >= now);
    assert_string_equal(at->target, fixture.target);
    at = row(&fixture, "", 2);
    assert_int_equal(at->state, LB_RPC_LISTENING);
    assert_int_equal(at->started, 3);
    for (int i = 0; i < 1000 && at->succeeded + at->failed < 3; i++) {
        fixture_sleep_ms(10); /* the server's side may end later */
        at = row(&fixture, "", 2);
    }
    assert_int_equal(at->succeeded, 2);
    assert_int_equal(at->failed, 1);
    fixture_stop(&fixture, 1000);
}

static void what_waits_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    static uint8_t much[1024 * 1024];
    static const struct lb_rpc_stream_events events = {.message = NULL};
    struct lb_rpc_stream *stream = NULL;
    ends_start(&fixture, 16);
    assert_null(lb_rpc_open(fixture.channel, ENDS_DEAF, NULL, 0, 0, &events, NULL, &stream));
    for (int i = 0; i < 6; i++)
        assert_null(lb_rpc_stream_send(stream, lb_span_of(much, sizeof(much))));
    const struct lb_rpc_standing *at = row(&fixture, FIXTURE_SERVER_ID, 2);
    assert_int_equal(at->started, 1);
    assert_int_equal(at->succeeded + at->failed, 0);
    assert_true(at->queued_messages >= 2 && at->queued_messages <= 6);
    assert_int_equal(at->queued_bytes, at->queued_messages * sizeof(much));
    lb_rpc_stream_cancel(stream, LB_OK);
    lb_rpc_stream_unref(stream);
    fixture_stop(&fixture, 1000);
}

static void a_channel_to_nobody_fails(void **state)
{
    (void)state;
    struct fixture fixture;
    struct lb_rpc_channel *lost = NULL;
    const struct lb_rpc_identity identity = fixture_identity("client");
    ends_start(&fixture, 16);
    const struct lb_rpc_channel_options options = {
        .runtime = fixture.runtime, .target = "127.0.0.1:1", .identity = &identity,
        .verifier = fixture_verifier(&fixture.client_judge),
        .expected_spiffe = "spiffe://test/adapter/c"};
    assert_null(lb_rpc_channel_new(&options, &lost));
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    assert_int_equal(fixture_call(lost, ENDS_ECHO, "", PATIENT_MS, NULL), LB_UNAVAILABLE);
    const struct lb_rpc_standing *at = row(&fixture, "spiffe://test/adapter/c", 3);
    assert_true(at->state == LB_RPC_FAILING || at->state == LB_RPC_CONNECTING);
    assert_int_equal(at->failed, 1);
    assert_int_equal(at->last_failure, LB_UNAVAILABLE);
    assert_int_equal(lb_rpc_survey(fixture.runtime, rows, 1), 3); /* and one told */
    assert_string_equal(rows[0].peer, "spiffe://test/adapter/c");
    lb_rpc_channel_free(lost);
    (void)row(&fixture, FIXTURE_SERVER_ID, 2);
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_at_both_ends),
        cmocka_unit_test(what_waits_is_told),
        cmocka_unit_test(a_channel_to_nobody_fails),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
