#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/cli.h"
#include "certs/directory_tools.h"
#include "certs/keys_tools.h"
#include "certs/pki_tools.h"
#include "gateway/base/file.h"
#include "gateway/trust/directory.h"
#include "gateway/trust/state.h"

#define TAX "spiffe://city.gov/adapter/tax/one"

static struct cli cli;

static const char yaml[] =
    "federation: city.gov\n"
    "version: 4\n"
    "days: 30\n"
    "ca: [ca/ca.pem]\n"
    "organizations:\n"
    "  - {id: tax, zh: 税务, en: Tax}\n"
    "  - {id: hub, zh: 平台, en: Hub}\n"
    "  - {id: hall, zh: 大厅, en: Service Hall}\n"
    "nodes:\n"
    "  - spiffe: " TAX "\n"
    "    endpoint: 127.0.0.1:7001\n"
    "    log_key: log.vkey\n"
    "    seal_keys: [seal.json]\n"
    "    share_keys: [share.json]\n"
    "  - spiffe: spiffe://city.gov/broker/hub\n"
    "    endpoint: 127.0.0.1:7000\n"
    "issuers:\n"
    "  - organization: hall\n"
    "    kid: hall-1\n"
    "    key: issuer.json\n"
    "    kinds: [consent]\n"
    "    status: https://hall.example/status/1\n"
    "forms:\n"
    "  - {id: social-assistance, version: 2, file: form.yaml}\n"
    "views:\n"
    "  - id: tax.income\n"
    "    version: 1\n"
    "    sha256: 00000000000000000000000000000000000000000000000000000000000000ff\n";

static void done(const char *line)
{
    cli_done(&cli, &lb_directory_tools, line);
}

static void fails(const char *line, int code, const char *message)
{
    cli_fails(&cli, &lb_directory_tools, line, code, message);
}

static int setup(void **state)
{
    (void)state;
    if (cli_setup(&cli) != 0)
        return -1;
    cli_done(&cli, &lb_pki_tools, "pki init --dir ca");
    cli_done(&cli, &lb_keys_tools,
             "keys log --out log.pem --public log.vkey --name " TAX);
    cli_done(&cli, &lb_keys_tools,
             "keys log --out dir.pem --public dir.vkey --name city.gov/directory");
    cli_done(&cli, &lb_keys_tools,
             "keys log --out two.pem --public two.vkey --name city.gov/second");
    cli_done(&cli, &lb_keys_tools, "keys seal --out seal.key");
    cli_done(&cli, &lb_keys_tools, "keys issuer --out issuer.pem --public issuer.json");
    done("directory seal-key --id " TAX " --log-key log.pem --seal-key seal.key --not-after 6 "
         "--out seal.json");
    cli_done(&cli, &lb_keys_tools, "keys share --out share.key");
    done("directory share-key --id " TAX " --log-key log.pem --share-key share.key --not-after 6 "
         "--out share.json");
    cli_write("form.yaml", "form: x\n");
    cli_write("d.yaml", yaml);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return cli_teardown(&cli);
}

static const char *swap(const char *from, const char *to)
{
    const char *at = strstr(yaml, from);
    assert_non_null(at);
    return lb_arena_printf(cli.arena, "%.*s%s%s", (int)(at - yaml), yaml, to, at + strlen(from));
}

static void build_sign(const char *text)
{
    cli_write("d.yaml", text);
    done("directory build --from d.yaml --out d.txt");
    done("directory sign --text d.txt --key dir.pem --name city.gov/directory --out d.note");
}

static void test_whole_way(void **state)
{
    (void)state;
    build_sign(yaml);
    done("directory verify --note d.note --vkey dir.vkey --json");
    assert_int_equal(cli_number(&cli, "version"), 4);
    assert_string_equal(cli_member(&cli, "state"), "verified");
    int64_t left = cli_number(&cli, "expires") - lb_clock_unix_s(lb_clock_system());
    assert_in_range(left, 30 * 86400 - 60, 30 * 86400);
    done("directory show --note d.note");
    assert_non_null(strstr(cli.out, TAX));
    assert_non_null(strstr(cli.out, "social-assistance"));
    assert_non_null(strstr(cli.out, "not checked"));
    done("directory show --note d.txt");
    struct lb_diag diag;
    struct lb_directory *directory = NULL;
    int64_t now = lb_clock_unix_s(lb_clock_system());
    assert_ok(lb_directory_check_text(cli_read(&cli, "d.txt"), now, &diag, &directory));
    const struct lb_node *node = lb_directory_node(directory, TAX);
    assert_non_null(lb_node_seal_key(node, NULL, now));
    assert_null(lb_node_seal_key(node, NULL, now + 10 * 86400));
    assert_non_null(lb_node_share_key(node, now));
    assert_null(lb_node_share_key(node, now + 10 * 86400));
    assert_string_equal(directory->organizations[2].zh, "税务");
    lb_directory_unref(directory);
}

