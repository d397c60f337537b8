#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"
#include "policy/engine/form_paper.h"
#include "policy/engine/form_text.h"

/* The paper twin: whatever stands in a form's file and is for people stands on the paper. */

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")

#define ASKS                                                                                       \
    "parts:\n  - part: aid\n    department: civil-affairs\n    title: {zh: 发放, en: Payment}\n"    \
    "    law: [SAL42]\n    classes: [FULL]\n    roles: [applicant]\n    days: 17\n"                \
    "    escalate: {zh: 救助科, en: Aid section}\n"                                                \
    "  - part: first\n    department: health\n    title: {zh: 急救, en: First help}\n"             \
    "    law: [SAL50]\n    emergency: true\n    roles: [applicant]\n    days: 9\n"                 \
    "    escalate: {zh: 值班, en: Desk on duty}\n"                                                 \
    "asks:\n  - ask: choice\n    text: {zh: 选择提前, en: Choice to begin early}\n"                  \
    "    law: [SAL42]\n    roles: [applicant]\n    parts: [aid]\n"                                 \
    "    waiver: {zh: 只有本人知道, en: Nobody else knows}\nnotice:\n"

struct test {
    struct lb_arena *arena;
    struct lb_form_compiled *form;
    const char *paper;
    bool is_zh;
};

static int set_up(void **state)
{
    static struct test test;
    test = (struct test){.arena = lb_arena_new(LB_FILE_ARENA_BYTES)};
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

static const char *paper_of(struct test *test, const char *language, bool html)
{
    const struct lb_paper_options options = {"The <street> office", language, html};
    struct lb_span text;
    assert_ok(lb_form_paper(lb_form_of(test->form), &options, test->arena, &text));
    return lb_arena_str(test->arena, text);
}

static void stands(const struct test *test, const char *words)
{
    if (strstr(test->paper, words) == NULL)
        fail_msg("not on paper: %s", words);
}

static void stands_text(const struct test *test, const struct lb_form_text *text)
{
    if (text->zh != NULL)
        stands(test, test->is_zh ? text->zh : text->en);
}

static void stands_days(struct test *test, const struct lb_form_part *part)
{
    stands(test, lb_arena_printf(test->arena, test->is_zh ? "：%lld%s；" : ": %lld %s;",
                                 (long long)part->days,
                                 test->is_zh ? (part->emergency ? "天" : "个工作日")
                                             : (part->emergency ? "day(s)" : "working day(s)")));
}

static void whole_notice_stands(struct test *test)
{
    const struct lb_notice_options options = {.requester_name = "The <street> office",
                                              .language = test->is_zh ? "zh" : "en"};
    struct lb_span text;
    assert_ok(lb_form_notice_text(lb_form_of(test->form), &options, test->arena, &text));
    stands(test, lb_arena_str(test->arena, text));
}

static void everything_stands(struct test *test, bool is_zh)
{
    const struct lb_form *form = lb_form_of(test->form);
    test->is_zh = is_zh;
    test->paper = paper_of(test, is_zh ? "zh" : "en", false);
    whole_notice_stands(test);
    stands_text(test, &form->title);
    for (size_t i = 0; i < form->num_facts; i++) {
        stands_text(test, &form->facts[i].label);
        stands_text(test, &form->facts[i].saves);
    }
    for (size_t i = 0; i < form->num_conditions; i++) {
        stands_text(test, &form->conditions[i].text);
        stands(test, form->conditions[i].source);
    }
    for (size_t i = 0; i <= form->num_classes; i++)
        stands_text(test, i < form->num_classes ? &form->classes[i].text : &form->otherwise.text);
    for (size_t i = 0; i < form->num_amounts; i++)
        stands_text(test, &form->amounts[i].text);
    for (size_t i = 0; i < form->num_parts; i++) {
        stands_text(test, &form->parts[i].title);
        stands_text(test, &form->parts[i].escalate);
        stands_days(test, &form->parts[i]);
    }
    for (size_t i = 0; i < form->num_asks; i++) {
        stands_text(test, &form->asks[i].text);
        stands_text(test, &form->asks[i].waiver);
    }
    stands_text(test, &form->notice.why);
    stands_text(test, &form->notice.keep);
    stands_text(test, &form->notice.withdraw);
    stands_text(test, &form->notice.refuse);
    stands_text(test, &form->decision.object_where);
}

static void published_forms_stand_on_paper(void **state)
{
    static const char *const names[] = {
        "access-request",     "bereavement",  "disability-subsidies", "education-aid",
        "illness-poverty",    "newborn",      "medical-assistance",   "oversight",
        "public-rental-housing", "recheck",   "retirement",           "social-assistance"};
    struct test *test = *state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lb_diag diag = {{0}};
        char path[128];
        (void)snprintf(path, sizeof(path), "policy/forms/%s.yaml", names[i]);
        lb_form_free(test->form);
        test->form = NULL;
        if (lb_form_load(path, NULL, &diag, &test->form) != LB_OK)
            fail_msg("%s", diag.text);
        lb_arena_reset(test->arena);
        everything_stands(test, true);
        everything_stands(test, false);
    }
}

