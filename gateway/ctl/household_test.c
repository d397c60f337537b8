#include "gateway/ctl/fixture.h"
#include "gateway/ctl/household.h"

#define A "{role: applicant, id_no: \"" TEST_ID_A "\", name: 张三}"
#define B "{role: member, id_no: \"" TEST_ID_B "\", name: 李四, relation: spouse}"

struct loaded {
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_ctl_household household;
};

static lb_status load(struct test_cli *cli, const char *content, struct loaded *out)
{
    *out = (struct loaded){.arena = lb_arena_new(1024 * 1024)};
    return lb_ctl_household_load(&cli->env, test_file(cli, "household.yaml", content), out->arena,
                                 &out->diag, &out->household);
}

static void reads_a_household(void **state)
{
    struct test_cli *cli = *state;
    struct loaded loaded;
    assert_ok(load(cli, "members:\n  - " A "\n  - " B "\n", &loaded));
    assert_int_equal(loaded.household.num, 2);
    assert_string_equal(loaded.household.people[0].id_no, TEST_ID_A);
    assert_string_equal(loaded.household.people[0].relation, "");
    assert_string_equal(loaded.household.people[1].role, "member");
    assert_string_equal(loaded.household.people[1].relation, "spouse");
    lb_arena_free(loaded.arena);
}

static void reads_standard_input(void **state)
{
    struct test_cli *cli = *state;
    struct loaded loaded = {.arena = lb_arena_new(1024 * 1024)};
    test_feed(cli, "members: [" A "]\n");
    assert_ok(lb_ctl_household_load(&cli->env, "-", loaded.arena, &loaded.diag,
                                    &loaded.household));
    assert_string_equal(loaded.household.people[0].name, "张三");
    lb_arena_free(loaded.arena);
}

static void refused(struct test_cli *cli, const char *content, enum lb_code code,
                    const char *sentence)
{
    struct loaded loaded;
    assert_code(load(cli, content, &loaded), code);
    if (strstr(loaded.diag.text, sentence) == NULL)
        print_error("%s\n", loaded.diag.text);
    assert_non_null(strstr(loaded.diag.text, sentence));
    assert_null(strstr(loaded.diag.text, "9900"));
    assert_null(strstr(loaded.diag.text, "张三"));
    assert_int_equal(loaded.household.num, 0);
    lb_arena_free(loaded.arena);
}

static void refuses_mistakes_by_line(void **state)
{
    struct test_cli *cli = *state;
    const enum lb_code bad = LB_CONFIG_INVALID;
    refused(cli, "", bad, "household.yaml");
    refused(cli, "members: []\n", bad, "1 to 12");
    refused(cli, "members: 5\n", bad, "1 to 12");
    refused(cli, "people: []\n", bad, "people");
    refused(cli, "members:\n  - " A "\n  - " A "\n", bad, ":3: the same person");
    refused(cli, "members:\n  - {role: applicant, name: 张三}\n", bad, "id_no");
    refused(cli, "members:\n  - {role: a, id_no: \"990000196001010014\", name: 张三}\n", bad,
            ":2: `id_no` is no valid");
    refused(cli, "members:\n  - {role: a, id_no: \"9900001960010100\", name: 张三}\n", bad,
            "no valid identity number");
    refused(cli, "members:\n  - {role: a, id_no: \"" TEST_ID_A "\", name: \"\"}\n", bad, "`name`");
    refused(cli, "members:\n  - {role: a, id_no: \"" TEST_ID_A "\", name: x, sex: f}\n", bad,
            "sex");
    refused(cli, "members:\n  - [1]\n", bad, ":2:");
    refused(cli, "members:\n  - " A "\nmembers: []\n", bad, "");
}

