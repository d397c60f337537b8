#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

static void unknown_forms_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {
        "", "(", ")", "()", "exists", "EXISTS()", "EXISTS(1)", "EXIST", "EXISTS ", " EXISTS",
        "PASS()", "SHARE(121)", "EQ(x)", "EQ()", "CMP", "CMP(<)", "CMP(<,std.dibao",
        "CMP<,std.dibao)",
        "CMP(<,std.dibao,x)", "CMP(=,std.dibao)", "CMP(<>,std.dibao)", "CMP(std.dibao,<)",
        "CMP(<,145000)", "CMP(<, std.dibao)", "CMP(<,STD)", "CMP(<,)", "CMP(,std.dibao)",
        "CMP(<,std.dibao))", "CMP((<,std.dibao)", "CMP(<,std(dibao)", "IN()", "IN(a,b)",
        "IN('a')", "COUNT(0)", "COUNT(-1)", "COUNT(01)", "COUNT(+1)", "COUNT(4097)", "COUNT(1.0)",
        "COUNT(99999999999999999999)", "SUM()", "SUM(-1)", "SUM(012)", "SUM(121)", "SUM(a)",
        "ADDR_LEVEL(0)", "ADDR_LEVEL(3)", "ADDR_LEVEL(18)", "ADDR_LEVEL(06)", "MAP()",
        "BUCKET(1,2)", "AGE_GE(60)", "EXISTS\n", "EXISTS;", "EXISTS,COUNT(1)",
        "OMIT()", "PASS(1)", "ROUND", "ROUND(100)", "ROUND(1,floor)", "ROUND(0,floor)",
        "ROUND(100,ceil)", "ROUND(1000000000000001,floor)", "ROUND(floor,100)", "ROUND(-5,floor)",
        "TOPCODE()", "TOPCODE(5)", "BOTTOMCODE(A)", "AVG_M(0)", "AVG_M(121)", "AVG_M()",
        "RATIO_CMP(<)", "RATIO_CMP(=,share)", "RATIO_CMP(<,5000)", "TREND(6)", "TREND(0,fall)",
        "TREND(fall,6)", "TREND(6,fall,x)", "DATE_TRUNC(D)", "DATE_TRUNC(y)", "DATE_TRUNC()",
        "AGE_AT", "AGE_AT(2026-02-29)", "AGE_AT(2026-1-01)", "AGE_AT(Today)", "AGE_AT(60)",
        "MASK(1)", "MASK(1,33)", "MASK(-1,1)", "MASK(01,1)", "NAME_MASK(1)", "ID_MASK(6,4)",
        "PHONE_MASK(3,4)", "PSEUDO(1)", "TOKEN", "TOKEN(0)", "TOKEN(367)", "TOKEN(1d)", "PSI",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_op_call call = {.op = LB_OP_MAP, .num_args = 7};
        lb_status status = lb_op_parse(lb_span_str(wrong[i]), fixture->arena, &call);
        if (lb_status_code(status) != LB_OPERATOR_UNKNOWN)
            fail_msg("%s", wrong[i]);
        assert_int_equal(call.num_args, 7);
    }
    char longest[4096];
    memset(longest, 'A', sizeof(longest));
    struct lb_op_call call;
    assert_int_equal(
        lb_status_code(lb_op_parse(lb_span_of(longest, sizeof(longest)), fixture->arena, &call)),
        LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_parse(LB_SPAN_EMPTY, fixture->arena, &call)),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_parse(lb_span_of("EXISTS\0", 7), fixture->arena, &call)),
                     LB_OPERATOR_UNKNOWN);
}

