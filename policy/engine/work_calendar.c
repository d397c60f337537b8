#include "policy/engine/work_calendar.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/limits.h"
#include "gateway/config/yaml.h"
#include "policy/engine/date.h"

#define MINUTE_MS INT64_C(60000)
#define DAY_MINUTES 1440
#define MAX_OFFSET_MINUTES (14 * 60)
#define MAX_GRACE_MINUTES 240

struct hours {
    int from, to;   /* minutes of the day; equal: shut */
};

struct span_of_days {
    int64_t from, to;
};

struct lb_work_calendar {
    struct lb_yaml *yaml;
    int64_t offset_minutes;
    int64_t grace;
    struct hours weekdays, saturday, sunday;
    int64_t years[LB_WORK_MAX_YEARS];
    size_t num_years;
    struct span_of_days holidays[LB_WORK_MAX_HOLIDAYS];
    size_t num_holidays;
    int64_t workdays[LB_WORK_MAX_HOLIDAYS];
    size_t num_workdays;
};

/* --- reading the file --- */

static int clock_minutes(const char *text)
{
    struct lb_span digits = lb_span_of(text, 5);
    int hour = lb_date_digits(digits.ptr, 2), minute = lb_date_digits(digits.ptr + 3, 2);
    if (text[2] != ':' || hour < 0 || hour > 24 || minute < 0 || minute > 59)
        return -1;
    return hour * 60 + minute <= DAY_MINUTES ? hour * 60 + minute : -1;
}

static lb_status read_hours(const struct lb_yaml_node *map, const char *key, bool required,
                            struct lb_diag *diag, struct hours *out)
{
    const struct lb_yaml_node *node = lb_yaml_get(map, key);
    const char *text = NULL;
    if (node == NULL && !required)
        return LB_OK;
    LB_TRY(lb_yaml_need(map, key, diag, &node));
    LB_TRY(lb_yaml_text(node, diag, &text));
    struct hours hours = {-1, -1};
    if (strlen(text) == 11 && text[5] == '-') {
        hours.from = clock_minutes(text);
        hours.to = clock_minutes(text + 6);
    }
    if (hours.from < 0 || hours.to <= hours.from)
        return lb_yaml_fail(node, diag, "%s is no opening time; write \"08:30-17:30\"", key);
    *out = hours;
    return LB_OK;
}

static lb_status read_day(const struct lb_yaml_node *node, struct lb_diag *diag, int64_t *out_day)
{
    struct lb_date date;
    const char *text = NULL;
    LB_TRY(lb_yaml_text(node, diag, &text));
    if (!lb_date_parse(lb_span_str(text), &date))
        return lb_yaml_fail(node, diag, "this is no date; write one such as 2026-10-01");
    *out_day = lb_date_day(&date);
    return LB_OK;
}

static lb_status read_holiday(const struct lb_yaml_node *node, struct lb_diag *diag,
                              struct span_of_days *out)
{
    static const char *const keys[] = {"from", "to", "zh", "en", NULL};
    const struct lb_yaml_node *from = NULL, *to = NULL;
    const char *name = NULL;
    struct span_of_days days;
    LB_TRY(lb_yaml_only(node, keys, diag));
    LB_TRY(lb_yaml_need(node, "from", diag, &from));
    LB_TRY(lb_yaml_need(node, "to", diag, &to));
    LB_TRY(lb_yaml_need_text(node, "zh", diag, &name));
    LB_TRY(lb_yaml_need_text(node, "en", diag, &name));
    LB_TRY(read_day(from, diag, &days.from));
    LB_TRY(read_day(to, diag, &days.to));
    if (days.to < days.from || days.to - days.from > 31)
        return lb_yaml_fail(to, diag, "a holiday ends on or after its first day, within a month");
    *out = days;
    return LB_OK;
}

static lb_status need_list(const struct lb_yaml_node *map, const char *key, size_t max,
                           struct lb_diag *diag, const struct lb_yaml_node **out)
{
    LB_TRY(lb_yaml_need(map, key, diag, out));
    if (lb_yaml_kind_of(*out) != LB_YAML_LIST || lb_yaml_len(*out) > max)
        return lb_yaml_fail(*out, diag, "%s is a list of at most %zu", key, max);
    return LB_OK;
}

