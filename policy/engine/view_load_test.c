#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "policy/engine/view_fixture.h"

/* A mistake is told with file and line, and the advice holds the words. */
static void refused(struct fixture *fixture, const char *text, const char *line, const char *words)
{
    struct lb_diag diag = {""};
    const struct lb_view *view = NULL;
    lb_status status = lb_view_load_text(lb_span_str(text), "v.yaml", fixture->rules,
                                         fixture->arena, &diag, &view);
    assert_int_equal(lb_status_code(status), LB_CONFIG_INVALID);
    assert_null(view);
    if (strncmp(diag.text, line, strlen(line)) != 0 || strstr(diag.text, words) == NULL)
        fail_msg("\"%s\" for %s", diag.text, text);
}

#define FIELDS "rows: one\nfields: {a: {type: row, class: G2}}\n"

static void wrong_heads_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const ids[] = {"income", "tax.", ".income", "tax.in.come", "Tax.income",
                                      "tax.inc_ome", "1tax.income", "tax.in come", "tax..income"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text),
                       "view: %s\nversion: 1\ntitle: {zh: a, en: b}\n" QUERY FIELDS, ids[i]);
        refused(fixture, text, "v.yaml:1:", "<department>.<name>");
    }
    refused(fixture, HEAD QUERY FIELDS "owner: me\n", "v.yaml:", "owner");
    refused(fixture, HEAD FIELDS, "v.yaml:1:", "query");
    refused(fixture, "view: tax.income\nversion: 0\n", "v.yaml:2:", "");
    refused(fixture, HEAD QUERY "fields: {a: {type: row, class: G2}}\n", "v.yaml:1:", "rows");
    refused(fixture, HEAD QUERY "rows: two\nfields: {a: {type: row, class: G2}}\n", "v.yaml:5:",
            "many");
    refused(fixture, HEAD QUERY FIELDS "max_rows: 0\n", "v.yaml:7:", "");
    refused(fixture, HEAD QUERY FIELDS "max_rows: 4097\n", "v.yaml:7:", "");
    refused(fixture, HEAD QUERY FIELDS "timeout_ms: 60001\n", "v.yaml:7:", "");
    refused(fixture, HEAD QUERY FIELDS "freshness_days: 3\n", "v.yaml:7:", "as_of");
    refused(fixture, HEAD QUERY FIELDS "complete: maybe\n", "v.yaml:7:", "");
    refused(fixture, HEAD QUERY "rows: one\nfields: {}\n", "v.yaml:6:", "1 to");
    refused(fixture, HEAD QUERY "rows: one\nfields: {A: {type: row, class: G2}}\n", "v.yaml:6:",
            "lower-case");
}

static void wrong_queries_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[][2] = {
        {"DELETE FROM wage WHERE id_no = :id_no", "SELECT"},
        {"SELECTED WHERE id_no = :id_no", "SELECT"},
        {"SELECT", "SELECT"},
        {"(SELECT 1 WHERE :id_no)", "SELECT"},
        {"-- SELECT\\nDROP TABLE wage --:id_no", "SELECT"},
        {"PRAGMA table_info(wage)", "SELECT"},
        {"ATTACH 'x' AS y", "SELECT"},
        {"SELECT 1 WHERE :id_no = 1; DROP TABLE wage", "';'"},
        {"SELECT ';' WHERE :id_no = 1", "';'"},
        {"SELECT income_cents FROM wage", ":id_no"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), HEAD "query: \"%s\"\n" FIELDS, wrong[i][0]);
        refused(fixture, text, "v.yaml:4:", wrong[i][1]);
        if (strstr(wrong[i][1], ":id_no") != NULL)
            continue;
        (void)snprintf(text, sizeof(text), HEAD QUERY FIELDS "as_of: \"%s\"\n", wrong[i][0]);
        refused(fixture, text, "v.yaml:7:", wrong[i][1]);
    }
    static const char lower[] = HEAD "query: \"\\n\\t select 1 WHERE :id_no\"\n" FIELDS;
    assert_non_null(view_fixture_load(fixture, lower));
}

