#include "adapters/serve/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/serve/fixture_people.h"
#include "gateway/wire/pb.h"

/* What is explained is what happens: each described request is sent as well, and the adapter says
 * the same code. */

static const char *const sal41[] = {"SAL41"};
static const char *const sal40[] = {"SAL40"};

struct example {
    const char *what;
    const char *view, *field, *operator_text; /* NULL: those of the honest ask */
    const char *basis, *purpose, *form;
    const char *const *laws;
    int level;
    int64_t days;  /* of a standing grant */
    enum lb_code want;
};

static const struct example examples[] = {
    {.what = "as it should be", .want = LB_CODE_OK},
    {.what = "another purpose", .purpose = "marketing", .want = LB_PURPOSE_NOT_ALLOWED},
    {.what = "a lower level", .level = 1, .want = LB_LOA_LOW},
    {.what = "a standing grant", .days = 30, .want = LB_EVENT_NOT_ALLOWED},
    {.what = "another law", .laws = sal40, .want = LB_BASIS_NOT_ALLOWED},
    {.what = "an unknown basis", .basis = "curiosity", .want = LB_BASIS_NOT_ALLOWED},
    {.what = "consent signed by oneself", .basis = "consent", .want = LB_SELF_CONSENT},
    {.what = "another form", .form = "study-grant", .want = LB_FORM_INERT},
    {.what = "a longer sum", .operator_text = "SUM(24)", .want = LB_OPERATOR_TOO_WEAK},
    {.what = "an unknown operator", .operator_text = "PEEK", .want = LB_OPERATOR_UNKNOWN},
    {.what = "an unknown field", .field = "bonus", .want = LB_FIELD_UNKNOWN},
    {.what = "a field without a rule", .field = "months", .operator_text = "EXISTS",
     .want = LB_PURPOSE_NOT_ALLOWED},
    {.what = "a rule in dry-run", .view = "tax.people", .field = "trial",
     .operator_text = "IN(s.1)", .want = LB_CODE_OK},
};

static struct lb_explanation explain(struct fixture *fx, const struct example *example)
{
    const struct lb_explain_question want = {
        .view = example->view != NULL ? example->view : "tax.wage",
        .field = example->field != NULL ? example->field : "income",
        .operator_text = example->operator_text != NULL ? example->operator_text : "SUM(12)",
    };
    const struct lb_explain_request request = {
        .requester = "street-office",
        .issuer = "street-office",
        .form = example->form != NULL ? example->form : "social-assistance",
        .form_version = 1,
        .purpose = example->purpose != NULL ? example->purpose : "social-assistance",
        .basis = example->basis != NULL ? example->basis : "mandate",
        .laws = example->laws != NULL ? example->laws : sal41,
        .num_laws = 1,
        .level = example->level != 0 ? example->level : 2,
        .event_days = example->days,
        .num_wants = 1,
        .wants = &want,
    };
    struct lb_explanation out;
    struct lb_diag diag = {""};
    assert_ok(lb_serve_explain(fed_path(&fx->fed, "policy.yaml"), &request, fx->arena, &diag,
                               &out));
    assert_string_equal(out.department, "tax");
    assert_int_equal(out.num_wants, 1);
    return out;
}

/* "NAME(arg)" apart, for the wire. */
static void set_call(struct fixture *fx, const char *text, struct fx_ask *ask)
{
    const char *open = strchr(text, '(');
    ask->operator_name = text;
    ask->arg = NULL;
    if (open == NULL)
        return;
    ask->operator_name = lb_arena_str(fx->arena, lb_span_of(text, (size_t)(open - text)));
    ask->arg = lb_arena_str(fx->arena, lb_span_of(open + 1, strlen(open) - 2));
}

