#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/cli.h"
#include "certs/keys_tools.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/note/cosign.h"
#include "gateway/trust/keys.h"

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
    cli_done(&cli, &lb_keys_tools, line);
}

static void fails(const char *line, int code, const char *message)
{
    cli_fails(&cli, &lb_keys_tools, line, code, message);
}

static void test_log(void **state)
{
    (void)state;
    done(
        "keys log --out log.pem --public log.vkey --name spiffe://city.gov/adapter/tax/one --json");
    assert_int_equal(cli_mode("log.pem"), 0600);
    struct lb_note_verifier verifier = {0};
    assert_ok(lb_note_verifier_parse(lb_span_str(cli_member(&cli, "vkey")), &verifier));
    assert_string_equal(verifier.name, "city.gov/adapter/tax/one");
    struct lb_sign_key *key = NULL;
    uint8_t raw[64];
    assert_ok(lb_keys_load_sign("log.pem", LB_SIGN_ED25519, &key));
    assert_int_equal(lb_sign_key_public(key, raw), 32);
    assert_memory_equal(raw, verifier.public_key, 32);
    lb_sign_key_free(key);
    lb_note_verifier_cleanup(&verifier);
    const char *line = lb_arena_printf(cli.arena, "%s\n", cli_member(&cli, "vkey"));
    assert_true(lb_span_is(cli_read(&cli, "log.vkey"), line));
    fails("keys log --out log2.pem", 2, "--name is missing");
    fails("keys log --out log2.pem --name a+b", 2, "--name must be");
    assert_int_not_equal(access("log2.pem", F_OK), 0);
}

static void test_witness(void **state)
{
    (void)state;
    done("keys witness --out witness.pem --name spiffe://city.gov/auditor/a --json");
    assert_int_equal(cli_mode("witness.pem"), 0600);
    struct lb_cosigner cosigner = {0};
    struct lb_note_verifier verifier = {0};
    struct lb_span vkey = lb_span_str(cli_member(&cli, "vkey"));
    assert_ok(lb_cosigner_parse(vkey, &cosigner));
    assert_string_equal(cosigner.name, "city.gov/auditor/a");
    assert_int_not_equal(lb_status_code(lb_note_verifier_parse(vkey, &verifier)), LB_CODE_OK);
    struct lb_sign_key *key = NULL;
    uint8_t raw[64];
    assert_ok(lb_keys_load_sign("witness.pem", LB_SIGN_ED25519, &key));
    assert_int_equal(lb_sign_key_public(key, raw), 32);
    assert_memory_equal(raw, cosigner.public_key, 32);
    lb_sign_key_free(key);
    lb_cosigner_cleanup(&cosigner);
    fails("keys witness --out witness2.pem", 2, "--name is missing");
    fails("keys witness --out witness2.pem --name a+b", 2, "--name must be");
}

static void test_issuer(void **state)
{
    (void)state;
    done("keys issuer --out issuer.pem --json");
    struct lb_sign_key *key = NULL;
    uint8_t raw[64];
    struct lb_span x;
    struct lb_span y;
    assert_ok(lb_keys_load_sign("issuer.pem", LB_SIGN_ES256, &key));
    assert_int_equal(lb_sign_key_public(key, raw), 64);
    assert_ok(lb_b64url_decode(cli.arena, lb_span_str(cli_member(&cli, "x")), &x));
    assert_ok(lb_b64url_decode(cli.arena, lb_span_str(cli_member(&cli, "y")), &y));
    assert_memory_equal(raw, x.ptr, 32);
    assert_memory_equal(raw + 32, y.ptr, 32);
    lb_sign_key_free(key);
    fails("keys issuer --out i2.pem --name x", 2, "not an option");
}

static void test_x25519(void **state)
{
    (void)state;
    static const char *const kinds[] = {"seal", "officer", "share"};
    for (int i = 0; i < 3; i++) {
        struct lb_x25519_key key;
        struct lb_span raw;
        const char *file = lb_arena_printf(cli.arena, "%s.key", kinds[i]);
        done(lb_arena_printf(cli.arena, "keys %s --out %s --public pub --json", kinds[i], file));
        assert_ok(lb_keys_load_x25519(file, &key));
        assert_ok(lb_b64url_decode(cli.arena, lb_span_str(cli_member(&cli, "public")), &raw));
        assert_int_equal(raw.len, 32);
        assert_memory_equal(raw.ptr, key.public_key, 32);
        /* The private half is in the file alone. */
        const char *secret = lb_b64url_encode(cli.arena, lb_span_of(key.private_key, 32));
        assert_null(strstr(cli.out, secret));
    }
}

static void test_secret(void **state)
{
    (void)state;
    uint8_t first[32];
    uint8_t second[32];
    done("keys secret --out one.key");
    assert_int_equal(cli_mode("one.key"), 0600);
    struct lb_span text = cli_read(&cli, "one.key");
    assert_int_equal(text.len, 65);
    assert_int_equal(text.ptr[64], '\n');
    assert_ok(lb_hex_decode(lb_span_of(text.ptr, 64), first, 32));
    assert_null(strstr(cli.out, lb_arena_str(cli.arena, lb_span_of(text.ptr, 64))));
    done("keys secret --out two.key");
    assert_ok(lb_hex_decode(lb_span_of(cli_read(&cli, "two.key").ptr, 64), second, 32));
    assert_memory_not_equal(first, second, 32);
    fails("keys secret --out one.key", 1, "one.key exists");
    fails("keys secret --out x --public y", 2, "not an option");
}