static void field_refused(struct fixture *fixture, const char *field, const char *words)
{
    char text[2048];
    (void)snprintf(text, sizeof(text), HEAD QUERY "rows: many\nfields:\n  a: %s\n", field);
    refused(fixture, text, "v.yaml:7:", words);
}

static void wrong_fields_are_refused(void **state)
{
    struct fixture *fixture = *state;
    field_refused(fixture, "{type: cents, class: G4}", "column");
    field_refused(fixture, "{column: c, class: G4}", "type");
    field_refused(fixture, "{column: c, type: cents}", "class");
    field_refused(fixture, "{column: c, type: money, class: G4}", "type");
    field_refused(fixture, "{column: c, type: cents, class: G5}", "class");
    field_refused(fixture, "{column: c, type: cents, class: 4}", "class");
    field_refused(fixture, "{column: c, type: row, class: G4}", "column");
    field_refused(fixture, "{column: c, type: code, month: m, class: G4}", "month");
    field_refused(fixture, "{column: c, type: cents, class: G4, rules: []}", "1 to");
    field_refused(fixture, "{column: c, type: cents, class: G4, hide: true}", "hide");
    field_refused(fixture, "text", "");
}

static void rule_refused(struct fixture *fixture, const char *rule, const char *words)
{
    char field[1024];
    (void)snprintf(field, sizeof(field),
                   "{column: c, type: cents, month: m, class: G3, rules: [%s]}", rule);
    field_refused(fixture, field, words);
}

#define PART_P "purpose: p"
#define PART_O "operators: [\"SUM(12)\"]"
#define PART_R "requesters: [street]"
#define PART_B "bases: [consent]"
#define PART_I "issuers: [hall]"
#define PART_M "min_level: 2"

