#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

static const char *const calls[] = {
    "EXISTS", "EQ", "COUNT(1)", "COUNT(2)", "COUNT(3)",
    "CMP(<,std.dibao)", "CMP(<=,std.dibao)", "CMP(>,std.dibao)", "CMP(>=,std.dibao)",
    "CMP(<,std.edge)", "CMP(>=,std.edge)", "CMP(<=,std.edge)",
    "CMP(<,area.mean)", "CMP(>=,area.mean)", "CMP(<=,area.mean)", "CMP(>,area.mean)",
    "IN(severe)", "IN(local)", "BUCKET(fine)", "BUCKET(coarse)", "BUCKET(other)",
    "SUM(0)", "SUM(1)", "SUM(12)", "SUM(13)", "AGE_GE(age.old)", "AGE_GE(age.child)",
    "ADDR_LEVEL(2)", "ADDR_LEVEL(4)", "ADDR_LEVEL(6)", "ADDR_LEVEL(9)", "ADDR_LEVEL(12)",
    "MAP(level)",
};

#define NUM_CALLS (sizeof(calls) / sizeof(calls[0]))
#define NUM_INPUTS 400

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Cells around every boundary that the rule set has, and unreadable ones. */
static struct lb_cell random_cell(enum lb_field_type type, uint32_t *seed)
{
    static const int64_t numbers[] = {-1, 0, 1, 2, 3, 4, 144999, 145000, 145001, 217499, 217500,
                                      217501, INT64_MAX, INT64_MIN};
    static const char *const codes[] = {"11", "12", "13", "21", "22", "31", "99", "990101", ""};
    static const char *const regions[] = {"99", "9901", "990101", "990102", "990101001",
                                          "990101001001", "99010100100199", "9901x"};
    static const char *const dates[] = {"1966-07-15", "1966-07-16", "2010-07-15", "2010-07-16",
                                        "2026-07-16", "1900-02-29"};
    uint32_t pick = next_random(seed);
    if (pick % 8 == 0)
        return CELL_NULL;
    pick = next_random(seed);
    switch (type) {
    case LB_FIELD_INT:
    case LB_FIELD_CENTS:
        return CELL_INT(numbers[pick % (sizeof(numbers) / sizeof(numbers[0]))]);
    case LB_FIELD_REGION:
        return CELL_TEXT(regions[pick % (sizeof(regions) / sizeof(regions[0]))]);
    case LB_FIELD_DATE:
        return CELL_TEXT(dates[pick % (sizeof(dates) / sizeof(dates[0]))]);
    case LB_FIELD_TEXT:
    case LB_FIELD_NAME:
    case LB_FIELD_ID:
    case LB_FIELD_CODE:
    case LB_FIELD_ROW:
    default:
        return CELL_TEXT(codes[pick % (sizeof(codes) / sizeof(codes[0]))]);
    }
}

/* The shape of a view: what stays the same for one field whatever the subject. */
struct shape {
    enum lb_field_type type;
    bool many;
    bool months;
    bool complete;
};

static void random_rows(struct fixture *fixture, const struct shape *shape, uint32_t *seed)
{
    static const char *const months[] = {"2026-06", "2026-07", "2025-07", "2025-06", "x"};
    fixture_rows(fixture, shape->type, shape->many, shape->months);
    fixture->input.complete = shape->complete;
    uint32_t num = next_random(seed) % 5;
    for (uint32_t i = 0; i < num; i++) {
        struct lb_cell cell = random_cell(shape->type, seed);
        if (shape->months)
            fixture_add_month(fixture, months[next_random(seed) % 5], cell);
        else
            fixture_add(fixture, cell);
    }
}

static bool same_fact(const struct lb_fact *a, const struct lb_fact *b)
{
    return a->state == b->state && a->kind == b->kind && a->truth == b->truth &&
           a->number == b->number && lb_span_eq(a->text, b->text);
}

struct outputs {
    bool fits;
    struct lb_fact facts[NUM_INPUTS];
};

