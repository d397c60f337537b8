#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "policy/engine/idno.h"

#define GOOD "11010519491231002X"  /* both are the examples printed in GB 11643-1999 */
#define OLD "440524188001010014"

static enum lb_code check(const char *text)
{
    return lb_status_code(lb_idno_check(lb_span_str(text)));
}

static void wrong_shapes_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "1",
        "110105491231002",       /* 15 digits, as before 1999 */
        "11010519491231002",     /* too short */
        "11010519491231002XX",   /* too long */
        " 11010519491231002X",
        "11010519491231002X ",
        "1101051949123100 2X",
        "1101051949123100２X",   /* full-width digit */
        "１１０１０５194912",     /* 18 bytes of full-width digits, and 6 of half-width */
        "X1010519491231002X",    /* X only at the end */
        "1101051949123100X2",
        "11010519491231002Y",
        "11010519491231002\xFF",
        "110105-949123100-X",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(check(wrong[i]), LB_ID_INVALID);
    assert_int_equal(lb_status_code(lb_idno_check(LB_SPAN_EMPTY)), LB_ID_INVALID);
    assert_int_equal(lb_status_code(lb_idno_check(lb_span_of("11010519491231\0002X", 18))),
                     LB_ID_INVALID);
}

/* Gives 17 digits their check character by trying all eleven: exactly one must pass. */
static bool complete(const char *digits, char out[19])
{
    int found = 0;
    for (const char *c = "0123456789X"; *c != '\0'; c++) {
        char id[19];
        memcpy(id, digits, 17);
        id[17] = *c;
        id[18] = '\0';
        if (check(id) != LB_CODE_OK)
            continue;
        memcpy(out, id, sizeof(id));
        found++;
    }
    assert_true(found == 0 || found == 1);
    return found == 1;
}

