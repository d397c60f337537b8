#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

/* Every operator with a field it fits. */
static const struct {
    const char *call;
    enum lb_field_type type;
    bool months;
} all[] = {
    {"EXISTS", LB_FIELD_ROW, false},         {"COUNT(2)", LB_FIELD_ROW, false},
    {"EQ", LB_FIELD_NAME, false},            {"CMP(<,std.dibao)", LB_FIELD_CENTS, false},
    {"IN(severe)", LB_FIELD_CODE, false},    {"BUCKET(fine)", LB_FIELD_INT, false},
    {"SUM(12)", LB_FIELD_CENTS, true},       {"SUM(0)", LB_FIELD_CENTS, false},
    {"AGE_GE(age.old)", LB_FIELD_DATE, false}, {"ADDR_LEVEL(6)", LB_FIELD_REGION, false},
    {"MAP(level)", LB_FIELD_CODE, false},    {"PASS", LB_FIELD_INT, false},
    {"PASS", LB_FIELD_TEXT, false},          {"ROUND(100,floor)", LB_FIELD_CENTS, false},
    {"TOPCODE(std.dibao)", LB_FIELD_CENTS, false},
    {"BOTTOMCODE(std.dibao)", LB_FIELD_CENTS, false},
    {"AVG_M(12)", LB_FIELD_CENTS, true},     {"RATIO_CMP(<,share)", LB_FIELD_CENTS, true},
    {"TREND(6,fall)", LB_FIELD_CENTS, true}, {"DATE_TRUNC(Y)", LB_FIELD_DATE, false},
    {"AGE_AT(today)", LB_FIELD_DATE, false}, {"MASK(1,1)", LB_FIELD_CODE, false},
    {"NAME_MASK", LB_FIELD_NAME, false},     {"ID_MASK", LB_FIELD_ID, false},
    {"PHONE_MASK", LB_FIELD_TEXT, false},    {"PSEUDO", LB_FIELD_ID, false},
    {"TOKEN(30)", LB_FIELD_TEXT, false},
};

#define NUM_ALL (sizeof(all) / sizeof(all[0]))

static bool counts_rows(const char *call)
{
    return strcmp(call, "EXISTS") == 0 || strcmp(call, "COUNT(2)") == 0;
}

static void unreadable_cells_are_unknown_never_false(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < NUM_ALL; i++) {
        if (counts_rows(all[i].call))
            continue;
        bool number = all[i].type == LB_FIELD_CENTS || all[i].type == LB_FIELD_INT;
        const struct lb_cell cells[] = {CELL_NULL, number ? CELL_TEXT("5") : CELL_INT(11),
                                        CELL_TEXT("")};
        for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++) {
            fixture_rows(fixture, all[i].type, false, all[i].months);
            fixture->input.complete = true;
            if (all[i].months)
                fixture_add_month(fixture, "2026-06", cells[c]);
            else
                fixture_add(fixture, cells[c]);
            expect_unknown(fixture, all[i].call);
        }
    }
}

static void no_row_is_not_found_unless_the_register_is_complete(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < NUM_ALL; i++) {
        fixture_rows(fixture, all[i].type, false, all[i].months);
        expect_state(fixture, all[i].call, LB_FACT_NOT_FOUND);
        fixture->input.complete = true;
        if (strcmp(all[i].call, "EXISTS") == 0 || strcmp(all[i].call, "IN(severe)") == 0)
            expect_truth(fixture, all[i].call, false);
        else if (strncmp(all[i].call, "SUM", 3) == 0 || strncmp(all[i].call, "COUNT", 5) == 0 ||
                 strncmp(all[i].call, "AVG", 3) == 0)
            expect_number(fixture, all[i].call, 0);
        else
            expect_state(fixture, all[i].call, LB_FACT_NOT_FOUND);
    }
}

static void two_rows_of_a_one_row_view_are_ambiguous(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < NUM_ALL; i++) {
        fixture_rows(fixture, all[i].type, false, all[i].months);
        fixture_add(fixture, CELL_NULL);
        fixture_add(fixture, CELL_NULL);
        if (!counts_rows(all[i].call))
            expect_state(fixture, all[i].call, LB_FACT_AMBIGUOUS);
    }
    fixture_rows(fixture, LB_FIELD_ROW, false, false);
    fixture_add(fixture, CELL_NULL);
    fixture_add(fixture, CELL_NULL);
    expect_truth(fixture, "EXISTS", true);
    expect_number(fixture, "COUNT(1)", 1);
    expect_number(fixture, "COUNT(2)", 2);
    expect_number(fixture, "COUNT(3)", 2);
}

