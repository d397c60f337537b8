#include "gateway/ctl/fixture.h"

#include "gateway/crypto/hash.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/desk.h"
#include "gateway/token/slip.h"
#include "gateway/token/ticket.h"

#define PROFILE                                                                                    \
    "node: spiffe://example/consent/hall/desk-1\n"                                                 \
    "identity: {cert: cert.pem, key: /keys/key.pem, ca: ca.pem}\n"                                 \
    "crl: crl.pem\n"                                                                               \
    "directory: {file: ../directory.note, signers: [\"example+01020304+AQ\"]}\n"                   \
    "consent: spiffe://example/consent/hall\n"                                                     \
    "state: state\n"

#define NO_SIGNER                                                                                  \
    "node: n\nidentity: {cert: c, key: k, ca: a}\ncrl: c\nconsent: c\nstate: s\n"                 \
    "directory: {file: f, signers: []}\n"
#define TWO_IN_ONE TEST_ID_A TEST_ID_B
#define BLANK_FIRST " " TEST_ID_A
#define ONE_A_LINE TEST_ID_A "\n" TEST_ID_B

struct files {
    char profile[400];
    char document[400];
};

static struct files make_files(struct test_cli *cli, const char *profile, const char *document)
{
    struct files files;
    (void)snprintf(files.profile, sizeof(files.profile), "%s",
                   test_file(cli, "desk.yaml", profile));
    (void)snprintf(files.document, sizeof(files.document), "%s",
                   test_file(cli, "id.txt", document));
    return files;
}

static void reads_a_profile(void **state)
{
    struct test_cli *cli = *state;
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    struct lb_ctl_desk_profile profile;
    struct lb_diag diag;
    char want[400];
    assert_ok(lb_ctl_desk_profile_load(test_file(cli, "desk.yaml", PROFILE), arena, &diag,
                                       &profile));
    (void)snprintf(want, sizeof(want), "%s/cert.pem", cli->folder);
    assert_string_equal(profile.cert, want);
    assert_string_equal(profile.key, "/keys/key.pem");
    (void)snprintf(want, sizeof(want), "%s/../directory.note", cli->folder);
    assert_string_equal(profile.directory, want);
    assert_int_equal(profile.num_signers, 1);
    assert_null(profile.requester);
    lb_arena_free(arena);
}

static void refuses_bad_profiles(void **state)
{
    struct test_cli *cli = *state;
    struct lb_arena *arena = lb_arena_new(1024 * 1024);
    static const char *const bad[] = {
        "",
        "node: x\n",
        PROFILE "sudo: yes\n",
        PROFILE "requester: \"\"\n",
        "node: n\nidentity: {cert: c, key: k}\ncrl: c\nconsent: c\nstate: s\n",
        NO_SIGNER,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_ctl_desk_profile profile = {.node = NULL};
        struct lb_diag diag = {.text = ""};
        assert_code(lb_ctl_desk_profile_load(test_file(cli, "desk.yaml", bad[i]), arena, &diag,
                                             &profile),
                    LB_CONFIG_INVALID);
        assert_null(profile.node);
        assert_non_null(strstr(diag.text, "desk.yaml"));
    }
    lb_arena_free(arena);
}

/* What the citizen saw is what the decision is bound to. */
static void confirms_what_was_shown(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE, TEST_ID_A "\r\n");
    uint8_t sha256[LB_SHA256_BYTES];
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "confirm", "--desk",
                         files.profile, "--request", "r-1", "--document", files.document,
                         "--requester", "spiffe://example/window/office"),
                     LB_CTL_OK);
    lb_sha256(lb_span_str(cli->notice), sha256);
    assert_memory_equal(cli->notice_sha256, sha256, sizeof(sha256));
    assert_true(cli->agreed);
    assert_int_equal(cli->level, 2);
    assert_int_equal(cli->form_version, 3);
    assert_string_equal(cli->form, "social-assistance");
    assert_string_equal(cli->requester, "spiffe://example/window/office");
    assert_string_equal(cli->confirm_method, "document");
    assert_string_equal(cli->confirm_id_no, TEST_ID_A);
    assert_non_null(strstr(cli->out, "You may refuse."));
    assert_non_null(strstr(cli->out, "g-1"));
    assert_null(strstr(cli->out, "9900"));
}

