#include "adapters/odbc/inside.h"
#include "gateway/base/utf8.h"

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

lb_status lb_odbc_wide(const char *text, struct lb_arena *arena, SQLWCHAR **out)
{
    struct lb_span span = lb_span_str(text);
    SQLWCHAR *wide = lb_arena_array(arena, span.len + 1, sizeof(*wide));
    size_t offset = 0;
    size_t len = 0;
    int32_t point = 0;
    LB_ENSURE(wide != NULL, LB_NO_MEMORY, "arena full");
    while ((point = lb_utf8_next(span, &offset)) >= 0) {
        if (point < 0x10000) {
            wide[len++] = (SQLWCHAR)point;
            continue;
        }
        wide[len++] = (SQLWCHAR)(0xD800 + ((point - 0x10000) >> 10));
        wide[len++] = (SQLWCHAR)(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
    LB_ENSURE(point == -1, LB_CONFIG_INVALID, "text that is not UTF-8");
    wide[len] = 0;
    *out = wide;
    return LB_OK;
}

lb_status lb_odbc_narrow(const SQLWCHAR *wide, size_t len, struct lb_arena *arena,
                         struct lb_span *out)
{
    uint8_t *text = lb_arena_alloc(arena, len * 3 + 1);
    size_t bytes = 0;
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < len; i++) {
        uint32_t point = wide[i];
        LB_ENSURE(!is_low(point), LB_ABSENT, "half of a character");
        if (is_high(point)) {
            LB_ENSURE(i + 1 < len && is_low(wide[i + 1]), LB_ABSENT, "half of a character");
            point = 0x10000 + ((point - 0xD800) << 10) + (wide[++i] - 0xDC00U);
        }
        bytes += lb_utf8_put(point, text + bytes);
    }
    *out = lb_span_of(text, bytes);
    return LB_OK;
}
