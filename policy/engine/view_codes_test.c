#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "policy/engine/view_fixture.h"

/* The department's codes in the form's words, and the hours at which it is not to be asked. */

#define ROWS "rows: many\n"
#define FIELDS(more_) "fields: {grade: {column: month, class: G3, " more_ "}}\n"
#define CODES(codes_) HEAD QUERY ROWS FIELDS("type: code, codes: " codes_)
#define PAUSES(list_) HEAD QUERY ROWS "maintenance: " list_ "\n" FIELDS("type: code")

static void refused(struct fixture *fixture, const char *text, const char *words)
{
    struct lb_diag diag = {""};
    const struct lb_view *view = NULL;
    lb_status status = lb_view_load_text(lb_span_str(text), "v.yaml", fixture->rules,
                                         fixture->arena, &diag, &view);
    if (lb_status_code(status) != LB_CONFIG_INVALID || strstr(diag.text, words) == NULL)
        fail_msg("\"%s\" for %s", diag.text, text);
}

static void what_is_no_list_of_codes_is_refused(void **state)
{
    struct fixture *fixture = *state;
    refused(fixture, CODES("{}"), "codes is a map");
    refused(fixture, CODES("[a, b]"), "codes is a map");
    refused(fixture, CODES("{\"01\": \"\"}"), "");
    refused(fixture, CODES("{\"01 \": a}"), "no blank behind");
    refused(fixture, CODES("{\"0\\t1\": a}"), "no control characters");
    refused(fixture, CODES("{\"01\": a}, null_is_empty: true"), "in `empty`");
    refused(fixture, CODES("{\"01\": a}, empty: \"\""), "");
    refused(fixture, HEAD QUERY ROWS FIELDS("type: text, codes: {a: b}"), "of type code");
    refused(fixture, HEAD QUERY ROWS FIELDS("type: int, codes: {a: b}"), "of type code");
    refused(fixture, HEAD QUERY ROWS FIELDS("type: code, null_is_empty: true"), "in `empty`");
    refused(fixture, HEAD QUERY ROWS FIELDS("type: text, empty: none"), "of type code");
    refused(fixture, CODES("{\"01\": a}, null_is_empty: perhaps"), "true or false");
}

static lb_status map(struct fixture *fixture, const struct lb_view_field *field,
                     struct lb_cell code, const char **out)
{
    static const char *const columns[] = {"other", "grade"};
    const struct lb_cell cells[] = {{LB_CELL_TEXT, 0, lb_span_str("01")}, code,
                                    {LB_CELL_NULL, 0, LB_SPAN_EMPTY}, code};
    const struct lb_rows rows = {2, columns, 2, cells};
    struct lb_rows mapped = {0};
    *out = "untouched";
    LB_TRY(lb_view_map_codes(field, &rows, 1, fixture->arena, &mapped));
    assert_true(lb_span_is(mapped.cells[0].text, "01"));
    assert_int_equal(mapped.cells[2].kind, LB_CELL_NULL);
    assert_true(lb_span_eq(mapped.cells[1].text, mapped.cells[3].text));
    *out = mapped.cells[1].kind == LB_CELL_NULL ? NULL : (const char *)mapped.cells[1].text.ptr;
    return LB_OK;
}

static struct lb_cell text(const char *word)
{
    return (struct lb_cell){LB_CELL_TEXT, 0, lb_span_str(word)};
}

static void codes_become_words_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *word = NULL;
    const struct lb_view *view =
        view_fixture_load(fixture, CODES("{01: severe, \"1\": mild}, empty: none"));
    const struct lb_view_field *field = &view->fields[0];
    assert_string_equal(field->empty, "none");
    assert_false(field->null_is_empty);
    assert_true(map(fixture, field, text("01"), &word) == LB_OK);
    assert_string_equal(word, "severe");
    assert_true(map(fixture, field, text("1"), &word) == LB_OK);
    assert_string_equal(word, "mild");
    assert_true(map(fixture, field, text(""), &word) == LB_OK);
    assert_string_equal(word, "none");
    assert_true(map(fixture, field, (struct lb_cell){.kind = LB_CELL_NULL}, &word) == LB_OK);
    assert_null(word);
    static const char *const strangers[] = {"02", "001", "01 ", "severe", "SEVERE"};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        assert_int_equal(lb_status_code(map(fixture, field, text(strangers[i]), &word)),
                         LB_CODE_UNMAPPED);
        assert_string_equal(word, "untouched");
    }
    /* Without a list codes are the form's words already, and only '' has one of its own. */
    view = view_fixture_load(fixture, HEAD QUERY ROWS FIELDS("type: code, empty: none"));
    assert_true(map(fixture, &view->fields[0], text("02"), &word) == LB_OK);
    assert_string_equal(word, "02");
    assert_true(map(fixture, &view->fields[0], text(""), &word) == LB_OK);
    assert_string_equal(word, "none");
    assert_int_equal(lb_status_code(map(fixture, field, (struct lb_cell){LB_CELL_INT, 1,
                                                                         LB_SPAN_EMPTY}, &word)),
                     LB_CODE_UNMAPPED);
}

