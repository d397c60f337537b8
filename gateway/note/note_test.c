#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/note/note.h"

/* The C2SP signed-note example. */
#define FOO_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_TEXT "This is an example message.\n"
#define FOO_LINE                                                                                   \
    "\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1E"        \
    "RYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define FOO_NOTE FOO_TEXT "\n" FOO_LINE

/* golang.org/x/mod/sumdb/note. */
#define PETER_SKEY "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_TEXT                                                                                 \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define PETER_LINE                                                                                 \
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"       \
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

/* transparency-dev/tessera testdata/log: the checkpoint of size 15. */
#define TESSERA_SKEY                                                                               \
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
#define TESSERA_VKEY                                                                               \
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define TESSERA_TEXT                                                                               \
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"
#define TESSERA_LINE                                                                               \
    "\xe2\x80\x94 example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+"       \
    "CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n"

/* A line nobody here knows. */
#define OTHER_LINE "\xe2\x80\x94 other.example AAAAAAE=\n"

static struct lb_note_verifier verifier_of(const char *vkey)
{
    struct lb_note_verifier verifier;
    assert_true(lb_note_verifier_parse(lb_span_str(vkey), &verifier) == LB_OK);
    return verifier;
}

static enum lb_code open_with(struct lb_span note, const char *vkey)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = verifier_of(vkey);
    struct lb_span text = LB_SPAN_EMPTY;
    uint32_t mask = 0;
    lb_status status = lb_note_open(note, &verifier, 1, &text, &mask);
    if (status == LB_OK)
        assert_int_equal(mask, 1);
    else
        assert_int_equal(text.len + mask, 0);
    return lb_status_code(status);
}

static void published_notes_open(void **state)
{
    (void)state;
    assert_int_equal(open_with(lb_span_str(FOO_NOTE), FOO_VKEY), LB_CODE_OK);
    assert_int_equal(open_with(lb_span_str(PETER_TEXT "\n" PETER_LINE), PETER_VKEY), LB_CODE_OK);
    assert_int_equal(open_with(lb_span_str(TESSERA_TEXT "\n" TESSERA_LINE), TESSERA_VKEY),
                     LB_CODE_OK);
}

static void published_keys_sign_the_published_bytes(void **state)
{
    (void)state;
    static const char *const keys[][3] = {
        {PETER_SKEY, PETER_TEXT, PETER_TEXT "\n" PETER_LINE},
        {TESSERA_SKEY, TESSERA_TEXT, TESSERA_TEXT "\n" TESSERA_LINE},
    };
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    for (size_t i = 0; i < 2; i++) {
        const char *name = NULL;
        struct lb_sign_key *key = NULL;
        struct lb_span note;
        assert_true(lb_note_signer_parse(lb_span_str(keys[i][0]), arena, &name, &key) == LB_OK);
        assert_true(lb_note_sign(lb_span_str(keys[i][1]), false, name, key, arena, &note) == LB_OK);
        assert_true(lb_span_is(note, keys[i][2]));
        lb_sign_key_free(key);
    }
}

static void verifiers_are_written_as_they_were_read(void **state)
{
    (void)state;
    static const char *const vkeys[] = {FOO_VKEY, PETER_VKEY, TESSERA_VKEY};
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 12);
    for (size_t i = 0; i < 3; i++) {
        struct lb_note_verifier verifier = verifier_of(vkeys[i]);
        struct lb_note_verifier again;
        assert_string_equal(lb_note_verifier_format(&verifier, arena), vkeys[i]);
        assert_true(lb_note_verifier_init(verifier.name, verifier.public_key, &again) == LB_OK);
        assert_memory_equal(again.key_id, verifier.key_id, LB_NOTE_KEY_ID_BYTES);
        lb_note_verifier_cleanup(&verifier);
        lb_note_verifier_cleanup(&again);
    }
}

