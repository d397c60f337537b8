#include "gateway/seal/padded.h"

#include <string.h>

#define LENGTH_BYTES 4U

lb_status lb_padded_wrap(struct lb_span message, size_t size, struct lb_arena *arena,
                         struct lb_span *out)
{
    LB_ENSURE(size >= LENGTH_BYTES && message.len <= size - LENGTH_BYTES &&
                  message.len <= UINT32_MAX,
              LB_TOO_LARGE, "message does not fit its frame");
    uint8_t *framed = lb_arena_alloc(arena, size);
    LB_ENSURE(framed != NULL, LB_NO_MEMORY, "arena is full");
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        framed[i] = (uint8_t)(message.len >> (8 * (LENGTH_BYTES - 1 - i)));
    if (message.len > 0)
        memcpy(framed + LENGTH_BYTES, message.ptr, message.len);
    *out = lb_span_of(framed, size);
    return LB_OK;
}

lb_status lb_padded_unwrap(struct lb_span framed, struct lb_span *out)
{
    LB_ENSURE(framed.len >= LENGTH_BYTES, LB_MALFORMED, "frame is too short");
    size_t len = 0;
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        len = len << 8 | framed.ptr[i];
    LB_ENSURE(len <= framed.len - LENGTH_BYTES, LB_MALFORMED, "frame is shorter than it says");
    uint8_t rest = 0;
    for (size_t i = LENGTH_BYTES + len; i < framed.len; i++)
        rest |= framed.ptr[i];
    LB_ENSURE(rest == 0, LB_MALFORMED, "padding is not zero");
    *out = lb_span_of(framed.ptr + LENGTH_BYTES, len);
    return LB_OK;
}

size_t lb_padded_size(size_t len, size_t step)
{
    return (len + LENGTH_BYTES + step - 1) / step * step;
}