/* What a call makes of the same NUM_INPUTS row sets; texts are kept in the given arena. */
static void run_call(struct fixture *fixture, const struct lb_op_call *call,
                     const struct shape *shape, struct lb_arena *kept, struct outputs *out)
{
    struct lb_span claim = lb_span_str("11");
    uint32_t seed = 42;
    out->fits = true;
    for (size_t i = 0; i < NUM_INPUTS; i++) {
        random_rows(fixture, shape, &seed);
        fixture->input.claim = &claim;
        fixture->input.num_claim = 1;
        if (lb_op_apply(call, &fixture->input, kept, &out->facts[i]) != LB_OK) {
            out->fits = false;
            return;
        }
    }
}

/* Equal outputs of b always come with equal outputs of a. */
static bool is_function(const struct outputs *a, const struct outputs *b)
{
    for (size_t i = 0; i < NUM_INPUTS; i++)
        for (size_t j = 0; j < i; j++)
            if (same_fact(&b->facts[i], &b->facts[j]) && !same_fact(&a->facts[i], &a->facts[j]))
                return false;
    return true;
}

static void check_pair(struct fixture *fixture, const char *text_a, const char *text_b,
                       const struct shape *shape, size_t *num_pairs)
{
    struct lb_op_call a;
    struct lb_op_call b;
    struct outputs outputs_a;
    struct outputs outputs_b;
    struct lb_arena *kept = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_true(lb_op_parse(lb_span_str(text_a), kept, &a) == LB_OK);
    assert_true(lb_op_parse(lb_span_str(text_b), kept, &b) == LB_OK);
    if (lb_op_at_least_as_strict(&a, &b, fixture->rules)) {
        run_call(fixture, &a, shape, kept, &outputs_a);
        run_call(fixture, &b, shape, kept, &outputs_b);
        bool both = outputs_a.fits && outputs_b.fits;
        if (both && !is_function(&outputs_a, &outputs_b))
            fail_msg("%s is not a function of %s", text_a, text_b);
        *num_pairs += both ? 1 : 0;
    }
    lb_arena_free(kept);
}

static void stricter_means_computable_for_every_pair(void **state)
{
    struct fixture *fixture = *state;
    size_t num_pairs = 0;
    for (unsigned bits = 0; bits < 8; bits++) {
        for (size_t type = LB_FIELD_TEXT; type <= LB_FIELD_ROW; type++) {
            const struct shape shape = {(enum lb_field_type)type, (bits & 1) != 0, (bits & 2) != 0,
                                        (bits & 4) != 0};
            for (size_t a = 0; a < NUM_CALLS; a++)
                for (size_t b = 0; b < NUM_CALLS; b++)
                    check_pair(fixture, calls[a], calls[b], &shape, &num_pairs);
        }
    }
    /* So that the test can't pass for want of pairs. */
    assert_true(num_pairs > 200);
}

static bool stricter(struct fixture *fixture, const char *text_a, const char *text_b)
{
    struct lb_op_call a;
    struct lb_op_call b;
    assert_true(lb_op_parse(lb_span_str(text_a), fixture->arena, &a) == LB_OK);
    assert_true(lb_op_parse(lb_span_str(text_b), fixture->arena, &b) == LB_OK);
    return lb_op_at_least_as_strict(&a, &b, fixture->rules);
}

