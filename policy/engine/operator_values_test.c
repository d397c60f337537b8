#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

/* Operators on one number, on numbers by month, and on dates; and what passes. */

#define COUNT_OF(table_) (sizeof(table_) / sizeof((table_)[0]))

static void expect_step(struct fixture *fixture, const char *call, int64_t value, int64_t result)
{
    fixture_cell(fixture, LB_FIELD_CENTS, CELL_INT(value));
    expect_number(fixture, call, result);
}

/* What is masked is a sum that cannot wrap around with others. */
static void share_is_a_bounded_sum(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture->input.complete = true;
    fixture_add_month(fixture, "2026-06", CELL_INT(LB_MAX_SHARE_VALUE - 1));
    fixture_add_month(fixture, "2025-07", CELL_INT(1));
    expect_number(fixture, "SHARE(12)", LB_MAX_SHARE_VALUE);
    fixture_add_month(fixture, "2026-05", CELL_INT(1));
    expect_unknown(fixture, "SHARE(12)");
    expect_refused(fixture, "SHARE(0)"); /* a month without a window */
    fixture_rows(fixture, LB_FIELD_INT, true, false);
    fixture_add(fixture, CELL_INT(-LB_MAX_SHARE_VALUE));
    expect_number(fixture, "SHARE(0)", -LB_MAX_SHARE_VALUE);
    fixture_add(fixture, CELL_INT(-1));
    expect_unknown(fixture, "SHARE(0)");
    expect_refused(fixture, "SHARE(12)"); /* a window without a month */
}

static void rounding_is_exact_below_zero_and_at_the_ends(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t floors[][2] = {
        {0, 0}, {1, 0}, {99, 0}, {100, 100}, {199, 100}, {-1, -100}, {-100, -100}, {-101, -200},
        {INT64_MAX, INT64_MAX - 7}, {INT64_MIN, INT64_MIN}, {INT64_MIN + 8, INT64_MIN + 8},
        {INT64_MIN + 7, INT64_MIN},
    };
    static const int64_t evens[][2] = {
        {49, 0}, {50, 0}, {51, 100}, {149, 100}, {150, 200}, {151, 200}, {250, 200}, {350, 400},
        {-50, 0}, {-51, -100}, {-150, -200}, {-250, -200}, {INT64_MAX, INT64_MAX - 7},
        {INT64_MAX - 800, INT64_MAX - 807}, {INT64_MIN, INT64_MIN + 8},
    };
    for (size_t i = 0; i < COUNT_OF(floors); i++)
        expect_step(fixture, "ROUND(100,floor)", floors[i][0], floors[i][1]);
    for (size_t i = 0; i < COUNT_OF(evens); i++)
        expect_step(fixture, "ROUND(100,half_even)", evens[i][0], evens[i][1]);
    expect_step(fixture, "ROUND(3,half_even)", 1, 0);
    expect_step(fixture, "ROUND(3,half_even)", 2, 3);
    /* The multiple above the largest number does not exist. */
    expect_step(fixture, "ROUND(1000000000000000,half_even)", INT64_MAX, 9223000000000000000);
    expect_step(fixture, "ROUND(16,half_even)", INT64_MAX, INT64_MAX);
}

static void codes_at_the_ends_keep_what_lies_inside(void **state)
{
    struct fixture *fixture = *state;
    expect_step(fixture, "TOPCODE(std.dibao)", 144999, 144999);
    expect_step(fixture, "TOPCODE(std.dibao)", 145000, 145000);
    expect_step(fixture, "TOPCODE(std.dibao)", 145001, 145000);
    expect_step(fixture, "TOPCODE(std.dibao)", INT64_MAX, 145000);
    expect_step(fixture, "TOPCODE(std.dibao)", INT64_MIN, INT64_MIN);
    expect_step(fixture, "BOTTOMCODE(std.dibao)", 144999, 145000);
    expect_step(fixture, "BOTTOMCODE(std.dibao)", 145001, 145001);
    expect_step(fixture, "BOTTOMCODE(std.dibao)", INT64_MIN, 145000);
    expect_step(fixture, "BOTTOMCODE(std.dibao)", INT64_MAX, INT64_MAX);
}

static void ratio_is(struct fixture *fixture, int64_t number, int64_t denominator,
                     const char *signs)
{
    static const char *const calls[] = {"RATIO_CMP(<,share)", "RATIO_CMP(<=,share)",
                                        "RATIO_CMP(>,share)", "RATIO_CMP(>=,share)"};
    for (size_t i = 0; i < 4; i++) {
        fixture_add_ratio(fixture, CELL_INT(number), CELL_INT(denominator));
        if (signs == NULL)
            expect_unknown(fixture, calls[i]);
        else
            expect_truth(fixture, calls[i], signs[i] == '1');
    }
}

