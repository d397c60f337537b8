/* A peer that stops being welcome while its calls are open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/rpc/ends.h"

static void open_one(struct fixture *fixture, struct recorder *recorder)
{
    ends_start(fixture, 64);
    assert_int_equal(recorder_open(recorder, fixture->channel, ENDS_STREAM, 0), 0);
    assert_null(lb_rpc_stream_send(recorder->stream, lb_span_str("12345678")));
    assert_true(recorder_wait_messages(recorder, 1, 5000));
    assert_string_equal(lb_rpc_stream_peer(recorder->stream)->spiffe, FIXTURE_SERVER_ID);
}

static void silent_stream_closes_when_its_client_is_revoked(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    open_one(&fixture, &recorder);
    atomic_store(&fixture.server_judge.code, LB_PEER_REVOKED);
    assert_true(recorder_wait_closed(&recorder, 5000));
    assert_int_equal(recorder_end(&recorder), LB_PEER_REVOKED);
    fixture_stop(&fixture, 1000);
    assert_int_equal(atomic_load(&ends_seen.closed_code), LB_PEER_REVOKED);
}

static void silent_stream_closes_when_its_server_is_revoked(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    open_one(&fixture, &recorder);
    atomic_store(&fixture.client_judge.code, LB_CRL_STALE);
    assert_true(recorder_wait_closed(&recorder, 5000));
    assert_int_equal(recorder_end(&recorder), LB_CRL_STALE);
    fixture_stop(&fixture, 1000);
    assert_int_equal(atomic_load(&ends_seen.closed_code), LB_CANCELLED);
}

/* A stream to Count, with one message over; the server's end can be used until close_count. */
static void open_counting(struct fixture *fixture, struct recorder *recorder)
{
    ends_start(fixture, 64);
    assert_int_equal(recorder_open(recorder, fixture->channel, ENDS_COUNT, 0), 0);
    assert_null(lb_rpc_stream_send(recorder->stream, lb_span_str("first")));
    while (atomic_load(&ends_seen.counting) == NULL)
        fixture_sleep_ms(1);
}

static void close_counting(struct fixture *fixture)
{
    lb_rpc_stream_unref(atomic_load(&ends_seen.counting));
    fixture_stop(fixture, 1000);
}

static void next_message_of_a_revoked_client_is_not_delivered(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    open_counting(&fixture, &recorder);
    atomic_store(&fixture.server_judge.code, LB_PEER_UNLISTED);
    lb_status_ignore(lb_rpc_stream_send(recorder.stream, lb_span_str("second")));
    assert_int_equal(recorder_end(&recorder), LB_PEER_UNLISTED);
    assert_int_equal(atomic_load(&ends_seen.counted), 1);
    close_counting(&fixture);
}

static void next_message_of_a_revoked_server_is_not_delivered(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    recorder_init(&recorder);
    recorder.pause_each = true;
    assert_null(lb_rpc_open(fixture.channel, ENDS_TEN, NULL, 0, 0, &recorder_events,
                            &recorder, &recorder.stream));
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("again")));
    assert_true(recorder_wait_messages(&recorder, 1, 5000));
    atomic_store(&fixture.client_judge.code, LB_PEER_REVOKED);
    lb_rpc_stream_resume(recorder.stream);
    assert_int_equal(recorder_end(&recorder), LB_PEER_REVOKED);
    assert_int_equal(recorder.num_messages, 1);
    fixture_stop(&fixture, 1000);
}

static void nothing_is_sent_to_a_revoked_server(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    open_counting(&fixture, &recorder);
    atomic_store(&fixture.client_judge.code, LB_PEER_EXPIRED);
    lb_status_ignore(lb_rpc_stream_send(recorder.stream, lb_span_str("second")));
    assert_int_equal(recorder_end(&recorder), LB_PEER_EXPIRED);
    fixture_sleep_ms(50);
    assert_int_equal(atomic_load(&ends_seen.counted), 1);
    close_counting(&fixture);
}

static void nothing_is_sent_to_a_revoked_client(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    open_counting(&fixture, &recorder);
    assert_null(lb_rpc_stream_send(atomic_load(&ends_seen.counting), lb_span_str("answer")));
    assert_true(recorder_wait_messages(&recorder, 1, 5000));
    atomic_store(&fixture.server_judge.code, LB_PEER_REVOKED);
    lb_status_ignore(lb_rpc_stream_send(atomic_load(&ends_seen.counting), lb_span_str("answer")));
    assert_int_equal(recorder_end(&recorder), LB_PEER_REVOKED);
    assert_int_equal(recorder.num_messages, 1);
    close_counting(&fixture);
}

static void revoked_client_opens_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    struct recorder late;
    open_counting(&fixture, &recorder);
    atomic_store(&fixture.server_judge.code, LB_CRL_STALE);
    assert_int_equal(recorder_open(&late, fixture.channel, ENDS_COUNT, 0), 0);
    assert_int_equal(recorder_end(&late), LB_CRL_STALE);
    assert_int_equal(recorder_end(&recorder), LB_CRL_STALE);
    assert_int_equal(atomic_load(&ends_seen.opened), 1);
    close_counting(&fixture);
}

static void refusal_in_the_middle_of_a_flood(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    open_one(&fixture, &recorder);
    atomic_store(&fixture.server_judge.accept_next, 500);
    atomic_store(&fixture.server_judge.code, LB_PEER_REVOKED);
    lb_status status = LB_OK;
    while (lb_status_code(status) == LB_CODE_OK || lb_status_code(status) == LB_BUSY)
        status = lb_rpc_stream_send(recorder.stream, lb_span_str("12345678"));
    assert_int_equal(lb_status_code(status), LB_CANCELLED);
    assert_int_equal(recorder_end(&recorder), LB_PEER_REVOKED);
    fixture_stop(&fixture, 1000);
    assert_int_equal(atomic_load(&ends_seen.closed_times), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_stream_closes_when_its_client_is_revoked),
        cmocka_unit_test(silent_stream_closes_when_its_server_is_revoked),
        cmocka_unit_test(next_message_of_a_revoked_client_is_not_delivered),
        cmocka_unit_test(next_message_of_a_revoked_server_is_not_delivered),
        cmocka_unit_test(nothing_is_sent_to_a_revoked_server),
        cmocka_unit_test(nothing_is_sent_to_a_revoked_client),
        cmocka_unit_test(revoked_client_opens_nothing),
        cmocka_unit_test(refusal_in_the_middle_of_a_flood),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
