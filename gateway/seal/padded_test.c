#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/seal/padded.h"

static void every_length_up_to_the_frame_comes_back(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(1 << 20);
    uint8_t message[60];
    for (size_t i = 0; i < sizeof(message); i++)
        message[i] = (uint8_t)(i + 1);
    for (size_t len = 0; len <= sizeof(message); len++) {
        struct lb_span framed = LB_SPAN_EMPTY, back = LB_SPAN_EMPTY;
        assert_true(lb_padded_wrap(lb_span_of(message, len), 64, arena, &framed) == LB_OK);
        assert_int_equal(framed.len, 64);
        assert_true(lb_padded_unwrap(framed, &back) == LB_OK);
        assert_true(lb_span_eq(back, lb_span_of(message, len)));
    }
    struct lb_span untouched = lb_span_str("x");
    assert_int_equal(
        lb_status_code(lb_padded_wrap(lb_span_of(message, 60), 63, arena, &untouched)),
        LB_TOO_LARGE);
    assert_int_equal(lb_status_code(lb_padded_wrap(LB_SPAN_EMPTY, 3, arena, &untouched)),
                     LB_TOO_LARGE);
    assert_true(lb_span_is(untouched, "x"));
    lb_arena_free(arena);
}

static void a_frame_has_one_form(void **state)
{
    (void)state;
    struct lb_span back = LB_SPAN_EMPTY;
    static const uint8_t dirty[] = {0, 0, 0, 1, 'a', 0, 1, 0};
    static const uint8_t longer[] = {0, 0, 0, 5, 'a', 0, 0, 0};
    static const uint8_t huge[] = {0xFF, 0xFF, 0xFF, 0xFF, 'a'};
    assert_int_equal(lb_status_code(lb_padded_unwrap(lb_span_of(dirty, 8), &back)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_padded_unwrap(lb_span_of(longer, 8), &back)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_padded_unwrap(lb_span_of(huge, 5), &back)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_padded_unwrap(lb_span_of(huge, 3), &back)), LB_MALFORMED);
}

static void sizes_are_multiples_that_fit(void **state)
{
    (void)state;
    for (size_t len = 0; len < 5000; len++) {
        size_t size = lb_padded_size(len, 1024);
        assert_int_equal(size % 1024, 0);
        assert_true(size >= len + 4 && size < len + 4 + 1024);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_up_to_the_frame_comes_back),
        cmocka_unit_test(a_frame_has_one_form),
        cmocka_unit_test(sizes_are_multiples_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
