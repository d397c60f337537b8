#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/x509.h"
#include "gateway/services/status_service.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"
#include "tests/support/federation.h"

/* How a broker stands with everybody: who is told, whom it shows, what it has seen. */

#define BROKER "spiffe://test.gov/broker/operator"
#define SECOND "spiffe://test.gov/broker/operator/2"
#define OFFICER "spiffe://test.gov/officer/operator/li"
#define FOREIGN_BROKER "spiffe://test.gov/broker/other"
#define FOREIGN_OFFICER "spiffe://test.gov/officer/tax/wang"
#define ADAPTER "spiffe://test.gov/adapter/tax"
#define AWAY "spiffe://test.gov/adapter/housing"
#define WINDOW "spiffe://test.gov/window/hall"
#define AUDITOR "spiffe://test.gov/auditor/audit"

struct hub {
    struct federation fed;
    struct fed_party party;
    struct lb_workers *workers;
    struct lb_log *log;
    struct lb_clock_fixed clock;
    struct lb_sightings *sightings;
    struct lb_exchange *exchange;
    struct lb_status_service service;
    struct lb_rpc_method method;
    struct lb_arena *arena;
};

static void open_log(struct hub *hub)
{
    struct lb_diag diag = {""};
    const struct lb_log_options options = {.folder = fed_path(&hub->fed, "log"),
                                           .origin = lb_spiffe_log_origin(BROKER),
                                           .key = hub->party.log_key,
                                           .clock = lb_clock_system(),
                                           .create = true};
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &hub->log));
}

static void open_exchange(struct hub *hub)
{
    const struct lb_exchange_options options = {.self = BROKER,
                                                .trust = hub->fed.trust,
                                                .log = hub->log,
                                                .workers = hub->workers,
                                                .clock = lb_clock_system(),
                                                .seen_folder = fed_path(&hub->fed, "seen")};
    assert_ok(lb_file_mkdirs(options.seen_folder));
    assert_ok(lb_exchange_new(&options, &hub->exchange));
}

static int setup(void **state)
{
    static struct hub hub;
    static const char *const organizations[] = {"operator", "other", "tax", "housing",
                                                "hall",     "audit", NULL};
    const struct fed_node nodes[] = {
        {BROKER, &hub.party},  {SECOND, &hub.party},          {OFFICER, &hub.party},
        {FOREIGN_BROKER, &hub.party}, {FOREIGN_OFFICER, &hub.party}, {ADAPTER, &hub.party},
        {AWAY, &hub.party},    {WINDOW, &hub.party},          {AUDITOR, &hub.party},
    };
    const struct fed_options options = {.nodes = nodes, .num_nodes = 9,
                                        .organizations = organizations};
    hub = (struct hub){.log = NULL};
    fed_setup(&hub.fed, "status");
    fed_party_make(&hub.party);
    fed_open(&hub.fed, &options);
    assert_ok(lb_workers_new(1, 16, &hub.workers));
    open_log(&hub);
    open_exchange(&hub);
    lb_clock_fixed_init(&hub.clock, lb_clock_unix_ms(lb_clock_system()));
    hub.sightings = lb_sightings_new(&hub.clock.clock);
    hub.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    hub.service = (struct lb_status_service){
        .self = BROKER, .organization = "operator", .version = "9.9", .exchange = hub.exchange,
        .log = hub.log, .trust = hub.fed.trust, .sightings = hub.sightings,
        .clock = &hub.clock.clock};
    lb_status_service_methods(&hub.service, &hub.method);
    *state = &hub;
    return 0;
}

static int teardown(void **state)
{
    struct hub *hub = *state;
    lb_arena_free(hub->arena);
    lb_exchange_free(hub->exchange);
    lb_workers_free(hub->workers);
    lb_sightings_free(hub->sightings);
    lb_log_close(hub->log);
    fed_party_free(&hub->party);
    fed_teardown(&hub->fed);
    return 0;
}

static enum lb_code ask(struct hub *hub, const char *caller, Lianban__V1__GetStatusResponse **out)
{
    const struct lb_rpc_peer peer = {.spiffe = caller};
    const struct lb_rpc_call_info info = {.method = hub->method.path, .peer = &peer};
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status =
        hub->method.unary(hub->method.ctx, &info, LB_SPAN_EMPTY, hub->arena, &reply);
    if (status == LB_OK)
        assert_ok(lb_pb_unpack(&lianban__v1__get_status_response__descriptor, reply, hub->arena,
                               out));
    return lb_status_code(status);
}

static const Lianban__V1__MemberStatus *member(const Lianban__V1__GetStatusResponse *response,
                                               const char *spiffe)
{
    for (size_t i = 0; i < response->n_members; i++) {
        if (strcmp(response->members[i]->spiffe, spiffe) == 0)
            return response->members[i];
    }
    return NULL;
}

static uint64_t log_size(struct hub *hub)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(hub->log, hub->arena, &head));
    return head.size;
}

