#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/store/expr_range.h"

/* Ranges of expressions by hand; that they never leave out what an expression can come to, and are
 * exact for single values, is what the fuzz target `expression` checks. */

static const char *const names[] = {"p", "q", "a", "b", "s"};
static const enum lb_expr_kind kinds[] = {LB_EXPR_TRUTH, LB_EXPR_TRUTH, LB_EXPR_NUMBER,
                                          LB_EXPR_NUMBER, LB_EXPR_TEXT};
static const struct lb_expr_names scope = {names, kinds, 5};

/* p is anything known, q anything; a from -2 to 10, b from 3 to 4 or UNKNOWN; s is any text. */
static struct lb_expr_range reach(const char *text)
{
    struct lb_expr_env *env = NULL;
    struct lb_expr *expr = NULL;
    struct lb_diag diag = {{0}};
    struct lb_expr_range ranges[5];
    for (size_t i = 0; i < 5; i++)
        ranges[i] = lb_expr_range_all(kinds[i]);
    ranges[1].unknown = ranges[3].unknown = true;
    ranges[2].min = -2;
    ranges[2].max = 10;
    ranges[3].min = 3;
    ranges[3].max = 4;
    assert_null(lb_expr_env_new(&env));
    if (lb_expr_compile(env, text, &scope, &diag, &expr) != LB_OK)
        fail_msg("%s: %s", text, diag.text);
    struct lb_expr_range range = lb_expr_reach(expr, ranges);
    lb_expr_free(expr);
    lb_expr_env_free(env);
    return range;
}

static void truths_are_sets(void **state)
{
    static const struct {
        const char *text, *truths;  /* of F, T, U */
    } cases[] = {
        {"p", "FT"}, {"q", "FTU"}, {"p AND q", "FTU"}, {"p OR UNKNOWN", "TU"},
        {"p AND UNKNOWN", "FU"}, {"NOT (p OR UNKNOWN)", "FU"}, {"UNKNOWN", "U"},
        {"a < 11", "T"}, {"a < -2", "F"}, {"a <= -2", "FT"}, {"b > 4", "FU"}, {"b >= 3", "TU"},
        {"a = b", "FTU"}, {"a = 11", "F"}, {"a <> 11", "T"}, {"a BETWEEN -2 AND 10", "T"},
        {"a NOT BETWEEN -2 AND 9", "FT"}, {"a IN (11, 12)", "F"}, {"a NOT IN (11, b)", "FTU"},
        {"s = 'x'", "FT"}, {"'x' IN ('y', 'x')", "T"}, {"'x' = 'y'", "F"},
        {"p = TRUE", "FT"}, {"9223372036854775807 + 1 > 0", "U"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lb_expr_range got = reach(cases[i].text);
        if (got.no != (strchr(cases[i].truths, 'F') != NULL) ||
            got.yes != (strchr(cases[i].truths, 'T') != NULL) ||
            got.unknown != (strchr(cases[i].truths, 'U') != NULL))
            fail_msg("%s: %d %d %d", cases[i].text, got.no, got.yes, got.unknown);
    }
}

static void numbers_are_runs(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        bool unknown;
    } cases[] = {
        {"a", -2, 10, false}, {"a + b", 1, 14, true}, {"a - a", -12, 12, false},
        {"a * a", -20, 100, false}, {"abs(a)", 0, 10, false}, {"-a", -10, 2, false},
        {"min(a, 3)", -2, 3, false}, {"max(a, b)", 3, 10, true}, {"ceil(a)", -2, 10, false},
        {"floor_div(a, 4)", -1, 2, false}, {"ceil_div(a, 4)", 0, 3, false},
        {"floor_div(12, a)", 1, 12, true}, {"as_number(p)", 0, 1, false},
        {"as_number(TRUE) + as_number(q)", 1, 2, true},
        {"a * 9223372036854775807", INT64_MIN, INT64_MAX, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lb_expr_range got = reach(cases[i].text);
        if (!got.known || got.min != cases[i].min || got.max != cases[i].max ||
            got.unknown != cases[i].unknown)
            fail_msg("%s: %lld %lld %d", cases[i].text, (long long)got.min, (long long)got.max,
                     got.unknown);
    }
    struct lb_expr_range none = reach("floor_div(a, 0)");
    assert_true(!none.known && none.unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truths_are_sets),
        cmocka_unit_test(numbers_are_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