/* Tries every substring and every value of every byte. */
static void refuse_all_changes(const char *text, enum lb_code (*parse)(struct lb_span text))
{
    char changed[256];
    size_t len = strlen(text);
    assert_true(len < sizeof(changed));
    assert_int_equal(parse(lb_span_str(text)), LB_CODE_OK);
    for (size_t from = 0; from < len; from++)
        for (size_t to = from; to <= len; to++)
            if (to - from < len)
                assert_int_equal(parse(lb_span_of(text + from, to - from)), LB_MALFORMED);
    for (size_t i = 0; i < len; i++) {
        for (int c = 0; c < 256; c++) {
            if ((char)c == text[i])
                continue;
            memcpy(changed, text, len);
            changed[i] = (char)c;
            assert_int_equal(parse(lb_span_of(changed, len)), LB_MALFORMED);
        }
    }
    memcpy(changed, text, len);
    changed[len] = 'A';
    assert_int_equal(parse(lb_span_of(changed, len + 1)), LB_MALFORMED);
}

static enum lb_code parse_verifier(struct lb_span text)
{
    struct lb_note_verifier verifier = {.key = NULL};
    lb_status status = lb_note_verifier_parse(text, &verifier);
    lb_note_verifier_cleanup(&verifier);
    return lb_status_code(status);
}

static enum lb_code parse_signer(struct lb_span text)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1024);
    const char *name = NULL;
    struct lb_sign_key *key = NULL;
    lb_status status = lb_note_signer_parse(text, arena, &name, &key);
    lb_sign_key_free(key);
    return lb_status_code(status);
}

static void every_change_of_a_verifier_is_refused(void **state)
{
    (void)state;
    refuse_all_changes(FOO_VKEY, parse_verifier);
    refuse_all_changes(PETER_VKEY, parse_verifier);
}

static void every_change_of_a_secret_key_is_refused(void **state)
{
    (void)state;
    refuse_all_changes(PETER_SKEY, parse_signer);
}

static void other_kinds_of_keys_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        /* published keys for cosignatures, algorithm byte 4 */
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "witness+24b37851+BNYV1Ztajd9BvyjP2HgpwrqYL6TjOwIjGMOq8Bu42xbN",
        PETER_SKEY,
        "",
        "+",
        "++",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse_verifier(lb_span_str(bad[i])), LB_MALFORMED);
    assert_int_equal(parse_signer(lb_span_str(PETER_VKEY)), LB_MALFORMED);
}

static void names_follow_the_rule(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          " ",            "a b", "a+b", "a\tb", "a\n",
                                      "a\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\xa8x", "\xff",
                                      "a\x01",  "\xc2\x85"};
    const uint8_t key[32] = {1};
    struct lb_note_verifier verifier;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(lb_status_code(lb_note_verifier_init(bad[i], key, &verifier)),
                         LB_MALFORMED);
    char longest[257];
    memset(longest, 'a', sizeof(longest));
    longest[256] = '\0';
    assert_int_equal(lb_status_code(lb_note_verifier_init(longest, key, &verifier)), LB_MALFORMED);
    longest[255] = '\0';
    assert_true(lb_note_verifier_init(longest, key, &verifier) == LB_OK);
    lb_note_verifier_cleanup(&verifier);
    assert_true(lb_note_verifier_init("联办/日志", key, &verifier) == LB_OK);
    lb_note_verifier_cleanup(&verifier);
}

static void every_truncation_and_change_of_a_note_is_refused(void **state)
{
    (void)state;
    char note[sizeof(FOO_NOTE)];
    size_t len = sizeof(FOO_NOTE) - 1;
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(open_with(lb_span_of(FOO_NOTE, cut), FOO_VKEY), LB_MALFORMED);
    for (size_t i = 0; i < len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            memcpy(note, FOO_NOTE, len);
            note[i] = (char)(note[i] ^ (1 << bit));
            enum lb_code code = open_with(lb_span_of(note, len), FOO_VKEY);
            assert_true(code == LB_MALFORMED || code == LB_SIGNATURE_INVALID);
        }
    }
    assert_int_equal(open_with(lb_span_str(FOO_NOTE "x"), FOO_VKEY), LB_MALFORMED);
    assert_int_equal(open_with(lb_span_str("x" FOO_NOTE), FOO_VKEY), LB_SIGNATURE_INVALID);
}

