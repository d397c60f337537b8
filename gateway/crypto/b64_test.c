#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"

static struct lb_arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = lb_arena_new(1 << 20);
    return arena == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    lb_arena_free(arena);
    return 0;
}

static void gives_the_values_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const encoded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                          "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(lb_b64_encode(arena, lb_span_str(texts[i])), encoded[i]);
        struct lb_span back;
        assert_true(lb_b64_decode(arena, lb_span_str(encoded[i]), &back) == LB_OK);
        assert_true(lb_span_is(back, texts[i]));
        struct lb_span digits = lb_span_of(encoded[i], strcspn(encoded[i], "="));
        assert_true(lb_span_is(digits, lb_b64url_encode(arena, lb_span_str(texts[i]))));
        assert_true(lb_b64url_decode(arena, digits, &back) == LB_OK);
        assert_true(lb_span_is(back, texts[i]));
    }
}

static void each_alphabet_refuses_the_other(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0xfb, 0xff, 0xbf};
    assert_string_equal(lb_b64_encode(arena, lb_span_of(bytes, 3)), "+/+/");
    assert_string_equal(lb_b64url_encode(arena, lb_span_of(bytes, 3)), "-_-_");
    struct lb_span out;
    assert_int_equal(lb_status_code(lb_b64_decode(arena, lb_span_str("-_-_"), &out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_b64url_decode(arena, lb_span_str("+/+/"), &out)),
                     LB_MALFORMED);
}

static void anything_but_the_one_encoding_is_refused(void **state)
{
    (void)state;
    static const char *const standard[] = {
        "Z",    "Zg",   "Zg=",   "Zh==", "Zm9=", "Zg===", "====",  "=",         "==",
        "Zm9v=", "Zm9v====", "Z===", "Zg==Zg==", "Zm 9", "Zm9\n", "\nZm9v", "Zm9v\n", "Zg=g",
    };
    static const char *const url[] = {"Z", "Zg==", "Zh", "Zm9", "Zm9v\n", "Zm9vY", "Zg=", "Zm.v"};
    struct lb_span out = lb_span_str("untouched");
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
        assert_int_equal(lb_status_code(lb_b64_decode(arena, lb_span_str(standard[i]), &out)),
                         LB_MALFORMED);
    for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++)
        assert_int_equal(lb_status_code(lb_b64url_decode(arena, lb_span_str(url[i]), &out)),
                         LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_b64_decode(arena, lb_span_of("Zm\0v", 4), &out)),
                     LB_MALFORMED);
    assert_true(lb_span_is(out, "untouched"));
}

/* Every changed digit must change the bytes or be refused: one value, one encoding. */
static void no_two_texts_mean_the_same(void **state)
{
    (void)state;
    char text[] = "AAECAwQ";
    struct lb_span original;
    assert_true(lb_b64url_decode(arena, lb_span_str(text), &original) == LB_OK);
    for (size_t i = 0; i < strlen(text); i++) {
        char kept = text[i];
        for (int c = 1; c < 256; c++) {
            if ((char)c == kept)
                continue;
            text[i] = (char)c;
            struct lb_span other;
            if (lb_b64url_decode(arena, lb_span_of(text, 7), &other) == LB_OK)
                assert_false(lb_span_eq(original, other));
        }
        text[i] = kept;
    }
}

static void random_bytes_come_back(void **state)
{
    (void)state;
    uint8_t bytes[100];
    assert_true(lb_crypto_random(bytes, sizeof(bytes)) == LB_OK);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct lb_span in = lb_span_of(bytes, len);
        struct lb_span out;
        assert_true(lb_b64_decode(arena, lb_span_str(lb_b64_encode(arena, in)), &out) == LB_OK);
        assert_true(lb_span_eq(in, out));
        assert_true(lb_b64url_decode(arena, lb_span_str(lb_b64url_encode(arena, in)), &out) ==
                    LB_OK);
        assert_true(lb_span_eq(in, out));
    }
}

static void a_full_arena_is_said(void **state)
{
    (void)state;
    struct lb_arena *small = lb_arena_new(16);
    struct lb_span out;
    assert_null(lb_b64_encode(small, lb_span_str("too long for sixteen bytes")));
    assert_int_equal(
        lb_status_code(lb_b64_decode(small, lb_span_str("Zm9vYmFyZm9vYmFyZm9vYmFy"), &out)),
        LB_NO_MEMORY);
    lb_arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_the_values_of_rfc_4648, begin, end),
        cmocka_unit_test_setup_teardown(each_alphabet_refuses_the_other, begin, end),
        cmocka_unit_test_setup_teardown(anything_but_the_one_encoding_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(no_two_texts_mean_the_same, begin, end),
        cmocka_unit_test_setup_teardown(random_bytes_come_back, begin, end),
        cmocka_unit_test(a_full_arena_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
