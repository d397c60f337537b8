#include "policy/engine/date.h"

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

int lb_date_age(const struct lb_date *birth, const struct lb_date *today)
{
    int years = today->year - birth->year;
    bool reached = today->month > birth->month ||
                   (today->month == birth->month && today->day >= birth->day);
    return reached ? years : years - 1;
}