static enum lb_code send(struct fixture *fx, const struct example *example)
{
    struct lb_section_field field = {"income", "SUM(12)"};
    struct lb_section_view view = {"tax.wage", 1, 1, &field};
    struct fx_ask ask;
    struct fx_built built;
    fx_ask_honest(fx, &ask);
    if (example->view != NULL)
        ask.views[0] = view.id = example->view;
    if (example->field != NULL)
        ask.field = field.name = example->field;
    if (example->operator_text != NULL) {
        field.operator_text = example->operator_text;
        set_call(fx, example->operator_text, &ask);
    }
    ask.section.views = &view;
    if (example->purpose != NULL)
        ask.section.purpose = example->purpose;
    if (example->basis != NULL)
        ask.section.basis = example->basis;
    if (example->form != NULL)
        ask.section.form = example->form;
    if (example->laws != NULL)
        ask.section.laws = example->laws;
    if (example->level != 0)
        ask.section.level = example->level;
    ask.section.event_days = example->days;
    if (example->days > 0)
        ask.section.max_uses = 1;
    fx_build(fx, &ask, &built);
    return fx_send(fx, &built, NULL);
}

static void what_is_explained_is_what_happens(void **state)
{
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *example = &examples[i];
        struct lb_explanation answer = explain(fx, example);
        enum lb_code sent = send(fx, example);
        if (answer.wants[0].code != example->want || sent == LB_CODE_OK)
            print_error("%s\n", example->what);
        assert_code(answer.wants[0].code, example->want);
        assert_code(sent == LB_ANSWERED ? LB_CODE_OK : sent, example->want);
    }
}

static void every_clause_is_told(void **state)
{
    static const char *const names[] = {"purpose", "event",    "requester", "basis",
                                        "issuer",  "operator", "level",     "given_by"};
    struct fixture *fx = *state;
    struct lb_explanation answer = explain(fx, &examples[2]);
    const struct lb_explain_want *want = &answer.wants[0];
    assert_string_equal(want->data_class, "G4");
    assert_non_null(strstr(want->limits, "rows<=40"));
    assert_non_null(strstr(want->limits, "freshness<=45d"));
    assert_non_null(strstr(want->limits, "mismatches=3/case,6/day"));
    assert_non_null(strstr(answer.budgets, "requester="));
    assert_int_equal(want->num_rules, 1);
    assert_false(want->rules[0].allows);
    for (size_t i = 0; i < LB_NUM_CLAUSES; i++) {
        assert_string_equal(want->rules[0].clauses[i].name, names[i]);
        assert_int_equal(want->rules[0].clauses[i].met, i != LB_CLAUSE_LEVEL);
    }
    assert_string_equal(want->rules[0].clauses[LB_CLAUSE_LEVEL].asked, "1");
    assert_string_equal(want->rules[0].clauses[LB_CLAUSE_LEVEL].demanded, ">= 2");
    assert_string_equal(want->rules[0].clauses[LB_CLAUSE_BASIS].demanded, "mandate (SAL41)");
    assert_string_equal(want->rules[0].clauses[LB_CLAUSE_EVENT].demanded, "ordinary");
    answer = explain(fx, &examples[12]);
    assert_true(answer.wants[0].dry_run);
    for (size_t i = 0; i < LB_EXPLAIN_TERMS; i++)
        assert_true(answer.terms[i].met);
}

static void a_wrong_policy_is_told_with_its_line(void **state)
{
    struct fixture *fx = *state;
    const struct lb_explain_question want = {"tax.wage", "income", "SUM(12)"};
    const struct lb_explain_request request = {
        .requester = "a", .issuer = "b", .form = "c", .form_version = 1, .purpose = "d",
        .basis = "e", .num_wants = 1, .wants = &want};
    struct lb_explanation out = {.num_wants = 99};
    struct lb_diag diag = {""};
    fed_write(&fx->fed, "wrong.yaml", lb_span_str("policy: tax\nsecret: 1\n"));
    assert_code(lb_status_code(lb_serve_explain(fed_path(&fx->fed, "wrong.yaml"), &request,
                                                fx->arena, &diag, &out)),
                LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "wrong.yaml:2"));
    assert_int_equal(out.num_wants, 99);
    assert_ok(lb_serve_explain(fed_path(&fx->fed, "policy.yaml"), &request, fx->arena, &diag,
                               &out));
    assert_code(out.code, LB_REQUESTER_NOT_ALLOWED);
    assert_code(out.wants[0].code, LB_REQUESTER_NOT_ALLOWED);
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_explained_is_what_happens),
        cmocka_unit_test(every_clause_is_told),
        cmocka_unit_test(a_wrong_policy_is_told_with_its_line),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
