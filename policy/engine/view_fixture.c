#include "policy/engine/view_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char rules_text[] =
    "rules: test-rules\n"
    "version: 1\n"
    "in_force: 2026-07-01\n"
    "title: {zh: 测试, en: Test}\n"
    "thresholds:\n"
    "  std.dibao: {value: 145000, unit: cents, source: test}\n"
    "  part: {value: 5000, unit: bp, source: test}\n"
    "edges:\n"
    "  bands: {edges: [0, 145000], source: test}\n";

static const char whole[] = HEAD QUERY
    "rows: many\n"
    "complete: true\n"
    "max_rows: 50\n"
    "as_of: SELECT as_of FROM data_as_of\n"
    "freshness_days: 45\n"
    "timeout_ms: 1500\n"
    "fields:\n"
    "  income:\n"
    "    column: income_cents\n"
    "    type: cents\n"
    "    month: month\n"
    "    class: G4\n"
    "    rules:\n"
    "      - purpose: social-assistance\n"
    "        operators: [\"SUM(12)\", \"SUM(6)\"]\n"
    "        requesters: [street-office, county]\n"
    "        bases: [mandate, separate_consent]\n"
    "        issuers: [street-office]\n"
    "        laws: [SAL41, SAL40]\n"
    "        min_level: 2\n"
    "      - purpose: social-assistance\n"
    "        operators: [\"SUM(3)\"]\n"
    "        requesters: [county]\n"
    "        bases: [emergency]\n"
    "        issuers: [hall]\n"
    "        min_level: 4\n"
    "  paid: {type: row, class: G3, rules: [{purpose: study, operators: [\"COUNT(5)\"]"
    ", requesters: [street], bases: [consent], issuers: [hall], min_level: 2}]}\n"
    "  closed: {column: income_cents, type: cents, class: G4}\n";

const char *view_fixture_text(void)
{
    return whole;
}

int view_fixture_setup(void **state)
{
    struct lb_diag diag;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->arena = lb_arena_new(8 * 1024 * 1024);
    assert_non_null(fixture->arena);
    assert_true(lb_rules_load_text(lb_span_str(rules_text), "r.yaml", &diag, &fixture->rules) ==
                LB_OK);
    *state = fixture;
    return 0;
}

int view_fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    lb_rules_free(fixture->rules);
    lb_arena_free(fixture->arena);
    free(fixture);
    return 0;
}

const struct lb_view *view_fixture_load(struct fixture *fixture, const char *text)
{
    struct lb_diag diag = {""};
    const struct lb_view *view = NULL;
    lb_status status = lb_view_load_text(lb_span_str(text), "v.yaml", fixture->rules,
                                         fixture->arena, &diag, &view);
    if (status != LB_OK)
        fail_msg("%s", diag.text);
    return view;
}

