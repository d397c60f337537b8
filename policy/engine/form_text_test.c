#include "policy/engine/form_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

static const char notice_zh[] =
    "告知书：测试救助\n"
    "表单：test-aid，第3版\n"
    "谁在查询：某街道办事处\n"
    "为什么查询：用于审核您的申请。\n"
    "法律依据：《社会救助法》第40条、《社会救助法》第41条\n"
    "向哪些部门查询什么：\n"
    "1. 公安部门（经您同意后才查询；每人最多查询2次）\n"
    "   - 姓名：仅回答与您申报的是否一致；查询对象：申请人、成年家庭成员、未成年子女；"
    "只用于判断，窗口不显示\n"
    "   - 户内成员：仅回答与您申报的是否一致；查询对象：申请人；只用于判断，窗口不显示\n"
    "   - 户籍地：仅给出所在地区的代码，到县级为止；"
    "查询对象：申请人、成年家庭成员、未成年子女；窗口会显示\n"
    "2. 税务部门（依法律规定查询：《社会救助法》第41条；每人最多查询4次）\n"
    "   - 近12个月工资：近12个月合计；查询对象：申请人、成年家庭成员；只用于判断，窗口不显示\n"
    "   - 名下企业：仅给出数量，最多计到2；查询对象：申请人、成年家庭成员；"
    "只用于判断，窗口不显示\n"
    "3. 残疾人联合会（敏感个人信息，经您单独同意后才查询；每人最多查询100次）\n"
    "   - 重度残疾：仅回答是否属于规定类别（disability.severe）；"
    "查询对象：申请人、成年家庭成员、未成年子女；只用于判断，窗口不显示\n"
    "您不必提交：户口簿、收入证明\n"
    "未成年人：不满14周岁由监护人同意；满14周岁本人同意，敏感个人信息另由监护人同意\n"
    "有效期：自同意之日起30天，到期自动失效\n"
    "保存：案件结束后删除。\n"
    "如何撤回：在任何同意点均可撤回。\n"
    "如果不同意：您可以自行提交证明。\n"
    "计算结果只是建议；查不到或拿不准的，由工作人员审核，不会因此拒绝您。\n";

static const char notice_en[] =
    "Notice: Test aid\n"
    "Form: test-aid, version 3\n"
    "Who asks: Street Office\n"
    "Why: To decide on your application.\n"
    "Law: Social Assistance Law art. 40, Social Assistance Law art. 41\n"
    "What is asked, and of which department:\n"
    "1. Public security (only if you agree; at most 2 time(s) per person)\n"
    "   - Name: only whether it matches what you declared; asked about: the applicant, adult "
    "members of the household, children under age; used for the decision only, not displayed\n"
    "   - Household members: only whether it matches what you declared; asked about: the "
    "applicant; used for the decision only, not displayed\n"
    "   - Registered area: only the code of the area, down to county; asked about: the "
    "applicant, adult members of the household, children under age; displayed at the window\n"
    "2. Tax (required by law: Social Assistance Law art. 41; at most 4 time(s) per person)\n"
    "   - Wages of the last 12 months: the total of the last 12 months; asked about: the "
    "applicant, adult members of the household; used for the decision only, not displayed\n"
    "   - Firms owned: only how many, counted up to 2; asked about: the applicant, adult members "
    "of the household; used for the decision only, not displayed\n"
    "3. Disabled persons' federation (sensitive personal information, only if you agree to this "
    "separately; at most 100 time(s) per person)\n"
    "   - Severe disability: only whether it is of the listed kinds (disability.severe); asked "
    "about: the applicant, adult members of the household, children under age; used for the "
    "decision only, not displayed\n"
    "You need not bring: household register, income certificate\n"
    "Minors: under 14 a guardian agrees; from 14 on they agree themselves, and for sensitive "
    "information a guardian as well\n"
    "How long: 30 day(s) from your agreement, then it ends by itself\n"
    "Keeping: Deleted when the case is closed.\n"
    "How to withdraw: At any consent desk.\n"
    "If you refuse: You may bring the documents yourself.\n"
    "The result is a suggestion; what is missing or uncertain goes to a person and is no ground "
    "to refuse you.\n";

struct test {
    struct lb_arena *arena;
    struct lb_form_compiled *form;
};

