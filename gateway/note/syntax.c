#include "gateway/note/syntax.h"

#include "gateway/base/hex.h"
#include "gateway/base/utf8.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"

#define MAX_NAME_BYTES (sizeof(((struct lb_note_verifier *)NULL)->name) - 1)
#define KEY_ARENA_BYTES 256
#define MAX_LINE_BYTES 8192  /* the longest signature in use, ML-DSA-44, takes 3.3 KiB */
#define DASH "\xe2\x80\x94 "

/* Unicode's White_Space property. */
static bool is_space(int32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

bool lb_note_name_ok(struct lb_span name)
{
    if (name.len == 0 || name.len > MAX_NAME_BYTES)
        return false;
    for (size_t at = 0; at < name.len;) {
        int32_t c = lb_utf8_next(name, &at);
        if (c < 0x20 || c == '+' || is_space(c))
            return false;
    }
    return true;
}

bool lb_note_text_ok(struct lb_span text)
{
    if (text.len == 0 || text.ptr[text.len - 1] != '\n')
        return false;
    for (size_t at = 0; at < text.len;) {
        int32_t c = lb_utf8_next(text, &at);
        if (c < 0x20 && c != '\n')
            return false;
    }
    return true;
}

void lb_note_key_id(struct lb_span name, uint8_t alg,
                    const uint8_t public_key[LB_ED25519_PUBLIC_BYTES],
                    uint8_t out_id[LB_NOTE_KEY_ID_BYTES])
{
    const uint8_t separator[] = {'\n', alg};
    const struct lb_span parts[] = {
        name,
        lb_span_of(separator, sizeof(separator)),
        lb_span_of(public_key, LB_ED25519_PUBLIC_BYTES),
    };
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256_parts(parts, 3, digest);
    memcpy(out_id, digest, LB_NOTE_KEY_ID_BYTES);
}

/* Takes what stands before the first `end` off *rest; false if there is none. */
static bool take_until(struct lb_span *rest, char end, struct lb_span *out)
{
    const uint8_t *at = rest->len == 0 ? NULL : memchr(rest->ptr, end, rest->len);
    if (at == NULL)
        return false;
    size_t len = (size_t)(at - rest->ptr);
    *out = lb_span_of(rest->ptr, len);
    *rest = lb_span_of(at + 1, rest->len - len - 1);
    return true;
}

static lb_status key_id_parse(struct lb_span digits, uint8_t out[LB_NOTE_KEY_ID_BYTES])
{
    for (size_t i = 0; i < digits.len; i++)
        LB_ENSURE(digits.ptr[i] < 'A' || digits.ptr[i] > 'F', LB_MALFORMED, "upper-case key id");
    return lb_hex_decode(digits, out, LB_NOTE_KEY_ID_BYTES);
}

lb_status lb_note_key_text_parse(struct lb_span text, uint8_t alg, struct lb_note_key_text *out)
{
    struct lb_note_key_text key;
    struct lb_span digits;
    /* base64 has '+' of its own, a name has none: only the first two separate. */
    LB_ENSURE(take_until(&text, '+', &key.name) && lb_note_name_ok(key.name), LB_MALFORMED,
              "name of a note key");
    LB_ENSURE(take_until(&text, '+', &digits), LB_MALFORMED, "id of a note key");
    LB_TRY(key_id_parse(digits, key.key_id));
    LB_ENSURE(text.len == 44, LB_MALFORMED, "length of a note key");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(KEY_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "note key");
    struct lb_span bytes;
    LB_TRY(lb_b64_decode(arena, text, &bytes));
    LB_ENSURE(bytes.len == 1 + sizeof(key.bytes) && bytes.ptr[0] == alg,
              LB_MALFORMED, "algorithm of a note key");
    memcpy(key.bytes, bytes.ptr + 1, sizeof(key.bytes));
    *out = key;
    lb_wipe(&key, sizeof(key));
    return LB_OK;
}

/* Where the signature lines begin, behind the last two LFs in a row; 0 if there is no such
 * place. */
static size_t lines_at(struct lb_span note)
{
    for (size_t at = note.len; at >= 2; at--) {
        if (note.ptr[at - 1] == '\n' && note.ptr[at - 2] == '\n')
            return at;
    }
    return 0;
}

lb_status lb_note_split(struct lb_span note, struct lb_span *out_text, struct lb_span *out_lines)
{
    LB_ENSURE(note.len <= LB_NOTE_MAX_BYTES, LB_MALFORMED, "note is too long");
    LB_ENSURE(lb_note_text_ok(note), LB_MALFORMED, "characters of a note");
    size_t at = lines_at(note);
    LB_ENSURE(at > 0 && at < note.len, LB_MALFORMED, "note without signatures");
    *out_text = lb_span_of(note.ptr, at - 1);
    *out_lines = lb_span_of(note.ptr + at, note.len - at);
    return LB_OK;
}

lb_status lb_note_next_line(struct lb_span *lines, struct lb_arena *arena,
                            struct lb_note_signature *out)
{
    const struct lb_span dash = lb_span_str(DASH);
    struct lb_span line;
    LB_ENSURE(take_until(lines, '\n', &line) && line.len <= MAX_LINE_BYTES, LB_MALFORMED,
              "length of a signature line");
    LB_ENSURE(line.len > dash.len && lb_span_eq(lb_span_of(line.ptr, dash.len), dash),
              LB_MALFORMED, "start of a signature line");
    line = lb_span_of(line.ptr + dash.len, line.len - dash.len);
    struct lb_note_signature signature;
    LB_ENSURE(take_until(&line, ' ', &signature.name) && lb_note_name_ok(signature.name),
              LB_MALFORMED, "name of a signature");
    struct lb_span bytes;
    LB_TRY(lb_b64_decode(arena, line, &bytes));
    LB_ENSURE(bytes.len > LB_NOTE_KEY_ID_BYTES, LB_MALFORMED, "signature is too short");
    memcpy(signature.key_id, bytes.ptr, LB_NOTE_KEY_ID_BYTES);
    signature.bytes =
        lb_span_of(bytes.ptr + LB_NOTE_KEY_ID_BYTES, bytes.len - LB_NOTE_KEY_ID_BYTES);
    *out = signature;
    return LB_OK;
}