static void misfits_are_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_CENTS, true, false);
    fixture_add(fixture, CELL_INT(1));
    expect_refused(fixture, "CMP(<,std.dibao)");  /* one-row operator, many rows */
    expect_refused(fixture, "SUM(12)");           /* window without a month */
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture_add_month(fixture, "2026-06", CELL_INT(1));
    expect_refused(fixture, "SUM(0)");            /* month without a window */
    fixture_rows(fixture, LB_FIELD_CENTS, false, false);
    expect_refused(fixture, "CMP(<,age.old)");    /* years against cents */
    expect_refused(fixture, "EXISTS");
    struct lb_fact fact = {0};
    fixture->input.column = 1;
    assert_int_equal(fixture_apply(fixture, "SUM(0)", &fact), LB_INTERNAL);
    fixture->input.column = 0;
    fixture->input.today = "2026-13-01";
    assert_int_equal(fixture_apply(fixture, "SUM(0)", &fact), LB_INTERNAL);
    assert_int_equal(fact.state, 0);
}

static void compare_at(struct fixture *fixture, int64_t value, bool less, bool equal)
{
    fixture_rows(fixture, LB_FIELD_CENTS, false, false);
    fixture_add(fixture, CELL_INT(value));
    expect_truth(fixture, "CMP(<,std.dibao)", less);
    expect_truth(fixture, "CMP(<=,std.dibao)", less || equal);
    expect_truth(fixture, "CMP(>,std.dibao)", !less && !equal);
    expect_truth(fixture, "CMP(>=,std.dibao)", !less);
}

static void cmp_at_its_boundary(void **state)
{
    struct fixture *fixture = *state;
    compare_at(fixture, 144999, true, false);
    compare_at(fixture, 145000, false, true);
    compare_at(fixture, 145001, false, false);
    compare_at(fixture, INT64_MIN, true, false);
    compare_at(fixture, INT64_MAX, false, false);
}

static void bucket_at_every_edge(void **state)
{
    struct fixture *fixture = *state;
    static const int64_t cases[][2] = {
        {INT64_MIN, -1}, {-1, -1}, {0, 0},      {2, 0},      {3, 1},
        {144999, 1},     {145000, 2}, {217499, 2}, {217500, 3}, {INT64_MAX, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_rows(fixture, LB_FIELD_CENTS, false, false);
        fixture_add(fixture, CELL_INT(cases[i][0]));
        expect_number(fixture, "BUCKET(fine)", cases[i][1]);
    }
}

static void in_needs_one_code_and_all_readable(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_CODE, true, false);
    fixture_add(fixture, CELL_TEXT("13"));
    expect_truth(fixture, "IN(severe)", false);
    fixture_add(fixture, CELL_NULL);
    expect_unknown(fixture, "IN(severe)");
    fixture_add(fixture, CELL_TEXT("12"));
    expect_truth(fixture, "IN(severe)", true);
    fixture_rows(fixture, LB_FIELD_CODE, false, false);
    fixture_add(fixture, CELL_INT(11));  /* "11" or "011"? The integer can't tell. */
    expect_unknown(fixture, "IN(severe)");
    fixture_rows(fixture, LB_FIELD_REGION, true, false);
    fixture_add(fixture, CELL_TEXT("990101"));
    expect_truth(fixture, "IN(local)", true);
    fixture_rows(fixture, LB_FIELD_REGION, true, false);
    fixture_add(fixture, CELL_TEXT("9901O1"));
    expect_unknown(fixture, "IN(local)");
}

static void sum_takes_the_half_open_window(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture->input.complete = true;
    fixture_add_month(fixture, "2026-07", CELL_INT(1));      /* this month: not yet over */
    fixture_add_month(fixture, "2026-06", CELL_INT(10));     /* the last one inside */
    fixture_add_month(fixture, "2026-06", CELL_INT(10));     /* two payers in one month */
    fixture_add_month(fixture, "2025-07", CELL_INT(100));    /* the first one inside */
    fixture_add_month(fixture, "2025-06", CELL_INT(1000));   /* just outside */
    fixture_add_month(fixture, "2026-08", CELL_INT(10000));  /* the future */
    fixture_add_month(fixture, "2024-12", CELL_NULL);        /* unreadable, but outside */
    expect_number(fixture, "SUM(12)", 120);
    expect_number(fixture, "SUM(13)", 1120);
    expect_number(fixture, "SUM(1)", 20);
    fixture->input.today = "2026-07-01";
    expect_number(fixture, "SUM(12)", 120);
    fixture->input.today = "2026-06-30";
    expect_number(fixture, "SUM(12)", 1100);
    fixture->input.today = "2026-01-31";
    expect_number(fixture, "SUM(6)", 100);
}

static void sum_never_guesses(void **state)
{
    struct fixture *fixture = *state;
    static const char *const months[] = {NULL, "", "2026", "2026-13", "2026-00", "202606",
                                         "2026-06-01", "2026/06"};
    for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++) {
        fixture_rows(fixture, LB_FIELD_CENTS, true, true);
        fixture_add_month(fixture, "2026-06", CELL_INT(1));
        fixture_add_month(fixture, months[i], CELL_INT(1));
        expect_unknown(fixture, "SUM(12)");
    }
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture_add_month(fixture, "2026-06", CELL_INT(1));
    fixture_add_month(fixture, "2026-05", CELL_NULL);
    expect_unknown(fixture, "SUM(12)");
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture_add_month(fixture, "2020-01", CELL_INT(1));  /* rows, but none of the window */
    expect_state(fixture, "SUM(12)", LB_FACT_NOT_FOUND);
    fixture->input.complete = true;
    expect_number(fixture, "SUM(12)", 0);
}

