#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/note/cosign.h"

/* transparency-dev/witness, witness_test.go: the log, its checkpoint of size 8 and the witness. The
 * cosignature was made from these with Node's and verified with Go's Ed25519. */
#define SIZE_8                                                                                     \
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n"                                 \
    "\xe2\x80\x94 monkeys 202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NL"        \
    "thZaKsnKbCA8GxrjePZhvDCH7Ag=\n"
#define WITNESS_SKEY                                                                               \
    "PRIVATE+KEY+witness+f13a86db+AaLa/dfyBhyo/m0Z7WCi98ENVZWtrP8pxgRNrx7tIWiA"
#define WITNESS_VKEY "witness+24b37851+BNYV1Ztajd9BvyjP2HgpwrqYL6TjOwIjGMOq8Bu42xbN"
#define WITNESS_TIME 1679315147
#define WITNESS_LINE                                                                               \
    "\xe2\x80\x94 witness JLN4UQAAAABkGFDL30hyK1zJfcjUteDTTLwHjqqBssk83aRYgcomnd8bo/7OG1sG"        \
    "bEwpJoabhF3oO+9mYxBnYeQ2iSFGj5xaybB7Aw==\n"

/* transparency-dev/formats: a published key id of algorithm 4. */
#define REMORA_VKEY "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

struct fixture {
    struct lb_arena *arena;
    struct lb_sign_key *key;
    struct lb_cosigner cosigner;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    const char *name = NULL;
    fixture.arena = lb_arena_new(16 * 1024 * 1024);
    assert_true(lb_note_signer_parse(lb_span_str(WITNESS_SKEY), fixture.arena, &name,
                                     &fixture.key) == LB_OK);
    assert_string_equal(name, "witness");
    assert_true(lb_cosigner_parse(lb_span_str(WITNESS_VKEY), &fixture.cosigner) == LB_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    lb_cosigner_cleanup(&fixture->cosigner);
    lb_sign_key_free(fixture->key);
    lb_arena_free(fixture->arena);
    return 0;
}

static enum lb_code verify(struct fixture *fixture, struct lb_span note)
{
    int64_t unix_s = 0;
    lb_status status = lb_cosign_verify(note, &fixture->cosigner, &unix_s, NULL);
    assert_int_equal(unix_s != 0, status == LB_OK);
    return lb_status_code(status);
}

static void signs_the_vector_byte_for_byte(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span line;
    assert_true(lb_cosign(lb_span_str(SIZE_8), "witness", fixture->key, WITNESS_TIME,
                          fixture->arena, &line) == LB_OK);
    assert_true(lb_span_is(line, WITNESS_LINE));
    /* Lines behind the log's own are not part of what is signed. */
    assert_true(lb_cosign(lb_span_str(SIZE_8 WITNESS_LINE), "witness", fixture->key, WITNESS_TIME,
                          fixture->arena, &line) == LB_OK);
    assert_true(lb_span_is(line, WITNESS_LINE));
}

static void verifies_the_vector(void **state)
{
    struct fixture *fixture = *state;
    int64_t unix_s = 0;
    struct lb_span line = LB_SPAN_EMPTY;
    assert_true(lb_cosign_verify(lb_span_str(SIZE_8 WITNESS_LINE), &fixture->cosigner, &unix_s,
                                 &line) == LB_OK);
    assert_int_equal(unix_s, WITNESS_TIME);
    assert_true(lb_span_is(line, WITNESS_LINE));
}

static void knows_the_published_key_ids(void **state)
{
    struct fixture *fixture = *state;
    struct lb_cosigner remora, own;
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    assert_true(lb_cosigner_parse(lb_span_str(REMORA_VKEY), &remora) == LB_OK);
    assert_string_equal(lb_cosigner_format(&remora, fixture->arena), REMORA_VKEY);
    (void)lb_sign_key_public(fixture->key, public_key);
    assert_true(lb_cosigner_init("witness", public_key, &own) == LB_OK);
    assert_string_equal(lb_cosigner_format(&own, fixture->arena), WITNESS_VKEY);
    lb_cosigner_cleanup(&remora);
    lb_cosigner_cleanup(&own);
}

/* A log's key is none of a witness, and the other way round. */
static void keeps_the_two_kinds_apart(void **state)
{
    (void)state;
    struct lb_cosigner cosigner;
    struct lb_note_verifier verifier;
    static const char log_vkey[] =
        "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT";
    assert_int_equal(lb_status_code(lb_cosigner_parse(lb_span_str(log_vkey), &cosigner)),
                     LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_note_verifier_parse(lb_span_str(WITNESS_VKEY), &verifier)),
                     LB_MALFORMED);
}

