#include <string.h>

#include "gateway/ctl/command.h"
#include "gateway/ctl/fixture.h"

/* Looks at the watches of a trigger, as the command counts them. */

#define EVENT(...) RUN(cli, lb_ctl_event_command, "event", __VA_ARGS__)

/* The agent has so many watches of a trigger, or cases of a form that is none. */
static void agent_has(struct test_cli *cli, size_t num, uint32_t every_days, int64_t next_unix_s)
{
    Lianban__V1__ListCasesResponse page = LIANBAN__V1__LIST_CASES_RESPONSE__INIT;
    Lianban__V1__CaseSummary one = LIANBAN__V1__CASE_SUMMARY__INIT;
    Lianban__V1__CaseSummary *cases[] = {&one, &one, &one};
    one.case_id = (char *)(uintptr_t)"c-1";
    one.form = (char *)(uintptr_t)"medical-burden";
    one.state = (char *)(uintptr_t)"OPEN";
    one.every_days = every_days;
    one.next_look_unix_s = next_unix_s;
    page.cases = cases;
    page.n_cases = num;
    test_agent_says(cli, &page);
}

static int64_t number(struct test_cli *cli, const char *key)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = test_json(cli);
    int64_t value = -1;
    assert_ok(lb_json_get_int(json, key, &value));
    return value;
}

#define RUN_JSON() EVENT("run", "medical-burden", "--per-minute", "6000", "--json")

static void candidates_are_counted_and_nobody_is_named(void **state)
{
    struct test_cli *cli = *state;
    agent_has(cli, 3, 30, 0);
    cli->class_id = "CANDIDATE";
    assert_int_equal(EVENT("run", "medical-burden", "--per-minute", "6000"), LB_CTL_OK);
    assert_null(strstr(cli->out, "c-1"));
    assert_null(strstr(cli->err, "c-1"));
    assert_int_equal(RUN_JSON(), LB_CTL_OK);
    assert_int_equal(number(cli, "signalled"), 3);
    cli->class_id = "NONE";
    assert_int_equal(RUN_JSON(), LB_CTL_OK);
    assert_int_equal(number(cli, "none"), 3);
    assert_int_equal(number(cli, "signalled"), 0);
    assert_int_equal(cli->num_closed, 0);
}

/* Not known is never a candidate; what a department may still answer is looked at again. */
static void what_is_not_known_is_told_apart(void **state)
{
    struct test_cli *cli = *state;
    agent_has(cli, 2, 30, 0);
    cli->class_id = "MANUAL";
    cli->missing_code = "BUDGET_EXHAUSTED";
    assert_int_equal(RUN_JSON(), LB_CTL_FAILED);
    assert_int_equal(number(cli, "looked"), 1); /* the others would not be answered either */
    assert_int_equal(number(cli, "again"), 1);
    assert_int_equal(number(cli, "signalled"), 0);
}

static void who_cannot_be_looked_at_keeps_nobody_back(void **state)
{
    struct test_cli *cli = *state;
    agent_has(cli, 2, 30, 0);
    cli->collect_code = LB_GRANT_REVOKED;
    assert_int_equal(RUN_JSON(), LB_CTL_OK);
    assert_int_equal(number(cli, "no_grant"), 2);
    cli->collect_code = LB_EVENT_TOO_SOON;
    assert_int_equal(RUN_JSON(), LB_CTL_OK);
    assert_int_equal(number(cli, "not_due"), 2);
    cli->collect_code = LB_BADGE_SUSPENDED;
    assert_int_equal(RUN_JSON(), LB_CTL_FAILED);
    assert_int_equal(number(cli, "failed"), 2);
    cli->collect_code = LB_STORE_FAILED;
    assert_int_equal(RUN_JSON(), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "STORE_FAILED"));
}

static void who_is_not_due_is_not_asked_about(void **state)
{
    struct test_cli *cli = *state;
    agent_has(cli, 2, 30, INT64_MAX / 2000);
    assert_int_equal(RUN_JSON(), LB_CTL_OK);
    assert_int_equal(number(cli, "not_due"), 2);
    assert_int_equal(cli->num_collects, 0);
}

static void only_triggers_are_run(void **state)
{
    struct test_cli *cli = *state;
    agent_has(cli, 1, 0, 0);
    assert_int_equal(RUN_JSON(), LB_CTL_FAILED);
    assert_int_equal(cli->num_collects, 0);
    assert_int_equal(EVENT("run"), LB_CTL_USAGE);
    assert_int_equal(EVENT("list"), LB_CTL_OK); /* other cases are none of its business */
    assert_null(strstr(cli->out, "medical-burden"));
    agent_has(cli, 2, 30, 0);
    assert_int_equal(EVENT("list"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "medical-burden"));
    assert_int_equal(EVENT("list", "--json"), LB_CTL_OK);
    assert_int_equal(number(cli, "watches"), 2);
    assert_int_equal(EVENT("run", "--help"), LB_CTL_OK);
    assert_int_equal(EVENT("list", "--help"), LB_CTL_OK);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(candidates_are_counted_and_nobody_is_named),
        TEST(what_is_not_known_is_told_apart),
        TEST(who_cannot_be_looked_at_keeps_nobody_back),
        TEST(who_is_not_due_is_not_asked_about),
        TEST(only_triggers_are_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
