#include "tests/sources/contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/base/limits.h"

#define ENOUGH lb_source_all(4096, 30000)

int64_t case_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void case_open(struct contract_case *one, const struct contract *contract)
{
    *one = (struct contract_case){.contract = contract};
    one->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(one->arena);
    if (contract->plugin->open(contract->plugin->ctx, &contract->options, &one->diag,
                               &one->source) != LB_OK)
        fail_msg("%s: %s", contract->name, one->diag.text);
}

void case_close(struct contract_case *one)
{
    one->contract->plugin->close(one->source);
    lb_arena_free(one->arena);
}

static lb_status prepare(struct contract_case *one, const char *query, const char *column,
                         enum lb_source_want want, struct lb_source_stmt **out)
{
    const struct lb_source_column columns[] = {{.name = column, .want = want}};
    const struct lb_source_query wanted = {
        .text = query, .num_columns = column == NULL ? 0 : 1, .columns = columns};
    return one->contract->plugin->prepare(one->source, &wanted, &one->diag, out);
}

struct lb_source_stmt *case_prepare(struct contract_case *one, const char *query,
                                    const char *column, enum lb_source_want want)
{
    struct lb_source_stmt *stmt = NULL;
    if (prepare(one, query, column, want, &stmt) != LB_OK)
        fail_msg("%s: %s: %s", one->contract->name, query, one->diag.text);
    return stmt;
}

enum lb_code case_try(struct contract_case *one, const char *query, const char *column,
                      enum lb_source_want want)
{
    struct lb_source_stmt *stmt = NULL;
    one->diag.text[0] = 0;
    enum lb_code code = lb_status_code(prepare(one, query, column, want, &stmt));
    assert_true((code == LB_CODE_OK) == (stmt != NULL));
    assert_true(code == LB_CODE_OK || one->diag.text[0] != 0);
    return code;
}

enum lb_code case_read(struct contract_case *one, struct lb_source_stmt *stmt, const char *id_no,
                       struct lb_source_limits limits, struct lb_source_result *out)
{
    const struct lb_source_param params[] = {
        {"today", lb_span_str("2026-07-15")},
        {"id_no", lb_span_str(id_no)},
        {"this_month", lb_span_str("2026-07")},
        {"from_month", lb_span_str("2025-07")},
    };
    return lb_status_code(
        one->contract->plugin->read(stmt, params, 4, &limits, one->arena, out));
}

struct lb_source_cell case_cell(struct contract_case *one, struct lb_source_stmt *stmt,
                                const char *id_no)
{
    struct lb_source_result result = {0};
    assert_int_equal(case_read(one, stmt, id_no, ENOUGH, &result), LB_CODE_OK);
    if (result.num_rows != 1 || result.num_columns != 1)
        fail_msg("%s: %zu rows of %s", one->contract->name, result.num_rows, id_no);
    return result.cells[0];
}

static void rows_come_as_they_are(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_result result = {0};
    struct lb_source_stmt *stmt = case_prepare(
        one, "SELECT month, cents FROM wage WHERE id_no = :id_no AND month >= :from_month "
             "AND month < :this_month ORDER BY month", "cents", LB_SOURCE_WANT_CENTS);
    assert_int_equal(case_read(one, stmt, "a", ENOUGH, &result), LB_CODE_OK);
    assert_int_equal(result.num_columns, 2);
    assert_string_equal(result.columns[0], "month");
    assert_string_equal(result.columns[1], "cents");
    assert_int_equal(result.num_rows, 2);
    assert_int_equal(result.cells[0].kind, LB_SOURCE_TEXT);
    assert_true(lb_span_is(result.cells[0].text, "2026-05"));
    assert_int_equal(result.cells[3].kind, LB_SOURCE_INT);
    assert_int_equal(result.cells[3].number, 250);
    assert_int_equal(case_read(one, stmt, "b", ENOUGH, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1);
    /* A value is bound, never SQL. */
    static const char *const nobody[] = {"c", "", "a' OR '1'='1", "a\\", "%", "' UNION SELECT '"};
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        assert_int_equal(case_read(one, stmt, nobody[i], ENOUGH, &result), LB_CODE_OK);
        assert_int_equal(result.num_rows, 0);
    }
}

