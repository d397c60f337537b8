#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/cli.h"
#include "certs/pki_tools.h"
#include "gateway/base/file.h"

#define TAX "spiffe://city.gov/adapter/tax/one"

static struct cli cli;

static int setup(void **state)
{
    (void)state;
    return cli_setup(&cli);
}

static int teardown(void **state)
{
    (void)state;
    return cli_teardown(&cli);
}

static void done(const char *line)
{
    cli_done(&cli, &lb_pki_tools, line);
}

static void fails(const char *line, int code, const char *message)
{
    cli_fails(&cli, &lb_pki_tools, line, code, message);
}

static lb_status verify(const char *folder, struct lb_cert_info *out_info)
{
    uint8_t pin[1][32];
    struct lb_span ca = cli_read(&cli, "ca/ca.pem");
    assert_ok(lb_x509_ca_pin(ca, pin[0]));
    const struct lb_x509_anchors anchors = {
        .ca_pem = ca,
        .crl_pem = cli_read(&cli, "ca/crl.pem"),
        .ca_spki_pins = (const uint8_t (*)[32])pin,
        .num_pins = 1,
    };
    const char *path = lb_arena_printf(cli.arena, "%s/cert.pem", folder);
    return lb_x509_verify(&anchors, cli_read(&cli, path),
                          lb_clock_unix_s(lb_clock_system()), out_info);
}

static void test_init(void **state)
{
    (void)state;
    done("pki init --dir ca --organization City --json");
    assert_int_equal(strlen(cli_member(&cli, "pin")), 64);
    assert_string_equal(cli_member(&cli, "organization"), "City");
    assert_int_equal(cli_mode("ca"), 0700);
    assert_int_equal(cli_mode("ca/ca-key.pem"), 0600);
    assert_int_equal(cli_mode("ca/ca.pem"), 0644);
    struct lb_cert_info info;
    assert_ok(lb_x509_info(cli_read(&cli, "ca/ca.pem"), &info));
    assert_true(info.is_ca);
    struct lb_span before = cli_read(&cli, "ca/ca.pem");
    fails("pki init --dir ca", 1, "ca/ca.pem exists");
    assert_true(lb_span_eq(before, cli_read(&cli, "ca/ca.pem")));
    /* A first list is there at once: without one nobody is trusted. */
    done("pki issue --dir ca --id " TAX " --out tax");
    assert_ok(verify("tax", &info));
}

static void test_issue(void **state)
{
    (void)state;
    struct lb_cert_info info;
    done("pki init --dir ca");
    done("pki issue --dir ca --id " TAX
         " --out new/tax --name localhost --name 127.0.0.1 --hours 2 "
         "--json");
    assert_string_equal(cli_member(&cli, "spiffe"), TAX);
    assert_ok(verify("new/tax", &info));
    assert_string_equal(info.spiffe, TAX);
    assert_string_equal(info.serial_hex, cli_member(&cli, "serial"));
    int64_t left = info.not_after_unix_s - lb_clock_unix_s(lb_clock_system());
    assert_in_range(left, 7100, 7200);
    assert_int_equal(cli_mode("new/tax/key.pem"), 0600);
    assert_true(lb_span_eq(cli_read(&cli, "new/tax/ca.pem"), cli_read(&cli, "ca/ca.pem")));
    fails("pki issue --dir ca --id " TAX " --out new/tax", 1, "cert.pem exists");
    done("pki issue --dir ca --id " TAX " --out default --json");
    left = cli_number(&cli, "not_after") - lb_clock_unix_s(lb_clock_system());
    assert_in_range(left, 89 * 86400, 90 * 86400);
}

