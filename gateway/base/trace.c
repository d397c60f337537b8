#include "gateway/base/trace.h"

#include <stdio.h>
#include <sys/random.h>

#include "gateway/base/hex.h"

#define ID_CHARS 32U
#define SPAN_CHARS 16U
#define TEXT_CHARS (LB_TRACE_BYTES - 1U)
#define SAMPLED 1

static bool is_lower_hex(const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((text[i] < '0' || text[i] > '9') && (text[i] < 'a' || text[i] > 'f'))
            return false;
    }
    return true;
}

/* All of one character or of digits alone. */
static bool is_within(const uint8_t *text, size_t len, uint8_t first, uint8_t last)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < first || text[i] > last)
            return false;
    }
    return true;
}

bool lb_trace_parse(struct lb_span text, struct lb_trace *out)
{
    const uint8_t *at = text.ptr;
    if (text.len != TEXT_CHARS || memcmp(at, "00-", 3) != 0 || at[35] != '-' || at[52] != '-')
        return false;
    const uint8_t *id = at + 3, *span = at + 36, *flags = at + 53;
    if (!is_lower_hex(id, ID_CHARS) || is_within(id, ID_CHARS, '0', '9') ||
        !is_lower_hex(span, SPAN_CHARS) || is_within(span, SPAN_CHARS, '0', '0') ||
        flags[0] != '0' || (flags[1] != '0' && flags[1] != '1'))
        return false;
    *out = (struct lb_trace){.sampled = flags[1] == '1'};
    memcpy(out->id, id, ID_CHARS);
    memcpy(out->span, span, SPAN_CHARS);
    return true;
}

static bool put_random(char *out, size_t chars)
{
    uint8_t bytes[ID_CHARS / 2];
    if (getrandom(bytes, chars / 2, 0) != (ssize_t)(chars / 2))
        return false;
    bytes[0] |= 0x80U; /* never all zeros */
    lb_hex_encode(lb_span_of(bytes, chars / 2), out);
    out[0] = (char)('a' + (bytes[0] & 3U)); /* nor digits alone */
    return true;
}

void lb_trace_begin(struct lb_trace *out)
{
    struct lb_trace trace = {.sampled = false};
    *out = (struct lb_trace){.sampled = false};
    if (put_random(trace.id, ID_CHARS) && put_random(trace.span, SPAN_CHARS))
        *out = trace;
}

void lb_trace_take(struct lb_span text, struct lb_trace *out)
{
    if (!lb_trace_parse(text, out))
        lb_trace_begin(out);
}

void lb_trace_step(const struct lb_trace *from, struct lb_trace *out)
{
    struct lb_trace next = *from;
    if (from->id[0] == 0 || !put_random(next.span, SPAN_CHARS))
        next = (struct lb_trace){.sampled = false};
    *out = next;
}

void lb_trace_format(const struct lb_trace *trace, char out[LB_TRACE_BYTES])
{
    out[0] = 0;
    if (trace->id[0] != 0)
        (void)snprintf(out, LB_TRACE_BYTES, "00-%.32s-%.16s-0%d", trace->id, trace->span,
                       trace->sampled ? SAMPLED : 0);
}
