#include <stdio.h>
#include <stdlib.h>

#include "gateway/audit/fixture.h"
#include "gateway/base/file.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/fixture.h"

/* The commands of the review queue and the report, over an index of a log made for the test. */

#define RULES "policy/review/rules.yaml"
#define PROFILE                                                                                    \
    "node: spiffe://example/officer/tax/chen\n"                                                    \
    "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\ncrl: crl.pem\n"                         \
    "directory: {file: directory.note, signers: [\"example+01020304+AQ\"]}\n"                      \
    "adapter: spiffe://example/adapter/tax\nstate: state\n"
#define OFFICER "--index", world->fx->index, "--officer", world->profile, "--state", world->queue

struct world {
    struct test_cli *cli;
    struct fx_audit *fx;
    char profile[400], queue[400], lists[400], html[400];
};

/* Subject 4 of the log is on the officer's list: several look-ups by several operators. */
static void make_lists(struct world *world)
{
    char yaml[256], digits[65];
    for (int i = 0; i < 32; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", 5);
    (void)snprintf(yaml, sizeof(yaml), "honey: [%s]\n", digits);
    (void)snprintf(world->lists, sizeof(world->lists), "%s/lists.yaml", world->cli->folder);
    assert_ok(lb_file_write(world->lists, lb_span_str(yaml), 0600));
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)test_set_up((void **)&world->cli);
    (void)fx_set_up((void **)&world->fx);
    fx_fill(world->fx, 30);
    assert_ok(fx_build(world->fx, false, NULL));
    (void)snprintf(world->profile, sizeof(world->profile), "%s",
                   test_file(world->cli, "officer.yaml", PROFILE));
    (void)snprintf(world->queue, sizeof(world->queue), "%s/queue", world->cli->folder);
    (void)snprintf(world->html, sizeof(world->html), "%s/report.html", world->cli->folder);
    make_lists(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    (void)fx_tear_down((void **)&world->fx);
    (void)test_tear_down((void **)&world->cli);
    free(world);
    return 0;
}

static void scan(struct world *world)
{
    assert_int_equal(RUN(world->cli, lb_ctl_review_command, "review", "scan", "--index",
                         world->fx->index, "--state", world->queue, "--rules", RULES, "--lists",
                         world->lists),
                     LB_CTL_OK);
}

/* Alert numbers as list --json gives them. */
static int64_t first_alert(struct world *world, const char *rule, int64_t *out_num)
{
    const struct lb_json *rows = NULL;
    int64_t id = 0;
    assert_int_equal(RUN(world->cli, lb_ctl_review_command, "review", "list", "--state",
                         world->queue, "--rule", rule, "--json"),
                     LB_CTL_OK);
    struct lb_json *json = test_json(world->cli);
    assert_ok(lb_json_get_array(json, "rows", &rows));
    *out_num = (int64_t)lb_json_len(rows);
    if (*out_num > 0)
        assert_ok(lb_json_get_int(lb_json_at(rows, 0), "id", &id));
    lb_json_free(json);
    return id;
}

static void check_tells_the_place(void **state)
{
    struct world *world = *state;
    assert_int_equal(RUN(world->cli, lb_ctl_review_command, "review", "check", RULES), LB_CTL_OK);
    assert_non_null(strstr(world->cli->out, "shared-credential"));
    assert_non_null(strstr(world->cli->out, "subjects=40"));
    const char *bad = test_file(world->cli, "bad.yaml", "detection: d\nversion: 1\ncolour: red\n");
    assert_int_equal(RUN(world->cli, lb_ctl_review_command, "review", "check", bad),
                     LB_CTL_FAILED);
    assert_non_null(strstr(world->cli->err, "bad.yaml:3: unknown key"));
}

static void from_scan_to_close(void **state)
{
    struct world *world = *state;
    struct test_cli *cli = world->cli;
    int64_t num = 0;
    char id[24];
    scan(world);
    assert_int_equal(cli->num_reviews, 0); /* nothing about a person was shown */
    (void)snprintf(id, sizeof(id), "%lld", (long long)first_alert(world, "honey", &num));
    assert_true(num > 0);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "assign", id, "--to", "li", OFFICER),
                     LB_CTL_OK);
    assert_string_equal(cli->review_kind, "REVIEW_ASSIGNED");
    assert_non_null(strstr(cli->review_query, "what=ASSIGNED hash="));
    cli->env.login = "li";
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "explain", id, "--text",
                         "a test of the window", OFFICER),
                     LB_CTL_OK);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "close", id, "--as", "mistake",
                         "--reason", "the window was told", OFFICER),
                     LB_CTL_FAILED); /* a grave one, and by who explained it */
    assert_non_null(strstr(cli->err, "another person closes it"));
    cli->env.login = "chen";
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "close", id, "--as", "mistake",
                         "--reason", "the window was told", OFFICER),
                     LB_CTL_OK);
    assert_string_equal(cli->review_kind, "REVIEW_CLOSED");
    assert_int_equal(cli->num_reviews, 3);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "show", id, "--state",
                         world->queue),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "mistake: the window was told"));
    assert_non_null(strstr(cli->out, "77")); /* the node's entry */
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "verify", "--state", world->queue),
                     LB_CTL_OK);
}

