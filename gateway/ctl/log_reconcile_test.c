#include "gateway/ctl/fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/ctl/command.h"
#include "gateway/evidence/log.h"
#include "gateway/evidence/reconcile.h"

#define BROKER "example/broker/ops"
#define TAX "example/adapter/tax"
#define HEALTH "example/adapter/health"
#define FIRST_MS 1782900000000 /* 2026-07-01T10:00:00Z */

#define RECONCILE(cli_, ...) RUN(cli_, lb_ctl_log_command, "log", "reconcile", __VA_ARGS__)

/* A broker's log and an adapter's, with three reads an hour apart. */
struct logs {
    struct test_cli *cli;
    struct lb_clock_fixed clock;
    struct lb_sign_key *key;
    struct lb_log *broker;
    struct lb_log *tax;
    char broker_folder[300];
    char tax_folder[300];
};

static struct lb_log *open_log(struct logs *logs, const char *origin, const char *name,
                               char folder[300])
{
    struct lb_log *log = NULL;
    struct lb_diag diag;
    (void)snprintf(folder, 300, "%s/%s", logs->cli->folder, name);
    const struct lb_log_options options = {.folder = folder,
                                           .origin = origin,
                                           .key = logs->key,
                                           .clock = &logs->clock.clock,
                                           .create = true};
    assert_ok(lb_log_open(&options, &diag, &log));
    return log;
}

static struct lb_hash put(struct lb_log *log, enum lb_leaf_type type, uint8_t txn,
                          const char *code, const struct lb_hash *peer_leaf)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = type, .txn = {txn, 1}};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    memcpy(entry->leaf.peer_leaf, peer_leaf->bytes, LB_HASH_BYTES);
    assert_ok(lb_log_append_wait(log, entry));
    struct lb_hash hash = entry->leaf_hash;
    free(entry);
    return hash;
}

static void begin_as(struct test_cli *cli, struct logs *logs, const char *broker, const char *tax)
{
    const uint8_t seed[32] = {7};
    logs->cli = cli;
    lb_clock_fixed_init(&logs->clock, FIRST_MS);
    assert_ok(lb_sign_key_from_seed(seed, &logs->key));
    logs->broker = open_log(logs, BROKER, broker, logs->broker_folder);
    logs->tax = open_log(logs, TAX, tax, logs->tax_folder);
}

static void begin(struct test_cli *cli, struct logs *logs)
{
    begin_as(cli, logs, "broker", "tax");
}

/* A read whose entry the adapter has with this code, or not at all for NULL. */
static void put_read(struct logs *logs, uint8_t txn, const char *code)
{
    struct lb_hash hash;
    lb_reconcile_counterpart("spiffe://" TAX, &hash);
    hash = put(logs->broker, LB_LEAF_ROUTE, txn, "ROUTED", &hash);
    if (code != NULL)
        hash = put(logs->tax, LB_LEAF_READ, txn, code, &hash);
    (void)put(logs->broker, LB_LEAF_DELIVER, txn, "ANSWERED", &hash);
    logs->clock.now_unix_ms += 3600000;
}

static void end(struct logs *logs)
{
    lb_log_close(logs->broker);
    lb_log_close(logs->tax);
    lb_sign_key_free(logs->key);
}

static void what_matches_says_so(void **state)
{
    struct test_cli *cli = *state;
    struct logs logs;
    begin(cli, &logs);
    for (uint8_t txn = 1; txn <= 3; txn++)
        put_read(&logs, txn, "ANSWERED");
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder), 0);
    assert_non_null(strstr(cli->out, TAX));
    assert_int_equal(RECONCILE(cli, logs.tax_folder, logs.broker_folder, "--json"), 0);
    struct lb_json *json = test_json(cli);
    bool reconciled = false;
    assert_ok(lb_json_get_bool(json, "reconciled", &reconciled));
    assert_true(reconciled);
    lb_json_free(json);
    end(&logs);
}

static void differences_are_named(void **state)
{
    struct test_cli *cli = *state;
    struct logs logs;
    begin(cli, &logs);
    put_read(&logs, 1, "ANSWERED");
    put_read(&logs, 2, NULL);
    put_read(&logs, 3, "VIEW_CLOSED");
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder), 1);
    assert_non_null(strstr(cli->out, "MISSING_ADAPTER"));
    assert_non_null(strstr(cli->out, "FIELD_DIFF"));
    assert_non_null(strstr(cli->out, "02010000000000000000000000000000"));
    assert_non_null(strstr(cli->out, "Verify the department's log"));
    assert_int_equal(
        RECONCILE(cli, logs.broker_folder, logs.tax_folder, "--language", "zh"), 1);
    assert_non_null(strstr(cli->out, "请对照见证方验证部门日志"));
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder, "--json"), 1);
    struct lb_json *json = test_json(cli);
    const struct lb_json *findings = NULL;
    struct lb_span class = LB_SPAN_EMPTY;
    int64_t index = -1;
    assert_ok(lb_json_get_array(json, "findings", &findings));
    assert_int_equal(lb_json_len(findings), 2);
    assert_ok(lb_json_get_str(lb_json_at(findings, 0), "class", &class));
    assert_true(lb_span_is(class, "MISSING_ADAPTER"));
    assert_ok(lb_json_get_int(lb_json_at(findings, 0), "broker_index", &index));
    assert_int_equal(index, 3);
    lb_json_free(json);
    end(&logs);
}

