#include "gateway/crypto/b64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Three bytes at most as one 24-bit number, missing ones zero. */
static uint32_t group_of(const uint8_t *bytes, size_t num)
{
    uint32_t group = (uint32_t)bytes[0] << 16;
    if (num > 1)
        group |= (uint32_t)bytes[1] << 8;
    if (num > 2)
        group |= bytes[2];
    return group;
}

static char *encode(struct lb_arena *arena, struct lb_span bytes, const char *alphabet, bool padded)
{
    if (bytes.len > SIZE_MAX / 2)
        return NULL;
    char *text = lb_arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    if (text == NULL)
        return NULL;
    char *at = text;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t num = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = group_of(bytes.ptr + i, num);
        for (size_t c = 0; c <= num; c++)
            *at++ = alphabet[group >> (18 - 6 * c) & 63];
        for (size_t c = num; padded && c < 3; c++)
            *at++ = '=';
    }
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

/* The value of one digit, 64 if it is none. c62 and c63 are the alphabet's last two. */
static uint32_t digit_of(uint8_t c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    if (c == (uint8_t)c62)
        return 62;
    return c == (uint8_t)c63 ? 63 : 64;
}

/* Decodes digits without padding into out, which has room for len * 3 / 4 bytes. */
static lb_status decode_digits(struct lb_span digits, const char *alphabet, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned num_bits = 0;
    for (size_t i = 0; i < digits.len; i++) {
        uint32_t digit = digit_of(digits.ptr[i], alphabet[62], alphabet[63]);
        LB_ENSURE(digit < 64, LB_MALFORMED, "not a base64 digit");
        bits = bits << 6 | digit;
        num_bits += 6;
        if (num_bits >= 8) {
            num_bits -= 8;
            *out++ = (uint8_t)(bits >> num_bits);
            bits &= (1U << num_bits) - 1;
        }
    }
    LB_ENSURE(bits == 0, LB_MALFORMED, "base64 trailing bits");
    return LB_OK;
}

static lb_status decode(struct lb_arena *arena, struct lb_span digits, const char *alphabet,
                        struct lb_span *out)
{
    LB_ENSURE(digits.len % 4 != 1, LB_MALFORMED, "base64 length");
    size_t len = digits.len / 4 * 3 + digits.len % 4 * 3 / 4;
    uint8_t *bytes = lb_arena_alloc(arena, len + 1);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(decode_digits(digits, alphabet, bytes));
    *out = lb_span_of(bytes, len);
    return LB_OK;
}

lb_status lb_b64_decode(struct lb_arena *arena, struct lb_span text, struct lb_span *out)
{
    LB_ENSURE(text.len % 4 == 0, LB_MALFORMED, "base64 length");
    /* Two signs of padding at most; a third is then not a digit. */
    for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return decode(arena, text, standard, out);
}

lb_status lb_b64url_decode(struct lb_arena *arena, struct lb_span text, struct lb_span *out)
{
    return decode(arena, text, url_safe, out);
}
