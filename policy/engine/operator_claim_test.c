#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

#define ID_A "11010519491231002X"
#define ID_B "440524188001010014"
#define ID_C "990101200002290011"

static bool claim_is(struct fixture *fixture, const char *const *claims, size_t num, bool truth)
{
    struct lb_fact fact = fixture_claim(fixture, claims, num);
    return fact.state == LB_FACT_OK && fact.kind == LB_FACT_TRUTH && fact.truth == truth;
}

static bool claim_is_unknown(struct fixture *fixture, const char *const *claims, size_t num)
{
    struct lb_fact fact = fixture_claim(fixture, claims, num);
    return fact.state == LB_FACT_OK && fact.kind == LB_FACT_UNKNOWN && !fact.truth;
}

static void eq_normalises_names_and_numbers(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_NAME, false, false);
    fixture_add(fixture, CELL_TEXT("阿不都•热合曼"));
    assert_true(claim_is(fixture, (const char *[]){"阿不都·热合曼 "}, 1, true));
    assert_true(claim_is(fixture, (const char *[]){"阿不都热合曼"}, 1, false));
    assert_true(claim_is_unknown(fixture, (const char *[]){"\xFF"}, 1));
    assert_true(claim_is_unknown(fixture, (const char *[]){""}, 1));
    assert_true(claim_is_unknown(fixture, NULL, 0));
    fixture_rows(fixture, LB_FIELD_ID, false, false);
    fixture_add(fixture, CELL_TEXT("11010519491231002x"));
    assert_true(claim_is(fixture, (const char *[]){ID_A}, 1, true));
    assert_true(claim_is(fixture, (const char *[]){ID_B}, 1, false));
    assert_true(claim_is(fixture, (const char *[]){"110105491231002"}, 1, true));
    assert_true(claim_is(fixture, (const char *[]){" １１０１０５４９１２３１００２"}, 1, true));
    assert_true(claim_is_unknown(fixture, (const char *[]){"11010549123100"}, 1));
    fixture_cell(fixture, LB_FIELD_ID, CELL_TEXT("110105491231002"));
    assert_true(claim_is(fixture, (const char *[]){ID_A}, 1, true));
    assert_true(claim_is(fixture, (const char *[]){ID_B}, 1, false));
    fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT("　北京　１号 "));
    assert_true(claim_is(fixture, (const char *[]){"北京 1号"}, 1, true));
    assert_true(claim_is(fixture, (const char *[]){"北京1号"}, 1, false));
    assert_true(claim_is_unknown(fixture, (const char *[]){"北京\x01"}, 1));
    fixture_rows(fixture, LB_FIELD_CODE, false, false);
    fixture_add(fixture, CELL_TEXT("a"));
    assert_true(claim_is(fixture, (const char *[]){"a"}, 1, true));
    assert_true(claim_is(fixture, (const char *[]){"A"}, 1, false));
    assert_true(claim_is(fixture, (const char *[]){"a "}, 1, false));
}

static void eq_compares_sets(void **state)
{
    struct fixture *fixture = *state;
    fixture_rows(fixture, LB_FIELD_ID, true, false);
    fixture_add(fixture, CELL_TEXT(ID_A));
    fixture_add(fixture, CELL_TEXT(ID_B));
    fixture_add(fixture, CELL_TEXT(ID_A));
    assert_true(claim_is(fixture, (const char *[]){ID_B, ID_A}, 2, true));
    assert_true(claim_is(fixture, (const char *[]){ID_A, ID_B, ID_B}, 3, true));
    assert_true(claim_is(fixture, (const char *[]){ID_A}, 1, false));
    assert_true(claim_is(fixture, (const char *[]){ID_A, ID_B, ID_C}, 3, false));
    assert_true(claim_is(fixture, (const char *[]){ID_A, ID_A}, 2, false));
    fixture_add(fixture, CELL_NULL);
    assert_true(claim_is_unknown(fixture, (const char *[]){ID_A}, 1));
    assert_true(claim_is_unknown(fixture, (const char *[]){ID_A, ID_B}, 2));
    /* Sixteen guesses at a one-row view do not make one hit. */
    fixture_rows(fixture, LB_FIELD_ID, false, false);
    fixture_add(fixture, CELL_TEXT(ID_A));
    assert_true(claim_is(fixture, (const char *[]){ID_A, ID_B}, 2, false));
}

static void eq_refuses_too_many_claims(void **state)
{
    struct fixture *fixture = *state;
    struct lb_span claims[LB_MAX_CLAIM_VALUES + 1];
    struct lb_fact fact = {0};
    for (size_t i = 0; i < LB_MAX_CLAIM_VALUES + 1; i++)
        claims[i] = lb_span_str("a");
    fixture_rows(fixture, LB_FIELD_CODE, true, false);
    fixture_add(fixture, CELL_TEXT("a"));
    fixture->input.claim = claims;
    fixture->input.num_claim = LB_MAX_CLAIM_VALUES;
    expect_truth(fixture, "EQ", true);
    fixture->input.num_claim = LB_MAX_CLAIM_VALUES + 1;
    assert_int_equal(fixture_apply(fixture, "EQ", &fact), LB_TOO_LARGE);
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(eq_normalises_names_and_numbers),
        WITH_FIXTURE(eq_compares_sets),
        WITH_FIXTURE(eq_refuses_too_many_claims),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
