#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/test_log.h"
#include "gateway/trust/keys.h"

/* A backup and its check, by the commands alone. */

#define ORIGIN "example/adapter/tax"
#define BACKUP(cli_, ...) RUN(cli_, lb_ctl_backup_command, "backup", __VA_ARGS__)

struct bench {
    struct test_log log;
    char config[400];
    char out[400];
};

static void begin(struct test_cli *cli, struct bench *bench)
{
    char text[2048];
    char key[400];
    test_log_make(cli, "tax", ORIGIN, &bench->log);
    cli->env.version = "0.1.0";
    (void)snprintf(key, sizeof(key), "%s/log.pem", cli->folder);
    assert_ok(lb_keys_save_sign(key, bench->log.key));
    (void)snprintf(text, sizeof(text),
                   "node: spiffe://" ORIGIN "\nlog_key: log.pem\nstate: %s\n"
                   "identity: {cert: c, key: k, ca: a}\ncrl: crl.pem\n"
                   "directory: {file: d, signers: [\"%s\"]}\ndisk: {alert_mb: 1, stop_mb: 1,"
                   " reserve_mb: 0}\n", bench->log.folder, bench->log.vkey);
    (void)snprintf(bench->config, sizeof(bench->config), "%s",
                   test_file(cli, "node.yaml", text));
    (void)snprintf(bench->out, sizeof(bench->out), "%s/out", cli->folder);
}

static void a_backup_is_made_and_checked(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    int64_t made = 0, checked = 0;
    struct lb_span first, second;
    begin(cli, &bench);
    assert_int_equal(BACKUP(cli, "--config", bench.config, "--out", bench.out, "--json"), 0);
    struct lb_json *json = test_json(cli);
    const struct lb_json *log = NULL;
    assert_ok(lb_json_get_object(json, "log", &log));
    assert_ok(lb_json_get_int(log, "size", &made));
    assert_int_equal(made, TEST_LOG_ENTRIES);
    assert_ok(lb_json_get_str(json, "manifest_sha256", &first));
    assert_int_equal(BACKUP(cli, "check", bench.out, "--vkey", bench.log.vkey, "--json"), 0);
    struct lb_json *again = test_json(cli);
    assert_ok(lb_json_get_int(again, "files", &checked));
    assert_int_equal(checked, 2);
    assert_ok(lb_json_get_str(again, "manifest_sha256", &second));
    assert_true(lb_span_eq(first, second));
    lb_json_free(json);
    lb_json_free(again);
    assert_int_equal(BACKUP(cli, "check", bench.out, "--vkey", bench.log.vkey, "--language", "zh"),
                     0);
    assert_non_null(strstr(cli->out, "备份完整"));
    test_log_free(&bench.log);
}

static void what_is_unfinished_changed_or_another_ones_is_refused(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    char path[500];
    struct test_log other;
    begin(cli, &bench);
    assert_int_equal(BACKUP(cli, "make", "--config", bench.config, "--out", bench.out), 0);
    assert_int_equal(BACKUP(cli, "make", "--config", bench.config, "--out", bench.out), 1);
    assert_non_null(strstr(cli->err, "not empty"));
    test_log_make(cli, "health", "example/adapter/health", &other);
    assert_int_equal(BACKUP(cli, "check", bench.out, "--vkey", other.vkey), 1);
    (void)snprintf(path, sizeof(path), "%s/state/ratchet", bench.out);
    assert_ok(lb_file_write(path, lb_span_str("x"), 0600));
    assert_int_equal(BACKUP(cli, "check", bench.out, "--vkey", bench.log.vkey), 1);
    assert_non_null(strstr(cli->err, "BACKUP_BROKEN"));
    (void)snprintf(path, sizeof(path), "%s/manifest.json", bench.out);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(BACKUP(cli, "check", bench.out, "--vkey", bench.log.vkey), 1);
    assert_non_null(strstr(cli->err, "never finished"));
    test_log_free(&other);
    test_log_free(&bench.log);
}

static void without_the_nodes_key_nothing_is_copied(void **state)
{
    struct test_cli *cli = *state;
    struct bench bench;
    char key[400];
    begin(cli, &bench);
    (void)snprintf(key, sizeof(key), "%s/log.pem", cli->folder);
    assert_int_equal(unlink(key), 0);
    assert_int_equal(BACKUP(cli, "--config", bench.config, "--out", bench.out), 1);
    assert_non_null(strstr(cli->err, "log_key"));
    assert_int_not_equal(access(bench.out, F_OK), 0);
    test_log_free(&bench.log);
}

static void the_words_are_checked(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(BACKUP(cli, "--out", "x"), 2);
    assert_int_equal(BACKUP(cli, "--config", "x"), 2);
    assert_int_equal(BACKUP(cli, "check"), 2);
    assert_int_equal(BACKUP(cli, "check", "x"), 2);
    assert_int_equal(BACKUP(cli, "restore"), 2);
    assert_int_equal(BACKUP(cli, "--help"), 0);
    assert_non_null(strstr(cli->out, "backup check"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_made_and_checked, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(what_is_unfinished_changed_or_another_ones_is_refused,
                                        test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(without_the_nodes_key_nothing_is_copied, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(the_words_are_checked, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
