#include "gateway/ctl/test_log.h"

#include <stdio.h>
#include <unistd.h>

#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/evidence/cosigned.h"
#include "gateway/json/json.h"
#include "gateway/note/note.h"

#define ORIGIN_A "example/adapter/tax"
#define ORIGIN_B "example/broker/ops"

#define PIN "0101010101010101010101010101010101010101010101010101010101010101"

#define VERIFY(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", "verify", __VA_ARGS__)
#define EXPORT(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", "export", __VA_ARGS__)

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

/* Its name says that it took the place of another, and its first entry says nothing of it. */
static void a_successor_begins_with_its_recovery(void **state)
{
    struct test_cli *cli = *state;
    struct test_log log;
    test_log_make(cli, "next", "example/adapter/tax/one~r1", &log);
    assert_int_equal(VERIFY(cli, log.folder, "--vkey", log.vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "LOG_FORK"));
    assert_non_null(strstr(cli->out, "does not begin with the recovery"));
    test_log_free(&log);
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

/* --- by witnesses --- */

/* The log's folder, the policy's file, and who cosigns. */
struct cosigning {
    const struct test_log *log;
    struct lb_sign_key *witness;
    struct lb_arena *arena;
    const char *policy;
};

static void begin_cosigning(struct test_cli *cli, const struct test_log *log,
                            struct cosigning *out)
{
    struct lb_cosigner cosigner;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    out->log = log;
    out->arena = lb_arena_new(256 * 1024);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &out->witness));
    (void)lb_sign_key_public(out->witness, public_key);
    assert_ok(lb_cosigner_init("example/auditor/office", public_key, &cosigner));
    out->policy = test_file(cli, "policy",
                            lb_arena_printf(out->arena, "witness office %s\nquorum office\n",
                                            lb_cosigner_format(&cosigner, out->arena)));
    lb_cosigner_cleanup(&cosigner);
}

/* A checkpoint of this size, with the log's own root or another, signed by the log and cosigned. */
static void cosign(const struct cosigning *by, uint64_t size, bool same_root)
{
    struct lb_checkpoint checkpoint = {.origin = ORIGIN_A, .size = size, .root = {{1}}};
    struct lb_cosigned_row row = {.size = size, .unix_s = 1782000000, .met = true};
    struct lb_cosigned *cosigned = NULL;
    struct lb_log_reader *reader = NULL;
    struct lb_merkle_frontier frontier;
    struct lb_diag diag;
    struct lb_span note, line;
    lb_merkle_frontier_init(&frontier);
    assert_ok(lb_log_reader_open(by->log->folder, &diag, &reader));
    for (uint64_t i = 0; same_root && i < size; i++) {
        struct lb_leaf leaf;
        struct lb_hash hash;
        assert_ok(lb_log_reader_leaf(reader, i, by->arena, &leaf, &hash));
        lb_merkle_frontier_add(&frontier, &hash);
    }
    lb_log_reader_close(reader);
    if (same_root)
        lb_merkle_frontier_root(&frontier, &checkpoint.root);
    assert_ok(lb_checkpoint_sign(&checkpoint, by->log->key, by->arena, &note));
    assert_ok(lb_cosign(note, "example/auditor/office", by->witness, 1782000000, by->arena, &line));
    row.note = lb_span_str(lb_arena_printf(by->arena, "%.*s%.*s", (int)note.len,
                                           (const char *)note.ptr, (int)line.len,
                                           (const char *)line.ptr));
    assert_ok(lb_cosigned_open(by->log->folder, &cosigned));
    assert_ok(lb_cosigned_put(cosigned, &row));
    lb_cosigned_close(cosigned);
}

static void holds_a_log_against_its_witnesses(void **state)
{
    struct test_cli *cli = *state;
    struct test_log a;
    struct cosigning by;
    test_log_make(cli, "a", ORIGIN_A, &a);
    begin_cosigning(cli, &a, &by);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey, "--witnesses", by.policy),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "no witnessed checkpoint"));
    cosign(&by, 4, true);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey, "--witnesses", by.policy), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "4 (office)"));
    cosign(&by, 5, false);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey, "--witnesses", by.policy),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "LOG_FORK"));
    cosign(&by, TEST_LOG_ENTRIES + 3, false);
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey, "--witnesses", by.policy),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "LOG_BEHIND"));
    /* Without the question it is a good log. */
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey), LB_CTL_OK);
    assert_null(strstr(cli->out, "witnessed"));
    assert_int_equal(VERIFY(cli, a.folder, "--vkey", a.vkey, "--witnesses", "/nonexistent"),
                     LB_CTL_FAILED);
    lb_sign_key_free(by.witness);
    lb_arena_free(by.arena);
    test_log_free(&a);
}

/* An export has them in its checkpoint: whoever holds it needs nobody else. */
static void an_export_carries_its_cosignatures(void **state)
{
    struct test_cli *cli = *state;
    struct test_log a;
    struct cosigning by;
    test_log_make(cli, "a", ORIGIN_A, &a);
    begin_cosigning(cli, &a, &by);
    const char *out = lb_arena_printf(by.arena, "%s/out", cli->folder);
    assert_int_equal(EXPORT(cli, a.folder, "--out", out, "--vkey", a.vkey, "--witnesses",
                            by.policy),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "no witnessed checkpoint"));
    cosign(&by, 4, true);
    assert_int_equal(EXPORT(cli, a.folder, "--out", out, "--vkey", a.vkey, "--witnesses",
                            by.policy),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "4 entries"));
    assert_non_null(strstr(cli->out, "4 (office)"));
    assert_int_equal(VERIFY(cli, "--tiles", out, "--vkey", a.vkey), LB_CTL_OK);
    assert_int_equal(VERIFY(cli, "--tiles", out, "--vkey", a.vkey, "--witnesses", by.policy),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "4 (office)"));
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "prove", "--tiles", out, "1", "--vkey",
                         a.vkey),
                     LB_CTL_OK);
    /* All there is, without them. */
    assert_int_equal(EXPORT(cli, a.folder, "--out", out, "--vkey", a.vkey),
                     LB_CTL_OK);
    assert_int_equal(VERIFY(cli, "--tiles", out, "--vkey", a.vkey, "--witnesses", by.policy),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "quorum"));
    assert_int_equal(EXPORT(cli, a.folder, "--out", out, "--vkey", a.vkey, "--witnesses",
                            by.policy),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "LOG_UNWITNESSED"));
    lb_sign_key_free(by.witness);
    lb_arena_free(by.arena);
    test_log_free(&a);
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
        cmocka_unit_test_setup_teardown(a_successor_begins_with_its_recovery, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(names_the_place_of_a_change, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(verifies_by_directory, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(an_export_carries_its_cosignatures, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(holds_a_log_against_its_witnesses, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(checks_the_command_line, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
