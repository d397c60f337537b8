/* Connections that outlive a certificate, a list or a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "gateway/rpc/ends.h"

/* Nothing is sent on a standing connection to a server that is no longer welcome; once it is again,
 * a new connection is made. */
static void refused_server_gets_no_request_and_may_come_back(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    atomic_store(&ends_seen.handled, 0);
    atomic_store(&fixture.client_judge.code, LB_PEER_EXPIRED);
    for (int i = 0; i < 5; i++) {
        enum lb_code code = ends_call_echo(fixture.channel);
        assert_true(code == LB_PEER_EXPIRED || code == LB_UNAVAILABLE);
    }
    assert_int_equal(atomic_load(&ends_seen.handled), 0);
    atomic_store(&fixture.client_judge.code, LB_CODE_OK);
    fixture_sleep_ms(1100);
    enum lb_code code = LB_INTERNAL;
    for (int i = 0; i < 50 && code != LB_CODE_OK; i++) {
        code = ends_call_echo(fixture.channel);
        fixture_sleep_ms(100);
    }
    assert_int_equal(code, LB_CODE_OK);
    fixture_stop(&fixture, 1000);
}

static void changed_files_serve_new_connections(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_copy("client.pem", "live.pem");
    fixture_copy("client.key", "live.key");
    ends_start(&fixture, 16);
    char *before = fixture_text("client.pem");
    char *after = fixture_text("renewed.pem");
    struct lb_rpc_channel *channel = fixture_channel(&fixture, "live", FIXTURE_SERVER_ID);
    assert_int_equal(fixture_call(channel, ENDS_WHO, "", 8000, before), LB_CODE_OK);
    fixture_copy("renewed.key", "live.key");
    fixture_copy("renewed.pem", "live.pem");
    fixture_sleep_ms(3000);
    assert_int_equal(fixture_call(channel, ENDS_WHO, "", 8000, before), LB_CODE_OK);
    /* The server says that the old certificate is over: the next call comes with the new one. */
    atomic_store(&fixture.server_judge.code, LB_PEER_EXPIRED);
    assert_int_equal(ends_call_echo(channel), LB_PEER_EXPIRED);
    atomic_store(&fixture.server_judge.code, LB_CODE_OK);
    assert_int_equal(fixture_call(channel, ENDS_WHO, "", 8000, after), LB_CODE_OK);
    lb_rpc_channel_free(channel);
    free(before);
    free(after);
    fixture_stop(&fixture, 1000);
}

static void renewed_server_is_found_by_the_next_call(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    fixture_copy("server.pem", "live-server.pem");
    fixture_copy("server.key", "live-server.key");
    ends_start(&fixture, 16);
    lb_rpc_server_stop(fixture.server, 100);
    struct lb_rpc_identity identity = fixture_identity("live-server");
    struct lb_rpc_server_options options = fixture_options(&fixture, &identity);
    options.listen = fixture.target;
    assert_null(lb_rpc_server_new(&options, &fixture.diag, &fixture.server));
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    fixture_copy("server-renewed.key", "live-server.key");
    fixture_copy("server-renewed.pem", "live-server.pem");
    fixture_sleep_ms(3000);
    char *old = fixture_text("server.pem");
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_STREAM, 0), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("12345678")));
    assert_true(recorder_wait_messages(&recorder, 1, 5000));
    atomic_store(&fixture.client_judge.expired_leaf, old);
    assert_int_equal(recorder_end(&recorder), LB_PEER_EXPIRED);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_ECHO, 5000), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("x")));
    assert_int_equal(recorder_end(&recorder), LB_CODE_OK);
    /* Not the old one any more, and no way back to it. */
    fixture_copy("server.key", "live-server.key");
    fixture_copy("server.pem", "live-server.pem");
    fixture_sleep_ms(3000);
    lb_rpc_channel_free(fixture.channel);
    fixture.channel = fixture_channel(&fixture, "client", FIXTURE_SERVER_ID);
    assert_int_equal(ends_call_echo(fixture.channel), LB_UNAVAILABLE);
    assert_int_equal(lb_status_code(lb_rpc_channel_refusal(fixture.channel)), LB_PEER_EXPIRED);
    fixture_stop(&fixture, 1000);
    free(old);
}

/* A refusal that no new certificate can heal is told as it is, and nothing is sent. */
static void stale_revocation_list_stops_calls_before_they_are_sent(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    atomic_store(&ends_seen.handled, 0);
    atomic_store(&fixture.client_judge.code, LB_CRL_STALE);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CRL_STALE);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CRL_STALE);
    assert_int_equal(atomic_load(&ends_seen.handled), 0);
    atomic_store(&fixture.client_judge.code, LB_CODE_OK);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    fixture_stop(&fixture, 1000);
}

static void absent_server_is_unavailable_at_once_and_found_again(void **state)
{
    (void)state;
    struct fixture fixture;
    struct lb_rpc_identity identity = fixture_identity("server");
    ends_start(&fixture, 16);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    lb_rpc_server_stop(fixture.server, 100);
    fixture.server = NULL;
    int64_t start = fixture_now_ms();
    assert_int_equal(ends_call_echo(fixture.channel), LB_UNAVAILABLE);
    assert_int_equal(ends_call_echo(fixture.channel), LB_UNAVAILABLE);
    assert_true(fixture_now_ms() - start < 2000);
    struct lb_rpc_server_options options = fixture_options(&fixture, &identity);
    options.listen = fixture.target;
    assert_null(lb_rpc_server_new(&options, &fixture.diag, &fixture.server));
    enum lb_code code = LB_UNAVAILABLE;
    for (int i = 0; i < 100 && code != LB_CODE_OK; i++) {
        code = ends_call_echo(fixture.channel);
        fixture_sleep_ms(100);
    }
    assert_int_equal(code, LB_CODE_OK);
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_server_gets_no_request_and_may_come_back),
        cmocka_unit_test(changed_files_serve_new_connections),
        cmocka_unit_test(renewed_server_is_found_by_the_next_call),
        cmocka_unit_test(stale_revocation_list_stops_calls_before_they_are_sent),
        cmocka_unit_test(absent_server_is_unavailable_at_once_and_found_again),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
