#include "gateway/token/slip.h"

#include "gateway/crypto/hash.h"

#define NUM_DATA 18
#define NUM_CHARS 20
#define GROUP 4
#define MAX_TYPED_BYTES 64

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Twice five bits of SHA-256("lianban slip v1" || the eighteen characters). */
static void add_checksum(char chars[NUM_CHARS])
{
    uint8_t digest[LB_SHA256_BYTES];
    const struct lb_span parts[] = {lb_span_str("lianban slip v1"), lb_span_of(chars, NUM_DATA)};
    lb_sha256_parts(parts, 2, digest);
    chars[NUM_DATA] = ALPHABET[digest[0] >> 3];
    chars[NUM_DATA + 1] = ALPHABET[digest[1] >> 3];
}

static void write_groups(const char chars[NUM_CHARS], char out[LB_SLIP_CODE_BYTES])
{
    size_t at = 0;
    for (size_t i = 0; i < NUM_CHARS; i++) {
        if (i > 0 && i % GROUP == 0)
            out[at++] = '-';
        out[at++] = chars[i];
    }
    out[at] = '\0';
}

void lb_slip_code(const uint8_t secret[LB_SLIP_SECRET_BYTES], char out[LB_SLIP_CODE_BYTES])
{
    char chars[NUM_CHARS];
    for (size_t i = 0; i < NUM_DATA; i++) {
        size_t bit = i * 5;
        unsigned pair = (unsigned)secret[bit / 8] << 8 | secret[bit / 8 + 1];
        chars[i] = ALPHABET[pair >> (11 - bit % 8) & 31U];
    }
    add_checksum(chars);
    write_groups(chars, out);
}

/* The character that is meant; 0 when there is none. */
static char meant(char typed)
{
    char upper = typed >= 'a' && typed <= 'z' ? (char)(typed - 'a' + 'A') : typed;
    if (upper == 'O')
        return '0';
    if (upper == 'I' || upper == 'L')
        return '1';
    return upper != '\0' && strchr(ALPHABET, upper) != NULL ? upper : '\0';
}

lb_status lb_slip_normalise(struct lb_span typed, char out[LB_SLIP_CODE_BYTES])
{
    char chars[NUM_CHARS], right[NUM_CHARS];
    size_t num = 0;
    LB_ENSURE(typed.len <= MAX_TYPED_BYTES, LB_MALFORMED, "a slip's code is too long");
    for (size_t i = 0; i < typed.len; i++) {
        if (typed.ptr[i] == '-' || typed.ptr[i] == ' ')
            continue;
        char character = meant((char)typed.ptr[i]);
        LB_ENSURE(character != '\0' && num < NUM_CHARS, LB_MALFORMED, "no slip's code");
        chars[num++] = character;
    }
    LB_ENSURE(num == NUM_CHARS, LB_MALFORMED, "a slip's code is too short");
    memcpy(right, chars, sizeof(right));
    add_checksum(right);
    LB_ENSURE(memcmp(right, chars, sizeof(right)) == 0, LB_MALFORMED, "a slip's code was mistyped");
    write_groups(chars, out);
    return LB_OK;
}
