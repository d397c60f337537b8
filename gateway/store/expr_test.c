#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/expr.h"

/* Truth values p, q; numbers a, b, n; texts s, t. */
static const char *const names[] = {"p", "q", "a", "b", "n", "s", "t"};
static const enum lb_expr_kind kinds[] = {LB_EXPR_TRUTH,  LB_EXPR_TRUTH, LB_EXPR_NUMBER,
                                          LB_EXPR_NUMBER, LB_EXPR_NUMBER, LB_EXPR_TEXT,
                                          LB_EXPR_TEXT};
static const struct lb_expr_names scope = {names, kinds, 7};

static int make_env(void **state)
{
    struct lb_expr_env *env = NULL;
    assert_null(lb_expr_env_new(&env));
    *state = env;
    return 0;
}

static int drop_env(void **state)
{
    lb_expr_env_free(*state);
    return 0;
}

static struct lb_expr *compiled(void **state, const char *text)
{
    struct lb_diag diag = {""};
    struct lb_expr *expr = NULL;
    if (lb_expr_compile(*state, text, &scope, &diag, &expr) != LB_OK)
        fail_msg("%s: %s", text, diag.text);
    return expr;
}

static struct lb_expr_value truth(int value)
{
    return value < 0 ? (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN}
                     : (struct lb_expr_value){.kind = LB_EXPR_TRUTH, .truth = value == 1};
}

static struct lb_expr_value number(int64_t value)
{
    return (struct lb_expr_value){.kind = LB_EXPR_NUMBER, .number = value};
}

static struct lb_expr_value text_of(const char *text)
{
    struct lb_expr_value value = {.kind = LB_EXPR_TEXT};
    (void)snprintf(value.text, sizeof(value.text), "%s", text);
    return value;
}

/* p is true, q is UNKNOWN, a 7, b -3, n UNKNOWN, s "x", t UNKNOWN. */
static void fill(struct lb_expr_value *values)
{
    memset(values, 0, 7 * sizeof(*values));
    values[0] = truth(1);
    values[2] = number(7);
    values[3] = number(-3);
    values[5] = text_of("x");
}

static struct lb_expr_value evaluated(void **state, const char *text,
                                      const struct lb_expr_value *values)
{
    struct lb_expr *expr = compiled(state, text);
    struct lb_expr_value out = {.kind = LB_EXPR_TEXT, .truth = true};
    assert_null(lb_expr_eval(expr, values, lb_expr_kind_of(expr), &out));
    lb_expr_free(expr);
    return out;
}

/* 1, 0, or -1 for UNKNOWN. */
static int truth_of(void **state, const char *text, const struct lb_expr_value *values)
{
    struct lb_expr_value out = evaluated(state, text, values);
    return out.kind == LB_EXPR_UNKNOWN ? -1 : out.truth;
}

static void is(void **state, const char *text, int want)
{
    struct lb_expr_value values[7];
    fill(values);
    int got = truth_of(state, text, values);
    if (got != want)
        fail_msg("%s: %d", text, got);
}

static void is_number(void **state, const char *text, int64_t want)
{
    struct lb_expr_value values[7];
    fill(values);
    struct lb_expr_value got = evaluated(state, text, values);
    if (got.kind != LB_EXPR_NUMBER || got.number != want)
        fail_msg("%s: kind %d, %lld", text, got.kind, (long long)got.number);
}

static void is_unknown(void **state, const char *text)
{
    struct lb_expr_value values[7];
    fill(values);
    if (evaluated(state, text, values).kind != LB_EXPR_UNKNOWN)
        fail_msg("%s is known", text);
}

static void long_chains_are_evaluated(void **state)
{
    char text[LB_MAX_EXPR_BYTES] = "a";
    for (int i = 1; i < 90; i++)
        memcpy(text + 1 + (i - 1) * 3, " +a", 4);
    is_number(state, text, 7 * 90);
}

static void logic_is_kleene(void **state)
{
    static const int values[] = {0, 1, -1};
    for (int i = 0; i < 9; i++) {
        int p = values[i / 3];
        int q = values[i % 3];
        struct lb_expr_value in[7] = {truth(p), truth(q)};
        int both = p == 0 || q == 0 ? 0 : p < 0 || q < 0 ? -1 : 1;
        int either = p == 1 || q == 1 ? 1 : p < 0 || q < 0 ? -1 : 0;
        int same = p < 0 || q < 0 ? -1 : p == q;
        assert_int_equal(truth_of(state, "p AND q", in), both);
        assert_int_equal(truth_of(state, "p or q", in), either);
        assert_int_equal(truth_of(state, "NOT p", in), p < 0 ? -1 : 1 - p);
        assert_int_equal(truth_of(state, "p = q", in), same);
        assert_int_equal(truth_of(state, "p <> q", in), same < 0 ? -1 : 1 - same);
        assert_int_equal(truth_of(state, "(NOT (p AND q)) = (NOT p OR NOT q)", in),
                         both < 0 ? -1 : 1);
    }
}