static void nothing_counts_without_an_entry(void **state)
{
    struct world *world = *state;
    struct test_cli *cli = world->cli;
    int64_t num = 0;
    char id[24];
    scan(world);
    (void)snprintf(id, sizeof(id), "%lld", (long long)first_alert(world, "honey", &num));
    cli->review_code = LB_LOG_UNAVAILABLE;
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "assign", id, "--to", "li", OFFICER),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "REVIEW_UNRECORDED"));
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "assign", id, "--to", "li",
                         "--index", world->fx->index, "--unrecorded", "--state", world->queue),
                     LB_CTL_FAILED); /* that is for copies */
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "show", id, "--state",
                         world->queue, "--json"),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "\"state\": \"open\""));
}

static void wrong_words(void **state)
{
    struct world *world = *state;
    struct test_cli *cli = world->cli;
    scan(world);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "close", "1", "--as", "lawful",
                         OFFICER),
                     LB_CTL_USAGE); /* no reason */
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "close", "1", "--as", "fine",
                         "--reason", "all is well", OFFICER),
                     LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "assign", "x", "--to", "li",
                         OFFICER),
                     LB_CTL_USAGE);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "assign", "999", "--to", "li",
                         OFFICER),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "there is no such alert"));
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "list", "--state", world->queue,
                         "--severity", "awful"),
                     LB_CTL_USAGE);
}

static void draws_a_sample(void **state)
{
    struct world *world = *state;
    struct test_cli *cli = world->cli;
    int64_t num = 0;
    scan(world);
    assert_int_equal(RUN(cli, lb_ctl_review_command, "review", "sample", "--percent", "100",
                         "--rules", RULES, "--since", "2026-07-01", "--until", "2026-07-02",
                         OFFICER),
                     LB_CTL_OK);
    assert_string_equal(cli->review_kind, "REVIEW_SAMPLED");
    (void)first_alert(world, "sample", &num);
    assert_true(num > 10);
}

static void writes_the_month(void **state)
{
    struct world *world = *state;
    struct test_cli *cli = world->cli;
    struct lb_span html;
    scan(world);
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "report", "--month", "2026-07", "--out",
                         world->html, "--rules", RULES, OFFICER),
                     LB_CTL_OK);
    assert_string_equal(cli->review_kind, "REPORT");
    assert_string_equal(cli->review_query, "2026-07");
    assert_ok(lb_file_read_secret(world->html, 1024 * 1024, world->fx->arena, &html));
    const char *text = lb_arena_str(world->fx->arena, html);
    assert_non_null(strstr(text, "<!DOCTYPE html>"));
    assert_non_null(strstr(text, "lianban log prove "));
    assert_non_null(strstr(text, "A honey record was looked up"));
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "report", "--month", "July", "--out",
                         world->html, "--rules", RULES, OFFICER),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "2026-11"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(check_tells_the_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_scan_to_close, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_counts_without_an_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(draws_a_sample, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_the_month, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
