#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/postgres/postgres.h"
#include "tests/sources/contract.h"
#include "tests/sources/postgres_tables.h"
#include "tests/sources/server.h"

/* What only PostgreSQL has: accounts and their powers, passwords, encodings, changed types. */

#define ENOUGH lb_source_all(4096, 30000)

static struct server server;

static enum lb_code open_as(const char *more, const char *password_file, struct lb_diag *diag)
{
    char location[256];
    struct lb_source *source = NULL;
    (void)snprintf(location, sizeof(location), "host=%s %s", server.folder, more);
    const struct lb_source_options options = {
        .location = location, .password_file = password_file, .timeout_ms = 30000};
    diag->text[0] = 0;
    enum lb_code code =
        lb_status_code(lb_source_postgres()->open(NULL, &options, diag, &source));
    lb_source_postgres()->close(source);
    return code;
}

static void accounts_that_can_do_more_are_refused(void **state)
{
    static const struct {
        const char *grant;
        const char *revoke;
        const char *said;
    } powers[] = {
        {"ALTER ROLE r SUPERUSER", "ALTER ROLE r NOSUPERUSER", "superuser"},
        {"ALTER ROLE r CREATEROLE", "ALTER ROLE r NOCREATEROLE", "roles or databases"},
        {"ALTER ROLE r REPLICATION", "ALTER ROLE r NOREPLICATION", "replicate"},
        {"ALTER ROLE r BYPASSRLS", "ALTER ROLE r NOBYPASSRLS", "row security"},
        {"GRANT INSERT ON wage TO r", "REVOKE INSERT ON wage FROM r", "may write public.wage"},
        {"GRANT UPDATE (cents) ON wage TO r", "REVOKE UPDATE (cents) ON wage FROM r", "may write"},
        {"GRANT DELETE ON wage TO PUBLIC", "REVOKE DELETE ON wage FROM PUBLIC", "may write"},
        {"GRANT TRUNCATE ON wage TO r", "REVOKE TRUNCATE ON wage FROM r", "may write"},
        {"GRANT USAGE ON SEQUENCE counter TO r", "REVOKE ALL ON SEQUENCE counter FROM r",
         "sequence"},
        {"ALTER TABLE slip OWNER TO r", "ALTER TABLE slip OWNER TO postgres", "owns public.slip"},
        {"CREATE ROLE writers NOLOGIN; GRANT UPDATE ON wage TO writers;"
         " ALTER ROLE r NOINHERIT; GRANT writers TO r",
         "REVOKE writers FROM r; DROP OWNED BY writers; DROP ROLE writers", "may write"},
        {"CREATE ROLE boss SUPERUSER NOLOGIN; GRANT boss TO r",
         "REVOKE boss FROM r; DROP ROLE boss", "superuser"},
        {"GRANT pg_write_all_data TO r", "REVOKE pg_write_all_data FROM r", "pg_write_all_data"},
        {"GRANT pg_execute_server_program TO r", "REVOKE pg_execute_server_program FROM r",
         "pg_execute_server_program"},
        {"GRANT CREATE ON SCHEMA public TO r", "REVOKE CREATE ON SCHEMA public FROM r",
         "tables in schema public"},
        {"GRANT CREATE ON DATABASE postgres TO r", "REVOKE CREATE ON DATABASE postgres FROM r",
         "schemas in the database"},
        {"GRANT reader TO r; ALTER ROLE r SET role = reader",
         "ALTER ROLE r RESET role; REVOKE reader FROM r", "another role"},
    };
    struct lb_diag diag;
    (void)state;
    assert_int_equal(open_as("dbname=postgres user=r", NULL, &diag), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
        postgres_sql(&server, "postgres", powers[i].grant);
        enum lb_code code = open_as("dbname=postgres user=r", NULL, &diag);
        if (code != LB_SOURCE_WRITABLE || strstr(diag.text, powers[i].said) == NULL)
            fail_msg("%s: %s: %s", powers[i].grant, lb_code_name(code), diag.text);
        postgres_sql(&server, "postgres", powers[i].revoke);
    }
    assert_int_equal(open_as("dbname=postgres user=r", NULL, &diag), LB_CODE_OK);
}

