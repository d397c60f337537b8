#include "gateway/ctl/fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/ctl/command.h"
#include "policy/engine/explain.h"

/* The switch and the explanation, as a department's officer uses them. */

#define REQUEST                                                                                    \
    "requester: street-office\nissuer: consent-hall\nform: aid\nversion: 1\npurpose: aid\n"        \
    "basis: consent\nlaw: [SAL40]\nmethod: face\nwants:\n"                                         \
    "  - {view: tax.wage, field: income, operator: \"SUM(12)\"}\n"                                 \
    "  - {view: tax.wage, field: months, operator: EXISTS}\n"

static const char *state_folder(struct test_cli *cli)
{
    (void)test_file(cli, "evidence.db", "");
    return cli->folder;
}

#define NOBODY 65534

static void succeeds(struct test_cli *cli, int exit_code)
{
    if (exit_code != LB_CTL_OK)
        print_error("%s\n", cli->err);
    assert_int_equal(exit_code, LB_CTL_OK);
}

static void shuts_and_opens(void **state)
{
    struct test_cli *cli = *state;
    const char *folder = state_folder(cli);
    char path[400];
    struct stat file;
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "closed", "--state", folder));
    assert_non_null(strstr(cli->out, "nothing is shut"));
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder, "--view",
                      "tax.wage", "--view", "tax.firm", "--requester", "street-office",
                      "--reason", "a \"leak\""));
    assert_non_null(strstr(cli->out, "view tax.wage"));
    assert_non_null(strstr(cli->out, "view tax.firm"));
    assert_non_null(strstr(cli->out, "requester street-office"));
    assert_non_null(strstr(cli->out, "a \"leak\""));
    (void)snprintf(path, sizeof(path), "%s/closed.yaml", folder);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "open", "--state", folder, "--view",
                      "tax.wage", "--reason", "mended"));
    assert_null(strstr(cli->out, "tax.wage"));
    assert_non_null(strstr(cli->out, "tax.firm"));
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder, "--all",
                      "--reason", "drill"));
    assert_non_null(strstr(cli->out, "everything"));
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "open", "--state", folder, "--all",
                      "--reason", "over", "--json"));
    struct lb_json *json = test_json(cli);
    const struct lb_json *views = NULL;
    bool department = true;
    assert_ok(lb_json_get_bool(json, "department", &department));
    assert_ok(lb_json_get_array(json, "views", &views));
    assert_false(department);
    assert_int_equal(lb_json_len(views), 0);
    lb_json_free(json);
}

/* Whether somebody else, as root may become, gets to a folder at all. */
static bool reaches(const char *folder)
{
    bool can = seteuid(NOBODY) == 0 && faccessat(AT_FDCWD, folder, W_OK, AT_EACCESS) == 0;
    return seteuid(0) == 0 && can;
}

/* Root switches for the account whose state it is, which has to read the file or all is shut. */
static void root_writes_as_the_owner(void **state)
{
    struct test_cli *cli = *state;
    const char *folder = state_folder(cli);
    char path[400];
    struct stat file;
    const gid_t another = 4321;
    if (geteuid() != 0 || chown(folder, NOBODY, NOBODY) != 0 || !reaches(folder) ||
        setgroups(1, &another) != 0)
        skip();
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder, "--view",
                      "tax.firm", "--reason", "leak"));
    (void)snprintf(path, sizeof(path), "%s/closed.yaml", folder);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_uid, NOBODY);
    assert_int_equal(geteuid(), 0);
    assert_int_equal(getegid(), getgid());
    assert_int_equal(getgroups(0, NULL), 0); /* given up on the way */
}

static void refuses_what_it_does_not_understand(void **state)
{
    struct test_cli *cli = *state;
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "close", "--state", cli->folder,
                         "--all", "--reason", "x"),
                     LB_CTL_FAILED); /* no adapter's state */
    const char *folder = state_folder(cli);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder, "--reason",
                         "x"),
                     LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder, "--all"),
                     LB_CTL_USAGE);
    static const char *const names[] = {"Tax.wage", "tax", "tax.wage]", "../x.y", "tax.a,b"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder,
                             "--view", names[i], "--reason", "x"),
                         LB_CTL_FAILED);
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "close", "--state", folder, "--all",
                         "--reason", "two\nlines"),
                     LB_CTL_FAILED);
    succeeds(cli, RUN(cli, lb_ctl_view_command, "view", "closed", "--state", folder));
    assert_non_null(strstr(cli->out, "nothing is shut"));
    (void)test_file(cli, "closed.yaml", "views: [\n");
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "closed", "--state", folder),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "closed.yaml"));
}

/* --- explain --- */

