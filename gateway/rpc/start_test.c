/* Mistakes that a person must be told at start, and the loopback socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <grpc/grpc_security.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "gateway/base/clock.h"
#include "gateway/rpc/core.h"
#include "gateway/rpc/ends.h"

static void refuse_server(struct fixture *fixture, const struct lb_rpc_server_options *options,
                          const char *must_name)
{
    struct lb_rpc_server *untouched = NULL;
    struct lb_diag diag = {.text = ""};
    (void)fixture;
    assert_int_equal(lb_status_code(lb_rpc_server_new(options, &diag, &untouched)),
                     LB_CONFIG_INVALID);
    assert_null(untouched);
    if (strstr(diag.text, must_name) == NULL)
        fail_msg("%s is not in: %s", must_name, diag.text);
}

static void refuse_files(struct fixture *fixture, const char *cert, const char *key,
                         const char *ca, const char *must_name)
{
    struct lb_rpc_identity identity = {fixture_path(cert), fixture_path(key), fixture_path(ca)};
    struct lb_rpc_server_options options = fixture_options(fixture, &identity);
    refuse_server(fixture, &options, must_name);
    struct lb_rpc_channel *channel = NULL;
    struct lb_rpc_channel_options client = {
        .runtime = fixture->runtime,
        .target = fixture->target,
        .identity = &identity,
        .verifier = fixture_verifier(&fixture->client_judge),
        .expected_spiffe = FIXTURE_SERVER_ID,
    };
    assert_int_equal(lb_status_code(lb_rpc_channel_new(&client, &channel)), LB_CONFIG_INVALID);
    assert_null(channel);
}

static void unusable_files_are_found_at_start(void **state)
{
    (void)state;
    struct fixture fixture;
    ends_start(&fixture, 16);
    refuse_files(&fixture, "absent.pem", "server.key", "ca.pem", "absent.pem");
    refuse_files(&fixture, "server.pem", "absent.key", "ca.pem", "absent.key");
    refuse_files(&fixture, "server.pem", "server.key", "absent.pem", "absent.pem");
    refuse_files(&fixture, "server.pem", "client.key", "ca.pem", "client.key");
    refuse_files(&fixture, "server.key", "server.key", "ca.pem", "server.key");
    refuse_files(&fixture, "server.pem", "server.pem", "ca.pem", "server.pem");
    refuse_files(&fixture, "server.pem", "server.key", "server.key", "server.key");
    fixture_copy("server.key", "open.key");
    assert_int_equal(chmod(fixture_path("open.key"), 0640), 0);
    refuse_files(&fixture, "server.pem", "open.key", "ca.pem", "open.key");
    fixture_stop(&fixture, 1000);
}

static void mistaken_addresses_are_found_at_start(void **state)
{
    (void)state;
    struct fixture fixture;
    struct lb_rpc_identity identity = fixture_identity("server");
    ends_start(&fixture, 16);
    struct lb_rpc_server_options options = fixture_options(&fixture, &identity);
    options.listen = fixture.target;
    refuse_server(&fixture, &options, fixture.target);
    options.listen = "198.51.100.7:1";
    refuse_server(&fixture, &options, "198.51.100.7:1");
    options.listen = "127.0.0.1:0";
    options.verifier.verify = NULL;
    refuse_server(&fixture, &options, "127.0.0.1:0");
    options = fixture_options(&fixture, NULL);
    refuse_server(&fixture, &options, "127.0.0.1:0");
    options.listen = "unix:relative";
    refuse_server(&fixture, &options, "unix:relative");
    options = fixture_options(&fixture, &identity);
    options.listen = "unix:/tmp/without-a-verifier";
    options.verifier.verify = NULL;
    refuse_server(&fixture, &options, "unix:/tmp/without-a-verifier");
    fixture_stop(&fixture, 1000);
}

static void unix_socket_serves_its_owner_only(void **state)
{
    (void)state;
    struct fixture fixture;
    struct lb_rpc_server *server = NULL;
    struct lb_rpc_channel *channel = NULL;
    char address[256];
    struct stat info;
    ends_start(&fixture, 16);
    (void)snprintf(address, sizeof(address), "unix:%s", fixture_path("agent.sock"));
    struct lb_rpc_server_options options = fixture_options(&fixture, NULL);
    options.listen = address;
    options.verifier.verify = NULL;
    assert_null(lb_rpc_server_new(&options, &fixture.diag, &server));
    assert_int_equal(lb_rpc_server_port(server), 0);
    assert_int_equal(stat(fixture_path("agent.sock"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    refuse_server(&fixture, &options, "agent.sock"); /* a live socket is not taken away */
    struct lb_rpc_channel_options client = {.runtime = fixture.runtime, .target = address};
    assert_null(lb_rpc_channel_new(&client, &channel));
    assert_int_equal(ends_call_echo(channel), LB_CODE_OK);
    assert_int_equal(fixture_call(channel, ENDS_WHO, "", 5000, ""), LB_CODE_OK);
    lb_rpc_channel_free(channel);
    lb_rpc_server_stop(server, 1000);
    fixture_stop(&fixture, 1000);
}