static void what_is_no_pause_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const times[] = {"2:30",  "02.30", "25:00", "24:01",
                                        "02:60", "-1:00", "ab:cd"};
    refused(fixture, PAUSES("[]"), "entries");
    refused(fixture, PAUSES("{from: \"01:00\", to: \"02:00\"}"), "list");
    refused(fixture, PAUSES("[{from: \"01:00\"}]"), "to");
    refused(fixture, PAUSES("[{from: \"01:00\", to: \"01:00\"}]"), "different times");
    refused(fixture, PAUSES("[{from: \"24:00\", to: \"01:00\"}]"), "different times");
    refused(fixture, PAUSES("[{days: [], from: \"01:00\", to: \"02:00\"}]"), "entries");
    refused(fixture, PAUSES("[{days: [Sunday], from: \"01:00\", to: \"02:00\"}]"), "a day is");
    refused(fixture, PAUSES("[{on: sun, from: \"01:00\", to: \"02:00\"}]"), "on");
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        refused(fixture,
                lb_arena_printf(fixture->arena, PAUSES("[{from: \"%s\", to: \"03:00\"}]"),
                                times[i]),
                "a time of the department's day");
}

#define AT(day_, hour_, minute_) (((day_) * 24 + (hour_)) * 60 + (minute_))

static void a_pause_is_told_with_its_end(void **state)
{
    enum { SUN, MON, TUE, WED, THU, FRI, SAT };
    static const struct {
        int at;
        int left;
    } cases[] = {
        {AT(MON, 22, 29), 0},   {AT(MON, 22, 30), 330}, {AT(TUE, 3, 59), 1},
        {AT(TUE, 4, 0), 0},     {AT(SUN, 3, 59), 481},  {AT(SUN, 4, 0), 480},
        {AT(SUN, 11, 59), 1},   {AT(SUN, 12, 0), 0},    {AT(SAT, 23, 59), 721},
        {AT(SAT, 22, 30), 810}, {AT(WED, 23, 59), 241}, {AT(SUN, 0, 0), 720},
    };
    struct fixture *fixture = *state;
    const struct lb_view *view = view_fixture_load(
        fixture, PAUSES("[{from: \"22:30\", to: \"04:00\"}, {days: [sat], from: \"22:00\", to: "
                        "\"12:00\"}]"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (lb_view_pause_left(view, cases[i].at) != cases[i].left)
            fail_msg("%d: %d", cases[i].at, lb_view_pause_left(view, cases[i].at));
    view = view_fixture_load(fixture,
                             PAUSES("[{days: [tue, wed], from: \"00:00\", to: \"24:00\"}]"));
    assert_int_equal(lb_view_pause_left(view, AT(TUE, 0, 0)), 1440);
    assert_int_equal(lb_view_pause_left(view, AT(WED, 23, 59)), 1);
    assert_int_equal(lb_view_pause_left(view, AT(THU, 0, 0)), 0);
    view = view_fixture_load(fixture, view_fixture_text());
    assert_int_equal(lb_view_pause_left(view, 0), 0);
}

static void the_table_shows_both(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span table = LB_SPAN_EMPTY;
    const struct lb_view *view = view_fixture_load(
        fixture, HEAD QUERY ROWS "maintenance: [{from: \"22:30\", to: \"04:00\"},"
                 " {days: [sun, sat], from: \"00:00\", to: \"24:00\"}]\n"
                 FIELDS("type: code, codes: {01: severe}, empty: none, null_is_empty: true"));
    assert_true(view->fields[0].null_is_empty);
    assert_true(lb_view_table(view, fixture->arena, &table) == LB_OK);
    const char *shown = lb_arena_str(fixture->arena, table);
    assert_non_null(strstr(shown,
                           "tax.income - maintenance 22:30-04:00 00:00-24:00 on sun,sat\n"));
    assert_non_null(
        strstr(shown, "tax.income grade codes 01=severe '',NULL=none\n"));
}

#define WITH_FIXTURE(test_)                                                                        \
    cmocka_unit_test_setup_teardown(test_, view_fixture_setup, view_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(what_is_no_list_of_codes_is_refused),
        WITH_FIXTURE(codes_become_words_or_nothing),
        WITH_FIXTURE(what_is_no_pause_is_refused),
        WITH_FIXTURE(a_pause_is_told_with_its_end),
        WITH_FIXTURE(the_table_shows_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
