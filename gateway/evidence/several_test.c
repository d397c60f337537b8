#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/several.h"

/* Two brokers and an adapter, in sets as they would be gathered. */

#define NOON_MS (INT64_C(1763700000000) / 60000 * 60000)
#define MINUTE_MS INT64_C(60000)
#define ADAPTER "spiffe://test.gov/adapter/tax"
#define NUM 2

enum { A, B };

struct world {
    struct lb_reconcile_set brokers[NUM];
    struct lb_reconcile_set adapter;
    uint64_t next_index;
    uint64_t found[NUM][LB_RECONCILE_NUM_CLASSES];
    struct lb_reconcile_run runs[NUM];
};

struct noting {
    struct world *world;
    size_t broker;
};

static struct lb_hash put(struct world *world, struct lb_reconcile_set *set, enum lb_leaf_type type,
                          uint8_t txn, const char *code, const struct lb_hash *peer)
{
    struct lb_leaf leaf = {.type = type, .time_ms = NOON_MS + txn * MINUTE_MS, .count = 1};
    struct lb_hash hash;
    char text[32];
    memset(leaf.txn, txn, sizeof(leaf.txn));
    memcpy(leaf.peer_leaf, peer->bytes, LB_HASH_BYTES);
    (void)snprintf(leaf.code, sizeof(leaf.code), "%s", code);
    (void)snprintf(text, sizeof(text), "entry %llu", (unsigned long long)world->next_index);
    lb_sha256(lb_span_str(text), hash.bytes);
    assert_null(lb_reconcile_set_add(set, world->next_index++, &leaf, &hash));
    return hash;
}

static struct lb_hash route(struct world *world, size_t broker, uint8_t txn)
{
    struct lb_hash counterpart;
    lb_reconcile_counterpart(ADAPTER, &counterpart);
    return put(world, &world->brokers[broker], LB_LEAF_ROUTE, txn, "ROUTED", &counterpart);
}

/* A read through one broker, as it should be. */
static void whole(struct world *world, size_t broker, uint8_t txn, const char *code)
{
    struct lb_hash hash = route(world, broker, txn);
    hash = put(world, &world->adapter, LB_LEAF_READ, txn, code, &hash);
    (void)put(world, &world->brokers[broker], LB_LEAF_DELIVER, txn, code, &hash);
}

static void note(void *arg, const struct lb_reconcile_finding *finding)
{
    const struct noting *noting = arg;
    noting->world->found[noting->broker][finding->class]++;
}

static lb_status away(const void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                      struct lb_minute_digest **out_digests, size_t *out_num)
{
    (void)ctx;
    (void)from;
    (void)to;
    (void)arena;
    (void)out_digests;
    (void)out_num;
    LB_FAIL(LB_UNAVAILABLE, "test");
}

static lb_status compare(struct world *world, bool with_b)
{
    struct lb_reconcile_local locals[NUM + 1];
    struct lb_reconcile_side sides[NUM + 1];
    struct noting notings[NUM];
    struct lb_reconcile_set *sets[] = {&world->brokers[A], &world->brokers[B], &world->adapter};
    for (size_t i = 0; i < NUM + 1; i++) {
        assert_null(lb_reconcile_set_sort(sets[i]));
        locals[i] = (struct lb_reconcile_local){sets[i], NOON_MS + 600 * MINUTE_MS};
        sides[i] = lb_reconcile_local_side(&locals[i]);
    }
    for (size_t i = 0; i < NUM; i++) {
        notings[i] = (struct noting){world, i};
        world->runs[i] = (struct lb_reconcile_run){.found = note, .arg = &notings[i]};
    }
    if (!with_b)
        sides[B].digests = away;
    const struct lb_reconcile_several several = {
        .adapter = sides[NUM],
        .brokers = sides,
        .num_brokers = NUM,
        .from_minute = NOON_MS / MINUTE_MS - 2000,
        .to_minute = NOON_MS / MINUTE_MS + 1000,
        .now_ms = NOON_MS + 600 * MINUTE_MS,
        .runs = world->runs,
    };
    return lb_reconcile_several_run(&several);
}

static void assert_found(const struct world *world, size_t broker, enum lb_reconcile_class class,
                         uint64_t num)
{
    for (int i = 0; i < LB_RECONCILE_NUM_CLASSES; i++)
        assert_int_equal(world->found[broker][i], (int)class == i ? num : 0);
}

