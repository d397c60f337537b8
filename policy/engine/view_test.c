#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/view_fixture.h"

/* An ask that passes; each test changes one thing. */
static const char *const cited[] = {"PIPL13", "SAL40"};
static const struct lb_view_ask good = {
    .purpose = "social-assistance",
    .requester = "street-office",
    .issuer = "street-office",
    .basis = LB_BASIS_MANDATE,
    .laws = cited,
    .num_laws = 2,
    .level = 2,
};

static enum lb_code decide(struct fixture *fixture, const char *field, const char *call_text,
                           const struct lb_view_ask *ask)
{
    struct lb_op_call call;
    const struct lb_view *view = view_fixture_load(fixture, view_fixture_text());
    assert_true(lb_op_parse(lb_span_str(call_text), fixture->arena, &call) == LB_OK);
    struct lb_view_verdict verdict;
    lb_status status = lb_view_judge(view, field, &call, ask, fixture->rules, &verdict);
    assert_true(status != LB_OK || (!verdict.dry_run && verdict.rule != NULL));
    return lb_status_code(status);
}

static void each_reason_has_its_code(void **state)
{
    struct fixture *fixture = *state;
    struct lb_view_ask ask = good;
    assert_int_equal(decide(fixture, "wages", "SUM(12)", &ask), LB_FIELD_UNKNOWN);
    assert_int_equal(decide(fixture, "closed", "SUM(12)", &ask), LB_PURPOSE_NOT_ALLOWED);
    ask.purpose = "study";
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_PURPOSE_NOT_ALLOWED);
    ask = good;
    ask.requester = "street";
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_REQUESTER_NOT_ALLOWED);
    ask = good;
    ask.basis = LB_BASIS_CONSENT;
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_BASIS_NOT_ALLOWED);
    ask.basis = (enum lb_basis)40;
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_BASIS_NOT_ALLOWED);
    ask = good;
    ask.num_laws = 1;
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_BASIS_NOT_ALLOWED);
    ask.num_laws = 0;
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_BASIS_NOT_ALLOWED);
    ask = good;
    ask.issuer = "hall";
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_ISSUER_INERT);
    ask = good;
    assert_int_equal(decide(fixture, "income", "SUM(3)", &ask), LB_OPERATOR_TOO_WEAK);
    assert_int_equal(decide(fixture, "income", "SUM(24)", &ask), LB_OPERATOR_TOO_WEAK);
    ask.level = 1;
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_LOA_LOW);
    assert_int_equal(decide(fixture, "income", "SUM(12)", &good), LB_CODE_OK);
}

static void consent_needs_no_law(void **state)
{
    struct fixture *fixture = *state;
    struct lb_view_ask ask = good;
    ask.basis = LB_BASIS_SEPARATE_CONSENT;
    ask.num_laws = 0;
    ask.laws = NULL;
    assert_int_equal(decide(fixture, "income", "SUM(6)", &ask), LB_CODE_OK);
}

/* No two rules add up: what one allows to this issuer, another can't lend to that one. */
static void one_rule_must_pass_alone(void **state)
{
    struct fixture *fixture = *state;
    struct lb_view_ask ask = good;
    ask.requester = "county";
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_CODE_OK);
    ask.issuer = "hall";
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_ISSUER_INERT);
    ask.basis = LB_BASIS_EMERGENCY;
    assert_int_equal(decide(fixture, "income", "SUM(12)", &ask), LB_OPERATOR_TOO_WEAK);
    assert_int_equal(decide(fixture, "income", "SUM(3)", &ask), LB_LOA_LOW);
    ask.level = 4;
    assert_int_equal(decide(fixture, "income", "SUM(3)", &ask), LB_CODE_OK);
}

#define STANDING HEAD QUERY                                                                        \
    "rows: one\n"                                                                                  \
    "fields:\n"                                                                                    \
    "  code: {column: c, type: code, class: G3, rules: [{purpose: find-aid, operators: [EQ],"      \
    " requesters: [street], bases: [consent, mandate], laws: [SAL41], issuers: [hall],"            \
    " min_level: 1, event: {triggers: [burden, jobless], every_days: 30}},"                        \
    " {purpose: aid, operators: [EQ], requesters: [street], bases: [consent], issuers: [hall],"    \
    " min_level: 1}]}\n"

static enum lb_code stands(struct fixture *fixture, const struct lb_view_ask *ask)
{
    const struct lb_view *view = view_fixture_load(fixture, STANDING);
    struct lb_view_verdict verdict;
    struct lb_op_call call;
    assert_true(lb_op_parse(lb_span_str("EQ"), fixture->arena, &call) == LB_OK);
    return lb_status_code(lb_view_judge(view, "code", &call, ask, fixture->rules, &verdict));
}

