#include <stdio.h>

#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/test_util.h"

/* tessera testdata/log: its secret key is published, so signatures can be made again. */
#define SKEY                                                                                       \
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
#define VKEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
/* transparency-dev/witness: two checkpoints of one log. */
#define MONKEYS "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
#define MONKEYS_5                                                                                  \
    "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— monkeys 202fftzGl3LVoqjXfwCFZZ" \
    "Xs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY=\n"
#define MONKEYS_8 \
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n" \
    "— monkeys 202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8Gxr" \
    "jePZhvDCH7Ag=\n"

#define ORIGIN "example.com/log/testdata\n"
#define LINE "\n— example.com/log/testdata "

static const char *const WORDS[15] = {"one",    "two",   "three",    "four",    "five",
                                      "six",    "seven", "eit",      "nain",    "ten",
                                      "ileven", "twelf", "threeten", "fourten", "fivten"};

/* The roots of its sixteen checkpoints, sizes 0 to 15, and their signatures. */
static const struct {
    const char *root;
    const char *signature;
} PUBLISHED[16] = {
    {"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
     "M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4ouf"
     "o5BvIVEgtQc="},
    {"0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=",
     "M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16"
     "jhsmg/SChAM="},
    {"T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=",
     "M9e0llH4NKmlf0u7C8tkJioQOmi7l5ELqljXgKRg6R3G5JJ7vx7emDWo5fpqKuA/Dk/jRrI6il+7QCVi"
     "rNhyUAWGoAk="},
    {"Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=",
     "M9e0lvAQRtH832pk2RTbeSeZMkp4FZSdJYFBUjO5SKxuRbywPUF3cx+HUrb50kjd3rUWW/fj53Wj1dwc"
     "wh9bGQnqVAg="},
    {"zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
     "M9e0lnFuWt0cp60moO4jAkeXvMNLIIOGn4WdyeHQurBt9mBi0tWdfkldiAt9k0FpwuZymvttsVn9uwyo"
     "uXU3vPpeNAc="},
    {"gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=",
     "M9e0lmn5eDHyHP10zJObZdFAX2y1V8fdDKBi4IiHbDYf1TCUBwxZOhqwv2QZCqrdda2zTRTrmnwjwscN"
     "5RBTEmZUYAs="},
    {"a6sWvsc2eEzmj72vah7mZ5dwFltivehh2b11qwlp5Jg=",
     "M9e0ln+nHSdGSHEZBcjvqyYDXDbG8WxDwCDjbbGAMv/NTynAtJWhckSXIpuwpN3yJ4PTtzUbD34YGqIZ"
     "r6RgJRn16gU="},
    {"IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=",
     "M9e0luA5JhTRUki/BBQD0QNiH6AEJ2pdtsA5CQjqJErViuuKrN6513RCTL2640wXJv0dCed3neRGI6dM"
     "zBq9uANf2Qc="},
    {"bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=",
     "M9e0lq1EK37dHtgv9O3UzPxisw5vwIPcJsX9ab0xt4mvVfbdUR1fbMjN6sBFYpBoBEmD4+cWhj/AVgI5"
     "MitCO5+mews="},
    {"CvhHViE3S9E3htHLR+25mapWoGCJ3WckMq1UtC3VmEY=",
     "M9e0ls3mdnWX0qk4P3uGG0eYiFRWSwPR+RdeD1ARmrHPHjXP0x9UJWASPFTOTqJo0mp7Epck2O9RFB0J"
     "9IjDdAewagw="},
    {"y8/gZsZCtitsMan09tY+k8I7Qpr7Y5fbO2tLi9GQnfU=",
     "M9e0lrmwaVEOWFZ+HS5ITnRd2YMOSWE5QeoYu+6DHwJLnJ+SVeJ2ZiYeD7lVC5oGJx76gbfLSyCUEq6D"
     "8JkarrsuiQQ="},
    {"Yok1cS5VdokGLBy73BC2I16b3atss6KBN9jnIi6Fz/A=",
     "M9e0lqbRtWirJwbUy4w3VrK2RyzfW8P+OIkc8t6b6AVG/tQd1Q2SN+uCLYzNNFnf/PhzeCdURSGQe1MR"
     "nohCxPu21wg="},
    {"uZo6M+IhVna+CLgWCrJs0xBPUHbozHkYTQASduHSLME=",
     "M9e0lrFzoTgi+ovhrqX0DpsEAp3wLu1coMLIkeCwSkGfS4Ox4pLXo2LHudqm4merh0ZkCNzHr8kQwq5g"
     "S5mmimIvdA4="},
    {"av0kLH0VkkVDrTuZzBGIx7d9z5G1l/GlKz/nAV/8woQ=",
     "M9e0liO8x8xfEOGmZVYODUjQajkEpjccPQ9EkG3yEEDet4K3BWE/DFRPH6H+b6gFFFaG5KS1bBmYS/xe"
     "ZJs8lj+z+wM="},
    {"SvCd38yNade7xEPY1a/aAc1M3A2AHYVF8lIiUnsH1ao=",
     "M9e0lu8roIpjC+NXEG7JDkajIahoYDYWgxDtxfx/6rzLoztU9t/PvivZ48xt8ygJpjzaboSpkbVv3Jb+"
     "D3NdXWQf5wo="},
    {"rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=",
     "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM"
     "/dlPWF74ewI="},
};

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

static struct lb_span sign(struct keys *keys, uint64_t size, const struct lb_hash *root)
{
    struct lb_checkpoint checkpoint = {.size = size, .root = *root};
    struct lb_span note;
    (void)snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", keys->name);
    assert_ok(lb_checkpoint_sign(&checkpoint, keys->key, keys->arena, &note));
    return note;
}

static const char *published(struct keys *keys, uint64_t size)
{
    return lb_arena_printf(keys->arena, ORIGIN "%llu\n%s\n" LINE "%s\n",
                           (unsigned long long)size, PUBLISHED[size].root,
                           PUBLISHED[size].signature);
}

/* Byte for byte, from the published key and entries. */
static void published_checkpoints_are_reproduced(void **state)
{
    (void)state;
    struct keys keys = keys_new();
    struct lb_merkle_frontier frontier;
    lb_merkle_frontier_init(&frontier);
    for (uint64_t size = 0; size < 16; size++) {
        struct lb_hash root, leaf;
        lb_merkle_frontier_root(&frontier, &root);
        assert_hash(&root, hash_of_b64(PUBLISHED[size].root));
        assert_true(lb_span_is(sign(&keys, size, &root), published(&keys, size)));
        lb_merkle_leaf(lb_span_str(size < 15 ? WORDS[size] : ""), &leaf);
        lb_merkle_frontier_add(&frontier, &leaf);
    }
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
    struct keys keys = keys_new();
    assert_code(lb_checkpoint_open(lb_span_str(published(&keys, 15)), &monkeys, &got),
                LB_SIGNATURE_INVALID);
    assert_int_equal(got.size, 99);
    lb_note_verifier_cleanup(&monkeys);
    drop(&keys);
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
    struct lb_span whole = lb_span_str(published(&keys, 15));
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
