#include "gateway/base/utf8.h"

#include <string.h>

static int sequence_len(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

static bool in_range(uint32_t point, int len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return point >= least[len] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

int32_t lb_utf8_next(struct lb_span text, size_t *offset)
{
    if (*offset >= text.len)
        return -1;
    const uint8_t *at = text.ptr + *offset;
    int len = sequence_len(at[0]);
    if (len == 0 || (size_t)len > text.len - *offset)
        return -2;
    static const uint8_t lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = at[0] & lead_mask[len];
    for (int i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return -2;
        point = point << 6 | (at[i] & 0x3F);
    }
    if (!in_range(point, len))
        return -2;
    *offset += (size_t)len;
    return (int32_t)point;
}

/* Most of most texts is plain ASCII, which is passed over by the word: where the next other byte
 * stands, or the end. */
static size_t skip_ascii(struct lb_span text, size_t offset)
{
    uint64_t word = 0;
    for (; text.len - offset >= sizeof(word); offset += sizeof(word)) {
        memcpy(&word, text.ptr + offset, sizeof(word));
        if ((word & 0x8080808080808080U) != 0)
            break;
    }
    while (offset < text.len && text.ptr[offset] < 0x80)
        offset++;
    return offset;
}

bool lb_utf8_valid(struct lb_span text)
{
    size_t offset = skip_ascii(text, 0);
    while (offset < text.len) {
        if (lb_utf8_next(text, &offset) < 0)
            return false;
        offset = skip_ascii(text, offset);
    }
    return true;
}

bool lb_utf8_line(const char *text, size_t max_bytes)
{
    size_t len = strnlen(text, max_bytes + 1);
    if (len == 0 || len > max_bytes || !lb_utf8_valid(lb_span_of(text, len)))
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    }
    return true;
}

size_t lb_utf8_put(uint32_t point, uint8_t *out)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xC0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xE0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (point & 0x3F));
    return 4;
}
