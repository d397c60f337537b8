#include <string.h>

#include "gateway/ctl/fixture.h"
#include "gateway/ctl/sheet.h"

static const struct lb_ctl_column columns[] = {
    {"who", "who", "谁", LB_CTL_IN_TABLE, false},
    {"count", "count", "次数", LB_CTL_IN_TABLE, true},
    {"why", "why", "为何", LB_CTL_UNDER_ROW, false},
    {"more", "more", "更多", LB_CTL_NOT_SHOWN, false},
};

static const char *const hostile[] = {
    "=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "|x", "%x", "\t=1", "\r=1", "\n=1",
    "a\"b,c\nd", "x\x1b[31my", "\xb2\xe9 cut \xe5\xbc",
};
#define NUM_HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static int print(struct lb_ctl_env *env, int argc, char **argv)
{
    struct lb_arena *arena = lb_arena_new(1024U * 1024);
    struct lb_ctl_sheet sheet;
    bool csv = argc > 1 && strcmp(argv[1], "csv") == 0;
    env->json = argc > 1 && strcmp(argv[1], "json") == 0;
    lb_ctl_sheet_init(&sheet, env, arena, columns, 4);
    for (size_t i = 0; i < NUM_HOSTILE; i++) {
        const char *const cells[] = {hostile[i], "12", i == 0 ? "because" : NULL, "wide"};
        lb_ctl_sheet_row(&sheet, cells);
    }
    lb_ctl_sheet_fact(&sheet, "log", "日志", "log", "example");
    lb_ctl_sheet_number(&sheet, "size", "条数", "entries", 7);
    lb_status status = lb_ctl_sheet_print(&sheet, csv);
    lb_arena_free(arena);
    return status == LB_OK ? LB_CTL_OK : LB_CTL_FAILED;
}

static void test_a_table_shows_its_part(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, print, "print", "table"), 0);
    assert_non_null(strstr(cli->out, "who"));
    assert_non_null(strstr(cli->out, "why: because"));
    assert_null(strstr(cli->out, "wide"));
    assert_null(strstr(cli->out, "\x1b"));
    assert_non_null(strstr(cli->out, "entries: 7"));
}

static void test_json_has_all_of_it(void **state)
{
    struct test_cli *cli = *state;
    int64_t number = 0;
    const struct lb_json *rows = NULL;
    struct lb_span text;
    assert_int_equal(RUN(cli, print, "print", "json"), 0);
    struct lb_json *json = test_json(cli);
    assert_ok(lb_json_get_int(json, "size", &number));
    assert_int_equal(number, 7);
    assert_ok(lb_json_get_array(json, "rows", &rows));
    assert_int_equal(lb_json_len(rows), NUM_HOSTILE);
    assert_ok(lb_json_get_int(lb_json_at(rows, 0), "count", &number));
    assert_ok(lb_json_get_str(lb_json_at(rows, 0), "more", &text));
    assert_true(lb_span_is(text, "wide"));
    lb_json_free(json);
}

/* Every cell is quoted, and none begins as a formula does. */
static void test_csv_holds_no_formula(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, print, "print", "csv"), 0);
    assert_memory_equal(cli->out, "\xEF\xBB\xBF\"who\",\"count\",\"why\",\"more\"\r\n", 31);
    size_t lines = 0;
    for (const char *at = cli->out; (at = strstr(at, "\r\n")) != NULL; at += 2) {
        lines++;
        if (at[2] == 0)
            break;
        assert_int_equal(at[2], '"');
        assert_null(strchr("=+-@|%\t\r\n", at[3]));
    }
    assert_int_equal(lines, NUM_HOSTILE + 1);
    assert_non_null(strstr(cli->out, "\"'=cmd|'/C calc'!A0\""));
    assert_non_null(strstr(cli->out, "\"a\"\"b,c"));
    assert_null(strstr(cli->out, "example"));
    assert_non_null(strstr(cli->err, "log: example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_shows_its_part),
        cmocka_unit_test(test_json_has_all_of_it),
        cmocka_unit_test(test_csv_holds_no_formula),
    };
    return cmocka_run_group_tests(tests, test_set_up, test_tear_down);
}