static int setup(void **state)
{
    static struct world world;
    memset(&world, 0, sizeof(world));
    whole(&world, A, 1, "ANSWERED");
    whole(&world, B, 2, "ANSWERED");
    whole(&world, A, 3, "GRANT_EXPIRED");
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    lb_reconcile_set_free(&world->brokers[A]);
    lb_reconcile_set_free(&world->brokers[B]);
    lb_reconcile_set_free(&world->adapter);
    return 0;
}

static void each_has_its_own(void **state)
{
    struct world *world = *state;
    assert_null(compare(world, true));
    assert_found(world, A, LB_RECONCILE_MATCH, 0);
    assert_found(world, B, LB_RECONCILE_MATCH, 0);
    assert_int_equal(world->runs[A].tally.counts[LB_RECONCILE_MATCH], 2);
    assert_int_equal(world->runs[B].tally.counts[LB_RECONCILE_MATCH], 1);
}

/* The same request through both: answered once, refused once, and both say so. */
static void what_both_have_sent(void **state)
{
    struct world *world = *state;
    whole(world, A, 9, "ANSWERED");
    whole(world, B, 9, "REPLAY");
    assert_null(compare(world, true));
    assert_found(world, A, LB_RECONCILE_MATCH, 0);
    assert_found(world, B, LB_RECONCILE_MATCH, 0);
}

static void what_no_broker_has(void **state)
{
    struct world *world = *state;
    const struct lb_hash nobodys = {{7}};
    (void)put(world, &world->adapter, LB_LEAF_READ, 5, "ANSWERED", &nobodys);
    assert_null(compare(world, true));
    assert_found(world, A, LB_RECONCILE_MISSING_BROKER, 1);
    assert_found(world, B, LB_RECONCILE_MATCH, 0);
}

static void what_the_adapter_lacks(void **state)
{
    struct world *world = *state;
    struct lb_hash hash = route(world, B, 5);
    (void)put(world, &world->brokers[B], LB_LEAF_DELIVER, 5, "ANSWERED", &hash);
    assert_null(compare(world, true));
    assert_found(world, A, LB_RECONCILE_MATCH, 0);
    assert_found(world, B, LB_RECONCILE_MISSING_ADAPTER, 1);
}

/* A broker that died has no end of what it had routed, and the adapter's half is there. */
static void what_a_dead_broker_left(void **state)
{
    struct world *world = *state;
    struct lb_hash hash = route(world, B, 5);
    (void)put(world, &world->adapter, LB_LEAF_READ, 5, "ANSWERED", &hash);
    (void)route(world, B, 6);
    whole(world, A, 7, "ANSWERED");
    assert_null(compare(world, true));
    assert_found(world, A, LB_RECONCILE_MATCH, 0);
    assert_found(world, B, LB_RECONCILE_UNCLOSED, 2);
}

/* Its ROUTE entry written anew: told of the broker that has the txn. */
static void what_a_broker_wrote_anew(void **state)
{
    struct world *world = *state;
    const struct lb_hash other = {{9}};
    (void)route(world, B, 5);
    struct lb_hash hash = put(world, &world->adapter, LB_LEAF_READ, 5, "ANSWERED", &other);
    (void)put(world, &world->brokers[B], LB_LEAF_DELIVER, 5, "ANSWERED", &hash);
    assert_null(compare(world, true));
    assert_found(world, A, LB_RECONCILE_MATCH, 0);
    assert_found(world, B, LB_RECONCILE_DIGEST_DIFF, 1);
}

static void nothing_is_concluded_without_all(void **state)
{
    struct world *world = *state;
    const struct lb_hash nobodys = {{7}};
    (void)put(world, &world->adapter, LB_LEAF_READ, 5, "ANSWERED", &nobodys);
    assert_int_equal(lb_status_code(compare(world, false)), LB_UNAVAILABLE);
    assert_found(world, A, LB_RECONCILE_MATCH, 0);
    assert_found(world, B, LB_RECONCILE_MATCH, 0);
}

#define WITH_WORLD(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(each_has_its_own),          WITH_WORLD(what_both_have_sent),
        WITH_WORLD(what_no_broker_has),        WITH_WORLD(what_the_adapter_lacks),
        WITH_WORLD(what_a_dead_broker_left),   WITH_WORLD(what_a_broker_wrote_anew),
        WITH_WORLD(nothing_is_concluded_without_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
