#include "gateway/ctl/test_log.h"

#include <stdio.h>
#include <unistd.h>

#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/json/json.h"
#include "gateway/note/note.h"

#define ORIGIN_A "example/adapter/tax"
#define ORIGIN_B "example/broker/ops"

#define PIN "0101010101010101010101010101010101010101010101010101010101010101"

#define VERIFY(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", "verify", __VA_ARGS__)

static void verifies_by_vkey(void **state)
{
    struct test_cli *cli = *state;
    struct test_log a, b;
    test_log_make(cli, "a", ORIGIN_A, &a);
    test_log_make(cli, "b", ORIGIN_B, &b);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "OK       example/adapter/tax  6        2        0"));
    assert_int_equal(VERIFY(cli, a.folder, b.folder, "--vkey", b.vkey, "--vkey", a.vkey, "--json"),
                     LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    const struct lb_json *logs = NULL;
    bool verified = false;
    int64_t size = 0;
    assert_ok(lb_json_get_bool(json, "verified", &verified));
    assert_true(verified);
    assert_ok(lb_json_get_array(json, "logs", &logs));
    assert_int_equal(lb_json_len(logs), 2);
    assert_ok(lb_json_get_int(lb_json_at(logs, 1), "size", &size));
    assert_int_equal(size, TEST_LOG_ENTRIES);
    lb_json_free(json);
    test_log_free(&a);
    test_log_free(&b);
}

/* The wrong key, a log nobody knows, a folder without a log: none may pass, and one bad log must
 * not hide behind a good one. */
static void fails_if_any_fails(void **state)
{
    struct test_cli *cli = *state;
    struct test_log a, b;
    char forged[300];
    test_log_make(cli, "a", ORIGIN_A, &a);
    test_log_make(cli, "b", ORIGIN_B, &b);
    assert_int_equal(VERIFY(cli, a.folder, b.folder, "--vkey", a.vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "OK"));
    assert_non_null(strstr(cli->out, "no key is known for a log called " ORIGIN_B));

    struct lb_note_verifier other;
    struct lb_arena *arena = lb_arena_new(4096);
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(b.key, public_key);
    assert_ok(lb_note_verifier_init(ORIGIN_A, public_key, &other));
    (void)snprintf(forged, sizeof(forged), "%s", lb_note_verifier_format(&other, arena));
    lb_note_verifier_cleanup(&other);
    lb_arena_free(arena);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", forged), LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "LOG_FORK"));

    assert_int_equal(VERIFY(cli, cli->folder, "--vkey", a.vkey, "--json"), LB_CTL_FAILED);
    struct lb_json *json = test_json(cli);
    bool verified = true;
    assert_ok(lb_json_get_bool(json, "verified", &verified));
    assert_false(verified);
    lb_json_free(json);
    test_log_free(&a);
    test_log_free(&b);
}

static void names_the_place_of_a_change(void **state)
{
    struct test_cli *cli = *state;
    struct test_log a;
    char path[400], code[1024 * 64];
    test_log_make(cli, "a", ORIGIN_A, &a);
    (void)snprintf(path, sizeof(path), "%s/evidence.db", a.folder);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    size_t len = fread(code, 1, sizeof(code), file);
    char *at = memmem(code, len, "REPLAY", 6);
    assert_non_null(at);
    assert_int_equal(fseek(file, at - code, SEEK_SET), 0);
    assert_int_equal(fputc('S', file), 'S');
    (void)fclose(file);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "LOG_FORK"));
    assert_non_null(strstr(cli->out, "entr"));
    test_log_free(&a);
}

/* --- by directory --- */

static void make_directory(struct test_cli *cli, const struct test_log *log,
                           const struct lb_sign_key *signer, char path[400])
{
    struct lb_arena *arena = lb_arena_new(256 * 1024);
    struct lb_span note = LB_SPAN_EMPTY;
    const char *text = lb_arena_printf(
        arena,
        "{\n  \"type\": \"lianban-directory/v1\",\n  \"federation\": \"example\",\n"
        "  \"version\": 1,\n  \"issued\": 1782000000,\n  \"expires\": 1800000000,\n"
        "  \"ca_pins\": [\"" PIN "\"],\n  \"organizations\": [{\"id\": \"tax\", \"zh\": \"税务\","
        " \"en\": \"Tax\"}],\n"
        "  \"nodes\": [{\"spiffe\": \"spiffe://" ORIGIN_A "\", \"endpoint\": \"\","
        " \"log\": \"%s\", \"seal\": []}],\n"
        "  \"issuers\": [],\n  \"forms\": [],\n  \"rules\": [],\n  \"views\": []\n}\n",
        log->vkey);
    assert_ok(lb_note_sign(lb_span_str(text), false, "signer", signer, arena, &note));
    (void)snprintf(path, 400, "%s",
                   test_file(cli, "directory.note", lb_arena_str(arena, note)));
    lb_arena_free(arena);
}

static void verifies_by_directory(void **state)
{
    struct test_cli *cli = *state;
    struct test_log a, b;
    char path[400], vkey[300];
    test_log_make(cli, "a", ORIGIN_A, &a);
    test_log_make(cli, "b", ORIGIN_B, &b);
    make_directory(cli, &a, b.key, path);
    struct lb_note_verifier signer;
    struct lb_arena *arena = lb_arena_new(4096);
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(b.key, public_key);
    assert_ok(lb_note_verifier_init("signer", public_key, &signer));
    (void)snprintf(vkey, sizeof(vkey), "%s", lb_note_verifier_format(&signer, arena));
    lb_note_verifier_cleanup(&signer);
    lb_arena_free(arena);

    int exit_code = VERIFY(cli, a.folder, "--directory", path, "--signer", vkey);
    if (exit_code != LB_CTL_OK)
        print_error("%s%s\n", cli->out, cli->err);
    assert_int_equal(exit_code, LB_CTL_OK);
    assert_int_equal(VERIFY(cli, a.folder, b.folder, "--directory", path, "--signer", vkey),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "the directory lists no such log"));
    assert_int_equal(VERIFY(cli, a.folder, "--directory", path, "--signer", a.vkey),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "DIRECTORY_INVALID"));
    test_log_free(&a);
    test_log_free(&b);
}

static void checks_the_command_line(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(VERIFY(cli, "folder"), LB_CTL_USAGE);
    assert_int_equal(VERIFY(cli, "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(VERIFY(cli, "f", "--directory", "d"), LB_CTL_USAGE);
    assert_int_equal(VERIFY(cli, "f", "--signer", "s"), LB_CTL_USAGE);
    assert_int_equal(VERIFY(cli, "f", "--directory", "d", "--signer", "s", "--vkey", "v"),
                     LB_CTL_USAGE);
    assert_int_equal(VERIFY(cli, "f", "--directory", "/nonexistent", "--signer", "s"),
                     LB_CTL_FAILED);
    assert_int_equal(VERIFY(cli, "--help"), LB_CTL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verifies_by_vkey, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(fails_if_any_fails, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(names_the_place_of_a_change, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(verifies_by_directory, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(checks_the_command_line, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