static void impossible_dates_are_refused(void **state)
{
    (void)state;
    char id[19];
    static const char *const wrong[] = {
        "99010119900229001", "99010119000229001", "99010121000229001", "99010120230431001",
        "99010120231301001", "99010120230001001", "99010120230100001", "99010120230132001",
        "99010117991231001", "99010122000101001", "99010100000101001",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(complete(wrong[i], id));
    static const char *const right[] = {
        "99010120000229001", "99010119920229001", "99010120240229001", "99010118000101001",
        "99010121991231001", "99010120231231999", "99010120230430000",
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        assert_true(complete(right[i], id));
}

static void every_changed_digit_and_swap_is_caught(void **state)
{
    (void)state;
    assert_int_equal(check(GOOD), LB_CODE_OK);
    assert_int_equal(check(OLD), LB_CODE_OK);
    for (size_t i = 0; i < 18; i++) {
        for (const char *c = "0123456789X"; *c != '\0'; c++) {
            char id[] = GOOD;
            if (id[i] == *c)
                continue;
            id[i] = *c;
            assert_int_equal(check(id), LB_ID_INVALID);
        }
    }
    for (size_t i = 0; i < 16; i++) {
        char id[] = GOOD;
        char kept = id[i];
        if (id[i] == id[i + 1])
            continue;
        id[i] = id[i + 1];
        id[i + 1] = kept;
        assert_int_equal(check(id), LB_ID_INVALID);
    }
}

static void normal_form_has_an_upper_case_x(void **state)
{
    (void)state;
    char out[19] = "untouched";
    assert_int_equal(
        lb_status_code(lb_idno_normalise(lb_span_str("110105194912310021"), out)), LB_ID_INVALID);
    assert_string_equal(out, "untouched");
    assert_true(lb_idno_normalise(lb_span_str("11010519491231002x"), out) == LB_OK);
    assert_string_equal(out, GOOD);
}

static int age_on(const char *digits, const char *today)
{
    char id[19];
    int years = -1;
    assert_true(complete(digits, id));
    assert_true(lb_idno_age(lb_span_str(id), today, &years) == LB_OK);
    return years;
}

static void age_turns_on_the_birthday(void **state)
{
    (void)state;
    assert_int_equal(age_on("99010119660715001", "2026-07-14"), 59);
    assert_int_equal(age_on("99010119660715001", "2026-07-15"), 60);
    assert_int_equal(age_on("99010119660715001", "2026-07-16"), 60);
    assert_int_equal(age_on("99010119660715001", "1966-07-15"), 0);
    /* 29 February: 1 March in common years, 29 February in leap years. */
    assert_int_equal(age_on("99010120080229001", "2026-02-28"), 17);
    assert_int_equal(age_on("99010120080229001", "2026-03-01"), 18);
    assert_int_equal(age_on("99010120080229001", "2028-02-28"), 19);
    assert_int_equal(age_on("99010120080229001", "2028-02-29"), 20);
}

static void age_refuses_the_unborn_and_bad_days(void **state)
{
    (void)state;
    int years = 77;
    struct lb_span id = lb_span_str(GOOD);
    assert_int_equal(lb_status_code(lb_idno_age(id, "1949-12-30", &years)), LB_ID_INVALID);
    assert_int_equal(lb_status_code(lb_idno_age(id, "2026-7-01", &years)), LB_INTERNAL);
    assert_int_equal(lb_status_code(lb_idno_age(id, "2026-02-29", &years)), LB_INTERNAL);
    assert_int_equal(lb_status_code(lb_idno_age(id, NULL, &years)), LB_INTERNAL);
    assert_int_equal(lb_status_code(lb_idno_age(lb_span_str("1"), "2026-07-01", &years)),
                     LB_ID_INVALID);
    assert_int_equal(years, 77);
}

static enum lb_code normalise(struct lb_span name, char out[LB_MAX_VALUE_BYTES + 1])
{
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    struct lb_span normal = LB_SPAN_EMPTY;
    lb_status status = lb_name_normalise(name, arena, &normal);
    if (status == LB_OK) {
        memcpy(out, normal.ptr, normal.len);
        out[normal.len] = '\0';
    }
    lb_arena_free(arena);
    return lb_status_code(status);
}

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    char out[LB_MAX_VALUE_BYTES + 1] = "untouched";
    static const char *const wrong[] = {
        "", " ", "\t \n", "　　", "\xE2\x80\x8B",  /* nothing but white space */
        "\xFF", "张\xE4\xBC", "\xC0\xAF", "\xED\xA0\x80",  /* no UTF-8 */
        "张\x01三", "张\x7F", "张\xC2\x9F三",              /* control characters */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(normalise(lb_span_str(wrong[i]), out), LB_MALFORMED);
    assert_int_equal(normalise(lb_span_of("张\0三", 7), out), LB_MALFORMED);
    assert_int_equal(normalise(LB_SPAN_EMPTY, out), LB_MALFORMED);
    assert_string_equal(out, "untouched");
    char longest[LB_MAX_VALUE_BYTES + 1];
    memset(longest, 'A', sizeof(longest));
    assert_int_equal(normalise(lb_span_of(longest, sizeof(longest)), out), LB_TOO_LARGE);
    assert_int_equal(normalise(lb_span_of(longest, sizeof(longest) - 1), out), LB_CODE_OK);
    assert_int_equal(strlen(out), LB_MAX_VALUE_BYTES);
}

static void names_meet_in_one_form(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"张伟", "张伟"},
        {" 张 伟\t", "张伟"},
        {"张　伟", "张伟"},                    /* ideographic space */
        {"张\xC2\xA0伟\xE2\x80\x83", "张伟"},  /* no-break space, em space */
        {"\xEF\xBB\xBF张伟", "张伟"},          /* byte order mark */
        {"ｌｉ　Ｗｅｉ", "LIWEI"},              /* full-width letters */
        {"John Smith", "JOHNSMITH"},
        {"José Ñandú", "JOSÉÑANDÚ"},
        {"张１２", "张12"},
        {"阿不都·热合曼", "阿不都·热合曼"},  /* U+00B7 */
        {"阿不都•热合曼", "阿不都·热合曼"},  /* U+2022 */
        {"阿不都・热合曼", "阿不都·热合曼"}, /* U+30FB */
        {"阿不都･热合曼", "阿不都·热合曼"},  /* U+FF65 */
        {"阿不都‧热合曼", "阿不都·热合曼"},  /* U+2027 */
        {"阿不都\xCE\x87热合曼", "阿不都·热合曼"},      /* U+0387 */
        {"阿不都\xE1\x9B\xAB热合曼", "阿不都·热合曼"},  /* U+16EB */
        {"阿不都 · 热合曼", "阿不都·热合曼"},
        {"王\xF0\xA0\x83\xA3", "王\xF0\xA0\x83\xA3"},  /* a character outside the BMP */
        {"\xF0\xAF\xA0\x80", "\xE4\xB8\xBD"},  /* U+2F800, kept for an old set, is U+4E3D */
        {"\xEF\xA4\x80", "\xE8\xB1\x88"},          /* U+F900 is U+8C48 */
        {"\xEF\xAB\x8F", "\xF0\xA2\xA1\x8A"},      /* U+FACF is U+2284A, a byte longer */
        {"\xE2\xBC\x80", "\xE4\xB8\x80"},          /* U+2F00, a radical, is U+4E00 */
        {"\xE2\xBF\x95", "\xE9\xBE\xA0"},          /* U+2FD5, the last one, is U+9FA0 */
        {"\xE2\xBF\x96", "\xE2\xBF\x96"},          /* U+2FD6 is none */
        {"葛\xF3\xA0\x84\x80\xEF\xB8\x80", "葛"},  /* selectors of a glyph's variant */
        {"张\xE2\x80\x8D三\xE2\x80\xAE", "张三"},    /* joiner, mark of direction */
        {"阿不都.热合曼", "阿不都·热合曼"},
        {"阿不都．热合曼", "阿不都·热合曼"},
        {"阿不都∙热合曼", "阿不都·热合曼"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char out[LB_MAX_VALUE_BYTES + 1] = "";
        assert_int_equal(normalise(lb_span_str(pairs[i][0]), out), LB_CODE_OK);
        assert_string_equal(out, pairs[i][1]);
        char again[LB_MAX_VALUE_BYTES + 1] = "";
        assert_int_equal(normalise(lb_span_str(out), again), LB_CODE_OK);
        assert_string_equal(again, out);
    }
}

static void different_names_stay_different(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"张伟", "张玮"}, {"阿不都热合曼", "阿不都·热合曼"}, {"王\xF0\xA0\x83\xA3", "王"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char a[LB_MAX_VALUE_BYTES + 1] = "";
        char b[LB_MAX_VALUE_BYTES + 1] = "";
        assert_int_equal(normalise(lb_span_str(pairs[i][0]), a), LB_CODE_OK);
        assert_int_equal(normalise(lb_span_str(pairs[i][1]), b), LB_CODE_OK);
        assert_string_not_equal(a, b);
    }
}

