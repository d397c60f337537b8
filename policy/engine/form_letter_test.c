#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"
#include "policy/engine/form_letter.h"

/* What of a letter hangs on the form: amounts, and what holds when a person decides. */

#define FORM_END                                                                               \
    "amounts:\n"                                                                               \
    "  - {amount: allowance, value: std_line, unit: cents, classes: [PART],\n"                 \
    "     text: {zh: 每月金额, en: Monthly allowance}}\n"                                      \
    "decision:\n"                                                                              \
    "  hear: {needed: false}\n"                                                                \
    "  object: {days: 15, law: [PIPL50], where: {zh: 本局, en: this bureau}}\n"                \
    "notice:\n"

static const char *letter_of(struct lb_arena *arena, const struct lb_form *form,
                             const char *decided)
{
    static const enum lb_truth conditions[64];
    static const bool answered[64];
    static const struct lb_form_sum amounts[] = {{true, 123405}};
    static const char *const laws[] = {"SAL20"};
    struct lb_form_letter letter = {
        .office = "Office", .case_id = "c-1", .date = "2027-03-01",
        .decided = {decided, {"决定", "decided"}}, .suggested = {"PART", {"部分", "part"}},
        .conditions = conditions, .amounts = amounts, .answered = answered,
        .reason = "because", .num_laws = 1, .laws = laws};
    struct lb_span text;
    assert_null(lb_form_letter_text(form, &letter, "en", LB_NOTICE_PLAIN, arena, &text));
    return lb_arena_str(arena, text);
}

static void tells_what_the_form_says(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_rules *rules = lb_form_fixture_rules("");
    struct lb_form_compiled *form = lb_form_fixture_load(
        lb_form_fixture_replace(arena, lb_form_fixture_text(), "notice:\n", FORM_END), rules);
    const char *text = letter_of(arena, lb_form_of(form), "PART");
    assert_non_null(strstr(text, "Monthly allowance: 1234.05 yuan\n"));
    assert_non_null(strstr(text, "within 15 days of receiving this, at this bureau (Personal"));
    assert_non_null(strstr(text, "Date: 1 March 2027\n"));
    assert_null(strstr(text, "right to be heard"));
    /* The amount was suggested with another class than was decided. */
    assert_null(strstr(letter_of(arena, lb_form_of(form), "NONE"), "allowance"));
    lb_form_free(form);
    lb_rules_free(rules);
    lb_arena_free(arena);
}

static void words_of_a_decision_are_checked(void **state)
{
    static const char *const bad[] = {
        "decision: {hear: {needed: 1}}\nnotice:\n",
        "decision: {object: {days: 0, law: [ARL20]}}\nnotice:\n",
        "decision: {object: {days: 15}}\nnotice:\n", /* another time needs its law */
        "decision: {correct_days: 0}\nnotice:\n",
        "decision: {more: 1}\nnotice:\n",
    };
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_form_compiled *form = NULL;
        struct lb_diag diag;
        const char *text =
            lb_form_fixture_replace(arena, lb_form_fixture_text(), "notice:\n", bad[i]);
        assert_int_equal(lb_status_code(lb_form_load_text(lb_span_str(text), "test.yaml", NULL,
                                                          &diag, &form)),
                         LB_CONFIG_INVALID);
    }
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_the_form_says),
        cmocka_unit_test(words_of_a_decision_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
