#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/odbc/odbc.h"
#include "tests/sources/contract.h"
#include "tests/sources/server.h"

/* The contract over ODBC, with MariaDB's driver; and what only MariaDB has. */

#define ENOUGH lb_source_all(4096, 30000)

static const char tables[] =
    "ALTER DATABASE test CHARACTER SET utf8mb4;"
    "CREATE TABLE wage(id_no varchar(18), month varchar(7), cents bigint, INDEX(id_no));"
    "INSERT INTO wage VALUES('a', '2026-05', 100), ('a', '2026-06', 250), ('b', '2026-06', 7);"
    "CREATE TABLE slip(id_no char(18), cents integer); INSERT INTO slip VALUES('a', 1);"
    "CREATE TABLE odd(id_no varchar(18), v text);"
    "INSERT INTO odd VALUES('null', NULL), ('empty', ''), ('blanks', '   '), ('padded', '01   '),"
    " ('han', '张·伟'), ('long', repeat('x', 512)), ('longer', repeat('x', 513));"
    "CREATE TABLE fixed(id_no char(18), v char(10)); INSERT INTO fixed VALUES('a', '01');"
    "CREATE TABLE many(id_no varchar(18), v integer);"
    "INSERT INTO many SELECT 'm', seq FROM seq_1_to_1000;"
    "CREATE TABLE money(id_no varchar(18), yuan decimal(20,2), fine decimal(20,4),"
    " whole decimal(12,0));"
    "INSERT INTO money VALUES('a', 1234.56, 1.23, 12), ('b', -0.01, 1.2345, -1),"
    " ('c', NULL, NULL, NULL), ('d', 92233720368547758.07, 0, 0);"
    "CREATE TABLE day(id_no varchar(18), born date, at datetime);"
    "INSERT INTO day VALUES('a', '1990-02-28', '2024-01-02 03:04:05');"
    "CREATE TABLE older(id_no varchar(18), v varchar(20)) CHARACTER SET gbk;"
    "INSERT INTO older VALUES('a', '张伟');"
    "CREATE USER reader@localhost; GRANT SELECT ON test.* TO reader@localhost;"
    "CREATE USER r@localhost; GRANT SELECT ON test.wage TO r@localhost;"
    "CREATE USER pw@localhost IDENTIFIED BY 'let {me} in;';"
    "GRANT SELECT ON test.wage TO pw@localhost;"
    "CREATE ROLE writers; GRANT INSERT ON test.wage TO writers;";

static struct server server;

static void sql(void *own, const char *text)
{
    mariadb_sql(own, text);
}

static long running(void *own)
{
    return mariadb_number(own, "SELECT count(*) FROM information_schema.processlist WHERE "
                               "user = 'reader' AND command IN ('Query', 'Execute');");
}

static void kill_sessions(void *own)
{
    mariadb_sql(own, "KILL CONNECTION USER reader@localhost;");
}

static void restart(void *own)
{
    server_kill(own);
    mariadb_launch(own);
}

static void hang(void *own, bool hang)
{
    server_signal(own, hang ? SIGSTOP : SIGCONT);
}

static enum lb_code open_as(const char *user, const char *password_file, struct lb_diag *diag)
{
    char location[200];
    struct lb_source *source = NULL;
    (void)snprintf(location, sizeof(location),
                   "Driver={MariaDB Unicode};Socket=%s/sock;Database=test;UID=%s", server.folder,
                   user);
    const struct lb_source_options options = {
        .location = location, .password_file = password_file, .timeout_ms = 30000};
    diag->text[0] = 0;
    enum lb_code code = lb_status_code(lb_source_odbc()->open(NULL, &options, diag, &source));
    lb_source_odbc()->close(source);
    return code;
}

static void accounts_that_can_do_more_are_refused(void **state)
{
    static const char *const powers[][2] = {
        {"GRANT INSERT ON test.wage TO r@localhost", "REVOKE INSERT ON test.wage FROM r@localhost"},
        {"GRANT UPDATE (cents) ON test.wage TO r@localhost",
         "REVOKE UPDATE (cents) ON test.wage FROM r@localhost"},
        {"GRANT DELETE ON test.* TO r@localhost", "REVOKE DELETE ON test.* FROM r@localhost"},
        {"GRANT FILE ON *.* TO r@localhost", "REVOKE FILE ON *.* FROM r@localhost"},
        {"GRANT SUPER ON *.* TO r@localhost", "REVOKE SUPER ON *.* FROM r@localhost"},
        {"GRANT SELECT ON test.slip TO r@localhost WITH GRANT OPTION",
         "REVOKE GRANT OPTION ON test.slip FROM r@localhost"},
        {"GRANT writers TO r@localhost", "REVOKE writers FROM r@localhost"},
    };
    struct lb_diag diag;
    (void)state;
    assert_int_equal(open_as("r", NULL, &diag), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
        mariadb_sql(&server, powers[i][0]);
        enum lb_code code = open_as("r", NULL, &diag);
        mariadb_sql(&server, powers[i][1]);
        if (code != LB_SOURCE_WRITABLE || diag.text[0] == 0)
            fail_msg("%s: %s: %s", powers[i][0], lb_code_name(code), diag.text);
    }
    assert_int_equal(open_as("root", NULL, &diag), LB_SOURCE_WRITABLE);
    assert_int_equal(open_as("r", NULL, &diag), LB_CODE_OK);
}