static void test_never_overwrites(void **state)
{
    (void)state;
    done("keys seal --out seal.key");
    struct lb_span before = cli_read(&cli, "seal.key");
    fails("keys seal --out seal.key", 1, "seal.key exists");
    fails("keys issuer --out seal.key", 1, "seal.key exists");
    assert_true(lb_span_eq(before, cli_read(&cli, "seal.key")));
    fails("keys seal --out none/seal.key", 1, "none/seal.key: cannot be written");
    fails("keys seal --out seal2.key --public none/pub", 1, "none/pub: cannot be written");
    fails("keys seal", 2, "--out is missing");
    fails("keys paper --out x", 2, "there is no command");
    done("keys log --help");
}

#define TAX "spiffe://city.gov/adapter/tax/one"

static void test_rotate(void **state)
{
    (void)state;
    struct lb_x25519_key key;
    done("keys log --out log.pem --name " TAX);
    done("keys rotate --folder seal --id " TAX " --log-key log.pem --key-id s2 --days 7 --json");
    assert_int_equal(cli_mode("seal"), 0700);
    assert_int_equal(cli_mode("seal/s2.key"), 0600);
    int64_t left = cli_number(&cli, "not_after") - lb_clock_unix_s(lb_clock_system());
    assert_true(left > 6 * 86400 && left <= 7 * 86400);
    assert_ok(lb_keys_load_x25519("seal/s2.key", &key));
    assert_string_equal(cli_member(&cli, "key"),
                        lb_b64url_encode(cli.arena, lb_span_of(key.public_key, 32)));
    fails("keys rotate --folder seal --id " TAX " --log-key log.pem --key-id s2", 1, "exists");
    fails("keys rotate --folder seal --id " TAX " --log-key log.pem --days 30", 2, "1 to 7 days");
    fails("keys rotate --folder seal --id " TAX " --log-key log.pem --after 9", 2, "from now on");
    fails("keys rotate --folder seal --id " TAX " --log-key log.pem --kind log", 2,
          "seal or share");
    fails("keys rotate --folder seal --id tax --log-key log.pem", 2, "SPIFFE id");
    fails("keys rotate --folder seal --id " TAX " --log-key seal/s2.key", 1, "no Ed25519 key");
    done("keys rotate --folder seal --id " TAX " --log-key log.pem --json");
    assert_int_equal(strlen(cli_member(&cli, "id")), 16);
}

/* The next share key begins later, so that all know it before it is used. */
static void test_rotate_share(void **state)
{
    (void)state;
    int64_t now = lb_clock_unix_s(lb_clock_system());
    done("keys log --out log.pem --name " TAX);
    done("keys rotate --kind share --folder share --id " TAX " --log-key log.pem --json");
    int64_t begin = cli_number(&cli, "not_before"), end = cli_number(&cli, "not_after");
    assert_true(begin >= now + 86400 && begin < now + 86400 + 60);
    assert_true(end >= now + 180 * 86400 && end < now + 180 * 86400 + 60);
    fails("keys rotate --kind share --folder share --id " TAX " --log-key log.pem --days 1", 2,
          "over before it begins");
    done("keys rotate --kind share --folder share --id " TAX " --log-key log.pem --after 0 --json");
    assert_null(strstr(cli.out, "not_before"));
}

static void test_handover(void **state)
{
    (void)state;
    done("keys issuer --out h1.pem");
    done("keys issuer --out h2.pem");
    done("keys handover --kind issuer --from h1.pem --from-name hall/h1 --to h2.pem "
         "--to-name hall/h2 --out before.json");
    assert_string_equal(cli_member(&cli, "kid"), "h1");
    assert_int_equal(strlen(cli_member(&cli, "signature")), 86);
    assert_int_equal(cli_mode("before.json"), 0644);
    fails("keys handover --kind issuer --from h1.pem --from-name h1 --to h2.pem --to-name h2", 2,
          "<organization>/<kid>");
    fails("keys handover --kind seal --from h1.pem --from-name a --to h2.pem --to-name a", 2,
          "log or issuer");
    done("keys log --out l1.pem --name " TAX);
    done("keys log --out l2.pem --name " TAX);
    fails("keys handover --kind log --from l1.pem --from-name " TAX " --to l2.pem --to-name x", 2,
          "both names");
    fails("keys handover --kind log --from h1.pem --from-name " TAX " --to l2.pem --to-name " TAX,
          1, "no key of this kind");
    done("keys handover --kind log --from l1.pem --from-name " TAX " --to l2.pem --to-name " TAX);
    assert_non_null(strstr(cli_member(&cli, "log"), "city.gov/adapter/tax/one+"));
    done("keys handover --kind log --from l1.pem --from-name " TAX "~r1 --to l2.pem --to-name " TAX
         "~r1");
    assert_non_null(strstr(cli_member(&cli, "log"), "city.gov/adapter/tax/one~r1+"));
}

static void test_use_and_destroy(void **state)
{
    (void)state;
    assert_int_equal(mkdir("issuer", 0700), 0);
    done("keys issuer --out issuer/h2.pem");
    fails("keys use --folder issuer --kid h3", 1, "no key of this kind");
    done("keys use --folder issuer --kid h2");
    assert_true(lb_span_is(cli_read(&cli, "issuer/current"), "h2\n"));
    cli_write("notes.txt", "no key at all");
    fails("keys destroy --file notes.txt", 1, "is no private key");
    assert_int_equal(access("notes.txt", F_OK), 0);
    done("keys destroy --file issuer/h2.pem");
    assert_int_not_equal(access("issuer/h2.pem", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_witness, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotate_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handover, setup, teardown),
        cmocka_unit_test_setup_teardown(test_use_and_destroy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_issuer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_x25519, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secret, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_overwrites, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