static void test_files_are_relative(void **state)
{
    (void)state;
    assert_int_equal(chdir("/"), 0);
    const char *line = lb_arena_printf(cli.arena, "directory build --from %s/d.yaml --out %s/d.txt",
                                       cli.folder, cli.folder);
    done(line);
    assert_int_equal(chdir(cli.folder), 0);
    assert_int_equal(access("d.txt", F_OK), 0);
}

static void test_two_signatures(void **state)
{
    (void)state;
    build_sign(yaml);
    fails("directory verify --note d.note --vkey two.vkey", 1, "no key that may sign");
    done("directory sign --note d.note --key two.pem --name city.gov/second --out d2.note");
    done("directory verify --note d2.note --vkey two.vkey");
    done("directory verify --note d2.note --vkey dir.vkey --vkey two.vkey");
    done("directory verify --note d2.note --vkey dir.vkey");
    fails("directory verify --note d2.note --vkey log.vkey", 1, "no key that may sign");
}

static void test_tampered(void **state)
{
    (void)state;
    build_sign(yaml);
    struct lb_span note = cli_read(&cli, "d.note");
    for (size_t i = 0; i < note.len; i += 7) {
        struct lb_span changed;
        assert_ok(lb_arena_copy(cli.arena, note, &changed));
        ((uint8_t *)(uintptr_t)changed.ptr)[i] ^= 4;
        assert_ok(lb_file_write("t.note", changed, 0600));
        assert_int_equal(cli_run(&cli, &lb_directory_tools,
                                 "directory verify --note t.note --vkey dir.vkey"),
                         1);
    }
    assert_ok(lb_file_write("t.note", lb_span_of(note.ptr, note.len / 2), 0600));
    fails("directory verify --note t.note --vkey dir.vkey", 1, "directory:");
    fails("directory verify --note none.note --vkey dir.vkey", 1, "none.note: cannot be read");
    fails("directory verify --note d.txt --vkey dir.vkey", 1, "directory:");
}

static void test_state(void **state)
{
    (void)state;
    struct lb_diag diag;
    struct lb_directory *directory = NULL;
    build_sign(yaml);
    assert_ok(lb_file_mkdirs("state"));
    done("directory verify --note d.note --vkey dir.vkey --state state");
    assert_int_not_equal(access("state/trust-state", F_OK), 0);  /* nothing was written */
    assert_ok(lb_directory_check_text(cli_read(&cli, "d.txt"), lb_clock_unix_s(lb_clock_system()),
                                      &diag, &directory));
    assert_ok(lb_trust_admit("state", directory, true, &diag));
    lb_directory_unref(directory);
    done("directory verify --note d.note --vkey dir.vkey --state state");
    build_sign(swap("version: 4", "version: 3"));
    fails("directory verify --note d.note --vkey dir.vkey --state state", 1, "older than 4");
    done("directory verify --note d.note --vkey dir.vkey");
    assert_int_equal(unlink("issuer.pem"), 0);
    cli_done(&cli, &lb_keys_tools, "keys issuer --out issuer.pem --public issuer.json");
    build_sign(swap("version: 4", "version: 5"));
    fails("directory verify --note d.note --vkey dir.vkey --state state", 1, "key of hall/hall-1");
}

