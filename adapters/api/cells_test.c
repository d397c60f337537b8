#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/api/cells.h"
#include "gateway/base/limits.h"

static bool decimal(const char *text, unsigned places, int64_t *out)
{
    struct lb_source_cell cell = {.kind = LB_SOURCE_NULL};
    lb_source_cell_decimal(lb_span_str(text), places, &cell);
    *out = cell.number;
    return cell.kind == LB_SOURCE_INT;
}

static void decimals_become_cents_exactly(void **state)
{
    static const struct {
        const char *text;
        unsigned places;
        int64_t number;
    } right[] = {
        {"0", 2, 0}, {"-0.00", 2, 0}, {"1", 2, 100}, {"1.2", 2, 120}, {"1.23", 2, 123},
        {"1.2300", 2, 123}, {"-0.01", 2, -1}, {"+7.5", 2, 750}, {"0.29", 2, 29},
        {"1.10", 2, 110}, {"4.35", 2, 435}, {"90071992547409.93", 2, 9007199254740993},
        {"92233720368547758.07", 2, INT64_MAX}, {"-92233720368547758.08", 2, INT64_MIN},
        {"9223372036854775807", 0, INT64_MAX}, {"-9223372036854775808", 0, INT64_MIN},
        {"12.000", 0, 12}, {"000012", 0, 12},
    };
    static const char *const wrong[] = {
        "", "-", "+", ".", "1.", ".5", "1.2.3", "1,000.00", "1e3", "NaN", "Infinity", " 1", "1 ",
        "0x10", "1.234", "0.001", "92233720368547758.08", "-92233720368547758.09", "--1",
        "99999999999999999999999999", "1.23\xEF\xBC\x90",
    };
    int64_t number = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        if (!decimal(right[i].text, right[i].places, &number) || number != right[i].number)
            fail_msg("%s: %lld", right[i].text, (long long)number);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (decimal(wrong[i], 2, &number) || number != 0)
            fail_msg("%s", wrong[i]);
    assert_false(decimal("1.5", 0, &number));
}

static void dates_are_dates(void **state)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    static const char *const wrong[] = {"", "1990-2-28", "19900228", "1990-02-28X", "infinity",
                                        "0044-03-15 BC", "1990/02/28", "1990-02-2"};
    struct lb_source_cell cell = {.kind = LB_SOURCE_NULL};
    (void)state;
    assert_true(lb_source_cell_date(lb_span_str("1990-02-28 10:00:00.123"), 10, arena, &cell) ==
                LB_OK);
    assert_true(lb_span_is(cell.text, "1990-02-28"));
    assert_true(lb_source_cell_date(lb_span_str("1990-02-28"), 7, arena, &cell) == LB_OK);
    assert_true(lb_span_is(cell.text, "1990-02"));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cell = (struct lb_source_cell){.kind = LB_SOURCE_NULL};
        assert_true(lb_source_cell_date(lb_span_str(wrong[i]), 10, arena, &cell) == LB_OK);
        if (cell.kind != LB_SOURCE_NULL)
            fail_msg("%s", wrong[i]);
    }
    lb_arena_free(arena);
}

static void unreadable_text_is_unknown(void **state)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    static const struct lb_span wrong[] = {
        {(const uint8_t *)"\xCE\xB0\xB0", 3}, {(const uint8_t *)"a\0b", 3},
        {(const uint8_t *)"\xED\xA0\x80", 3}, {(const uint8_t *)"\xC0\xAF", 2}};
    struct lb_source_cell cell = {.kind = LB_SOURCE_NULL};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_true(lb_source_cell_text(wrong[i], arena, &cell) == LB_OK);
        assert_int_equal(cell.kind, LB_SOURCE_NULL);
    }
    assert_true(lb_source_cell_text(lb_span_str("x  "), arena, &cell) == LB_OK);
    assert_true(lb_span_is(cell.text, "x"));
    lb_arena_free(arena);
}

static void rows_are_bounded(void **state)
{
    struct lb_source_rows rows = {.num_columns = 2, .max_rows = 20,
                                  .arena = lb_arena_new(LB_CALL_ARENA_BYTES)};
    struct lb_source_cell *row = NULL;
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(lb_source_rows_next(&rows, &row) == LB_OK);
        assert_int_equal(row[0].kind + row[1].kind, LB_SOURCE_NULL);
        row[1] = (struct lb_source_cell){.kind = LB_SOURCE_INT, .number = i};
    }
    assert_int_equal(lb_status_code(lb_source_rows_next(&rows, &row)), LB_AMBIGUOUS);
    for (int i = 0; i < 20; i++)
        assert_int_equal(rows.cells[2 * i + 1].number, i);
    lb_arena_free(rows.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_become_cents_exactly),
        cmocka_unit_test(dates_are_dates),
        cmocka_unit_test(unreadable_text_is_unknown),
        cmocka_unit_test(rows_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
