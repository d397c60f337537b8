#ifndef POLICY_ENGINE_WORKDAYS_H
#define POLICY_ENGINE_WORKDAYS_H

#include "gateway/base/status.h"
#include "policy/engine/date.h"
#include "policy/engine/work_calendar.h"

/*
 * Deadlines in working days. The day something begins is not counted; the deadline is the end of
 * the last day. Nothing here reads a clock, and nothing that follows from one is ever stored as a
 * fact: a calendar that gets next year's holidays later moves a deadline that was provisional.
 */
#define LB_WORKDAYS_MAX 250

struct lb_deadline {
    int64_t day;        /* as lb_date_day counts; local */
    bool provisional;   /* the calendar lacks a year on the way: its days are counted by weekday
                           alone, which is nobody's word */
};

/* lb_workdays_deadline counts working days from the day after `from`. MALFORMED unless days is from
 * 1 to LB_WORKDAYS_MAX. */
LB_MUST lb_status lb_workdays_deadline(const struct lb_work_calendar *calendar, int64_t from,
                                       int64_t days, struct lb_deadline *out);

enum lb_due {
    LB_DUE_LATER,       /* there is time, today included */
    LB_DUE_OVERDUE,
    LB_DUE_UNKNOWN,     /* past a provisional deadline: the calendar has to say */
};

/* lb_workdays_due says how a deadline stands on a day. */
enum lb_due lb_workdays_due(const struct lb_deadline *deadline, int64_t today);

#endif
