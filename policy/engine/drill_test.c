#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/engine/drill.h"

/* Plans: what is read, what is refused, and when a fault is on. */

static const char *write_plan(const char *text)
{
    static char path[256];
    const char *folder = getenv("TEST_TMPDIR");
    (void)snprintf(path, sizeof(path), "%s/plan.yaml", folder == NULL ? "/tmp" : folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
    return path;
}

static enum lb_code load(const char *text, bool running, struct lb_drill *out)
{
    struct lb_diag diag = {""};
    lb_status status = lb_drill_load(write_plan(text), running, &diag, out);
    if (status != LB_OK)
        assert_true(diag.text[0] != 0);
    return lb_status_code(status);
}

#define STEP "steps: [{fault: source-away, after_s: 10, for_s: 20}]\n"

static void test_times(void **state)
{
    (void)state;
    struct lb_drill drill;
    assert_int_equal(load("drill: a\nby: li\nstart: 1000\nsteps:\n"
                          "  - {fault: source-away, after_s: 10, for_s: 20}\n"
                          "  - {fault: disk-full, after_s: 0, for_s: 5}\n",
                          true, &drill),
                     LB_CODE_OK);
    assert_int_equal(lb_drill_end_s(&drill), 1030);
    static const struct {
        int64_t at;
        bool away, full;
    } cases[] = {{999, false, false},  {1000, false, true},  {1004, false, true},
                 {1005, false, false}, {1009, false, false}, {1010, true, false},
                 {1029, true, false},  {1030, false, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(lb_drill_active(&drill, LB_DRILL_SOURCE_AWAY, cases[i].at) != NULL,
                         cases[i].away);
        assert_int_equal(lb_drill_active(&drill, LB_DRILL_DISK_FULL, cases[i].at) != NULL,
                         cases[i].full);
        assert_null(lb_drill_active(&drill, LB_DRILL_WITNESS_AWAY, cases[i].at));
    }
}

static void test_written_and_read_again(void **state)
{
    (void)state;
    struct lb_drill drill, again;
    const char *text = NULL;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(arena);
    assert_int_equal(load("drill: morning\n" STEP, false, &drill), LB_CODE_OK);
    (void)snprintf(drill.by, sizeof(drill.by), "%s", "李 \"x\" \\ y");
    drill.start_unix_s = 1790000000;
    assert_null(lb_drill_text(&drill, arena, &text));
    assert_int_equal(load(text, true, &again), LB_CODE_OK);
    assert_string_equal(again.name, "morning");
    assert_string_equal(again.by, drill.by);
    assert_int_equal(again.start_unix_s, drill.start_unix_s);
    assert_int_equal(again.num_steps, 1);
    assert_int_equal(again.steps[0].after_s, 10);
    assert_int_equal(again.steps[0].for_s, 20);
    lb_arena_free(arena);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "", "drill: a\n", "drill: a\nsteps: []\n", "drill: a\nsteps: x\n", "drill: A b\n" STEP,
        "drill: ../a\n" STEP, "drill: a\nby: li\n" STEP, "drill: a\nstart: 5\n" STEP,
        "drill: a\nmore: 1\n" STEP,
        "drill: a\nsteps: [{fault: everything, after_s: 0, for_s: 1}]\n",
        "drill: a\nsteps: [{fault: source-away, after_s: 0}]\n",
        "drill: a\nsteps: [{fault: source-away, after_s: 0, for_s: 0}]\n",
        "drill: a\nsteps: [{fault: source-away, after_s: -1, for_s: 1}]\n",
        "drill: a\nsteps: [{fault: source-away, after_s: 1, for_s: 86400}]\n",
        "drill: a\nsteps: [{fault: source-away, after_s: 0, for_s: 1, more: 1}]\n",
        "drill: a\nsteps: [{fault: disk-full, after_s: 0, for_s: 1},"
        " {fault: disk-full, after_s: 5, for_s: 1}]\n",
    };
    (void)state;
    struct lb_drill drill;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(load(texts[i], false, &drill), LB_CONFIG_INVALID);
    assert_int_equal(load("drill: a\n" STEP, true, &drill), LB_CONFIG_INVALID);
    assert_int_equal(load("drill: a\nby: li\nstart: 99999999999999\n" STEP, true, &drill),
                     LB_CONFIG_INVALID);
}

static void test_every_fault_says_all(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LB_DRILL_NUM_FAULTS; i++) {
        const struct lb_drill_kind *kind = lb_drill_kind((enum lb_drill_fault)i);
        assert_non_null(kind->name);
        assert_true(strlen(kind->entry) < LB_MAX_CODE_BYTES);
        assert_int_not_equal(kind->expected, LB_CODE_OK);
        assert_true(kind->zh[0] != 0 && kind->en[0] != 0);
        assert_true(kind->call_zh[0] != 0 && kind->call_en[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_written_and_read_again),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_fault_says_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
