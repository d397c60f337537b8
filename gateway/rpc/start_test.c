/* Mistakes that a person must be told at start, and the loopback socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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
    options.listen = "unix:/tmp/with-identity";
    refuse_server(&fixture, &options, "unix:/tmp/with-identity");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unusable_files_are_found_at_start),
        cmocka_unit_test(mistaken_addresses_are_found_at_start),
        cmocka_unit_test(unix_socket_serves_its_owner_only),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