static void wrong_rules_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[][2] = {
        {"{" PART_O ", " PART_R ", " PART_B ", " PART_I ", " PART_M "}", "purpose"},
        {"{" PART_P ", " PART_R ", " PART_B ", " PART_I ", " PART_M "}", "operators"},
        {"{" PART_P ", " PART_O ", " PART_B ", " PART_I ", " PART_M "}", "requesters"},
        {"{" PART_P ", " PART_O ", " PART_R ", " PART_I ", " PART_M "}", "bases"},
        {"{" PART_P ", " PART_O ", " PART_R ", " PART_B ", " PART_M "}", "issuers"},
        {"{" PART_P ", " PART_O ", " PART_R ", " PART_B ", " PART_I "}", "min_level"},
        {"{" PART_P ", " PART_O ", requesters: [], " PART_B ", " PART_I ", " PART_M "}", "1 to"},
        {"{" PART_P ", " PART_O ", requesters: [\"*\"], " PART_B ", " PART_I ", " PART_M "}",
         "lower-case"},
        {"{" PART_P ", " PART_O ", " PART_R ", bases: [any], " PART_I ", " PART_M "}", "any"},
        {"{" PART_P ", " PART_O ", " PART_R ", bases: [mandate], " PART_I ", " PART_M "}", "law"},
        {"{" PART_P ", " PART_O ", " PART_R ", " PART_B ", " PART_I ", min_level: 5}", ""},
        {"{" PART_P ", " PART_O ", " PART_R ", " PART_B ", " PART_I ", min_level: 0}", ""},
        {"{" PART_P ", " PART_O ", " PART_R ", " PART_B ", " PART_I ", " PART_M ", x: 1}", "x"},
        {"{" PART_P ", operators: [\"PASS\"], " PART_R ", " PART_B ", " PART_I ", " PART_M "}",
         "PASS"},
        {"{" PART_P ", operators: [\"SUM(0)\"], " PART_R ", " PART_B ", " PART_I ", " PART_M "}",
         "month"},
        {"{" PART_P ", operators: [\"EXISTS\"], " PART_R ", " PART_B ", " PART_I ", " PART_M "}",
         "fit"},
        {"{" PART_P ", operators: [OMIT, \"SUM(12)\"], " PART_R ", " PART_B ", " PART_I ", " PART_M
         "}", "alone"},
        {"{" PART_P ", operators: [\"TREND(6,std.dibao)\"], " PART_R ", " PART_B ", " PART_I ", "
         PART_M "}", "unit"},
        {"{" PART_P ", operators: [\"CMP(<,std.dibao)\"], " PART_R ", " PART_B ", " PART_I
         ", " PART_M "}",
         "fit"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        rule_refused(fixture, wrong[i][0], wrong[i][1]);
    field_refused(fixture,
                  "{column: c, type: cents, class: G3, rules: [{" PART_P ", " PART_O ", " PART_R
                  ", " PART_B ", " PART_I ", " PART_M "}]}",
                  "month");
}

#define RATIO                                                                                      \
    "rules: [{" PART_P ", operators: [\"RATIO_CMP(<,part)\"], " PART_R ", " PART_B ", " PART_I     \
    ", " PART_M "}]"

#define STANDS "{" PART_P ", " PART_O ", " PART_R ", " PART_I ", " PART_M ", "

static void wrong_triggers_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[][2] = {
        {STANDS PART_B ", event: true}", "event"},
        {STANDS PART_B ", event: {triggers: [t]}}", "every_days"},
        {STANDS PART_B ", event: {every_days: 30}}", "triggers"},
        {STANDS PART_B ", event: {triggers: [], every_days: 30}}", "1 to"},
        {STANDS PART_B ", event: {triggers: [\"*\"], every_days: 30}}", "lower-case"},
        {STANDS PART_B ", event: {triggers: [t], every_days: 0}}", ""},
        {STANDS PART_B ", event: {triggers: [t], every_days: 367}}", ""},
        {STANDS PART_B ", event: {triggers: [t], every_days: 30, uses: 2}}", "uses"},
        {STANDS "bases: [emergency], event: {triggers: [t], every_days: 30}}", "emergency"},
        {STANDS "bases: [mandate], event: {triggers: [t], every_days: 30}}", "law"},
        {STANDS PART_B ", event: {triggers: [t], every_days: 30}}, " STANDS PART_B "}",
         "with and without"},
        {"{purpose: oversight, " PART_O ", " PART_R ", " PART_B ", " PART_I ", " PART_M
         ", event: {triggers: [t], every_days: 30}}", "standing"},
        {"{purpose: drill, " PART_O ", " PART_R ", " PART_B ", " PART_I ", " PART_M
         ", event: {triggers: [t], every_days: 30}}", "standing"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        rule_refused(fixture, wrong[i][0], wrong[i][1]);
}

static void a_ratio_needs_a_denominator(void **state)
{
    struct fixture *fixture = *state;
    refused(fixture, HEAD QUERY "rows: one\nfields: {f: {column: c, type: cents, class: G3, " RATIO
                     "}}\n", "v.yaml:6:", "denominator");
    field_refused(fixture, "{column: c, denominator: d, type: cents, class: G3, " RATIO "}",
                  "several rows");
    field_refused(fixture, "{column: c, type: text, denominator: d, class: G4}", "ratio");
    field_refused(fixture, "{type: row, denominator: d, class: G4}", "ratio");
    const struct lb_view *view = view_fixture_load(
        fixture, HEAD QUERY "rows: one\nfields: {f: {column: c, denominator: d, type: cents, "
                            "class: G3, " RATIO "}}\n");
    assert_string_equal(view->fields[0].denominator, "d");
    assert_int_equal(view->fields[0].rules[0].operators[0].op, LB_OP_RATIO_CMP);
}

static void wrong_limits_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[][2] = {
        {"budgets: 3\n", ""},
        {"budgets: {office: {hour: 1}}\n", "office"},
        {"budgets: {operator: {}}\n", "hour, day"},
        {"budgets: {operator: {week: 1}}\n", "week"},
        {"budgets: {operator: {hour: 0}}\n", ""},
        {"budgets: {requester: {day: -1}}\n", ""},
        {"probing: {thresholds: 0}\n", ""},
        {"probing: {thresholds: 65}\n", ""},
        {"probing: {days: 367}\n", ""},
        {"probing: {mismatches: none}\n", ""},
        {"probing: {guesses: 1}\n", "guesses"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), HEAD QUERY FIELDS "%s", wrong[i][0]);
        refused(fixture, text, "v.yaml:7:", wrong[i][1]);
    }
}

