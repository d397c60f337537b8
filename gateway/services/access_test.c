#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/services/access.h"
#include "tests/support/federation.h"

#define BROKER "spiffe://test.gov/broker/hub"

struct ground {
    struct federation fed;
    struct fed_party broker;
    struct lb_log *log;
};

static int setup(void **state)
{
    static struct ground ground;
    static const char *const organizations[] = {"hub", NULL};
    const struct fed_node nodes[] = {{BROKER, &ground.broker}};
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = 1, .organizations = organizations};
    struct lb_diag diag = {""};
    fed_setup(&ground.fed, "access");
    fed_party_make(&ground.broker);
    fed_open(&ground.fed, &options);
    const struct lb_log_options log = {
        .folder = fed_path(&ground.fed, "log"),
        .origin = lb_spiffe_log_origin(BROKER),
        .key = ground.broker.log_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    assert_ok(lb_file_mkdirs(log.folder));
    assert_ok(lb_log_open(&log, &diag, &ground.log));
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_log_close(ground->log);
    fed_party_free(&ground->broker);
    fed_teardown(&ground->fed);
    return 0;
}

/* How many refusals the log holds, and in how many entries, once there are as many as wanted. */
static void count_denials(struct ground *ground, uint32_t wanted, size_t *out_entries)
{
    uint32_t total = 0;
    for (int i = 0; i < 40 && total < wanted; i++) {
        struct lb_log_head head;
        total = 0;
        *out_entries = 0;
        (void)usleep(100000);
        assert_ok(lb_log_head(ground->log, ground->fed.arena, &head));
        for (uint64_t at = 0; at < head.size; at++) {
            struct lb_span bytes = LB_SPAN_EMPTY;
            struct lb_leaf leaf;
            assert_ok(lb_log_leaf(ground->log, at, ground->fed.arena, &bytes));
            assert_ok(lb_leaf_decode(bytes, &leaf));
            assert_int_equal(leaf.type, LB_LEAF_DENY);
            total += leaf.count;
            (*out_entries)++;
        }
    }
    assert_int_equal(total, wanted);
}

static void strangers_of_many_names_fill_no_log(void **state)
{
    struct ground *ground = *state;
    struct lb_access access = {.trust = ground->fed.trust, .log = ground->log};
    const struct lb_rpc_verifier verifier = lb_access_counting_verifier(&access);
    size_t num_entries = 0;
    for (int i = 0; i < 200; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "spiffe://test.gov/window/w-%d", i);
        const struct lb_rpc_peer peer = {name, lb_span_str("no certificate at all")};
        assert_code(lb_status_code(verifier.verify(verifier.ctx, &peer)), LB_PEER_UNVERIFIED);
    }
    count_denials(ground, 200, &num_entries);
    assert_true(num_entries <= 3); /* one a second, not one a name */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(strangers_of_many_names_fill_no_log, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
