#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/api/query.h"
#include "gateway/base/limits.h"

static const struct lb_source_dialect postgres = {.marks = LB_SOURCE_DOLLAR_MARKS, .dollar = true};
static const struct lb_source_dialect mysql = {.marks = LB_SOURCE_QUESTION_MARKS, .backslash = true,
                                               .backquote = true, .hash = true};

struct translated {
    enum lb_code code;
    char text[512];
    size_t num_marks;
};

static struct translated translate(const char *query, const struct lb_source_dialect *dialect)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_source_text out = {.text = ""};
    struct lb_diag diag = {""};
    struct translated translated = {
        .code = lb_status_code(lb_source_translate(query, dialect, arena, &diag, &out))};
    assert_true((translated.code == LB_CODE_OK) == (diag.text[0] == 0));
    (void)snprintf(translated.text, sizeof(translated.text), "%s", out.text);
    translated.num_marks = out.num_marks;
    lb_arena_free(arena);
    return translated;
}

static void expect(const char *query, const struct lb_source_dialect *dialect, const char *wanted)
{
    struct translated got = translate(query, dialect);
    if (got.code != LB_CODE_OK || strcmp(got.text, wanted) != 0)
        fail_msg("%s: %s", query, got.text);
}

static void parameters_become_marks(void **state)
{
    (void)state;
    expect("SELECT a FROM t WHERE b = :id_no AND c >= :from_month AND d = :id_no", &postgres,
           "SELECT a FROM t WHERE b = $1 AND c >= $2 AND d = $3");
    expect("select a FROM t WHERE b = :id_no AND c >= :today", &mysql,
           "select a FROM t WHERE b = ? AND c >= ?");
    expect("SELECT :today::date, a[1:2] FROM t WHERE b=:id_no", &postgres,
           "SELECT $1::date, a[1:2] FROM t WHERE b=$2");
    expect("WITH x AS (SELECT 1) SELECT * FROM x", &postgres,
           "WITH x AS (SELECT 1) SELECT * FROM x");
}

static void what_is_quoted_is_left_alone(void **state)
{
    (void)state;
    expect("SELECT ':id_no', 'it''s :id_no', \"a:id_no\"\"\" FROM t", &postgres,
           "SELECT ':id_no', 'it''s :id_no', \"a:id_no\"\"\" FROM t");
    expect("SELECT E'\\':id_no' , :today", &postgres, "SELECT E'\\':id_no' , $1");
    expect("SELECT '\\', :today", &postgres, "SELECT '\\', $1");
    expect("SELECT '\\':id_no', `:x` , :today", &mysql, "SELECT '\\':id_no', `:x` , ?");
    expect("SELECT $$:id_no$$, $a$ $$ :id_no $a$, :today", &postgres,
           "SELECT $$:id_no$$, $a$ $$ :id_no $a$, $1");
    expect("SELECT 1 -- :x ; '\n, :today /* /* :y */ ; */ + 1", &postgres,
           "SELECT 1  \n, $1   + 1");
    expect("SELECT 1 # :x\n, 2 /* /* */ - 1", &mysql, "SELECT 1  \n, 2   - 1");
    expect("SELECT update_time, \"update\", 'delete' FROM t", &postgres,
           "SELECT update_time, \"update\", 'delete' FROM t");
}

static void what_could_do_more_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", "  ", "-- only words", "UPDATE t SET a = 1", "SELECT 1; SELECT 2", "SELECT 1;",
        "SELECT :name", "SELECT :ID_NO", "SELECT :id_nox", "SELECT ?", "SELECT @x",
        "SELECT 'a", "SELECT \"a", "SELECT /* a", "SELECT 1)", "SELECT (1",
        "SELECT 1) q, (SELECT 2",
        "SELECT a INTO b FROM t", "SELECT a FROM t FOR UPDATE",
        "WITH d AS (DELETE FROM t RETURNING a) SELECT a FROM d", "SELECT pg_sleep(1)",
        "SELECT PG_READ_FILE ('x')",
        "SELECT \"pg_sleep\" (1)", "SELECT dblink_exec('x')", "SELECT lo_import('x')",
        "SELECT nextval('x')", "SELECT query_to_xml('x')", "SELECT set_config('a','b',false)",
        "SELECT sleep(9)", "SELECT load_file('x')", "SELECT a FROM t LOCK IN SHARE MODE",
        "EXPLAIN SELECT 1", "SELECT a FROM t PROCEDURE analyse()", "SELECT 1 /*! + 1 */",
        "SELECT 1 /*M! + 1 */",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (translate(wrong[i], &postgres).code != LB_CONFIG_INVALID)
            fail_msg("postgres: %s", wrong[i]);
        if (translate(wrong[i], &mysql).code != LB_CONFIG_INVALID)
            fail_msg("mysql: %s", wrong[i]);
    }
    assert_int_equal(translate("SELECT $1", &postgres).code, LB_CONFIG_INVALID);
    assert_int_equal(translate("SELECT $a$ b", &postgres).code, LB_CONFIG_INVALID);
    assert_int_equal(translate("SELECT 1$1", &postgres).code, LB_CONFIG_INVALID);
    assert_int_equal(translate("SELECT /* /* */ 1", &postgres).code, LB_CONFIG_INVALID);
    assert_int_equal(translate("SELECT 5--1", &mysql).code, LB_CONFIG_INVALID);
    assert_int_equal(translate("SELECT 'a\\', :today", &mysql).code, LB_CONFIG_INVALID);
}

static void marks_are_bounded(void **state)
{
    char query[LB_SOURCE_MAX_MARKS * 10 + 40] = "SELECT 1";
    (void)state;
    for (int i = 0; i < LB_SOURCE_MAX_MARKS; i++)
        memcpy(query + 8 + 8 * i, ",:today ", 9);
    struct translated got = translate(query, &mysql);
    assert_int_equal(got.code, LB_CODE_OK);
    assert_int_equal(got.num_marks, LB_SOURCE_MAX_MARKS);
    memcpy(query + 8 + 8 * LB_SOURCE_MAX_MARKS, ",:today ", 9);
    assert_int_equal(translate(query, &mysql).code, LB_CONFIG_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_become_marks),
        cmocka_unit_test(what_is_quoted_is_left_alone),
        cmocka_unit_test(what_could_do_more_is_refused),
        cmocka_unit_test(marks_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