static int set_up(void **state)
{
    static struct test test;
    test.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    test.form = lb_form_fixture_load(lb_form_fixture_text(), NULL);
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_form_free(test->form);
    lb_arena_free(test->arena);
    return 0;
}

static lb_status render(struct test *test, const char *requester, const char *language,
                        enum lb_notice_variant variant, struct lb_span *out)
{
    const struct lb_notice_options options = {requester, language, variant};
    return lb_form_notice_text(lb_form_of(test->form), &options, test->arena, out);
}

static const char *notice_as(struct test *test, const char *language,
                             enum lb_notice_variant variant)
{
    struct lb_span text;
    assert_null(render(test, "Street Office", language, variant, &text));
    return lb_arena_str(test->arena, text);
}

static const char *notice(struct test *test, const char *requester, const char *language)
{
    struct lb_span text;
    assert_null(render(test, requester, language, LB_NOTICE_PLAIN, &text));
    return (const char *)text.ptr;
}

static void writes_both_languages(void **state)
{
    assert_string_equal(notice(*state, "某街道办事处", "zh"), notice_zh);
    assert_string_equal(notice(*state, "Street Office", "en"), notice_en);
}

static void is_the_same_each_time(void **state)
{
    struct test *test = *state;
    const char *first = notice(test, "某街道办事处", "zh");
    struct lb_form_compiled *again = lb_form_fixture_load(lb_form_fixture_text(), NULL);
    struct lb_span second;
    const struct lb_notice_options options = {"某街道办事处", "zh", LB_NOTICE_PLAIN};
    assert_null(lb_form_notice_text(lb_form_of(again), &options, test->arena, &second));
    assert_true(lb_span_is(second, first));
    lb_form_free(again);
}

/* Whatever is agreed to changes the notice, so an agreement to something else is told apart. */
static void changes_with_what_is_asked(void **state)
{
    struct test *test = *state;
    static const char *const changes[][2] = {
        {"version: 3", "version: 4"},
        {"grant_days: 30", "grant_days: 31"},
        {"basis: consent", "basis: separate_consent"},
        {"uses: 4", "uses: 5"},
        {"SUM(12)", "SUM(6)"},
        {"ADDR_LEVEL(6)", "ADDR_LEVEL(9)"},
        {"show: true", "show: false"},
        {"    roles: [applicant]\n", "    roles: [applicant, member]\n"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct lb_form_compiled *kept = test->form;
        test->form = lb_form_fixture_load(
            lb_form_fixture_replace(test->arena, lb_form_fixture_text(), changes[i][0],
                                    changes[i][1]),
            NULL);
        assert_string_not_equal(notice(test, "某街道办事处", "zh"), notice_zh);
        assert_string_not_equal(notice(test, "Street Office", "en"), notice_en);
        lb_form_free(test->form);
        test->form = kept;
    }
}

/* An operator, and what the notice says of it. */
static const char *const said[][3] = {
    {"EXISTS", "仅回答有或无", "only yes or no"},
    {"CMP(<,std.line)", "仅回答是否低于规定标准（std.line）",
     "only whether it is below the set standard (std.line)"},
    {"CMP(<=,std.line)", "仅回答是否不高于规定标准", "at most the set standard"},
    {"CMP(>,std.line)", "仅回答是否高于规定标准", "above the set standard"},
    {"CMP(>=,std.line)", "仅回答是否不低于规定标准", "at least the set standard"},
    {"BUCKET(bands)", "仅给出所在档次，不给出数值（bands）",
     "only the band it falls in, not the figure (bands)"},
    {"AGE_GE(age.old)", "仅回答是否年满规定年龄（age.old）",
     "only whether the set age is reached (age.old)"},
    {"MAP(kinds)", "仅给出归并后的类别（kinds）", "only the broad kind (kinds)"},
    {"SUM(0)", "目前合计", "the present total"},
    {"ADDR_LEVEL(2)", "到省级为止", "down to province"},
    {"ADDR_LEVEL(12)", "到村、社区为止", "down to village or neighbourhood"},
    {"ROUND(100,floor)", "仅给出取整后的数值（100，floor）", "only the figure, rounded (100, floor)"},
    {"TOPCODE(std.line)", "超过上限的只给上限（std.line）", "no more than the limit (std.line)"},
    {"BOTTOMCODE(std.line)", "低于下限的只给下限（std.line）", "no less than the limit (std.line)"},
    {"AVG_M(6)", "月平均数（6）", "the average per month of the last months (6)"},
    {"RATIO_CMP(<,part)", "就占比而言，仅回答是否低于规定标准（part）",
     "of its share, only whether it is below the set standard (part)"},
    {"TREND(6,part)", "是否明显下降（6，part）", "over the last months (6, part)"},
    {"DATE_TRUNC(Y)", "仅给出年份；", "only the year;"},
    {"DATE_TRUNC(M)", "仅给出年份和月份", "only year and month"},
    {"AGE_AT(today)", "仅给出周岁年龄（today）", "only the age in years (today)"},
    {"MASK(1,2)", "遮盖大部分字符后的内容（1，2）", "most characters hidden (1, 2)"},
    {"NAME_MASK", "给出遮盖后的姓名", "the name with characters hidden"},
    {"ID_MASK", "仅给出证件号码的首位和末位", "only the first and last character"},
    {"PHONE_MASK", "给出遮盖中间四位的手机号码", "with four digits hidden"},
    {"PSEUDO", "只供该单位用于此目的的代号", "a code name for this office and purpose alone"},
    {"TOKEN(30)", "只有数据部门能打开，到期失效（30）", "for some days (30)"},
};

static void explains_every_operator(void **state)
{
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        struct lb_form_compiled *kept = test->form;
        char *text = lb_form_fixture_replace(test->arena, lb_form_fixture_text(), "COUNT(2)",
                                             said[i][0]);
        text = lb_form_fixture_replace(test->arena, text, "otherwise: 0\n    label",
                                       "otherwise: unknown\n    label");
        test->form = lb_form_fixture_load(text, NULL);
        assert_non_null(strstr(notice(test, "某街道办事处", "zh"), said[i][1]));
        assert_non_null(strstr(notice(test, "Street Office", "en"), said[i][2]));
        lb_form_free(test->form);
        test->form = kept;
    }
}

