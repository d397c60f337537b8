#include "gateway/ctl/fixture.h"

#include "gateway/ctl/command.h"

#define HOUSEHOLD                                                                                  \
    "members:\n"                                                                                   \
    "  - {role: applicant, id_no: \"" TEST_ID_A "\", name: 张三}\n"                                \
    "  - {role: member, id_no: \"" TEST_ID_B "\", name: 李四, relation: spouse}\n"

static int apply(struct test_cli *cli, const char *more, const char *value)
{
    return RUN(cli, lb_ctl_apply_command, "apply", "--form", "social-assistance", "--household",
               test_file(cli, "h.yaml", HOUSEHOLD), more, value);
}

static void fills_a_form(void **state)
{
    struct test_cli *cli = *state;
    cli->pending = 2;
    assert_int_equal(apply(cli, "--operator", "B-7"), LB_CTL_OK);
    assert_int_equal(cli->num_collects, 3);
    assert_int_equal(cli->num_members, 2);
    assert_string_equal(cli->id_no[1], TEST_ID_B);
    assert_string_equal(cli->roles[0], "applicant");
    assert_string_equal(cli->badge, "B-7");
    assert_string_equal(cli->unit, "window");
    assert_string_equal(cli->language, "en");
    static const char *const said[] = {
        "You are asked.", "request-1", "123456", "1 applicant 张*", "2 member 李*", "SUM(12)",
        "MANUAL", "below_standard", "UNKNOWN", "Law 1", "documents not asked for: 7",
        "facts: 2 of 3", "SOURCE_TIMEOUT",
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (strstr(cli->out, said[i]) == NULL)
            print_error("missing %s in:\n%s\n", said[i], cli->out);
        assert_non_null(strstr(cli->out, said[i]));
    }
    assert_null(strstr(cli->out, "unavailable")); /* replaced by the later outcome */
}

static void never_prints_an_identity(void **state)
{
    struct test_cli *cli = *state;
    static const char *const flags[] = {"--json", NULL};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(apply(cli, flags[i], NULL), LB_CTL_OK);
        static const char *const secret[] = {"9900", "张三", "李四", "三", "四"};
        for (size_t j = 0; j < sizeof(secret) / sizeof(secret[0]); j++) {
            assert_null(strstr(cli->out, secret[j]));
            assert_null(strstr(cli->err, secret[j]));
        }
    }
}

static void speaks_chinese(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(apply(cli, "--language", "zh"), LB_CTL_OK);
    assert_string_equal(cli->language, "zh");
    assert_non_null(strstr(cli->out, "税务"));
    assert_non_null(strstr(cli->out, "人工判定"));
    assert_non_null(strstr(cli->out, "收入低于标准"));
}

