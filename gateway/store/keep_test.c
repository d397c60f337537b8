#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/store/store.h"

/* Statements that are kept and given out again: nobody can tell them from new ones. */

#define FIRST "SELECT id FROM t WHERE name = ?1 OR ?1 IS NULL ORDER BY id"

static int set_up(void **state)
{
    const struct lb_store_options options = {.path = ":memory:", .keep_statements = true};
    struct lb_store *store = NULL;
    assert_null(lb_store_open(&options, &store));
    assert_null(lb_store_exec(store, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT);"
                                     "INSERT INTO t(name) VALUES('a'), ('b')"));
    *state = store;
    return 0;
}

static int tear_down(void **state)
{
    lb_store_close(*state);
    return 0;
}

static struct lb_stmt *prepared(struct lb_store *store, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    assert_null(lb_stmt_prepare(store, sql, &stmt));
    return stmt;
}

static int64_t next(struct lb_stmt *stmt)
{
    bool row = false;
    assert_null(lb_stmt_step(stmt, &row));
    return row ? lb_stmt_int(stmt, 0) : 0;
}

static void nothing_of_its_last_use_is_left(void **state)
{
    struct lb_store *store = *state;
    struct lb_stmt *stmt = prepared(store, FIRST);
    assert_null(lb_stmt_bind_text(stmt, 1, lb_span_str("b")));
    assert_int_equal(next(stmt), 2);
    lb_stmt_free(stmt); /* between two rows */
    assert_null(lb_store_begin(store));
    assert_null(lb_store_commit(store));
    assert_ptr_equal(prepared(store, FIRST), stmt);
    assert_int_equal(next(stmt), 1);
    assert_int_equal(next(stmt), 2);
    assert_int_equal(next(stmt), 0);
}

static void one_that_is_used_is_not_given_out(void **state)
{
    struct lb_store *store = *state;
    lb_stmt_free(prepared(store, FIRST));
    struct lb_stmt *one = prepared(store, FIRST), *other = prepared(store, FIRST);
    assert_ptr_not_equal(one, other);
    assert_int_equal(next(one), 1);
    assert_int_equal(next(other), 1);
    assert_int_equal(next(one), 2);
    lb_stmt_free(one);
    lb_stmt_free(other);
}

static void a_failure_is_not_kept(void **state)
{
    struct lb_store *store = *state;
    static const char insert[] = "INSERT INTO t(id) VALUES(?1)";
    struct lb_stmt *stmt = prepared(store, insert);
    assert_null(lb_stmt_bind_int(stmt, 1, 1));
    assert_int_equal(lb_status_code(lb_stmt_run(stmt)), LB_STORE_CONFLICT);
    lb_stmt_free(stmt);
    stmt = prepared(store, insert);
    assert_null(lb_stmt_bind_int(stmt, 1, 7));
    assert_null(lb_stmt_run(stmt));
    lb_stmt_free(stmt);
}

static void the_latest_are_kept(void **state)
{
    struct lb_store *store = *state;
    struct lb_stmt *all[LB_STORE_KEPT_STMTS + 1];
    for (unsigned i = 0; i <= LB_STORE_KEPT_STMTS; i++) {
        char sql[32];
        (void)snprintf(sql, sizeof(sql), "SELECT %u", i);
        all[i] = prepared(store, sql);
    }
    for (unsigned i = 0; i <= LB_STORE_KEPT_STMTS; i++)
        lb_stmt_free(all[i]);
    assert_ptr_equal(prepared(store, "SELECT 32"), all[32]);
    assert_ptr_equal(prepared(store, "SELECT 1"), all[1]);
    assert_int_equal(next(prepared(store, "SELECT 0")), 0); /* compiled anew */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_of_its_last_use_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_used_is_not_given_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_is_not_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_latest_are_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
