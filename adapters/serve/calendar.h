#ifndef ADAPTERS_SERVE_CALENDAR_H
#define ADAPTERS_SERVE_CALENDAR_H

#include "gateway/base/clock.h"
#include "gateway/base/span.h"

/* The department's calendar: local dates for ages, freshness and month windows. */

#define LB_DATE_BYTES 11   /* YYYY-MM-DD and a NUL */
#define LB_MONTH_BYTES 8   /* YYYY-MM and a NUL */

/* lb_calendar_today writes the local date. */
void lb_calendar_today(const struct lb_clock *clock, char out[LB_DATE_BYTES]);
/* lb_calendar_minute gives the local minute of the week, from Sunday 00:00. */
int lb_calendar_minute(const struct lb_clock *clock);
/* lb_calendar_month writes the month `back` months before the date's. */
void lb_calendar_month(const char *date, int back, char out[LB_MONTH_BYTES]);
/* lb_calendar_days counts days from `from` to `to` (YYYY-MM-DD both); false when one is no date. */
bool lb_calendar_days(struct lb_span from, const char *to, int64_t *out_days);

#endif
