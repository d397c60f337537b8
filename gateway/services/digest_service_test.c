#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/evidence/digests.h"
#include "gateway/services/digest_service.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"
#include "tests/support/federation.h"

/* Who gets which entries of another member's log, and who gets none. */

#define BROKER "spiffe://test.gov/broker/hub"
#define SECOND "spiffe://test.gov/broker/second"
#define TAX "spiffe://test.gov/adapter/tax"
#define HEALTH "spiffe://test.gov/adapter/health"
#define WINDOW "spiffe://test.gov/window/street"
#define OFFICE "spiffe://test.gov/consent/hall"
#define AUDITOR "spiffe://test.gov/auditor/audit"
#define TAX_OFFICER "spiffe://test.gov/officer/tax/li"
#define HUB_OFFICER "spiffe://test.gov/officer/hub/wang"
#define STREET_OFFICER "spiffe://test.gov/officer/street/zhao"
#define NOW_MS INT64_C(1763700000000)
#define MINUTE (NOW_MS / 60000)

struct ground {
    struct federation fed;
    struct fed_party party;
    struct lb_clock_fixed clock;
    struct lb_log *log;
    struct lb_digest_service service;
    struct lb_rpc_method methods[LB_DIGEST_METHODS];
};

static void put(struct ground *ground, enum lb_leaf_type type, uint8_t txn, const char *adapter)
{
    struct lb_log_entry entry = {
        .leaf = {.type = type, .code = "ANSWERED", .txn = {txn, 1}}};
    struct lb_hash counterpart;
    if (adapter != NULL) {
        lb_reconcile_counterpart(adapter, &counterpart);
        memcpy(entry.leaf.peer_leaf, counterpart.bytes, LB_HASH_BYTES);
    }
    assert_ok(lb_log_append_wait(ground->log, &entry));
}

static void open_log(struct ground *ground)
{
    struct lb_diag diag = {""};
    lb_clock_fixed_init(&ground->clock, NOW_MS);
    const struct lb_log_options options = {
        .folder = fed_path(&ground->fed, "log"),
        .origin = "test.gov/broker/hub",
        .key = ground->party.log_key,
        .clock = &ground->clock.clock,
        .create = true,
    };
    assert_ok(lb_log_open(&options, &diag, &ground->log));
    for (uint8_t txn = 1; txn <= 8; txn++) {
        put(ground, LB_LEAF_ROUTE, txn, txn % 2 == 0 ? TAX : HEALTH);
        put(ground, LB_LEAF_DELIVER, txn, NULL);
    }
    put(ground, LB_LEAF_READ, 9, NULL);
}

static void open_ground(struct ground *ground, bool two_brokers)
{
    static const char *const organizations[] = {"hub",    "second", "tax",   "health",
                                                "street", "hall",   "audit", NULL};
    const struct fed_node nodes[] = {
        {BROKER, &ground->party},        {TAX, &ground->party},
        {HEALTH, &ground->party},        {WINDOW, &ground->party},
        {OFFICE, &ground->party},        {AUDITOR, &ground->party},
        {TAX_OFFICER, &ground->party},   {HUB_OFFICER, &ground->party},
        {STREET_OFFICER, &ground->party}, {SECOND, &ground->party},
    };
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = two_brokers ? 10 : 9, .organizations = organizations};
    fed_setup(&ground->fed, "digests");
    fed_party_make(&ground->party);
    fed_open(&ground->fed, &options);
    open_log(ground);
    ground->service = (struct lb_digest_service){
        .self = BROKER,
        .folder = fed_path(&ground->fed, "log"),
        .trust = ground->fed.trust,
        .log = ground->log,
        .clock = &ground->clock.clock,
    };
    lb_digest_service_init(&ground->service);
    lb_digest_service_methods(&ground->service, ground->methods);
}

static int setup(void **state)
{
    static struct ground ground;
    open_ground(&ground, false);
    *state = &ground;
    return 0;
}

static int setup_two(void **state)
{
    static struct ground ground;
    open_ground(&ground, true);
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_digest_service_cleanup(&ground->service);
    lb_log_close(ground->log);
    fed_party_free(&ground->party);
    fed_teardown(&ground->fed);
    return 0;
}

static lb_status call(struct ground *ground, size_t method, const char *peer,
                      struct lb_span request, struct lb_span *reply)
{
    const struct lb_rpc_peer who = {.spiffe = peer};
    const struct lb_rpc_call_info info = {.peer = &who};
    const struct lb_rpc_method *called = &ground->methods[method];
    return called->unary(called->ctx, &info, request, ground->fed.arena, reply);
}

static lb_status digests(struct ground *ground, const char *peer, int64_t from, int64_t to,
                         uint32_t *out_count)
{
    Lianban__V1__GetDigestsRequest ask = LIANBAN__V1__GET_DIGESTS_REQUEST__INIT;
    struct lb_minute_digest *found = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    size_t num = 0;
    int64_t end = 0;
    ask.from_minute = from;
    ask.to_minute = to;
    assert_ok(lb_pb_pack(&ask, ground->fed.arena, &bytes));
    LB_TRY(call(ground, 0, peer, bytes, &reply));
    assert_ok(lb_digests_parse(reply, from, to, ground->fed.arena, &found, &num, &end));
    *out_count = num == 0 ? 0 : found[0].count;
    return LB_OK;
}

static lb_status entries(struct ground *ground, const char *peer, int64_t minute,
                         uint64_t from_index, struct lb_reconcile_set *out)
{
    Lianban__V1__GetDigestEntriesRequest ask = LIANBAN__V1__GET_DIGEST_ENTRIES_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    uint64_t next = 0;
    ask.minute = minute;
    ask.from_index = from_index;
    assert_ok(lb_pb_pack(&ask, ground->fed.arena, &bytes));
    LB_TRY(call(ground, 1, peer, bytes, &reply));
    return lb_digest_entries_parse(reply, minute, from_index, out, &next);
}

