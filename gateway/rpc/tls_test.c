/* Who gets in: certificates, ids, the verifier, TLS versions and suites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "gateway/rpc/ends.h"
#include "gateway/rpc/raw_client.h"

static void refuse_client(struct fixture *fixture, const char *identity)
{
    atomic_store(&ends_seen.handled, 0);
    struct lb_rpc_channel *channel = fixture_channel(fixture, identity, FIXTURE_SERVER_ID);
    assert_non_null(channel);
    enum lb_code code = ends_call_echo(channel);
    if (code != LB_UNAVAILABLE)
        fail_msg("%s: %s", identity, lb_code_name(code));
    assert_int_equal(atomic_load(&ends_seen.handled), 0);
    lb_rpc_channel_free(channel);
}

static void strangers_do_not_get_in(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    refuse_client(&fixture, "stranger");
    refuse_client(&fixture, "self");
    refuse_client(&fixture, "expired");
    /* These pass TLS and are refused by us before the verifier is asked. */
    refuse_client(&fixture, "two-ids");
    refuse_client(&fixture, "no-id");
    refuse_client(&fixture, "not-spiffe");
    assert_int_equal(atomic_load(&fixture.server_judge.times), 0);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    fixture_stop(&fixture, 1000);
}

/* The core itself, trusting the server's CA, with the certificate of a name or with none. */
static grpc_status_code call_raw(const char *target, const char *name)
{
    char file[64];
    char *ca = fixture_text("ca.pem");
    grpc_ssl_pem_key_cert_pair pair = {NULL, NULL};
    if (name != NULL) {
        (void)snprintf(file, sizeof(file), "%s.key", name);
        pair.private_key = fixture_text(file);
        (void)snprintf(file, sizeof(file), "%s.pem", name);
        pair.cert_chain = fixture_text(file);
    }
    struct raw_call raw;
    raw_open(&raw, target,
             grpc_ssl_credentials_create_ex(ca, name == NULL ? NULL : &pair, NULL, NULL),
             GRPC_COMPRESS_NONE, ENDS_ECHO);
    assert_int_equal(raw.code, GRPC_STATUS__DO_NOT_USE);
    if (raw_metadata(&raw, NULL, LB_SPAN_EMPTY))
        (void)raw_message(&raw, lb_span_str("x"));
    grpc_status_code code = raw_finish(&raw);
    raw_cleanup(&raw);
    free((void *)(uintptr_t)pair.private_key);
    free((void *)(uintptr_t)pair.cert_chain);
    free(ca);
    return code;
}

static void nobody_gets_in_without_a_certificate(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(call_raw(fixture.target, NULL), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(atomic_load(&fixture.server_judge.times), 0);
    assert_int_equal(call_raw(fixture.target, "stranger"), GRPC_STATUS_UNAVAILABLE);
    assert_int_equal(atomic_load(&fixture.server_judge.times), 0);
    /* The same client with a certificate of the federation is let in. */
    assert_int_equal(call_raw(fixture.target, "client"), GRPC_STATUS_OK);
    assert_int_equal(atomic_load(&ends_seen.handled), 1);
    fixture_stop(&fixture, 1000);
}

/* A chain that the core finds good is not enough. */
static void verifier_alone_can_refuse_a_client(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    atomic_store(&fixture.server_judge.code, LB_PEER_UNLISTED);
    assert_int_equal(ends_call_echo(fixture.channel), LB_UNAVAILABLE);
    assert_in_range(atomic_load(&fixture.server_judge.times), 1, 100);
    fixture_stop(&fixture, 1000);
}

/* A connection made while the client was welcome does not carry calls afterwards. */
static void every_call_is_judged(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    atomic_store(&ends_seen.handled, 0);
    atomic_store(&fixture.server_judge.code, LB_CRL_STALE);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CRL_STALE);
    assert_int_equal(atomic_load(&ends_seen.handled), 0);
    atomic_store(&fixture.server_judge.code, LB_CODE_OK);
    assert_int_equal(ends_call_echo(fixture.channel), LB_CODE_OK);
    fixture_stop(&fixture, 1000);
}

static void server_must_be_the_expected_one(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    struct lb_rpc_channel *channel = fixture_channel(&fixture, "client", "spiffe://test/broker/z");
    assert_int_equal(ends_call_echo(channel), LB_UNAVAILABLE);
    assert_int_equal(lb_status_code(lb_rpc_channel_refusal(channel)), LB_PEER_UNVERIFIED);
    assert_int_equal(atomic_load(&fixture.client_judge.times), 0);
    lb_rpc_channel_free(channel);
    fixture_stop(&fixture, 1000);
}

static void verifier_alone_can_refuse_a_server(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    atomic_store(&fixture.client_judge.code, LB_PEER_REVOKED);
    assert_int_equal(ends_call_echo(fixture.channel), LB_UNAVAILABLE);
    assert_int_equal(lb_status_code(lb_rpc_channel_refusal(fixture.channel)), LB_PEER_REVOKED);
    fixture_stop(&fixture, 1000);
}

static int s_client(const struct fixture *fixture, const char *options)
{
    char command[1024];
    (void)snprintf(command, sizeof(command),
                   "echo Q | openssl s_client -connect %s -cert %s -key %s -CAfile %s -alpn h2 "
                   "-verify_return_error %s >/dev/null 2>&1",
                   fixture->target, fixture_path("client.pem"), fixture_path("client.key"),
                   fixture_path("ca.pem"), options);
    return system(command);
}

static void old_versions_and_weak_suites_are_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    assert_int_equal(s_client(&fixture, "-tls1_3"), 0);
    assert_int_equal(s_client(&fixture, "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256"), 0);
    assert_int_not_equal(s_client(&fixture, "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA"), 0);
    assert_int_not_equal(s_client(&fixture, "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256"), 0);
    assert_int_not_equal(s_client(&fixture, "-tls1_2 -cipher AES128-GCM-SHA256"), 0);
    assert_int_not_equal(s_client(&fixture, "-tls1_1 -cipher ALL:@SECLEVEL=0"), 0);
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_do_not_get_in),
        cmocka_unit_test(nobody_gets_in_without_a_certificate),
        cmocka_unit_test(verifier_alone_can_refuse_a_client),
        cmocka_unit_test(every_call_is_judged),
        cmocka_unit_test(server_must_be_the_expected_one),
        cmocka_unit_test(verifier_alone_can_refuse_a_server),
        cmocka_unit_test(old_versions_and_weak_suites_are_refused),
    };
    /* The environment must not loosen anything; the core reads it at its first credentials. */
    if (setenv("GRPC_SSL_CIPHER_SUITES", "ALL:@SECLEVEL=0", 1) != 0)
        return 1;
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
