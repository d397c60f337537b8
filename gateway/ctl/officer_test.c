#include "gateway/ctl/fixture.h"

#include "gateway/ctl/command.h"

/* What a department's officers do at their own adapter. */

static const char DESK[] = "node: spiffe://example/consent/hall/desk-1\n"
                           "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"
                           "crl: crl.pem\n"
                           "directory: {file: d.note, signers: [\"example+01020304+AQ\"]}\n"
                           "consent: spiffe://example/consent/hall\n"
                           "state: state\n";
static const char OFFICER[] = "node: spiffe://example/officer/tax/li\n"
                              "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"
                              "crl: crl.pem\n"
                              "directory: {file: d.note, signers: [\"example+01020304+AQ\"]}\n"
                              "adapter: spiffe://example/adapter/tax\n"
                              "state: state\n";

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

static void an_officer_stops_a_grant(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, OFFICER, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_grant_command, "grant", "stop", "--officer", files.profile,
                         "--issuer", "consent-hall", "--grant", "g-1", "--reason", "复核"),
                     LB_CTL_OK);
    assert_string_equal(cli->confirm_request, "g-1");
    assert_string_equal(cli->stop_reason, "复核");
    assert_non_null(strstr(cli->out, "Stopped here for good; entry 41"));
    assert_int_equal(RUN(cli, lb_ctl_grant_command, "grant", "stop", "--officer", files.profile,
                         "--issuer", "consent-hall", "--grant", "g-1", "--reason", "复核",
                         "--language", "zh", "--json"),
                     LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    int64_t entry = 0;
    assert_ok(lb_json_get_int(json, "entry", &entry));
    assert_int_equal(entry, 41);
    lb_json_free(json);
    /* A desk's profile names no adapter, and a stop needs its reason. */
    files = make_files(cli, DESK, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_grant_command, "grant", "stop", "--officer", files.profile,
                         "--issuer", "consent-hall", "--grant", "g-1", "--reason", "x"),
                     LB_CTL_FAILED);
    assert_int_equal(RUN(cli, lb_ctl_grant_command, "grant", "stop", "--officer", files.profile,
                         "--issuer", "consent-hall", "--grant", "g-1"),
                     LB_CTL_USAGE);
}

static void two_officers_erase_a_person(void **state)
{
    struct test_cli *cli = *state;
    struct files files = make_files(cli, OFFICER, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "erase", "--officer", files.profile,
                         "--document", files.document, "--basis", "retention_over", "--reason",
                         "期满"),
                     LB_CTL_OK);
    assert_string_equal(cli->confirm_id_no, TEST_ID_A);
    assert_string_equal(cli->erase_basis, "retention_over");
    assert_string_equal(cli->stop_reason, "期满");
    assert_false(cli->erase_approved);
    assert_non_null(strstr(cli->out, "nothing is erased yet; entry 42"));
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "erase", "--officer", files.profile,
                         "--document", files.document, "--basis", "retention_over", "--reason",
                         "期满", "--approve", "--json"),
                     LB_CTL_OK);
    assert_true(cli->erase_approved);
    struct lb_json *json = test_json(cli);
    int64_t keys = 0;
    assert_ok(lb_json_get_int(json, "keys", &keys));
    assert_int_equal(keys, 3);
    lb_json_free(json);
    assert_null(strstr(cli->out, TEST_ID_A));
    /* A document that is none, a desk's profile, no basis. */
    files = make_files(cli, OFFICER, "1");
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "erase", "--officer", files.profile,
                         "--document", files.document, "--basis", "court_order", "--reason", "x"),
                     LB_CTL_FAILED);
    files = make_files(cli, DESK, TEST_ID_A);
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "erase", "--officer", files.profile,
                         "--document", files.document, "--basis", "court_order", "--reason", "x"),
                     LB_CTL_FAILED);
    assert_int_equal(RUN(cli, lb_ctl_log_command, "log", "erase", "--officer", files.profile,
                         "--document", files.document, "--reason", "x"),
                     LB_CTL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_officer_stops_a_grant, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(two_officers_erase_a_person, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
