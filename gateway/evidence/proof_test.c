#include <stdio.h>

#include "gateway/base/buf.h"
#include "gateway/evidence/proof.h"
#include "gateway/evidence/test_util.h"

/* tessera's testdata/log: entry 6 of 15, its published path and checkpoint. */
#define VKEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define CHECKPOINT                                                                                 \
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n"               \
    "— example.com/log/testdata M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/"     \
    "uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n"
#define PATH                                                                                       \
    "ThcgoV2DYcK+VCxBUDWAlNxmLy2r7dq7dK7+OlgQKWs=\n"                                               \
    "ycRkkNklus5eMVRUvkD1pK321vMrA+jjOiZKU8aOcY4=\n"                                               \
    "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=\n"                                               \
    "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=\n"
#define HEAD "c2sp.org/tlog-proof@v1\n"
#define SEVEN "extra c2V2ZW4=\n"
#define PROOF HEAD SEVEN "index 6\n" PATH "\n" CHECKPOINT

struct bench {
    struct lb_arena *arena;
    struct lb_note_verifier verifier;
};

static int set_up(void **state)
{
    static struct bench bench;
    bench.arena = lb_arena_new(16 * 1024 * 1024);
    assert_ok(lb_note_verifier_parse(lb_span_str(VKEY), &bench.verifier));
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    lb_note_verifier_cleanup(&bench->verifier);
    lb_arena_free(bench->arena);
    return 0;
}

/* Reads and verifies, as an offline checker does. */
static enum lb_code check(struct bench *bench, struct lb_span text)
{
    struct lb_tlog_proof proof;
    struct lb_checkpoint checkpoint;
    struct lb_hash leaf;
    lb_arena_reset(bench->arena);
    lb_status status = lb_tlog_proof_parse(text, bench->arena, &proof);
    if (status == LB_OK)
        status = lb_tlog_proof_verify(&proof, &bench->verifier, &checkpoint, &leaf);
    return lb_status_code(status);
}

static enum lb_code check_text(struct bench *bench, const char *text)
{
    return check(bench, lb_span_str(text));
}

static void a_published_proof_verifies(void **state)
{
    struct bench *bench = *state;
    struct lb_tlog_proof proof;
    struct lb_checkpoint checkpoint;
    struct lb_hash leaf, want;
    struct lb_span text;
    const char *origin = NULL;
    assert_ok(lb_tlog_proof_parse(lb_span_str(PROOF), bench->arena, &proof));
    assert_true(lb_span_is(proof.extra, "seven"));
    assert_int_equal(proof.index, 6);
    assert_int_equal(proof.num_path, 4);
    assert_ok(lb_tlog_proof_verify(&proof, &bench->verifier, &checkpoint, &leaf));
    assert_int_equal(checkpoint.size, 15);
    lb_merkle_leaf(lb_span_str("seven"), &want);
    assert_hash(&leaf, want);
    assert_ok(lb_tlog_proof_origin(&proof, bench->arena, &origin));
    assert_string_equal(origin, "example.com/log/testdata");
    assert_ok(lb_tlog_proof_format(&proof, bench->arena, &text));
    assert_true(lb_span_is(text, PROOF));
}

static void every_changed_or_missing_byte_is_refused(void **state)
{
    struct bench *bench = *state;
    struct lb_span whole = lb_span_str(PROOF);
    uint8_t text[2048];
    assert_int_equal(check(bench, whole), LB_CODE_OK);
    for (size_t at = 0; at < whole.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(text, whole.ptr, whole.len);
            text[at] ^= (uint8_t)(1U << bit);
            assert_int_not_equal(check(bench, lb_span_of(text, whole.len)), LB_CODE_OK);
        }
        memcpy(text, whole.ptr, at);
        memcpy(text + at, whole.ptr + at + 1, whole.len - at - 1);
        assert_int_not_equal(check(bench, lb_span_of(text, whole.len - 1)), LB_CODE_OK);
        assert_int_not_equal(check(bench, lb_span_of(whole.ptr, at)), LB_CODE_OK);
    }
}