/* share is 50 %. */
static void ratios_are_compared_without_dividing(void **state)
{
    struct fixture *fixture = *state;
    ratio_is(fixture, 1, 2, "0101");
    ratio_is(fixture, 499999, 1000000, "1100");
    ratio_is(fixture, 500001, 1000000, "0011");
    ratio_is(fixture, 0, 1, "1100");
    ratio_is(fixture, -5, 1, "1100");
    ratio_is(fixture, INT64_MAX, INT64_MAX, "0011");
    ratio_is(fixture, INT64_MIN, INT64_MAX, "1100");
    ratio_is(fixture, 1, 0, NULL);
    ratio_is(fixture, 0, 0, NULL);
    ratio_is(fixture, 1, -2, NULL);
    ratio_is(fixture, 1, INT64_MIN, NULL);
    fixture_add_ratio(fixture, CELL_INT(INT64_MAX), CELL_INT(1));
    expect_truth(fixture, "RATIO_CMP(>,most)", true);
    fixture_add_ratio(fixture, CELL_INT(1), CELL_INT(INT64_MAX));
    expect_truth(fixture, "RATIO_CMP(<,most)", true);
    fixture_add_ratio(fixture, CELL_INT(1), CELL_NULL);
    expect_unknown(fixture, "RATIO_CMP(<,share)");
    fixture_add_ratio(fixture, CELL_INT(1), CELL_TEXT("2"));
    expect_unknown(fixture, "RATIO_CMP(<,share)");
    struct lb_fact fact = {0};
    fixture->input.denominator_column = SIZE_MAX;
    assert_int_equal(fixture_apply(fixture, "RATIO_CMP(<,share)", &fact), LB_INTERNAL);
}

static void add_months(struct fixture *fixture, int from, int until, int64_t cents)
{
    static char names[24][32];
    for (int back = from; back <= until; back++) {
        int month = 2026 * 12 + 6 - back;
        (void)snprintf(names[back % 24], sizeof(names[0]), "%04d-%02d", month / 12, month % 12 + 1);
        fixture_add_month(fixture, names[back % 24], CELL_INT(cents));
    }
}

static void averages_are_half_to_even_and_fill_no_gap(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t cases[][2] = {{3, 2}, {5, 2}, {7, 4}, {1, 0}, {-1, 0}, {-3, -2}, {-5, -2},
                                       {4, 2}, {0, 0}, {INT64_MAX, INT64_MAX / 2 + 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fixture_rows(fixture, LB_FIELD_CENTS, true, true);
        add_months(fixture, 1, 1, cases[i][0]);
        add_months(fixture, 2, 2, 0);
        expect_number(fixture, "AVG_M(2)", cases[i][1]);
    }
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    add_months(fixture, 1, 3, 300);
    expect_number(fixture, "AVG_M(3)", 300);
    expect_unknown(fixture, "AVG_M(4)");
    fixture->input.complete = true;
    expect_number(fixture, "AVG_M(4)", 225);
    expect_number(fixture, "AVG_M(120)", 8);
    fixture_add_month(fixture, "2026-06", CELL_INT(INT64_MAX));
    expect_unknown(fixture, "AVG_M(3)");
    fixture_rows(fixture, LB_FIELD_CENTS, true, false);
    fixture_add(fixture, CELL_INT(1));
    expect_refused(fixture, "AVG_M(3)");
    expect_refused(fixture, "TREND(3,fall)");
}

/* fall is 30 %: 1000 a month, then this. */
static void fell_to(struct fixture *fixture, int64_t recent, bool fell)
{
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    add_months(fixture, 1, 3, recent);
    add_months(fixture, 4, 6, 1000);
    add_months(fixture, 7, 12, 9999999);
    expect_truth(fixture, "TREND(3,fall)", fell);
}

static void trends_compare_with_as_many_months_before(void **state)
{
    struct fixture *fixture = *state;
    fell_to(fixture, 1000, false);
    fell_to(fixture, 701, false);
    fell_to(fixture, 700, true);
    fell_to(fixture, 0, true);
    fell_to(fixture, 5000, false);
    fell_to(fixture, -1000, true);
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    add_months(fixture, 1, 3, 500);
    expect_unknown(fixture, "TREND(3,fall)");  /* the months before are missing */
    fixture->input.complete = true;
    expect_unknown(fixture, "TREND(3,fall)");  /* here they are nothing, and none falls from it */
    add_months(fixture, 4, 6, -10);
    expect_unknown(fixture, "TREND(3,fall)");
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture->input.complete = true;
    add_months(fixture, 4, 4, 10);
    expect_truth(fixture, "TREND(3,fall)", true);
    fixture_add_month(fixture, "2026-02", CELL_NULL);
    expect_unknown(fixture, "TREND(3,fall)");
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    add_months(fixture, 12, 12, 10);
    expect_state(fixture, "TREND(3,fall)", LB_FACT_NOT_FOUND);
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    add_months(fixture, 1, 1, INT64_MIN);
    add_months(fixture, 2, 2, INT64_MAX);
    expect_truth(fixture, "TREND(1,fall)", true);
    expect_truth(fixture, "TREND(1,most)", false);
}

static void dates_are_cut_and_made_ages(void **state)
{
    struct fixture *fixture = *state;
    fixture_cell(fixture, LB_FIELD_DATE, CELL_TEXT("2008-02-29"));
    expect_text(fixture, "DATE_TRUNC(Y)", "2008");
    expect_text(fixture, "DATE_TRUNC(M)", "2008-02");
    expect_number(fixture, "AGE_AT(today)", 18);
    expect_number(fixture, "AGE_AT(2008-02-29)", 0);
    expect_number(fixture, "AGE_AT(2026-02-28)", 17);
    expect_number(fixture, "AGE_AT(2026-03-01)", 18);
    expect_number(fixture, "AGE_AT(2028-02-29)", 20);
    expect_number(fixture, "AGE_AT(9999-12-31)", 7991);
    expect_unknown(fixture, "AGE_AT(2008-02-28)");
    expect_unknown(fixture, "AGE_AT(0001-01-01)");
    fixture_cell(fixture, LB_FIELD_DATE, CELL_TEXT("1966-07-16"));
    expect_number(fixture, "AGE_AT(today)", 59);
    fixture_cell(fixture, LB_FIELD_DATE, CELL_TEXT("2026-07-16"));
    expect_unknown(fixture, "AGE_AT(today)");
    expect_text(fixture, "DATE_TRUNC(Y)", "2026");
    static const char *const none[] = {"1900-02-29", "2023-04-31", "2023-13-01", "20230101",
                                       "2023-01-01 ", "２０２３-01-01"};
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        fixture_cell(fixture, LB_FIELD_DATE, CELL_TEXT(none[i]));
        expect_unknown(fixture, "DATE_TRUNC(M)");
        expect_unknown(fixture, "AGE_AT(2025-01-01)");
        expect_unknown(fixture, "PASS");
    }
}

