/* Plaintext on the loopback, for callers that a secret in their metadata lets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/rpc/ends.h"
#include "gateway/rpc/raw_client.h"

static lb_status admit(void *ctx, const struct lb_rpc_call_info *info)
{
    (void)ctx;
    LB_ENSURE(lb_span_is(lb_rpc_call_metadata(info, "authorization"), "good"),
              LB_AGENT_SECRET_WRONG, "secret");
    return LB_OK;
}

static struct lb_rpc_server_options guarded(struct fixture *fixture)
{
    struct lb_rpc_server_options options = fixture_options(fixture, NULL);
    options.verifier.verify = NULL;
    options.admit = admit;
    return options;
}

static grpc_status_code ask(const struct lb_rpc_server *server, const char *method, const char *key,
                            const char *value)
{
    struct raw_call raw;
    char target[32];
    (void)snprintf(target, sizeof(target), "127.0.0.1:%d", lb_rpc_server_port(server));
    raw_open(&raw, target, grpc_insecure_credentials_create(), GRPC_COMPRESS_NONE, method);
    (void)raw_metadata(&raw, key, lb_span_str(value));
    (void)raw_message(&raw, LB_SPAN_EMPTY);
    grpc_status_code code = raw_finish(&raw);
    raw_cleanup(&raw);
    return code;
}

static void only_who_is_admitted_is_served(void **state)
{
    static const char health[] = "/grpc.health.v1.Health/Check";
    struct fixture fixture;
    struct lb_rpc_server *server = NULL;
    (void)state;
    ends_start(&fixture, 16);
    struct lb_rpc_server_options options = guarded(&fixture);
    assert_null(lb_rpc_server_new(&options, &fixture.diag, &server));
    assert_int_equal(ask(server, ENDS_ECHO, "authorization", "bad"), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(ask(server, ENDS_ECHO, "other", "good"), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(ask(server, ENDS_ECHO, NULL, ""), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(ask(server, ENDS_STREAM, NULL, ""), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(ask(server, health, NULL, ""), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(ask(server, "/no.Such/Method", NULL, ""), GRPC_STATUS_UNAUTHENTICATED);
    assert_int_equal(atomic_load(&ends_seen.handled), 0);
    assert_int_equal(ask(server, ENDS_ECHO, "authorization", "good"), GRPC_STATUS_OK);
    assert_int_equal(ask(server, health, "authorization", "good"), GRPC_STATUS_OK);
    assert_int_equal(atomic_load(&ends_seen.handled), 1);
    lb_rpc_server_stop(server, 1000);
    fixture_stop(&fixture, 1000);
}

static void plaintext_stays_on_the_loopback(void **state)
{
    static const char *const addresses[] = {"0.0.0.0:0", "127.0.0.2:0", "localhost:0", "[::]:0",
                                            "10.0.0.1:1", "127.0.0.1", "ipv4:127.0.0.1:0"};
    struct fixture fixture;
    (void)state;
    ends_start(&fixture, 16);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct lb_rpc_server_options options = guarded(&fixture);
        struct lb_rpc_server *untouched = NULL;
        options.listen = addresses[i];
        assert_int_equal(lb_status_code(lb_rpc_server_new(&options, &fixture.diag, &untouched)),
                         LB_CONFIG_INVALID);
        assert_null(untouched);
    }
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_who_is_admitted_is_served),
        cmocka_unit_test(plaintext_stays_on_the_loopback),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
