#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "policy/engine/idno.h"

/* White space of Unicode, and the two invisible characters that copying leaves in names. */
static bool is_space(uint32_t point)
{
    if ((point >= 0x09 && point <= 0x0D) || (point >= 0x2000 && point <= 0x200B))
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
    case 0xFEFF:
        return true;
    default:
        return false;
    }
}

static bool is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

/* The dots people type between the parts of a minority name. */
static bool is_middle_dot(uint32_t point)
{
    switch (point) {
    case 0x00B7:
    case 0x0387:
    case 0x16EB:
    case 0x2022:
    case 0x2027:
    case 0x30FB:
    case 0xFF65:
        return true;
    default:
        return false;
    }
}

static uint32_t fold(uint32_t point)
{
    if (is_middle_dot(point))
        return 0x00B7;
    if (point >= 0xFF01 && point <= 0xFF5E)
        point -= 0xFF01 - 0x21;
    bool ascii = point >= 'a' && point <= 'z';
    bool latin1 = point >= 0xE0 && point <= 0xFE && point != 0xF7;
    return ascii || latin1 ? point - 0x20 : point;
}

lb_status lb_name_normalise(struct lb_span name, struct lb_arena *arena, struct lb_span *out)
{
    LB_ENSURE(name.len <= LB_MAX_VALUE_BYTES, LB_TOO_LARGE, "a name longer than any name");
    /* No fold makes a character longer, so the result fits into the length of the name; four bytes
     * more let the encoder write without a look at the end. */
    uint8_t *folded = lb_arena_alloc(arena, name.len + 4);
    LB_ENSURE(folded != NULL, LB_NO_MEMORY, "arena full");
    size_t len = 0;
    size_t offset = 0;
    int32_t point;
    while ((point = lb_utf8_next(name, &offset)) >= 0) {
        if (is_space((uint32_t)point))
            continue;
        LB_ENSURE(!is_control((uint32_t)point), LB_MALFORMED, "control character in a name");
        len += lb_utf8_put(fold((uint32_t)point), folded + len);
    }
    LB_ENSURE(point == -1, LB_MALFORMED, "a name that is not UTF-8");
    LB_ENSURE(len > 0, LB_MALFORMED, "an empty name");
    *out = lb_span_of(folded, len);
    return LB_OK;
}