static void unknown_signatures_are_ignored_if_well_formed(void **state)
{
    (void)state;
    static const char *const good[] = {FOO_NOTE OTHER_LINE, FOO_TEXT "\n" OTHER_LINE FOO_LINE,
                                       FOO_NOTE FOO_LINE,
                                       FOO_NOTE "\xe2\x80\x94 example.com/foo AAAAAAE=\n"};
    static const char *const bad[] = {
        FOO_NOTE "\xe2\x80\x94 other.example AAAAAA==\n",  FOO_NOTE "\xe2\x80\x94 other.example \n",
        FOO_NOTE "\xe2\x80\x94 AAAAAAE=\n",                FOO_NOTE "- other.example AAAAAAE=\n",
        FOO_NOTE "\xe2\x80\x94  other.example AAAAAAE=\n", FOO_NOTE "\xe2\x80\x94 a+b AAAAAAE=\n",
        FOO_NOTE "\xe2\x80\x94 other.example AAAAAAE\n",   FOO_NOTE "\n" OTHER_LINE "junk\n",
        FOO_NOTE "\xe2\x80\x94 other.example AAAAAAE= \n", FOO_NOTE "\r\n",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(open_with(lb_span_str(good[i]), FOO_VKEY), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(open_with(lb_span_str(bad[i]), FOO_VKEY), LB_MALFORMED);
    assert_int_equal(open_with(lb_span_str(FOO_TEXT "\n" OTHER_LINE), FOO_VKEY),
                     LB_SIGNATURE_INVALID);
    assert_int_equal(open_with(lb_span_str(FOO_NOTE), PETER_VKEY), LB_SIGNATURE_INVALID);
    assert_int_equal(open_with(lb_span_str(FOO_TEXT "\n"), FOO_VKEY), LB_MALFORMED);
    assert_int_equal(open_with(lb_span_str(FOO_TEXT FOO_LINE), FOO_VKEY), LB_MALFORMED);
    assert_int_equal(open_with(lb_span_str("\n" FOO_LINE), FOO_VKEY), LB_MALFORMED);
}

/* One wrong line of a known key spoils the note, whatever else is on it. */
static void a_known_key_must_be_right_everywhere(void **state)
{
    (void)state;
    char note[2 * sizeof(FOO_NOTE)];
    int len = snprintf(note, sizeof(note), "%s%s", FOO_NOTE, FOO_LINE);
    note[len - 6] = note[len - 6] == 'A' ? 'B' : 'A';
    assert_int_equal(open_with(lb_span_str(note), FOO_VKEY), LB_SIGNATURE_INVALID);
    /* Known name and id, signature of another length. */
    assert_int_equal(open_with(lb_span_str(FOO_NOTE "\xe2\x80\x94 example.com/foo Uw2QOkk=\n"),
                               FOO_VKEY), LB_SIGNATURE_INVALID);
}

static void a_text_splits_at_its_last_blank_line(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    const char *name = NULL;
    struct lb_sign_key *key = NULL;
    struct lb_span note;
    struct lb_span text;
    uint32_t mask = 0;
    assert_true(lb_note_signer_parse(lb_span_str(PETER_SKEY), arena, &name, &key) == LB_OK);
    /* A text that carries a whole foreign note inside. */
    assert_true(lb_note_sign(lb_span_str(FOO_NOTE), false, name, key, arena, &note) == LB_OK);
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier peter = verifier_of(PETER_VKEY);
    assert_true(lb_note_open(note, &peter, 1, &text, &mask) == LB_OK);
    assert_true(lb_span_is(text, FOO_NOTE));
    assert_int_equal(open_with(note, FOO_VKEY), LB_SIGNATURE_INVALID);
    lb_sign_key_free(key);
}

static void a_second_signature_joins_the_first(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    const char *name = NULL;
    struct lb_sign_key *key = NULL;
    struct lb_span note;
    struct lb_span text;
    uint32_t mask = 0;
    assert_true(lb_note_signer_parse(lb_span_str(PETER_SKEY), arena, &name, &key) == LB_OK);
    assert_true(lb_note_sign(lb_span_str(FOO_NOTE), true, name, key, arena, &note) == LB_OK);
    struct lb_note_verifier both[] = {verifier_of(TESSERA_VKEY), verifier_of(PETER_VKEY),
                                      verifier_of(FOO_VKEY)};
    assert_true(lb_note_open(note, both, 3, &text, &mask) == LB_OK);
    assert_int_equal(mask, 6);
    assert_true(lb_span_is(text, FOO_TEXT));
    assert_int_equal(lb_status_code(lb_note_sign(note, true, name, key, arena, &note)),
                     LB_MALFORMED);
    for (size_t i = 0; i < 3; i++)
        lb_note_verifier_cleanup(&both[i]);
    lb_sign_key_free(key);
}

static void what_could_not_be_opened_is_not_signed(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "no end of line", "a\tb\n", "a\r\n", "\xff\n"};
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    struct lb_sign_key *key = NULL;
    struct lb_sign_key *other_kind = NULL;
    struct lb_span note;
    assert_true(lb_sign_key_generate(LB_SIGN_ED25519, &key) == LB_OK);
    assert_true(lb_sign_key_generate(LB_SIGN_ES256, &other_kind) == LB_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_span text = lb_span_str(bad[i]);
        assert_int_equal(lb_status_code(lb_note_sign(text, false, "n", key, arena, &note)),
                         LB_MALFORMED);
        assert_int_equal(lb_status_code(lb_note_sign(text, true, "n", key, arena, &note)),
                         LB_MALFORMED);
    }
    struct lb_span good = lb_span_str("a\n");
    assert_int_equal(lb_status_code(lb_note_sign(good, false, "a b", key, arena, &note)),
                     LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_note_sign(good, false, "n", other_kind, arena, &note)),
                     LB_MALFORMED);
    lb_sign_key_free(key);
    lb_sign_key_free(other_kind);
}

