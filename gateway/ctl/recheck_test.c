#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/ctl/command.h"
#include "gateway/ctl/fixture.h"

#define TWO "R1\t" TEST_ID_A "\t张三\nR2\t" TEST_ID_B "\t李四\n"

/* A recheck of a list, into a result file that is not there yet. */
static int recheck(struct test_cli *cli, const char *list, const char *more, const char *value)
{
    char path[300], out[300];
    (void)snprintf(path, sizeof(path), "%s", test_file(cli, "list", list));
    (void)snprintf(out, sizeof(out), "%s/out", cli->folder);
    (void)unlink(out);
    return RUN(cli, lb_ctl_recheck_command, "recheck", "run", "--form", "recheck", "--list", path,
               "--out", out, "--per-minute", "6000", more, value);
}

static void expect_result(const struct test_cli *cli, const char *want)
{
    char path[300], text[4096];
    (void)snprintf(path, sizeof(path), "%s/out", cli->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = 0;
    (void)fclose(file);
    assert_string_equal(text, want);
}

static void who_needs_a_person_is_listed_and_kept(void **state)
{
    struct test_cli *cli = *state;
    struct stat info;
    char path[300];
    cli->by_mandate = true;
    assert_int_equal(recheck(cli, TWO, NULL, NULL), LB_CTL_OK);
    expect_result(cli, "R1\tc-1\tMANUAL\t\tbelow_standard\nR2\tc-1\tMANUAL\t\tbelow_standard\n");
    assert_int_equal(cli->num_closed, 0);
    (void)snprintf(path, sizeof(path), "%s/out", cli->folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_non_null(strstr(cli->out, "for a person to look at: 2"));
    assert_null(strstr(cli->out, "9900"));
    assert_null(strstr(cli->err, "9900"));
}

static void who_is_unchanged_is_closed_and_not_listed(void **state)
{
    struct test_cli *cli = *state;
    cli->by_mandate = true;
    cli->class_id = "UNCHANGED";
    assert_int_equal(recheck(cli, TWO, NULL, NULL), LB_CTL_OK);
    expect_result(cli, "");
    assert_int_equal(cli->num_closed, 2);
}

static void a_form_that_asks_for_consent_is_none(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(recheck(cli, TWO, NULL, NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "BASIS_NOT_ALLOWED"));
    assert_int_equal(cli->num_closed, 1);
    assert_int_equal(cli->num_collects, 0);
}

static void a_budget_that_is_used_up_ends_it_for_now(void **state)
{
    struct test_cli *cli = *state;
    cli->by_mandate = true;
    cli->missing_code = "BUDGET_EXHAUSTED";
    assert_int_equal(recheck(cli, TWO, NULL, NULL), LB_CTL_FAILED);
    expect_result(cli, "");
    assert_int_equal(cli->num_collects, 1);
    assert_int_equal(cli->num_closed, 1); /* it is asked about anew */
    assert_non_null(strstr(cli->out, "--from: 1"));
    cli->missing_code = NULL;
    assert_int_equal(recheck(cli, TWO, "--from", "2"), LB_CTL_OK);
    expect_result(cli, "R2\tc-1\tMANUAL\t\tbelow_standard\n");
}

static void an_agent_that_fails_leaves_nobody_half_checked(void **state)
{
    struct test_cli *cli = *state;
    cli->by_mandate = true;
    cli->collect_code = LB_DEADLINE;
    assert_int_equal(recheck(cli, TWO, NULL, NULL), LB_CTL_FAILED);
    expect_result(cli, "");
    assert_int_equal(cli->num_closed, 1);
    assert_non_null(strstr(cli->err, "DEADLINE"));
    assert_non_null(strstr(cli->out, "--from: 1"));
}

static void a_receipt_that_does_not_verify_ends_it(void **state)
{
    struct test_cli *cli = *state;
    cli->by_mandate = true;
    cli->class_id = "UNCHANGED";
    cli->receipts_failed = 1;
    assert_int_equal(recheck(cli, TWO, NULL, NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "RECEIPT_INVALID"));
    assert_int_equal(cli->num_closed, 0);
}

static void wrong_lines_are_named_by_their_number(void **state)
{
    struct test_cli *cli = *state;
    static const char *const wrong[] = {
        "R1\t990000196001010014\t张三\n", "R1\t" TEST_ID_A "\n", "R1\n", "\n",
        "\t" TEST_ID_A "\t张三\n", "R1\t" TEST_ID_A "\t\n", "R1\t" TEST_ID_A "\t张三\r\n",
        "R1\t\t张三\n",
    };
    cli->by_mandate = true;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(recheck(cli, wrong[i], NULL, NULL), LB_CTL_FAILED);
        assert_non_null(strstr(cli->err, "list:1: "));
        assert_null(strstr(cli->err, "9900"));
        assert_int_equal(cli->num_collects, 0);
    }
}

static void an_older_result_stays(void **state)
{
    struct test_cli *cli = *state;
    char list[300], out[300];
    cli->by_mandate = true;
    (void)snprintf(list, sizeof(list), "%s", test_file(cli, "list", TWO));
    (void)snprintf(out, sizeof(out), "%s", test_file(cli, "out", "old"));
    assert_int_equal(RUN(cli, lb_ctl_recheck_command, "recheck", "run", "--form", "recheck",
                         "--list", list, "--out", out),
                     LB_CTL_FAILED);
    expect_result(cli, "old");
    assert_int_equal(cli->num_collects, 0);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_needs_a_person_is_listed_and_kept),
        TEST(who_is_unchanged_is_closed_and_not_listed),
        TEST(a_form_that_asks_for_consent_is_none),
        TEST(a_budget_that_is_used_up_ends_it_for_now),
        TEST(an_agent_that_fails_leaves_nobody_half_checked),
        TEST(a_receipt_that_does_not_verify_ends_it),
        TEST(wrong_lines_are_named_by_their_number),
        TEST(an_older_result_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
