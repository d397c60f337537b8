#include "gateway/ctl/doctor_fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each trouble by its name, its state and whom to call; the others stay as they were. */

#define OK_EXIT LB_CTL_OK
#define LOOK_EXIT LB_CTL_FAILED

/* The fixture's sealing key ends within the hour; nothing else is to be said. */
static void test_nothing_wrong(void **state)
{
    static const char *const checks[] = {
        "config", "certificate", "private-file",   "state-folder", "directory",
        "crl",    "disk",        "evidence",       "source",       "view",
        "self",   "identity",    "evidence-state", "status-list",  "port",
        "clock",  "directory-version"};
    struct ward *ward = *state;
    assert_int_equal(WARD_RUN(ward, NULL), LOOK_EXIT);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        ward_expect(ward, checks[i], "ok", "");
    ward_expect(ward, "sealing-key", "warn", "own-operations");
}

static void test_in_words(void **state)
{
    struct ward *ward = *state;
    ward->source_status = LB_FAULT(LB_SOURCE_UNAVAILABLE, "away");
    assert_int_equal(WARD_RUN(ward, "--language", "zh"), LB_CTL_BAD);
    assert_non_null(strstr(ward->out, "故障"));
    assert_non_null(strstr(ward->out, "联系：本单位数据库管理员"));
    assert_int_equal(WARD_RUN(ward, "--language", "en"), LB_CTL_BAD);
    assert_non_null(strstr(ward->out, "call: your own database administrators"));
}

static void test_a_configuration_that_cannot_be_read(void **state)
{
    struct ward *ward = *state;
    fx_write(fx_path(&ward->fx, "node.yaml"), lb_span_str("node: [\n"));
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "config", "bad", "own-operations");
}

/* --- certificates --- */

static void test_certificate_days(void **state)
{
    struct ward *ward = *state;
    static const struct {
        int64_t lifetime_s;
        const char *state, *word;
    } cases[] = {
        {32 * 86400, "ok", "31 days"},        {30 * 86400, "warn", "(<=30)"},
        {8 * 86400, "warn", "(<=30)"},        {7 * 86400, "warn", "(<=7)"},
        {86400 + 60, "warn", "(<=7)"},        {86400, "bad", "(<=1)"},
        {-86400, "bad", "-1 days"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ward_issue(ward, cases[i].lifetime_s);
        (void)WARD_RUN(ward, NULL);
        bool ok = strcmp(cases[i].state, "ok") == 0;
        ward_expect(ward, "certificate", cases[i].state, ok ? "" : "own-ca");
        if (strstr(ward->out, cases[i].word) == NULL)
            fail_msg("%s is not in %s", cases[i].word, ward->out);
    }
    fx_advance(&ward->fx, -7200); /* not valid yet */
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "certificate", "bad", "own-ca");
}

static void test_another_nodes_certificate(void **state)
{
    struct ward *ward = *state;
    fx_write(fx_path(&ward->fx, "cert.pem"), fx_issue(&ward->fx, FX_WINDOW, 90 * 86400));
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "certificate", "bad", "own-ca");
}

static void test_crl(void **state)
{
    struct ward *ward = *state;
    fx_write_crl(&ward->fx, NULL, 0, 3600);
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "crl", "warn", "own-ca");
    fx_advance(&ward->fx, 7200);
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "crl", "bad", "own-ca");
    fx_advance(&ward->fx, -7200);
    assert_int_equal(unlink(ward->fx.crl_path), 0);
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "crl", "bad", "own-ca");
}

static void test_revoked(void **state)
{
    struct ward *ward = *state;
    const struct lb_span cert = fx_issue(&ward->fx, FX_ADAPTER, 90 * 86400);
    fx_write(fx_path(&ward->fx, "cert.pem"), cert);
    fx_write_crl(&ward->fx, &cert, 1, 86400 * 3);
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "certificate", "bad", "own-ca");
}

/* --- the directory --- */

static void test_directory_stale(void **state)
{
    struct ward *ward = *state;
    ward->broker.directory_version = 2;
    assert_int_equal(WARD_RUN(ward, NULL), LOOK_EXIT);
    ward_expect(ward, "directory-version", "warn", "federation-operator");
    ward->broker.directory_version = 1;
    ward->broker.directory_sha256[0] ^= 1;
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "directory-version", "bad", "federation-operator");
    fx_advance(&ward->fx, 3650 * INT64_C(86400));
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "directory", "bad", "federation-operator");
}

static void test_directory_not_believed(void **state)
{
    struct ward *ward = *state;
    fx_write(ward->fx.directory_path, lb_span_str("{}\n"));
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "directory", "bad", "federation-operator");
}

