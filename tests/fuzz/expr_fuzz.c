#include "gateway/store/expr_range.h"
#include "tests/fuzz/fuzz.h"

/* Rule expressions. */

#define NUM_NAMES 6

static const char *const names[NUM_NAMES] = {"a", "b", "p", "q", "s", "t"};
static const enum lb_expr_kind kinds[NUM_NAMES] = {LB_EXPR_NUMBER, LB_EXPR_NUMBER, LB_EXPR_TRUTH,
                                                   LB_EXPR_TRUTH,  LB_EXPR_TEXT,   LB_EXPR_TEXT};

static struct lb_expr_value take_value(struct lb_span *in, enum lb_expr_kind kind)
{
    static const int64_t numbers[] = {0, 1, -1, 2, 7, 100, INT64_MAX, INT64_MIN, INT64_MAX - 1,
                                      INT64_C(1) << 32, INT64_C(3037000500), -12};
    uint8_t byte = fuzz_u8(in);
    struct lb_expr_value value = {.kind = kind};
    value.truth = (byte & 1) != 0;
    value.number = numbers[byte % (sizeof(numbers) / sizeof(numbers[0]))];
    value.text[0] = (char)('a' + byte % 3);
    if (kind != LB_EXPR_TRUTH)
        value.truth = false;
    if (kind != LB_EXPR_NUMBER)
        value.number = 0;
    if (kind != LB_EXPR_TEXT)
        value.text[0] = 0;
    return value;
}

static bool same_value(const struct lb_expr_value *a, const struct lb_expr_value *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == LB_EXPR_TRUTH    ? a->truth == b->truth
           : a->kind == LB_EXPR_NUMBER ? a->number == b->number
           : a->kind == LB_EXPR_TEXT   ? strcmp(a->text, b->text) == 0
                                       : true;
}

static bool is_in(const struct lb_expr_range *range, const struct lb_expr_value *value)
{
    if (value->kind == LB_EXPR_UNKNOWN)
        return range->unknown;
    if (value->kind == LB_EXPR_TRUTH)
        return value->truth ? range->yes : range->no;
    if (value->kind == LB_EXPR_NUMBER)
        return range->known && range->min <= value->number && value->number <= range->max;
    return range->known && (range->text == NULL || strcmp(range->text, value->text) == 0);
}

/* With one value per name a range is exact; with several it has what each of them gives. */
static void check_ranges(const struct lb_expr *expr, const struct lb_expr_value *less_values,
                         const struct lb_expr_value *less, const struct lb_expr_value *more_values,
                         const struct lb_expr_value *more)
{
    struct lb_expr_range narrow[NUM_NAMES], wide[NUM_NAMES];
    for (size_t i = 0; i < NUM_NAMES; i++) {
        struct lb_expr_range other = lb_expr_range_of(&less_values[i], kinds[i]);
        narrow[i] = lb_expr_range_of(&more_values[i], kinds[i]);
        wide[i] = lb_expr_range_join(&narrow[i], &other);
    }
    struct lb_expr_range exact = lb_expr_reach(expr, narrow);
    struct lb_expr_range all = lb_expr_reach(expr, wide);
    FUZZ_CHECK(lb_expr_range_is_one(&exact) && is_in(&exact, more));
    FUZZ_CHECK(is_in(&all, more) && is_in(&all, less));
}

/* What follows from some values follows from them and any others: three-valued logic never guesses.
 * So whatever an expression says with a name unknown, it says for each value of that name. */
static void check_values(struct lb_expr *expr, struct lb_span in)
{
    struct lb_expr_value values[NUM_NAMES], known[NUM_NAMES], less, more, again;
    enum lb_expr_kind kind = lb_expr_kind_of(expr);
    uint8_t unknown = fuzz_u8(&in);
    FUZZ_CHECK(kind == LB_EXPR_TRUTH || kind == LB_EXPR_NUMBER || kind == LB_EXPR_TEXT);
    for (size_t i = 0; i < NUM_NAMES; i++) {
        known[i] = take_value(&in, kinds[i]);
        values[i] = known[i];
        if ((unknown >> i & 1) != 0)
            values[i] = (struct lb_expr_value){.kind = LB_EXPR_UNKNOWN};
    }
    FUZZ_OK(lb_expr_eval(expr, values, kind, &less));
    FUZZ_OK(lb_expr_eval(expr, known, kind, &more));
    FUZZ_OK(lb_expr_eval(expr, known, kind, &again));
    FUZZ_CHECK(same_value(&more, &again));
    FUZZ_CHECK(less.kind == LB_EXPR_UNKNOWN || less.kind == kind);
    FUZZ_CHECK(less.kind == LB_EXPR_UNKNOWN || same_value(&less, &more));
    check_ranges(expr, values, &less, known, &more);
    values[0] = take_value(&in, kinds[0]);
    values[1] = take_value(&in, kinds[1]);
    FUZZ_OK(lb_expr_eval(expr, values, kind, &less));
    check_ranges(expr, values, &less, known, &more);
    for (int other = LB_EXPR_TRUTH; other <= LB_EXPR_TEXT; other++) {
        if (other == (int)kind)
            continue;
        FUZZ_OK(lb_expr_eval(expr, known, (enum lb_expr_kind)other, &again));
        FUZZ_CHECK(again.kind == LB_EXPR_UNKNOWN);
    }
}

/* values LF expression. */
bool fuzz_expression(struct lb_span in)
{
    static struct lb_expr_env *env;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(1U << 20);
    const struct lb_expr_names all = {names, kinds, NUM_NAMES};
    struct lb_diag diag = {""};
    struct lb_expr *expr = NULL;
    struct lb_span values = fuzz_line(&in);
    const char *text = fuzz_text(arena, in);
    if (text == NULL)
        return false;
    if (env == NULL)
        FUZZ_OK(lb_expr_env_new(&env));
    lb_status status = lb_expr_compile(env, text, &all, &diag, &expr);
    if (status != LB_OK) {
        FUZZ_CODE(status, LB_CONFIG_INVALID);
        FUZZ_CHECK(expr == NULL && diag.text[0] != 0);
        return false;
    }
    check_values(expr, values);
    lb_expr_free(expr);
    return true;
}

void seed_expression(const struct fuzz_sink *sink)
{
    static const char *const texts[] = {
        "a + 2 * b - -3 < 12 AND (p OR NOT q)", "s = 'it''s' OR t IN ('a', 'b', s)",
        "a BETWEEN 1 AND b", "abs(a) >= ceil(b) AND max(a, b, 3) <> min(a, 1)", "a * a * a = b",
        "p", "s", "NOT (p = q) OR a NOT IN (1, b)", "9223372036854775807 + a != 0 AND FALSE",
    };
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(1U << 20);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        fuzz_seed_text(sink, lb_arena_printf(arena, "\x15\1\2\3\4\5\6\n%s", texts[i]));
}