static void test_issue_refuses(void **state)
{
    (void)state;
    done("pki init --dir ca --days 10");
    fails("pki issue --dir ca --out x", 2, "--id is missing");
    fails("pki issue --dir ca --id " TAX, 2, "--out is missing");
    fails("pki issue --dir ca --id " TAX " --out", 2, "--out needs a value");
    fails("pki issue --dir ca --id " TAX " --out x --out y", 2, "--out is given twice");
    fails("pki issue --dir ca --id " TAX " --out x --colour red", 2,
          "\"--colour\" is not an option");
    fails("pki issue --dir ca --id " TAX " --out x extra", 2, "\"extra\" is not an option");
    fails("pki issue --dir ca --id " TAX " --out x --days 1 --hours 1", 2, "not both");
    fails("pki issue --dir ca --id " TAX " --out x --days 0", 2, "whole number from 1");
    fails("pki issue --dir ca --id " TAX " --out x --days 1x", 2, "whole number");
    fails("pki issue --dir ca --id " TAX " --out x --days 99999999999999999999", 2, "whole number");
    fails("pki issue --dir ca --id " TAX " --out x --days 9000", 2, "whole number");
    fails("pki issue --dir ca --id spiffe://city.gov/root/tax --out x", 2, "is not spiffe://");
    fails("pki issue --dir ca --id tax --out x", 2, "is not spiffe://");
    fails("pki issue --dir ca --id " TAX " --out x --days 11", 1, "outlive its CA");
    fails("pki issue --dir ca --id " TAX " --out x --days 1 --name a,b", 2, "neither a DNS name");
    fails("pki issue --dir none --id " TAX " --out x", 1, "there is no such folder");
    assert_int_not_equal(access("x", F_OK), 0);
    assert_int_equal(mkdir("empty", 0700), 0);
    fails("pki issue --dir empty --id " TAX " --out x", 1, "lianban pki init");
    assert_int_equal(chmod("ca/ca-key.pem", 0644), 0);
    fails("pki issue --dir ca --id " TAX " --out x", 1, "chmod 600");
}

static void test_renew(void **state)
{
    (void)state;
    struct lb_cert_info before;
    struct lb_cert_info after;
    done("pki init --dir ca");
    done("pki issue --dir ca --id " TAX " --out tax --name localhost --name 10.0.0.5 --hours 1");
    assert_ok(verify("tax", &before));
    struct lb_span old_key = cli_read(&cli, "tax/key.pem");
    done("pki renew --dir ca --out tax --days 3");
    assert_ok(verify("tax", &after));
    assert_string_equal(after.spiffe, TAX);
    assert_string_not_equal(after.serial_hex, before.serial_hex);
    assert_true(after.not_after_unix_s > before.not_after_unix_s + 86400);
    assert_false(lb_span_eq(old_key, cli_read(&cli, "tax/key.pem")));
    assert_int_equal(cli_mode("tax/key.pem"), 0600);
    assert_int_not_equal(access("tax/key.pem.next", F_OK), 0);
    fails("pki renew --dir ca --out nowhere", 1, "nowhere/cert.pem: cannot be read");
    fails("pki renew --dir ca --out tax --id " TAX, 2, "not an option");
    done("pki revoke --dir ca --cert tax/cert.pem");
    fails("pki renew --dir ca --out tax", 1, "is revoked");
    done("pki init --dir ca2");
    fails("pki renew --dir ca2 --out tax", 1, "has not issued it");
    assert_ok(lb_file_write("tax/cert.pem", lb_span_str("junk\n"), 0600));
    fails("pki renew --dir ca --out tax", 1, "is no certificate");
}

static void test_revoke(void **state)
{
    (void)state;
    struct lb_cert_info info;
    done("pki init --dir ca");
    done("pki issue --dir ca --id " TAX " --out one");
    done("pki issue --dir ca --id " TAX " --out two --json");
    const char *serial = cli_member(&cli, "serial");
    done("pki revoke --dir ca --cert one/cert.pem --json");
    assert_string_equal(cli_member(&cli, "state"), "revoked");
    int64_t number = cli_number(&cli, "crl_number");
    assert_code(verify("one", &info), LB_PEER_REVOKED);
    assert_ok(verify("two", &info));
    done("pki revoke --dir ca --cert one/cert.pem --json");
    assert_string_equal(cli_member(&cli, "state"), "revoked before");
    assert_int_equal(cli_number(&cli, "crl_number"), number + 1);
    char *upper = lb_arena_printf(cli.arena, "%s", serial);
    for (char *at = upper; *at != 0; at++)
        *at = (char)(*at >= 'a' && *at <= 'f' ? *at - 'a' + 'A' : *at);
    done(lb_arena_printf(cli.arena, "pki revoke --dir ca --serial %s", upper));
    assert_code(verify("two", &info), LB_PEER_REVOKED);
    assert_code(verify("one", &info), LB_PEER_REVOKED);
    fails("pki revoke --dir ca", 2, "give --serial or --cert");
    fails("pki revoke --dir ca --serial 00 --cert one/cert.pem", 2, "give --serial or --cert");
    fails("pki revoke --dir ca --serial 00ff", 1, "has not issued it");
    fails("pki revoke --dir ca --serial x'--", 2, "hex digits");
    fails("pki revoke --dir ca --cert ca/ca.pem", 1, "has not issued it");
}

