#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator.h"
#include "policy/engine/view_fixture.h"

/* Views of the officer's station, which can't be told to serve anything else. */

#define START "view: tax.accesses\nversion: 1\ntitle: {zh: a, en: b}\n"
#define RULE_REST                                                                                  \
    "requesters: [street], bases: [separate_consent], issuers: [hall], min_level: 2}"
#define RULE(purpose_, operators_)                                                                 \
    "{purpose: " purpose_ ", operators: [" operators_ "], " RULE_REST
#define FIELD(type_, column_, rule_)                                                               \
    "fields: {accesses: {column: " column_ ", type: " type_ ", class: G4, rules: [" rule_ "]}}\n"
#define GOOD FIELD("text", "access", RULE("subject-access", "LIST"))

static const char *complaint(struct fixture *fixture, const char *text)
{
    static struct lb_diag diag;
    const struct lb_view *view = NULL;
    diag.text[0] = 0;
    assert_int_equal(lb_status_code(lb_view_load_text(lb_span_str(text), "v.yaml", fixture->rules,
                                                      fixture->arena, &diag, &view)),
                     LB_CONFIG_INVALID);
    assert_null(view);
    return diag.text;
}

static void refused(struct fixture *fixture, const char *text, const char *words)
{
    const char *said = complaint(fixture, text);
    if (strstr(said, words) == NULL)
        fail_msg("\"%s\" for %s", said, text);
}

static void a_view_of_the_station_is_read(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view *view =
        view_fixture_load(fixture, START "source: officer\nrows: many\nmax_rows: 9\n" GOOD);
    struct lb_span table = LB_SPAN_EMPTY;
    assert_int_equal(view->source, LB_VIEW_OFFICER);
    assert_string_equal(view->query, LB_VIEW_OFFICER_QUERY);
    assert_true(lb_view_table(view, fixture->arena, &table) == LB_OK);
    const char *text = lb_arena_str(fixture->arena, table);
    assert_non_null(text);
    assert_non_null(strstr(text, "of the officer's station"));
}

static void a_database_stays_the_rule(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(view_fixture_load(fixture, view_fixture_text())->source, LB_VIEW_DATABASE);
    refused(fixture, START "rows: many\n" GOOD, "query");
}

static void what_does_not_go_together_is_refused(void **state)
{
    struct fixture *fixture = *state;
#define OF "source: officer\nrows: many\n"
    refused(fixture, START "source: database\nrows: many\n" GOOD, "write officer");
    refused(fixture, START OF "query: SELECT a FROM b WHERE c = :id_no\n" GOOD, "no `query`");
    refused(fixture, START OF "as_of: SELECT a FROM b\n" GOOD, "no `as_of`");
    refused(fixture, START OF "complete: true\n" GOOD, "no `complete`");
    refused(fixture, START "source: officer\nrows: one\n" GOOD, "rows: many");
    refused(fixture, START OF FIELD("code", "access", RULE("oversight", "EQ")), "type: text");
    refused(fixture, START OF FIELD("text", "other", RULE("oversight", "LIST")), "column: access");
    refused(fixture, START OF FIELD("text", "access", RULE("oversight", "EQ")), "LIST alone");
    refused(fixture, START OF FIELD("text", "access", RULE("oversight", "LIST, EQ")), "LIST alone");
    refused(fixture, START OF FIELD("text", "access", RULE("social-assistance", "LIST")),
            "subject-access and oversight alone");
    refused(fixture,
            START "query: SELECT access FROM b WHERE c = :id_no\nrows: many\n" GOOD,
            "`source: officer` alone");
}

#define DRILL(name_, source_, purpose_)                                                            \
    "view: tax." name_ "\nversion: 1\ntitle: {zh: a, en: b}\n" source_                          \
    "query: SELECT a FROM b WHERE c = :id_no\nrows: one\ncomplete: true\n"                       \
    "fields: {there: {type: row, class: G2, rules: [{purpose: " purpose_                           \
    ", operators: [EXISTS], requesters: [street], bases: [mandate], issuers: [street], "           \
    "laws: [X1], min_level: 2}]}}\n"

/* A drill's case reaches a drill's view and nothing else, and no other case does. */
static void a_drill_keeps_to_itself(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view *view =
        view_fixture_load(fixture, DRILL("drill-person", "source: drill\n", "drill"));
    assert_int_equal(view->source, LB_VIEW_DRILL);
    assert_true(lb_view_is_drill(view->id));
    assert_int_equal(view_fixture_load(fixture, DRILL("person", "", "aid"))->source,
                     LB_VIEW_DATABASE);
    refused(fixture, DRILL("person", "source: drill\n", "drill"), "drill-<name>");
    refused(fixture, DRILL("drill-person", "", "aid"), "drill-<name>");
    refused(fixture, DRILL("drill-person", "source: drill\n", "aid"), "for each other alone");
    refused(fixture, DRILL("person", "", "drill"), "for each other alone");
    static const char *const others[] = {"", ".", "drill-x", "drill-tax.person", "tax.drill",
                                         "tax.xdrill-person"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(lb_view_is_drill(others[i]));
}

#define WITH_FIXTURE(test_)                                                                        \
    cmocka_unit_test_setup_teardown(test_, view_fixture_setup, view_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_view_of_the_station_is_read),
        WITH_FIXTURE(a_database_stays_the_rule),
        WITH_FIXTURE(what_does_not_go_together_is_refused),
        WITH_FIXTURE(a_drill_keeps_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
