#include "gateway/ctl/fixture.h"

#include "gateway/ctl/command.h"

#define CATALOGUE "policy/catalogue/catalogue.yaml"
#define POLICY(cli_, ...) RUN(cli_, lb_ctl_policy_command, "policy", __VA_ARGS__)
#define CALCULATE(cli_, ...)                                                                       \
    POLICY(cli_, "calculate", "--catalogue", CATALOGUE, "--day", "2026-11-22", __VA_ARGS__)

static void succeeds(struct test_cli *cli, int exit_code)
{
    if (exit_code != LB_CTL_OK)
        print_error("%s\n", cli->err);
    assert_int_equal(exit_code, LB_CTL_OK);
}

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("`%s` is not in: %s", part, text);
}

static void catalogues_are_listed(void **state)
{
    struct test_cli *cli = *state;
    succeeds(cli, POLICY(cli, "list", "--catalogue", CATALOGUE));
    says(cli->out, "advanced-age-allowance");
    succeeds(cli, POLICY(cli, "list", "--catalogue", CATALOGUE, "--json"));
    struct lb_json *json = test_json(cli);
    const struct lb_json *policies = NULL;
    assert_ok(lb_json_get_array(json, "policies", &policies));
    assert_int_equal(lb_json_len(policies), 34);
    lb_json_free(json);
    succeeds(cli, POLICY(cli, "questions", "--catalogue", CATALOGUE, "--language", "zh"));
    says(cli->out, "本人是否有北京市户籍？");
    succeeds(cli, POLICY(cli, "show", "--catalogue", CATALOGUE, "minimum-living-allowance"));
    says(cli->out, "std.dibao = 1450 yuan");
    says(cli->out, "together: local AND");
    assert_int_equal(POLICY(cli, "show", "--catalogue", CATALOGUE, "nothing"), LB_CTL_FAILED);
    assert_int_equal(POLICY(cli, "list"), LB_CTL_USAGE);
}

/* A catalogue with a question that nothing uses. */
static void what_the_check_finds_is_a_failure(void **state)
{
    struct test_cli *cli = *state;
    char path[400];
    (void)test_file(cli, "limits.yaml",
                    "rules: limits\nversion: 1\nin_force: 2026-01-01\n"
                    "title: {zh: 标准, en: Limits}\n");
    (void)test_file(cli, "questions.yaml",
                    "questions:\n"
                    "  - {question: local, type: bool, text: {zh: 本市, en: Local}}\n"
                    "  - {question: idle, type: bool, text: {zh: 闲, en: Idle}}\n");
    (void)test_file(cli, "aid.yaml",
                    "policy: aid\nversion: 1\ntitle: {zh: 救助, en: Aid}\nowner: civil-affairs\n"
                    "document: {title: 办法, in_force: 2026-01-01}\nbenefit: {zh: 钱, en: Money}\n"
                    "conditions:\n"
                    "  - {condition: here, test: local, text: {zh: 本, en: Here}, source: 一}\n"
                    "when: here\n");
    (void)snprintf(path, sizeof(path), "%s",
                   test_file(cli, "index.yaml",
                             "catalogue: town\nversion: 1\ntitle: {zh: 镇, en: Town}\n"
                             "thresholds: limits\nquestions: questions\npolicies: [aid]\n"));
    assert_int_equal(POLICY(cli, "check", "--catalogue", path), LB_CTL_FAILED);
    says(cli->out, "idle: no policy needs this question");
    assert_int_equal(POLICY(cli, "check", "--catalogue", path, "--json"), LB_CTL_FAILED);
    lb_json_free(test_json(cli));
    (void)test_file(cli, "questions.yaml",
                    "questions:\n"
                    "  - {question: local, type: bool, text: {zh: 本市, en: Local}}\n");
    succeeds(cli, POLICY(cli, "check", "--catalogue", path));
    says(cli->out, "findings 0");
}

