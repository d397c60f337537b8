#include "gateway/ctl/test_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/ctl/command.h"
#include "gateway/json/json.h"

/* A log's way out of the house: export, proof, and what an outsider says to both. */

#define ORIGIN "example/adapter/tax"
#define OTHER "example/broker/ops"

#define LOG(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", __VA_ARGS__)

struct bench {
    struct test_log log;
    char out[400];
    char proof[400];
};

static void begin(struct test_cli *cli, struct bench *bench)
{
    test_log_make(cli, "tax", ORIGIN, &bench->log);
    (void)snprintf(bench->out, sizeof(bench->out), "%s/exported", cli->folder);
    (void)snprintf(bench->proof, sizeof(bench->proof), "%s/entry.tlog-proof", cli->folder);
}

static void exports_and_verifies(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    begin(cli, &bench);
    assert_int_equal(LOG(cli, "export", bench.log.folder, "--out", bench.out, "--vkey",
                         bench.log.vkey), LB_CTL_OK);
    assert_non_null(strstr(cli->out, ORIGIN " is exported: 6 entries, 6 of them new; 3 files"));
    assert_int_equal(LOG(cli, "export", bench.log.folder, "--out", bench.out, "--vkey",
                         bench.log.vkey, "--json"), LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    int64_t from = 0, files = 1, size = 0;
    assert_ok(lb_json_get_int(json, "from", &from));
    assert_ok(lb_json_get_int(json, "files", &files));
    assert_ok(lb_json_get_int(json, "size", &size));
    lb_json_free(json);
    assert_int_equal(from, 6);
    assert_int_equal(files, 0);
    assert_int_equal(size, 6);
    assert_int_equal(LOG(cli, "verify", "--tiles", bench.out, "--vkey", bench.log.vkey),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "OK       example/adapter/tax  6        -        -"));
    test_log_free(&bench.log);
}

static void refuses_another_logs_folder_and_key(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    struct test_log other;
    begin(cli, &bench);
    test_log_make(cli, "ops", OTHER, &other);
    assert_int_equal(LOG(cli, "export", bench.log.folder, "--out", bench.out, "--vkey",
                         bench.log.vkey), LB_CTL_OK);
    assert_int_equal(LOG(cli, "export", other.folder, "--out", bench.out, "--vkey", other.vkey),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "OTHER_LOG"));
    assert_int_equal(LOG(cli, "export", other.folder, "--out", bench.out, "--vkey",
                         bench.log.vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "no key is known for a log called " OTHER));
    assert_int_equal(LOG(cli, "verify", "--tiles", bench.out, "--vkey", other.vkey),
                     LB_CTL_FAILED);
    assert_int_equal(LOG(cli, "verify", "--tiles", bench.log.folder, "--vkey", bench.log.vkey),
                     LB_CTL_FAILED);
    assert_int_equal(LOG(cli, "verify", bench.out, "--vkey", bench.log.vkey), LB_CTL_FAILED);
    test_log_free(&bench.log);
    test_log_free(&other);
}

static void names_the_changed_file(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    char path[500];
    begin(cli, &bench);
    assert_int_equal(LOG(cli, "export", bench.log.folder, "--out", bench.out, "--vkey",
                         bench.log.vkey), LB_CTL_OK);
    (void)snprintf(path, sizeof(path), "%s/tile/entries/000.p/6", bench.out);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 40, SEEK_SET), 0);
    assert_int_equal(fputc('S', file), 'S');
    (void)fclose(file);
    assert_int_equal(LOG(cli, "verify", "--tiles", bench.out, "--vkey", bench.log.vkey, "--json"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "entry 0 was changed"));
    assert_int_equal(LOG(cli, "prove", "--tiles", bench.out, "0", "--vkey", bench.log.vkey),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "LOG_FORK"));
    test_log_free(&bench.log);
}

/* The same proof from the log and from its export; who checks it needs the file and the key. */
static void proves_an_entry(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    begin(cli, &bench);
    assert_int_equal(LOG(cli, "prove", bench.log.folder, "3", "--vkey", bench.log.vkey),
                     LB_CTL_OK);
    char *first = strdup(cli->out);
    assert_non_null(strstr(first, "c2sp.org/tlog-proof@v1\nextra "));
    assert_non_null(strstr(first, "\nindex 3\n"));
    assert_int_equal(LOG(cli, "export", bench.log.folder, "--out", bench.out, "--vkey",
                         bench.log.vkey), LB_CTL_OK);
    assert_int_equal(LOG(cli, "prove", "--tiles", bench.out, "3", "--vkey", bench.log.vkey,
                         "--out", bench.proof), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "proved: in the log of " ORIGIN ", entry 3 of 6"));
    assert_int_equal(LOG(cli, "check-proof", bench.proof, "--vkey", bench.log.vkey), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "2026-07-01T10:03:00.000Z  READ  ANSWERED  tax.capital"));
    test_feed(cli, first);
    assert_int_equal(LOG(cli, "check-proof", "-", "--vkey", bench.log.vkey, "--json"), LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    struct lb_span code = LB_SPAN_EMPTY;
    int64_t index = 0;
    assert_ok(lb_json_get_str(json, "code", &code));
    assert_true(lb_span_is(code, "ANSWERED"));
    assert_ok(lb_json_get_int(json, "index", &index));
    assert_int_equal(index, 3);
    lb_json_free(json);
    assert_int_equal(LOG(cli, "check-proof", bench.proof, "--vkey", bench.log.vkey,
                         "--language", "zh"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "属实"));
    test_log_free(&bench.log);
    free(first);
}

static void refuses_what_does_not_prove(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    struct test_log other;
    begin(cli, &bench);
    test_log_make(cli, "ops", OTHER, &other);
    assert_int_equal(LOG(cli, "prove", bench.log.folder, "6", "--vkey", bench.log.vkey),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "there is no entry 6; the log has 6"));
    assert_int_equal(LOG(cli, "prove", bench.log.folder, "2", "--vkey", bench.log.vkey), LB_CTL_OK);
    char *proof = strdup(cli->out);
    char *at = strstr(proof, "index 2");
    at[6] = '1';
    assert_int_equal(LOG(cli, "check-proof", test_file(cli, "wrong", proof), "--vkey",
                         bench.log.vkey), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "RECEIPT_INVALID"));
    at[6] = '2';
    assert_int_equal(LOG(cli, "check-proof", test_file(cli, "right", proof), "--vkey",
                         other.vkey), LB_CTL_FAILED);
    assert_int_equal(LOG(cli, "check-proof", test_file(cli, "none", "a letter\n"), "--vkey",
                         bench.log.vkey, "--json"), LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "MALFORMED"));
    test_log_free(&bench.log);
    test_log_free(&other);
    free(proof);
}

static void checks_the_command_lines(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(LOG(cli, "export", "folder", "--out", "o"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "export", "folder", "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "export", "--out", "o", "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "prove", "folder", "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "prove", "folder", "-1", "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "prove", "folder", "1x", "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "check-proof", "--vkey", "v"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "check-proof", "file"), LB_CTL_USAGE);
    assert_int_equal(LOG(cli, "check-proof", "/nonexistent", "--vkey", "v"), LB_CTL_FAILED);
    assert_int_equal(LOG(cli, "export", "--help"), LB_CTL_OK);
    assert_int_equal(LOG(cli, "prove", "--help"), LB_CTL_OK);
    assert_int_equal(LOG(cli, "check-proof", "--help"), LB_CTL_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exports_and_verifies, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_another_logs_folder_and_key, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(names_the_changed_file, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(proves_an_entry, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_prove, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(checks_the_command_lines, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
