#include "adapters/serve/calendar.h"

#include <stdio.h>
#include <time.h>

#include "policy/engine/date.h"

void lb_calendar_today(const struct lb_clock *clock, char out[LB_DATE_BYTES])
{
    time_t now = (time_t)lb_clock_unix_s(clock);
    struct tm local;
    (void)localtime_r(&now, &local);
    (void)strftime(out, LB_DATE_BYTES, "%Y-%m-%d", &local);
}

int lb_calendar_minute(const struct lb_clock *clock)
{
    time_t now = (time_t)lb_clock_unix_s(clock);
    struct tm local;
    (void)localtime_r(&now, &local);
    return (local.tm_wday * 24 + local.tm_hour) * 60 + local.tm_min;
}

void lb_calendar_month(const char *date, int back, char out[LB_MONTH_BYTES])
{
    struct lb_date day = {.year = 1, .month = 1, .day = 1};
    (void)lb_date_parse(lb_span_str(date), &day);
    unsigned months = (unsigned)(lb_date_month(&day) - back);
    (void)snprintf(out, LB_MONTH_BYTES, "%04u-%02u", months / 12 % 10000, months % 12 + 1);
}

bool lb_calendar_days(struct lb_span from, const char *to, int64_t *out_days)
{
    struct lb_date first, last;
    if (!lb_date_parse(from, &first) || !lb_date_parse(lb_span_str(to), &last))
        return false;
    *out_days = lb_date_day(&last) - lb_date_day(&first);
    return true;
}