static void text_and_wire_forms_round_trip(void **state)
{
    struct fixture *fixture = *state;
    static const char *const right[] = {
        "EXISTS", "EQ", "CMP(<,std.dibao)", "CMP(<=,area.mean)", "CMP(>,x)", "CMP(>=,a_b-c.d9)",
        "IN(severe)", "BUCKET(fine)", "COUNT(1)", "COUNT(4096)", "SUM(0)", "SUM(120)",
        "AGE_GE(age.old)", "ADDR_LEVEL(2)", "ADDR_LEVEL(12)", "MAP(level)", "OMIT", "PASS",
        "ROUND(2,floor)", "ROUND(1000000000000000,half_even)", "TOPCODE(std.dibao)",
        "BOTTOMCODE(std.dibao)", "AVG_M(1)", "AVG_M(120)", "RATIO_CMP(<=,share)", "TREND(6,fall)",
        "DATE_TRUNC(Y)", "DATE_TRUNC(M)", "AGE_AT(today)", "AGE_AT(2024-02-29)", "MASK(0,32)",
        "NAME_MASK", "ID_MASK", "PHONE_MASK", "PSEUDO", "TOKEN(1)", "TOKEN(366)",
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct lb_op_call call;
        struct lb_op_call built;
        assert_true(lb_op_parse(lb_span_str(right[i]), fixture->arena, &call) == LB_OK);
        assert_string_equal(lb_op_format(&call, fixture->arena), right[i]);
        assert_true(lb_op_build(lb_op_name(call.op), call.args, call.num_args, fixture->arena,
                                &built) == LB_OK);
        assert_string_equal(lb_op_format(&built, fixture->arena), right[i]);
    }
}

static void wire_forms_are_checked_as_well(void **state)
{
    struct fixture *fixture = *state;
    static const char *const many[] = {"<", "a", "b", "c", "d"};
    static const char *const with_null[] = {"<", NULL};
    struct lb_op_call call;
    struct lb_arena *arena = fixture->arena;
    assert_int_equal(lb_status_code(lb_op_build("CMP", many, 5, arena, &call)),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_build("CMP", many, 3, arena, &call)),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_build("CMP", many, SIZE_MAX, arena, &call)),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_build("CMP", with_null, 2, arena, &call)),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_build(NULL, NULL, 0, arena, &call)),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(lb_status_code(lb_op_build("", NULL, 0, arena, &call)), LB_OPERATOR_UNKNOWN);
    assert_string_equal(lb_op_name((enum lb_op)99), "");
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(64);
    struct lb_op_call call = {.op = LB_OP_EXISTS, .num_args = 0};
    while (lb_arena_alloc(arena, 1) != NULL)
        continue;
    assert_int_equal(lb_status_code(lb_op_parse(lb_span_str("COUNT(1)"), arena, &call)),
                     LB_NO_MEMORY);
    assert_null(lb_op_format(&call, arena));
    lb_arena_free(arena);
}

static enum lb_code check(struct fixture *fixture, const char *text, enum lb_field_type type,
                          bool many)
{
    struct lb_op_call call;
    assert_true(lb_op_parse(lb_span_str(text), fixture->arena, &call) == LB_OK);
    return lb_status_code(lb_op_check(&call, type, many, fixture->rules));
}

/* Which types each operator fits, by the letters T N I C R D # $ - of enum lb_field_type; a '+'
 * behind them: also on a view of several rows. */
