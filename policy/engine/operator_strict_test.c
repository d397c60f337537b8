#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"
#include "policy/engine/operator_strict_table.h"

#define NUM_INPUTS 256

static bool lists(const char *words, const char *call)
{
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        bool any_rest = words[len - 1] == '*';
        if (strncmp(words, call, any_rest ? len - 1 : len) == 0 &&
            (any_rest || call[len] == '\0'))
            return true;
        words += len + strspn(words + len, " ");
    }
    return false;
}

static bool is_allowed(const char *a, const char *b)
{
    if (strcmp(a, b) == 0 || strcmp(a, "OMIT") == 0)
        return true;
    for (size_t i = 0; i < NUM_ALLOWED; i++)
        if (strcmp(allowed[i].of, b) == 0)
            return lists(allowed[i].stricter, a);
    return false;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

#define PICK(list_, index_) (list_)[(index_) % (sizeof(list_) / sizeof((list_)[0]))]

/* Numbers around every boundary that a call has. */
static int64_t number_at(uint32_t index)
{
    static const int64_t numbers[] = {
        -501, -500, -201, -200, -199, -101, -100, -51, -50, -49, -1, 0, 1, 2, 3, 4, 5, 49, 50, 51,
        99, 100, 101, 149, 150, 151, 199, 200, 249, 250, 251, 299, 300, 349, 350, 449, 450, 499,
        500, 501, 549, 550, 749, 750, 751, 999, 1000, 1001, 144749, 144750, 144999, 145000, 145001,
        145002, 145050, 145051, 217499, 217500, 217501, 217502, INT64_MAX - 1, INT64_MAX,
        INT64_MIN, INT64_MIN + 1, INT64_MIN + 8};
    return PICK(numbers, index);
}

static const char *text_at(enum lb_field_type type, uint32_t index)
{
    static const char *const codes[] = {"11", "12", "13", "21", "22", "31", "99", "990101", "2",
                                        "", "1\x01", "\xFF", "王", "111", "1111", "1234567",
                                        "29", "2199", "9zzzz1", "99zzz1", "99zz01", "2zz9",
                                        "21zzz9"};
    static const char *const texts[] = {"a", "b", "ab", "ac", "cb", "abc", "adc", "xbc", "abcdefg",
                                        "xbcdefg", "abcdefx", "abcdefgh", "axcdefgh", "abcdefgx",
                                        "", " ", "a b", "ａb", "13812345678", "138 1234 5678",
                                        "13899995678", "138abcd5678", "abcdefghijk",
                                        "1bcdefghijk", "12cdefghijk", "+8613812345678", "11",
                                        "\xE2\x80\xAE"};
    static const char *const names[] = {"张三", "张四", "李三", "王小明", "王大明", "王小亮",
                                        "欧阳小明", "欧阳明", "欧阳", "阿不都·热合曼",
                                        "阿不都•热合曼", "阿不力·热合曼", "A·B", "·", "王", " 张三 ",
                                        "张\t三", "", "\xFF"};
    static const char *const ids[] = {"11010519491231002X", "11010519491231002x",
                                      "110105491231002", "440524188001010014",
                                      "990101200002290011", "110105194912310021", "1", "",
                                      "110105184912319965", "110105194912319956",
                                      "11010519491231010X", "11010519491231029X",
                                      "１１０１０５４９１２３１００２"};
    static const char *const regions[] = {"99", "9901", "990101", "990102", "990101001",
                                          "990101001001", "99010100100199", "9901x", "9", "", "21",
                                          "2101", "210101", "210101001", "210101001001"};
    static const char *const dates[] = {"1966-07-15", "1966-07-16", "1966-08-01", "2010-07-15",
                                        "2010-07-16", "2020-01-01", "2020-01-02", "2026-07-15",
                                        "2026-07-16", "2026-12-31", "1900-02-29", "2008-02-29"};
    switch (type) {
    case LB_FIELD_TEXT:
        return PICK(texts, index);
    case LB_FIELD_NAME:
        return PICK(names, index);
    case LB_FIELD_ID:
        return PICK(ids, index);
    case LB_FIELD_REGION:
        return PICK(regions, index);
    case LB_FIELD_DATE:
        return PICK(dates, index);
    default:
        return PICK(codes, index);
    }
}

/* Every eighth cell can't be read: NULL, or of the wrong kind. */
static struct lb_cell cell_at(enum lb_field_type type, uint32_t index, uint32_t *seed)
{
    bool number = type == LB_FIELD_INT || type == LB_FIELD_CENTS;
    uint32_t odd = next_random(seed) % 16;
    if (odd == 0)
        return CELL_NULL;
    if (odd == 1)
        return number ? CELL_TEXT("7") : CELL_INT(7);
    return number ? CELL_INT(number_at(index)) : CELL_TEXT(text_at(type, index));
}

/* The shape of a field: what stays the same whatever the subject. */
struct shape {
    enum lb_field_type type;
    bool many;
    enum { NO_SECOND, MONTHS, DENOMINATOR } second;  /* the other column */
    bool complete;
};

static void add_row(struct fixture *fixture, const struct shape *shape, struct lb_cell cell,
                    uint32_t *seed)
{
    static const char *const months[] = {"2026-06", "2026-06", "2026-05", "2026-07", "2025-07",
                                         "2025-06", "2025-12", "x"};
    fixture_add(fixture, cell);
    size_t at = fixture->rows.num_rows * fixture->rows.num_columns - 1;
    if (shape->second == MONTHS)
        fixture->cells[at] = CELL_TEXT(PICK(months, next_random(seed)));
    if (shape->second == DENOMINATOR)
        fixture->cells[at] = next_random(seed) % 4 == 0 && cell.number > INT32_MIN &&
                                     cell.number < INT32_MAX
                                 ? CELL_INT(2 * cell.number)
                                 : cell_at(LB_FIELD_CENTS, next_random(seed), seed);
}

/* First each cell alone, then none, one or several rows; now and then every month of a year. */
static void make_rows(struct fixture *fixture, const struct shape *shape, uint32_t index,
                      uint32_t *seed)
{
    static const uint32_t counts[] = {0, 1, 1, 2, 3, 4};
    static char year[13][8];
    fixture_rows(fixture, shape->type, shape->many, shape->second != NO_SECOND);
    fixture->input.complete = shape->complete;
    if (shape->second == DENOMINATOR)
        fixture->input.month_column = SIZE_MAX;
    if (index < 130) {
        add_row(fixture, shape, cell_at(shape->type, index, seed), seed);
        return;
    }
    if (index % 4 == 0 && shape->second == MONTHS) {
        for (unsigned back = 0; back < 13; back++) {
            unsigned month = 2026 * 12 + 5 - back;
            (void)snprintf(year[back], sizeof(year[0]), "%u-%02u", month / 12 % 10000,
                           month % 12 + 1);
            fixture_add_month(fixture, year[back],
                              cell_at(shape->type, next_random(seed), seed));
        }
        return;
    }
    for (uint32_t num = PICK(counts, next_random(seed)); num > 0; num--)
        add_row(fixture, shape, cell_at(shape->type, next_random(seed), seed), seed);
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

static const char *claim_for(enum lb_field_type type)
{
    switch (type) {
    case LB_FIELD_NAME:
        return "阿不都·热合曼";
    case LB_FIELD_ID:
        return "110105491231002";
    case LB_FIELD_REGION:
        return "990101";
    case LB_FIELD_DATE:
        return "2010-07-15";
    case LB_FIELD_TEXT:
        return " ab";
    default:
        return "11";
    }
}

/* What a call makes of the same NUM_INPUTS row sets; texts are kept in the given arena. */
static void run_call(struct fixture *fixture, const char *text, const struct shape *shape,
                     struct lb_arena *kept, struct outputs *out)
{
    struct lb_span claim = lb_span_str(claim_for(shape->type));
    struct lb_op_call call;
    uint32_t seed = 42;
    assert_true(lb_op_parse(lb_span_str(text), kept, &call) == LB_OK);
    out->fits = true;
    for (uint32_t i = 0; i < NUM_INPUTS && out->fits; i++) {
        make_rows(fixture, shape, i, &seed);
        fixture->input.claim = &claim;
        fixture->input.num_claim = 1;
        lb_status status = lb_op_apply(&call, &fixture->input, kept, &out->facts[i]);
        out->fits = status == LB_OK;
    }
}

/* Equal outputs of b always come with equal outputs of a, and an unknown one with an unknown one
 * (or with nothing: OMIT). */
static bool is_function(const struct outputs *a, const struct outputs *b)
{
    for (size_t i = 0; i < NUM_INPUTS; i++) {
        bool unknown = b->facts[i].state == LB_FACT_OK && b->facts[i].kind == LB_FACT_UNKNOWN;
        if (unknown && a->facts[i].kind != LB_FACT_UNKNOWN)
            return false;
        for (size_t j = 0; j < i; j++)
            if (same_fact(&b->facts[i], &b->facts[j]) && !same_fact(&a->facts[i], &a->facts[j]))
                return false;
    }
    return true;
}

static bool stricter(struct fixture *fixture, const char *text_a, const char *text_b)
{
    struct lb_op_call a;
    struct lb_op_call b;
    assert_true(lb_op_parse(lb_span_str(text_a), fixture->arena, &a) == LB_OK);
    assert_true(lb_op_parse(lb_span_str(text_b), fixture->arena, &b) == LB_OK);
    return lb_op_at_least_as_strict(&a, &b, fixture->rules);
}

/* Exactly the table: nothing less, and nothing that nobody thought about. */
static void every_ordered_pair_is_as_the_table_says(void **state)
{
    struct fixture *fixture = *state;
    for (size_t a = 0; a < NUM_CALLS; a++) {
        for (size_t b = 0; b < NUM_CALLS; b++) {
            lb_arena_reset(fixture->arena);
            if (stricter(fixture, calls[a], calls[b]) != is_allowed(calls[a], calls[b]))
                fail_msg("%s from %s: the table says %s", calls[a], calls[b],
                         is_allowed(calls[a], calls[b]) ? "yes" : "no");
        }
    }
}

struct survey {
    size_t fitting;  /* pairs allowed, in a shape that both fit */
    bool ever_fits[NUM_CALLS];
    bool refuted[NUM_CALLS][NUM_CALLS];  /* seen to be no function */
    bool tried[NUM_CALLS][NUM_CALLS];
};

static void survey_shape(struct fixture *fixture, const struct shape *shape,
                         struct survey *survey)
{
    struct outputs *outputs = calloc(NUM_CALLS, sizeof(*outputs));
    struct lb_arena *kept = lb_arena_new(16 * LB_CALL_ARENA_BYTES);
    assert_non_null(outputs);
    assert_non_null(kept);
    for (size_t i = 0; i < NUM_CALLS; i++) {
        run_call(fixture, calls[i], shape, kept, &outputs[i]);
        survey->ever_fits[i] |= outputs[i].fits;
    }
    for (size_t a = 0; a < NUM_CALLS; a++) {
        for (size_t b = 0; b < NUM_CALLS; b++) {
            if (!outputs[a].fits || !outputs[b].fits)
                continue;
            survey->tried[a][b] = true;
            survey->fitting += is_allowed(calls[a], calls[b]) ? 1 : 0;
            if (!survey->refuted[a][b] && !is_function(&outputs[a], &outputs[b]))
                survey->refuted[a][b] = true;
        }
    }
    lb_arena_free(kept);
    free(outputs);
}

/* What looks like a function and is refused all the same. Whatever differs in every token or
 * pseudonym looks like one; who has a value could not make them; the total of one row, or of one
 * month, is of no use in place of the value or the average; today is another day tomorrow; and a
 * share is masked before it leaves, which is not seen here. */
static const struct {
    const char *a;
    const char *b;
} refused_functions[] = {
    {"*", "PSEUDO TOKEN*"},
    {"PSEUDO TOKEN*", "PASS LIST"},
    {"SHARE*", "*"},
    {"*", "SHARE*"},
    {"SUM(0)", "PASS"},
    {"SUM(1)", "AVG_M(1)"},
    {"AGE*", "AGE_AT(2026-07-15)"},
    {"AGE_AT(2026-07-15)", "AGE_AT(today)"},
    {"ROUND(500,half_even)", "ROUND(100,half_even)"},
};

static bool is_refused_function(const char *a, const char *b)
{
    for (size_t i = 0; i < sizeof(refused_functions) / sizeof(refused_functions[0]); i++)
        if (lists(refused_functions[i].a, a) && lists(refused_functions[i].b, b))
            return true;
    return false;
}

static void what_is_allowed_is_a_function_and_what_is_not_is_none(void **state)
{
    struct fixture *fixture = *state;
    struct survey *survey = calloc(1, sizeof(*survey));
    assert_non_null(survey);
    for (unsigned bits = 0; bits < 12; bits++)
        for (unsigned type = LB_FIELD_TEXT; type <= LB_FIELD_ROW; type++) {
            const struct shape shape = {
                .type = (enum lb_field_type)type,
                .many = (bits & 1) != 0,
                .complete = (bits & 2) != 0,
                .second = bits / 4 == 0 ? NO_SECOND : bits / 4 == 1 ? MONTHS : DENOMINATOR,
            };
            survey_shape(fixture, &shape, survey);
        }
    for (size_t a = 0; a < NUM_CALLS; a++) {
        assert_true(survey->ever_fits[a]);
        for (size_t b = 0; b < NUM_CALLS; b++) {
            bool yes = is_allowed(calls[a], calls[b]);
            if (yes && survey->refuted[a][b])
                fail_msg("%s is not a function of %s", calls[a], calls[b]);
            if (!yes && survey->tried[a][b] && !survey->refuted[a][b] &&
                !is_refused_function(calls[a], calls[b]))
                fail_msg("%s looks like a function of %s", calls[a], calls[b]);
        }
    }
    /* So that the test can't pass for want of pairs. */
    assert_true(survey->fitting > 2000);
    free(survey);
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
        WITH_FIXTURE(every_ordered_pair_is_as_the_table_says),
        WITH_FIXTURE(what_is_allowed_is_a_function_and_what_is_not_is_none),
        WITH_FIXTURE(broken_calls_are_incomparable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