struct hung {
    struct lb_rpc_tag tag;
    atomic_bool may_end;
};

static void hang(struct lb_rpc_tag *tag, bool ok)
{
    struct hung *hung = LB_RPC_OWNER(tag, struct hung, tag);
    const struct timespec moment = {.tv_nsec = 1000000};
    (void)ok;
    while (!atomic_load(&hung->may_end))
        (void)nanosleep(&moment, NULL);
}

static bool moves_within(struct lb_rpc_runtime *runtime, int64_t ms)
{
    const struct timespec moment = {.tv_nsec = 10000000};
    int64_t end = lb_clock_monotonic_ms(lb_clock_system()) + ms;
    while (lb_clock_monotonic_ms(lb_clock_system()) < end) {
        if (lb_rpc_runtime_progress(runtime))
            return true;
        (void)nanosleep(&moment, NULL);
    }
    return false;
}

/* One of two pollers is enough for the whole to count as hung: its calls get no answer. */
static void a_hung_poller_is_no_progress(void **state)
{
    struct lb_rpc_runtime *runtime = NULL;
    struct hung hung = {.tag = {hang}};
    (void)state;
    assert_null(lb_rpc_runtime_new(2, &runtime));
    assert_true(moves_within(runtime, 20000)); /* without work */
    assert_true(moves_within(runtime, 20000));
    grpc_channel_credentials *plain = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create("unix:/nowhere", plain, NULL);
    grpc_channel_watch_connectivity_state(channel, GRPC_CHANNEL_IDLE, gpr_now(GPR_CLOCK_MONOTONIC),
                                          lb_rpc_next_poller(runtime)->queue, &hung.tag);
    (void)moves_within(runtime, 500); /* it may have come round once before it hung */
    (void)moves_within(runtime, 500);
    assert_false(moves_within(runtime, 2500));
    atomic_store(&hung.may_end, true);
    assert_true(moves_within(runtime, 20000));
    grpc_channel_destroy(channel);
    grpc_channel_credentials_release(plain);
    lb_rpc_runtime_free(runtime);
}

/* Where no port may be open, callers prove themselves on a socket of the machine. */
static void unix_socket_with_certificates(void **state)
{
    (void)state;
    struct fixture fixture;
    struct lb_rpc_server *server = NULL;
    struct lb_rpc_channel *channel = NULL;
    struct stat info;
    ends_start(&fixture, 16);
    (void)snprintf(fixture.target, sizeof(fixture.target), "unix:%s", fixture_path("proved.sock"));
    struct lb_rpc_identity identity = fixture_identity("server");
    struct lb_rpc_server_options options = fixture_options(&fixture, &identity);
    options.listen = fixture.target;
    assert_null(lb_rpc_server_new(&options, &fixture.diag, &server));
    assert_int_equal(stat(fixture_path("proved.sock"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0660);
    fixture.server_judge.seen_spiffe_wanted = FIXTURE_CLIENT_ID;
    channel = fixture_channel(&fixture, "client", FIXTURE_SERVER_ID);
    assert_int_equal(ends_call_echo(channel), LB_CODE_OK);
    atomic_store(&fixture.server_judge.code, LB_PEER_REVOKED);
    assert_int_equal(ends_call_echo(channel), LB_PEER_REVOKED);
    atomic_store(&fixture.server_judge.code, LB_CODE_OK);
    lb_rpc_channel_free(channel);
    /* Another server than the one expected, a stranger, and one without a certificate. */
    channel = fixture_channel(&fixture, "client", "spiffe://test/broker/z");
    assert_int_equal(ends_call_echo(channel), LB_UNAVAILABLE);
    lb_rpc_channel_free(channel);
    channel = fixture_channel(&fixture, "stranger", FIXTURE_SERVER_ID);
    assert_int_equal(ends_call_echo(channel), LB_UNAVAILABLE);
    lb_rpc_channel_free(channel);
    struct lb_rpc_channel_options plain = {.runtime = fixture.runtime, .target = fixture.target};
    assert_null(lb_rpc_channel_new(&plain, &channel));
    assert_int_equal(ends_call_echo(channel), LB_UNAVAILABLE);
    lb_rpc_channel_free(channel);
    assert_null(fixture_channel(&fixture, "client", NULL)); /* whoever answers is not enough */
    lb_rpc_server_stop(server, 1000);
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unusable_files_are_found_at_start),
        cmocka_unit_test(mistaken_addresses_are_found_at_start),
        cmocka_unit_test(unix_socket_serves_its_owner_only),
        cmocka_unit_test(a_hung_poller_is_no_progress),
        cmocka_unit_test(unix_socket_with_certificates),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