/* --- the network --- */

static void test_dns_wrong(void **state)
{
    struct ward *ward = *state;
    /* A label of 70 bytes is no name anywhere, so no name server is asked. */
    ward_write_directory(ward, 1,
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                         ".gov.invalid:7000");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "dns", "bad", "own-network");
    assert_string_equal(ward_state(ward, "port"), "");
}

static void test_another_machine_answers(void **state)
{
    struct ward *ward = *state;
    (void)snprintf(ward->broker.presented, sizeof(ward->broker.presented), FX_WINDOW);
    ward->broker.status = LB_FAULT(LB_PEER_UNVERIFIED, "another");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "identity", "bad", "own-network");
}

static void test_port_without_a_program(void **state)
{
    struct ward *ward = *state;
    (void)close(ward->listener);
    ward->listener = -1;
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "port", "bad", "peer");
}

/* A queue of connections that is full drops what comes, as a firewall does. */
static void test_port_blocked(void **state)
{
    struct ward *ward = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ward->port)};
    int fds[8];
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(listen(ward->listener, 0), 0);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, sizeof(address));
    }
    assert_int_equal(WARD_RUN(ward, "--wait-ms", "300"), LB_CTL_BAD);
    ward_expect(ward, "port", "bad", "own-network");
    for (size_t i = 0; i < 8; i++)
        (void)close(fds[i]);
}

static void test_peers_in_trouble(void **state)
{
    static const struct {
        enum lb_code code;
        const char *party;
    } cases[] = {
        {LB_PEER_EXPIRED, "peer"},    {LB_PEER_REVOKED, "peer"}, {LB_CRL_STALE, "own-ca"},
        {LB_PEER_UNLISTED, "federation-operator"}, {LB_UNAVAILABLE, "peer"},
        {LB_DEADLINE, "peer"},        {LB_PEER_UNVERIFIED, "peer"}, {LB_INTERNAL, "peer"},
    };
    struct ward *ward = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ward->broker.status = lb_status_of(cases[i].code);
        assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
        ward_expect(ward, "identity", "bad", cases[i].party);
    }
}

/* --- the database --- */

static void test_source(void **state)
{
    struct ward *ward = *state;
    ward->source_status = LB_FAULT(LB_SOURCE_UNAVAILABLE, "killed");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "source", "bad", "own-dba");
    ward->source_status = LB_FAULT(LB_SOURCE_DENIED, "wrong password");
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "source", "bad", "own-dba");
    assert_non_null(strstr(ward->out, "password_file"));
    ward->source_status = LB_FAULT(LB_CONFIG_INVALID, "not a database");
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "source", "bad", "own-dba");
    ward->source_status = LB_FAULT(LB_SOURCE_NO_HOST, "unknown name");
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "source", "bad", "own-network");
    ward->source_status = LB_FAULT(LB_SOURCE_NO_DRIVER, "no driver");
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "source", "bad", "own-operations");
    ward->source_status = LB_FAULT(LB_SOURCE_FULL, "disk full");
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "source", "bad", "own-dba");
    assert_non_null(strstr(ward->out, "disk is full"));
    ward->source_status = LB_FAULT(LB_SOURCE_WRITABLE, "may write");
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "source", "bad", "own-dba");
    assert_non_null(strstr(ward->out, "read-only account"));
    ward->source_status = LB_OK;
    ward->view_ms = 5000;
    assert_int_equal(WARD_RUN(ward, NULL), LOOK_EXIT);
    ward_expect(ward, "view", "warn", "own-dba");
    ward->view_status = LB_FAULT(LB_CONFIG_INVALID, "cancelled while it was prepared");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    assert_non_null(strstr(ward->out, "did not end in time"));
    ward->view_ms = 5;
    ward->view_status = LB_FAULT(LB_CONFIG_INVALID, "no such column");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "view", "bad", "own-dba");
    assert_non_null(strstr(ward->out, "does not fit"));
}

static void test_source_hangs(void **state)
{
    struct ward *ward = *state;
    ward->source_sleeps_ms = 300; /* the source's own patience ends before the doctor's */
    ward->source_status = LB_FAULT(LB_SOURCE_UNAVAILABLE, "no answer in time");
    assert_int_equal(WARD_RUN(ward, "--wait-ms", "500"), LB_CTL_BAD);
    assert_non_null(strstr(ward->out, "hangs"));
    ward->source_status = LB_OK;
    ward->source_sleeps_ms = 600;
    assert_int_equal(WARD_RUN(ward, "--wait-ms", "100"), LB_CTL_BAD);
    ward_expect(ward, "source", "bad", "own-dba");
    assert_non_null(strstr(ward->out, "hangs"));
    ward->source_sleeps_ms = 0;
    (void)usleep(1000000); /* the thread left behind ends before what it uses */
}

