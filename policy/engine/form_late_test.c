#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

/* Sections that are asked only when no class stands without them. */

#define TAX "tax: {basis: mandate, law: [SAL41], answer_bytes: 1024, uses: 4"
#define POLICE "public-security: {basis: consent, answer_bytes: 512, uses: 2"
#define DISABLED "disabled-federation: {basis: separate_consent, answer_bytes: 256, uses: 100"

struct test {
    struct lb_arena *arena;
    struct lb_rules *rules;
};

static int set_up(void **state)
{
    static struct test test;
    test.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    test.rules = lb_form_fixture_rules("");
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_rules_free(test->rules);
    lb_arena_free(test->arena);
    return 0;
}

static char *late(struct test *test, const char *text, const char *section)
{
    const char *with = lb_arena_printf(test->arena, "%s, late: true", section);
    return lb_form_fixture_replace(test->arena, text, section, with);
}

static void facts_of_a_late_section_are_late(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *compiled =
        lb_form_fixture_load(late(test, lb_form_fixture_text(), TAX), test->rules);
    const struct lb_form *form = lb_form_of(compiled);
    for (size_t i = 0; i < form->num_facts; i++)
        assert_int_equal(lb_form_is_late(form, i), strcmp(form->facts[i].department, "tax") == 0);
    lb_form_free(compiled);
}

static void something_is_asked_first(void **state)
{
    struct test *test = *state;
    struct lb_form_compiled *form = NULL;
    struct lb_diag diag = {{0}};
    const char *text = late(test, late(test, lb_form_fixture_text(), TAX), POLICE);
    lb_form_free(lb_form_fixture_load(text, test->rules));
    text = late(test, text, DISABLED);
    lb_status status = lb_form_load_text(lb_span_str(text), "test.yaml", test->rules, &diag, &form);
    assert_int_equal(lb_status_code(status), LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "nothing is asked first"));
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(facts_of_a_late_section_are_late),
        TEST(something_is_asked_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
