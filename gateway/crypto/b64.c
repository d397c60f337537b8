#include "gateway/crypto/b64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* What follows the last whole group of three bytes, missing ones zero. */
static char *encode_rest(struct lb_span rest, const char *alphabet, bool padded, char *at)
{
    uint32_t group = (uint32_t)rest.ptr[0] << 16;
    if (rest.len > 1)
        group |= (uint32_t)rest.ptr[1] << 8;
    for (size_t c = 0; c <= rest.len; c++)
        *at++ = alphabet[group >> (18 - 6 * c) & 63];
    for (size_t c = rest.len; padded && c < 3; c++)
        *at++ = '=';
    return at;
}

static char *encode(struct lb_arena *arena, struct lb_span bytes, const char *alphabet, bool padded)
{
    if (bytes.len > SIZE_MAX / 2)
        return NULL;
    char *text = lb_arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    if (text == NULL)
        return NULL;
    char *at = text;
    const size_t whole = bytes.len - bytes.len % 3;
    for (size_t i = 0; i < whole; i += 3) {
        const uint8_t *in = bytes.ptr + i;
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *at++ = alphabet[group >> 18];
        *at++ = alphabet[group >> 12 & 63];
        *at++ = alphabet[group >> 6 & 63];
        *at++ = alphabet[group & 63];
    }
    if (whole < bytes.len)
        at = encode_rest(lb_span_of(bytes.ptr + whole, bytes.len - whole), alphabet, padded, at);
    *at = '\0';
    return text;
}

char *lb_b64_encode(struct lb_arena *arena, struct lb_span bytes)
{
    return encode(arena, bytes, standard, true);
}

char *lb_b64url_encode(struct lb_arena *arena, struct lb_span bytes)
{
    return encode(arena, bytes, url_safe, false);
}

/* A digit's value and one, so that what is no digit is 0. */
#define LETTERS                                                                                    \
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,        \
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15,             \
    ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22,            \
    ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29,            \
    ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,            \
    ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43,            \
    ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50,            \
    ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57,            \
    ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62
static const uint8_t standard_digits[256] = {LETTERS, ['+'] = 63, ['/'] = 64};
static const uint8_t url_safe_digits[256] = {LETTERS, ['-'] = 63, ['_'] = 64};
/* The ones of four digits. */
#define ONES (1U << 18 | 1U << 12 | 1U << 6 | 1U)

/* The last two or three digits, whose unused bits must be zero. */
static lb_status decode_rest(struct lb_span digits, const uint8_t values[256], uint8_t *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint32_t digit = values[digits.ptr[i]];
        LB_ENSURE(digit > 0, LB_MALFORMED, "not a base64 digit");
        bits |= (digit - 1) << (18 - 6 * i);
    }
    *out++ = (uint8_t)(bits >> 16);
    bits &= 0xffff;
    if (digits.len == 3) {
        *out = (uint8_t)(bits >> 8);
        bits &= 0xff;
    }
    LB_ENSURE(bits == 0, LB_MALFORMED, "base64 trailing bits");
    return LB_OK;
}

/* Decodes digits without padding into out, which has room for len * 3 / 4 bytes. */
static lb_status decode_digits(struct lb_span digits, const uint8_t values[256], uint8_t *out)
{
    const size_t whole = digits.len - digits.len % 4;
    for (size_t i = 0; i < whole; i += 4) {
        const uint8_t *in = digits.ptr + i;
        const uint32_t a = values[in[0]], b = values[in[1]], c = values[in[2]], d = values[in[3]];
        LB_ENSURE(a > 0 && b > 0 && c > 0 && d > 0, LB_MALFORMED, "not a base64 digit");
        const uint32_t group = (a << 18) + (b << 12) + (c << 6) + d - ONES;
        *out++ = (uint8_t)(group >> 16);
        *out++ = (uint8_t)(group >> 8);
        *out++ = (uint8_t)group;
    }
    if (whole == digits.len)
        return LB_OK;
    return decode_rest(lb_span_of(digits.ptr + whole, digits.len - whole), values, out);
}

static lb_status decode(struct lb_arena *arena, struct lb_span digits, const uint8_t values[256],
                        struct lb_span *out)
{
    LB_ENSURE(digits.len % 4 != 1, LB_MALFORMED, "base64 length");
    size_t len = digits.len / 4 * 3 + digits.len % 4 * 3 / 4;
    uint8_t *bytes = lb_arena_alloc(arena, len + 1);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(decode_digits(digits, values, bytes));
    *out = lb_span_of(bytes, len);
    return LB_OK;
}

lb_status lb_b64_decode(struct lb_arena *arena, struct lb_span text, struct lb_span *out)
{
    LB_ENSURE(text.len % 4 == 0, LB_MALFORMED, "base64 length");
    /* Two signs of padding at most; a third is then not a digit. */
    for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return decode(arena, text, standard_digits, out);
}

lb_status lb_b64url_decode(struct lb_arena *arena, struct lb_span text, struct lb_span *out)
{
    return decode(arena, text, url_safe_digits, out);
}
