#include "gateway/base/utf8.h"
#include "gateway/crypto/b64.h"
#include "gateway/note/record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Signed notes and verifier keys (C2SP). */

#define ARENA_BYTES (32U << 20)
#define NAME "test.gov/directory"

static void verifier_of(struct lb_note_verifier *verifier)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(NAME, raw, verifier));
}

/* A text that can be signed opens as itself, and a further signature changes nothing. */
static bool try_text(struct lb_span text, struct lb_arena *arena)
{
    struct lb_span note, back;
    uint32_t mask = 0;
    if (lb_note_sign(text, false, NAME, fuzz_keys()->ed25519, arena, &note) != LB_OK)
        return false;
    struct lb_note_verifier verifier;
    verifier_of(&verifier);
    FUZZ_OK(lb_note_open(note, &verifier, 1, &back, &mask));
    FUZZ_CHECK(lb_span_eq(back, text) && mask == 1);
    FUZZ_CODE(lb_note_sign(note, true, NAME, fuzz_keys()->ed25519, arena, &back), LB_MALFORMED);
    lb_note_verifier_cleanup(&verifier);
    return true;
}

/* A case's record is taken apart within its bounds, one line at a time, and to its end. */
static void try_record(struct lb_span in, struct lb_arena *arena)
{
    const char *name = NULL;
    struct lb_span lines, key, value;
    if (lb_record_signer(in, arena, &name) == LB_OK)
        FUZZ_CHECK(name[0] != 0);
    if (lb_record_lines(in, &lines) != LB_OK)
        return;
    FUZZ_CHECK(lines.ptr > in.ptr && lines.ptr + lines.len < in.ptr + in.len);
    while (lb_record_next(&lines, &key, &value)) {
        FUZZ_CHECK(memchr(key.ptr, ' ', key.len) == NULL && memchr(key.ptr, '\n', key.len) == NULL);
        FUZZ_CHECK(memchr(value.ptr, '\n', value.len) == NULL);
        FUZZ_CHECK(value.ptr == key.ptr + key.len + 1 && lines.ptr == value.ptr + value.len + 1);
    }
}

/* What opens was signed: the text alone, signed again, is in the note as it stands. */
static bool try_note(struct lb_span in, struct lb_arena *arena)
{
    struct lb_span text, own;
    struct lb_note_verifier verifier;
    uint32_t mask = 0;
    try_record(in, arena);
    verifier_of(&verifier);
    lb_status status = lb_note_open(in, &verifier, 1, &text, &mask);
    lb_note_verifier_cleanup(&verifier);
    if (status != LB_OK)
        return false;
    FUZZ_CHECK(mask == 1 && text.ptr == in.ptr && text.len < in.len);
    FUZZ_CHECK(text.ptr[text.len - 1] == '\n' && lb_utf8_valid(text));
    FUZZ_OK(lb_note_sign(text, false, NAME, fuzz_keys()->ed25519, arena, &own));
    /* Ed25519 signs a text in one way: our line is there. */
    struct lb_span line = lb_span_of(own.ptr + text.len + 1, own.len - text.len - 1);
    FUZZ_CHECK(memmem(in.ptr + text.len, in.len - text.len, line.ptr, line.len) != NULL);
    return true;
}

/* Signature lines behind a text that is signed. */
static bool try_lines(struct lb_span lines, struct lb_arena *arena)
{
    struct lb_span note;
    FUZZ_OK(lb_note_sign(lb_span_str("a text\n"), false, NAME, fuzz_keys()->ed25519, arena, &note));
    const char *text = fuzz_text(arena, lines);
    if (text == NULL)
        return false;
    const char *joined =
        lb_arena_printf(arena, "%.*s%s", (int)note.len, (const char *)note.ptr, text);
    FUZZ_CHECK(joined != NULL);
    return try_note(lb_span_str(joined), arena);
}

bool fuzz_note(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    switch (fuzz_u8(&in) % 3) {
    case 0:
        return try_text(in, arena);
    case 1:
        return try_note(in, arena);
    default:
        return try_lines(in, arena);
    }
}

void seed_note(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span note = LB_SPAN_EMPTY;
    fuzz_seed(sink, 0, lb_span_str("one line\n\nand 另一行\n"));
    FUZZ_OK(lb_note_sign(lb_span_str("one line\n\nand 另一行\n"), false, NAME, fuzz_keys()->ed25519,
                         arena, &note));
    fuzz_seed(sink, 1, note);
    FUZZ_OK(lb_note_sign(lb_span_str(LB_RECORD_HEADER "record HEARD\nsaid 一句 话\nempty \nlast\n"),
                         false, NAME, fuzz_keys()->ed25519, arena, &note));
    fuzz_seed(sink, 1, note);
    fuzz_seed(sink, 2, lb_span_str("\xE2\x80\x94 other.example/log ZZZZZZZZZZZZ\n"));
}

/* --- verifier keys --- */

bool fuzz_verifier_key(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_note_verifier verifier;
    if ((fuzz_u8(&in) & 1) != 0) {
        struct lb_sign_key *key = NULL;
        const char *name = NULL;
        if (lb_note_signer_parse(in, arena, &name, &key) != LB_OK)
            return false;
        FUZZ_CHECK(name[0] != 0 && lb_sign_key_alg(key) == LB_SIGN_ED25519);
        lb_sign_key_free(key);
        return true;
    }
    if (lb_note_verifier_parse(in, &verifier) != LB_OK)
        return false;
    /* Every key has one text. */
    const char *text = lb_note_verifier_format(&verifier, arena);
    FUZZ_CHECK(text != NULL && lb_span_is(in, text));
    lb_note_verifier_cleanup(&verifier);
    return true;
}

void seed_verifier_key(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_note_verifier verifier;
    verifier_of(&verifier);
    fuzz_seed(sink, 0, lb_span_str(lb_note_verifier_format(&verifier, arena)));
    lb_note_verifier_cleanup(&verifier);
    /* The key of golang.org/x/mod/sumdb/note's own example. */
    fuzz_seed(sink, 1,
              lb_span_str("PRIVATE+KEY+PeterNeumann+c74f20a3+"
                          "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"));
}
