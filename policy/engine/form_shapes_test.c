#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "policy/engine/form_shapes.h"

static const char *spelled(struct lb_arena *arena, const char *digits, bool is_zh)
{
    struct lb_buf buf LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&buf, 1024);
    lb_form_say_digits(lb_span_str(digits), is_zh, &buf);
    assert_null(lb_buf_check(&buf));
    return lb_arena_str(arena, lb_buf_span(&buf));
}

static void spells_numbers(void **state)
{
    static const struct {
        const char *digits, *zh, *en;
    } cases[] = {
        {"0", "零", "zero"},
        {"7", "七", "seven"},
        {"10", "十", "ten"},
        {"12", "十二", "twelve"},
        {"20", "二十", "twenty"},
        {"105", "一百零五", "one hundred and five"},
        {"110", "一百一十", "one hundred and ten"},
        {"1450", "一千四百五十", "one thousand four hundred and fifty"},
        {"2026", "二千零二十六", "two thousand and twenty-six"},
        {"10010", "一万零一十", "ten thousand and ten"},
        {"150000", "十五万", "one hundred and fifty thousand"},
        {"100000001", "一亿零一", "one hundred million and one"},
        {"007", "零零七", "zero zero seven"},
        {"1234567890123", "一二三四五六七八九零一二三",
         "one two three four five six seven eight nine zero one two three"},
    };
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(spelled(arena, cases[i].digits, true), cases[i].zh);
        assert_string_equal(spelled(arena, cases[i].digits, false), cases[i].en);
    }
    lb_arena_free(arena);
}

/* Decimals, shares, and what is a name rather than a number. */
static const char *said(struct lb_arena *arena, const char *plain, bool is_zh)
{
    struct lb_buf buf LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&buf, 1024);
    lb_form_shape_aloud(lb_span_str(plain), is_zh, &buf);
    assert_null(lb_buf_check(&buf));
    return lb_arena_str(arena, lb_buf_span(&buf));
}

static void says_what_stands_in_a_line(void **state)
{
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    (void)state;
    assert_string_equal(said(arena, "高于1.5倍或30%\n", true), "高于一点五倍或百分之三十。\n");
    assert_string_equal(said(arena, "above 1.5 times or 30%\n", false),
                        "Above one point five times or thirty percent.\n");
    assert_string_equal(said(arena, "   - wage: art. 7; done.\n", false),
                        "Wage. Article seven. Done.\n");
    assert_string_equal(said(arena, "12. Tax (by law)", false),
                        "Department twelve, Tax, by law.\n");
    assert_string_equal(said(arena, "What is asked:", false), "What is asked.\n");
    assert_string_equal(said(arena, "", true), "");
    assert_string_equal(said(arena, "12.", true), "十二.\n");
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spells_numbers),
        cmocka_unit_test(says_what_stands_in_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
