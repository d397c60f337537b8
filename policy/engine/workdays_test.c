#include "policy/engine/workdays.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The table is counted by hand; what is tested is that we agree with it. */

#define CALENDAR "policy/review/calendar.yaml"
#define TABLE "policy/engine/deadlines.csv"

#define assert_ok(status) assert_null(status)

static int set_up(void **state)
{
    struct lb_diag diag = {{0}};
    struct lb_work_calendar *calendar = NULL;
    if (lb_work_calendar_load(CALENDAR, &diag, &calendar) != LB_OK)
        fail_msg("%s", diag.text);
    *state = calendar;
    return 0;
}

static int tear_down(void **state)
{
    lb_work_calendar_free(*state);
    return 0;
}

static int64_t day_of(const char *text)
{
    struct lb_date date;
    if (!lb_date_parse(lb_span_str(text), &date))
        fail_msg("%s is no date", text);
    return lb_date_day(&date);
}

static void check_line(const struct lb_work_calendar *calendar, const char *line)
{
    char submitted[11], due[11], provisional[4], told[LB_DATE_TEXT_BYTES];
    long days = 0;
    struct lb_deadline deadline;
    struct lb_date date;
    if (sscanf(line, "%10[0-9-],%ld,%10[0-9-],%3[a-z],", submitted, &days, due, provisional) != 4)
        fail_msg("no row: %s", line);
    assert_ok(lb_workdays_deadline(calendar, day_of(submitted), days, &deadline));
    assert_true(lb_date_of_day(deadline.day, &date));
    lb_date_format(&date, told);
    if (strcmp(told, due) != 0 || deadline.provisional != (strcmp(provisional, "yes") == 0))
        fail_msg("%s%s instead of %s", told, deadline.provisional ? " (provisional)" : "", line);
}

static void agrees_with_the_table(void **state)
{
    char line[256];
    size_t rows = 0;
    FILE *file = fopen(TABLE, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] < '0' || line[0] > '9')
            continue;
        check_line(*state, line);
        rows++;
    }
    (void)fclose(file);
    assert_int_equal(rows, 63);
}

static void counts_only_what_can_be(void **state)
{
    struct lb_deadline deadline = {.day = 7};
    int64_t from = day_of("2026-11-22");
    static const int64_t wrong[] = {0, -1, LB_WORKDAYS_MAX + 1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        lb_status status = lb_workdays_deadline(*state, from, wrong[i], &deadline);
        assert_int_equal(lb_status_code(status), LB_MALFORMED);
        assert_int_equal(deadline.day, 7);
    }
    assert_ok(lb_workdays_deadline(*state, from, LB_WORKDAYS_MAX, &deadline));
    assert_true(deadline.provisional);
}

/* The end of the day is the deadline; what the calendar does not know is never called overdue. */
static void is_overdue_the_day_after(void **state)
{
    struct lb_deadline deadline;
    assert_ok(lb_workdays_deadline(*state, day_of("2026-09-30"), 1, &deadline));
    assert_int_equal(lb_workdays_due(&deadline, day_of("2026-09-30")), LB_DUE_LATER);
    assert_int_equal(lb_workdays_due(&deadline, day_of("2026-10-08")), LB_DUE_LATER);
    assert_int_equal(lb_workdays_due(&deadline, day_of("2026-10-09")), LB_DUE_OVERDUE);
    assert_ok(lb_workdays_deadline(*state, day_of("2026-12-31"), 1, &deadline));
    assert_int_equal(lb_workdays_due(&deadline, day_of("2027-01-01")), LB_DUE_LATER);
    assert_int_equal(lb_workdays_due(&deadline, day_of("2027-02-01")), LB_DUE_UNKNOWN);
}

/* A day begins at midnight of the place, eight hours before that of UTC. */
static void knows_the_local_day(void **state)
{
    const int64_t midnight = INT64_C(1790697600); /* 2026-09-30 00:00 in Beijing */
    assert_int_equal(lb_work_calendar_today(*state, midnight), day_of("2026-09-30"));
    assert_int_equal(lb_work_calendar_today(*state, midnight - 1), day_of("2026-09-29"));
    assert_int_equal(lb_work_calendar_today(*state, midnight + 86399), day_of("2026-09-30"));
    assert_int_equal(lb_work_calendar_today(*state, -8 * 3600 - 1), day_of("1969-12-31"));
}

static void every_day_has_its_date(void **state)
{
    (void)state;
    struct lb_date date = {0};
    char text[LB_DATE_TEXT_BYTES];
    const int64_t first = day_of("0001-01-01"), last = day_of("9999-12-31");
    for (int64_t day = first; day <= last; day += 97) {
        assert_true(lb_date_of_day(day, &date));
        assert_true(lb_date_valid(&date));
        assert_int_equal(lb_date_day(&date), day);
    }
    assert_true(lb_date_of_day(day_of("2028-02-29"), &date));
    lb_date_format(&date, text);
    assert_string_equal(text, "2028-02-29");
    assert_false(lb_date_of_day(first - 1, &date));
    assert_false(lb_date_of_day(last + 1, &date));
    assert_true(lb_date_of_unix_s(-1, 0, &date));
    lb_date_format(&date, text);
    assert_string_equal(text, "1969-12-31");
    assert_true(lb_date_of_unix_s(-1, 1, &date));
    assert_int_equal(date.year, 1970);
    assert_false(lb_date_of_unix_s(INT64_MAX, 0, &date));
    assert_false(lb_date_of_unix_s(0, INT64_MIN, &date));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_table),
        cmocka_unit_test(counts_only_what_can_be),
        cmocka_unit_test(is_overdue_the_day_after),
        cmocka_unit_test(knows_the_local_day),
        cmocka_unit_test(every_day_has_its_date),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
