#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/store.h"

static const char *const schema[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER)", NULL};

static int open_store(void **state)
{
    struct lb_store_options options = {.path = ":memory:", .migrations = schema};
    struct lb_store *store = NULL;
    assert_null(lb_store_open(&options, &store));
    *state = store;
    return 0;
}

static int close_store(void **state)
{
    lb_store_close(*state);
    return 0;
}

static struct lb_stmt *prepared(struct lb_store *store, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    lb_status status = lb_stmt_prepare(store, sql, &stmt);
    if (status != LB_OK)
        fail_msg("%s: %s", status->what, lb_store_error_text(store));
    return stmt;
}

static int64_t count(struct lb_store *store)
{
    struct lb_stmt *stmt = prepared(store, "SELECT count(*) FROM t");
    bool row = false;
    assert_null(lb_stmt_step(stmt, &row));
    int64_t value = row ? lb_stmt_int(stmt, 0) : -1;
    lb_stmt_free(stmt);
    return value;
}

static void only_one_statement_is_prepared(void **state)
{
    struct lb_store *store = *state;
    static const char *const bad[] = {
        "", "  ", "-- nothing", ";", "SELECT 1; DELETE FROM t", "SELECT 1; -- x",
        "SELECT 1; SELECT", "SELECT", "SELECT * FROM missing", "SELECT \"missing\"",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_stmt *stmt = NULL;
        if (lb_status_code(lb_stmt_prepare(store, bad[i], &stmt)) != LB_STORE_FAILED)
            fail_msg("accepted: %s", bad[i]);
        assert_null(stmt);
        assert_string_not_equal(lb_store_error_text(store), "not an error");
    }
    lb_stmt_free(prepared(store, "SELECT 1 ;\n\t ;"));
}

static void a_statement_describes_itself(void **state)
{
    struct lb_stmt *stmt =
        prepared(*state, "SELECT id AS k, name FROM t WHERE name = :id_no OR size = ?2");
    assert_true(lb_stmt_readonly(stmt));
    assert_int_equal(lb_stmt_num_params(stmt), 2);
    assert_int_equal(lb_stmt_num_columns(stmt), 2);
    assert_string_equal(lb_stmt_column_name(stmt, 0), "k");
    assert_string_equal(lb_stmt_column_name(stmt, 2), "");
    assert_string_equal(lb_stmt_column_name(stmt, -1), "");
    assert_string_equal(lb_stmt_param_name(stmt, 1), "id_no");
    assert_string_equal(lb_stmt_param_name(stmt, 2), "");
    assert_string_equal(lb_stmt_param_name(stmt, 9), "");
    struct lb_stmt *writer = prepared(*state, "DELETE FROM t RETURNING id");
    assert_false(lb_stmt_readonly(writer));
    /* A statement that gives rows is not run as one without, and has no effect. */
    assert_null(lb_store_exec(*state, "INSERT INTO t(name) VALUES('a')"));
    assert_int_equal(lb_status_code(lb_stmt_run(writer)), LB_STORE_FAILED);
    assert_int_equal(count(*state), 1);
}

static void wrong_bindings_are_refused(void **state)
{
    struct lb_stmt *stmt = prepared(*state, "INSERT INTO t(name) VALUES(:name)");
    char long_name[200] = {0};
    memset(long_name, 'a', sizeof(long_name) - 1);
    assert_int_equal(lb_status_code(lb_stmt_bind_int(stmt, 0, 1)), LB_STORE_FAILED);
    assert_int_equal(lb_status_code(lb_stmt_bind_int(stmt, 2, 1)), LB_STORE_FAILED);
    assert_int_equal(lb_status_code(lb_stmt_bind_null(stmt, -1)), LB_STORE_FAILED);
    const struct lb_span texts[] = {lb_span_str("\xff"), lb_span_of("a\0b", 3)};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(lb_status_code(lb_stmt_bind_text(stmt, 1, texts[i])), LB_MALFORMED);
    const char *const strangers[] = {"nam", ":name", "NAME", "", long_name};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(
            lb_status_code(lb_stmt_bind_named(stmt, strangers[i], lb_span_str("x"))), LB_ABSENT);
    struct lb_span huge = lb_span_of(long_name, (size_t)LB_MAX_STORE_VALUE_BYTES + 1);
    assert_int_equal(lb_status_code(lb_stmt_bind_blob(stmt, 1, huge)), LB_STORE_FAILED);
}

static void bound_text_is_data_not_sql(void **state)
{
    struct lb_store *store = *state;
    static const char attack[] = "x'); DROP TABLE t; --";
    struct lb_stmt *stmt = prepared(store, "INSERT INTO t(name) VALUES(:name)");
    assert_null(lb_stmt_bind_named(stmt, "name", lb_span_str(attack)));
    assert_null(lb_stmt_run(stmt));
    assert_int_equal(count(store), 1);
    struct lb_stmt *reader = prepared(store, "SELECT name FROM t");
    bool row = false;
    assert_null(lb_stmt_step(reader, &row));
    assert_true(lb_span_is(lb_stmt_text(reader, 0), attack));
}

