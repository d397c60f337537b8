#include "gateway/ctl/fixture.h"

#include "gateway/ctl/args.h"
#include "gateway/ctl/menu.h"

/* What the last run was given. */
struct given {
    const char *name;
    bool flag;
    struct lb_ctl_list list;
    int64_t number;
    struct lb_ctl_list operands;
};

static struct given given;

static int command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban try --name x FILE", NULL};
    const struct lb_ctl_option options[] = {
        {.name = "name", .value = "NAME", .required = true, .text = &given.name, .en = "a name",
         .zh = "名称"},
        {.name = "flag", .flag = &given.flag, .en = "a flag", .zh = "开关"},
        {.name = "item", .value = "ITEM", .list = &given.list, .en = "an item", .zh = "条目"},
        {.name = "number", .value = "N", .number = &given.number, .min = 1, .max = 9,
         .en = "a number", .zh = "数"},
    };
    const struct lb_ctl_usage usage = {
        .command = "try", .en = "tries", .zh = "试", .operand = "FILE", .min_operands = 1,
        .max_operands = 2, .options = options, .num_options = 4, .examples = examples,
    };
    given = (struct given){.number = 5};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &given.operands);
    return exit_code == LB_CTL_GO ? 100 : exit_code;
}

static void reads_what_is_given(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, command, "try", "--name", "a", "file"), 100);
    assert_string_equal(given.name, "a");
    assert_false(given.flag);
    assert_int_equal(given.number, 5);
    assert_false(cli->env.json);
    assert_int_equal(given.operands.num, 1);
    assert_int_equal(RUN(cli, command, "try", "one", "--item=x", "--flag", "--item", "y", "--json",
                         "--name=b", "--number", "9", "--language", "zh", "--", "-two"),
                     100);
    assert_true(given.flag && cli->env.json && cli->env.chinese);
    assert_int_equal(given.number, 9);
    assert_int_equal(given.list.num, 2);
    assert_string_equal(given.list.items[1], "y");
    assert_int_equal(given.operands.num, 2);
    assert_string_equal(given.operands.items[1], "-two");
    assert_int_equal(cli->out_len + cli->err_len, 0);
}

static void refuses_the_rest(void **state)
{
    struct test_cli *cli = *state;
    static const struct {
        const char *words[8];
        const char *sentence;
    } wrong[] = {
        {{"try", "file"}, "--name NAME is missing"},
        {{"try", "--name", "a"}, "FILE is missing"},
        {{"try", "--name", "a", "1", "2", "3"}, "at most 2 of FILE"},
        {{"try", "--name", "a", "--name", "b", "f"}, "--name is given twice"},
        {{"try", "--name", "a", "--flag", "--flag", "f"}, "--flag is given twice"},
        {{"try", "f", "--name"}, "--name needs a value"},
        {{"try", "--name", "a", "f", "--number", "0"}, "from 1 to 9"},
        {{"try", "--name", "a", "f", "--number", "x"}, "from 1 to 9"},
        {{"try", "--name", "a", "f", "--language", "fr"}, "zh or en"},
        {{"try", "--name", "a", "f", "--nothing"}, "--nothing is no option"},
        {{"try", "--name", "a", "f", "-v"}, "two dashes"},
        {{"try", "--name", "a", "f", "--flag=1"}, "--flag is no option"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(test_run(cli, command, wrong[i].words), LB_CTL_USAGE);
        if (strstr(cli->err, wrong[i].sentence) == NULL)
            print_error("%s\n", cli->err);
        assert_non_null(strstr(cli->err, wrong[i].sentence));
        assert_int_equal(cli->out_len, 0);
    }
}

/* People put numbers where they don't belong; the complaint must not spread them. */
static void never_repeats_a_value(void **state)
{
    struct test_cli *cli = *state;
    static const char *const words[][6] = {
        {"try", "--id-no=" TEST_ID_A},
        {"try", "--" TEST_ID_A},
        {"try", "-" TEST_ID_A},
        {"try", "--number", TEST_ID_A},
        {"try", "--name", "x", TEST_ID_A, TEST_ID_A, TEST_ID_A},
        {"try", "--flag=" TEST_ID_A},
        {"try", "--language", TEST_ID_A},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *line[7] = {NULL};
        memcpy(line, words[i], sizeof(words[i]));
        assert_int_equal(test_run(cli, command, line), LB_CTL_USAGE);
        assert_null(strstr(cli->err, "9900"));
        assert_null(strstr(cli->err, "0013"));
    }
}

static void bounds_lists(void **state)
{
    struct test_cli *cli = *state;
    const char *words[LB_CTL_MAX_ITEMS + 8] = {"try", "--name", "a", "f"};
    char *argv[LB_CTL_MAX_ITEMS + 8];
    for (size_t i = 0; i <= LB_CTL_MAX_ITEMS; i++)
        words[4 + i] = "--item=x";
    for (size_t i = 0; i < LB_CTL_MAX_ITEMS + 5; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    argv[LB_CTL_MAX_ITEMS + 5] = NULL;
    cli->env.err = tmpfile();
    assert_int_equal(command(&cli->env, LB_CTL_MAX_ITEMS + 5, argv), LB_CTL_USAGE);
    (void)fclose(cli->env.err);
}

static void helps_in_both_languages(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, command, "try", "--help"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "--number N"));
    assert_non_null(strstr(cli->out, "examples:"));
    assert_int_equal(RUN(cli, command, "try", "--language", "zh", "--help"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "示例"));
    assert_non_null(strstr(cli->out, "开关"));
}

