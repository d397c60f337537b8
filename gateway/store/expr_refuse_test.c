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

static void refuses(void **state, const char *text)
{
    struct lb_diag diag = {""};
    struct lb_expr *expr = NULL;
    lb_status status = lb_expr_compile(*state, text, &scope, &diag, &expr);
    if (lb_status_code(status) != LB_CONFIG_INVALID || expr != NULL || diag.text[0] == 0)
        fail_msg("accepted: %s", text);
}

static struct lb_expr *compiled(void **state, const char *text)
{
    struct lb_diag diag = {""};
    struct lb_expr *expr = NULL;
    if (lb_expr_compile(*state, text, &scope, &diag, &expr) != LB_OK)
        fail_msg("%s: %s", text, diag.text);
    return expr;
}

static void words_that_make_unknown_known_are_refused(void **state)
{
    static const char *const texts[] = {
        "CASE WHEN p THEN 1 ELSE 0 END = 1", "p IS TRUE", "p IS NULL", "n ISNULL", "n NOTNULL",
        "n NOT NULL", "n = NULL", "NULL", "n IS NOT NULL", "n IS NOT DISTINCT FROM a",
        "coalesce(n, 0) = 0", "IFNULL(n, 0) = 0", "iif(p, 1, 0) = 1", "nullif(a, 7) = 1",
        "cAsE", "s LIKE 'x'", "s GLOB '*'", "s MATCH 'x'", "s REGEXP 'x'", "s NOT LIKE 'x'",
        "CAST(s AS INTEGER) = 1", "s = 'x' COLLATE NOCASE", "RAISE(IGNORE)",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(state, texts[i]);
}

static void statements_and_subqueries_are_refused(void **state)
{
    static const char *const texts[] = {
        "SELECT 1", "(SELECT 1) = 1", "EXISTS (SELECT 1)", "a IN (SELECT 1)", "a IN sqlite_schema",
        "1); DROP TABLE x; --", "1; SELECT 1", "p) UNION SELECT (1", "(VALUES (1)) = 1",
        "(WITH x AS (SELECT 1) SELECT 1) = 1", "PRAGMA user_version", "ATTACH 'x' AS y",
        "a FROM sqlite_schema", "main.a = 1", "a.b = 1", "a = b AS c", "count(*) = 1",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(state, texts[i]);
}

static void other_signs_are_refused(void **state)
{
    static const char *const texts[] = {
        "a / 2 = 1", "a % 2 = 1", "s || t = 'x'", "s -> t", "s ->> t", "a == 7", "a << 1 = 1",
        "a >> 1 = 1", "a & 1 = 1", "a | 1 = 1", "~a = 1", "p -- x", "p /* x */", "p;", "p; ",
        "a = ?", "a = ?1", "a = :x", "a = @x", "a = $x", "a = #x", "\"a\" = 7", "`a` = 7",
        "[a] = 7", "s = x'00'", "s = X'41'", "!p", "a = {7}", "a \\ 2", "p && q", "p ^ q",
        "a\x01= 7", "a = 7\x7f", "\xEF\xBC\x91 = 1", "a \xC2\xA0= 7", "\xff", "s = '\xff'",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(state, texts[i]);
}

static void only_whole_numbers_are_numbers(void **state)
{
    static const char *const texts[] = {
        "a = 1.0", "a = .5", "a = 1.", "a = 1e3", "a = 0x10", "a = 1_000", "a = 1a",
        "a = 9223372036854775808", "a = 99999999999999999999", "a = +7", "a = ''", "a = 7 7",
        "s = '123456789012345678901234567890123456789012345678901234567890abcd'",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(state, texts[i]);
}

static void kinds_never_mix(void **state)
{
    static const char *const texts[] = {
        "s = 1", "1 = s", "a = 'x'", "a < 'x'", "s < 'x'", "s < t", "s > 1", "p = 1", "p = 's'",
        "p < q", "p + 1 = 2", "(a > 1) + 1 = 2", "a AND p", "p AND a", "a OR p", "p OR s", "NOT a",
        "NOT s", "-p = 1", "-s = 1", "s + 1 = 1", "a * s = 1", "s * a = 1", "a - p = 1",
        "a IN (1, 'x')", "a IN ('x')", "s IN (1)", "s IN ('x', 1)", "p IN (TRUE)", "a IN (p)",
        "a BETWEEN 'a' AND 'b'", "s BETWEEN 'a' AND 'b'", "a BETWEEN 1 AND p",
        "a BETWEEN p AND 1", "abs(s) = 1", "abs(p) = 1", "min(a, s) = 1", "max(p, a) = 1",
        "a < b < n", "a = b = n", "a = 7 = TRUE", "a < b = p", "a IN (7) = TRUE",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(state, texts[i]);
}

static void broken_grammar_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "  ", "(", ")", "()", "(a", "a)", "a +", "+ a", "* a", "a * * b", "AND p", "p AND",
        "p OR OR q", "NOT", "p NOT q", "p NOT", "a NOT 7", "a NOT = 7", "a IN", "a IN 7",
        "a IN ()", "a IN (7", "a IN (7,)", "a BETWEEN 1", "a BETWEEN 1 OR 2", "a BETWEEN AND 2",
        "BETWEEN 1 AND 2", "a =", "= a", "a < > b", "a, b", "(a, b) = (7, 7)", "s = 'x", "s = '",
        "s = 'x\ny'", "p q", "a 7", "'x' 'y' = s", "abs", "abs a", "abs()", "abs(a, b)",
        "floor_div(a)", "ceil_div(a, b, a)", "floor_div(a, s)", "a / b",
        "min(a)", "max(a)", "min()", "ceil(a, b)", "sum(a) = 7", "lb_sum(a, b) = 7",
        "random() = 1", "UNKNOWN = 1", "UNKNOWN + 1 = 1", "max(UNKNOWN, 1) = 1", "a IN (UNKNOWN)",
        "unknown (a)", "as_number(a) = 1", "as_number() = 1",
        "as_number(p, p) = 1", "as_number(s) = 1",
        "zz = 1", "P", "load_extension('x')", "abs (*)", "min(DISTINCT a, b)",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        refuses(state, texts[i]);
}

static void size_and_depth_are_bounded(void **state)
{
    char text[LB_MAX_EXPR_BYTES + 2];
    memset(text, ' ', sizeof(text));
    text[0] = 'p';
    text[LB_MAX_EXPR_BYTES + 1] = 0;
    refuses(state, text);
    text[LB_MAX_EXPR_BYTES] = 0;
    lb_expr_free(compiled(state, text));
    static const char *const openings[] = {"(", "NOT ", "- ", "abs(", "(a + "};
    for (size_t i = 0; i < 5; i++) {
        size_t len = strlen(openings[i]);
        for (size_t at = 0; at + len <= 3000; at += len)
            memcpy(text + at, openings[i], len);
        text[3000 / len * len] = 0;
        refuses(state, text);
    }
    lb_expr_free(compiled(state, "((((((((((((((((((((p))))))))))))))))))))"));
}

static void too_long_chains_are_refused(void **state)
{
    char text[LB_MAX_EXPR_BYTES] = "a";
    for (int i = 1; i < 1000; i++)
        memcpy(text + 1 + (i - 1) * 3, " +a", 4);
    refuses(state, text);
}

static void names_must_be_free_words(void **state)
{
    static const char *const bad[] = {"", "and", "CASE", "min", "a b", "1a", "a-b", "a.b", "中",
                                      "exists", "Select", "a;"};
    const enum lb_expr_kind kind = LB_EXPR_NUMBER;
    const enum lb_expr_kind none = LB_EXPR_UNKNOWN;
    char long_name[65];
    memset(long_name, 'x', 64);
    long_name[64] = 0;
    struct lb_diag diag = {""};
    struct lb_expr *expr = NULL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_expr_names one = {&bad[i], &kind, 1};
        if (lb_status_code(lb_expr_compile(*state, "1 = 1", &one, &diag, &expr)) !=
            LB_CONFIG_INVALID)
            fail_msg("accepted: %s", bad[i]);
    }
    const char *const longs[] = {long_name};
    struct lb_expr_names one = {longs, &kind, 1};
    assert_non_null(lb_expr_compile(*state, "1 = 1", &one, &diag, &expr));
    const char *const good[] = {"_A1"};
    one = (struct lb_expr_names){good, &none, 1};
    assert_non_null(lb_expr_compile(*state, "1 = 1", &one, &diag, &expr));
    one.count = LB_MAX_EXPR_NAMES + 1;
    assert_non_null(lb_expr_compile(*state, "1 = 1", &one, &diag, &expr));
    assert_null(expr);
    struct lb_expr_names empty = {NULL, NULL, 0};
    assert_null(lb_expr_compile(*state, "1 = 1", &empty, &diag, &expr));
    lb_expr_free(expr);
}

static void the_message_names_the_place(void **state)
{
    struct lb_diag diag = {""};
    struct lb_expr *expr = NULL;
    assert_non_null(lb_expr_compile(*state, "s = '民政' AND a / 2 = 1", &scope, &diag, &expr));
    assert_string_equal(diag.text, "at character 16: division would lose the remainder; multiply "
                                   "the other side instead");
    assert_non_null(lb_expr_compile(*state, "p AND income", &scope, &diag, &expr));
    assert_non_null(strstr(diag.text, "at character 7: unknown name \"income\""));
    assert_non_null(lb_expr_compile(*state, "Coalesce(n, 0)", &scope, &diag, &expr));
    assert_non_null(strstr(diag.text, "at character 1: \"Coalesce\" is not allowed"));
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, make_env, drop_env)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(words_that_make_unknown_known_are_refused),
        TEST(statements_and_subqueries_are_refused),
        TEST(other_signs_are_refused),
        TEST(only_whole_numbers_are_numbers),
        TEST(kinds_never_mix),
        TEST(broken_grammar_is_refused),
        TEST(size_and_depth_are_bounded),
        TEST(too_long_chains_are_refused),
        TEST(names_must_be_free_words),
        TEST(the_message_names_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
