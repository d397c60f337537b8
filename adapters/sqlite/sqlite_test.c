#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/sqlite/sqlite_fixture.h"
#include "gateway/base/limits.h"

static void wrong_locations_are_refused(void **state)
{
    struct fixture *fixture = *state;
    char missing[128];
    char text_file[128];
    (void)snprintf(missing, sizeof(missing), "%s/none.db", fixture->folder);
    (void)snprintf(text_file, sizeof(text_file), "%s/text.db", fixture->folder);
    FILE *file = fopen(text_file, "w");
    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        assert_true(fputs("this is not a database\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    const char *const wrong[] = {"", missing, text_file, fixture->folder, "/dev/null",
                                 "file:x?mode=rwc", ":else:"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_source *source = NULL;
        struct lb_diag diag = {""};
        assert_int_equal(lb_status_code(fixture_open(fixture, wrong[i], &diag, &source)),
                         LB_CONFIG_INVALID);
        assert_null(source);
        assert_true(strlen(diag.text) > 0);
    }
    assert_int_equal(access(missing, F_OK), -1);  /* looking did not make it */
    assert_int_equal(unlink(text_file), 0);
}

static void what_is_no_single_select_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {
        "",
        " ",
        ";",
        "INSERT INTO wage VALUES('c', '', 1)",
        "UPDATE wage SET cents = 0 RETURNING cents",
        "DELETE FROM wage",
        "WITH x AS (SELECT 1) DELETE FROM wage",
        "DROP TABLE wage",
        "PRAGMA user_version",
        "PRAGMA query_only = 0",
        "ATTACH '/tmp/x.db' AS x",
        "BEGIN",
        "VACUUM",
        "EXPLAIN SELECT 1 AS a",
        "SELECT cents FROM wage; DELETE FROM wage",
        "SELECT cents FROM wage; SELECT 1",
        "SELECT cents FROM wage WHERE",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_source_stmt *stmt = NULL;
        struct lb_diag diag = {""};
        lb_status status = fixture_try(fixture, wrong[i], &diag, &stmt);
        if (lb_status_code(status) != LB_CONFIG_INVALID || stmt != NULL)
            fail_msg("%s", wrong[i]);
        assert_true(strlen(diag.text) > 0);
    }
}

static void unknown_columns_and_parameters_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {
        "SELECT yuan FROM wage WHERE id_no = :id_no",
        "SELECT \"yuan\" FROM wage WHERE id_no = :id_no",  /* no text in double quotes */
        "SELECT cents FROM wages WHERE id_no = :id_no",
        "SELECT cents FROM wage WHERE id_no = :id",
        "SELECT cents FROM wage WHERE id_no = :ID_NO",
        "SELECT cents FROM wage WHERE id_no = ?",
        "SELECT cents FROM wage WHERE id_no = ?1",
        "SELECT cents FROM wage WHERE id_no = @id_no",
        "SELECT cents FROM wage WHERE id_no = $id_no",
        "SELECT cents FROM wage WHERE id_no = :id_no AND month = :now",
        "SELECT cents, month AS cents FROM wage WHERE id_no = :id_no",
        "SELECT a.*, b.* FROM wage a, wage b WHERE a.id_no = :id_no",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_source_stmt *stmt = NULL;
        struct lb_diag diag = {""};
        lb_status status = fixture_try(fixture, wrong[i], &diag, &stmt);
        if (lb_status_code(status) != LB_CONFIG_INVALID || stmt != NULL)
            fail_msg("%s", wrong[i]);
    }
}