static void refuses_every_part_and_change_of_a_vkey(void **state)
{
    (void)state;
    char text[128];
    struct lb_cosigner cosigner;
    size_t len = strlen(WITNESS_VKEY);
    for (size_t from = 0; from < len; from++) {
        for (size_t to = from; to <= len; to++) {
            if (from != 0 || to != len)
                assert_true(lb_cosigner_parse(lb_span_of(&WITNESS_VKEY[from], to - from),
                                              &cosigner) != LB_OK);
        }
    }
    for (size_t i = 0; i < len; i++) {
        memcpy(text, WITNESS_VKEY, len);
        text[i] = (char)(text[i] ^ 1);
        assert_true(lb_cosigner_parse(lb_span_of(text, len), &cosigner) != LB_OK);
    }
}

/* Whatever byte of text or cosignature changes, it no longer says what it said. */
static void refuses_every_altered_byte(void **state)
{
    struct fixture *fixture = *state;
    static const char note[] = SIZE_8 WITNESS_LINE;
    char changed[sizeof(note)];
    size_t text_len = (size_t)(strstr(note, "\n\n") - note) + 1;
    size_t line_at = strlen(SIZE_8);
    for (size_t i = 0; i < strlen(note); i++) {
        if (i >= text_len && i < line_at)
            continue; /* the log's own line is for whoever knows the log */
        for (int bit = 0; bit < 8; bit++) {
            memcpy(changed, note, sizeof(note));
            changed[i] = (char)(changed[i] ^ (1 << bit));
            assert_true(verify(fixture, lb_span_of(changed, strlen(note))) != LB_CODE_OK);
        }
    }
    for (size_t len = 0; len < strlen(note); len++)
        assert_true(verify(fixture, lb_span_of(note, len)) != LB_CODE_OK);
}

static void tells_absent_from_wrong(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span line;
    assert_int_equal(verify(fixture, lb_span_str(SIZE_8)), LB_ABSENT);
    /* Another text of the same log. */
    static const char other[] =
        "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n" WITNESS_LINE;
    assert_int_equal(verify(fixture, lb_span_str(other)), LB_SIGNATURE_INVALID);
    /* A wrong line beside a good one makes the note a bad one. */
    const char *both = lb_arena_printf(fixture->arena, "%s%s", other, WITNESS_LINE);
    assert_int_equal(verify(fixture, lb_span_str(both)), LB_SIGNATURE_INVALID);
    /* A plain signature by the same key is of another id. */
    assert_true(lb_note_sign(lb_span_str(SIZE_8), true, "witness", fixture->key, fixture->arena,
                             &line) == LB_OK);
    assert_int_equal(verify(fixture, line), LB_ABSENT);
    /* Another name, the same key. */
    assert_true(lb_cosign(lb_span_str(SIZE_8), "other", fixture->key, WITNESS_TIME,
                          fixture->arena, &line) == LB_OK);
    both = lb_arena_printf(fixture->arena, "%s%.*s", SIZE_8, (int)line.len,
                           (const char *)line.ptr);
    assert_int_equal(verify(fixture, lb_span_str(both)), LB_ABSENT);
}

static void takes_the_latest_of_two(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span line, found;
    int64_t unix_s = 0;
    assert_true(lb_cosign(lb_span_str(SIZE_8), "witness", fixture->key, WITNESS_TIME + 60,
                          fixture->arena, &line) == LB_OK);
    const char *both = lb_arena_printf(fixture->arena, "%s%.*s%s", SIZE_8, (int)line.len,
                                       (const char *)line.ptr, WITNESS_LINE);
    assert_true(lb_cosign_verify(lb_span_str(both), &fixture->cosigner, &unix_s, &found) == LB_OK);
    assert_int_equal(unix_s, WITNESS_TIME + 60);
    assert_true(lb_span_eq(found, line));
}

static void refuses_to_sign_what_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span line;
    struct lb_sign_key *p256 = NULL;
    assert_true(lb_sign_key_generate(LB_SIGN_ES256, &p256) == LB_OK);
    assert_true(lb_cosign(lb_span_str("monkeys\n"), "witness", fixture->key, 1, fixture->arena,
                          &line) != LB_OK);
    assert_true(lb_cosign(lb_span_str(SIZE_8), "a witness", fixture->key, 1, fixture->arena,
                          &line) != LB_OK);
    assert_true(lb_cosign(lb_span_str(SIZE_8), "witness", fixture->key, 0, fixture->arena,
                          &line) != LB_OK);
    assert_true(lb_cosign(lb_span_str(SIZE_8), "witness", p256, 1, fixture->arena, &line) != LB_OK);
    lb_sign_key_free(p256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_the_vector_byte_for_byte),
        cmocka_unit_test(verifies_the_vector),
        cmocka_unit_test(knows_the_published_key_ids),
        cmocka_unit_test(keeps_the_two_kinds_apart),
        cmocka_unit_test(refuses_every_part_and_change_of_a_vkey),
        cmocka_unit_test(refuses_every_altered_byte),
        cmocka_unit_test(tells_absent_from_wrong),
        cmocka_unit_test(takes_the_latest_of_two),
        cmocka_unit_test(refuses_to_sign_what_is_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