static void a_session_writes_nothing(void **state)
{
    struct contract_case one;
    struct lb_source_result result = {0};
    const struct contract *contract = *state;
    case_open(&one, contract);
    /* An author's function that writes, hidden behind a SELECT. */
    struct lb_source_stmt *stmt = case_prepare(&one, "SELECT meddle() AS v", NULL, 0);
    assert_int_equal(case_read(&one, stmt, "a", ENOUGH, &result), LB_SOURCE_UNAVAILABLE);
    assert_int_equal(postgres_number(&server, "SELECT count(*) FROM meddled;"), 0);
    static const char *const wrong[] = {
        "SELECT set_config('default_transaction_read_only', 'off', false) AS v",
        "SELECT pg_terminate_backend(1) AS v",
        "SELECT pg_catalog.pg_read_file('/etc/passwd') AS v",
        "SELECT \"pg_sleep\" (10) AS v",
        "SELECT nextval('counter') AS v",
        "SELECT cents INTO x FROM wage",
        "SELECT cents FROM wage WHERE id_no = :id_no FOR UPDATE",
        "SELECT 1) AS q; DROP TABLE wage; SELECT * FROM (SELECT 1 AS v",
        "SELECT 1 AS v) AS q LIMIT 1 --",
        "SELECT cents FROM wage WHERE id_no = $$a$$ || $x$b",
        "VALUES (1)",
        "TABLE wage",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (case_try(&one, wrong[i], NULL, 0) != LB_CONFIG_INVALID)
            fail_msg("%s", wrong[i]);
    case_close(&one);
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
    char more[160];
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/file", folder);
    write_private(path, "let me in\n", 0600);
    assert_int_equal(open_as("dbname=postgres user=pw", path, &diag), LB_CODE_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(open_as("dbname=postgres user=pw", path, &diag), LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "0600"));
    write_private(path, "wrong\n", 0600);
    assert_int_equal(open_as("dbname=postgres user=pw", path, &diag), LB_SOURCE_DENIED);
    assert_null(strstr(diag.text, "wrong"));
    assert_int_equal(open_as("dbname=postgres user=pw", NULL, &diag), LB_SOURCE_DENIED);
    assert_int_equal(open_as("dbname=postgres user=pw", "/tmp/lb_password_none", &diag),
                     LB_CONFIG_INVALID);
    write_private(path, "*:*:*:pw:let me in\n", 0600);
    (void)snprintf(more, sizeof(more), "dbname=postgres user=pw passfile=%s", path);
    assert_int_equal(open_as(more, NULL, &diag), LB_CODE_OK);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(open_as(more, NULL, &diag), LB_CONFIG_INVALID);
    (void)unlink(path);
    (void)rmdir(folder);
}

static void wrong_locations_are_refused(void **state)
{
    static const char *const wrong[] = {
        "dbname=postgres user=pw password='let me in'",
        "dbname=postgres user=reader options='-c default_transaction_read_only=off'",
        "dbname=postgres user=reader client_encoding=SQL_ASCII",
        "service=other",
        "dbname=postgres user=reader replication=database",
        "dbname=postgres user=reader nonsense=1",
        "dbname=postgres user",
    };
    struct lb_diag diag;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (open_as(wrong[i], NULL, &diag) != LB_CONFIG_INVALID)
            fail_msg("%s", wrong[i]);
        assert_true(diag.text[0] != 0);
        assert_null(strstr(diag.text, "let me in"));
    }
    const struct lb_source_options uri = {
        .location = "postgresql://pw:let%20me%20in@localhost/postgres", .timeout_ms = 1000};
    struct lb_source *source = NULL;
    assert_int_equal(lb_status_code(lb_source_postgres()->open(NULL, &uri, &diag, &source)),
                     LB_CONFIG_INVALID);
    assert_null(strstr(diag.text, "let"));
    assert_int_equal(open_as("dbname=none user=reader", NULL, &diag), LB_SOURCE_UNAVAILABLE);
    assert_int_equal(open_as("dbname=postgres user=nobody_here", NULL, &diag), LB_SOURCE_DENIED);
    assert_int_equal(open_as("port=1 dbname=postgres user=reader", NULL, &diag),
                     LB_SOURCE_UNAVAILABLE);
}

