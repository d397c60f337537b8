#include "gateway/note/cosign.h"

#include "gateway/base/buf.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/note/syntax.h"

#define LINE_ARENA_BYTES (16 * 1024)
#define HEADER_BYTES 64 /* "cosignature/v1\ntime <20 digits>\n" */

static bool id_is(const uint8_t a[LB_NOTE_KEY_ID_BYTES], const uint8_t b[LB_NOTE_KEY_ID_BYTES])
{
    return lb_span_eq(lb_span_of(a, LB_NOTE_KEY_ID_BYTES), lb_span_of(b, LB_NOTE_KEY_ID_BYTES));
}

static lb_status cosigner_make(struct lb_span name,
                               const uint8_t public_key[LB_ED25519_PUBLIC_BYTES],
                               struct lb_cosigner *out_cosigner)
{
    LB_ENSURE(lb_note_name_ok(name), LB_MALFORMED, "name of a cosigner");
    struct lb_cosigner cosigner = {.key = NULL};
    LB_TRY(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(public_key, LB_ED25519_PUBLIC_BYTES),
                             &cosigner.key));
    memcpy(cosigner.name, name.ptr, name.len);
    memcpy(cosigner.public_key, public_key, LB_ED25519_PUBLIC_BYTES);
    lb_note_key_id(name, LB_NOTE_ALG_COSIGNATURE, public_key, cosigner.key_id);
    *out_cosigner = cosigner;
    return LB_OK;
}

lb_status lb_cosigner_init(const char *name, const uint8_t public_key[32],
                           struct lb_cosigner *out_cosigner)
{
    return cosigner_make(lb_span_str(name), public_key, out_cosigner);
}

lb_status lb_cosigner_parse(struct lb_span vkey, struct lb_cosigner *out_cosigner)
{
    struct lb_note_key_text text;
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    LB_TRY(lb_note_key_text_parse(vkey, LB_NOTE_ALG_COSIGNATURE, &text));
    lb_note_key_id(text.name, LB_NOTE_ALG_COSIGNATURE, text.bytes, key_id);
    LB_ENSURE(id_is(key_id, text.key_id), LB_MALFORMED,
              "id of a cosigner's key does not fit");
    return cosigner_make(text.name, text.bytes, out_cosigner);
}

char *lb_cosigner_format(const struct lb_cosigner *cosigner, struct lb_arena *arena)
{
    uint8_t bytes[1 + LB_ED25519_PUBLIC_BYTES] = {LB_NOTE_ALG_COSIGNATURE};
    char key_id[2 * LB_NOTE_KEY_ID_BYTES + 1];
    memcpy(bytes + 1, cosigner->public_key, LB_ED25519_PUBLIC_BYTES);
    lb_hex_encode(lb_span_of(cosigner->key_id, LB_NOTE_KEY_ID_BYTES), key_id);
    const char *encoded = lb_b64_encode(arena, lb_span_of(bytes, sizeof(bytes)));
    if (encoded == NULL)
        return NULL;
    return lb_arena_printf(arena, "%s+%s+%s", cosigner->name, key_id, encoded);
}

void lb_cosigner_cleanup(struct lb_cosigner *cosigner)
{
    lb_verify_key_free(cosigner->key);
    *cosigner = (struct lb_cosigner){.key = NULL};
}

/* What is signed: two lines, then the note's text. */
static lb_status make_message(struct lb_span text, uint64_t unix_s, struct lb_buf *out)
{
    lb_buf_printf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)unix_s);
    lb_buf_put(out, text);
    return lb_buf_check(out);
}

