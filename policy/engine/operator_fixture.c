#include "policy/engine/operator_fixture.h"

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
    "  std.edge: {value: 217500, unit: cents, source: test}\n"
    "  area.mean: {value: 3, unit: m2, source: test}\n"
    "  age.old: {value: 60, unit: years, source: test}\n"
    "  age.child: {value: 16, unit: years, source: test}\n"
    "  share: {value: 5000, unit: bp, source: test}\n"
    "  whole: {value: 10000, unit: bp, source: test}\n"
    "  most: {value: 1000000000000000, unit: bp, source: test}\n"
    "  fall: {value: 3000, unit: bp, source: test}\n"
    "sets:\n"
    "  severe: {codes: [\"11\", \"12\"], source: test}\n"
    "  local: {codes: [\"990101\"], source: test}\n"
    "tables:\n"
    "  level: {map: {\"21\": compulsory, \"31\": senior, \"22\": compulsory}, source: test}\n"
    "edges:\n"
    "  fine: {edges: [0, 3, 145000, 217500], source: test}\n"
    "  coarse: {edges: [0, 145000], source: test}\n"
    "  other: {edges: [1, 145000], source: test}\n"
    "  hundreds: {edges: [-200, 0, 500, 145000], source: test}\n";

static const uint8_t pseudo_key[LB_OP_KEY_BYTES] = "pseudonyms of one requester only";
static const uint8_t token_key[LB_OP_KEY_BYTES] = "what the department alone opens.";
static const uint8_t token_nonce[LB_OP_NONCE_BYTES] = {1, 2, 3};

int fixture_setup(void **state)
{
    struct lb_diag diag;
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(fixture->arena);
    assert_true(lb_rules_load_text(lb_span_str(rules_text), "r.yaml", &diag, &fixture->rules) ==
                LB_OK);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    lb_rules_free(fixture->rules);
    lb_arena_free(fixture->arena);
    free(fixture);
    return 0;
}

void fixture_rows(struct fixture *fixture, enum lb_field_type type, bool many, bool months)
{
    static const char *const columns[] = {"value", "month"};
    lb_arena_reset(fixture->arena);
    fixture->rows = (struct lb_rows){
        .num_columns = months ? 2 : 1, .columns = columns, .cells = fixture->cells};
    fixture->input = (struct lb_op_input){
        .rows = &fixture->rows,
        .month_column = months ? 1 : SIZE_MAX,
        .denominator_column = months ? 1 : SIZE_MAX,
        .type = type,
        .many = many,
        .rules = fixture->rules,
        .today = TODAY,
        .secrets = &fixture->secrets,
    };
    fixture->secrets = (struct lb_op_secrets){
        .pseudo_key = pseudo_key,
        .token_key = token_key,
        .token_bind = lb_span_str("one use"),
        .token_nonce = token_nonce,
        .now_unix_s = NOW_S,
    };
}

void fixture_add(struct fixture *fixture, struct lb_cell cell)
{
    assert_true(fixture->rows.num_rows < 4096);
    fixture->cells[fixture->rows.num_rows * fixture->rows.num_columns] = cell;
    fixture->rows.num_rows++;
}

void fixture_add_month(struct fixture *fixture, const char *month, struct lb_cell cell)
{
    fixture_add(fixture, cell);
    fixture->cells[fixture->rows.num_rows * 2 - 1] =
        month == NULL ? CELL_NULL : CELL_TEXT(month);
}

void fixture_add_ratio(struct fixture *fixture, struct lb_cell cell, struct lb_cell denominator)
{
    fixture_rows(fixture, LB_FIELD_CENTS, false, true);
    fixture->input.month_column = SIZE_MAX;
    fixture_add(fixture, cell);
    fixture->cells[1] = denominator;
}

void fixture_cell(struct fixture *fixture, enum lb_field_type type, struct lb_cell cell)
{
    fixture_rows(fixture, type, false, false);
    fixture_add(fixture, cell);
}

enum lb_code fixture_apply(struct fixture *fixture, const char *text, struct lb_fact *out)
{
    struct lb_op_call call;
    assert_true(lb_op_parse(lb_span_str(text), fixture->arena, &call) == LB_OK);
    return lb_status_code(lb_op_apply(&call, &fixture->input, fixture->arena, out));
}

static struct lb_fact apply_ok(struct fixture *fixture, const char *call)
{
    struct lb_fact fact = {0};
    assert_int_equal(fixture_apply(fixture, call, &fact), LB_CODE_OK);
    return fact;
}

void expect_truth(struct fixture *fixture, const char *call, bool truth)
{
    struct lb_fact fact = apply_ok(fixture, call);
    assert_int_equal(fact.state, LB_FACT_OK);
    assert_int_equal(fact.kind, LB_FACT_TRUTH);
    assert_int_equal(fact.truth, truth);
}

void expect_number(struct fixture *fixture, const char *call, int64_t number)
{
    struct lb_fact fact = apply_ok(fixture, call);
    assert_int_equal(fact.state, LB_FACT_OK);
    assert_int_equal(fact.kind, LB_FACT_NUMBER);
    assert_true(fact.number == number);
}

void expect_text(struct fixture *fixture, const char *call, const char *text)
{
    struct lb_fact fact = apply_ok(fixture, call);
    assert_int_equal(fact.state, LB_FACT_OK);
    assert_int_equal(fact.kind, LB_FACT_TEXT);
    assert_true(lb_span_is(fact.text, text));
}

/* An unknown fact carries nothing that a careless reader could take for a value. */
static void expect_empty(const struct lb_fact *fact)
{
    assert_int_equal(fact->kind, LB_FACT_UNKNOWN);
    assert_false(fact->truth);
    assert_int_equal(fact->number, 0);
    assert_int_equal(fact->text.len, 0);
}

void expect_unknown(struct fixture *fixture, const char *call)
{
    expect_state(fixture, call, LB_FACT_OK);
}

void expect_state(struct fixture *fixture, const char *call, enum lb_fact_state fact_state)
{
    struct lb_fact fact = apply_ok(fixture, call);
    assert_int_equal(fact.state, fact_state);
    expect_empty(&fact);
}

void expect_refused(struct fixture *fixture, const char *call)
{
    struct lb_fact fact = {.state = LB_FACT_STALE, .number = 77};
    assert_int_equal(fixture_apply(fixture, call, &fact), LB_OPERATOR_UNKNOWN);
    assert_int_equal(fact.state, LB_FACT_STALE);
    assert_int_equal(fact.number, 77);
}

struct lb_fact fixture_claim(struct fixture *fixture, const char *const *claims, size_t num)
{
    struct lb_span spans[LB_MAX_CLAIM_VALUES];
    assert_true(num <= LB_MAX_CLAIM_VALUES);
    for (size_t i = 0; i < num; i++)
        spans[i] = lb_span_str(claims[i]);
    fixture->input.claim = spans;
    fixture->input.num_claim = num;
    struct lb_fact fact = apply_ok(fixture, "EQ");
    fixture->input.claim = NULL;
    fixture->input.num_claim = 0;
    return fact;
}