/* Of a view of many columns the others are never copied, whatever stands in them. */
static void only_what_is_asked_is_taken(void **state)
{
    struct contract_case *one = *state;
    static const char *const names[] = {"v", "c"};
    struct lb_source_limits limits = ENOUGH;
    struct lb_source_result result = {0};
    struct lb_source_stmt *stmt = case_prepare(
        one, "SELECT id_no AS a, id_no AS b, v AS c, id_no AS d, v FROM many WHERE id_no = :id_no",
        "v", LB_SOURCE_WANT_INT);
    size_t before = lb_arena_used(one->arena);
    assert_int_equal(case_read(one, stmt, "m", limits, &result), LB_CODE_OK);
    assert_int_equal(result.num_columns, 5);
    size_t whole = lb_arena_used(one->arena) - before;
    limits.columns = names;
    limits.num_columns = 2;
    assert_int_equal(case_read(one, stmt, "m", limits, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1000);
    assert_int_equal(result.num_columns, 2); /* in the query's order */
    assert_string_equal(result.columns[0], "c");
    assert_ptr_equal(result.columns[1], names[0]);
    assert_int_equal(result.cells[1].kind, LB_SOURCE_INT);
    assert_int_equal(result.cells[1].number, result.cells[0].number);
    assert_in_range(lb_arena_used(one->arena) - before - whole, 1, whole / 2);
    limits.num_columns = 0; /* whether there are rows */
    assert_int_equal(case_read(one, stmt, "m", limits, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1000);
    assert_int_equal(result.num_columns, 0);
    limits.columns = (const char *const[]){"w"};
    limits.num_columns = 1;
    assert_int_equal(case_read(one, stmt, "m", limits, &result), LB_SOURCE_UNAVAILABLE);
    assert_int_equal(case_read(one, stmt, "m", ENOUGH, &result), LB_CODE_OK);
}

static void one_parameter_may_stand_often(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_result result = {0};
    struct lb_source_stmt *stmt = case_prepare(
        one, "SELECT cents -- of :nobody\n FROM wage /* :nobody */ WHERE (id_no = :id_no OR "
             "id_no = :id_no) AND ':id_no' <> :today AND month = '2026-05'", NULL, 0);
    assert_int_equal(case_read(one, stmt, "a", ENOUGH, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1);
    assert_int_equal(result.cells[0].number, 100);
}

static void what_is_no_single_select_is_refused(void **state)
{
    struct contract_case *one = *state;
    static const char *const wrong[] = {
        "", " ", ";", "INSERT INTO wage VALUES('c', '', 1)", "DELETE FROM wage",
        "UPDATE wage SET cents = 0", "WITH x AS (SELECT 1) DELETE FROM wage", "DROP TABLE wage",
        "BEGIN", "EXPLAIN SELECT 1 AS a", "SELECT cents FROM wage; DELETE FROM wage",
        "SELECT cents FROM wage; SELECT 1", "SELECT cents FROM wage WHERE",
        "SELECT cents FROM wage WHERE id_no = 'a",
        "WITH x AS (DELETE FROM wage RETURNING cents) SELECT cents FROM x",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (case_try(one, wrong[i], NULL, 0) != LB_CONFIG_INVALID)
            fail_msg("%s: %s", one->contract->name, wrong[i]);
}

static void unknown_names_are_refused(void **state)
{
    struct contract_case *one = *state;
    static const char *const wrong[] = {
        "SELECT yuan FROM wage WHERE id_no = :id_no",
        "SELECT cents FROM wages WHERE id_no = :id_no",
        "SELECT cents FROM wage WHERE id_no = :id",
        "SELECT cents FROM wage WHERE id_no = :ID_NO",
        "SELECT cents FROM wage WHERE id_no = ?",
        "SELECT cents FROM wage WHERE id_no = $1",
        "SELECT cents FROM wage WHERE id_no = :id_no AND month = :now",
        "SELECT cents, month AS cents FROM wage WHERE id_no = :id_no",
        "SELECT a.*, b.* FROM wage a, wage b WHERE a.id_no = :id_no",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (case_try(one, wrong[i], NULL, 0) != LB_CONFIG_INVALID)
            fail_msg("%s: %s", one->contract->name, wrong[i]);
    assert_int_equal(case_try(one, "SELECT month FROM wage WHERE id_no = :id_no", "cents",
                              LB_SOURCE_WANT_CENTS),
                     LB_CONFIG_INVALID);
}

static void one_row_too_many_is_ambiguous(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_result result = {.num_rows = 77};
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT v FROM many WHERE id_no = :id_no ORDER BY v", NULL, 0);
    assert_int_equal(case_read(one, stmt, "m", lb_source_all(999, 30000), &result),
                     LB_AMBIGUOUS);
    assert_int_equal(result.num_rows, 77);
    assert_int_equal(case_read(one, stmt, "m", lb_source_all(0, 30000), &result),
                     LB_AMBIGUOUS);
    assert_int_equal(case_read(one, stmt, "m", lb_source_all(1000, 30000), &result),
                     LB_CODE_OK);
    assert_int_equal(result.num_rows, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(result.cells[i].number, i + 1);
}

static void a_parameter_that_is_missing_is_no_null(void **state)
{
    struct contract_case *one = *state;
    const struct lb_source_param params[] = {{"today", lb_span_str("2026-07-15")}};
    const struct lb_source_limits limits = ENOUGH;
    struct lb_source_result result = {.num_rows = 77};
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    assert_int_equal(lb_status_code(one->contract->plugin->read(stmt, params, 1, &limits,
                                                                one->arena, &result)),
                     LB_INTERNAL);
    assert_int_equal(result.num_rows, 77);
    assert_int_equal(case_read(one, stmt, "a", limits, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 2);
}

static void a_full_arena_is_told_and_passes(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_result result = {0};
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT v FROM many WHERE id_no = :id_no", NULL, 0);
    struct lb_arena *whole = one->arena;
    one->arena = lb_arena_new(2048);
    assert_int_equal(case_read(one, stmt, "m", ENOUGH, &result), LB_NO_MEMORY);
    lb_arena_free(one->arena);
    one->arena = whole;
    assert_int_equal(case_read(one, stmt, "m", ENOUGH, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 1000);
}

static void a_query_is_described(void **state)
{
    struct contract_case *one = *state;
    const struct lb_source_plugin *plugin = one->contract->plugin;
    struct lb_source_shape shape = {0};
    if (plugin->describe == NULL)
        return;
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT month, cents FROM wage WHERE id_no = :id_no", NULL, 0);
    assert_true(plugin->describe(stmt, one->arena, &shape) == LB_OK);
    assert_int_equal(shape.num_columns, 2);
    assert_string_equal(shape.names[1], "cents");
    assert_true(strlen(shape.types[0]) > 0 && strcmp(shape.types[0], shape.types[1]) != 0);
}

static void how_rows_are_found_is_told(void **state)
{
    struct contract_case *one = *state;
    const struct lb_source_plugin *plugin = one->contract->plugin;
    enum lb_source_lookup lookup = LB_SOURCE_LOOKUP_UNKNOWN;
    if (plugin->lookup == NULL)
        return;
    struct lb_source_stmt *stmt = case_prepare(
        one, "SELECT month, cents FROM wage WHERE month = :this_month AND id_no = :id_no", NULL, 0);
    assert_true(plugin->lookup(stmt, &lookup) == LB_OK);
    assert_int_equal(lookup, LB_SOURCE_LOOKUP_INDEX);
    stmt = case_prepare(one, "SELECT cents FROM slip WHERE id_no = :id_no", NULL, 0);
    assert_true(plugin->lookup(stmt, &lookup) == LB_OK);
    assert_int_equal(lookup, LB_SOURCE_LOOKUP_SCAN);
    stmt = case_prepare(one, "SELECT cents FROM wage WHERE month = :id_no", NULL, 0);
    assert_true(plugin->lookup(stmt, &lookup) == LB_OK);
    assert_int_equal(lookup, LB_SOURCE_LOOKUP_SCAN);
}

static void tables_are_listed(void **state)
{
    struct contract_case *one = *state;
    const struct lb_source_plugin *plugin = one->contract->plugin;
    struct lb_source_catalog catalog = {0};
    unsigned found = 0;
    if (plugin->catalog == NULL)
        return;
    assert_true(plugin->catalog(one->source, one->arena, &catalog) == LB_OK);
    for (size_t i = 0; i < catalog.num; i++) {
        const struct lb_source_listed *listed = &catalog.columns[i];
        if (strcmp(listed->table, "wage") == 0 && strcmp(listed->column, "id_no") == 0)
            found |= listed->indexed && listed->want == LB_SOURCE_WANT_TEXT ? 1U : 16U;
        if (strcmp(listed->table, "wage") == 0 && strcmp(listed->column, "cents") == 0)
            found |= !listed->indexed && listed->want == LB_SOURCE_WANT_INT ? 2U : 32U;
        if (strcmp(listed->table, "slip") == 0 && strcmp(listed->column, "id_no") == 0)
            found |= !listed->indexed ? 4U : 64U;
    }
    assert_int_equal(found, 7);
}

static int set_up(void **state)
{
    static struct contract_case one;
    case_open(&one, *state);
    *state = &one;
    return 0;
}

static int tear_down(void **state)
{
    case_close(*state);
    return 0;
}

#define CASE(test_)                                                                                \
    {.name = #test_, .test_func = test_, .setup_func = set_up, .teardown_func = tear_down,         \
     .initial_state = (void *)(uintptr_t)contract}

int contract_run(const struct contract *contract)
{
    const struct CMUnitTest tests[] = {
        CASE(rows_come_as_they_are),
        CASE(only_what_is_asked_is_taken),
        CASE(one_parameter_may_stand_often),
        CASE(what_is_no_single_select_is_refused),
        CASE(unknown_names_are_refused),
        CASE(one_row_too_many_is_ambiguous),
        CASE(a_parameter_that_is_missing_is_no_null),
        CASE(a_full_arena_is_told_and_passes),
        CASE(contract_cells),
        CASE(contract_text),
        CASE(contract_money),
        CASE(contract_dates),
        CASE(contract_types_are_checked),
        CASE(contract_codes),
        CASE(a_query_is_described),
        CASE(how_rows_are_found_is_told),
        CASE(tables_are_listed),
        CASE(contract_timeout_ends_the_query),
        CASE(contract_others_go_on),
        CASE(contract_cancel),
        CASE(contract_changed_table),
        CASE(contract_refusals),
        CASE(contract_session_killed),
        CASE(contract_server_hangs),
        CASE(contract_server_killed),
    };
    return cmocka_run_group_tests_name(contract->name, tests, NULL, NULL);
}