static lb_status read_days(const struct lb_yaml_node *root, struct lb_diag *diag,
                           struct lb_work_calendar *calendar)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(need_list(root, "years", LB_WORK_MAX_YEARS, diag, &list));
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(lb_yaml_int(lb_yaml_item(list, i), 1970, 9999, diag, &calendar->years[i]));
    calendar->num_years = lb_yaml_len(list);
    LB_TRY(need_list(root, "holidays", LB_WORK_MAX_HOLIDAYS, diag, &list));
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(read_holiday(lb_yaml_item(list, i), diag, &calendar->holidays[i]));
    calendar->num_holidays = lb_yaml_len(list);
    LB_TRY(need_list(root, "workdays", LB_WORK_MAX_HOLIDAYS, diag, &list));
    for (size_t i = 0; i < lb_yaml_len(list); i++)
        LB_TRY(read_day(lb_yaml_item(list, i), diag, &calendar->workdays[i]));
    calendar->num_workdays = lb_yaml_len(list);
    return LB_OK;
}

static lb_status read_file(const char *path, struct lb_diag *diag,
                           struct lb_work_calendar *calendar)
{
    static const char *const keys[] = {"calendar", "version", "utc_offset_minutes", "hours",
                                       "grace_minutes", "years", "holidays", "workdays", NULL};
    static const char *const days[] = {"weekdays", "saturday", "sunday", NULL};
    const struct lb_yaml_node *hours = NULL;
    const char *name = NULL;
    int64_t version = 0;
    LB_TRY(lb_yaml_load_file(path, diag, &calendar->yaml));
    const struct lb_yaml_node *root = lb_yaml_root(calendar->yaml);
    LB_TRY(lb_yaml_only(root, keys, diag));
    LB_TRY(lb_yaml_need_text(root, "calendar", diag, &name));
    LB_TRY(lb_yaml_need_int(root, "version", 1, INT32_MAX, diag, &version));
    LB_TRY(lb_yaml_need_int(root, "utc_offset_minutes", -MAX_OFFSET_MINUTES, MAX_OFFSET_MINUTES,
                            diag, &calendar->offset_minutes));
    LB_TRY(lb_yaml_need_int(root, "grace_minutes", 0, MAX_GRACE_MINUTES, diag, &calendar->grace));
    LB_TRY(lb_yaml_need(root, "hours", diag, &hours));
    LB_TRY(lb_yaml_only(hours, days, diag));
    LB_TRY(read_hours(hours, "weekdays", true, diag, &calendar->weekdays));
    LB_TRY(read_hours(hours, "saturday", false, diag, &calendar->saturday));
    LB_TRY(read_hours(hours, "sunday", false, diag, &calendar->sunday));
    return read_days(root, diag, calendar);
}

lb_status lb_work_calendar_load(const char *path, struct lb_diag *diag,
                                struct lb_work_calendar **out_calendar)
{
    LB_DEFER(lb_work_calendar_freep) struct lb_work_calendar *calendar =
        calloc(1, sizeof(*calendar));
    LB_ENSURE(calendar != NULL, LB_NO_MEMORY, "work calendar");
    LB_TRY(read_file(path, diag, calendar));
    *out_calendar = calendar;
    calendar = NULL;
    return LB_OK;
}

void lb_work_calendar_free(struct lb_work_calendar *calendar)
{
    if (calendar == NULL)
        return;
    lb_yaml_free(calendar->yaml);
    free(calendar);
}

void lb_work_calendar_freep(struct lb_work_calendar **calendar)
{
    lb_work_calendar_free(*calendar);
}

/* --- what a time is --- */

static int64_t epoch_day(void)
{
    static const struct lb_date epoch = {.year = 1970, .month = 1, .day = 1};
    return lb_date_day(&epoch);
}