/* Standing and ordinary grants are good each for what the department meant for them. */
static void standing_grants_have_rules_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view_ask fit = {.purpose = "find-aid", .form = "burden", .event_days = 30,
                                    .requester = "street", .issuer = "hall",
                                    .basis = LB_BASIS_CONSENT, .level = 2};
    struct lb_view_ask ask = fit;
    assert_int_equal(stands(fixture, &ask), LB_CODE_OK);
    ask.event_days = 366;
    ask.form = "jobless";
    assert_int_equal(stands(fixture, &ask), LB_CODE_OK);
    ask.event_days = 29;
    assert_int_equal(stands(fixture, &ask), LB_EVENT_NOT_ALLOWED);
    ask.event_days = 0;
    assert_int_equal(stands(fixture, &ask), LB_EVENT_NOT_ALLOWED);
    ask = fit;
    ask.form = "income";
    assert_int_equal(stands(fixture, &ask), LB_EVENT_NOT_ALLOWED);
    ask = fit;
    ask.purpose = "aid";
    assert_int_equal(stands(fixture, &ask), LB_EVENT_NOT_ALLOWED);
    ask.event_days = 0;
    assert_int_equal(stands(fixture, &ask), LB_CODE_OK);
    ask = fit;
    ask.requester = "county";
    assert_int_equal(stands(fixture, &ask), LB_REQUESTER_NOT_ALLOWED);
    ask = fit;
    ask.basis = LB_BASIS_MANDATE;
    assert_int_equal(stands(fixture, &ask), LB_BASIS_NOT_ALLOWED);
    ask.laws = (const char *const[]){"SAL41"};
    ask.num_laws = 1;
    assert_int_equal(stands(fixture, &ask), LB_CODE_OK);
}

/* The table says which rules stand; what it says of ordinary ones has not changed. */
static void the_table_shows_triggers(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span text;
    const struct lb_view *view = view_fixture_load(fixture, STANDING);
    assert_true(lb_view_table(view, fixture->arena, &text) == LB_OK);
    const char *table = lb_arena_str(fixture->arena, text);
    assert_non_null(strstr(table, " purpose=find-aid operator=EQ requesters=street"
                                  " bases=consent,mandate issuers=hall laws=SAL41 level=1"
                                  " event=burden,jobless every_days=30\n"));
    assert_non_null(strstr(table, " purpose=aid operator=EQ requesters=street bases=consent"
                                  " issuers=hall laws=- level=1\n"));
}

static void stricter_operators_pass_and_misfits_do_not(void **state)
{
    struct fixture *fixture = *state;
    struct lb_view_ask ask = {.purpose = "study", .requester = "street", .issuer = "hall",
                              .basis = LB_BASIS_CONSENT, .level = 3};
    assert_int_equal(decide(fixture, "paid", "COUNT(5)", &ask), LB_CODE_OK);
    assert_int_equal(decide(fixture, "paid", "COUNT(1)", &ask), LB_CODE_OK);
    assert_int_equal(decide(fixture, "paid", "EXISTS", &ask), LB_CODE_OK);
    assert_int_equal(decide(fixture, "paid", "COUNT(6)", &ask), LB_OPERATOR_TOO_WEAK);
    assert_int_equal(decide(fixture, "paid", "EQ", &ask), LB_OPERATOR_TOO_WEAK);
}

/* Two rules of one field, of which the first is only tried out. */
#define TRIED HEAD QUERY                                                                           \
    "rows: one\n"                                                                                  \
    "budgets: {operator: {hour: 60, day: 300}, requester: {day: 9000}}\n"                          \
    "probing: {thresholds: 2, mismatches_day: 9}\n"                                                \
    "fields:\n"                                                                                    \
    "  code: {column: c, type: code, class: G3, rules: [{purpose: aid, operators: [EQ],"           \
    " requesters: [street], bases: [consent], issuers: [hall], min_level: 1, dry_run: true},"      \
    " {purpose: aid, operators: [EQ], requesters: [street], bases: [consent], issuers: [hall],"    \
    " min_level: 3}]}\n"

static void a_rule_in_dry_run_releases_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view *view = view_fixture_load(fixture, TRIED);
    struct lb_view_ask ask = {.purpose = "aid", .requester = "street", .issuer = "hall",
                              .basis = LB_BASIS_CONSENT, .level = 2};
    struct lb_view_verdict verdict;
    struct lb_op_call call;
    assert_true(lb_op_parse(lb_span_str("EQ"), fixture->arena, &call) == LB_OK);
    assert_true(lb_view_judge(view, "code", &call, &ask, fixture->rules, &verdict) == LB_OK);
    assert_true(verdict.dry_run);
    assert_ptr_equal(verdict.rule, &view->fields[0].rules[0]);
    ask.level = 3;
    assert_true(lb_view_judge(view, "code", &call, &ask, fixture->rules, &verdict) == LB_OK);
    assert_false(verdict.dry_run);
    assert_ptr_equal(verdict.rule, &view->fields[0].rules[1]);
    ask.level = 0;
    assert_int_equal(lb_status_code(lb_view_judge(view, "code", &call, &ask, fixture->rules,
                                                  &verdict)),
                     LB_LOA_LOW);
}

