#include <stdio.h>

#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/test_util.h"

/* tessera testdata/log: its secret key is published, so signatures can be made again. */
#define SKEY                                                                                       \
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
#define VKEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define NOTE_15                                                                                    \
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n"               \
    "— example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/"     \
    "uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n"
#define NOTE_0                                                                                     \
    "example.com/log/testdata\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"                \
    "— example.com/log/testdata M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89w" \
    "VvTA60eubCc4oufo5BvIVEgtQc=\n"
/* transparency-dev/witness: two checkpoints of one log. */
#define MONKEYS "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
#define MONKEYS_5                                                                                  \
    "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— monkeys 202fftzGl3LVoqjXfwCFZZ" \
    "Xs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY=\n"
#define MONKEYS_8 \
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n" \
    "— monkeys 202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8Gxr" \
    "jePZhvDCH7Ag=\n"

struct keys {
    struct lb_arena *arena;
    const char *name;
    struct lb_sign_key *key;
    struct lb_note_verifier verifier;
};

static struct keys keys_new(void)
{
    struct keys keys = {.arena = lb_arena_new(1024 * 1024)};
    assert_ok(lb_note_signer_parse(lb_span_str(SKEY), keys.arena, &keys.name, &keys.key));
    assert_ok(lb_note_verifier_parse(lb_span_str(VKEY), &keys.verifier));
    return keys;
}

static void drop(struct keys *keys)
{
    lb_sign_key_free(keys->key);
    lb_note_verifier_cleanup(&keys->verifier);
    lb_arena_free(keys->arena);
}

static struct lb_span sign(struct keys *keys, uint64_t size, const char *root)
{
    struct lb_checkpoint checkpoint = {.size = size, .root = hash_of_b64(root)};
    struct lb_span note;
    (void)snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", keys->name);
    assert_ok(lb_checkpoint_sign(&checkpoint, keys->key, keys->arena, &note));
    return note;
}

static void published_checkpoints_are_reproduced(void **state)
{
    (void)state;
    struct keys keys = keys_new();
    struct lb_span note = sign(&keys, 15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=");
    assert_true(lb_span_is(note, NOTE_15));
    note = sign(&keys, 0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_true(lb_span_is(note, NOTE_0));
    drop(&keys);
}

static void published_checkpoints_verify(void **state)
{
    (void)state;
    struct lb_note_verifier verifier;
    struct lb_checkpoint five;
    struct lb_checkpoint eight;
    assert_ok(lb_note_verifier_parse(lb_span_str(MONKEYS), &verifier));
    assert_ok(lb_checkpoint_open(lb_span_str(MONKEYS_5), &verifier, &five));
    assert_ok(lb_checkpoint_open(lb_span_str(MONKEYS_8), &verifier, &eight));
    assert_int_equal(five.size, 5);
    assert_int_equal(eight.size, 8);
    assert_string_equal(eight.origin, "monkeys");
    const struct lb_hash path[] = {
        hash_of_hex("b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2"),
        hash_of_hex("aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d"),
        hash_of_hex("89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e"),
        hash_of_hex("29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833"),
    };
    assert_ok(lb_merkle_verify_consistency(5, &five.root, 8, &eight.root, path, 4));
    assert_code(lb_merkle_verify_consistency(5, &eight.root, 8, &five.root, path, 4), LB_LOG_FORK);
    lb_note_verifier_cleanup(&verifier);
}

static void another_key_is_refused(void **state)
{
    (void)state;
    struct lb_note_verifier monkeys;
    struct lb_checkpoint got = {.size = 99};
    assert_ok(lb_note_verifier_parse(lb_span_str(MONKEYS), &monkeys));
    assert_code(lb_checkpoint_open(lb_span_str(NOTE_15), &monkeys, &got), LB_SIGNATURE_INVALID);
    assert_int_equal(got.size, 99);
    lb_note_verifier_cleanup(&monkeys);
}

/* Signs any text, as a log with this key could. */
static lb_status open_text(struct keys *keys, const char *text)
{
    struct lb_span note;
    struct lb_checkpoint got;
    lb_status status =
        lb_note_sign(lb_span_str(text), false, keys->name, keys->key, keys->arena, &note);
    if (status != LB_OK)
        return status;
    return lb_checkpoint_open(note, &keys->verifier, &got);
}

#define ORIGIN "example.com/log/testdata\n"
#define ROOT "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"

static void malformed_texts_are_refused_though_signed(void **state)
{
    (void)state;
    struct keys keys = keys_new();
    static const char *const texts[] = {
        ORIGIN "15\n",
        ORIGIN,
        ORIGIN "015\n" ROOT,
        ORIGIN "00\n" ROOT,
        ORIGIN "\n" ROOT,
        ORIGIN "-1\n" ROOT,
        ORIGIN "+1\n" ROOT,
        ORIGIN " 1\n" ROOT,
        ORIGIN "1 \n" ROOT,
        ORIGIN "1x\n" ROOT,
        ORIGIN "9223372036854775808\n" ROOT,
        ORIGIN "18446744073709551616\n" ROOT,
        ORIGIN "999999999999999999999999\n" ROOT,
        ORIGIN "15\n" ROOT "extension\n",
        ORIGIN "15\n" ROOT ROOT,
        ORIGIN "15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs\n",
        ORIGIN "15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383ct=\n",
        ORIGIN "15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja_1nk427v383cs=\n",
        ORIGIN "15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v38\n",
        ORIGIN "15\n\n",
        "example.com/log/other\n15\n" ROOT,
        "example.com/log/testdata \n15\n" ROOT,
        "15\n" ROOT,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_code(open_text(&keys, texts[i]), LB_MALFORMED);
    assert_ok(open_text(&keys, ORIGIN "9223372036854775807\n" ROOT));
    drop(&keys);
}

static void every_changed_byte_is_refused(void **state)
{
    (void)state;
    struct keys keys = keys_new();
    struct lb_span whole = lb_span_str(NOTE_15);
    struct lb_checkpoint got;
    uint8_t note[1024];
    for (size_t at = 0; at < whole.len; at++) {
        memcpy(note, whole.ptr, whole.len);
        note[at] ^= 1;
        assert_true(lb_checkpoint_open(lb_span_of(note, whole.len), &keys.verifier, &got) !=
                    LB_OK);
    }
    for (size_t len = 0; len < whole.len; len++)
        assert_true(lb_checkpoint_open(lb_span_of(whole.ptr, len), &keys.verifier, &got) != LB_OK);
    drop(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_checkpoints_are_reproduced),
        cmocka_unit_test(published_checkpoints_verify),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(malformed_texts_are_refused_though_signed),
        cmocka_unit_test(every_changed_byte_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