static void sensitive_fields_need_a_consent_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    field_refused(fixture,
                  "{column: c, type: cents, month: m, class: G4, rules: [{" PART_P ", " PART_O
                  ", " PART_R ", " PART_B ", " PART_I ", " PART_M "}]}",
                  "separate_consent");
    rule_refused(fixture,
                 "{" PART_P ", " PART_O ", " PART_R ", " PART_B ", " PART_I ", " PART_M
                 ", dry_run: 1}",
                 "");
}

static void a_whole_file_is_read(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view *view = view_fixture_load(fixture, view_fixture_text());
    uint8_t hash[32];
    lb_sha256(lb_span_str(view_fixture_text()), hash);
    assert_memory_equal(view->sha256, hash, 32);
    assert_string_equal(view->id, "tax.income");
    assert_int_equal(view->version, 2);
    assert_string_equal(view->title_zh, "工资");
    assert_string_equal(view->query,
                        "SELECT month, income_cents FROM wage WHERE id_no = :id_no");
    assert_true(view->many && view->complete);
    assert_int_equal(view->max_rows, 50);
    assert_int_equal(view->freshness_days, 45);
    assert_int_equal(view->timeout_ms, 1500);
    assert_int_equal(view->num_fields, 3);
    const struct lb_view_field *income = lb_view_field(view, "income");
    assert_string_equal(income->column, "income_cents");
    assert_string_equal(income->month, "month");
    assert_int_equal(income->data_class, 4);
    assert_int_equal(income->num_rules, 2);
    assert_int_equal(income->rules[0].num_operators, 2);
    assert_int_equal(income->rules[0].bases,
                     1U << LB_BASIS_MANDATE | 1U << LB_BASIS_SEPARATE_CONSENT);
    assert_string_equal(income->rules[0].laws[1], "SAL40");
    const struct lb_view_field *paid = lb_view_field(view, "paid");
    assert_null(paid->column);
    assert_int_equal(paid->type, LB_FIELD_ROW);
    assert_null(lb_view_field(view, "Income"));
    assert_null(lb_view_field(view, ""));
}

static void defaults_are_modest(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view *view = view_fixture_load(fixture, HEAD QUERY FIELDS);
    assert_false(view->many);
    assert_false(view->complete);
    assert_int_equal(view->max_rows, 400);
    assert_int_equal(view->timeout_ms, 3000);
    assert_int_equal(view->freshness_days, 0);
    assert_null(view->as_of_query);
    assert_int_equal(view->fields[0].num_rules, 0);
}

static void files_are_read_from_disk(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/lb_view_test_XXXXXX";
    const char *whole = view_fixture_text();
    struct lb_diag diag;
    const struct lb_view *view = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, whole, strlen(whole)), (ssize_t)strlen(whole));
    assert_int_equal(close(fd), 0);
    assert_true(lb_view_load(path, fixture->rules, fixture->arena, &diag, &view) == LB_OK);
    assert_string_equal(view->id, "tax.income");
    assert_int_equal(unlink(path), 0);
    view = NULL;
    assert_int_equal(
        lb_status_code(lb_view_load(path, fixture->rules, fixture->arena, &diag, &view)),
        LB_FILE_FAILED);
    assert_null(view);
}

#define WITH_FIXTURE(test_)                                                                        \
    cmocka_unit_test_setup_teardown(test_, view_fixture_setup, view_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(wrong_heads_are_refused),
        WITH_FIXTURE(wrong_queries_are_refused),
        WITH_FIXTURE(wrong_fields_are_refused),
        WITH_FIXTURE(wrong_rules_are_refused),
        WITH_FIXTURE(wrong_triggers_are_refused),
        WITH_FIXTURE(a_ratio_needs_a_denominator),
        WITH_FIXTURE(wrong_limits_are_refused),
        WITH_FIXTURE(sensitive_fields_need_a_consent_of_their_own),
        WITH_FIXTURE(a_whole_file_is_read),
        WITH_FIXTURE(defaults_are_modest),
        WITH_FIXTURE(files_are_read_from_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