static void bounds_sizes(void **state)
{
    struct test_cli *cli = *state;
    struct loaded loaded = {.arena = lb_arena_new(1024 * 1024)};
    char *big = test_malloc(70 * 1024);
    memset(big, '#', 70 * 1024 - 1);
    big[70 * 1024 - 1] = 0;
    refused(cli, big, LB_TOO_LARGE, "household.yaml");
    test_feed(cli, big);
    assert_code(lb_ctl_household_load(&cli->env, "-", loaded.arena, &loaded.diag,
                                      &loaded.household),
                LB_TOO_LARGE);
    test_free(big);
    assert_code(lb_ctl_household_load(&cli->env, "/nonexistent/h.yaml", loaded.arena, &loaded.diag,
                                      &loaded.household),
                LB_FILE_FAILED);
    assert_non_null(strstr(loaded.diag.text, "/nonexistent/h.yaml"));
    lb_arena_free(loaded.arena);
}

static void refuses_thirteen(void **state)
{
    struct test_cli *cli = *state;
    char content[4096] = "members:\n";
    size_t len = strlen(content);
    for (int i = 0; i < 13; i++)
        len += (size_t)snprintf(content + len, sizeof(content) - len, "  - " A "\n");
    refused(cli, content, LB_CONFIG_INVALID, "1 to 12");
}

#define HASH "00000000000000000000000000000000000000000000000000000000000000ab"
#define WHO "id_no: \"" TEST_ID_B "\", name: 李四, relation: neighbour"
#define WITH(agrees_)                                                                              \
    "members:\n"                                                                                   \
    "  - {role: applicant, id_no: \"" TEST_ID_A "\", name: 张三, agrees: {" agrees_ "}}\n"

static void reads_who_agrees_for_others(void **state)
{
    struct test_cli *cli = *state;
    struct loaded loaded;
    assert_ok(load(cli, WITH("as: agent, " WHO ", paper_sha256: " HASH ", until: 2026-12-31,"
                             " departments: [health, housing]"), &loaded));
    const Lianban__V1__Representative *agrees = loaded.household.people[0].agrees;
    assert_string_equal(agrees->kind, "agent");
    assert_string_equal(agrees->id_no, TEST_ID_B);
    assert_int_equal(agrees->n_departments, 2);
    assert_string_equal(agrees->departments[1], "housing");
    assert_int_equal(agrees->document_sha256.data[31], 0xAB);
    assert_true(agrees->until > 1798600000 && agrees->until < 1798900000);
    lb_arena_free(loaded.arena);
    assert_ok(load(cli, WITH("as: relative, " WHO ", interest: burial"), &loaded));
    assert_string_equal(loaded.household.people[0].agrees->interest, "burial");
    lb_arena_free(loaded.arena);
    assert_ok(load(cli, WITH("as: guardian, " WHO), &loaded));
    assert_string_equal(loaded.household.people[0].agrees->kind, "guardian");
    lb_arena_free(loaded.arena);
}

static void refuses_bad_others(void **state)
{
    struct test_cli *cli = *state;
    static const char *const bad[][2] = {
        {WITH("as: friend, " WHO), "guardian, agent or relative"},
        {WITH("as: agent, " WHO), "paper_sha256"},
        {WITH("as: agent, " WHO ", paper_sha256: 00, until: 2026-12-31, departments: [a]"),
         "64 hex digits"},
        {WITH("as: agent, " WHO ", paper_sha256: " HASH ", until: tomorrow, departments: [a]"),
         "last day"},
        {WITH("as: agent, " WHO ", paper_sha256: " HASH ", until: 2026-12-31, departments: []"),
         "list"},
        {WITH("as: relative, " WHO), "interest"},
        {WITH("as: guardian, " WHO ", interest: burial"), "interest"},
        {WITH("as: guardian, id_no: \"990000196001010014\", name: a, relation: b"), "id_no"},
        {"members:\n  - {role: applicant, id_no: \"" TEST_ID_A "\", name: a, agrees: me}\n",
         "as whom"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refused(cli, bad[i][0], LB_CONFIG_INVALID, bad[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_household, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(reads_standard_input, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_mistakes_by_line, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(bounds_sizes, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_thirteen, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(reads_who_agrees_for_others, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_others, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