static void prints_one_json_document(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(apply(cli, "--json", NULL), LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    const struct lb_json *facts = NULL, *tickets = NULL;
    struct lb_span class_id = LB_SPAN_EMPTY, fact_state = LB_SPAN_EMPTY;
    int64_t saved = 0;
    assert_ok(lb_json_get_str(json, "class_id", &class_id));
    assert_true(lb_span_is(class_id, "MANUAL"));
    assert_ok(lb_json_get_int(json, "documents_saved", &saved));
    assert_int_equal(saved, 7);
    assert_ok(lb_json_get_array(json, "tickets", &tickets));
    assert_int_equal(lb_json_len(tickets), 2);
    assert_ok(lb_json_get_array(json, "facts", &facts));
    assert_int_equal(lb_json_len(facts), 2);
    assert_ok(lb_json_get_str(lb_json_at(facts, 0), "state", &fact_state));
    assert_true(lb_span_is(fact_state, "ok"));
    lb_json_free(json);
}

static void does_not_wait_when_told(void **state)
{
    struct test_cli *cli = *state;
    char tickets[400];
    (void)snprintf(tickets, sizeof(tickets), "%s/tickets.json", cli->folder);
    assert_int_equal(RUN(cli, lb_ctl_apply_command, "apply", "--form", "f", "--household",
                         test_file(cli, "h.yaml", HOUSEHOLD), "--wait", "0", "--tickets", tickets),
                     LB_CTL_OK);
    assert_int_equal(cli->num_collects, 0);
    assert_non_null(strstr(cli->err, "lianban case resume --case c-1"));
    FILE *file = fopen(tickets, "r");
    char text[1024] = "";
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    assert_non_null(strstr(text, "\"request_id\": \"request-1\""));
}

static void gives_up_waiting(void **state)
{
    struct test_cli *cli = *state;
    cli->pending = 1000;
    assert_int_equal(apply(cli, "--wait", "1"), LB_CTL_FAILED);
    assert_true(cli->num_collects >= 2 && cli->num_collects <= 4);
    assert_non_null(strstr(cli->err, "GRANT_PENDING"));
    assert_non_null(strstr(cli->err, "lianban case resume --case c-1"));
}

static void tells_a_refusal_in_both_languages(void **state)
{
    struct test_cli *cli = *state;
    cli->collect_code = LB_GRANT_REFUSED;
    assert_int_equal(apply(cli, "--json", NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "GRANT_REFUSED: The citizen refused. 本人已拒绝。"));
    struct lb_json *json = test_json(cli);
    const struct lb_json *error = NULL;
    assert_ok(lb_json_get_object(json, "error", &error));
    lb_json_free(json);
    cli->open_code = LB_MALFORMED;
    assert_int_equal(apply(cli, NULL, NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "did not take the household"));
}

static void fails_on_a_bad_receipt(void **state)
{
    struct test_cli *cli = *state;
    cli->receipts_failed = 1;
    assert_int_equal(apply(cli, NULL, NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "did not verify"));
    assert_non_null(strstr(cli->out, "MANUAL"));
}

static void refuses_bad_events(void **state)
{
    struct test_cli *cli = *state;
    cli->bad_event = true;
    assert_int_equal(apply(cli, NULL, NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "MALFORMED"));
    cli->bad_event = false;
    cli->no_result = true;
    assert_int_equal(apply(cli, NULL, NULL), LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "INTERNAL"));
}

static void checks_the_command_line(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(apply(cli, "--agent", "127.0.0.1:1"), LB_CTL_USAGE);
    assert_int_equal(apply(cli, "--agent", "unix:"), LB_CTL_USAGE);
    assert_int_equal(apply(cli, "--wait", "-1"), LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_apply_command, "apply", "--form", "f"), LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_apply_command, "apply", "--help"), LB_CTL_OK);
    assert_int_equal(apply(cli, "--labels", "/nonexistent"), LB_CTL_FAILED);
    assert_int_equal(cli->num_members, 0);
}

/* --- case --- */

static void shows_and_resumes(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "show", "--case", "c-9"), LB_CTL_OK);
    assert_string_equal(cli->case_id, "c-9");
    assert_non_null(strstr(cli->out, "MANUAL"));
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "resume", "--case", "c-8", "--json"),
                     LB_CTL_OK);
    assert_string_equal(cli->case_id, "c-8");
    cli->collect_code = LB_CASE_UNKNOWN;
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "show", "--case", "c-9"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "没有这个办件"));
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "show", "--case", "c", "--wait", "1"),
                     LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "show"), LB_CTL_USAGE);
    cli->collect_code = LB_UNAVAILABLE;
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "show", "--case", "c", "--agent",
                         "unix:/run/other.sock"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "unix:/run/other.sock"));
}

static void watches_line_by_line(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "watch", "--case", "c-9", "--json"),
                     LB_CTL_OK);
    size_t lines = 0;
    for (const char *at = cli->out; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 4);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "watch", "--case", "c-9"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "unavailable"));
    cli->bad_event = true;
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "watch", "--case", "c-9"),
                     LB_CTL_FAILED);
}

static void closes(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "close", "--case", "c-9"), LB_CTL_OK);
    assert_int_equal(cli->num_closed, 1);
    assert_non_null(strstr(cli->out, "erased"));
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "close", "--case", "c-9", "--json"),
                     LB_CTL_OK);
    lb_json_free(test_json(cli));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fills_a_form, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(never_prints_an_identity, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(speaks_chinese, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(prints_one_json_document, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(does_not_wait_when_told, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(gives_up_waiting, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(tells_a_refusal_in_both_languages, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(fails_on_a_bad_receipt, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_events, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(checks_the_command_line, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(shows_and_resumes, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(watches_line_by_line, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(closes, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