static void a_range_leaves_the_rest_out(void **state)
{
    struct test_cli *cli = *state;
    struct logs logs;
    begin(cli, &logs);
    put_read(&logs, 1, NULL);
    put_read(&logs, 2, "ANSWERED");
    put_read(&logs, 3, NULL);
    const char *broker = logs.broker_folder;
    const char *tax = logs.tax_folder;
    assert_int_equal(RECONCILE(cli, broker, tax), 1);
    assert_int_equal(RECONCILE(cli, broker, tax, "--since", "2026-07-01T10:30", "--until",
                               "2026-07-01T11:30"), 0);
    assert_int_equal(RECONCILE(cli, broker, tax, "--since", "2026-07-01T11:30"), 1);
    assert_int_equal(RECONCILE(cli, broker, tax, "--until", "2026-07-01T10:30"), 1);
    assert_int_equal(RECONCILE(cli, broker, tax, "--since", "2026-07-02"), 0);
    end(&logs);
}

static void a_read_of_another_adapter_is_not_judged(void **state)
{
    struct test_cli *cli = *state;
    struct logs logs;
    struct lb_hash hash;
    begin(cli, &logs);
    put_read(&logs, 1, "ANSWERED");
    lb_reconcile_counterpart("spiffe://" HEALTH, &hash);
    (void)put(logs.broker, LB_LEAF_ROUTE, 2, "ROUTED", &hash);
    (void)put(logs.broker, LB_LEAF_DELIVER, 2, "ANSWERED", &hash);
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder), 0);
    assert_non_null(strstr(cli->out, "1 reads went to adapters that were not compared"));
    /* One that was never routed is nobody's: the broker's own log contradicts itself. */
    (void)put(logs.broker, LB_LEAF_DELIVER, 3, "ANSWERED", &hash);
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder), 1);
    assert_non_null(strstr(cli->out, "MISSING_BROKER"));
    end(&logs);
}

/* --- parcels --- */

#define WINDOW "example/window/street"
#define DAY_MS (24 * 3600 * INT64_C(1000))

/* What is left out, or is another than it should be. */
enum fault {
    NONE,
    NO_SENT, OTHER_SENT, NO_HELD, FORGED_HELD, NO_DELIVERED, FORGED_DELIVERED, OTHER_SEALING,
    NO_HANDED,
    NUM_FAULTS
};

static struct lb_hash put_about(struct lb_log *log, const char *code, uint8_t sealing,
                                const struct lb_hash *peer)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    struct lb_hash sender, recipient;
    assert_non_null(entry);
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .txn = {9, 9}};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    memset(entry->leaf.request_hash, sealing, sizeof(entry->leaf.request_hash));
    if (peer != NULL)
        memcpy(entry->leaf.peer_leaf, peer->bytes, LB_HASH_BYTES);
    if (strcmp(code, "HELD") == 0) {
        lb_reconcile_counterpart("spiffe://" WINDOW, &sender);
        lb_reconcile_counterpart("spiffe://" TAX, &recipient);
        memcpy(entry->leaf.policy_hash, sender.bytes, LB_HASH_BYTES);
        memcpy(entry->leaf.answer_hash, recipient.bytes, LB_HASH_BYTES);
    }
    assert_ok(lb_log_append_wait(log, entry));
    struct lb_hash hash = entry->leaf_hash;
    free(entry);
    return hash;
}

/* A parcel from the window to the adapter, from the first entry to the last. */
static void put_parcel(struct logs *logs, struct lb_log *window, enum fault fault)
{
    const struct lb_hash wrong = {{5}};
    struct lb_hash held = {{6}}, taken = {{7}};
    if (fault != NO_SENT)
        (void)put_about(window, "SENT", fault == OTHER_SENT ? 2 : 1, NULL);
    if (fault != NO_HELD)
        held = put_about(logs->broker, "HELD", 1, NULL);
    if (fault != NO_DELIVERED)
        taken = put_about(logs->tax, "DELIVERED", fault == OTHER_SEALING ? 3 : 1,
                          fault == FORGED_HELD ? &wrong : &held);
    if (fault != NO_HANDED)
        (void)put_about(logs->broker, "HANDED", 1, fault == FORGED_DELIVERED ? &wrong : &taken);
}