static void operators_fit_their_types_only(void **state)
{
    struct fixture *fixture = *state;
    static const char letters[] = "TNICRD#$-";
    static const char *const fits[][2] = {
        {"EXISTS", "-+"},        {"COUNT(2)", "-+"},         {"EQ", "TNICRD+"},
        {"IN(severe)", "CR+"},   {"MAP(level)", "CR"},       {"ADDR_LEVEL(6)", "R"},
        {"AGE_GE(age.old)", "D"}, {"BUCKET(fine)", "#$"},    {"SUM(12)", "#$+"},
        {"CMP(<,std.dibao)", "$"}, {"CMP(<,area.mean)", "#"}, {"CMP(<,age.old)", "#"},
        {"OMIT", "TNICRD#$-+"},  {"PASS", "TNICRD#$"},       {"ROUND(100,floor)", "#$"},
        {"TOPCODE(std.dibao)", "$"}, {"BOTTOMCODE(area.mean)", "#"}, {"AVG_M(12)", "#$+"},
        {"RATIO_CMP(<,share)", "#$"}, {"TREND(6,fall)", "#$+"}, {"DATE_TRUNC(Y)", "D"},
        {"AGE_AT(today)", "D"},  {"MASK(1,1)", "TC"},        {"NAME_MASK", "N"},
        {"ID_MASK", "I"},        {"PHONE_MASK", "T"},        {"PSEUDO", "I"},
        {"TOKEN(30)", "TIC"},
    };
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        bool many = strchr(fits[i][1], '+') != NULL;
        for (size_t type = LB_FIELD_TEXT; type <= LB_FIELD_ROW; type++) {
            bool fit = strchr(fits[i][1], letters[type]) != NULL;
            enum lb_code one = check(fixture, fits[i][0], (enum lb_field_type)type, false);
            enum lb_code several = check(fixture, fits[i][0], (enum lb_field_type)type, true);
            assert_int_equal(one, fit ? LB_CODE_OK : LB_OPERATOR_UNKNOWN);
            assert_int_equal(several, fit && many ? LB_CODE_OK : LB_OPERATOR_UNKNOWN);
        }
    }
}

static void names_must_be_in_the_rule_set(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(check(fixture, "CMP(<,std)", LB_FIELD_CENTS, false), LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "IN(level)", LB_FIELD_CODE, false), LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "MAP(severe)", LB_FIELD_CODE, false), LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "BUCKET(severe)", LB_FIELD_INT, false), LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "AGE_GE(std.dibao)", LB_FIELD_DATE, false),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "AGE_GE(age)", LB_FIELD_DATE, false), LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "RATIO_CMP(<,std.dibao)", LB_FIELD_CENTS, false),
                     LB_OPERATOR_UNKNOWN);  /* cents are no ratio */
    assert_int_equal(check(fixture, "TREND(6,age.old)", LB_FIELD_CENTS, true),
                     LB_OPERATOR_UNKNOWN);
    assert_int_equal(check(fixture, "TOPCODE(fine)", LB_FIELD_CENTS, false), LB_OPERATOR_UNKNOWN);
}

static void calls_made_by_hand_are_checked(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_op_call wrong[] = {
        {.op = (enum lb_op)LB_NUM_OPS},
        {.op = (enum lb_op)-1},
        {.op = LB_OP_COUNT},
        {.op = LB_OP_COUNT, .num_args = 2, .args = {"1", "1"}},
        {.op = LB_OP_COUNT, .num_args = 1, .args = {"0"}},
        {.op = LB_OP_COUNT, .num_args = 1, .args = {NULL}},
        {.op = LB_OP_EXISTS, .num_args = LB_MAX_OPERATOR_ARGS},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(
            lb_status_code(lb_op_check(&wrong[i], LB_FIELD_ROW, true, fixture->rules)),
            LB_OPERATOR_UNKNOWN);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(lb_fact_state_name(LB_FACT_OK), "ok");
    assert_string_equal(lb_fact_state_name(LB_FACT_NOT_FOUND), "not_found");
    assert_string_equal(lb_fact_state_name(LB_FACT_STALE), "stale");
    assert_string_equal(lb_fact_state_name((enum lb_fact_state)0), "unspecified");
    assert_string_equal(lb_fact_state_name((enum lb_fact_state)99), "unspecified");
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(unknown_forms_are_refused),
        WITH_FIXTURE(text_and_wire_forms_round_trip),
        WITH_FIXTURE(wire_forms_are_checked_as_well),
        cmocka_unit_test(a_full_arena_is_told),
        WITH_FIXTURE(operators_fit_their_types_only),
        WITH_FIXTURE(names_must_be_in_the_rule_set),
        WITH_FIXTURE(calls_made_by_hand_are_checked),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