/* A department that allows the first want and refuses the others. */
static lb_status fake_explain(const char *policy_path, const struct lb_explain_request *request,
                              struct lb_arena *arena, struct lb_diag *diag,
                              struct lb_explanation *out)
{
    (void)diag;
    assert_string_equal(policy_path, "policy.yaml");
    assert_string_equal(request->requester, "street-office");
    assert_string_equal(request->laws[0], "SAL40");
    assert_int_equal(request->level, 3);
    assert_int_equal(request->num_wants, 2);
    *out = (struct lb_explanation){.department = "tax", .budgets = "requester=5/hour",
                                   .num_wants = request->num_wants};
    for (size_t i = 0; i < LB_EXPLAIN_TERMS; i++)
        out->terms[i] = (struct lb_explain_clause){"form", true, "aid v1", "accepted"};
    out->wants = lb_arena_array(arena, 2, sizeof(out->wants[0]));
    for (size_t i = 0; i < 2; i++) {
        struct lb_explain_want *want = &out->wants[i];
        want->question = request->wants[i];
        want->code = i == 0 ? LB_CODE_OK : LB_LOA_LOW;
        want->why = i == 0 ? NULL : "every rule demands a higher level of proof";
        want->data_class = "G4";
        want->limits = "rows<=40";
        want->num_rules = 1;
        want->rules = lb_arena_array(arena, 1, sizeof(want->rules[0]));
        want->rules[0].allows = i == 0;
        for (size_t c = 0; c < LB_NUM_CLAUSES; c++)
            want->rules[0].clauses[c] =
                (struct lb_explain_clause){"level", i == 0, "2", i == 0 ? ">= 2" : ">= 4"};
    }
    return LB_OK;
}

static void explains_clause_by_clause(void **state)
{
    struct test_cli *cli = *state;
    char path[400];
    cli->env.explain = fake_explain;
    (void)snprintf(path, sizeof(path), "%s", test_file(cli, "request.yaml", REQUEST));
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "explain", "--policy", "policy.yaml",
                         path),
                     LB_CTL_FAILED); /* one is refused */
    assert_non_null(strstr(cli->out, "tax.wage income SUM(12) G4: ALLOWED"));
    assert_non_null(strstr(cli->out, "tax.wage months EXISTS G4: REFUSED"));
    assert_non_null(strstr(cli->out, "LOA_LOW"));
    assert_non_null(strstr(cli->out, "- level: 2 does not meet >= 4"));
    assert_non_null(strstr(cli->out, "requester=5/hour"));
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "explain", "--policy", "policy.yaml",
                         "--language", "zh", path),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "获准"));
    assert_non_null(strstr(cli->out, "核验等级: 2，不符 >= 4"));
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "explain", "--policy", "policy.yaml",
                         "--json", path),
                     LB_CTL_FAILED);
    struct lb_json *json = test_json(cli);
    const struct lb_json *wants = NULL;
    bool allowed = false;
    assert_ok(lb_json_get_array(json, "wants", &wants));
    assert_int_equal(lb_json_len(wants), 2);
    assert_ok(lb_json_get_bool(lb_json_at(wants, 0), "allowed", &allowed));
    assert_true(allowed);
    lb_json_free(json);
}

static void takes_json_and_refuses_mistakes(void **state)
{
    static const char *const wrong[] = {
        "requester: a\n",
        REQUEST "secret: 1\n",
        "{\"requester\": 1",
        "requester: a\nissuer: b\nform: c\nversion: 1\npurpose: d\nbasis: e\nmethod: telepathy\n"
        "wants: [{view: a.b, field: c, operator: EQ}]\n",
        "requester: a\nissuer: b\nform: c\nversion: 1\npurpose: d\nbasis: e\nmethod: document\n"
        "level: 3\nwants: [{view: a.b, field: c, operator: EQ}]\n",
        "requester: a\nissuer: b\nform: c\nversion: 1\npurpose: d\nbasis: e\nwants: []\n",
    };
    struct test_cli *cli = *state;
    char path[400];
    cli->env.explain = fake_explain;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s", test_file(cli, "wrong.yaml", wrong[i]));
        assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "explain", "--policy",
                             "policy.yaml", path),
                         LB_CTL_FAILED);
        assert_non_null(strstr(cli->err, "wrong.yaml"));
    }
    test_feed(cli, "{\"requester\": \"street-office\", \"issuer\": \"consent-hall\","
                   " \"form\": \"aid\", \"version\": 1, \"purpose\": \"aid\","
                   " \"basis\": \"consent\", \"law\": [\"SAL40\"], \"level\": 3, \"wants\": ["
                   "{\"view\": \"tax.wage\", \"field\": \"income\", \"operator\": \"SUM(12)\"},"
                   "{\"view\": \"tax.wage\", \"field\": \"months\", \"operator\": \"EXISTS\"}]}");
    assert_int_equal(RUN(cli, lb_ctl_view_command, "view", "explain", "--policy", "policy.yaml",
                         "-"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "ALLOWED"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shuts_and_opens, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(root_writes_as_the_owner, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_it_does_not_understand, test_set_up,
                                        test_tear_down),
        cmocka_unit_test_setup_teardown(explains_clause_by_clause, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(takes_json_and_refuses_mistakes, test_set_up,
                                        test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
