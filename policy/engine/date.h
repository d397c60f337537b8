#ifndef POLICY_ENGINE_DATE_H
#define POLICY_ENGINE_DATE_H

#include "gateway/base/span.h"

/* Calendar dates of the Gregorian calendar, years 1 to 9999. */
struct lb_date {
    int year;
    int month;
    int day;
};

/* lb_date_valid says whether the day exists. */
bool lb_date_valid(const struct lb_date *date);

/* lb_date_parse reads YYYY-MM-DD of an existing day; false otherwise, and *out is untouched. */
bool lb_date_parse(struct lb_span text, struct lb_date *out);

/* lb_date_digits reads len decimal digits as a number; -1 when one is no digit. */
int lb_date_digits(const uint8_t *text, size_t len);

/* lb_month_parse reads YYYY-MM as a count of months, so that months subtract; false otherwise. */
bool lb_month_parse(struct lb_span text, int64_t *out_month);

/* lb_date_month counts the date's month as lb_month_parse does. */
int64_t lb_date_month(const struct lb_date *date);

/* lb_date_day counts days, so that dates subtract. */
int64_t lb_date_day(const struct lb_date *date);

/* lb_date_of_day is the date of such a day; false outside the years 1 to 9999, and *out is
 * untouched. */
bool lb_date_of_day(int64_t day, struct lb_date *out);

/* lb_date_of_unix_s is the date of a time, local to an offset from UTC; false likewise. */
bool lb_date_of_unix_s(int64_t unix_s, int64_t offset_s, struct lb_date *out);

/* lb_date_format writes YYYY-MM-DD. */
#define LB_DATE_TEXT_BYTES 11
void lb_date_format(const struct lb_date *date, char out[LB_DATE_TEXT_BYTES]);

/* lb_date_age gives full years from birth to today, the birthday itself counting. Who was born on
 * 29 February gets a year older on 1 March in common years. Negative before birth. */
int lb_date_age(const struct lb_date *birth, const struct lb_date *today);

#endif
