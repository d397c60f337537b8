#include "gateway/audit/fixture.h"

#undef assert_ok
#undef assert_code
#include "gateway/ctl/command.h"
#include "gateway/ctl/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define ENTRIES 40
#define PROFILE                                                                                    \
    "node: spiffe://example/officer/tax/li\n"                                                      \
    "identity: {cert: c.pem, key: k.pem, ca: ca.pem}\n"                                            \
    "crl: crl.pem\n"                                                                               \
    "directory: {file: d.note, signers: [\"v\"]}\n"                                                \
    "adapter: spiffe://example/adapter/tax\n"                                                      \
    "state: state\n"

/* An index, and a command's surroundings with a node that records. */
struct world {
    struct fx_audit *fx;
    struct test_cli *cli;
    char profile[512];
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    assert_int_equal(fx_set_up((void **)&world->fx), 0);
    assert_int_equal(test_set_up((void **)&world->cli), 0);
    fx_fill(world->fx, ENTRIES);
    assert_ok(fx_build(world->fx, false, NULL));
    (void)snprintf(world->profile, sizeof(world->profile), "%s",
                   test_file(world->cli, "officer.yaml", PROFILE));
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

#define LOG(world_, ...)                                                                           \
    RUN((world_)->cli, lb_ctl_log_command, "log", __VA_ARGS__, "--index", (world_)->fx->index,     \
        "--officer", (world_)->profile)

static void test_a_query_is_recorded_first(void **state)
{
    struct world *world = *state;
    assert_int_equal(LOG(world, "query", "--operator", "actor-3", "--class", "4"), 0);
    assert_int_equal(world->cli->num_reviews, 1);
    assert_string_equal(world->cli->review_kind, "QUERY");
    assert_string_equal(world->cli->review_query, "operator=actor-3 class>=4");
    assert_non_null(strstr(world->cli->out, "actor-3"));
    assert_non_null(strstr(world->cli->out, "this query is entry: 77"));
    assert_non_null(strstr(world->cli->out, "entries behind the log: 0"));
}

static void test_what_is_not_recorded_is_not_run(void **state)
{
    struct world *world = *state;
    world->cli->review_code = LB_UNAVAILABLE;
    assert_int_equal(LOG(world, "query"), 1);
    assert_null(strstr(world->cli->out, "actor-"));
    assert_non_null(strstr(world->cli->err, "REVIEW_UNRECORDED"));
    assert_non_null(strstr(world->cli->err, "UNAVAILABLE"));
    world->cli->review_code = LB_RECEIPT_INVALID; /* a node that says yes and shows no entry */
    assert_int_equal(LOG(world, "query"), 1);
    assert_null(strstr(world->cli->out, "actor-"));
}

static void test_who_asks_must_be_said(void **state)
{
    struct world *world = *state;
    assert_int_equal(RUN(world->cli, lb_ctl_log_command, "log", "query", "--index",
                         world->fx->index), 2);
    assert_int_equal(RUN(world->cli, lb_ctl_log_command, "log", "query", "--index",
                         world->fx->index, "--unrecorded"), 1);
    assert_non_null(strstr(world->cli->err, "REVIEW_UNRECORDED"));
    assert_int_equal(world->cli->num_reviews, 0);
}

static void test_numbers_never_stand_in_the_record(void **state)
{
    struct world *world = *state;
    assert_int_equal(LOG(world, "query", "--case", "x" TEST_ID_A "y"), 1);
    assert_int_equal(LOG(world, "query", "--reason", TEST_ID_B), 1);
    assert_int_equal(world->cli->num_reviews, 0);
    assert_null(strstr(world->cli->err, TEST_ID_A));
    assert_null(strstr(world->cli->err, TEST_ID_B));
}

static void test_who_saw_asks_the_node_for_the_pseudonym(void **state)
{
    struct world *world = *state;
    test_feed(world->cli, TEST_ID_A "\n"); /* ends in 3: the fake's pseudonym, subject 2's */
    assert_int_equal(RUN(world->cli, lb_ctl_who_saw_command, "who-saw", "--document", "-",
                         "--index", world->fx->index, "--officer", world->profile, "--json"), 0);
    assert_string_equal(world->cli->confirm_id_no, TEST_ID_A);
    assert_null(strstr(world->cli->review_query, TEST_ID_A));
    struct lb_json *json = test_json(world->cli);
    const struct lb_json *rows = NULL;
    assert_ok(lb_json_get_array(json, "rows", &rows));
    size_t wanted = 0;
    for (uint64_t i = 0; i < ENTRIES; i++) {
        const struct fx_entry entry = fx_entry(world->fx, i);
        int64_t index = -1;
        if (!entry.has_subject || entry.subject != 2)
            continue;
        assert_ok(lb_json_get_int(lb_json_at(rows, wanted++), "index", &index));
        assert_int_equal(index, i);
    }
    assert_int_equal(lb_json_len(rows), wanted);
    assert_true(wanted > 2);
    lb_json_free(json);
}

/* The page names no operator and nothing concealed; the record has what was concealed, and why. */
static void test_the_citizens_page(void **state)
{
    struct world *world = *state;
    test_feed(world->cli, TEST_ID_A "\n");
    assert_int_equal(RUN(world->cli, lb_ctl_who_saw_command, "who-saw", "--document", "-",
                         "--index", world->fx->index, "--officer", world->profile, "--citizen",
                         "--conceal", "housing-support", "--law", "PIPL 18"), 0);
    assert_string_equal(world->cli->review_query,
                        "who-saw for the citizen conceal=housing-support law=PIPL 18");
    assert_non_null(strstr(world->cli->out, "social-assistance"));
    assert_non_null(strstr(world->cli->out, "(standing, once in 30 days)"));
    assert_null(strstr(world->cli->out, "housing-support"));
    assert_null(strstr(world->cli->out, "actor-"));
    assert_null(strstr(world->cli->out, "case-"));
    assert_null(strstr(world->cli->out, "conceal"));
    assert_non_null(strstr(world->cli->err, "concealed by law"));
    assert_int_equal(RUN(world->cli, lb_ctl_who_saw_command, "who-saw", "--document", "-",
                         "--index", world->fx->index, "--officer", world->profile, "--citizen",
                         "--conceal", "housing-support"), 2);
}

static void test_who_saw_refuses_what_is_no_number(void **state)
{
    struct world *world = *state;
    test_feed(world->cli, "990000196001010014\n");
    assert_int_equal(RUN(world->cli, lb_ctl_who_saw_command, "who-saw", "--document", "-",
                         "--index", world->fx->index, "--officer", world->profile), 1);
    assert_int_equal(world->cli->num_reviews, 0);
    assert_int_equal(RUN(world->cli, lb_ctl_who_saw_command, "who-saw", "--index",
                         world->fx->index, "--officer", world->profile), 2);
}

/* Refused at 5 (an inner code), and the same operator got the same person's data within a day. */
static void test_denials_tell_what_came_after(void **state)
{
    struct world *world = *state;
    assert_int_equal(LOG(world, "denials", "--json"), 0);
    struct lb_json *json = test_json(world->cli);
    const struct lb_json *rows = NULL;
    size_t followed = 0;
    assert_ok(lb_json_get_array(json, "rows", &rows));
    for (size_t i = 0; i < lb_json_len(rows); i++) {
        struct lb_span remark = LB_SPAN_EMPTY;
        assert_ok(lb_json_get_str(lb_json_at(rows, i), "remark", &remark));
        followed += remark.len > 0 ? 1 : 0;
    }
    assert_true(lb_json_len(rows) > 5);
    /* One operator and one person meet again after 65 entries, past the end of this log. */
    assert_int_equal(followed, 0);
    lb_json_free(json);
}

static void test_every_command_answers(void **state)
{
    static const char *const words[] = {"denials", "emergencies", "admin", "first-use",
                                        "repeats", "erasures"};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(LOG(world, words[i]), 0);
        assert_int_equal(LOG(world, words[i], "--json"), 0);
        assert_int_equal(LOG(world, words[i], "--csv", "--language", "zh"), 0);
    }
    assert_int_equal(LOG(world, "did", "actor-1"), 0);
    assert_int_equal(LOG(world, "totals", "--by", "operator,hour"), 0);
    assert_int_equal(LOG(world, "totals", "--by", "nonsense"), 2);
    assert_int_equal(world->cli->num_opened, 0);
}