static int64_t floor_div(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

static bool year_listed(const struct lb_work_calendar *calendar, int64_t day)
{
    for (size_t i = 0; i < calendar->num_years; i++) {
        struct lb_date first = {.year = (int)calendar->years[i], .month = 1, .day = 1};
        struct lb_date last = {.year = (int)calendar->years[i], .month = 12, .day = 31};
        if (day >= lb_date_day(&first) && day <= lb_date_day(&last))
            return true;
    }
    return false;
}

enum kind_of_day { WORKDAY, SATURDAY, SUNDAY, HOLIDAY };

static enum kind_of_day kind_of(const struct lb_work_calendar *calendar, int64_t day)
{
    for (size_t i = 0; i < calendar->num_workdays; i++)
        if (calendar->workdays[i] == day)
            return WORKDAY;
    for (size_t i = 0; i < calendar->num_holidays; i++)
        if (day >= calendar->holidays[i].from && day <= calendar->holidays[i].to)
            return HOLIDAY;
    int64_t weekday = (day - epoch_day() + 3) % 7; /* 1970-01-01 was a Thursday; 0 is Monday */
    weekday = weekday < 0 ? weekday + 7 : weekday;
    if (weekday == 5)
        return SATURDAY;
    return weekday == 6 ? SUNDAY : WORKDAY;
}

static const struct hours *hours_of(const struct lb_work_calendar *calendar, int64_t day)
{
    static const struct hours shut = {0, 0};
    switch (kind_of(calendar, day)) {
    case WORKDAY:
        return &calendar->weekdays;
    case SATURDAY:
        return &calendar->saturday;
    case SUNDAY:
        return &calendar->sunday;
    case HOLIDAY:
        return &shut;
    }
    return &shut;
}

/* Hours on a Saturday make no working day of it: deadlines run by the notice of the year. */
void lb_work_calendar_day(const struct lb_work_calendar *calendar, int64_t day,
                          struct lb_work_day *out_day)
{
    out_day->working = kind_of(calendar, day) == WORKDAY;
    out_day->listed = year_listed(calendar, day);
}

int64_t lb_work_calendar_today(const struct lb_work_calendar *calendar, int64_t unix_s)
{
    return floor_div(floor_div(unix_s, 60) + calendar->offset_minutes, DAY_MINUTES) + epoch_day();
}

void lb_work_calendar_at(const struct lb_work_calendar *calendar, int64_t unix_ms,
                         struct lb_work_moment *out_moment)
{
    int64_t minutes = floor_div(unix_ms, MINUTE_MS) + calendar->offset_minutes;
    int64_t days = floor_div(minutes, DAY_MINUTES);
    struct lb_work_moment moment = {
        .day = days + epoch_day(),
        .minute = (int)(minutes - days * DAY_MINUTES),
    };
    const struct hours *hours = hours_of(calendar, moment.day);
    moment.working = hours->from != hours->to &&
                     moment.minute >= hours->from - calendar->grace &&
                     moment.minute < hours->to + calendar->grace;
    moment.listed = year_listed(calendar, moment.day);
    *out_moment = moment;
}

int64_t lb_work_calendar_offset_ms(const struct lb_work_calendar *calendar)
{
    return calendar->offset_minutes * MINUTE_MS;
}

static int64_t month_start_ms(const struct lb_work_calendar *calendar, int64_t month)
{
    struct lb_date first = {.year = (int)(month / 12), .month = (int)(month % 12) + 1, .day = 1};
    int64_t minutes = (lb_date_day(&first) - epoch_day()) * DAY_MINUTES;
    return (minutes - calendar->offset_minutes) * MINUTE_MS;
}

lb_status lb_work_calendar_month(const struct lb_work_calendar *calendar, struct lb_span month,
                                 int64_t *out_from_ms, int64_t *out_until_ms)
{
    int64_t number = 0;
    LB_ENSURE(lb_month_parse(month, &number), LB_MALFORMED, "this is no month");
    *out_from_ms = month_start_ms(calendar, number);
    *out_until_ms = month_start_ms(calendar, number + 1);
    return LB_OK;
}