static void write_private(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void passwords_come_from_private_files_alone(void **state)
{
    struct lb_diag diag;
    char folder[] = "/tmp/lb_password_XXXXXX";
    char path[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    write_private(path, "let {me} in;\n", 0600);
    assert_int_equal(open_as("pw", path, &diag), LB_CODE_OK);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(open_as("pw", path, &diag), LB_CONFIG_INVALID);
    write_private(path, "wrong\n", 0600);
    assert_int_equal(open_as("pw", path, &diag), LB_SOURCE_DENIED);
    assert_null(strstr(diag.text, "wrong"));
    assert_int_equal(open_as("pw", NULL, &diag), LB_SOURCE_DENIED);
    (void)unlink(path);
    (void)rmdir(folder);
    static const char *const wrong[] = {
        "pw;PWD=let me in", "pw; pwd = {let me in}", "pw;Password=let me in",
        "pw;OPTION=67108864", "pw;nonsense", "{a;b};PWD=let me in",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (open_as(wrong[i], NULL, &diag) != LB_CONFIG_INVALID)
            fail_msg("%s", wrong[i]);
        assert_null(strstr(diag.text, "let me in"));
    }
}

static void older_encodings_come_as_utf8(void **state)
{
    struct contract_case one;
    case_open(&one, *state);
    struct lb_source_stmt *stmt = case_prepare(&one, "SELECT v FROM older WHERE id_no = :id_no",
                                               "v", LB_SOURCE_WANT_TEXT);
    assert_true(lb_span_is(case_cell(&one, stmt, "a").text, "张伟"));
    stmt = case_prepare(
        &one, "SELECT '张😀𠮷' AS v FROM older WHERE v = '张伟' AND id_no = :id_no", "v",
        LB_SOURCE_WANT_TEXT);
    assert_true(lb_span_is(case_cell(&one, stmt, "a").text, "张😀𠮷"));
    case_close(&one);
}

static void write_location(const char *user, char out[200])
{
    (void)snprintf(out, 200, "Driver={MariaDB Unicode};Socket=%s/sock;Database=test;UID=%s",
                   server.folder, user);
}

int main(void)
{
    char location[200];
    mariadb_start(&server);
    mariadb_sql(&server, tables);
    write_location("reader", location);
    struct contract_refusal refusals[] = {
        {"Driver={MariaDB Unicode};Server=" NO_HOST ";UID=x", LB_SOURCE_NO_HOST},
        {"Driver={MariaDB Unicode};Socket=/nowhere;UID=x", LB_SOURCE_UNAVAILABLE},
        {"", LB_SOURCE_DENIED},
    };
    write_location("pw", refusals[2].location);
    struct contract contract = {
        .name = "odbc mariadb",
        .plugin = lb_source_odbc(),
        .options = {.location = location, .timeout_ms = 30000},
        .endless = "SELECT count(*) AS top FROM seq_1_to_1000000 AS a, seq_1_to_1000000 AS b "
                   "WHERE a.seq + b.seq < 0",
        .has_types = true,
        .refusals = refusals,
        .num_refusals = sizeof(refusals) / sizeof(refusals[0]),
        .spent_by_timeout = true,
        .server = &server,
        .sql = sql,
        .running = running,
        .kill_sessions = kill_sessions,
        .restart = restart,
        .hang = hang,
    };
    const struct CMUnitTest own[] = {
        cmocka_unit_test(accounts_that_can_do_more_are_refused),
        cmocka_unit_test(passwords_come_from_private_files_alone),
        cmocka_unit_test_prestate(older_encodings_come_as_utf8, &contract),
    };
    int failed = cmocka_run_group_tests(own, NULL, NULL);
    failed += contract_run(&contract);
    server_remove(&server);
    return failed;
}