static void unknown_goes_through_comparisons(void **state)
{
    static const char *const unknown[] = {
        "n = 0", "n <> 0", "n < 0", "n >= 0", "n = n", "t = 'x'", "t <> 'x'", "t = t", "n IN (1)",
        "n NOT IN (1)", "a IN (1, n)", "a NOT IN (1, n)", "t IN ('x')", "n BETWEEN 1 AND 2",
        "a BETWEEN 1 AND n", "NOT n = 0", "n = 0 AND p", "n = 0 OR NOT p", "n + 1 = 1", "0 * n = 0",
        "n - n = 0", "max(a, n) = 7", "min(n, a) = 7", "abs(n) = 0", "-n = 0", "ceil(n) = 0", "q",
        "floor_div(n, a) = 0", "ceil_div(a, n) = 0", "floor_div(0, n) = 0",
    };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        is(state, unknown[i], -1);
    is(state, "UNKNOWN", -1);
    is(state, "NOT unknown", -1);
    is(state, "UNKNOWN OR p", 1);
    is(state, "UNKNOWN OR NOT p", -1);
    is(state, "UNKNOWN AND NOT p", 0);
    is(state, "(UNKNOWN = UNKNOWN) OR (UNKNOWN = TRUE)", -1);
    is(state, "n = 0 AND NOT p", 0);
    is(state, "n = 0 OR p", 1);
    is(state, "a IN (7, n)", 1);
    is(state, "a NOT IN (7, n)", 0);
    is(state, "a BETWEEN 8 AND n", 0);
    is_unknown(state, "n");
    is_unknown(state, "t");
}

/* Against the definition: a less what is left of it, and one more where something is left. */
static void quotients_are_the_whole_numbers_beside(void **state)
{
    static const int64_t ends[] = {INT64_MAX, INT64_MAX - 1, 0, 1, -1};
    uint32_t seed = 20260701;
    for (size_t i = 0; i < 600; i++) {
        char text[128];
        int64_t a = (int64_t)(seed = seed * 1664525U + 1013904223U) - INT32_MAX;
        int64_t b = 1 + (int64_t)((seed = seed * 1664525U + 1013904223U) >> 8) % 2000;
        a = i < sizeof(ends) / sizeof(ends[0]) ? ends[i] : a % 100000;
        int64_t rest = (a % b + b) % b;
        int64_t below = (a - rest) / b;
        int64_t above = below + (rest > 0);
        (void)snprintf(text, sizeof(text), "floor_div(%lld, %lld)", (long long)a, (long long)b);
        is_number(state, text, below);
        (void)snprintf(text, sizeof(text), "ceil_div(%lld, %lld)", (long long)a, (long long)b);
        is_number(state, text, above);
    }
    is_number(state, "floor_div(-9223372036854775807 - 1, 1)", INT64_MIN);
    is_number(state, "CEIL_DIV(-9223372036854775807 - 1, 2)", INT64_MIN / 2);
    is_unknown(state, "floor_div(a, 0)");
    is_unknown(state, "ceil_div(a, -2)");
    is_unknown(state, "floor_div(a + 9223372036854775807, 2)");
    is_number(state, "as_number(p) * 5 + as_number(NOT p) * 7", 5);
    is_number(state, "as_number(a = 7 OR UNKNOWN) + as_number(a = 8 AND UNKNOWN)", 1);
    is_unknown(state, "as_number(UNKNOWN)");
    is_unknown(state, "as_number(q) * 0");
}

static void overflow_is_unknown_where_it_happens(void **state)
{
    static const char *const unknown[] = {
        "9223372036854775807 + 1 > 0", "9223372036854775807 + 1 - 1 > 0",
        "-9223372036854775807 - 2 < 0", "9223372036854775807 * 2 > 0",
        "4611686018427387904 * 2 = 4611686018427387904 * 2", "a + 9223372036854775807 IN (1)",
        "-(-9223372036854775807 - 1) > 0", "abs(-9223372036854775807 - 1) > 0",
        "max(1, a + 9223372036854775807) >= 1", "3037000500 * 3037000500 * 0 = 0",
    };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        is(state, unknown[i], -1);
    is(state, "9223372036854775807 + 1 > 0 OR p", 1);
    is(state, "9223372036854775807 + 1 > 0 AND NOT p", 0);
    is_unknown(state, "9223372036854775807 + a");
    is_number(state, "9223372036854775807 + b", INT64_MAX - 3);
}