static void facts_come_from_a_file_or_standard_input(void **state)
{
    struct test_cli *cli = *state;
    const char *path = test_file(cli, "facts.yaml", "birth_date: 1946-11-22\nbeijing_hukou: yes\n");
    succeeds(cli, CALCULATE(cli, "--facts", path, "--only", "advanced-age-allowance"));
    says(cli->out, "fits\n");
    says(cli->out, "advanced.age = 80 years");
    test_feed(cli, "{\"birth_date\": \"1946-11-23\", \"beijing_hukou\": true}");
    succeeds(cli, CALCULATE(cli, "--facts", "-", "--json"));
    struct lb_json *json = test_json(cli);
    const struct lb_json *policies = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    assert_ok(lb_json_get_array(json, "policies", &policies));
    assert_int_equal(lb_json_len(policies), 34);
    assert_ok(lb_json_get_str(lb_json_at(policies, 2), "status", &text));
    assert_true(lb_span_is(text, "unmatched"));
    const struct lb_json *changes = NULL;
    assert_ok(lb_json_get_array(lb_json_at(policies, 2), "changes", &changes));
    assert_true(lb_span_is(lb_json_str(lb_json_at(changes, 0)), "aged"));
    lb_json_free(json);
    assert_null(strstr(cli->out, "1946"));
    assert_int_equal(CALCULATE(cli, "--language", "zh"), LB_CTL_USAGE);
    assert_int_equal(CALCULATE(cli, "--facts", "-", "--ask"), LB_CTL_USAGE);
    test_feed(cli, "birth_date: 1946-11-23\n");
    assert_int_equal(CALCULATE(cli, "--facts", "-", "--only", "nothing"), LB_CTL_FAILED);
}

/* What is wrong with an entry is told with its line and its question, and never with the entry. */
static void wrong_facts_are_refused_and_not_repeated(void **state)
{
    static const struct {
        const char *facts, *told, *secret;
    } wrong[] = {
        {"birth_date: 1846-07-09\n", "input:1: birth_date takes a day", "1846"},
        {"members: 2\nmembers: 3\n", "members", "3"},
        {"members: 4711\n", "members takes a whole number from 1 to 20", "4711"},
        {"own_income: 987654.321\n", "own_income takes yuan", "987654"},
        {"张三: yes\n", "no question", "张三"},
        {"110101199001011234: yes\n", "no question", "1101011990"},
        {"- 4711\n", "question: answer", "4711"},
        {"birth_date: [1846-07-09]\n", "text", "1846"},
        {"birth_date:\n", "input:1", "1846"},
    };
    struct test_cli *cli = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        test_feed(cli, wrong[i].facts);
        assert_int_equal(CALCULATE(cli, "--facts", "-"), LB_CTL_FAILED);
        if (i != 1 && i != 7)
            says(cli->err, wrong[i].told);
        if (i != 1)
            assert_null(strstr(cli->err, wrong[i].secret));
    }
}

static void questions_are_asked_until_nothing_is_open(void **state)
{
    struct test_cli *cli = *state;
    test_feed(cli, "1950-02-01\n是\nrubbish\n2\n否\n否\n");
    succeeds(cli, CALCULATE(cli, "--ask", "--only", "elderly-hardship-service", "--language",
                            "zh"));
    says(cli->out, "符合\n");
    says(cli->err, "没有看懂");
    assert_null(strstr(cli->err, "rubbish"));
    assert_null(strstr(cli->err, "计划生育")); /* can't change the answer any more */
    /* the first No ends it */
    test_feed(cli, "1950-02-01\nn\n1\n");
    succeeds(cli, CALCULATE(cli, "--ask", "--only", "elderly-hardship-service"));
    says(cli->out, "does not fit");
    assert_null(strstr(cli->err, "civil affairs"));
    /* what one does not know stays open and is not asked again; nor does the input's end fail */
    test_feed(cli, "\n\n\n\n\n");
    succeeds(cli, CALCULATE(cli, "--ask", "--only", "advanced-age-allowance"));
    says(cli->out, "can't be told yet");
    test_feed(cli, "");
    succeeds(cli, CALCULATE(cli, "--ask"));
    says(cli->out, "can't be told yet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(catalogues_are_listed, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(what_the_check_finds_is_a_failure, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(facts_come_from_a_file_or_standard_input, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(wrong_facts_are_refused_and_not_repeated, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(questions_are_asked_until_nothing_is_open, test_set_up,
                                        test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