static void test_crl(void **state)
{
    (void)state;
    struct lb_cert_info info;
    done("pki init --dir ca");
    done("pki issue --dir ca --id " TAX " --out one");
    assert_int_equal(unlink("ca/crl.pem"), 0);
    done("pki crl --dir ca --days 7 --json");
    assert_int_equal(cli_number(&cli, "crl_number"), 2);
    int64_t left = cli_number(&cli, "crl_next_update") - lb_clock_unix_s(lb_clock_system());
    assert_in_range(left, 7 * 86400 - 60, 7 * 86400);
    assert_ok(verify("one", &info));
    done("pki crl --dir ca --json");
    assert_int_equal(cli_number(&cli, "crl_number"), 3);
    left = cli_number(&cli, "crl_next_update") - lb_clock_unix_s(lb_clock_system());
    assert_in_range(left, 30 * 86400 - 60, 30 * 86400);
    fails("pki crl --dir ca --days 366", 2, "whole number");
}

static void test_show(void **state)
{
    (void)state;
    done("pki init --dir ca");
    done("pki issue --dir ca --id " TAX " --out one");
    done("pki issue --dir ca --id spiffe://city.gov/broker/hub --out two");
    done("pki revoke --dir ca --cert one/cert.pem");
    done("pki show --dir ca");
    assert_non_null(strstr(cli.out, "issued: 2"));
    assert_non_null(strstr(cli.out, TAX));
    assert_non_null(strstr(cli.out, "state=revoked"));
    assert_non_null(strstr(cli.out, "state=valid"));
    done("pki show --cert two/cert.pem --json");
    assert_string_equal(cli_member(&cli, "spiffe"), "spiffe://city.gov/broker/hub");
    assert_string_equal(cli_member(&cli, "kind"), "leaf");
    done("pki show --cert ca/ca.pem --json");
    assert_string_equal(cli_member(&cli, "kind"), "ca");
    fails("pki show", 2, "give --dir or --cert");
    fails("pki show --cert none.pem", 1, "cannot be read");
    /* No key is ever shown. */
    done("pki show --dir ca --json");
    assert_null(strstr(cli.out, "PRIVATE"));
}

static void test_locked_and_damaged(void **state)
{
    (void)state;
    int fd = -1;
    done("pki init --dir ca");
    assert_ok(lb_file_lock("ca", &fd));
    fails("pki crl --dir ca", 1, "cannot be locked");
    assert_int_equal(close(fd), 0);
    done("pki crl --dir ca");
    (void)unlink("ca/index.db-wal");
    (void)unlink("ca/index.db-shm");
    cli_write("ca/index.db", "this is no database, and it is long enough to be looked at as one.");
    fails("pki crl --dir ca", 1, "index.db: cannot be opened");
    assert_int_equal(unlink("ca/index.db"), 0);
    /* A lost index is not replaced by an empty one: its revocations would be forgotten. */
    fails("pki crl --dir ca", 1, "index.db: cannot be opened");
}

static void test_help(void **state)
{
    (void)state;
    done("pki --help");
    assert_non_null(strstr(cli.out, "Exit codes"));
    static const char *const commands[] = {"init", "issue", "renew", "revoke", "crl", "show"};
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        done(lb_arena_printf(cli.arena, "pki %s --help", commands[i]));
        assert_non_null(strstr(cli.out, "Example"));
    }
    assert_int_equal(cli_run(&cli, &lb_pki_tools, "pki"), 2);
    fails("pki destroy", 2, "there is no command \"destroy\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_init, setup, teardown),
        cmocka_unit_test_setup_teardown(test_issue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_issue_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_revoke, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_show, setup, teardown),
        cmocka_unit_test_setup_teardown(test_locked_and_damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_help, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