static void sums_and_order_of_binding(void **state)
{
    is_number(state, "a + b * 2", 1);
    is_number(state, "-9223372036854775807 - 1", INT64_MIN);
    is_number(state, "(a + b) * 2", 8);
    is_number(state, "a - b - 2", 8);
    is_number(state, "a - (b - 2)", 12);
    is_number(state, "-a * b", 21);
    is_number(state, "a - -b", 4);
    is_number(state, "2 * - (a + 1) * 3", -48);
    is_number(state, "abs(b) + ceil(a) + min(a, b, 1) + Max(a, b)", 14);
    is(state, "FALSE AND FALSE OR TRUE", 1);
    is(state, "FALSE AND (FALSE OR TRUE)", 0);
    is(state, "TRUE OR TRUE AND FALSE", 1);
    is(state, "NOT FALSE AND FALSE", 0);
    is(state, "NOT a = 8", 1);
    is(state, "NOT NOT p", 1);
    is(state, "NOT a BETWEEN 1 AND 6 AND p", 1);
    is(state, "a BETWEEN 1 + 1 AND 5 + 2 AND p", 1);
    is(state, "a + 1 < b * -3 AND p", 1);
    is(state, "(a < b) = FALSE", 1);
    is(state, "a\r\n\t!=b", 1);
    is(state, "a NOT BETWEEN 1 AND 7", 0);
}

static void texts_are_compared_exactly(void **state)
{
    struct lb_expr_value values[7] = {{.kind = LB_EXPR_UNKNOWN}};
    values[5] = text_of("张三'; --");
    values[6] = text_of("1");
    assert_int_equal(truth_of(state, "s = '张三''; --'", values), 1);
    assert_int_equal(truth_of(state, "s <> '张三'", values), 1);
    assert_int_equal(truth_of(state, "t = '1'", values), 1);
    assert_int_equal(truth_of(state, "t = '01'", values), 0);
    assert_int_equal(truth_of(state, "t IN ('0', '1')", values), 1);
    assert_int_equal(truth_of(state, "t NOT IN ('0', 'A')", values), 1);
    assert_int_equal(truth_of(state, "s = t", values), 0);
    values[6] = text_of("ABC");
    assert_int_equal(truth_of(state, "t = 'abc'", values), 0);
    assert_string_equal(evaluated(state, "t", values).text, "ABC");
    assert_string_equal(evaluated(state, "'it''s'", values).text, "it's");
    assert_int_equal(
        truth_of(state, "s = '123456789012345678901234567890123456789012345678901234567890abc'",
                 values),
        0);
}

static void values_of_the_wrong_kind_are_unknown(void **state)
{
    struct lb_expr_value values[7];
    fill(values);
    values[0] = number(1);
    assert_int_equal(truth_of(state, "p", values), -1);
    values[2] = text_of("7");
    assert_int_equal(truth_of(state, "a = 7", values), -1);
    values[2] = truth(1);
    assert_int_equal(truth_of(state, "a = 1", values), -1);
    values[5] = number(1);
    assert_int_equal(truth_of(state, "s = 'x'", values), -1);
    memset(&values[5], 'x', sizeof(values[5]));
    values[5].kind = LB_EXPR_TEXT;
    assert_int_equal(truth_of(state, "s <> 'x'", values), -1);
}

static void the_wanted_kind_decides(void **state)
{
    struct lb_expr_value values[7];
    struct lb_expr_value out;
    fill(values);
    values[2] = number(1);
    struct lb_expr *expr = compiled(state, "a");
    assert_int_equal(lb_expr_kind_of(expr), LB_EXPR_NUMBER);
    static const enum lb_expr_kind others[] = {LB_EXPR_TRUTH, LB_EXPR_TEXT, LB_EXPR_UNKNOWN};
    for (size_t i = 0; i < 3; i++) {
        out = number(9);
        assert_null(lb_expr_eval(expr, values, others[i], &out));
        assert_int_equal(out.kind, LB_EXPR_UNKNOWN);
    }
    /* An expression serves any number of evaluations and keeps nothing between them. */
    for (int64_t i = 0; i < 3; i++) {
        values[2] = number(i);
        assert_null(lb_expr_eval(expr, values, LB_EXPR_NUMBER, &out));
        assert_int_equal(out.number, i);
    }
    values[2].kind = LB_EXPR_UNKNOWN;
    assert_null(lb_expr_eval(expr, values, LB_EXPR_NUMBER, &out));
    assert_int_equal(out.kind, LB_EXPR_UNKNOWN);
    lb_expr_free(expr);
}

static void uses_are_known(void **state)
{
    struct lb_expr *expr = compiled(state, "a > 1 AND s IN ('p', 'q') AND a < 5");
    static const bool uses[] = {false, false, true, false, false, true, false, false};
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(lb_expr_uses(expr, i), uses[i]);
    assert_false(lb_expr_uses(expr, SIZE_MAX));
    lb_expr_free(expr);
    lb_expr_free(NULL);
    lb_expr_env_free(NULL);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, make_env, drop_env)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(long_chains_are_evaluated),
        TEST(logic_is_kleene),
        TEST(unknown_goes_through_comparisons),
        TEST(quotients_are_the_whole_numbers_beside),
        TEST(overflow_is_unknown_where_it_happens),
        TEST(sums_and_order_of_binding),
        TEST(texts_are_compared_exactly),
        TEST(values_of_the_wrong_kind_are_unknown),
        TEST(the_wanted_kind_decides),
        TEST(uses_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