static void writes_other_citations_as_they_stand(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *kept = test->form;
    test->form = lb_form_fixture_load(
        lb_form_fixture_replace(test->arena, lb_form_fixture_text(), "law: [SAL40, SAL41]",
                                "law: [PIPL13.1.3, SAL, XYZ7, PIPL14]"),
        NULL);
    assert_non_null(strstr(notice(test, "某街道办事处", "zh"),
                           "法律依据：PIPL13.1.3、SAL、XYZ7、《个人信息保护法》第14条\n"));
    lb_form_free(test->form);
    test->form = kept;
}

static void refuses_what_would_deceive(void **state)
{
    struct test *test = *state;
    static const char *const names[] = {"", "A\nWhy: nothing", "\x1b[2J", "\xff",
                                        "\xe2\x80\xae reversed"};
    struct lb_span out = LB_SPAN_EMPTY;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(lb_status_code(render(test, names[i], "en", LB_NOTICE_PLAIN, &out)),
                         LB_MALFORMED);
    char long_name[LB_MAX_VALUE_BYTES + 2];
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(lb_status_code(render(test, long_name, "en", LB_NOTICE_PLAIN, &out)),
                     LB_MALFORMED);
    long_name[LB_MAX_VALUE_BYTES] = '\0';
    assert_null(render(test, long_name, "en", LB_NOTICE_PLAIN, &out));
    assert_int_equal(lb_status_code(render(test, "A", "fr", LB_NOTICE_PLAIN, &out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(render(test, "A", "en", LB_NUM_NOTICE_VARIANTS, &out)),
                     LB_MALFORMED);
}

/* --- shapes --- */

static void names_the_variants(void **state)
{
    enum lb_notice_variant variant = LB_NUM_NOTICE_VARIANTS;
    (void)state;
    for (int i = 0; i < LB_NUM_NOTICE_VARIANTS; i++) {
        assert_null(lb_notice_variant_parse(
            lb_span_str(lb_notice_variant_name((enum lb_notice_variant)i)), &variant));
        assert_int_equal(variant, i);
    }
    assert_null(lb_notice_variant_parse(LB_SPAN_EMPTY, &variant));
    assert_int_equal(variant, LB_NOTICE_PLAIN);
    assert_int_equal(lb_status_code(lb_notice_variant_parse(lb_span_str("Large"), &variant)),
                     LB_ABSENT);
}

/* Every clause of the plain text is on the page, nothing is fetched, and a name cannot add to it.
 * */
static void prints_large(void **state)
{
    struct test *test = *state;
    const char *page = notice_as(test, "zh", LB_NOTICE_LARGE);
    assert_non_null(strstr(page, "font-size:24pt"));
    assert_non_null(strstr(page, "<h1>告知书：测试救助</h1>"));
    assert_non_null(strstr(page, "<h2>2. 税务部门（依法律规定查询：《社会救助法》第41条；<br>"));
    assert_non_null(strstr(page, "<p class=\"i\">- 近12个月工资：近12个月合计；<br>"));
    assert_null(strstr(page, "http"));
    assert_null(strstr(page, "script"));
    struct lb_span out;
    assert_null(render(test, "<b>&\"A\"</b>", "en", LB_NOTICE_LARGE, &out));
    assert_non_null(strstr((const char *)out.ptr, "&lt;b&gt;&amp;&quot;A&quot;&lt;/b&gt;"));
}

static void assert_no_marks(const char *text)
{
    static const char *const marks[] = {"0", "1", "2", "3", "(", ")", "；", "：", "（", "《",
                                        "%", ";", ": ", "art.", "disability.severe"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (strstr(text, marks[i]) != NULL)
            fail_msg("%s stands in what is read out", marks[i]);
}

static void reads_out(void **state)
{
    struct test *test = *state;
    const char *zh = notice_as(test, "zh", LB_NOTICE_ALOUD);
    const char *en = notice_as(test, "en", LB_NOTICE_ALOUD);
    assert_no_marks(zh);
    assert_no_marks(en);
    assert_non_null(strstr(zh, "第二个部门，税务部门，依法律规定查询。社会救助法第四十一条。"
                               "每人最多查询四次。\n"));
    assert_non_null(strstr(zh, "近十二个月工资。近十二个月合计。"));
    assert_non_null(strstr(zh, "每人最多查询一百次。"));
    assert_non_null(strstr(en, "Department two, Tax, required by law. Social Assistance Law article"
                               " forty-one. At most four times per person.\n"));
    assert_non_null(strstr(en, "At most one hundred times per person.\n"));
}

static void every_variant_is_its_own(void **state)
{
    const char *texts[6];
    for (int i = 0; i < 6; i++)
        texts[i] = notice_as(*state, i % 2 == 0 ? "zh" : "en", (enum lb_notice_variant)(i / 2));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
}

/* A role outside the household, one that is dead, and a fact that can be refused by itself. */
static void says_who_else_agrees(void **state)
{
    struct test *test = *state;
    const char *text = lb_form_fixture_text();
    text = lb_form_fixture_replace(test->arena, text, "minor: true", "deceased: true");
    text = lb_form_fixture_replace(test->arena, text, "    show: true",
                                   "    optional: true\n    show: true");
    struct lb_form_compiled *kept = test->form;
    test->form = lb_form_fixture_load(text, NULL);
    assert_non_null(strstr(notice(test, "A", "en"), "The deceased: a near relative agrees"));
    assert_non_null(strstr(notice(test, "A", "zh"), "可以单独拒绝这一项\n"));
    lb_form_free(test->form);
    test->form = kept;
}

static void says_when_there_is_no_room(void **state)
{
    struct test *test = *state;
    struct lb_arena *small = lb_arena_new(16);
    const struct lb_notice_options options = {"A", "en", LB_NOTICE_PLAIN};
    struct lb_span out = LB_SPAN_EMPTY;
    assert_int_equal(
        lb_status_code(lb_form_notice_text(lb_form_of(test->form), &options, small, &out)),
        LB_NO_MEMORY);
    assert_int_equal(out.len, 0);
    lb_arena_free(small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writes_both_languages),
        TEST(is_the_same_each_time),
        TEST(changes_with_what_is_asked),
        TEST(explains_every_operator),
        TEST(writes_other_citations_as_they_stand),
        TEST(refuses_what_would_deceive),
        TEST(says_when_there_is_no_room),
        TEST(names_the_variants),
        TEST(prints_large),
        TEST(reads_out),
        TEST(every_variant_is_its_own),
        TEST(says_who_else_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
