#include "policy/engine/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "policy/engine/form_fixture.h"

static struct lb_rules *rules;

static int set_up(void **state)
{
    (void)state;
    rules = lb_form_fixture_rules("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lb_rules_free(rules);
    return 0;
}

static void reads_the_head(void **state)
{
    (void)state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(lb_form_fixture_text(), rules);
    const struct lb_form *form = lb_form_of(compiled);
    assert_string_equal(form->id, "test-aid");
    assert_int_equal(form->version, 3);
    assert_string_equal(form->title.zh, "测试救助");
    assert_string_equal(form->purpose, "test-aid");
    assert_string_equal(form->lead, "civil-affairs");
    assert_int_equal(form->num_laws, 2);
    assert_string_equal(form->laws[1], "SAL41");
    assert_string_equal(form->rules_id, "test-rules");
    assert_int_equal(form->grant_days, 30);
    assert_int_equal(form->num_roles, 3);
    assert_true(form->roles[2].minor);
    assert_int_equal(form->roles[1].max, 3);
    assert_int_equal(form->num_sections, 3);
    const struct lb_form_section *tax = &form->sections[1];
    assert_int_equal(tax->basis, LB_BASIS_MANDATE);
    assert_string_equal(tax->laws[0], "SAL41");
    assert_int_equal(tax->answer_bytes, 1024);
    assert_int_equal(tax->uses, 4);
    assert_int_equal(form->sections[0].num_laws, 0);
    assert_string_equal(form->notice.refuse.en, "You may bring the documents yourself.");
    lb_form_free(compiled);
}

static void reads_the_facts(void **state)
{
    (void)state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(lb_form_fixture_text(), rules);
    const struct lb_form *form = lb_form_of(compiled);
    assert_int_equal(form->num_facts, 6);
    const struct lb_form_fact *wage = &form->facts[lb_form_fact_index(form, "wage12")];
    assert_string_equal(wage->department, "tax");
    assert_string_equal(wage->view, "tax.income");
    assert_string_equal(wage->field, "income");
    assert_int_equal(wage->call.op, LB_OP_SUM);
    assert_string_equal(wage->call.args[0], "12");
    assert_int_equal(wage->roles, 3);
    assert_int_equal(wage->otherwise.kind, LB_FACT_NUMBER);
    assert_int_equal(wage->otherwise.number, 0);
    assert_string_equal(wage->saves.en, "income certificate");
    assert_false(wage->show);
    const struct lb_form_fact *household = &form->facts[1];
    assert_int_equal(household->claim, LB_CLAIM_HOUSEHOLD);
    assert_int_equal(household->otherwise.kind, LB_FACT_TRUTH);
    assert_true(household->otherwise.truth);
    assert_int_equal(form->facts[0].claim, LB_CLAIM_NAME);
    assert_null(form->facts[0].saves.zh);
    assert_true(form->facts[2].show);
    lb_form_free(compiled);
}

static void reads_the_rules(void **state)
{
    (void)state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(lb_form_fixture_text(), rules);
    const struct lb_form *form = lb_form_of(compiled);
    assert_int_equal(form->num_conditions, 5);
    assert_string_equal(form->conditions[1].name, "poor");
    assert_string_equal(form->conditions[1].text.en, "Income below the line");
    assert_string_equal(form->conditions[1].source, "SAL 20");
    assert_int_equal(form->num_classes, 2);
    assert_string_equal(form->classes[0].id, "FULL");
    assert_string_equal(form->otherwise.id, "NONE");
    assert_string_equal(form->otherwise.text.zh, "不符合");
    lb_form_free(compiled);
}

static void finds_by_name(void **state)
{
    (void)state;
    struct lb_form_compiled *compiled = lb_form_fixture_load(lb_form_fixture_text(), NULL);
    const struct lb_form *form = lb_form_of(compiled);
    assert_int_equal(lb_form_role_index(form, "child"), 2);
    assert_true(lb_form_role_index(form, "agent") == SIZE_MAX);
    assert_int_equal(lb_form_section_index(form, "disabled-federation"), 2);
    assert_true(lb_form_section_index(form, "finance") == SIZE_MAX);
    assert_int_equal(lb_form_fact_index(form, "severe"), 5);
    assert_true(lb_form_fact_index(form, "income") == SIZE_MAX);
    for (size_t i = 0; i < form->num_facts; i++)
        assert_int_equal(form->facts[i].section,
                         lb_form_section_index(form, form->facts[i].department));
    const struct lb_form_fact *wage = &form->facts[3];
    assert_true(lb_form_asks(wage, 0));
    assert_true(lb_form_asks(wage, 1));
    assert_false(lb_form_asks(wage, 2));
    assert_false(lb_form_asks(wage, 3));
    assert_false(lb_form_asks(wage, SIZE_MAX));
    lb_form_free(compiled);
}

static void keeps_bytes_and_hash(void **state)
{
    (void)state;
    char *text = strdup(lb_form_fixture_text());
    assert_non_null(text);
    struct lb_form_compiled *compiled = lb_form_fixture_load(text, NULL);
    const struct lb_form *form = lb_form_of(compiled);
    memset(text, 'x', strlen(text)); /* the form has its own copy */
    struct lb_span expected = lb_span_str(lb_form_fixture_text());
    assert_true(lb_span_eq(form->content, expected));
    uint8_t hash[LB_SHA256_BYTES];
    lb_sha256(expected, hash);
    assert_memory_equal(form->sha256, hash, sizeof(hash));
    assert_string_equal(form->id, "test-aid");
    lb_form_free(compiled);
    free(text);
}

static void loads_from_a_file(void **state)
{
    (void)state;
    char folder[64] = "/tmp/form_XXXXXX";
    char path[128];
    struct lb_form_compiled *compiled = NULL;
    struct lb_diag diag = {{0}};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/form.yaml", folder);
    assert_int_equal(lb_status_code(lb_form_load(path, rules, &diag, &compiled)), LB_FILE_FAILED);
    assert_null(compiled);
    assert_null(lb_file_write(path, lb_span_str(lb_form_fixture_text()), 0600));
    assert_null(lb_form_load(path, rules, &diag, &compiled));
    assert_string_equal(lb_form_of(compiled)->id, "test-aid");
    lb_form_free(compiled);

    compiled = NULL;
    assert_null(lb_file_write(path, lb_span_str("form: x\nversion: 0\n"), 0600));
    assert_int_equal(lb_status_code(lb_form_load(path, rules, &diag, &compiled)),
                     LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "form.yaml:2:"));
    assert_null(compiled);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void refuses_a_file_cut_anywhere(void **state)
{
    (void)state;
    struct lb_span whole = lb_span_str(lb_form_fixture_text());
    for (size_t len = 0; len < whole.len - 1; len++) {
        struct lb_form_compiled *compiled = NULL;
        struct lb_diag diag = {{0}};
        lb_status status = lb_form_load_text(lb_span_of(whole.ptr, len), "test.yaml", NULL, &diag,
                                             &compiled);
        assert_int_equal(lb_status_code(status), LB_CONFIG_INVALID);
        assert_memory_equal(diag.text, "test.yaml:", strlen("test.yaml:"));
        assert_null(compiled);
    }
}

static void takes_folded_text_as_one_line(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    char *text = lb_form_fixture_replace(arena, lb_form_fixture_text(),
                                         "title: {zh: 测试救助, en: Test aid}\n",
                                         "title:\n  zh: 测试救助\n  en: >\n    Test\n    aid\n");
    struct lb_form_compiled *compiled = lb_form_fixture_load(text, NULL);
    assert_string_equal(lb_form_of(compiled)->title.en, "Test aid");
    lb_form_free(compiled);
    lb_arena_free(arena);
}

static lb_status load_with(struct lb_arena *arena, const char *old, const char *with)
{
    struct lb_form_compiled *compiled = NULL;
    struct lb_diag diag = {{0}};
    char *text = lb_form_fixture_replace(arena, lb_form_fixture_text(), old, with);
    lb_status status =
        lb_form_load_text(lb_span_str(text), "test.yaml", NULL, &diag, &compiled);
    lb_form_free(compiled);
    return status;
}

/* A section asks at most 8 views and 64 facts; the tax section of the fixture has 2 of each. */
static void bounds_what_a_section_asks(void **state)
{
    (void)state;
    static const struct {
        size_t facts, views;
        enum lb_code code;
    } table[] = {{6, 6, LB_CODE_OK},
                 {7, 7, LB_CONFIG_INVALID},
                 {62, 1, LB_CODE_OK},
                 {63, 1, LB_CONFIG_INVALID}};
    for (size_t t = 0; t < sizeof(table) / sizeof(table[0]); t++) {
        struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
        char *more = lb_arena_str(arena, LB_SPAN_EMPTY);
        for (size_t i = 0; i < table[t].facts; i++)
            more = lb_arena_printf(arena,
                                   "%s  - {fact: f%zu, department: tax, view: tax.v%zu,"
                                   " field: f%zu, operator: EXISTS, roles: [applicant],"
                                   " otherwise: false, label: {zh: a, en: a}}\n",
                                   more, i, i % table[t].views, i);
        more = lb_arena_printf(arena, "%shousehold:\n", more);
        assert_int_equal(lb_status_code(load_with(arena, "household:\n  - {name: income",
                                                  lb_arena_printf(arena, "%s  - {name: income",
                                                                  more))),
                         table[t].code);
        lb_arena_free(arena);
    }
}

static void bounds_texts(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    char *fits = lb_arena_printf(arena, "en: %0*d}", 2048, 1);
    char *does_not = lb_arena_printf(arena, "en: %0*d}", 2049, 1);
    assert_null(load_with(arena, "en: Test aid}", fits));
    assert_int_equal(lb_status_code(load_with(arena, "en: Test aid}", does_not)),
                     LB_CONFIG_INVALID);
    lb_arena_free(arena);
}

static void free_takes_null(void **state)
{
    (void)state;
    lb_form_free(NULL);
}

/* Broker and consent office have no rule set: they read the form and cannot judge by it. */
static void without_rules_expressions_are_left_alone(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    char *text = lb_form_fixture_replace(arena, lb_form_fixture_text(),
                                         "income < std_line * 12 * n", "income < no_such");
    struct lb_form_compiled *compiled = lb_form_fixture_load(text, NULL);
    struct lb_form_judgement judgement;
    struct lb_form_member member = {0};
    assert_int_equal(lb_status_code(lb_form_judge(compiled, &member, 1, NULL, arena, &judgement)),
                     LB_CONFIG_INVALID);
    lb_form_free(compiled);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_head),
        cmocka_unit_test(reads_the_facts),
        cmocka_unit_test(reads_the_rules),
        cmocka_unit_test(finds_by_name),
        cmocka_unit_test(keeps_bytes_and_hash),
        cmocka_unit_test(loads_from_a_file),
        cmocka_unit_test(refuses_a_file_cut_anywhere),
        cmocka_unit_test(takes_folded_text_as_one_line),
        cmocka_unit_test(bounds_what_a_section_asks),
        cmocka_unit_test(bounds_texts),
        cmocka_unit_test(free_takes_null),
        cmocka_unit_test(without_rules_expressions_are_left_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