static void parcels_are_compared(void **state)
{
    static const char *const found[NUM_FAULTS] = {
        [NO_SENT] = "PARCEL_MISSING_SENDER",       [OTHER_SENT] = "PARCEL_MISSING_SENDER",
        [NO_HELD] = "PARCEL_MISSING_BROKER",       [FORGED_HELD] = "PARCEL_CHANGED_ENTRY",
        [NO_DELIVERED] = "PARCEL_MISSING_RECIPIENT", [FORGED_DELIVERED] = "PARCEL_CHANGED_ENTRY",
        [OTHER_SEALING] = "PARCEL_CHANGED_ENTRY",  [NO_HANDED] = "PARCEL_UNCLOSED",
    };
    struct test_cli *cli = *state;
    for (int fault = NONE; fault < NUM_FAULTS; fault++) {
        struct logs logs;
        char window_folder[300], broker_name[16], tax_name[16], window_name[16];
        (void)snprintf(broker_name, sizeof(broker_name), "broker-%d", fault);
        (void)snprintf(tax_name, sizeof(tax_name), "tax-%d", fault);
        (void)snprintf(window_name, sizeof(window_name), "window-%d", fault);
        begin_as(cli, &logs, broker_name, tax_name);
        struct lb_log *window = open_log(&logs, WINDOW, window_name, window_folder);
        put_parcel(&logs, window, (enum fault)fault);
        cli->clock.now_unix_ms = logs.clock.now_unix_ms + 2 * DAY_MS;
        int code = RECONCILE(cli, logs.broker_folder, logs.tax_folder, window_folder);
        assert_int_equal(code, fault == NONE ? 0 : 1);
        if (fault == NONE)
            assert_non_null(strstr(cli->out, "1 parcels were compared too"));
        else if (strstr(cli->out, found[fault]) == NULL)
            fail_msg("fault %d: %s is missing in:\n%s", fault, found[fault], cli->out);
        if (fault == NO_DELIVERED)
            assert_non_null(strstr(cli->out, TAX)); /* whose entry is missing */
        /* Who is not at hand is not missed. */
        code = RECONCILE(cli, logs.broker_folder, logs.tax_folder, "--json");
        assert_int_equal(code, fault <= OTHER_SENT ? 0 : 1);
        lb_log_close(window);
        end(&logs);
    }
}

static const char OFFICER[] = "node: spiffe://example/officer/tax/li\n"
                              "identity: {cert: cert.pem, key: key.pem, ca: ca.pem}\n"
                              "crl: crl.pem\n"
                              "directory: {file: d.note, signers: [\"example+01020304+AQ\"]}\n"
                              "adapter: spiffe://" TAX "\n"
                              "state: state\n";

/* The same logs, asked for: both, or one that is at hand and the other. */
static void an_officer_asks_the_nodes(void **state)
{
    struct test_cli *cli = *state;
    struct logs logs;
    char profile[400];
    begin(cli, &logs);
    put_read(&logs, 1, "ANSWERED");
    put_read(&logs, 2, NULL);
    cli->clock.now_unix_ms = logs.clock.now_unix_ms;
    (void)snprintf(profile, sizeof(profile), "%s", test_file(cli, "officer.yaml", OFFICER));
    assert_int_equal(RECONCILE(cli, "--officer", profile), 1);
    assert_non_null(strstr(cli->out, "MISSING_ADAPTER"));
    assert_int_equal(RECONCILE(cli, "--officer", profile, logs.tax_folder), 1);
    assert_int_equal(RECONCILE(cli, "--officer", profile, logs.broker_folder), 1);
    assert_int_equal(RECONCILE(cli, "--officer", profile, "--until", "2026-07-01T10:30"), 0);
    assert_int_equal(RECONCILE(cli, "--officer", profile, "--since", "2026-07-02"), 2);
    cli->evidence_code = LB_ROLE_NOT_ALLOWED;
    assert_int_equal(RECONCILE(cli, "--officer", profile), 2);
    assert_non_null(strstr(cli->err, "spiffe://" BROKER " and spiffe://" TAX));
    assert_int_equal(RECONCILE(cli, "--officer", profile, logs.tax_folder, logs.broker_folder), 2);
    assert_int_equal(cli->num_opened, 0);
    end(&logs);
}

static void what_cannot_be_compared_is_no_match(void **state)
{
    struct test_cli *cli = *state;
    struct logs logs;
    begin(cli, &logs);
    assert_int_equal(RECONCILE(cli, logs.broker_folder), 2);
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.broker_folder), 2);
    assert_int_equal(RECONCILE(cli, logs.tax_folder, logs.tax_folder), 2);
    assert_int_equal(RECONCILE(cli, logs.broker_folder, cli->folder), 2);
    assert_non_null(strstr(cli->err, cli->folder));
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder, "--since", "soon"), 2);
    assert_int_equal(RECONCILE(cli, logs.broker_folder, logs.tax_folder, "--since", "2026-07-02",
                               "--until", "2026-07-01"), 2);
    end(&logs);
}

#define WITH_CLI(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLI(what_matches_says_so),
        WITH_CLI(differences_are_named),
        WITH_CLI(a_range_leaves_the_rest_out),
        WITH_CLI(parcels_are_compared),
        WITH_CLI(a_read_of_another_adapter_is_not_judged),
        WITH_CLI(an_officer_asks_the_nodes),
        WITH_CLI(what_cannot_be_compared_is_no_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