/* A month without a row is nothing in a complete register, and unknown in any other. */
static void sum_fills_no_missing_month(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_CENTS, true, true);
    fixture_add_month(fixture, "2026-06", CELL_INT(10));
    fixture_add_month(fixture, "2026-04", CELL_INT(5));
    fixture_add_month(fixture, "2026-04", CELL_INT(5));
    expect_number(fixture, "SUM(1)", 10);
    expect_unknown(fixture, "SUM(2)");
    expect_unknown(fixture, "SUM(3)");
    fixture_add_month(fixture, "2026-05", CELL_INT(0));
    expect_number(fixture, "SUM(3)", 20);
    expect_unknown(fixture, "SUM(4)");
    fixture->input.complete = true;
    expect_number(fixture, "SUM(120)", 20);
}

static void sum_never_wraps(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_INT, true, false);
    fixture_add(fixture, CELL_INT(INT64_MAX));
    expect_number(fixture, "SUM(0)", INT64_MAX);
    fixture_add(fixture, CELL_INT(1));
    expect_unknown(fixture, "SUM(0)");
    fixture_add(fixture, CELL_INT(-1));  /* back inside, whatever the order */
    expect_number(fixture, "SUM(0)", INT64_MAX);
    fixture_rows(fixture, LB_FIELD_INT, true, false);
    for (size_t i = 0; i < LB_MAX_ROWS_PER_READ; i++)
        fixture_add(fixture, CELL_INT(INT64_MIN));
    expect_unknown(fixture, "SUM(0)");
}

static void age_turns_on_the_birthday(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *birth;
        bool reached;
    } cases[] = {
        {"1966-07-14", true}, {"1966-07-15", true}, {"1966-07-16", false}, {"2026-07-15", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_rows(fixture, LB_FIELD_DATE, false, false);
        fixture_add(fixture, CELL_TEXT(cases[i].birth));
        expect_truth(fixture, "AGE_GE(age.old)", cases[i].reached);
    }
    static const char *const unreadable[] = {"2026-07-16", "1966-02-30", "19660715", "1966-7-15",
                                             "1966-07-15 ", "0000-01-01"};
    for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
        fixture_rows(fixture, LB_FIELD_DATE, false, false);
        fixture_add(fixture, CELL_TEXT(unreadable[i]));
        expect_unknown(fixture, "AGE_GE(age.old)");
    }
    fixture_rows(fixture, LB_FIELD_DATE, false, false);
    fixture_add(fixture, CELL_TEXT("2012-02-29"));
    fixture->input.today = "2028-02-28";
    expect_truth(fixture, "AGE_GE(age.child)", false);
    fixture->input.today = "2028-02-29";
    expect_truth(fixture, "AGE_GE(age.child)", true);
}

static void regions_are_cut_codes_are_mapped(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_REGION, false, false);
    fixture_add(fixture, CELL_TEXT("990101002"));
    expect_text(fixture, "ADDR_LEVEL(2)", "99");
    expect_text(fixture, "ADDR_LEVEL(6)", "990101");
    expect_text(fixture, "ADDR_LEVEL(9)", "990101002");
    expect_unknown(fixture, "ADDR_LEVEL(12)");
    fixture_rows(fixture, LB_FIELD_REGION, false, false);
    fixture_add(fixture, CELL_TEXT("99010x"));
    expect_unknown(fixture, "ADDR_LEVEL(2)");
    fixture_rows(fixture, LB_FIELD_CODE, false, false);
    fixture_add(fixture, CELL_TEXT("21"));
    expect_text(fixture, "MAP(level)", "compulsory");
    fixture_rows(fixture, LB_FIELD_CODE, false, false);
    fixture_add(fixture, CELL_TEXT("99"));
    expect_unknown(fixture, "MAP(level)");  /* never passed through */
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(unreadable_cells_are_unknown_never_false),
        WITH_FIXTURE(no_row_is_not_found_unless_the_register_is_complete),
        WITH_FIXTURE(two_rows_of_a_one_row_view_are_ambiguous),
        WITH_FIXTURE(misfits_are_refused),
        WITH_FIXTURE(cmp_at_its_boundary),
        WITH_FIXTURE(bucket_at_every_edge),
        WITH_FIXTURE(in_needs_one_code_and_all_readable),
        WITH_FIXTURE(sum_takes_the_half_open_window),
        WITH_FIXTURE(sum_never_guesses),
        WITH_FIXTURE(sum_fills_no_missing_month),
        WITH_FIXTURE(sum_never_wraps),
        WITH_FIXTURE(age_turns_on_the_birthday),
        WITH_FIXTURE(regions_are_cut_codes_are_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
