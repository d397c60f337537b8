#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"
#include "policy/engine/form_table.h"

/* A form's decision table: what follows from which answers, and that a changed rule shows in it. */

#define assert_ok(expr_) assert_string_equal(lb_code_name(lb_status_code(expr_)), "OK")

struct test {
    struct lb_arena *arena;
    const char *table;
};

static int set_up(void **state)
{
    static struct test test;
    test = (struct test){.arena = lb_arena_new(2 * LB_FILE_ARENA_BYTES)};
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_arena_free(test->arena);
    return 0;
}

static void make(struct test *test, const char *old, const char *with, const char *thresholds)
{
    struct lb_rules *rules = lb_form_fixture_rules(thresholds);
    struct lb_form_compiled *form = lb_form_fixture_load(
        lb_form_fixture_replace(test->arena, lb_form_fixture_text(), old, with), rules);
    struct lb_span text;
    assert_ok(lb_form_table(form, rules, test->arena, &text));
    test->table = lb_arena_str(test->arena, text);
    lb_form_free(form);
    lb_rules_free(rules);
}

static void stands(const struct test *test, const char *line)
{
    const char *at = strstr(test->table, line);
    if (at == NULL || (at != test->table && at[-1] != '\n'))
        fail_msg("%s\nstands not in\n%s", line, test->table);
}

static void boundaries_are_told(void **state)
{
    struct test *test = *state;
    make(test, "version: 3", "version: 4", "");
    stands(test, "form test-aid v4 rules test-rules v1\n");
    stands(test, "threshold std.line = 1000 cents\n");
    stands(test, "fact firms = tax.business.firm COUNT(2) of=applicant,member otherwise=0\n");
    stands(test, "condition poor = income < std_line * 12 * n\n");
    stands(test, "household num_severe = count of severe\n");
    stands(test, "FULL household: applicant\n");
    stands(test, "FULL condition poor: true\n");
    stands(test, "FULL 1 applicant same_person false -> NONE\n");
    stands(test, "FULL 1 applicant same_person unknown -> MANUAL\n");
    stands(test, "FULL 1 applicant wage12 to 1000 -> FULL\n");
    stands(test, "FULL 1 applicant wage12 from 1001 -> NONE\n");
    stands(test, "FULL 1 applicant firms 0 -> FULL\n");
    stands(test, "FULL 1 applicant firms 1 to 2 -> NONE\n");
    stands(test, "FULL 1 applicant region '110101' -> FULL\n");
    stands(test, "PART 1 applicant region another text -> NONE\n");
    stands(test, "PART 1 applicant severe true -> FULL\n");
    stands(test, "NONE household: ");
}

/* The same form gives the same bytes; a threshold or rule that changes changes them. */
static void a_changed_rule_shows(void **state)
{
    struct test *test = *state;
    make(test, "version: 3", "version: 4", "");
    const char *before = test->table;
    make(test, "version: 3", "version: 4", "  more: {value: 7, unit: cents, source: s}\n");
    assert_string_equal(before, test->table); /* nothing of the form's */
    make(test, "wage12 > std_line", "wage12 >= std_line", "");
    assert_null(strstr(test->table, "wage12 to 1000 -> FULL"));
    stands(test, "FULL 1 applicant wage12 to 999 -> FULL\n");
    stands(test, "FULL 1 applicant wage12 from 1000 -> NONE\n");
}

static void what_nobody_gets_is_told(void **state)
{
    struct test *test = *state;
    make(test, "poor AND plain AND local", "poor AND plain AND hard AND local", "");
    stands(test, "PART: nobody can get it\n");
    stands(test, "FULL household: applicant\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(boundaries_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_rule_shows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_gets_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