/* --- disk, log and the running node --- */

static void test_disk(void **state)
{
    struct ward *ward = *state;
    ward_write_config(ward, "disk: {alert_mb: 1073741824, stop_mb: 0, reserve_mb: 0}\n");
    assert_int_equal(WARD_RUN(ward, NULL), LOOK_EXIT);
    ward_expect(ward, "disk", "warn", "own-operations");
    ward_write_config(ward, "disk: {alert_mb: 1073741824, stop_mb: 1073741824, reserve_mb: 0}\n");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "disk", "bad", "own-operations");
}

static void test_log(void **state)
{
    struct ward *ward = *state;
    fx_advance(&ward->fx, 600);
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "evidence", "bad", "own-operations");
    assert_int_equal(unlink(fx_path(&ward->fx, "node-state/evidence.db")), 0);
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "evidence", "bad", "own-operations");
}

static void test_rights(void **state)
{
    struct ward *ward = *state;
    assert_int_equal(chmod(fx_path(&ward->fx, "node-state"), 0750), 0);
    assert_int_equal(chmod(fx_path(&ward->fx, "key.pem"), 0644), 0);
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "state-folder", "bad", "own-operations");
    ward_expect(ward, "private-file", "bad", "own-operations");
    assert_int_equal(chmod(fx_path(&ward->fx, "key.pem"), 0600), 0);
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "private-file", "ok", "");
    if (geteuid() != 0)
        return; /* what follows takes root */
    assert_int_equal(chown(fx_path(&ward->fx, "key.pem"), 4711, 4711), 0);
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "private-file", "bad", "own-operations");
}

/* What is left out of the configuration, or can't be read, is said and not passed over. */
static void test_nothing_is_passed_over(void **state)
{
    struct ward *ward = *state;
    ward_write_config(ward, "witnessed_by: {policy: nowhere}\n");
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    assert_string_equal(ward_state(ward, "witnesses"), "bad");
    const char *text = lb_arena_printf(
        ward->fx.arena,
        "node: " FX_ADAPTER "\nidentity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"
        "crl: crl.pem\ndirectory: {file: directory, signers: [\"%s\"]}\nstate: node-state\n",
        ward->fx.directory_vkey);
    assert_non_null(text);
    fx_write(fx_path(&ward->fx, "node.yaml"), lb_span_str(text));
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "source", "bad", "own-operations");
}

static void test_the_own_node(void **state)
{
    static const struct lb_ctl_held_list lists[] = {
        {"https://hall.example/status/1", FX_NOW - 600, FX_NOW + 300},
        {"https://hall.example/status/1", FX_NOW - 1800, FX_NOW - 900}};
    struct ward *ward = *state;
    ward->self.log_state = "space_full";
    ward->self.lists = lists;
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "evidence-state", "bad", "own-operations");
    ward_expect(ward, "status-list", "warn", "consent-office");
    ward->self.lists = lists + 1;
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "status-list", "bad", "consent-office");
    ward->self.num_lists = 0;
    (void)WARD_RUN(ward, NULL);
    ward_expect(ward, "status-list", "warn", "federation-operator");
    ward->self = (struct lb_ctl_contact){.status = LB_FAULT(LB_UNAVAILABLE, "down"),
                                         .log_state = "", .version = ""};
    assert_int_equal(WARD_RUN(ward, NULL), LB_CTL_BAD);
    ward_expect(ward, "self", "bad", "own-operations");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WARD_TEST(test_nothing_wrong),
        WARD_TEST(test_in_words),
        WARD_TEST(test_a_configuration_that_cannot_be_read),
        WARD_TEST(test_certificate_days),
        WARD_TEST(test_another_nodes_certificate),
        WARD_TEST(test_crl),
        WARD_TEST(test_revoked),
        WARD_TEST(test_directory_stale),
        WARD_TEST(test_directory_not_believed),
        WARD_TEST(test_dns_wrong),
        WARD_TEST(test_another_machine_answers),
        WARD_TEST(test_port_without_a_program),
        WARD_TEST(test_port_blocked),
        WARD_TEST(test_peers_in_trouble),
        WARD_TEST(test_source),
        WARD_TEST(test_source_hangs),
        WARD_TEST(test_disk),
        WARD_TEST(test_log),
        WARD_TEST(test_rights),
        WARD_TEST(test_nothing_is_passed_over),
        WARD_TEST(test_the_own_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