static void signatures_have_a_maximum(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 20);
    struct lb_span note = lb_span_str(FOO_NOTE);
    for (int i = 1; i < LB_NOTE_MAX_SIGNATURES; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%d", i);
        struct lb_sign_key *key = NULL;
        assert_true(lb_sign_key_generate(LB_SIGN_ED25519, &key) == LB_OK);
        assert_true(lb_note_sign(note, true, name, key, arena, &note) == LB_OK);
        lb_sign_key_free(key);
    }
    assert_int_equal(open_with(note, FOO_VKEY), LB_CODE_OK);
    struct lb_sign_key *key = NULL;
    assert_true(lb_sign_key_generate(LB_SIGN_ED25519, &key) == LB_OK);
    struct lb_span more;
    assert_int_equal(lb_status_code(lb_note_sign(note, true, "last", key, arena, &more)),
                     LB_MALFORMED);
    lb_sign_key_free(key);
    const char *text = lb_arena_printf(arena, "%s" OTHER_LINE, (const char *)note.ptr);
    assert_int_equal(open_with(lb_span_str(text), FOO_VKEY), LB_MALFORMED);
}

static void lengths_have_maxima(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(3 * LB_NOTE_MAX_BYTES);
    char *text = lb_arena_alloc(arena, LB_NOTE_MAX_BYTES + 1);
    memset(text, 'A', LB_NOTE_MAX_BYTES);
    text[LB_NOTE_MAX_BYTES - 1] = '\n';
    struct lb_sign_key *key = NULL;
    struct lb_span note;
    assert_true(lb_sign_key_generate(LB_SIGN_ED25519, &key) == LB_OK);
    assert_int_equal(lb_status_code(lb_note_sign(lb_span_of(text, LB_NOTE_MAX_BYTES), false, "n",
                                                 key, arena, &note)), LB_MALFORMED);
    lb_sign_key_free(key);
    /* A signature line of 12,000 digits. */
    text[12000] = '\0';
    const char *wide = lb_arena_printf(arena, FOO_NOTE "\xe2\x80\x94 wide %s\n", text);
    assert_int_equal(open_with(lb_span_str(wide), FOO_VKEY), LB_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_notes_open),
        cmocka_unit_test(published_keys_sign_the_published_bytes),
        cmocka_unit_test(verifiers_are_written_as_they_were_read),
        cmocka_unit_test(every_change_of_a_verifier_is_refused),
        cmocka_unit_test(every_change_of_a_secret_key_is_refused),
        cmocka_unit_test(other_kinds_of_keys_are_refused),
        cmocka_unit_test(names_follow_the_rule),
        cmocka_unit_test(every_truncation_and_change_of_a_note_is_refused),
        cmocka_unit_test(unknown_signatures_are_ignored_if_well_formed),
        cmocka_unit_test(a_known_key_must_be_right_everywhere),
        cmocka_unit_test(a_text_splits_at_its_last_blank_line),
        cmocka_unit_test(a_second_signature_joins_the_first),
        cmocka_unit_test(what_could_not_be_opened_is_not_signed),
        cmocka_unit_test(signatures_have_a_maximum),
        cmocka_unit_test(lengths_have_maxima),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