static void values_come_back_as_they_went(void **state)
{
    struct lb_store *store = *state;
    struct lb_stmt *stmt = prepared(store, "SELECT ?1, ?2, ?3, ?4, ?5, 1.5, ?6");
    bool row = false;
    assert_null(lb_stmt_bind_int(stmt, 1, INT64_MIN));
    assert_null(lb_stmt_bind_text(stmt, 2, lb_span_str("民政")));
    assert_null(lb_stmt_bind_blob(stmt, 3, lb_span_of("\0\xff", 2)));
    assert_null(lb_stmt_bind_text(stmt, 4, LB_SPAN_EMPTY));
    assert_null(lb_stmt_bind_blob(stmt, 5, LB_SPAN_EMPTY));
    assert_null(lb_stmt_step(stmt, &row));
    assert_true(row);
    static const enum lb_column_type types[] = {LB_COL_INT,  LB_COL_TEXT, LB_COL_BLOB, LB_COL_TEXT,
                                                LB_COL_BLOB, LB_COL_REAL, LB_COL_NULL, LB_COL_NULL};
    for (int i = 0; i < 8; i++)
        assert_int_equal(lb_stmt_type(stmt, i), types[i]);
    assert_true(lb_stmt_int(stmt, 0) == INT64_MIN);
    assert_true(lb_span_is(lb_stmt_text(stmt, 1), "民政"));
    assert_true(lb_span_is(lb_stmt_blob(stmt, 1), "民政"));
    assert_true(lb_span_eq(lb_stmt_blob(stmt, 2), lb_span_of("\0\xff", 2)));
    assert_true(lb_stmt_real(stmt, 5) > 1.4 && lb_stmt_real(stmt, 5) < 1.6);
    /* Nothing is converted on the way. */
    assert_int_equal(lb_stmt_text(stmt, 0).len, 0);
    assert_int_equal(lb_stmt_text(stmt, 2).len, 0);
    assert_int_equal(lb_stmt_int(stmt, 5), 0);
    assert_int_equal(lb_stmt_int(stmt, 1), 0);
    assert_int_equal(lb_stmt_blob(stmt, 0).len, 0);
}

static void the_end_stays_the_end(void **state)
{
    struct lb_store *store = *state;
    struct lb_stmt *stmt = prepared(store, "INSERT INTO t(name) VALUES(?1)");
    bool row = true;
    assert_null(lb_stmt_bind_text(stmt, 1, lb_span_str("once")));
    for (int i = 0; i < 3; i++) {
        assert_null(lb_stmt_step(stmt, &row));
        assert_false(row);
    }
    assert_int_equal(count(store), 1);
    assert_int_equal(lb_store_changes(store), 1);
    assert_int_equal(lb_store_last_rowid(store), 1);
    lb_stmt_reset(stmt);
    for (int i = 0; i < 2; i++)  /* without the binding: NULL names don't collide */
        assert_null(lb_stmt_run(stmt));
    assert_int_equal(count(store), 3);
}

static void a_failure_stays_until_reset(void **state)
{
    struct lb_store *store = *state;
    struct lb_stmt *stmt = prepared(store, "INSERT INTO t(id) VALUES(?1)");
    bool row = true;
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(7)"));
    assert_null(lb_stmt_bind_int(stmt, 1, 7));
    assert_int_equal(lb_status_code(lb_stmt_step(stmt, &row)), LB_STORE_CONFLICT);
    assert_null(lb_store_exec(store, "DELETE FROM t"));
    assert_int_equal(lb_status_code(lb_stmt_step(stmt, &row)), LB_STORE_CONFLICT);
    assert_true(row);
    lb_stmt_reset(stmt);
    assert_null(lb_stmt_bind_int(stmt, 1, 7));
    assert_null(lb_stmt_run(stmt));
}

static void text_of_a_utf16_database_comes_as_utf8(void **state)
{
    (void)state;
    struct lb_store_options options = {.path = ":memory:"};
    struct lb_store *store = NULL;
    bool row = false;
    assert_null(lb_store_open(&options, &store));
    assert_null(lb_store_exec(store, "PRAGMA encoding='UTF-16le'; CREATE TABLE u(x TEXT); "
                                     "INSERT INTO u VALUES('民政')"));
    struct lb_stmt *stmt = prepared(store, "SELECT x, encoding FROM u, pragma_encoding");
    assert_null(lb_stmt_step(stmt, &row));
    assert_true(lb_span_is(lb_stmt_text(stmt, 1), "UTF-16le"));
    assert_true(lb_span_is(lb_stmt_blob(stmt, 0), "民政"));
    assert_true(lb_span_is(lb_stmt_text(stmt, 0), "民政"));
    lb_store_close(store);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_one_statement_is_prepared),
        TEST(a_statement_describes_itself),
        TEST(wrong_bindings_are_refused),
        TEST(bound_text_is_data_not_sql),
        TEST(values_come_back_as_they_went),
        TEST(the_end_stays_the_end),
        TEST(a_failure_stays_until_reset),
        TEST(text_of_a_utf16_database_comes_as_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