static void refuses_another_text(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE "requester: spiffe://r\n", TEST_ID_A);
    cli->notice_hash_wrong = true;
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "confirm", "--desk",
                         files.profile, "--request", "r-1", "--document", files.document),
                     LB_CTL_FAILED);
    assert_int_equal(cli->level, 0);
    assert_null(strstr(cli->out, "You are asked"));
}

static void records_a_refusal(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE "requester: spiffe://r\n", "");
    test_feed(cli, TEST_ID_B "\n");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "refuse", "--desk",
                         files.profile, "--request", "r-1", "--document", "-", "--level", "4",
                         "--json"),
                     LB_CTL_OK);
    assert_false(cli->agreed);
    assert_int_equal(cli->level, 4);
    assert_string_equal(cli->confirm_id_no, TEST_ID_B);
    lb_json_free(test_json(cli));
}

static void refuses_bad_documents(void **state)
{
    struct test_cli *cli = *state;
    static const char *const bad[] = {
        "", "\n", "990000196001010014", TWO_IN_ONE, ONE_A_LINE, "张三",
        BLANK_FIRST,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct files files = make_files(cli, PROFILE "requester: spiffe://r\n", bad[i]);
        assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "confirm", "--desk",
                             files.profile, "--request", "r-1", "--document", files.document),
                         LB_CTL_FAILED);
        assert_non_null(strstr(cli->err, "ID_INVALID"));
        assert_null(strstr(cli->err, "9900"));
    }
    assert_int_equal(cli->level, 0);
}

static void checks_the_code(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE "requester: spiffe://r\n", TEST_ID_A);
    char code[7];
    lb_ticket_code("r-1", code);
    assert_string_equal(code, "920738");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "confirm", "--desk",
                         files.profile, "--request", "r-2", "--code", code, "--document",
                         files.document),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "do not belong together"));
    assert_int_equal(cli->level, 0);
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "confirm", "--desk",
                         files.profile, "--request", "r-1", "--code", code, "--document",
                         files.document),
                     LB_CTL_OK);
}

static void needs_to_know_who_asks(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "notice", "--desk",
                         files.profile),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "--requester"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "notice", "--desk",
                         files.profile, "--requester", "spiffe://r", "--form", "other"),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "FORM_UNKNOWN"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "notice", "--desk",
                         files.profile, "--requester", "spiffe://r", "--language", "zh",
                         "--json"),
                     LB_CTL_OK);
    assert_string_equal(cli->language, "zh");
    lb_json_free(test_json(cli));
}

static void counts_who_has_stopped(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "revoke", "--desk",
                         files.profile, "--grant", "g-1", "--document", files.document),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "8 of 10 stopped, slowest 0.4 s"));
    assert_non_null(strstr(cli->out, "Not answered: spiffe://example/adapter/a8, "
                                     "spiffe://example/adapter/a9."));
    assert_non_null(strstr(cli->out, "by 2026-07-01T08:00:00.000Z, when their status list"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "suspend", "--desk",
                         files.profile, "--grant", "g-1", "--document", files.document,
                         "--language", "zh"),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "8/10 个部门已停用，最慢 0.4 秒"));
    assert_non_null(strstr(cli->out, "尚未答复：spiffe://example/adapter/a8、"));
    assert_non_null(strstr(cli->out, "最迟于 2026-07-01T08:00:00.000Z"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "resume", "--desk",
                         files.profile, "--grant", "g-1", "--document", files.document,
                         "--language", "en"),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "8 of 10 resumed, slowest 0.4 s"));
    assert_null(strstr(cli->out, "by themselves"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "revoke", "--desk",
                         files.profile, "--grant", "g-1", "--document", files.document,
                         "--json"),
                     LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    int64_t stopped = 0;
    assert_ok(lb_json_get_int(json, "stopped", &stopped));
    assert_int_equal(stopped, 8);
    const struct lb_json *others = NULL;
    assert_ok(lb_json_get_int(json, "stops_by", &stopped));
    assert_int_equal(stopped, 1782892800);
    assert_ok(lb_json_get_array(json, "not_answered", &others));
    assert_int_equal(lb_json_len(others), 2);
    lb_json_free(json);
}