static void test_only_the_operator(void **state)
{
    static const char *const others[] = {FOREIGN_BROKER, FOREIGN_OFFICER, ADAPTER, WINDOW,
                                         AUDITOR, "spiffe://test.gov/broker/unlisted", ""};
    static const char *const own[] = {BROKER, SECOND, OFFICER};
    struct hub *hub = *state;
    Lianban__V1__GetStatusResponse *response = NULL;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        assert_code(ask(hub, own[i], &response), LB_CODE_OK);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_code(ask(hub, others[i], &response), LB_ROLE_NOT_ALLOWED);
    lb_log_close(hub->log); /* what was counted is written then */
    hub->log = NULL;
    lb_exchange_free(hub->exchange);
    hub->exchange = NULL;
    open_log(hub);
    assert_true(log_size(hub) >= sizeof(others) / sizeof(others[0]));
}

static void test_everybody_but_officers_is_shown(void **state)
{
    struct hub *hub = *state;
    Lianban__V1__GetStatusResponse *response = NULL;
    assert_code(ask(hub, OFFICER, &response), LB_CODE_OK);
    assert_string_equal(response->broker, BROKER);
    assert_string_equal(response->version, "9.9");
    assert_string_equal(response->log_state, "ok");
    assert_int_equal(response->unix_ms, hub->clock.now_unix_ms);
    assert_int_equal(response->directory_version, 1);
    assert_int_equal(response->n_members, 7);
    assert_null(member(response, OFFICER));
    const Lianban__V1__MemberStatus *adapter = member(response, ADAPTER);
    assert_non_null(adapter);
    assert_false(adapter->linked);
    assert_string_equal(adapter->quarantine, "");
    assert_int_equal(adapter->seen_unix_ms, 0);
    assert_int_equal(adapter->changed_unix_ms, 0);
}

static struct lb_span issue(struct hub *hub, const char *spiffe, int64_t lifetime_s)
{
    static const struct lb_ca_name name = {"Test", "Another CA"};
    struct lb_span ca = LB_SPAN_EMPTY, ca_key = LB_SPAN_EMPTY, cert = LB_SPAN_EMPTY,
                   key = LB_SPAN_EMPTY;
    int64_t now = lb_clock_unix_s(&hub->clock.clock);
    const struct lb_ca_issue_options options = {
        .spiffe = spiffe, .now_unix_s = now, .lifetime_s = lifetime_s};
    assert_ok(lb_ca_create(&name, now, 100, hub->arena, &ca, &ca_key));
    assert_ok(lb_ca_issue(ca, ca_key, &options, hub->arena, &cert, &key));
    return cert;
}

static void test_who_was_seen(void **state)
{
    struct hub *hub = *state;
    Lianban__V1__GetStatusResponse *response = NULL;
    int64_t now = hub->clock.now_unix_ms;
    const struct lb_rpc_peer old = {WINDOW, issue(hub, WINDOW, 3600)};
    const struct lb_rpc_peer renewed = {WINDOW, issue(hub, WINDOW, 7200)};
    const struct lb_rpc_peer nobody = {"", LB_SPAN_EMPTY};
    const struct lb_rpc_peer garbage = {AUDITOR, lb_span_str("no certificate")};
    lb_sightings_note(hub->sightings, &old);
    lb_sightings_note(hub->sightings, &renewed); /* too soon to be looked at again */
    lb_sightings_note(hub->sightings, &nobody);
    lb_sightings_note(hub->sightings, &garbage);
    lb_sightings_note(NULL, &old);
    assert_code(ask(hub, BROKER, &response), LB_CODE_OK);
    const Lianban__V1__MemberStatus *window = member(response, WINDOW);
    assert_int_equal(window->seen_unix_ms, now);
    assert_int_equal(window->certificate_not_after_unix_s, now / 1000 + 3600);
    assert_int_equal(member(response, AUDITOR)->certificate_not_after_unix_s, 0);
    hub->clock.now_unix_ms += 1500;
    lb_sightings_note(hub->sightings, &renewed);
    assert_code(ask(hub, BROKER, &response), LB_CODE_OK);
    window = member(response, WINDOW);
    assert_int_equal(window->seen_unix_ms, now + 1500);
    assert_int_equal(window->certificate_not_after_unix_s, now / 1000 + 7200);
}

static void test_a_full_table(void **state)
{
    struct hub *hub = *state;
    const struct lb_span cert = issue(hub, WINDOW, 3600);
    struct lb_sighting found;
    char name[LB_MAX_SPIFFE_BYTES];
    for (int i = 0; i < LB_MAX_SIGHTINGS + 10; i++) {
        (void)snprintf(name, sizeof(name), "spiffe://test.gov/window/w%d", i);
        const struct lb_rpc_peer peer = {name, cert};
        lb_sightings_note(hub->sightings, &peer);
        assert_int_equal(lb_sightings_find(hub->sightings, name, &found),
                         i < LB_MAX_SIGHTINGS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_the_operator, setup, teardown),
        cmocka_unit_test_setup_teardown(test_everybody_but_officers_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_was_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_table, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