static void older_encodings_come_as_utf8(void **state)
{
    struct contract_case one;
    char location[160];
    (void)state;
    (void)snprintf(location, sizeof(location), "host=%s dbname=gb user=reader", server.folder);
    const struct contract contract = {.name = "gb", .plugin = lb_source_postgres(),
                                      .options = {.location = location, .timeout_ms = 30000}};
    case_open(&one, &contract);
    struct lb_source_stmt *stmt = case_prepare(
        &one, "SELECT name FROM person WHERE id_no = :id_no", "name", LB_SOURCE_WANT_TEXT);
    assert_true(lb_span_is(case_cell(&one, stmt, "a").text, "张伟"));
    stmt = case_prepare(&one, "SELECT name FROM person WHERE name = '张伟' AND id_no = :id_no",
                        NULL, 0);
    assert_true(lb_span_is(case_cell(&one, stmt, "a").text, "张伟"));
    case_close(&one);
    /* A database that does not know its own encoding hands out bytes, and these two of GB18030 are
     * another letter in UTF-8: only ASCII is certain. */
    (void)snprintf(location, sizeof(location), "host=%s dbname=raw user=reader", server.folder);
    case_open(&one, &contract);
    stmt = case_prepare(&one, "SELECT name FROM person WHERE id_no = :id_no", "name",
                        LB_SOURCE_WANT_TEXT);
    assert_int_equal(case_cell(&one, stmt, "gbk").kind, LB_SOURCE_NULL);
    struct lb_source_result result = {0};
    assert_int_equal(case_read(&one, stmt, "bad", ENOUGH, &result), LB_SOURCE_UNAVAILABLE);
    assert_true(lb_span_is(case_cell(&one, stmt, "ascii").text, "G3-01"));
    case_close(&one);
}

/* Yuan that became cents under the same name would be wrong by a hundred. */
static void a_column_of_another_type_is_noticed(void **state)
{
    static const char *const alters[] = {
        "ALTER TABLE changing ALTER v TYPE bigint",
        "ALTER TABLE changing ALTER v TYPE numeric(12,0)",
        "ALTER TABLE changing ALTER v TYPE text",
        "ALTER TABLE changing ALTER v TYPE numeric(14,4)",
        "ALTER TABLE changing DROP v",
        "REVOKE SELECT ON changing FROM reader",
    };
    for (size_t i = 0; i < sizeof(alters) / sizeof(alters[0]); i++) {
        struct contract_case one;
        struct lb_source_result result = {0};
        postgres_sql(&server, "postgres",
                     "DROP TABLE IF EXISTS changing; CREATE TABLE changing(id_no text, "
                     "v numeric(12,2)); INSERT INTO changing VALUES('a', 5);"
                     "GRANT SELECT ON changing TO reader");
        case_open(&one, *state);
        struct lb_source_stmt *stmt = case_prepare(
            &one, "SELECT v FROM changing WHERE id_no = :id_no", "v", LB_SOURCE_WANT_CENTS);
        assert_int_equal(case_cell(&one, stmt, "a").number, 500);
        postgres_sql(&server, "postgres", alters[i]);
        enum lb_code code = case_read(&one, stmt, "a", ENOUGH, &result);
        if (code != LB_SOURCE_CHANGED)
            fail_msg("%s: %s", alters[i], lb_code_name(code));
        case_close(&one);
    }
}

static void *hold_wages(void *arg)
{
    (void)arg;
    postgres_sql(&server, "postgres", "BEGIN; LOCK TABLE wage; SELECT pg_sleep(1); COMMIT;");
    return NULL;
}

/* Somebody's lock is no mistake in a view. */
static void a_locked_table_is_no_wrong_query(void **state)
{
    static const char locked[] = "SELECT count(*) FROM pg_locks WHERE relation = 'wage'::regclass"
                                 " AND mode = 'AccessExclusiveLock' AND granted;";
    struct contract_case one;
    pthread_t thread;
    postgres_sql(&server, "postgres", "ALTER ROLE reader SET lock_timeout = '50ms'");
    case_open(&one, *state);
    assert_int_equal(pthread_create(&thread, NULL, hold_wages, NULL), 0);
    while (postgres_number(&server, locked) == 0)
        continue;
    enum lb_code code = lb_status_code(lb_source_postgres()->prepare(
        one.source, &(struct lb_source_query){.text = "SELECT cents FROM wage"}, &one.diag,
        &(struct lb_source_stmt *){NULL}));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(lb_code_name(code), "SOURCE_UNAVAILABLE");
    assert_int_equal(case_try(&one, "SELECT cents FROM wage", NULL, 0), LB_CODE_OK);
    case_close(&one);
    postgres_sql(&server, "postgres", "ALTER ROLE reader RESET lock_timeout");
}