/* The machine's own disk is told too. */
static bool disk_is_full(struct test_cli *cli)
{
    struct lb_json *json = test_json(cli);
    int64_t percent = 0;
    assert_true(lb_json_get_int(json, "disk_percent", &percent) == LB_OK);
    lb_json_free(json);
    return percent >= 90;
}

static void test_status_needs_no_record(void **state)
{
    struct world *world = *state;
    world->cli->clock.now_unix_ms = FX_FIRST_MS + ENTRIES * FX_STEP_MS;
    int level = RUN(world->cli, lb_ctl_log_command, "log", "status", "--index",
                    world->fx->index, "--since", "2026-06-30", "--json");
    assert_int_equal(level, disk_is_full(world->cli) ? 1 : 0);
    assert_int_equal(world->cli->num_reviews, 0);
    world->cli->clock.now_unix_ms += INT64_C(3600000); /* an hour without a canary */
    assert_int_equal(RUN(world->cli, lb_ctl_log_command, "log", "status", "--index",
                         world->fx->index, "--json"), 1);
    assert_non_null(strstr(world->cli->out, "\"red\""));
}

/* The index is the same for all; what the node was asked is not. */
static int forget(void **state)
{
    struct world *world = *state;
    world->cli->num_reviews = 0;
    world->cli->review_code = LB_CODE_OK;
    world->cli->review_query[0] = 0;
    return 0;
}

#define officer_test(name_) cmocka_unit_test_setup(name_, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        officer_test(test_a_query_is_recorded_first),
        officer_test(test_what_is_not_recorded_is_not_run),
        officer_test(test_who_asks_must_be_said),
        officer_test(test_numbers_never_stand_in_the_record),
        officer_test(test_who_saw_asks_the_node_for_the_pseudonym),
        officer_test(test_the_citizens_page),
        officer_test(test_who_saw_refuses_what_is_no_number),
        officer_test(test_denials_tell_what_came_after),
        officer_test(test_every_command_answers),
        officer_test(test_status_needs_no_record),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