static void load_fixture(struct test *test)
{
    test->form = lb_form_fixture_load(
        lb_form_fixture_replace(test->arena, lb_form_fixture_text(), "notice:\n", ASKS), NULL);
}

static void asks_and_parts_stand(void **state)
{
    struct test *test = *state;
    load_fixture(test);
    everything_stands(test, true);
    everything_stands(test, false);
    stands(test, "Choice to begin early: ____");
    stands(test, "First help; in an emergency at once, papers follow; papers within: 9 day(s)");
    stands(test, "Payment; with the result: full; done within: 17 working day(s)");
}

static size_t count(const char *text, const char *words)
{
    size_t num = 0;
    for (const char *at = strstr(text, words); at != NULL; at = strstr(at + 1, words))
        num++;
    return num;
}

/* Everybody signs; a box where there is something to agree to, none under a mandate. */
static void there_are_boxes_and_lines(void **state)
{
    struct test *test = *state;
    load_fixture(test);
    const char *paper = paper_of(test, "en", false);
    assert_int_equal(count(paper, "□ I agree"), 2);
    assert_int_equal(count(paper, "nothing to tick"), 1);
    assert_int_equal(count(paper, "the applicant: name ____"), 1);
    assert_int_equal(count(paper, "children under age: name ____"), 3);
    assert_int_equal(count(paper, "(the guardian signs; from 14 on the minor as well): ____"), 3);
    assert_int_equal(count(paper, "officer at the window"), 1);
}

static void a_page_is_one_file_and_safe(void **state)
{
    struct test *test = *state;
    load_fixture(test);
    const char *page = paper_of(test, "zh", true);
    assert_int_equal(strncmp(page, "<!DOCTYPE html>", 15), 0);
    assert_non_null(strstr(page, "The &lt;street&gt; office"));
    assert_null(strstr(page, "http"));
    assert_null(strstr(page, "<script"));
    assert_non_null(strstr(page, "<h2>【8】"));
    assert_string_equal(page, paper_of(test, "zh", true));
}

static void bad_options_are_refused(void **state)
{
    struct test *test = *state;
    struct lb_span text;
    load_fixture(test);
    const struct lb_paper_options no_name = {"", "zh", false}, no_language = {"x", "fr", false};
    assert_string_equal(lb_code_name(lb_status_code(lb_form_paper(
                            lb_form_of(test->form), &no_name, test->arena, &text))),
                        "MALFORMED");
    assert_string_equal(lb_code_name(lb_status_code(lb_form_paper(
                            lb_form_of(test->form), &no_language, test->arena, &text))),
                        "MALFORMED");
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(published_forms_stand_on_paper),
        TEST(asks_and_parts_stand),
        TEST(there_are_boxes_and_lines),
        TEST(a_page_is_one_file_and_safe),
        TEST(bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
