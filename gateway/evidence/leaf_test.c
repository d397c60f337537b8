#include <stdlib.h>

#include "gateway/evidence/leaf.h"
#include "gateway/evidence/test_util.h"

#define FIXED_BYTES (1 + 1 + 8 + 16 + 2 + 2 + 6 * 32 + 4 + 1)

static struct lb_leaf sample(void)
{
    struct lb_leaf leaf = {
        .type = LB_LEAF_READ,
        .time_ms = 1763700000123,
        .code = "ANSWERED",
        .views = "civil-affairs.dibao,civil-affairs.marriage",
        .count = 1,
        .retry = true,
    };
    memset(leaf.txn, 0x11, sizeof(leaf.txn));
    memset(leaf.policy_hash, 0x22, 32);
    memset(leaf.fields_hash, 0x33, 32);
    memset(leaf.detail_hash, 0x44, 32);
    memset(leaf.request_hash, 0x55, 32);
    memset(leaf.answer_hash, 0x66, 32);
    memset(leaf.peer_leaf, 0x77, 32);
    return leaf;
}

static struct lb_buf encode(const struct lb_leaf *leaf)
{
    struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_LEAF_BYTES);
    assert_ok(lb_leaf_encode(leaf, &buf));
    return buf;
}

static void a_leaf_comes_back_as_it_was(void **state)
{
    (void)state;
    struct lb_leaf leaf = sample();
    struct lb_buf bytes = encode(&leaf);
    struct lb_leaf back;
    assert_ok(lb_leaf_decode(lb_buf_span(&bytes), &back));
    assert_int_equal(back.type, leaf.type);
    assert_int_equal(back.time_ms, leaf.time_ms);
    assert_string_equal(back.code, leaf.code);
    assert_string_equal(back.views, leaf.views);
    assert_memory_equal(back.txn, leaf.txn, 16);
    assert_memory_equal(back.policy_hash, leaf.policy_hash, 32);
    assert_memory_equal(back.fields_hash, leaf.fields_hash, 32);
    assert_memory_equal(back.detail_hash, leaf.detail_hash, 32);
    assert_memory_equal(back.request_hash, leaf.request_hash, 32);
    assert_memory_equal(back.answer_hash, leaf.answer_hash, 32);
    assert_memory_equal(back.peer_leaf, leaf.peer_leaf, 32);
    assert_int_equal(back.count, 1);
    assert_true(back.retry);
    struct lb_buf again = encode(&back);
    assert_true(lb_span_eq(lb_buf_span(&bytes), lb_buf_span(&again)));
    lb_buf_cleanup(&bytes);
    lb_buf_cleanup(&again);
}

/* The bytes are a public contract. */
static void the_bytes_are_these(void **state)
{
    (void)state;
    struct lb_leaf leaf = {.type = LB_LEAF_CANARY, .time_ms = 0x0102030405060708, .count = 7};
    memcpy(leaf.code, "AB", 2);
    struct lb_buf bytes = encode(&leaf);
    assert_int_equal(bytes.len, FIXED_BYTES + 2);
    static const uint8_t head[] = {1, 9, 1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t texts[] = {0, 2, 'A', 'B', 0, 0};
    static const uint8_t tail[] = {0, 0, 0, 7, 0};
    assert_memory_equal(bytes.ptr, head, sizeof(head));
    assert_memory_equal(bytes.ptr + 26, texts, sizeof(texts));
    assert_memory_equal(bytes.ptr + bytes.len - 5, tail, sizeof(tail));
    lb_buf_cleanup(&bytes);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct lb_leaf leaf = sample();
    struct lb_buf bytes = encode(&leaf);
    struct lb_leaf back;
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, bytes.ptr, len);
        assert_code(lb_leaf_decode(lb_span_of(cut, len), &back), LB_MALFORMED);
        free(cut);
    }
    lb_buf_put_u8(&bytes, 0);
    assert_code(lb_leaf_decode(lb_buf_span(&bytes), &back), LB_MALFORMED);
    lb_buf_cleanup(&bytes);
}

/* Any changed byte is refused, or gives another leaf with exactly those bytes. */
static void every_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct lb_leaf leaf = sample();
    struct lb_buf bytes = encode(&leaf);
    for (size_t at = 0; at < bytes.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct lb_leaf back;
            bytes.ptr[at] ^= (uint8_t)(1 << bit);
            if (lb_leaf_decode(lb_buf_span(&bytes), &back) == LB_OK) {
                struct lb_buf again = encode(&back);
                assert_true(lb_span_eq(lb_buf_span(&bytes), lb_buf_span(&again)));
                lb_buf_cleanup(&again);
            }
            bytes.ptr[at] ^= (uint8_t)(1 << bit);
        }
    }
    lb_buf_cleanup(&bytes);
}

static void a_newer_version_is_told_apart(void **state)
{
    (void)state;
    struct lb_leaf leaf = sample();
    struct lb_buf bytes = encode(&leaf);
    struct lb_leaf back;
    bytes.ptr[0] = 2;
    assert_code(lb_leaf_decode(lb_buf_span(&bytes), &back), LB_VERSION_UNSUPPORTED);
    bytes.ptr[0] = 0;
    assert_code(lb_leaf_decode(lb_buf_span(&bytes), &back), LB_MALFORMED);
    lb_buf_cleanup(&bytes);
}

static void impossible_leaves_are_not_written(void **state)
{
    (void)state;
    struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_LEAF_BYTES);
    struct lb_leaf leaf = sample();
    leaf.type = LB_LEAF_TYPE_END;
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf.type = (enum lb_leaf_type)0;
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf = sample();
    leaf.time_ms = -1;
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf = sample();
    leaf.count = 0;
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf = sample();
    memset(leaf.code, 'A', sizeof(leaf.code));
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf = sample();
    memset(leaf.views, 'v', sizeof(leaf.views));
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf = sample();
    memcpy(leaf.code, "A\nB", 4);
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    leaf = sample();
    memcpy(leaf.views, "\xFF\xFE", 3);
    assert_code(lb_leaf_encode(&leaf, &buf), LB_MALFORMED);
    assert_int_equal(buf.len, 0);
    lb_buf_cleanup(&buf);
}

static void the_largest_leaf_fits(void **state)
{
    (void)state;
    struct lb_leaf leaf = sample();
    memset(leaf.code, 'A', sizeof(leaf.code) - 1);
    memset(leaf.views, 'v', sizeof(leaf.views) - 1);
    struct lb_buf bytes = encode(&leaf);
    struct lb_leaf back;
    assert_ok(lb_leaf_decode(lb_buf_span(&bytes), &back));
    lb_buf_cleanup(&bytes);
}

static void types_have_names(void **state)
{
    (void)state;
    assert_string_equal(lb_leaf_type_name(LB_LEAF_READ), "READ");
    assert_string_equal(lb_leaf_type_name(LB_LEAF_REVIEW), "REVIEW");
    assert_string_equal(lb_leaf_type_name(LB_LEAF_PARCEL), "PARCEL");
    assert_string_equal(lb_leaf_type_name((enum lb_leaf_type)0), "UNKNOWN");
    assert_string_equal(lb_leaf_type_name(LB_LEAF_TYPE_END), "UNKNOWN");
    for (int type = LB_LEAF_READ; type < LB_LEAF_TYPE_END; type++)
        assert_non_null(lb_leaf_type_name((enum lb_leaf_type)type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_comes_back_as_it_was),
        cmocka_unit_test(the_bytes_are_these),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(a_newer_version_is_told_apart),
        cmocka_unit_test(impossible_leaves_are_not_written),
        cmocka_unit_test(the_largest_leaf_fits),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