/* The test must be able to see a wrong claim: these pairs are not functions, and it says so. */
static void the_property_test_sees_what_is_no_function(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *a;
        const char *b;
        struct shape shape;
    } wrong[] = {
        {"COUNT(2)", "EXISTS", {LB_FIELD_ROW, true, false, false}},
        {"COUNT(3)", "COUNT(2)", {LB_FIELD_ROW, true, false, false}},
        {"CMP(<,std.dibao)", "CMP(<=,std.dibao)", {LB_FIELD_CENTS, false, false, false}},
        {"CMP(<,std.dibao)", "CMP(<,std.edge)", {LB_FIELD_CENTS, false, false, false}},
        {"CMP(<=,std.dibao)", "BUCKET(fine)", {LB_FIELD_CENTS, false, false, false}},
        {"CMP(<,std.edge)", "BUCKET(coarse)", {LB_FIELD_CENTS, false, false, false}},
        {"BUCKET(fine)", "BUCKET(coarse)", {LB_FIELD_CENTS, false, false, false}},
        {"BUCKET(other)", "BUCKET(fine)", {LB_FIELD_CENTS, false, false, false}},
        {"ADDR_LEVEL(6)", "ADDR_LEVEL(9)", {LB_FIELD_REGION, false, false, false}},
        {"ADDR_LEVEL(9)", "ADDR_LEVEL(6)", {LB_FIELD_REGION, false, false, false}},
        {"IN(severe)", "MAP(level)", {LB_FIELD_CODE, false, false, false}},
        {"SUM(12)", "SUM(13)", {LB_FIELD_CENTS, true, true, false}},
        {"AGE_GE(age.old)", "AGE_GE(age.child)", {LB_FIELD_DATE, false, false, false}},
    };
    struct lb_arena *kept = lb_arena_new(LB_CALL_ARENA_BYTES);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct lb_op_call a;
        struct lb_op_call b;
        struct outputs outputs_a;
        struct outputs outputs_b;
        assert_false(stricter(fixture, wrong[i].a, wrong[i].b));
        assert_true(lb_op_parse(lb_span_str(wrong[i].a), kept, &a) == LB_OK);
        assert_true(lb_op_parse(lb_span_str(wrong[i].b), kept, &b) == LB_OK);
        run_call(fixture, &a, &wrong[i].shape, kept, &outputs_a);
        run_call(fixture, &b, &wrong[i].shape, kept, &outputs_b);
        assert_true(outputs_a.fits && outputs_b.fits);
        if (is_function(&outputs_a, &outputs_b))
            fail_msg("%s looks like a function of %s", wrong[i].a, wrong[i].b);
    }
    lb_arena_free(kept);
}

static void what_is_allowed_stays_allowed(void **state)
{
    struct fixture *fixture = *state;
    static const char *const right[][2] = {
        {"EXISTS", "COUNT(1)"}, {"EXISTS", "COUNT(3)"}, {"COUNT(1)", "EXISTS"},
        {"COUNT(1)", "COUNT(3)"}, {"COUNT(2)", "COUNT(10)"},
        {"CMP(<,std.dibao)", "CMP(>=,std.dibao)"}, {"CMP(>,std.dibao)", "CMP(<=,std.dibao)"},
        {"BUCKET(coarse)", "BUCKET(fine)"}, {"CMP(<,std.dibao)", "BUCKET(coarse)"},
        {"CMP(>=,area.mean)", "BUCKET(fine)"},
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        assert_true(stricter(fixture, right[i][0], right[i][1]));
    for (size_t i = 0; i < NUM_CALLS; i++)
        assert_true(stricter(fixture, calls[i], calls[i]));
}

static void broken_calls_are_incomparable(void **state)
{
    struct fixture *fixture = *state;
    const struct lb_op_call bare = {.op = LB_OP_CMP};
    const struct lb_op_call cap = {.op = LB_OP_COUNT, .num_args = 1, .args = {"x"}};
    const struct lb_op_call exists = {.op = LB_OP_EXISTS};
    const struct lb_op_call bucket = {.op = LB_OP_BUCKET, .num_args = 1, .args = {"none"}};
    const struct lb_op_call fine = {.op = LB_OP_BUCKET, .num_args = 1, .args = {"fine"}};
    assert_false(lb_op_at_least_as_strict(&exists, &cap, fixture->rules));
    assert_false(lb_op_at_least_as_strict(&cap, &exists, fixture->rules));
    assert_false(lb_op_at_least_as_strict(&bare, &fine, fixture->rules));
    assert_false(lb_op_at_least_as_strict(&bucket, &fine, fixture->rules));
    assert_false(lb_op_at_least_as_strict(&fine, &bucket, fixture->rules));
    assert_false(lb_op_at_least_as_strict(&bucket, &fine, NULL));
    assert_true(lb_op_at_least_as_strict(&fine, &fine, NULL));
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(stricter_means_computable_for_every_pair),
        WITH_FIXTURE(the_property_test_sees_what_is_no_function),
        WITH_FIXTURE(what_is_allowed_stays_allowed),
        WITH_FIXTURE(broken_calls_are_incomparable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