static void test_bad_yaml(void **state)
{
    (void)state;
    static const char *const swaps[][3] = {
        {"version: 4", "versio: 4", "d.yaml:2:"},
        {"version: 4", "version: four", "d.yaml:2:"},
        {"version: 4", "version: 0", "d.yaml:2:"},
        {"days: 30", "days: 4000", "d.yaml:3:"},
        {"ca: [ca/ca.pem]", "ca: ca/ca.pem", "d.yaml:4: ca is not a list"},
        {"ca: [ca/ca.pem]", "ca: [none.pem]", "d.yaml:4: file none.pem cannot be read"},
        {"ca: [ca/ca.pem]", "ca: [log.vkey]", "d.yaml:4: the file holds no certificate"},
        {"ca: [ca/ca.pem]", "ca: []", "ca_pins"},
        {", en: Tax}", "}", "d.yaml:6:"},
        {"{id: tax,", "{id: taxes,", "d.yaml:10: organization tax is not under organizations"},
        {"adapter/tax/one", "adapter/tax/two", "\"log\" must be a key of the name"},
        {"spiffe: spiffe://city.gov/broker/hub", "spiffe: hub", "\"spiffe\" is not"},
        {"log_key: log.vkey", "log_key: dir.vkey", "\"log\" must be a key of the name"},
        {"    log_key: log.vkey\n", "", "needs a log key"},
        {"[seal.json]", "seal.json", "d.yaml:13: seal_keys is not a list"},
        {"[seal.json]", "[log.vkey]", "d.yaml:13: the file is not an entry"},
        {"[seal.json]", "[seal.json, seal.json]", "two sealing keys have one id"},
        {"[share.json]", "[share.json, share.json]", "two share keys have one id"},
        {"[share.json]", "share.json", "d.yaml:14: share_keys is not a list"},
        {"[share.json]", "[seal.json]", "is not signed by the node's own log key"},
        {"[seal.json]", "[share.json]", "is not signed by the node's own log key"},
        {"issuer.json", "log.vkey", "d.yaml:20: the file is not the public form"},
        {"[consent]", "consent", "d.yaml:21: kinds is not a list"},
        {"[consent]", "[consents]", "none of consent, mandate, operator"},
        {"organization: hall", "organization: tax office", "organization tax office is not under"},
        {"file: form.yaml", "file: none.yaml", "d.yaml:24: file none.yaml cannot be read"},
        {", file: form.yaml", "", "d.yaml:24: give file or sha256"},
        {"sha256: 00", "sha256: ", "not 64 hex digits"},
        {"views:", "nodes:", "d.yaml:"},
        {"federation: city.gov", "federation: other.gov", "another federation"},
    };
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
        cli_write("d.yaml", swap(swaps[i][0], swaps[i][1]));
        fails("directory build --from d.yaml --out bad.txt", 1, swaps[i][2]);
        assert_int_not_equal(access("bad.txt", F_OK), 0);
    }
    fails("directory build --from none.yaml --out bad.txt", 1, "none.yaml");
    fails("directory build --from d.yaml", 2, "--out is missing");
}

/* Another node's log key over our sealing key, and a sealing key changed after it was signed. */
static void test_bad_seal(void **state)
{
    (void)state;
    done("directory seal-key --id " TAX " --log-key two.pem --seal-key seal.key --out seal.json");
    fails("directory build --from d.yaml --out bad.txt", 1,
          "is not signed by the node's own log key");
    fails("directory seal-key --id tax --log-key log.pem --seal-key seal.key", 2, "SPIFFE id");
    fails("directory seal-key --id " TAX " --log-key issuer.pem --seal-key seal.key", 1,
          "is no Ed25519 key");
    fails("directory seal-key --id " TAX " --log-key log.pem --seal-key log.pem", 1,
          "is no X25519 key");
    fails("directory seal-key --id " TAX " --log-key log.pem --seal-key seal.key --not-after 8", 2,
          "whole number");
    done("directory seal-key --id " TAX " --log-key log.pem --seal-key seal.key --key-id k/1 --out "
         "seal.json");
    fails("directory build --from d.yaml --out bad.txt", 1, "\"id\" must be");
}

static void test_sign_refuses(void **state)
{
    (void)state;
    build_sign(yaml);
    cli_write("bad.txt", "{\"type\": \"x\"}\n");
    fails("directory sign --text bad.txt --key dir.pem --name n --out o", 1, "directory:");
    fails("directory sign --text d.txt --key issuer.pem --name n --out o", 1, "no Ed25519 key");
    fails("directory sign --text d.txt --key none.pem --name n --out o", 1, "none.pem");
    fails("directory sign --text d.txt --key dir.pem --name n+m --out o", 1, "under the name");
    fails("directory sign --text d.txt --note d.note --key dir.pem --name n --out o", 2,
          "give --text or --note");
    fails("directory sign --note d.txt --key dir.pem --name n --out o", 1, "directory:");
    fails("directory sign --text d.txt --key dir.pem --out o", 2, "--name is missing");
    fails("directory verify --note d.note", 2, "--vkey is missing");
    fails("directory verify --note d.note --vkey junk", 2, "neither a verifier key");
    fails("directory show --note bad.txt", 1, "directory:");
    assert_int_not_equal(access("o", F_OK), 0);
    done("directory build --help");
    assert_non_null(strstr(cli.out, "organizations:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files_are_relative, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_signatures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tampered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_state, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_yaml, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_seal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sign_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
