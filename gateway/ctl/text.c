#include "gateway/ctl/text.h"

#include <time.h>

#include "gateway/base/utf8.h"

#define REPLACEMENT 0xFFFD

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t num, uint32_t point)
{
    for (size_t i = 0; i < num && ranges[i].first <= point; i++)
        if (point <= ranges[i].last)
            return true;
    return false;
}

/* Controls, marks that turn the direction of writing, and characters nobody sees. */
static const struct range unsafe[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD}, {0x061C, 0x061C},
    {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},
    {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
};

/* East Asian Wide and Fullwidth (UAX #11), by block. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},   {0xFF01, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x2FFFD},
    {0x30000, 0x3FFFD},
};

static const struct range combining[] = {
    {0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};

#define IN(ranges_, point_) in_ranges(ranges_, sizeof(ranges_) / sizeof((ranges_)[0]), point_)

int32_t lb_ctl_next(struct lb_span text, size_t *offset)
{
    int32_t point = lb_utf8_next(text, offset);
    if (point == -1)
        return -1;
    if (point == -2) {
        *offset += 1;
        return REPLACEMENT;
    }
    return IN(unsafe, (uint32_t)point) ? REPLACEMENT : point;
}

static size_t point_width(uint32_t point)
{
    if (IN(combining, point))
        return 0;
    return IN(wide, point) ? 2 : 1;
}

size_t lb_ctl_width(struct lb_span text)
{
    size_t width = 0;
    size_t offset = 0;
    int32_t point;
    while ((point = lb_ctl_next(text, &offset)) >= 0)
        width += point_width((uint32_t)point);
    return width;
}

static void put(FILE *out, const char *text, bool lines)
{
    struct lb_span span = lb_span_str(text);
    size_t offset = 0;
    uint8_t bytes[4];
    while (offset < span.len) {
        bool feed = lines && span.ptr[offset] == '\n';
        int32_t point = lb_ctl_next(span, &offset);
        size_t len = lb_utf8_put(feed ? '\n' : (uint32_t)point, bytes);
        (void)fwrite(bytes, 1, len, out); /* a failed stream is told once, at the end */
    }
}

void lb_ctl_put(FILE *out, const char *text)
{
    put(out, text, false);
}

void lb_ctl_put_lines(FILE *out, const char *text)
{
    put(out, text, true);
}

const char *lb_ctl_utf8(struct lb_arena *arena, const char *text)
{
    struct lb_span span = lb_span_str(text);
    size_t offset = 0, len = 0;
    if (lb_utf8_valid(span))
        return lb_arena_str(arena, span);
    uint8_t *out = lb_arena_alloc(arena, 3 * span.len + 1); /* U+FFFD takes three bytes */
    if (out == NULL)
        return NULL;
    while (offset < span.len) {
        int32_t point = lb_utf8_next(span, &offset);
        offset += point < 0;
        len += lb_utf8_put(point < 0 ? REPLACEMENT : (uint32_t)point, out + len);
    }
    out[len] = 0;
    return (const char *)out;
}

const char *lb_ctl_mask_name(struct lb_arena *arena, const char *name)
{
    struct lb_span span = lb_span_str(name);
    size_t offset = 0;
    int32_t point = lb_ctl_next(span, &offset);
    if (point < 0)
        return lb_arena_str(arena, lb_span_str("*"));
    uint8_t first[4];
    size_t len = lb_utf8_put((uint32_t)point, first);
    return lb_arena_printf(arena, "%.*s*", (int)len, (const char *)first);
}

/* --- times and numbers --- */

#define LAST_YEAR_S 253402300799LL /* 9999-12-31T23:59:59Z */

void lb_ctl_time(int64_t unix_ms, char out[LB_CTL_TIME_BYTES])
{
    struct tm utc;
    char head[24];
    time_t seconds = (time_t)(unix_ms / 1000);
    bool fits = unix_ms >= 0 && seconds <= LAST_YEAR_S && gmtime_r(&seconds, &utc) != NULL;
    if (!fits || strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        (void)snprintf(out, LB_CTL_TIME_BYTES, "?");
    else
        (void)snprintf(out, LB_CTL_TIME_BYTES, "%s.%03dZ", head, (int)(unix_ms % 1000));
}

/* Reads exactly `digits` digits and, if there is one, the character that must follow. */
static bool take(const char **at, int digits, char after, int *out)
{
    int value = 0;
    for (int i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += digits;
    if (after != 0 && *(*at)++ != after)
        return false;
    *out = value;
    return true;
}

static bool take_zone(const char **at, int *out_minutes)
{
    int hours = 0, minutes = 0;
    char sign = **at;
    *out_minutes = 0;
    if (sign == 0)
        return true;
    (*at)++;
    if (sign == 'Z')
        return true;
    if ((sign != '+' && sign != '-') || !take(at, 2, ':', &hours) || !take(at, 2, 0, &minutes))
        return false;
    *out_minutes = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
    return hours <= 14 && minutes <= 59;
}

static bool take_clock(const char **at, struct tm *tm, int *out_zone)
{
    if (*(*at)++ != 'T' || !take(at, 2, ':', &tm->tm_hour) || !take(at, 2, 0, &tm->tm_min))
        return false;
    if (**at == ':') {
        (*at)++;
        if (!take(at, 2, 0, &tm->tm_sec))
            return false;
    }
    return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59 && take_zone(at, out_zone);
}

lb_status lb_ctl_time_parse(const char *text, int64_t *out_unix_ms)
{
    struct tm tm = {.tm_isdst = 0};
    const char *at = text;
    int zone = 0;
    bool date = take(&at, 4, '-', &tm.tm_year) && take(&at, 2, '-', &tm.tm_mon) &&
                take(&at, 2, 0, &tm.tm_mday);
    LB_ENSURE(date && tm.tm_year >= 1970, LB_MALFORMED, "not a date");
    LB_ENSURE(*at == 0 || take_clock(&at, &tm, &zone), LB_MALFORMED, "not a time");
    LB_ENSURE(*at == 0, LB_MALFORMED, "something follows the time");
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm wanted = tm;
    time_t seconds = timegm(&tm);
    /* timegm turns 31 June into 1 July. */
    bool exists = tm.tm_mon == wanted.tm_mon && tm.tm_mday == wanted.tm_mday;
    LB_ENSURE(exists, LB_MALFORMED, "there is no such date");
    *out_unix_ms = ((int64_t)seconds - zone * 60) * 1000;
    return LB_OK;
}

bool lb_ctl_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    size_t len = strlen(text);
    int64_t value = 0;
    if (len == 0 || len > 18)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}
