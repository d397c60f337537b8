#include "gateway/base/hex.h"

void lb_hex_encode(struct lb_span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[bytes.ptr[i] >> 4];
        out[2 * i + 1] = digits[bytes.ptr[i] & 15];
    }
    out[2 * bytes.len] = 0;
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

lb_status lb_hex_decode(struct lb_span text, uint8_t *out, size_t out_len)
{
    LB_ENSURE(text.len == 2 * out_len, LB_MALFORMED, "hex has the wrong length");
    for (size_t i = 0; i < text.len; i++)
        LB_ENSURE(digit(text.ptr[i]) >= 0, LB_MALFORMED, "not a hex digit");
    for (size_t i = 0; i < out_len; i++)
        out[i] = (uint8_t)(digit(text.ptr[2 * i]) << 4 | digit(text.ptr[2 * i + 1]));
    return LB_OK;
}
