#include "gateway/audit/html.h"

#include <time.h>

#include "gateway/base/html.h"
#include "gateway/base/utf8.h"

#define REPLACEMENT 0xFFFD

static bool turns_direction(int32_t point)
{
    return point == 0x061C || point == 0x180E || (point >= 0x200B && point <= 0x200F) ||
           (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
           point == 0xFEFF;
}

static void put_point(struct lb_buf *out, int32_t point)
{
    uint8_t bytes[4];
    bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    if (control || turns_direction(point))
        point = REPLACEMENT;
    const char *entity = lb_html_entity((uint32_t)point);
    if (point == '\'')
        entity = "&#39;";
    if (point == '`')
        entity = "&#96;";
    if (entity != NULL)
        lb_buf_put_str(out, entity);
    else
        lb_buf_put(out, lb_span_of(bytes, lb_utf8_put((uint32_t)point, bytes)));
}

void lb_html_text(struct lb_buf *out, const char *text)
{
    struct lb_span all = lb_span_str(text);
    size_t at = 0;
    while (at < all.len) {
        size_t before = at;
        int32_t point = lb_utf8_next(all, &at);
        if (point < 0) { /* one byte that is none */
            point = REPLACEMENT;
            at = before + 1;
        }
        put_point(out, point);
    }
}

void lb_html_time(struct lb_buf *out, int64_t unix_ms, int64_t zone_ms)
{
    char text[32] = "?";
    struct tm parts;
    time_t seconds = (time_t)((unix_ms + zone_ms) / 1000);
    if (gmtime_r(&seconds, &parts) != NULL && parts.tm_year <= 9999 - 1900)
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    lb_buf_put_str(out, text);
}
