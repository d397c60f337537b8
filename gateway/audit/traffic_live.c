#include <stdlib.h>

#include "gateway/audit/traffic_inside.h"

/*
 * Ordinary days. What happens how often, per thousand where nothing else is said:
 *
 *   of days of an operator: 40 end late (until 19:00); 12 are leave of some days; 60 are spent at
 * two   halls (with at least half an hour between); of weekends and holidays 15 are duty with one
 * or two   cases; one day of the month is a campaign with 2.5 times the cases in one office; days
 * after a   holiday and Mondays have more.
 *   of cases: households of 1 to 5; 30 come back to another office within days; 2 are emergencies.
 *   of look-ups: 25 find nobody; 7 are typed wrongly and typed again; 10 have an expired grant and
 * come   back with a new one; 4 ask for a field too many and ask again; 20 are repeated after a
 * timeout;   120 touch class 4 (an operator in six handles no such cases until one day).
 */
#define NEW_YEAR_2026_MS (INT64_C(1767196800000)) /* 2026-01-01T00:00+08:00 */

struct shift {
    unsigned operator_no;
    unsigned day;
    unsigned place, second;     /* halls of the morning and the afternoon */
    unsigned num_cases;
    unsigned until;             /* minute of the day */
};

int64_t traffic_start_ms(const struct traffic *traffic, unsigned day)
{
    return NEW_YEAR_2026_MS + (int64_t)(traffic->options.first_day + day) * TRAFFIC_DAY_MS;
}

unsigned traffic_home(const struct traffic *traffic, unsigned operator_no)
{
    (void)traffic;
    return operator_no % (TRAFFIC_OFFICES * TRAFFIC_UNITS);
}

/* --- a case --- */

static void one_read(struct traffic *traffic, struct traffic_event event)
{
    unsigned what = traffic_below(traffic, 1000);
    struct traffic_event before = event;
    if (what < 25) {
        event.missed = true;
    } else if (what < 32) { /* typed again half a minute later */
        before.person = TRAFFIC_NOBODY + traffic_below(traffic, 1000000);
        before.inner = "ID_INVALID";
        traffic_add(traffic, &before);
        event.time_ms += 30000;
    } else if (what < 42) { /* the citizen agrees once more */
        before.code = "GRANT_EXPIRED";
        traffic_add(traffic, &before);
        event.time_ms += 4 * TRAFFIC_MINUTE_MS;
    } else if (what < 46) {
        before.code = "FIELD_NOT_GRANTED";
        traffic_add(traffic, &before);
        event.time_ms += 2 * TRAFFIC_MINUTE_MS;
    }
    traffic_add(traffic, &event);
    if (traffic_chance(traffic, 20)) {
        event.retry = true;
        event.time_ms += 15000;
        traffic_add(traffic, &event);
    }
}

static void one_case(struct traffic *traffic, const struct shift *shift, unsigned place,
                     int64_t time_ms)
{
    unsigned size = 1 + traffic_below(traffic, 3) + (traffic_chance(traffic, 200) ? 2 : 0);
    unsigned household = traffic_below(traffic, TRAFFIC_PEOPLE / 5) * 5;
    bool light = shift->operator_no % 6 == 5 && shift->day < 20;
    struct traffic_event event = {
        .operator_no = shift->operator_no, .place = place, .case_no = traffic->num_cases++,
        .code = "ANSWERED", .inner = "OK", .purpose = "social_assistance",
        .class_max = traffic_chance(traffic, 120) && !light ? 4 : 3,
        .emergency = traffic_chance(traffic, 2),
    };
    bool moved = traffic_chance(traffic, 30);
    for (unsigned i = 0; i < size; i++) {
        event.person = household + i;
        event.time_ms = time_ms + (int64_t)traffic_below(traffic, 3000);
        one_read(traffic, event);
        if (!moved)
            continue;
        struct traffic_event other = event;
        other.time_ms += (int64_t)(1 + traffic_below(traffic, 3)) * TRAFFIC_DAY_MS;
        other.operator_no = (event.operator_no + 1) % traffic->options.num_operators;
        other.place = traffic_home(traffic, other.operator_no);
        if (shift->day + 4 < traffic->options.num_days && shift->until <= 1110)
            traffic_add(traffic, &other);
    }
}

/* --- a day --- */

static unsigned minute_of_shift(struct traffic *traffic, const struct shift *shift)
{
    unsigned minute = 0;
    do
        minute = 510 + traffic_below(traffic, shift->until - 510);
    while (minute >= 720 && minute < 810 && !traffic_chance(traffic, 250)); /* lunch */
    return minute;
}

static void work(struct traffic *traffic, const struct shift *shift)
{
    for (unsigned i = 0; i < shift->num_cases; i++) {
        unsigned minute = minute_of_shift(traffic, shift);
        unsigned place = minute < 765 ? shift->place : shift->second;
        if (shift->place != shift->second && minute > 745 && minute < 785)
            minute += 60; /* on the way */
        place = minute < 765 ? shift->place : shift->second;
        one_case(traffic, shift, place,
                 traffic_start_ms(traffic, shift->day) + (int64_t)minute * TRAFFIC_MINUTE_MS);
    }
}