static void assert_sees(struct ground *ground, const char *peer, uint32_t num_reads,
                        size_t num_entries)
{
    struct lb_reconcile_set set = {.entries = NULL};
    uint32_t count = 0;
    assert_ok(digests(ground, peer, MINUTE, MINUTE + 1, &count));
    assert_int_equal(count, num_reads);
    assert_ok(entries(ground, peer, MINUTE, 0, &set));
    assert_int_equal(set.num, num_entries);
    lb_reconcile_set_free(&set);
}

static void assert_refused(struct ground *ground, const char *peer)
{
    struct lb_reconcile_set set = {.entries = NULL};
    uint32_t count = 0;
    assert_code(lb_status_code(digests(ground, peer, MINUTE, MINUTE + 1, &count)),
                LB_ROLE_NOT_ALLOWED);
    assert_code(lb_status_code(entries(ground, peer, MINUTE, 0, &set)), LB_ROLE_NOT_ALLOWED);
    assert_int_equal(set.num, 0);
}

static void a_broker_shows_each_its_own(void **state)
{
    struct ground *ground = *state;
    assert_sees(ground, TAX, 4, 8);
    assert_sees(ground, HEALTH, 4, 8);
    assert_sees(ground, TAX_OFFICER, 4, 8);
    assert_sees(ground, HUB_OFFICER, 9, 17);
    struct lb_reconcile_set set = {.entries = NULL};
    assert_ok(entries(ground, TAX, MINUTE, 0, &set));
    for (size_t i = 0; i < set.num; i++)
        assert_int_equal(set.entries[i].txn[0] % 2, 0);
    lb_reconcile_set_free(&set);
}

static void a_broker_shows_others_nothing(void **state)
{
    static const char *const others[] = {
        WINDOW, OFFICE, AUDITOR, STREET_OFFICER, BROKER, SECOND, "",
        "spiffe://test.gov/adapter/unlisted", "spiffe://test.gov/officer/tax/unlisted"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_refused(*state, others[i]);
}

static void an_adapter_shows_its_broker_only(void **state)
{
    static const char *const others[] = {HEALTH, TAX, WINDOW, OFFICE, AUDITOR, STREET_OFFICER};
    struct ground *ground = *state;
    ground->service.self = TAX;
    assert_sees(ground, BROKER, 9, 17);
    assert_sees(ground, HUB_OFFICER, 9, 17);
    assert_sees(ground, TAX_OFFICER, 9, 17);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_refused(ground, others[i]);
}

/* Its entries don't say which of the two sent a read. */
static void an_adapter_of_two_brokers_shows_neither(void **state)
{
    struct ground *ground = *state;
    ground->service.self = TAX;
    assert_refused(ground, BROKER);
    assert_refused(ground, SECOND);
    assert_refused(ground, HUB_OFFICER);
    assert_sees(ground, TAX_OFFICER, 9, 17);
}

static void other_nodes_have_no_counterpart(void **state)
{
    struct ground *ground = *state;
    ground->service.self = OFFICE;
    assert_refused(ground, BROKER);
    assert_refused(ground, TAX);
    ground->service.self = "spiffe://test.gov/adapter/unlisted";
    assert_refused(ground, BROKER);
}

static void odd_questions(void **state)
{
    static const int64_t ranges[][2] = {
        {MINUTE, MINUTE}, {MINUTE, MINUTE - 1}, {MINUTE, MINUTE + 1441}, {-1, 1},
        {INT64_MIN, INT64_MAX}, {0, INT64_MAX}, {INT64_MAX, INT64_MIN}, {-1441, -1}};
    struct ground *ground = *state;
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_span reply = LB_SPAN_EMPTY;
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        assert_code(lb_status_code(digests(ground, TAX, ranges[i][0], ranges[i][1], &count)),
                    LB_MALFORMED);
    assert_code(lb_status_code(entries(ground, TAX, -1, 0, &set)), LB_MALFORMED);
    assert_code(lb_status_code(entries(ground, TAX, INT64_MAX, 0, &set)), LB_MALFORMED);
    assert_ok(entries(ground, TAX, MINUTE, UINT64_MAX, &set));
    assert_int_equal(set.num, 0);
    for (size_t method = 0; method < LB_DIGEST_METHODS; method++)
        assert_code(lb_status_code(call(ground, method, TAX, lb_span_str("\xff\xff\xff"), &reply)),
                    LB_MALFORMED);
    /* and it goes on afterwards */
    assert_sees(ground, TAX, 4, 8);
}

static void one_is_answered_at_a_time(void **state)
{
    struct ground *ground = *state;
    uint32_t count = 0;
    (void)pthread_mutex_lock(&ground->service.reading);
    assert_code(lb_status_code(digests(ground, TAX, MINUTE, MINUTE + 1, &count)), LB_BUSY);
    (void)pthread_mutex_unlock(&ground->service.reading);
    assert_ok(digests(ground, TAX, MINUTE, MINUTE + 1, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_broker_shows_each_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broker_shows_others_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(an_adapter_shows_its_broker_only, setup, teardown),
        cmocka_unit_test_setup_teardown(an_adapter_of_two_brokers_shows_neither, setup_two,
                                        teardown),
        cmocka_unit_test_setup_teardown(other_nodes_have_no_counterpart, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_questions, setup, teardown),
        cmocka_unit_test_setup_teardown(one_is_answered_at_a_time, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
