#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

/* Masks, by code points. */

struct masked {
    const char *text;
    const char *mask;  /* NULL: unknown */
};

static void expect_all(struct fixture *fixture, const char *call, enum lb_field_type type,
                       const struct masked *cases, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        fixture_cell(fixture, type, CELL_TEXT(cases[i].text));
        if (cases[i].mask == NULL)
            expect_unknown(fixture, call);
        else
            expect_text(fixture, call, cases[i].mask);
    }
}

#define EXPECT_ALL(call_, type_, cases_)                                                           \
    expect_all(fixture, call_, type_, cases_, sizeof(cases_) / sizeof((cases_)[0]))

static void a_list_is_whole_or_unknown(void **state)
{
    struct fixture *fixture = *state;
    static char longest[LB_MAX_LIST_LINE_BYTES + 1], longer[LB_MAX_LIST_LINE_BYTES + 2];
    memset(longest, 'x', sizeof(longest) - 1);
    memset(longer, 'x', sizeof(longer) - 1);
    fixture_rows(fixture, LB_FIELD_TEXT, true, false);
    expect_state(fixture, "LIST", LB_FACT_NOT_FOUND);
    fixture_add(fixture, CELL_TEXT("{\"a\":1}"));
    expect_text(fixture, "LIST", "{\"a\":1}");
    fixture_add(fixture, CELL_TEXT("王"));
    expect_text(fixture, "LIST", "{\"a\":1}\n王");
    fixture_add(fixture, CELL_TEXT(longest));
    struct lb_fact fact;
    assert_int_equal(fixture_apply(fixture, "LIST", &fact), LB_CODE_OK);
    assert_int_equal(fact.kind, LB_FACT_TEXT);
    static const struct lb_cell bad[] = {
        {.kind = LB_CELL_NULL}, {.kind = LB_CELL_INT, .number = 7}, {.kind = LB_CELL_TEXT}};
    const char *const texts[] = {"a\nb", "\x01", "\xFF", "\xE2\x80\xAE", longer};
    for (size_t i = 0; i < 3 + sizeof(texts) / sizeof(texts[0]); i++) {
        fixture_rows(fixture, LB_FIELD_TEXT, true, false);
        fixture_add(fixture, CELL_TEXT("good"));
        fixture_add(fixture, i < 3 ? bad[i] : CELL_TEXT(texts[i - 3]));
        expect_unknown(fixture, "LIST");
    }
    fixture_rows(fixture, LB_FIELD_TEXT, true, false);
    for (size_t i = 0; i < 8; i++)
        fixture_add(fixture, CELL_TEXT(longest));
    expect_unknown(fixture, "LIST"); /* 16 KiB and the line feeds */
}

static void masks_count_code_points(void **state)
{
    struct fixture *fixture = *state;
    static const struct masked one_two[] = {
        {"abcdef", "a***ef"}, {"北京市朝阳区", "北***阳区"}, {"abcd", "a*cd"}, {"abc", "a**"},
        {"ab", "a*"}, {"a", "*"}, {"王", "*"}, {"\xF0\xA0\x83\xA3王王王", "\xF0\xA0\x83\xA3*王王"},
        {"a*b*", "a*b*"}, {"\xFF", NULL}, {"", NULL}, {"a\x01z", NULL},
    };
    static const struct masked none[] = {{"abc", "***"}, {"a", "*"}, {"王小明", "***"}};
    static const struct masked last[] = {{"abc", "**c"}, {"ab", "*b"}, {"a", "*"}};
    static const struct masked last_two[] = {{"abc", "*bc"}, {"ab", "*b"}, {"a", "*"}};
    static const struct masked wide[] = {{"ab", "a*"}};
    EXPECT_ALL("MASK(1,2)", LB_FIELD_TEXT, one_two);
    EXPECT_ALL("MASK(0,0)", LB_FIELD_CODE, none);
    EXPECT_ALL("MASK(0,1)", LB_FIELD_CODE, last);
    EXPECT_ALL("MASK(0,2)", LB_FIELD_CODE, last_two);
    EXPECT_ALL("MASK(32,32)", LB_FIELD_CODE, wide);
}

