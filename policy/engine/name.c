#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "policy/engine/fold.h"
#include "policy/engine/idno.h"

/* Names and texts in the form that EQ compares. docs/OPERATORS.md lists every mapping. */

static bool is_space(uint32_t point)
{
    if ((point >= 0x09 && point <= 0x0D) || (point >= 0x2000 && point <= 0x200A))
        return true;
    switch (point) {
    case 0x20:
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000:
        return true;
    default:
        return false;
    }
}

/* What copying leaves behind and nobody sees: joiners, marks of direction, byte order marks, and
 * the selectors of a glyph's variant, which are no other character. */
static bool is_invisible(uint32_t point)
{
    if ((point >= 0x200B && point <= 0x200F) || (point >= 0x202A && point <= 0x202E))
        return true;
    if ((point >= 0x2060 && point <= 0x2064) || (point >= 0x2066 && point <= 0x2069))
        return true;
    if ((point >= 0xFE00 && point <= 0xFE0F) || (point >= 0xE0100 && point <= 0xE01EF))
        return true;
    return point == 0xAD || point == 0xFEFF;
}

static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

/* The dots people type between the parts of a minority name; a full stop is one of them. */
static bool is_middle_dot(uint32_t point)
{
    switch (point) {
    case '.':
    case 0x00B7:
    case 0x0387:
    case 0x16EB:
    case 0x2022:
    case 0x2024:
    case 0x2027:
    case 0x2219:
    case 0x22C5:
    case 0x2E31:
    case 0x30FB:
    case 0xFF65:
        return true;
    default:
        return false;
    }
}

/* Full-width forms to half-width ones, and ideographs kept for old character sets to plain ones. */
static uint32_t fold_width(uint32_t point)
{
    if (point >= 0xFF01 && point <= 0xFF5E)
        return point - 0xFF01 + 0x21;
    return lb_fold_ideograph(point);
}

static uint32_t fold_name(uint32_t point)
{
    point = fold_width(point);
    if (is_middle_dot(point))
        return 0x00B7;
    bool ascii = point >= 'a' && point <= 'z';
    bool latin1 = point >= 0xE0 && point <= 0xFE && point != 0xF7;
    return ascii || latin1 ? point - 0x20 : point;
}

/* A folded character may take one byte more than it had; four bytes more let the encoder write
 * without a look at the end. */
static lb_status make_room(struct lb_span text, struct lb_arena *arena, uint8_t **out)
{
    LB_ENSURE(text.len <= LB_MAX_VALUE_BYTES, LB_TOO_LARGE, "a text longer than any");
    *out = lb_arena_alloc(arena, text.len * 2 + 4);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

lb_status lb_name_normalise(struct lb_span name, struct lb_arena *arena, struct lb_span *out)
{
    uint8_t *folded = NULL;
    size_t len = 0;
    size_t offset = 0;
    int32_t point;
    LB_TRY(make_room(name, arena, &folded));
    while ((point = lb_utf8_next(name, &offset)) >= 0) {
        if (is_space((uint32_t)point) || is_invisible((uint32_t)point))
            continue;
        LB_ENSURE(!is_control((uint32_t)point), LB_MALFORMED, "control character in a name");
        len += lb_utf8_put(fold_name((uint32_t)point), folded + len);
    }
    LB_ENSURE(point == -1, LB_MALFORMED, "a name that is not UTF-8");
    LB_ENSURE(len > 0, LB_MALFORMED, "an empty name");
    *out = lb_span_of(folded, len);
    return LB_OK;
}

lb_status lb_text_normalise(struct lb_span text, struct lb_arena *arena, struct lb_span *out)
{
    uint8_t *folded = NULL;
    size_t len = 0;
    size_t offset = 0;
    bool gap = false;
    int32_t point;
    LB_TRY(make_room(text, arena, &folded));
    while ((point = lb_utf8_next(text, &offset)) >= 0) {
        if (is_invisible((uint32_t)point))
            continue;
        bool space = is_space((uint32_t)point);
        LB_ENSURE(space || !is_control((uint32_t)point), LB_MALFORMED,
                  "control character in a text");
        if (!space && gap && len > 0)
            folded[len++] = ' ';
        if (!space)
            len += lb_utf8_put(fold_width((uint32_t)point), folded + len);
        gap = space;
    }
    LB_ENSURE(point == -1, LB_MALFORMED, "a text that is not UTF-8");
    LB_ENSURE(len > 0, LB_MALFORMED, "an empty text");
    *out = lb_span_of(folded, len);
    return LB_OK;
}

struct lb_span lb_text_trim(struct lb_span text)
{
    size_t offset = 0;
    size_t from = text.len;
    size_t until = 0;
    while (offset < text.len) {
        size_t start = offset;
        int32_t point = lb_utf8_next(text, &offset);
        if (point < 0)
            return text;
        if (is_space((uint32_t)point))
            continue;
        from = start < from ? start : from;
        until = offset;
    }
    return until == 0 ? LB_SPAN_EMPTY : lb_span_of(text.ptr + from, until - from);
}
