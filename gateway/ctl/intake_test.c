#include "gateway/ctl/fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/ctl/command.h"
#include "lianban/v1/parcel.pb-c.h"

/* What a department's clerk does with the parts that were handed in. */

static const char PROFILE[] = "node: spiffe://example/officer/tax/clerk\n"
                              "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"
                              "crl: crl.pem\n"
                              "directory: {file: d.note, signers: [\"example+01020304+AQ\"]}\n"
                              "adapter: spiffe://example/adapter/tax\n"
                              "state: state\n";

static const char *profile(struct test_cli *cli, char path[400])
{
    (void)snprintf(path, 400, "%s", test_file(cli, "clerk.yaml", PROFILE));
    return path;
}

#define INTAKE(...) RUN(cli, lb_ctl_intake_command, "intake", __VA_ARGS__)

static void parts_are_listed_and_taken(void **state)
{
    struct test_cli *cli = *state;
    char path[400];
    cli->num_waiting = 2;
    assert_int_equal(INTAKE("list", "--officer", profile(cli, path)), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "submission"));
    assert_int_equal(INTAKE("list", "--officer", path, "--json"), LB_CTL_OK);
    lb_json_free(test_json(cli));
    assert_int_equal(INTAKE("next", "--officer", path), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "\"number\": 7"));
    assert_int_equal(INTAKE("show", "7", "--officer", path), LB_CTL_OK);
    assert_int_equal(INTAKE("ack", "7", "--officer", path), LB_CTL_OK);
    assert_int_equal(cli->acked, 1);
    assert_int_equal(INTAKE("ack", "--officer", path), LB_CTL_USAGE);
    assert_int_equal(INTAKE("ack", "7x", "--officer", path), LB_CTL_USAGE);
    assert_int_equal(INTAKE("ack", "0", "--officer", path), LB_CTL_USAGE);
    assert_int_equal(INTAKE("ack", "9999999999999999999", "--officer", path), LB_CTL_USAGE);
}

static void every_word_explains_itself(void **state)
{
    static const char *const words[] = {"list",      "next",    "show",     "ack",
                                        "export",    "accept",  "return",   "ask",
                                        "decide",    "correct", "withdrawn", "contacted",
                                        "applied",   "declined", "not-reached"};
    struct test_cli *cli = *state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(INTAKE(words[i], "--help"), LB_CTL_OK);
        assert_non_null(strstr(cli->out, "lianban intake"));
        assert_non_null(strstr(cli->out, words[i]));
    }
}

static void all_that_waits_becomes_files(void **state)
{
    struct test_cli *cli = *state;
    char path[400], file[400];
    cli->num_waiting = 3;
    assert_int_equal(INTAKE("export", "--officer", profile(cli, path), "--dir", cli->folder),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "\"exported\": 3"));
    for (int number = 7; number < 10; number++) {
        (void)snprintf(file, sizeof(file), "%s/%d.json", cli->folder, number);
        assert_int_equal(access(file, R_OK), 0);
    }
    /* What could not be written is not acknowledged. */
    cli->num_waiting = 1;
    assert_int_equal(INTAKE("export", "--officer", path, "--dir", "/nowhere/at/all"),
                     LB_CTL_FAILED);
    assert_int_equal(cli->num_waiting, 1);
}

static void a_submission_is_answered(void **state)
{
    struct test_cli *cli = *state;
    char path[400], text[400];
    (void)profile(cli, path);
    (void)snprintf(text, sizeof(text), "%s",
                   test_file(cli, "text.json", "{\"zh\": \"缺户口簿\"}"));
    assert_int_equal(INTAKE("accept", "7", "--officer", path, "--reference", "A-1", "--ack"),
                     LB_CTL_OK);
    assert_int_equal(cli->said_of, 7);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__ACCEPTED);
    assert_string_equal(cli->said_reference, "A-1");
    assert_true(cli->said_ack);
    assert_int_equal(INTAKE("accept", "7", "--officer", path), LB_CTL_USAGE);
    assert_int_equal(INTAKE("ask", "7", "--officer", path, "--until", "2026-12-01", "--text", text),
                     LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    assert_string_equal(cli->said_text, "缺户口簿");
    assert_string_equal(cli->said_until, "2026-12-01");
    assert_int_equal(INTAKE("return", "7", "--officer", path, "--law", "SAL41", "--text", text),
                     LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__RETURNED);
    assert_string_equal(cli->said_law, "SAL41");
    assert_int_equal(INTAKE("decide", "7", "--officer", path, "--outcome", "partly"), LB_CTL_OK);
    assert_int_equal(cli->said_outcome, LIANBAN__V1__WORD__OUTCOME__PARTLY);
    assert_int_equal(INTAKE("decide", "7", "--officer", path, "--outcome", "maybe"),
                     LB_CTL_FAILED);
    assert_int_equal(INTAKE("withdrawn", "7", "--officer", path), LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__WITHDRAWN);
    assert_int_equal(INTAKE("correct", "7", "--officer", path, "--text", text), LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__CORRECTED);
    (void)test_file(cli, "text.json", "{\"zh\": \"x\", \"fr\": \"y\"}");
    assert_int_equal(INTAKE("correct", "7", "--officer", path, "--text", text), LB_CTL_FAILED);
}

/* What came of reaching out; no such word has a text of its own. */
static void a_signal_is_answered(void **state)
{
    struct test_cli *cli = *state;
    char path[400];
    (void)profile(cli, path);
    assert_int_equal(INTAKE("contacted", "7", "--officer", path), LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__CONTACTED);
    assert_false(cli->said_ack);
    assert_int_equal(INTAKE("applied", "7", "--officer", path, "--reference", "A-1"), LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__APPLIED);
    assert_string_equal(cli->said_reference, "A-1");
    assert_true(cli->said_ack);
    assert_int_equal(INTAKE("declined", "7", "--officer", path), LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__DECLINED);
    assert_true(cli->said_ack);
    assert_int_equal(INTAKE("not-reached", "7", "--officer", path), LB_CTL_OK);
    assert_int_equal(cli->said_kind, LIANBAN__V1__WORD__KIND__NOT_REACHED);
    assert_int_equal(INTAKE("declined", "7", "--officer", path, "--law", "SAL41"), LB_CTL_USAGE);
    assert_int_equal(INTAKE("declined", "7", "--officer", path, "--text", path), LB_CTL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_are_listed_and_taken, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(every_word_explains_itself, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(all_that_waits_becomes_files, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(a_submission_is_answered, test_set_up, test_tear_down),
        cmocka_unit_test_setup_teardown(a_signal_is_answered, test_set_up, test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