/* --- words and the menu --- */

static int plain(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], "x") == 0 ? 42 : 41;
}

static int menu(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_item items[] = {
        {LB_CTL_OFFICER, "try", "", "tries", "试", command, NULL},
        {LB_CTL_OPERATOR, "plain", "a|b", "plain", "平", NULL, plain},
    };
    return lb_ctl_menu(env, items, 2, "1.2.3", argc, argv);
}

static int words(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word list[] = {{"try", "tries", "试", command}};
    return lb_ctl_words(env, "group", list, 1, argc, argv);
}

static void finds_commands(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, menu, "lianban"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "security officers"));
    assert_int_equal(RUN(cli, menu, "lianban", "help"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "plain      a|b"));
    assert_int_equal(RUN(cli, menu, "lianban", "plain", "x"), 42);
    assert_int_equal(RUN(cli, menu, "lianban", "try", "--name", "a", "f"), 100);
    assert_int_equal(RUN(cli, menu, "lianban", TEST_ID_A), LB_CTL_USAGE);
    assert_null(strstr(cli->err, "9900"));
    assert_int_equal(RUN(cli, menu, "lianban", "version"), LB_CTL_OK);
    assert_string_equal(cli->out, "lianban 1.2.3\nprotocol lianban.v1, links 1 to 1\n");
    assert_int_equal(RUN(cli, menu, "lianban", "version", "--json"), LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    struct lb_span version = LB_SPAN_EMPTY;
    assert_ok(lb_json_get_str(json, "version", &version));
    assert_true(lb_span_is(version, "1.2.3"));
    lb_json_free(json);
}

static void finds_words(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, words, "group"), LB_CTL_USAGE);
    assert_int_equal(RUN(cli, words, "group", "other"), LB_CTL_USAGE);
    assert_int_equal(RUN(cli, words, "group", "--help"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "lianban group try"));
    assert_int_equal(RUN(cli, words, "group", "try", "--name", "a", "f"), 100);
}

/* A report that did not reach the disk is no report. */
static void notices_a_full_disk(void **state)
{
    struct test_cli *cli = *state;
    char *argv[] = {(char *)(uintptr_t)"lianban", (char *)(uintptr_t)"version", NULL};
    cli->env.out = fopen("/dev/full", "w");
    cli->env.err = tmpfile();
    assert_non_null(cli->env.out);
    assert_int_equal(menu(&cli->env, 2, argv), LB_CTL_FAILED);
    (void)fclose(cli->env.out);
    (void)fclose(cli->env.err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_is_given, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_the_rest, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(never_repeats_a_value, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(bounds_lists, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(helps_in_both_languages, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(finds_commands, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(finds_words, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(notices_a_full_disk, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