static void odd_types_are_refused_where_they_are_used(void **state)
{
    struct contract_case one;
    struct lb_source_result result = {0};
    case_open(&one, *state);
    static const char *const types[] = {"numeric", "double precision", "money", "bytea", "jsonb",
                                        "timestamptz", "interval"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char query[128];
        (void)snprintf(query, sizeof(query), "SELECT CAST(NULL AS %s) AS v", types[i]);
        for (int want = LB_SOURCE_WANT_TEXT; want <= LB_SOURCE_WANT_CENTS; want++)
            if (case_try(&one, query, "v", (enum lb_source_want)want) != LB_CONFIG_INVALID)
                fail_msg("%s as %d", types[i], want);
        struct lb_source_stmt *stmt = case_prepare(&one, query, NULL, 0);
        assert_int_equal(case_read(&one, stmt, "a", ENOUGH, &result), LB_CODE_OK);
    }
    struct lb_source_stmt *stmt = case_prepare(
        &one, "SELECT 'infinity'::date AS v UNION ALL SELECT '0044-03-15 BC'::date", "v",
        LB_SOURCE_WANT_DATE);
    assert_int_equal(case_read(&one, stmt, "a", ENOUGH, &result), LB_CODE_OK);
    assert_int_equal(result.cells[0].kind, LB_SOURCE_NULL);
    assert_int_equal(result.cells[1].kind, LB_SOURCE_NULL);
    assert_int_equal(case_try(&one, "SELECT cents FROM wage WHERE cents = :id_no", NULL, 0),
                     LB_CONFIG_INVALID);
    case_close(&one);
}

int main(void)
{
    char location[160];
    postgres_start(&server);
    postgres_sql(&server, "postgres", POSTGRES_TABLES
                 "CREATE SEQUENCE counter; CREATE ROLE r LOGIN;"
                 "CREATE ROLE pw LOGIN PASSWORD 'let me in'; CREATE TABLE meddled(v integer);"
                 "CREATE FUNCTION meddle() RETURNS integer LANGUAGE sql SECURITY DEFINER AS"
                 " 'INSERT INTO meddled VALUES (1) RETURNING v';"
                 "CREATE DATABASE gb TEMPLATE template0 ENCODING 'EUC_CN' LOCALE 'C';"
                 "CREATE DATABASE raw TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C';");
    postgres_sql(&server, "gb", "SET client_encoding = 'UTF8';"
                                "CREATE TABLE person(id_no text, name varchar(20));"
                                "INSERT INTO person VALUES('a', '张伟');"
                                "GRANT SELECT ON person TO reader");
    postgres_sql(&server, "raw", "CREATE TABLE person(id_no text, name varchar(20));"
                                 "INSERT INTO person VALUES('gbk', E'\\xCE\\xB0'),"
                                 " ('ascii', 'G3-01'), ('bad', E'\\xC5');"
                                 "GRANT SELECT ON person TO reader");
    (void)snprintf(location, sizeof(location), "host=%s dbname=postgres user=reader",
                   server.folder);
    struct contract contract = {.name = "postgres", .plugin = lb_source_postgres(),
                                .options = {.location = location, .timeout_ms = 30000}};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_that_can_do_more_are_refused),
        cmocka_unit_test_prestate(a_session_writes_nothing, &contract),
        cmocka_unit_test(passwords_come_from_private_files_alone),
        cmocka_unit_test(wrong_locations_are_refused),
        cmocka_unit_test(older_encodings_come_as_utf8),
        cmocka_unit_test_prestate(a_column_of_another_type_is_noticed, &contract),
        cmocka_unit_test_prestate(a_locked_table_is_no_wrong_query, &contract),
        cmocka_unit_test_prestate(odd_types_are_refused_where_they_are_used, &contract),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    server_remove(&server);
    return failed;
}