lb_status lb_cosign(struct lb_span note, const char *name, const struct lb_sign_key *key,
                    int64_t unix_s, struct lb_arena *arena, struct lb_span *out_line)
{
    struct lb_span text, lines;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    uint8_t signature[LB_SIGNATURE_BYTES];
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    LB_ENSURE(unix_s > 0 && lb_note_name_ok(lb_span_str(name)) &&
                  lb_sign_key_alg(key) == LB_SIGN_ED25519,
              LB_MALFORMED, "a cosigner that cannot sign");
    LB_TRY(lb_note_split(note, &text, &lines));
    LB_DEFER(lb_buf_cleanup) struct lb_buf message;
    lb_buf_init(&message, HEADER_BYTES + text.len);
    LB_TRY(make_message(text, (uint64_t)unix_s, &message));
    LB_TRY(lb_sign(key, lb_buf_span(&message), signature));
    (void)lb_sign_key_public(key, public_key);
    lb_note_key_id(lb_span_str(name), LB_NOTE_ALG_COSIGNATURE, public_key, key_id);
    LB_DEFER(lb_buf_cleanup) struct lb_buf bytes;
    lb_buf_init(&bytes, LB_NOTE_KEY_ID_BYTES + LB_COSIGNATURE_BYTES);
    lb_buf_put(&bytes, lb_span_of(key_id, sizeof(key_id)));
    lb_buf_put_u64(&bytes, (uint64_t)unix_s);
    lb_buf_put(&bytes, lb_span_of(signature, sizeof(signature)));
    LB_TRY(lb_buf_check(&bytes));
    const char *encoded = lb_b64_encode(arena, lb_buf_span(&bytes));
    LB_ENSURE(encoded != NULL, LB_NO_MEMORY, "arena is full");
    const char *line = lb_arena_printf(arena, "\xe2\x80\x94 %s %s\n", name, encoded);
    LB_ENSURE(line != NULL, LB_NO_MEMORY, "arena is full");
    *out_line = lb_span_str(line);
    return LB_OK;
}

static lb_status verify_line(struct lb_span text, struct lb_span bytes,
                             const struct lb_cosigner *cosigner, int64_t *out_unix_s)
{
    LB_ENSURE(bytes.len == LB_COSIGNATURE_BYTES, LB_SIGNATURE_INVALID, "length of a cosignature");
    struct lb_cursor cursor = lb_cursor_of(bytes);
    uint64_t unix_s = lb_cursor_u64(&cursor);
    struct lb_span signature = lb_cursor_bytes(&cursor, LB_SIGNATURE_BYTES);
    LB_TRY(lb_cursor_end(&cursor));
    LB_ENSURE(unix_s > 0 && unix_s <= INT64_MAX, LB_SIGNATURE_INVALID, "time of a cosignature");
    LB_DEFER(lb_buf_cleanup) struct lb_buf message;
    lb_buf_init(&message, HEADER_BYTES + text.len);
    LB_TRY(make_message(text, unix_s, &message));
    LB_TRY(lb_verify(cosigner->key, lb_buf_span(&message), signature));
    *out_unix_s = (int64_t)unix_s;
    return LB_OK;
}

static bool is_by(const struct lb_note_signature *signature, const struct lb_cosigner *cosigner)
{
    return lb_span_is(signature->name, cosigner->name) &&
           id_is(signature->key_id, cosigner->key_id);
}

/* One line's part in the whole: nothing when it is another's. */
static lb_status look_at_line(struct lb_span text, const struct lb_note_signature *signature,
                              const struct lb_cosigner *cosigner, int64_t *latest, bool *out_newer)
{
    int64_t unix_s = 0;
    *out_newer = false;
    if (!is_by(signature, cosigner))
        return LB_OK;
    LB_TRY(verify_line(text, signature->bytes, cosigner, &unix_s));
    *out_newer = unix_s > *latest;
    if (*out_newer)
        *latest = unix_s;
    return LB_OK;
}

lb_status lb_cosign_verify(struct lb_span note, const struct lb_cosigner *cosigner,
                           int64_t *out_unix_s, struct lb_span *out_line)
{
    struct lb_span text, lines, found = LB_SPAN_EMPTY;
    int64_t latest = 0;
    LB_TRY(lb_note_split(note, &text, &lines));
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LINE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "signature lines");
    for (size_t num = 0; lines.len > 0; num++) {
        struct lb_note_signature signature;
        const uint8_t *from = lines.ptr;
        bool newer = false;
        lb_arena_reset(arena);
        LB_ENSURE(num < LB_NOTE_MAX_SIGNATURES, LB_MALFORMED, "too many signatures");
        LB_TRY(lb_note_next_line(&lines, arena, &signature));
        LB_TRY(look_at_line(text, &signature, cosigner, &latest, &newer));
        if (newer)
            found = lb_span_of(from, (size_t)(lines.ptr - from));
    }
    LB_ENSURE(latest > 0, LB_ABSENT, "this witness has not cosigned");
    *out_unix_s = latest;
    if (out_line != NULL)
        *out_line = found;
    return LB_OK;
}