static void other_texts_keep_case_dots_and_words(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"　Ａｂ　 １２ ", "Ab 12"}, {"a.b", "a.b"}, {"a\xE2\x80\x8B b", "a b"}, {"\xEF\xA4\x80", "豈"},
        {"x", "x"},
    };
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    struct lb_span out = LB_SPAN_EMPTY;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_true(lb_text_normalise(lb_span_str(pairs[i][0]), arena, &out) == LB_OK);
        assert_true(lb_span_is(out, pairs[i][1]));
    }
    static const char *const wrong[] = {"", " ", "a\x01", "\xFF", "\xE2\x80\x8B"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(lb_status_code(lb_text_normalise(lb_span_str(wrong[i]), arena, &out)),
                         LB_MALFORMED);
    assert_true(lb_span_is(lb_text_trim(lb_span_str("\t　a b \n")), "a b"));
    assert_int_equal(lb_text_trim(lb_span_str(" 　")).len, 0);
    assert_int_equal(lb_text_trim(lb_span_str(" \xFF ")).len, 3);
    lb_arena_free(arena);
}

static void expect_canonical(const char *given, const char *whole)
{
    char out[19] = "untouched";
    lb_status status = lb_idno_canonical(lb_span_str(given), out);
    assert_int_equal(lb_status_code(status), whole == NULL ? LB_ID_INVALID : LB_CODE_OK);
    assert_string_equal(out, whole == NULL ? "untouched" : whole);
}

/* Both 18-character examples of GB 11643-1999 in their older form, and what they look like in other
 * databases. */
static void old_and_wide_numbers_become_the_18_characters(void **state)
{
    (void)state;
    expect_canonical(GOOD, GOOD);
    expect_canonical("110105491231002", GOOD);
    expect_canonical(" 110105491231002\r\n", GOOD);
    expect_canonical("　１１０１０５４９１２３１００２", GOOD);
    expect_canonical("11010519491231002ｘ", GOOD);
    expect_canonical("110105491231997", "110105184912319973");
    expect_canonical("110105491231996", "110105184912319965");
    expect_canonical("110105491231995", "110105194912319956");
    static const char *const wrong[] = {
        "", " ", "11010549123100", "1101054912310022", "11010549123100X", "110105490231002",
        "110105491331002", "110105 491231002", "110105491231002\xFF", "-10105491231002",
        "11010519491231002XX", "１１０１０５４９１２３１００",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_canonical(wrong[i], NULL);
    /* 1900 was no leap year; 1996 and 2000 were, and an old number never means the latter. */
    expect_canonical("110105000229001", NULL);
    expect_canonical("110105960229001", "110105199602290011");
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(64);
    while (lb_arena_alloc(arena, 8) != NULL)
        continue;
    struct lb_span out = LB_SPAN_EMPTY;
    assert_int_equal(lb_status_code(lb_name_normalise(lb_span_str("张伟"), arena, &out)),
                     LB_NO_MEMORY);
    assert_null(out.ptr);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(impossible_dates_are_refused),
        cmocka_unit_test(every_changed_digit_and_swap_is_caught),
        cmocka_unit_test(normal_form_has_an_upper_case_x),
        cmocka_unit_test(age_turns_on_the_birthday),
        cmocka_unit_test(age_refuses_the_unborn_and_bad_days),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(names_meet_in_one_form),
        cmocka_unit_test(different_names_stay_different),
        cmocka_unit_test(other_texts_keep_case_dots_and_words),
        cmocka_unit_test(old_and_wide_numbers_become_the_18_characters),
        cmocka_unit_test(a_full_arena_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