static bool is_holiday(const struct traffic *traffic, unsigned day)
{
    unsigned of_year = traffic->options.first_day + day;
    unsigned weekday = (of_year + 3) % 7; /* the year began on a Thursday; 0 is Monday */
    if (of_year >= 273 && of_year <= 279) /* 1 to 7 October */
        return true;
    if (of_year == 282 || of_year == 262) /* 10 October and 20 September are worked */
        return false;
    if (of_year >= 267 && of_year <= 269) /* Mid-Autumn */
        return true;
    return weekday >= 5;
}

static unsigned cases_of(struct traffic *traffic, unsigned operator_no, unsigned day)
{
    unsigned pace = 5 + operator_no * 7 % 5; /* some are quicker */
    unsigned num = pace + traffic_below(traffic, pace);
    bool after_holiday = day > 0 && is_holiday(traffic, day - 1);
    bool campaign = traffic_home(traffic, operator_no) / TRAFFIC_UNITS == 2 && day == 21;
    num = after_holiday ? num * 3 / 2 : num;
    return campaign ? num * 5 / 2 : num;
}

static void one_day(struct traffic *traffic, unsigned operator_no, unsigned day, unsigned *leave)
{
    struct shift shift = {.operator_no = operator_no, .day = day, .until = 1050};
    shift.place = shift.second = traffic_home(traffic, operator_no);
    if (is_holiday(traffic, day)) {
        shift.num_cases = traffic_chance(traffic, 15) ? 1 + traffic_below(traffic, 2) : 0;
        work(traffic, &shift);
        return;
    }
    if (traffic_chance(traffic, 12))
        *leave = 3 + traffic_below(traffic, 6);
    if (*leave > 0) {
        *leave -= 1;
        return;
    }
    shift.num_cases = cases_of(traffic, operator_no, day);
    if (traffic_chance(traffic, 40))
        shift.until = 1140;
    if (traffic_chance(traffic, 60))
        shift.second = shift.place ^ 1U;
    work(traffic, &shift);
}

void traffic_live(struct traffic *traffic)
{
    for (unsigned i = 0; i < traffic->options.num_operators; i++) {
        unsigned leave = 0;
        unsigned from = i % 15 == 14 ? 9 : 0; /* newcomers */
        for (unsigned day = from; day < traffic->options.num_days; day++)
            one_day(traffic, i, day, &leave);
    }
}

/* --- what nobody should do --- */

static struct traffic_event misdeed(struct traffic *traffic, enum traffic_kind kind,
                                    unsigned operator_no, unsigned day, unsigned minute)
{
    return (struct traffic_event){
        .kind = kind, .operator_no = operator_no, .place = traffic_home(traffic, operator_no),
        .case_no = traffic->num_cases++, .code = "ANSWERED", .inner = "OK",
        .purpose = "social_assistance", .class_max = 3,
        .time_ms = traffic_start_ms(traffic, day) + (int64_t)minute * TRAFFIC_MINUTE_MS,
    };
}

/* An operator who is at work that day: the one whose rows are nearest. */
static struct traffic_event somebody_at_work(const struct traffic *traffic, int64_t time_ms)
{
    size_t best = 0;
    int64_t nearest = INT64_MAX;
    for (size_t i = 0; i < traffic->num; i++) {
        int64_t apart = llabs(traffic->events[i].time_ms - time_ms);
        if (apart >= nearest || traffic->events[i].kind != TRAFFIC_ORDINARY)
            continue;
        nearest = apart;
        best = i;
    }
    return traffic->events[best];
}

void traffic_misuse(struct traffic *traffic)
{
    struct traffic_event event = misdeed(traffic, TRAFFIC_RELATIVE, 7, 12, 617);
    event.person = TRAFFIC_KIN + 71;
    traffic_add(traffic, &event);
    event = misdeed(traffic, TRAFFIC_NIGHT, 11, 16, 1330); /* a Saturday, 22:10 */
    for (unsigned i = 0; i < 60; i++) {
        event.person = 20000 + i * 17;
        traffic_add(traffic, &event);
        event.time_ms += 31000;
    }
    event = misdeed(traffic, TRAFFIC_ENUMERATION, 4, 14, 850);
    for (unsigned i = 0; i < 25; i++) {
        event.person = TRAFFIC_NOBODY + i;
        event.missed = i % 5 != 0;
        traffic_add(traffic, &event);
        event.time_ms += 95000;
    }
    event = misdeed(traffic, TRAFFIC_HONEY, 2, 20, 900);
    event.person = TRAFFIC_HONEY_PERSON;
    traffic_add(traffic, &event);
    /* Somebody uses a colleague's account at another office while its holder works. */
    struct traffic_event holder =
        somebody_at_work(traffic, traffic_start_ms(traffic, 19) + 900 * TRAFFIC_MINUTE_MS);
    event = misdeed(traffic, TRAFFIC_SHARED, holder.operator_no, 19, 0);
    event.place = (holder.place + 3) % (TRAFFIC_OFFICES * TRAFFIC_UNITS);
    for (unsigned i = 0; i < 3; i++) {
        event.time_ms = holder.time_ms + (int64_t)(5 + i) * TRAFFIC_MINUTE_MS;
        event.person = 30000 + i;
        traffic_add(traffic, &event);
    }
}
