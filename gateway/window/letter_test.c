#include <string.h>

#include "gateway/window/fixture.h"

/* The letter that tells a citizen the decision. */

static lb_status letter(struct fixture *fx, const char *case_id, const char *language,
                        const char *variant, const char **out)
{
    Lianban__V1__GetLetterRequest request = LIANBAN__V1__GET_LETTER_REQUEST__INIT;
    Lianban__V1__GetLetterResponse *response = NULL;
    request.case_id = (char *)(uintptr_t)case_id;
    request.language = (char *)(uintptr_t)language;
    request.variant = (char *)(uintptr_t)variant;
    LB_TRY(lb_window_letter(fx->window, &request, fx->arena, &response));
    assert_int_equal(response->sha256.len, 32);
    *out = response->text;
    return LB_OK;
}

static void assert_says(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strstr(text, words[i]) == NULL)
            fail_msg("`%s` is missing in:\n%s", words[i], text);
    }
}

/* A family whose taxes were added, and which was heard before it got less than suggested. */
static const char *decided(struct fixture *fx)
{
    const char *case_id = fx_facing(fx, true);
    Lianban__V1__ActResponse *act = NULL;
    for (uint32_t i = 0; i < 2; i++) {
        Lianban__V1__AddFactRequest *wage = fx_fact_request(fx, case_id, "wage12", "4321", "B");
        Lianban__V1__AddFactRequest *firms = fx_fact_request(fx, case_id, "firms", "0", "B");
        wage->member = firms->member = i;
        assert_ok(fx_add(fx, wage, &act));
        assert_ok(fx_add(fx, firms, &act));
    }
    assert_string_equal(act->result->class_id, "FULL");
    assert_ok(fx_hear(fx, case_id, "2027-01-12", "我们<同意>", &act));
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "PART"), &act));
    return case_id;
}

static void tells_the_decision_and_the_rights(void **state)
{
    static const char *const zh[] = {
        "测试救助", "决定：部分", "经核对材料，符合条件。", "《社会救助法》第45条",
        "2027年1月12日", "我们<同意>", "建议是“全额”", "不同的决定",
        "收入低于标准：是（SAL 20）", "身份证复印件", "《个人信息保护法》第46条",
        "60日内", "《行政复议法》第20条", "《社会救助法》第48条", "决定日期：2027年1月15日", NULL};
    static const char *const en[] = {
        "Decision: partial", "15 January 2027", "The rules suggested \"full\"", "decided otherwise",
        "A member is severely disabled: yes", "copy of the identity card", "within 60 days",
        "Personal Information Protection Law art. 46", NULL};
    struct fixture *fx = *state;
    const char *case_id = decided(fx), *text = NULL;
    assert_ok(letter(fx, case_id, "zh", "", &text));
    assert_says(text, zh);
    assert_ok(letter(fx, case_id, "en", "plain", &text));
    assert_says(text, en);
    fx_restart(fx);
    const char *again = NULL;
    assert_ok(letter(fx, case_id, "en", "plain", &again));
    assert_string_equal(again, text);
}

/* No value of a fact, no name, no number of a person, and nothing that a page would obey. */
static void tells_nobody_s_data(void **state)
{
    static const char *const variants[] = {"plain", "large", "aloud"};
    struct fixture *fx = *state;
    const char *case_id = decided(fx), *text = NULL;
    const char *const secret[] = {"4321", "张三丰", "李四维", "张小宝",
                                  fx_id(fx, "19800101", 11), fx_id(fx, "19820202", 22),
                                  "110101", "B-1"};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(letter(fx, case_id, "zh", variants[i], &text));
        for (size_t k = 0; k < sizeof(secret) / sizeof(secret[0]); k++)
            assert_null(strstr(text, secret[k]));
    }
    assert_ok(letter(fx, case_id, "zh", "large", &text));
    assert_non_null(strstr(text, "<title>决定书</title>"));
    assert_non_null(strstr(text, "我们&lt;同意&gt;"));
    assert_ok(letter(fx, case_id, "zh", "aloud", &text));
    assert_non_null(strstr(text, "六十日内"));
}

/* It says what was so when it was decided, whatever came later. */
static void keeps_to_the_suggestion_it_was_decided_upon(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = decided(fx), *before = NULL, *after = NULL;
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(letter(fx, case_id, "zh", "", &before));
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "2", "B"), &act));
    assert_string_equal(act->result->class_id, "NONE");
    assert_ok(letter(fx, case_id, "zh", "", &after));
    assert_string_equal(before, after);
}

static void there_is_none_before_a_decision(void **state)
{
    struct fixture *fx = *state;
    const char *text = NULL;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_code(letter(fx, case_id, "zh", "", &text), LB_CASE_STATE);
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    assert_ok(letter(fx, case_id, "zh", "", &text));
    assert_non_null(strstr(text, "没有得出建议"));
    assert_non_null(strstr(text, "未能查明"));
    assert_code(letter(fx, case_id, "fr", "", &text), LB_MALFORMED);
    assert_code(letter(fx, case_id, "zh", "small", &text), LB_MALFORMED);
    assert_code(letter(fx, "c-1", "zh", "", &text), LB_CASE_UNKNOWN);
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_the_decision_and_the_rights),
        TEST(tells_nobody_s_data),
        TEST(keeps_to_the_suggestion_it_was_decided_upon),
        TEST(there_is_none_before_a_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