static void a_mask_never_shows_all(void **state)
{
    struct fixture *fixture = *state;
    char text[70] = "";
    for (size_t len = 1; len < 69; len++) {
        memset(text, 'a', len);
        text[len] = '\0';
        for (int left = 0; left <= 32; left += 8) {
            for (int right = 0; right <= 32; right += 8) {
                struct lb_fact fact = {0};
                char call[40];
                (void)snprintf(call, sizeof(call), "MASK(%d,%d)", left, right);
                fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT(text));
                assert_int_equal(fixture_apply(fixture, call, &fact), LB_CODE_OK);
                assert_int_equal(fact.text.len, len);
                assert_non_null(memchr(fact.text.ptr, '*', len));
            }
        }
    }
}

static void names_keep_surname_and_last_character(void **state)
{
    struct fixture *fixture = *state;
    static const struct masked cases[] = {
        {"王小明", "王*明"}, {"张三", "张*"}, {"王", "*"}, {"王小小明", "王**明"},
        {"欧阳明", "欧阳*"}, {"欧阳小明", "欧阳*明"}, {"欧阳", "欧*"}, {"歐陽小明", "歐陽*明"},
        {"诸葛孔明亮", "诸葛**亮"}, {" 王 小明\n", "王*明"}, {"王　小明", "王*明"},
        {"阿不都·热合曼", "阿**·**曼"}, {"阿不都•热合曼", "阿**·**曼"}, {"阿·曼", "阿·*"},
        {"欧阳·曼", "欧*·曼"}, {"·曼", "·*"}, {"··", NULL}, {"买买提·吐尔逊·江", "买**·***·江"},
        {"Ｌｉ Wei", "L***I"}, {"Li", "L*"}, {"王\xF0\xA0\x83\xA3", "王*"},
        {"\xEF\xA4\x80小明", "豈*明"}, {"", NULL}, {"\xFF", NULL}, {"王\x01明", NULL},
    };
    EXPECT_ALL("NAME_MASK", LB_FIELD_NAME, cases);
}

static void numbers_keep_only_their_ends(void **state)
{
    struct fixture *fixture = *state;
    static const struct masked cases[] = {
        {"11010519491231002X", "1****************X"}, {"11010519491231002x", "1****************X"},
        {"110105491231002", "1****************X"}, {"440524188001010014", "4****************4"},
        {"110105194912310021", NULL}, {"1", NULL}, {"", NULL}, {"\xFF", NULL},
        {"11010519491231002XX", NULL},
    };
    EXPECT_ALL("ID_MASK", LB_FIELD_ID, cases);
}

static void phones_lose_four_digits(void **state)
{
    struct fixture *fixture = *state;
    static const struct masked cases[] = {
        {"13812345678", "138****5678"}, {"138 1234 5678", "138****5678"},
        {"138-1234-5678", "138****5678"}, {"+86 13812345678", "138****5678"},
        {"(+86)13812345678", "138****5678"}, {"008613812345678", "138****5678"},
        {"8613812345678", "138****5678"}, {"１３８１２３４５６７８", "138****5678"},
        {"1381234567", NULL}, {"138123456789", NULL}, {"23812345678", NULL}, {"01012345678", NULL},
        {"010-12345678", NULL}, {"+8523812345678", NULL}, {"1381234567x", NULL},
        {"1381234+5678", NULL}, {"", NULL}, {"0086138123456789", NULL}, {"\xFF", NULL},
        {"13812345678 转 9", NULL},
    };
    EXPECT_ALL("PHONE_MASK", LB_FIELD_TEXT, cases);
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_list_is_whole_or_unknown),
        WITH_FIXTURE(masks_count_code_points),
        WITH_FIXTURE(a_mask_never_shows_all),
        WITH_FIXTURE(names_keep_surname_and_last_character),
        WITH_FIXTURE(numbers_keep_only_their_ends),
        WITH_FIXTURE(phones_lose_four_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