static void limits_are_read_and_shown(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_view *view = view_fixture_load(fixture, TRIED);
    struct lb_span text = LB_SPAN_EMPTY;
    assert_int_equal(view->budgets.each_operator.hour, 60);
    assert_int_equal(view->budgets.each_operator.day, 300);
    assert_int_equal(view->budgets.each_requester.hour, 0);
    assert_int_equal(view->budgets.each_requester.day, 9000);
    assert_int_equal(view->probing.thresholds, 2);
    assert_int_equal(view->probing.days, 30);
    assert_int_equal(view->probing.mismatches, 3);
    assert_int_equal(view->probing.mismatches_day, 9);
    assert_true(lb_view_table(view, fixture->arena, &text) == LB_OK);
    assert_string_equal((const char *)text.ptr,
                        "tax.income - budget of one operator hour=60 day=300\n"
                        "tax.income - budget of one requester hour=- day=9000\n"
                        "tax.income - freshness days=-\n"
                        "tax.income - probing thresholds=2 days=30 mismatches=3 mismatches_day=9\n"
                        "tax.income - rows one max=400\n"
                        "tax.income code G3 purpose=aid operator=EQ requesters=street"
                        " bases=consent issuers=hall laws=- level=1 dry-run\n"
                        "tax.income code G3 purpose=aid operator=EQ requesters=street"
                        " bases=consent issuers=hall laws=- level=3\n");
}

static void calls_that_name_entries_of_the_rules_are_known(void **state)
{
    static const struct {
        const char *call;
        bool names;
    } cases[] = {{"EXISTS", false},  {"EQ", false},           {"SUM(12)", false},
                 {"COUNT(3)", false}, {"CMP(<,std.dibao)", true}, {"BUCKET(bands)", true}};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lb_op_call call;
        assert_true(lb_op_parse(lb_span_str(cases[i].call), fixture->arena, &call) == LB_OK);
        assert_int_equal(lb_view_names_rules(&call, fixture->rules), cases[i].names);
    }
}

#define GIVERS                                                                                     \
    HEAD QUERY                                                                                     \
    "rows: many\nfields:\n"                                                                        \
    "  paid: {type: row, class: G3, rules: [{purpose: study, operators: [EXISTS]"                  \
    ", requesters: [street], bases: [consent, emergency], issuers: [hall], min_level: 1%s}]}\n"

static enum lb_code given_by(struct fixture *fixture, const char *rule, enum lb_basis basis,
                             enum lb_giver giver)
{
    const struct lb_view_ask ask = {.purpose = "study", .requester = "street", .issuer = "hall",
                                    .basis = basis, .level = 1, .giver = giver};
    struct lb_op_call call;
    struct lb_view_verdict verdict;
    const struct lb_view *view =
        view_fixture_load(fixture, lb_arena_printf(fixture->arena, GIVERS, rule));
    assert_true(lb_op_parse(lb_span_str("EXISTS"), fixture->arena, &call) == LB_OK);
    return lb_status_code(lb_view_judge(view, "paid", &call, &ask, fixture->rules, &verdict));
}

/* Agents and relatives count only where the rule says so; in an emergency nobody agreed. */
static void counts_who_agreed(void **state)
{
    struct fixture *fixture = *state;
    static const char only_agents[] = ", given_by: [agent]";
    assert_int_equal(given_by(fixture, "", LB_BASIS_CONSENT, LB_GIVER_SELF), LB_CODE_OK);
    assert_int_equal(given_by(fixture, "", LB_BASIS_CONSENT, LB_GIVER_GUARDIAN), LB_CODE_OK);
    assert_int_equal(given_by(fixture, "", LB_BASIS_CONSENT, LB_GIVER_AGENT),
                     LB_GIVER_NOT_ALLOWED);
    assert_int_equal(given_by(fixture, "", LB_BASIS_CONSENT, LB_GIVER_RELATIVE),
                     LB_GIVER_NOT_ALLOWED);
    assert_int_equal(given_by(fixture, "", LB_BASIS_CONSENT, (enum lb_giver)40),
                     LB_GIVER_NOT_ALLOWED);
    assert_int_equal(given_by(fixture, only_agents, LB_BASIS_CONSENT, LB_GIVER_AGENT), LB_CODE_OK);
    assert_int_equal(given_by(fixture, only_agents, LB_BASIS_CONSENT, LB_GIVER_SELF),
                     LB_GIVER_NOT_ALLOWED);
    assert_int_equal(given_by(fixture, only_agents, LB_BASIS_EMERGENCY, LB_GIVER_SELF),
                     LB_CODE_OK);
}

