#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/expr_guard.h"

/* The guard is given here what the grammar would never let through. */

static int open_guard(void **state)
{
    static struct lb_expr_guard guard;
    assert_null(lb_expr_guard_open(&guard));
    *state = &guard;
    return 0;
}

static int close_guard(void **state)
{
    lb_expr_guard_close(*state);
    return 0;
}

static enum lb_code code_of(void **state, const char *sql)
{
    struct lb_diag diag = {""};
    sqlite3_stmt *stmt = NULL;
    lb_status status = lb_expr_guard_prepare(*state, sql, &diag, &stmt);
    assert_true((status == LB_OK) == (stmt != NULL));
    assert_true((status == LB_OK) == (diag.text[0] == 0));
    (void)sqlite3_finalize(stmt);
    return lb_status_code(status);
}

static void anything_but_one_plain_select_is_refused(void **state)
{
    static const char *const texts[] = {
        "", " ", "-- x", "SELECT (1); SELECT (2)", "SELECT (1); ;", "SELECT ((SELECT 1))",
        "SELECT (EXISTS (SELECT 1))", "SELECT (1 IN (SELECT 1))", "SELECT 1 UNION SELECT 2",
        "SELECT ((VALUES (1)))", "SELECT (1) FROM sqlite_schema", "SELECT (1) FROM (SELECT 1)",
        "SELECT (1) FROM pragma_table_info('x')", "SELECT (1) FROM json_each('[1]')",
        "WITH x(i) AS (SELECT 1) SELECT i FROM x", "VALUES (1), (2)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        "PRAGMA user_version", "PRAGMA journal_mode", "ATTACH ':memory:' AS x", "DETACH x",
        "CREATE TABLE x(y)", "CREATE TEMP TABLE x(y)", "CREATE VIEW x AS SELECT 1", "VACUUM",
        "CREATE VIRTUAL TABLE x USING fts5(y)", "DROP TABLE sqlite_schema", "BEGIN", "SAVEPOINT x",
        "ANALYZE", "REINDEX", "INSERT INTO sqlite_schema DEFAULT VALUES", "SELECT name FROM dbstat",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (code_of(state, texts[i]) != LB_CONFIG_INVALID)
            fail_msg("accepted: %s", texts[i]);
    }
}

static void other_functions_are_refused(void **state)
{
    static const char *const texts[] = {
        "SELECT (coalesce(NULL, 0))", "SELECT (ifnull(NULL, 0))", "SELECT (iif(1, 2, 3))",
        "SELECT (nullif(1, 1))", "SELECT (random())", "SELECT (load_extension('x'))",
        "SELECT (zeroblob(100000))", "SELECT (abs(1))", "SELECT (count(*))", "SELECT (sum(1))",
        "SELECT (printf('%d', 1))", "SELECT ('x' LIKE 'x')", "SELECT ('x' GLOB 'x')",
        "SELECT (sqlite_version())", "SELECT (current_timestamp)", "SELECT (json('1'))",
        "SELECT (typeof(1))", "SELECT ('[1]' -> 0)", "SELECT (lb_other(1))",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (code_of(state, texts[i]) != LB_CONFIG_INVALID)
            fail_msg("accepted: %s", texts[i]);
    }
}

static void what_the_grammar_writes_is_allowed(void **state)
{
    static const char *const texts[] = {
        "SELECT (1)", "SELECT (?1 AND NOT ?2 OR ?3 IN (1, 2))",
        "SELECT (lb_sum(?1,(?2),lb_neg(?3)) >= lb_product(?1,?2))",
        "SELECT (lb_abs(?1) BETWEEN min(1,2) AND max(?2,3))", "SELECT (ceil(?1))",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(code_of(state, texts[i]), LB_CODE_OK);
}

static void a_refusal_does_not_open_the_next(void **state)
{
    assert_int_equal(code_of(state, "SELECT ((SELECT 1))"), LB_CONFIG_INVALID);
    assert_int_equal(code_of(state, "SELECT (1)"), LB_CODE_OK);
    assert_int_equal(code_of(state, "SELECT ((SELECT 1))"), LB_CONFIG_INVALID);
}

static void our_functions_take_integers_only(void **state)
{
    static const char *const texts[] = {
        "SELECT (lb_sum(1.5, 1))", "SELECT (lb_sum('1', 1))", "SELECT (lb_product(NULL, 0))",
        "SELECT (lb_neg('1'))", "SELECT (lb_abs(-1.0))", "SELECT (lb_sum())",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lb_diag diag = {""};
        sqlite3_stmt *stmt = NULL;
        assert_null(lb_expr_guard_prepare(*state, texts[i], &diag, &stmt));
        assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
        assert_int_equal(sqlite3_column_type(stmt, 0), SQLITE_NULL);
        (void)sqlite3_finalize(stmt);
    }
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, open_guard, close_guard)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(anything_but_one_plain_select_is_refused),
        TEST(other_functions_are_refused),
        TEST(what_the_grammar_writes_is_allowed),
        TEST(a_refusal_does_not_open_the_next),
        TEST(our_functions_take_integers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