static void malformed_texts_are_refused(void **state)
{
    struct bench *bench = *state;
    static const char *const texts[] = {
        "",
        "\n",
        HEAD,
        HEAD "index 6\n",
        HEAD "index 6\n\n",
        "c2sp.org/tlog-proof@v2\n" SEVEN "index 6\n" PATH "\n" CHECKPOINT,
        " " PROOF,
        "\xef\xbb\xbf" PROOF,
        HEAD SEVEN SEVEN "index 6\n" PATH "\n" CHECKPOINT,
        HEAD "index 6\n" SEVEN PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 6\n" PATH CHECKPOINT,
        HEAD SEVEN "index 06\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index +6\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index -6\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 6 \n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index  6\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index \n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "Index 6\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 9223372036854775808\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 18446744073709551622\n" PATH "\n" CHECKPOINT,
        HEAD "extra c2V2ZW4\nindex 6\n" PATH "\n" CHECKPOINT,
        HEAD "extra c2V2ZW5=\nindex 6\n" PATH "\n" CHECKPOINT,
        HEAD "extra  c2V2ZW4=\nindex 6\n" PATH "\n" CHECKPOINT,
        HEAD "extra\nindex 6\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 6\r\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 6\nThcgoV2DYcK+VCxBUDWAlNxmLy2r7dq7dK7+OlgQKQ==\n\n" CHECKPOINT,
        HEAD SEVEN "index 6\nThcgoV2DYcK+VCxBUDWAlNxmLy2r7dq7dK7+OlgQKWtr\n\n" CHECKPOINT,
        HEAD SEVEN "index 6\nThcgoV2DYcK+VCxBUDWAlNxmLy2r7dq7dK7+OlgQKWs\n\n" CHECKPOINT,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(check_text(bench, texts[i]), LB_MALFORMED);
    assert_int_equal(check_text(bench, HEAD SEVEN "index 6\n" PATH "\n\n" CHECKPOINT),
                     LB_SIGNATURE_INVALID);
}

/* Well-formed, and not true. */
static void false_proofs_are_refused(void **state)
{
    struct bench *bench = *state;
    static const char *const texts[] = {
        HEAD "index 6\n" PATH "\n" CHECKPOINT,                /* no entry */
        HEAD "extra \nindex 6\n" PATH "\n" CHECKPOINT,        /* another entry */
        HEAD "extra c2l4\nindex 6\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 7\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 15\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 9223372036854775807\n" PATH "\n" CHECKPOINT,
        HEAD SEVEN "index 6\n\n" CHECKPOINT,
        HEAD SEVEN "index 6\n" PATH "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=\n\n" CHECKPOINT,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(check_text(bench, texts[i]), LB_RECEIPT_INVALID);
}

/* The checkpoint of the empty tree is signed as well, and proves nothing. */
static void an_empty_tree_holds_no_entry(void **state)
{
    struct bench *bench = *state;
    static const char *const checkpoint =
        "example.com/log/testdata\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
        "— example.com/log/testdata M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq"
        "89wVvTA60eubCc4oufo5BvIVEgtQc=\n";
    char text[1024];
    (void)snprintf(text, sizeof(text), HEAD "extra \nindex 0\n\n%s", checkpoint);
    assert_int_equal(check_text(bench, text), LB_RECEIPT_INVALID);
}

static void lengths_have_maxima(void **state)
{
    struct bench *bench = *state;
    struct lb_buf text;
    lb_buf_init(&text, 1 << 20);
    lb_buf_put_str(&text, HEAD SEVEN "index 6\n");
    for (int i = 0; i < 65; i++)
        lb_buf_put_str(&text, "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=\n");
    lb_buf_put_str(&text, "\n" CHECKPOINT);
    assert_int_equal(check(bench, lb_buf_span(&text)), LB_MALFORMED);
    while (text.len <= LB_TLOG_PROOF_MAX_BYTES)
        lb_buf_put_str(&text, "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=\n");
    assert_int_equal(check(bench, lb_buf_span(&text)), LB_TOO_LARGE);
    struct lb_tlog_proof proof = {.checkpoint = lb_buf_span(&text)};
    struct lb_span out;
    assert_code(lb_tlog_proof_format(&proof, bench->arena, &out), LB_TOO_LARGE);
    lb_buf_cleanup(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_published_proof_verifies),
        cmocka_unit_test(every_changed_or_missing_byte_is_refused),
        cmocka_unit_test(malformed_texts_are_refused),
        cmocka_unit_test(false_proofs_are_refused),
        cmocka_unit_test(an_empty_tree_holds_no_entry),
        cmocka_unit_test(lengths_have_maxima),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