static void tells_who_may_agree(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span text;
    struct lb_diag diag;
    const struct lb_view *view = view_fixture_load(
        fixture, lb_arena_printf(fixture->arena, GIVERS, ", given_by: [relative, agent]"));
    assert_true(lb_view_table(view, fixture->arena, &text) == LB_OK);
    assert_non_null(strstr((const char *)text.ptr, " level=1 given_by=agent,relative\n"));
    view = view_fixture_load(fixture, lb_arena_printf(fixture->arena, GIVERS, ""));
    assert_true(lb_view_table(view, fixture->arena, &text) == LB_OK);
    assert_null(strstr((const char *)text.ptr, "given_by"));
    lb_status status = lb_view_load_text(
        lb_span_str(lb_arena_printf(fixture->arena, GIVERS, ", given_by: [anybody]")), "v.yaml",
        fixture->rules, fixture->arena, &diag, &view);
    assert_int_equal(lb_status_code(status), LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "self, guardian, agent or relative"));
}

static const char table[] =
    "tax.income - freshness days=45\n"
    "tax.income - probing thresholds=8 days=30 mismatches=3 mismatches_day=6\n"
    "tax.income - rows many max=50 complete\n"
    "tax.income closed G4 releases nothing\n"
    "tax.income income G4 purpose=social-assistance operator=SUM(12) "
    "requesters=county,street-office bases=mandate,separate_consent issuers=street-office "
    "laws=SAL40,SAL41 level=2\n"
    "tax.income income G4 purpose=social-assistance operator=SUM(3) requesters=county"
    " bases=emergency issuers=hall laws=- level=4\n"
    "tax.income income G4 purpose=social-assistance operator=SUM(6) "
    "requesters=county,street-office bases=mandate,separate_consent issuers=street-office "
    "laws=SAL40,SAL41 level=2\n"
    "tax.income paid G3 purpose=study operator=COUNT(5) requesters=street bases=consent"
    " issuers=hall laws=- level=2\n";

static void the_table_is_sorted_and_stable(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span text = LB_SPAN_EMPTY;
    const struct lb_view *view = view_fixture_load(fixture, view_fixture_text());
    assert_true(lb_view_table(view, fixture->arena, &text) == LB_OK);
    assert_string_equal((const char *)text.ptr, table);
    assert_int_equal(text.len, sizeof(table) - 1);
    struct lb_arena *small = lb_arena_new(256);
    struct lb_span none = LB_SPAN_EMPTY;
    assert_int_equal(lb_status_code(lb_view_table(view, small, &none)), LB_NO_MEMORY);
    assert_null(none.ptr);
    lb_arena_free(small);
}

static void bases_have_wire_names(void **state)
{
    (void)state;
    for (int i = 0; i < LB_NUM_BASES; i++) {
        enum lb_basis basis = LB_NUM_BASES;
        struct lb_span name = lb_span_str(lb_basis_name((enum lb_basis)i));
        assert_true(lb_basis_parse(name, &basis) == LB_OK);
        assert_int_equal(basis, i);
    }
    enum lb_basis basis = LB_BASIS_EMERGENCY;
    assert_int_equal(lb_status_code(lb_basis_parse(lb_span_str("Consent"), &basis)), LB_ABSENT);
    assert_int_equal(lb_status_code(lb_basis_parse(LB_SPAN_EMPTY, &basis)), LB_ABSENT);
    assert_int_equal(basis, LB_BASIS_EMERGENCY);
    assert_string_equal(lb_basis_name(LB_NUM_BASES), "");
}

#define WITH_FIXTURE(test_)                                                                        \
    cmocka_unit_test_setup_teardown(test_, view_fixture_setup, view_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(each_reason_has_its_code),
        WITH_FIXTURE(consent_needs_no_law),
        WITH_FIXTURE(one_rule_must_pass_alone),
        WITH_FIXTURE(standing_grants_have_rules_of_their_own),
        WITH_FIXTURE(the_table_shows_triggers),
        WITH_FIXTURE(stricter_operators_pass_and_misfits_do_not),
        WITH_FIXTURE(counts_who_agreed),
        WITH_FIXTURE(tells_who_may_agree),
        WITH_FIXTURE(the_table_is_sorted_and_stable),
        WITH_FIXTURE(a_rule_in_dry_run_releases_nothing),
        WITH_FIXTURE(limits_are_read_and_shown),
        WITH_FIXTURE(calls_that_name_entries_of_the_rules_are_known),
        cmocka_unit_test(bases_have_wire_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
