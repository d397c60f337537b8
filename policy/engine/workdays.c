#include "policy/engine/workdays.h"

lb_status lb_workdays_deadline(const struct lb_work_calendar *calendar, int64_t from,
                               int64_t days, struct lb_deadline *out)
{
    struct lb_deadline deadline = {.day = from};
    LB_ENSURE(days >= 1 && days <= LB_WORKDAYS_MAX, LB_MALFORMED, "a number of working days");
    while (days > 0) {
        struct lb_work_day day;
        lb_work_calendar_day(calendar, ++deadline.day, &day);
        days -= day.working ? 1 : 0;
        deadline.provisional = deadline.provisional || !day.listed;
    }
    *out = deadline;
    return LB_OK;
}

enum lb_due lb_workdays_due(const struct lb_deadline *deadline, int64_t today)
{
    if (today <= deadline->day)
        return LB_DUE_LATER;
    return deadline->provisional ? LB_DUE_UNKNOWN : LB_DUE_OVERDUE;
}
