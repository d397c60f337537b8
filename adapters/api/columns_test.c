#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/api/columns.h"
#include "gateway/base/limits.h"

#define NUM 250

static const char *const given[] = {"zone", "born", "Born", "a", "month"};

static lb_status take(struct lb_arena *arena, const char *const *names, size_t num,
                      struct lb_source_taken *out)
{
    struct lb_source_columns columns;
    const struct lb_source_limits limits = {.columns = names, .num_columns = num};
    assert_true(lb_source_columns_make(given, 5, arena, &columns) == LB_OK);
    return lb_source_columns_take(&columns, &limits, arena, out);
}

static void what_is_asked_comes_once_and_in_order(void **state)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    const char own[] = "month";
    const char *const asked[] = {own, "zone", "month", "Born", "zone"};
    struct lb_source_taken taken;
    (void)state;
    assert_true(take(arena, asked, 5, &taken) == LB_OK);
    assert_int_equal(taken.num, 3);
    assert_int_equal(taken.at[0], 0);
    assert_int_equal(taken.at[1], 2);
    assert_int_equal(taken.at[2], 4);
    assert_string_equal(taken.names[0], "zone");
    assert_string_equal(taken.names[1], "Born");
    assert_ptr_equal(taken.names[2], own); /* the asker's, which outlives the query */
    lb_arena_free(arena);
}

static void nothing_asked_is_nothing_taken(void **state)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_source_taken taken;
    (void)state;
    assert_true(take(arena, given, 0, &taken) == LB_OK);
    assert_int_equal(taken.num, 0);
    assert_true(take(arena, NULL, 0, &taken) == LB_OK); /* nobody said what */
    assert_int_equal(taken.num, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(taken.at[i], i);
        assert_string_equal(taken.names[i], given[i]);
    }
    lb_arena_free(arena);
}

static void what_is_not_there_is_no_other(void **state)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    static const char *const strangers[] = {"", "b", "mont", "months", "ZONE", "zone "};
    struct lb_source_taken taken;
    (void)state;
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        const char *const asked[] = {"zone", strangers[i]};
        if (lb_status_code(take(arena, asked, 2, &taken)) != LB_SOURCE_UNAVAILABLE)
            fail_msg("%s", strangers[i]);
    }
    lb_arena_free(arena);
}

/* Each of many, by itself and all backwards. */
static void any_of_many_is_found(void **state)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    static char texts[NUM][8];
    const char *names[NUM], *backwards[NUM];
    struct lb_source_columns columns;
    struct lb_source_taken taken;
    (void)state;
    for (size_t i = 0; i < NUM; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "f%zu", i);
        names[i] = backwards[NUM - 1 - i] = texts[i];
    }
    assert_true(lb_source_columns_make(names, NUM, arena, &columns) == LB_OK);
    for (size_t i = 0; i < NUM; i++) {
        const struct lb_source_limits one = {.columns = &names[i], .num_columns = 1};
        assert_true(lb_source_columns_take(&columns, &one, arena, &taken) == LB_OK);
        assert_int_equal(taken.num, 1);
        assert_int_equal(taken.at[0], i);
    }
    const struct lb_source_limits all = {.columns = backwards, .num_columns = NUM};
    assert_true(lb_source_columns_take(&columns, &all, arena, &taken) == LB_OK);
    assert_int_equal(taken.num, NUM);
    for (size_t i = 0; i < NUM; i++)
        assert_int_equal(taken.at[i], i);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_comes_once_and_in_order),
        cmocka_unit_test(nothing_asked_is_nothing_taken),
        cmocka_unit_test(what_is_not_there_is_no_other),
        cmocka_unit_test(any_of_many_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