static void rows_come_as_they_are(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result;
    struct lb_source_stmt *stmt = fixture_prepare(
        fixture, "SELECT month, cents FROM wage WHERE id_no = :id_no AND month >= :from_month "
                 "AND month < :this_month ORDER BY month");
    assert_int_equal(fixture_read_as(fixture, stmt, "a", &result), LB_CODE_OK);
    assert_int_equal(result.num_columns, 2);
    assert_string_equal(result.columns[0], "month");
    assert_string_equal(result.columns[1], "cents");
    assert_int_equal(result.num_rows, 2);
    assert_int_equal(result.cells[0].kind, LB_SOURCE_TEXT);
    assert_true(lb_span_is(result.cells[0].text, "2026-05"));
    assert_int_equal(result.cells[3].kind, LB_SOURCE_INT);
    assert_int_equal(result.cells[3].number, 250);
    assert_int_equal(fixture_read_as(fixture, stmt, "b", &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1);
    assert_int_equal(fixture_read_as(fixture, stmt, "c", &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 0);
    /* Text is bound, never SQL. */
    assert_int_equal(fixture_read_as(fixture, stmt, "a' OR '1'='1", &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 0);
}

static enum lb_source_cell_kind kind_of(struct fixture *fixture, struct lb_source_stmt *stmt,
                                        const char *id_no, struct lb_source_cell *out)
{
    struct lb_source_result result;
    assert_int_equal(fixture_read_as(fixture, stmt, id_no, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1);
    *out = result.cells[0];
    return out->kind;
}

static void unreadable_cells_come_as_null(void **state)
{
    struct fixture *fixture = *state;
    static const char *const nulls[] = {"null", "real", "blob", "empty", "blanks", "utf", "nul",
                                        "longer"};
    struct lb_source_cell cell;
    struct lb_source_stmt *stmt =
        fixture_prepare(fixture, "SELECT v FROM odd WHERE id_no = :id_no");
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
        if (kind_of(fixture, stmt, nulls[i], &cell) != LB_SOURCE_NULL)
            fail_msg("%s", nulls[i]);
        assert_int_equal(cell.number, 0);
        assert_int_equal(cell.text.len, 0);
    }
    assert_int_equal(kind_of(fixture, stmt, "int", &cell), LB_SOURCE_INT);
    assert_true(cell.number == -INT64_MAX);
    assert_int_equal(kind_of(fixture, stmt, "han", &cell), LB_SOURCE_TEXT);
    assert_true(lb_span_is(cell.text, "张·伟"));
    assert_int_equal(kind_of(fixture, stmt, "padded", &cell), LB_SOURCE_TEXT);
    assert_true(lb_span_is(cell.text, "01"));
    assert_int_equal(kind_of(fixture, stmt, "long", &cell), LB_SOURCE_TEXT);
    assert_int_equal(cell.text.len, LB_MAX_VALUE_BYTES);
}

static void one_row_too_many_is_ambiguous(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result = {.num_rows = 77};
    struct lb_source_stmt *stmt =
        fixture_prepare(fixture, "SELECT v FROM many WHERE id_no = :id_no ORDER BY v");
    struct lb_source_limits limits = lb_source_all(999, 5000);
    assert_int_equal(fixture_read_within(fixture, stmt, "m", limits, &result), LB_AMBIGUOUS);
    assert_int_equal(result.num_rows, 77);
    limits.max_rows = 0;
    assert_int_equal(fixture_read_within(fixture, stmt, "m", limits, &result), LB_AMBIGUOUS);
    limits.max_rows = 1000;
    assert_int_equal(fixture_read_within(fixture, stmt, "m", limits, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(result.cells[i].number, i + 1);
}

static void a_parameter_that_is_missing_is_no_null(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_source_param params[] = {{"today", lb_span_str("2026-07-15")}};
    const struct lb_source_limits limits = lb_source_all(10, 1000);
    struct lb_source_result result = {.num_rows = 77};
    struct lb_source_stmt *stmt =
        fixture_prepare(fixture, "SELECT cents FROM wage WHERE id_no = :id_no");
    assert_int_equal(
        lb_status_code(fixture->plugin->read(stmt, params, 1, &limits, fixture->arena, &result)),
        LB_INTERNAL);
    assert_int_equal(result.num_rows, 77);
    assert_int_equal(fixture_read_as(fixture, stmt, "a", &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 2);
}

static void a_full_arena_is_told_and_passes(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result;
    struct lb_source_stmt *stmt =
        fixture_prepare(fixture, "SELECT v FROM many WHERE id_no = :id_no");
    struct lb_arena *whole = fixture->arena;
    fixture->arena = lb_arena_new(2048);
    assert_int_equal(fixture_read_as(fixture, stmt, "m", &result), LB_NO_MEMORY);
    lb_arena_free(fixture->arena);
    fixture->arena = whole;
    assert_int_equal(fixture_read_as(fixture, stmt, "m", &result), LB_CODE_OK);
}

/* It compiles, but extensions stay off. */
static void extensions_are_not_loaded(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result;
    struct lb_source_stmt *stmt = fixture_prepare(fixture, "SELECT load_extension(:id_no) AS a");
    assert_int_equal(fixture_read_as(fixture, stmt, "libm.so.6", &result), LB_SOURCE_UNAVAILABLE);
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(wrong_locations_are_refused),
        WITH_FIXTURE(what_is_no_single_select_is_refused),
        WITH_FIXTURE(unknown_columns_and_parameters_are_refused),
        WITH_FIXTURE(rows_come_as_they_are),
        WITH_FIXTURE(unreadable_cells_come_as_null),
        WITH_FIXTURE(one_row_too_many_is_ambiguous),
        WITH_FIXTURE(a_parameter_that_is_missing_is_no_null),
        WITH_FIXTURE(a_full_arena_is_told_and_passes),
        WITH_FIXTURE(extensions_are_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
