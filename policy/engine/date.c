#include "policy/engine/date.h"

#include <stdio.h>

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool lb_date_valid(const struct lb_date *date)
{
    if (date->year < 1 || date->year > 9999 || date->month < 1 || date->month > 12)
        return false;
    return date->day >= 1 && date->day <= days_in(date->year, date->month);
}

int lb_date_digits(const uint8_t *text, size_t len)
{
    int value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

bool lb_date_parse(struct lb_span text, struct lb_date *out)
{
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
        return false;
    struct lb_date date = {
        .year = lb_date_digits(text.ptr, 4),
        .month = lb_date_digits(text.ptr + 5, 2),
        .day = lb_date_digits(text.ptr + 8, 2),
    };
    if (!lb_date_valid(&date))
        return false;
    *out = date;
    return true;
}

int64_t lb_date_month(const struct lb_date *date)
{
    return (int64_t)date->year * 12 + date->month - 1;
}

bool lb_month_parse(struct lb_span text, int64_t *out_month)
{
    if (text.len != 7 || text.ptr[4] != '-')
        return false;
    struct lb_date first = {
        .year = lb_date_digits(text.ptr, 4),
        .month = lb_date_digits(text.ptr + 5, 2),
        .day = 1,
    };
    if (!lb_date_valid(&first))
        return false;
    *out_month = lb_date_month(&first);
    return true;
}

/* Years begin in March here, so that a leap day is a year's last. */
int64_t lb_date_day(const struct lb_date *date)
{
    int64_t year = date->month <= 2 ? date->year - 1 : date->year;
    int64_t month = (date->month + 9) % 12;
    return year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + date->day;
}

/* No year is longer than 366 days, so the guess is never late. */
bool lb_date_of_day(int64_t day, struct lb_date *out)
{
    static const struct lb_date first = {.year = 1, .month = 1, .day = 1};
    static const struct lb_date last = {.year = 9999, .month = 12, .day = 31};
    if (day < lb_date_day(&first) || day > lb_date_day(&last))
        return false;
    int64_t years = (day - lb_date_day(&first)) / 366;
    struct lb_date date = {.year = (int)years + 1, .month = 1, .day = 1};
    while (lb_date_day(&(struct lb_date){date.year + 1, 1, 1}) <= day)
        date.year++;
    while (lb_date_day(&date) + days_in(date.year, date.month) <= day)
        date.month++;
    date.day += (int)(day - lb_date_day(&date));
    *out = date;
    return true;
}

bool lb_date_of_unix_s(int64_t unix_s, int64_t offset_s, struct lb_date *out)
{
    static const struct lb_date epoch = {.year = 1970, .month = 1, .day = 1};
    const int64_t day_s = 86400, last_s = INT64_C(253402300800); /* 10000-01-01 */
    if (unix_s < -last_s || unix_s > last_s || offset_s < -day_s || offset_s > day_s)
        return false;
    int64_t local = unix_s + offset_s;
    int64_t days = local / day_s - (local % day_s < 0 ? 1 : 0);
    return lb_date_of_day(days + lb_date_day(&epoch), out);
}

void lb_date_format(const struct lb_date *date, char out[LB_DATE_TEXT_BYTES])
{
    char text[40];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", date->year, date->month, date->day);
    (void)snprintf(out, LB_DATE_TEXT_BYTES, "%.10s", text);
}

int lb_date_age(const struct lb_date *birth, const struct lb_date *today)
{
    int years = today->year - birth->year;
    bool reached = today->month > birth->month ||
                   (today->month == birth->month && today->day >= birth->day);
    return reached ? years : years - 1;
}
