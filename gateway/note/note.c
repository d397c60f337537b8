#include "gateway/note/note.h"

#include "gateway/crypto/b64.h"
#include "gateway/note/syntax.h"

#define LINE_ARENA_BYTES (16 * 1024)
#define MAX_VERIFIERS 32

/* The base64 part of a signature line: key id and signature of the text. */
static lb_status sign_text(struct lb_span text, const uint8_t key_id[LB_NOTE_KEY_ID_BYTES],
                           const struct lb_sign_key *key, struct lb_arena *arena,
                           const char **out_encoded)
{
    uint8_t bytes[LB_NOTE_KEY_ID_BYTES + LB_SIGNATURE_BYTES];
    memcpy(bytes, key_id, LB_NOTE_KEY_ID_BYTES);
    LB_TRY(lb_sign(key, text, bytes + LB_NOTE_KEY_ID_BYTES));
    *out_encoded = lb_b64_encode(arena, lb_span_of(bytes, sizeof(bytes)));
    LB_ENSURE(*out_encoded != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static bool is_by(const struct lb_note_signature *signature, struct lb_span name,
                  const uint8_t key_id[LB_NOTE_KEY_ID_BYTES])
{
    return lb_span_eq(signature->name, name) &&
           lb_span_eq(lb_span_of(signature->key_id, LB_NOTE_KEY_ID_BYTES),
                      lb_span_of(key_id, LB_NOTE_KEY_ID_BYTES));
}

/* One more signature must leave the note one that everybody still opens. */
static lb_status check_room(struct lb_span lines, struct lb_span name,
                            const uint8_t key_id[LB_NOTE_KEY_ID_BYTES])
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LINE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "signature lines");
    for (size_t num = 0; lines.len > 0; num++) {
        struct lb_note_signature signature;
        lb_arena_reset(arena);
        LB_ENSURE(num + 1 < LB_NOTE_MAX_SIGNATURES, LB_MALFORMED, "too many signatures");
        LB_TRY(lb_note_next_line(&lines, arena, &signature));
        LB_ENSURE(!is_by(&signature, name, key_id), LB_MALFORMED, "this key has signed already");
    }
    return LB_OK;
}

lb_status lb_note_sign(struct lb_span note, bool existing, const char *name,
                       const struct lb_sign_key *key, struct lb_arena *arena,
                       struct lb_span *out_note)
{
    struct lb_span key_name = lb_span_str(name);
    LB_ENSURE(lb_note_name_ok(key_name), LB_MALFORMED, "name of a note key");
    LB_ENSURE(lb_sign_key_alg(key) == LB_SIGN_ED25519, LB_MALFORMED, "a note key is Ed25519");
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    uint8_t key_id[LB_NOTE_KEY_ID_BYTES];
    (void)lb_sign_key_public(key, public_key);
    lb_note_key_id(key_name, LB_NOTE_ALG_ED25519, public_key, key_id);
    struct lb_span text = note;
    struct lb_span lines = LB_SPAN_EMPTY;
    if (existing)
        LB_TRY(lb_note_split(note, &text, &lines));
    LB_ENSURE(lb_note_text_ok(text), LB_MALFORMED, "characters of a note");
    LB_TRY(check_room(lines, key_name, key_id));
    const char *encoded = NULL;
    LB_TRY(sign_text(text, key_id, key, arena, &encoded));
    LB_ENSURE(note.len <= LB_NOTE_MAX_BYTES - LINE_ARENA_BYTES, LB_MALFORMED, "note is too long");
    const char *signed_note =
        lb_arena_printf(arena, "%.*s%s\xe2\x80\x94 %s %s\n", (int)note.len,
                        (const char *)note.ptr, existing ? "" : "\n", name, encoded);
    LB_ENSURE(signed_note != NULL, LB_NO_MEMORY, "arena is full");
    *out_note = lb_span_str(signed_note);
    return LB_OK;
}

/* Sets the bit of the verifier that the signature names, if any; its signature must then be
 * good. */
static lb_status verify_line(struct lb_span text, const struct lb_note_signature *signature,
                             const struct lb_note_verifier *verifiers, size_t num_verifiers,
                             uint32_t *mask)
{
    for (size_t i = 0; i < num_verifiers; i++) {
        if (!is_by(signature, lb_span_str(verifiers[i].name), verifiers[i].key_id))
            continue;
        LB_TRY(lb_verify(verifiers[i].key, text, signature->bytes));
        *mask |= UINT32_C(1) << i;
    }
    return LB_OK;
}

lb_status lb_note_open(struct lb_span note, const struct lb_note_verifier *verifiers,
                       size_t num_verifiers, struct lb_span *out_text, uint32_t *out_mask)
{
    LB_ENSURE(num_verifiers <= MAX_VERIFIERS, LB_MALFORMED, "too many verifiers");
    struct lb_span text;
    struct lb_span lines;
    LB_TRY(lb_note_split(note, &text, &lines));
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LINE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "signature lines");
    uint32_t mask = 0;
    lb_status wrong = LB_OK;
    for (size_t num = 0; lines.len > 0; num++) {
        LB_ENSURE(num < LB_NOTE_MAX_SIGNATURES, LB_MALFORMED, "too many signatures");
        struct lb_note_signature signature;
        lb_arena_reset(arena);
        LB_TRY(lb_note_next_line(&lines, arena, &signature));
        /* Syntax comes first: a wrong signature is told only of a note that is one. */
        if (wrong == LB_OK)
            wrong = verify_line(text, &signature, verifiers, num_verifiers, &mask);
    }
    LB_TRY(wrong);
    LB_ENSURE(mask != 0, LB_SIGNATURE_INVALID, "no known key has signed");
    *out_text = text;
    *out_mask = mask;
    return LB_OK;
}

lb_status lb_note_signature_of(struct lb_span note, const struct lb_note_verifier *verifier,
                               uint8_t out[LB_SIGNATURE_BYTES])
{
    struct lb_span text;
    struct lb_span lines;
    LB_TRY(lb_note_split(note, &text, &lines));
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LINE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "signature lines");
    while (lines.len > 0) {
        struct lb_note_signature signature;
        lb_arena_reset(arena);
        LB_TRY(lb_note_next_line(&lines, arena, &signature));
        if (!is_by(&signature, lb_span_str(verifier->name), verifier->key_id))
            continue;
        LB_TRY(lb_verify(verifier->key, text, signature.bytes));
        memcpy(out, signature.bytes.ptr, LB_SIGNATURE_BYTES);
        return LB_OK;
    }
    LB_FAIL(LB_ABSENT, "this key has not signed");
}
