#ifndef POLICY_ENGINE_WORK_CALENDAR_H
#define POLICY_ENGINE_WORK_CALENDAR_H

#include "gateway/base/diag.h"
#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * When people work: opening hours by weekday, public holidays, and working days that were swapped
 * for them, as data in a YAML file (policy/review/calendar.yaml). Dates here are local ones.
 */
struct lb_work_calendar;

#define LB_WORK_MAX_HOLIDAYS 512
#define LB_WORK_MAX_YEARS 64

/* lb_work_calendar_load reads a calendar. CONFIG_INVALID, FILE_FAILED, TOO_LARGE, NO_MEMORY with
 * file, line and advice in diag. */
LB_MUST lb_status lb_work_calendar_load(const char *path, struct lb_diag *diag,
                                        struct lb_work_calendar **out_calendar);
/* lb_work_calendar_free releases it; NULL is allowed. */
void lb_work_calendar_free(struct lb_work_calendar *calendar);
void lb_work_calendar_freep(struct lb_work_calendar **calendar);  /* for LB_DEFER */

struct lb_work_moment {
    int64_t day;        /* local days, as lb_date_day counts them */
    int minute;         /* of the local day */
    bool working;       /* within hours, the grace included */
    bool listed;        /* the calendar has this year's holidays */
};

/* lb_work_calendar_at says what a time is. */
void lb_work_calendar_at(const struct lb_work_calendar *calendar, int64_t unix_ms,
                         struct lb_work_moment *out_moment);

struct lb_work_day {
    bool working;       /* a working day: from Monday to Friday or swapped, and no holiday */
    bool listed;        /* the calendar has this year's holidays */
};

/* lb_work_calendar_day says what a day is, as lb_date_day counts them, whatever its hours. */
void lb_work_calendar_day(const struct lb_work_calendar *calendar, int64_t day,
                          struct lb_work_day *out_day);

/* lb_work_calendar_today is the local day of a time. */
int64_t lb_work_calendar_today(const struct lb_work_calendar *calendar, int64_t unix_s);

/* lb_work_calendar_offset_ms is what local time is ahead of UTC. */
int64_t lb_work_calendar_offset_ms(const struct lb_work_calendar *calendar);

/* lb_work_calendar_month gives the first millisecond of a local month ("2026-11") and of the one
 * after. MALFORMED for anything else. */
LB_MUST lb_status lb_work_calendar_month(const struct lb_work_calendar *calendar,
                                         struct lb_span month, int64_t *out_from_ms,
                                         int64_t *out_until_ms);

#endif
