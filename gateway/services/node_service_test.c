#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/services/node_service.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"
#include "tests/support/federation.h"

/* What a node tells of itself: the time and its directory to every member, the rest to its own. */

#define ADAPTER "spiffe://test.gov/adapter/tax"
#define OFFICER "spiffe://test.gov/officer/tax/li"
#define FOREIGN "spiffe://test.gov/officer/health/zhou"

struct house {
    struct federation fed;
    struct fed_party party;
    struct lb_clock_fixed clock;
    struct lb_node_service service;
    struct lb_rpc_method method;
    struct lb_arena *arena;
    bool fails;
};

static lb_status lists_of(void *ctx, struct lb_arena *arena, struct lb_held_list **out,
                          size_t *num)
{
    const struct house *house = ctx;
    LB_ENSURE(!house->fails, LB_NO_MEMORY, "no room");
    *out = lb_arena_alloc(arena, sizeof(**out));
    **out = (struct lb_held_list){"https://hall/status/1", "hall", 7, 1000, 2000};
    *num = 1;
    return LB_OK;
}

static int setup(void **state)
{
    static struct house house;
    static const char *const organizations[] = {"tax", "health", NULL};
    const struct fed_node nodes[] = {
        {ADAPTER, &house.party}, {OFFICER, &house.party}, {FOREIGN, &house.party}};
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = 3, .organizations = organizations};
    house = (struct house){.fails = false};
    fed_setup(&house.fed, "about");
    fed_party_make(&house.party);
    fed_open(&house.fed, &options);
    lb_clock_fixed_init(&house.clock, 1234567);
    house.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    house.service = (struct lb_node_service){"tax", "9.9", house.fed.trust, NULL,
                                             &house.clock.clock, {&house, lists_of}, NULL};
    lb_node_service_methods(&house.service, &house.method);
    *state = &house;
    return 0;
}

static int teardown(void **state)
{
    struct house *house = *state;
    lb_arena_free(house->arena);
    fed_party_free(&house->party);
    fed_teardown(&house->fed);
    return 0;
}

static enum lb_code ask_bytes(struct house *house, const char *caller, struct lb_span request,
                              Lianban__V1__AboutResponse **out)
{
    const struct lb_rpc_peer peer = {.spiffe = caller};
    const struct lb_rpc_call_info info = {.method = house->method.path, .peer = &peer};
    struct lb_span reply = LB_SPAN_EMPTY;
    lb_status status =
        house->method.unary(house->method.ctx, &info, request, house->arena, &reply);
    if (status == LB_OK)
        assert_ok(lb_pb_unpack(&lianban__v1__about_response__descriptor, reply, house->arena,
                               out));
    return lb_status_code(status);
}

static enum lb_code ask(struct house *house, const char *caller, Lianban__V1__AboutResponse **out)
{
    return ask_bytes(house, caller, LB_SPAN_EMPTY, out);
}

static void test_every_member(void **state)
{
    struct house *house = *state;
    Lianban__V1__AboutResponse *about = NULL;
    assert_string_equal(house->method.path, "/lianban.v1.Node/About");
    assert_code(ask(house, FOREIGN, &about), LB_CODE_OK);
    assert_int_equal(about->unix_ms, 1234567);
    assert_int_equal(about->directory_version, 1);
    struct lb_directory *directory = lb_trust_directory(house->fed.trust);
    assert_int_equal(about->directory_sha256.len, 32);
    assert_memory_equal(about->directory_sha256.data, directory->sha256, 32);
    lb_directory_unref(directory);
    assert_string_equal(about->version, "9.9");
    assert_int_equal(about->n_lists, 0);
    assert_string_equal(about->log_state, "");
}

static void test_its_own_people(void **state)
{
    struct house *house = *state;
    static const char *const callers[] = {ADAPTER, OFFICER, ""};
    for (size_t i = 0; i < 3; i++) {
        Lianban__V1__AboutResponse *about = NULL;
        assert_code(ask(house, callers[i], &about), LB_CODE_OK);
        assert_int_equal(about->n_lists, 1);
        assert_string_equal(about->lists[0]->uri, "https://hall/status/1");
        assert_string_equal(about->lists[0]->issuer, "hall");
        assert_int_equal(about->lists[0]->seq, 7);
        assert_int_equal(about->lists[0]->issued_unix_s, 1000);
        assert_int_equal(about->lists[0]->expires_unix_s, 2000);
    }
    house->service.lists.list = NULL;
    Lianban__V1__AboutResponse *about = NULL;
    assert_code(ask(house, OFFICER, &about), LB_CODE_OK);
    assert_int_equal(about->n_lists, 0);
}

static void test_refused(void **state)
{
    struct house *house = *state;
    Lianban__V1__AboutResponse *about = NULL;
    assert_code(ask_bytes(house, OFFICER, lb_span_str("\x0a\xff"), &about), LB_MALFORMED);
    house->fails = true;
    assert_code(ask(house, FOREIGN, &about), LB_CODE_OK);
    assert_code(ask(house, OFFICER, &about), LB_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_member, setup, teardown),
        cmocka_unit_test_setup_teardown(test_its_own_people, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