static void expect_pass(struct fixture *fixture, enum lb_field_type type, struct lb_cell cell,
                        const char *text)
{
    fixture_cell(fixture, type, cell);
    if (text == NULL)
        expect_unknown(fixture, "PASS");
    else
        expect_text(fixture, "PASS", text);
}

static void what_passes_is_readable(void **state)
{
    struct fixture *fixture = *state;
    fixture_cell(fixture, LB_FIELD_INT, CELL_INT(INT64_MIN));
    expect_number(fixture, "PASS", INT64_MIN);
    expect_pass(fixture, LB_FIELD_TEXT, CELL_TEXT("　两 个　字\r\n"), "两 个　字");
    expect_pass(fixture, LB_FIELD_NAME, CELL_TEXT("阿不都•热合曼"), "阿不都•热合曼");
    expect_pass(fixture, LB_FIELD_CODE, CELL_TEXT(" 01 "), " 01 ");
    expect_pass(fixture, LB_FIELD_REGION, CELL_TEXT("990101"), "990101");
    expect_pass(fixture, LB_FIELD_ID, CELL_TEXT("11010519491231002x"), "11010519491231002X");
    expect_pass(fixture, LB_FIELD_ID, CELL_TEXT("110105491231002"), "11010519491231002X");
    expect_pass(fixture, LB_FIELD_ID, CELL_TEXT("110105491231003X"), NULL);
    static const char *const wrong[] = {"", "　", "\xFF", "a\xC0\xAF", "a\x01z", "a\tz", "a\x7F",
                                        "a\xC2\x85z", "a\xE2\x80\xAEz", "a\xE2\x80\xA8z",
                                        "\xED\xA0\x80"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        expect_pass(fixture, LB_FIELD_TEXT, CELL_TEXT(wrong[i]), NULL);
    const struct lb_cell with_nul = {.kind = LB_CELL_TEXT, .text = lb_span_of("a\0b", 3)};
    expect_pass(fixture, LB_FIELD_CODE, with_nul, NULL);
    char longest[LB_MAX_VALUE_BYTES + 2] = "";
    memset(longest, 'a', LB_MAX_VALUE_BYTES);
    expect_pass(fixture, LB_FIELD_TEXT, CELL_TEXT(longest), longest);
    longest[LB_MAX_VALUE_BYTES] = 'a';
    expect_pass(fixture, LB_FIELD_TEXT, CELL_TEXT(longest), NULL);
}

static void omit_is_the_same_whatever_the_rows(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned num = 0; num < 3; num++) {
        fixture_rows(fixture, LB_FIELD_ROW, num == 2, false);
        for (unsigned i = 0; i < num; i++)
            fixture_add(fixture, CELL_INT(7));
        expect_state(fixture, "OMIT", LB_FACT_DENIED);
    }
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(share_is_a_bounded_sum),
        WITH_FIXTURE(rounding_is_exact_below_zero_and_at_the_ends),
        WITH_FIXTURE(codes_at_the_ends_keep_what_lies_inside),
        WITH_FIXTURE(ratios_are_compared_without_dividing),
        WITH_FIXTURE(averages_are_half_to_even_and_fill_no_gap),
        WITH_FIXTURE(trends_compare_with_as_many_months_before),
        WITH_FIXTURE(dates_are_cut_and_made_ages),
        WITH_FIXTURE(what_passes_is_readable),
        WITH_FIXTURE(omit_is_the_same_whatever_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
