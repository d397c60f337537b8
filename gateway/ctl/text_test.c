#include "gateway/ctl/fixture.h"

#include <stdlib.h>

#include "gateway/ctl/text.h"

static void counts_terminal_columns(void **state)
{
    (void)state;
    assert_int_equal(lb_ctl_width(lb_span_str("")), 0);
    assert_int_equal(lb_ctl_width(lb_span_str("tax")), 3);
    assert_int_equal(lb_ctl_width(lb_span_str("税务")), 4);
    assert_int_equal(lb_ctl_width(lb_span_str("（全角）")), 8);
    assert_int_equal(lb_ctl_width(lb_span_str("e\xCC\x81")), 1);         /* a combining accent */
    assert_int_equal(lb_ctl_width(lb_span_str("\xF0\xA0\x80\x80")), 2);  /* U+20000 */
    assert_int_equal(lb_ctl_width(lb_span_str("\xFF\xC3")), 2);          /* one mark a bad byte */
}

static void never_prints_what_a_terminal_obeys(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    lb_ctl_put(out, "a\x1B[2Jb\nc\xE2\x80\xAE" "d\xFF");
    (void)fclose(out);
    assert_string_equal(text, "a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD" "c\xEF\xBF\xBD" "d\xEF\xBF\xBD");
    free(text);
    out = open_memstream(&text, &len);
    lb_ctl_put_lines(out, "a\n\tb\r");
    (void)fclose(out);
    assert_string_equal(text, "a\n\xEF\xBF\xBD" "b\xEF\xBF\xBD");
    free(text);
}

static void masks_names(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(4096);
    assert_string_equal(lb_ctl_mask_name(arena, "张三"), "张*");
    assert_string_equal(lb_ctl_mask_name(arena, "买买提·艾力"), "买*");
    assert_string_equal(lb_ctl_mask_name(arena, "Li"), "L*");
    assert_string_equal(lb_ctl_mask_name(arena, "王"), "王*");
    assert_string_equal(lb_ctl_mask_name(arena, ""), "*");
    assert_string_equal(lb_ctl_mask_name(arena, "\x1B[31m"), "\xEF\xBF\xBD*");
    lb_arena_free(arena);
}

static void reads_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_ms;
    } good[] = {
        {"1970-01-01", 0},
        {"2026-07-01", 1782864000000},
        {"2026-07-01T08:00", 1782892800000},
        {"2026-07-01T08:00:30Z", 1782892830000},
        {"2026-07-01T08:00+08:00", 1782864000000},
        {"2026-06-30T19:30-04:30", 1782864000000},
        {"2028-02-29", 1835395200000},
    };
    static const char *const bad[] = {
        "", "2026", "2026-7-1", "2026-02-30", "2027-02-29", "2026-13-01", "2026-07-0x",
        "1969-12-31", "yesterday", "2026-07-01Zoo", "2026-07-01T", "2026-07-01T08:",
        "2026-07-01T24:00", "2026-07-01T08:60", "2026-07-01 08:00", "2026-07-01T08:00Zz",
        "2026-07-01T08:00+8", "2026-07-01T08:00+15:00",
    };
    int64_t at = -1;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_ok(lb_ctl_time_parse(good[i].text, &at));
        assert_int_equal(at, good[i].unix_ms);
    }
    at = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_code(lb_ctl_time_parse(bad[i], &at), LB_MALFORMED);
    assert_int_equal(at, 7);
}

static void writes_times(void **state)
{
    (void)state;
    char text[LB_CTL_TIME_BYTES];
    lb_ctl_time(1782864000007, text);
    assert_string_equal(text, "2026-07-01T00:00:00.007Z");
    lb_ctl_time(-1, text);
    assert_string_equal(text, "?");
    lb_ctl_time(INT64_MAX, text);
    assert_string_equal(text, "?");
}

static void reads_numbers(void **state)
{
    (void)state;
    int64_t number = 5;
    assert_true(lb_ctl_number("0", 0, 10, &number));
    assert_int_equal(number, 0);
    assert_true(lb_ctl_number("10", 0, 10, &number));
    assert_int_equal(number, 10);
    static const char *const bad[] = {"", "11", "-1", "+1", "1 ", " 1", "0x1", "1.0", "1e1",
                                      "9999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(lb_ctl_number(bad[i], 0, 10, &number));
    assert_int_equal(number, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_terminal_columns),
        cmocka_unit_test(never_prints_what_a_terminal_obeys),
        cmocka_unit_test(masks_names),
        cmocka_unit_test(reads_times),
        cmocka_unit_test(writes_times),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