/* What is refused, who else agrees and what was signed reach the office as they were typed. */
static void passes_on_what_is_kept_back(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE "requester: spiffe://r\n", TEST_ID_A);
    char also[400], token[400];
    (void)snprintf(also, sizeof(also), "%s", test_file(cli, "also.txt", TEST_ID_B "\n"));
    (void)snprintf(token, sizeof(token), "%s", test_file(cli, "token.txt", "abc.def.ghi\n"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "confirm", "--desk",
                         files.profile, "--request", "r-1", "--document", files.document,
                         "--also-document", also, "--refuse-department", "health",
                         "--refuse-department", "tax", "--refuse-fact", "region", "--paper", also,
                         "--officer-token", token, "--variant", "aloud"),
                     LB_CTL_OK);
    assert_string_equal(cli->also_id_no, TEST_ID_B);
    assert_string_equal(cli->officer_token, "abc.def.ghi");
    assert_string_equal(cli->refused, "health");
    assert_int_equal(cli->num_refused, 3);
    assert_int_equal(cli->paper_len, LB_SHA256_BYTES);
    assert_null(strstr(cli->out, "9900"));
}

/* A mistyped code asks nobody, and no code is repeated. */
static void follows_a_slip(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE, TEST_ID_A);
    static const uint8_t secret[LB_SLIP_SECRET_BYTES] = {1, 2, 3};
    char code[LB_SLIP_CODE_BYTES], wrong[LB_SLIP_CODE_BYTES];
    lb_slip_code(secret, code);
    (void)snprintf(wrong, sizeof(wrong), "%s", code);
    wrong[0] = wrong[0] == '0' ? '7' : '0';
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "withdraw", "--desk",
                         files.profile, "--code", wrong, "--document", files.document),
                     LB_CTL_FAILED);
    assert_string_equal(cli->method, "");
    assert_non_null(strstr(cli->err, "mistyped"));
    assert_null(strstr(cli->err, wrong));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "show", "--desk", files.profile,
                         "--code", code, "--document", files.document),
                     LB_CTL_OK);
    assert_string_equal(cli->slip_code, code);
    assert_non_null(strstr(cli->out, "VALID"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "withdraw", "--desk",
                         files.profile, "--code", code, "--document", files.document),
                     LB_CTL_OK);
    assert_string_equal(cli->confirm_request, "g-7"); /* what was revoked */
    assert_string_equal(cli->confirm_id_no, TEST_ID_A);
}

static void tells_what_is_overdue(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE, "");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "due", "--desk", files.profile),
                     LB_CTL_OK);
    cli->overdue = 1;
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "due", "--desk", files.profile),
                     LB_CTL_FAILED);
    assert_non_null(strstr(cli->out, "OVERDUE"));
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "due", "--desk", files.profile,
                         "--json"),
                     LB_CTL_FAILED);
    lb_json_free(test_json(cli));
}

static void calls_the_right_methods(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, PROFILE, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "pending", "--desk",
                         files.profile),
                     LB_CTL_OK);
    assert_string_equal(cli->method, "ListPending");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "emergency", "--desk",
                         files.profile, "--request", "r-1", "--reason", "life"),
                     LB_CTL_OK);
    assert_string_equal(cli->method, "IssueEmergency");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "close", "--desk", files.profile,
                         "--grant", "g-1", "--outcome", "unneeded", "--paper", files.document),
                     LB_CTL_OK);
    assert_string_equal(cli->method, "CloseEmergency");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "slip", "--desk", files.profile,
                         "--grant", "g-1", "--document", files.document),
                     LB_CTL_OK);
    assert_string_equal(cli->method, "GetSlip");
    assert_int_equal(RUN(cli, lb_ctl_consent_command, "consent", "record", "--desk",
                         files.profile, "--grant", "g-1", "--json"),
                     LB_CTL_OK);
    assert_string_equal(cli->method, "GetRecord");
    lb_json_free(test_json(cli));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_profile, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_profiles, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(confirms_what_was_shown, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_another_text, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(records_a_refusal, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_documents, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(checks_the_code, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(needs_to_know_who_asks, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(counts_who_has_stopped, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(passes_on_what_is_kept_back, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(follows_a_slip, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(tells_what_is_overdue, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(calls_the_right_methods, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
