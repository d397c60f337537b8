#include "gateway/evidence/reconcile_world.h"

#include <stdlib.h>

/* Every class, made by the change that it names, and what must not be taken for one. */

static int set_up(void **state)
{
    struct world *world = world_new();
    for (size_t i = 0; i < 40; i++) {
        (void)world_read(world, WORLD_DELIVERED);
        world->now_ms += i % 5 == 0 ? 59500 : 100;
    }
    (void)world_read(world, WORLD_REFUSED);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void what_is_whole_matches(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
    assert_int_equal(run.tally.counts[LB_RECONCILE_MATCH], 41);
    assert_true(run.num_equal >= 8);
    assert_int_equal(run.num_differing, 0);
}

static void only_the_minute_that_differs_is_looked_at(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    world_remove(&world->adapter, world_leaf(&world->adapter, LB_LEAF_READ, 20));
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 1);
    assert_int_equal(run.num_differing, 1);
    assert_int_equal(run.tally.counts[LB_RECONCILE_MATCH], 40);
}

static void a_read_gone_at_the_adapter(void **state)
{
    struct world *world = *state;
    const struct lb_leaf *deliver = world_leaf(&world->broker, LB_LEAF_DELIVER, 7);
    world_remove(&world->adapter, world_leaf(&world->adapter, LB_LEAF_READ, 7));
    const struct lb_reconcile_finding *finding =
        world_only(world, LB_RECONCILE_MISSING_ADAPTER, 0);
    assert_memory_equal(finding->txn, deliver->txn, 16);
    assert_true(finding->has_broker && !finding->has_adapter);
    assert_int_equal(finding->broker_index, deliver - world->broker.leaves);
    assert_int_equal(finding->time_ms, deliver->time_ms);
}

static void both_halves_gone_at_the_broker(void **state)
{
    struct world *world = *state;
    const struct lb_leaf *read = world_leaf(&world->adapter, LB_LEAF_READ, 3);
    world_remove(&world->broker, world_leaf(&world->broker, LB_LEAF_ROUTE, 3));
    world_remove(&world->broker, world_leaf(&world->broker, LB_LEAF_DELIVER, 3));
    const struct lb_reconcile_finding *finding =
        world_only(world, LB_RECONCILE_MISSING_BROKER, 0);
    assert_true(!finding->has_broker && finding->has_adapter);
    assert_int_equal(finding->adapter_index, read - world->adapter.leaves);
}

static void a_route_gone_at_the_broker(void **state)
{
    struct world *world = *state;
    world_remove(&world->broker, world_leaf(&world->broker, LB_LEAF_ROUTE, 3));
    (void)world_only(world, LB_RECONCILE_MISSING_BROKER, LB_RECONCILE_ROUTE_LEAF);
}

static void a_delivery_gone_at_the_broker(void **state)
{
    struct world *world = *state;
    world_remove(&world->broker, world_leaf(&world->broker, LB_LEAF_DELIVER, 3));
    const struct lb_reconcile_finding *finding = world_only(world, LB_RECONCILE_UNCLOSED, 0);
    assert_true(finding->has_broker && finding->has_adapter);
}

/* Signing anew does not help: the other side holds the hash of what was there. */
static void a_code_rewritten(void **state)
{
    struct world *world = *state;
    struct lb_leaf *read = world_leaf(&world->adapter, LB_LEAF_READ, 9);
    memcpy(read->code, "VIEW_CLOSED", 12);
    (void)world_only(world, LB_RECONCILE_FIELD_DIFF, LB_RECONCILE_CODE | LB_RECONCILE_READ_LEAF);
}

static void views_rewritten_at_the_broker(void **state)
{
    struct world *world = *state;
    struct lb_leaf *deliver = world_leaf(&world->broker, LB_LEAF_DELIVER, 9);
    memcpy(deliver->views, "tax.none", 9);
    (void)world_only(world, LB_RECONCILE_FIELD_DIFF, LB_RECONCILE_VIEWS);
}

static void a_request_rewritten(void **state)
{
    struct world *world = *state;
    world_leaf(&world->adapter, LB_LEAF_READ, 9)->request_hash[0] ^= 1;
    (void)world_only(world, LB_RECONCILE_FIELD_DIFF,
                     LB_RECONCILE_REQUEST | LB_RECONCILE_READ_LEAF);
}

static void an_answer_rewritten(void **state)
{
    struct world *world = *state;
    world_leaf(&world->adapter, LB_LEAF_READ, 9)->answer_hash[0] ^= 1;
    (void)world_only(world, LB_RECONCILE_DIGEST_DIFF,
                     LB_RECONCILE_ANSWER | LB_RECONCILE_READ_LEAF);
}

/* Nothing of it stands in the broker's entry, but its hash does. */
static void a_detail_rewritten(void **state)
{
    struct world *world = *state;
    world_leaf(&world->adapter, LB_LEAF_READ, 9)->detail_hash[0] ^= 1;
    (void)world_only(world, LB_RECONCILE_DIGEST_DIFF, LB_RECONCILE_READ_LEAF);
}

static void a_route_rewritten(void **state)
{
    struct world *world = *state;
    world_leaf(&world->broker, LB_LEAF_ROUTE, 9)->detail_hash[0] ^= 1;
    (void)world_only(world, LB_RECONCILE_DIGEST_DIFF, LB_RECONCILE_ROUTE_LEAF);
}

static void a_policy_rewritten(void **state)
{
    struct world *world = *state;
    world_leaf(&world->adapter, LB_LEAF_READ, 9)->policy_hash[0] ^= 1;
    (void)world_only(world, LB_RECONCILE_POLICY_DIFF,
                     LB_RECONCILE_POLICY | LB_RECONCILE_READ_LEAF);
}

static void an_invented_read(void **state)
{
    struct world *world = *state;
    (void)world_read(world, WORLD_LOST);
    world_remove(&world->broker, world_leaf(&world->broker, LB_LEAF_ROUTE, 41));
    (void)world_only(world, LB_RECONCILE_MISSING_BROKER, 0);
}

/* The adapter's clock is 90 s ahead: every entry is there, at times that cannot be. */
static void a_clock_that_is_wrong(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    struct world *late = world_new();
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        (void)world_read(late, WORLD_DELIVERED);
        late->adapter.leaves[i].time_ms += 90000;
        struct lb_leaf *deliver = world_leaf(&late->broker, LB_LEAF_DELIVER, i);
        struct lb_reconcile_set set = {.entries = NULL};
        world_set(&late->adapter, &set);
        for (size_t k = 0; k < set.num; k++) {
            if (set.entries[k].index == i)
                memcpy(deliver->peer_leaf, set.entries[k].hash.bytes, LB_HASH_BYTES);
        }
        lb_reconcile_set_free(&set);
    }
    world_compare(late, &run);
    assert_int_equal(late->num_findings, 20);
    assert_int_equal(run.tally.counts[LB_RECONCILE_CLOCK_SKEW], 20);
    assert_int_equal(late->findings[0].fields, LB_RECONCILE_TIME);
    free(late);
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
}

static void what_failed_is_no_difference(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    (void)world_read(world, WORLD_LATE);
    (void)world_read(world, WORLD_UNREACHED);
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
    assert_int_equal(run.tally.late, 1);
    assert_int_equal(run.tally.counts[LB_RECONCILE_MATCH], 42);
}

/* Its minute has nothing of the broker's: the ROUTE entry lies in the one before. */
static void an_answer_a_minute_late(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    (void)world_read(world, WORLD_LATE);
    world->adapter.leaves[world->adapter.num - 1].time_ms += 60000;
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
    assert_int_equal(run.tally.late, 1);
}

static void an_open_route(void **state)
{
    struct world *world = *state;
    (void)world_read(world, WORLD_OPEN);
    const struct lb_reconcile_finding *finding = world_only(world, LB_RECONCILE_UNCLOSED, 0);
    assert_true(finding->has_broker && !finding->has_adapter);
}

static void an_open_route_has_its_time(void **state)
{
    (void)state;
    assert_false(lb_reconcile_is_overdue(WORLD_NOW_MS, WORLD_NOW_MS));
    assert_false(lb_reconcile_is_overdue(WORLD_NOW_MS, WORLD_NOW_MS + 120000));
    assert_true(lb_reconcile_is_overdue(WORLD_NOW_MS, WORLD_NOW_MS + 120001));
    assert_false(lb_reconcile_is_overdue(WORLD_NOW_MS, 0));
}

/* The very same request sent once more has the same txn, and entries of its own. */
static void a_request_sent_twice(void **state)
{
    struct world *world = *state;
    world->last_txn--;
    (void)world_read(world, WORLD_REFUSED);
    struct lb_reconcile_run run;
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
    assert_int_equal(run.tally.counts[LB_RECONCILE_MATCH], 42);
    world_remove(&world->adapter, world_leaf(&world->adapter, LB_LEAF_READ, 41));
    (void)world_only(world, LB_RECONCILE_MISSING_ADAPTER, 0);
}

static void another_adapters_reads_are_left_out(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    uint32_t txn = world_read(world, WORLD_OPEN);
    struct lb_leaf *route = world_leaf(&world->broker, LB_LEAF_ROUTE, 41);
    assert_memory_equal(route->txn, &txn, sizeof(txn));
    route->peer_leaf[0] ^= 1;
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
}

/* One txn, used for two adapters: each sees its own. */
static void a_txn_used_for_two_adapters(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_run run;
    world->last_txn--;
    (void)world_read(world, WORLD_REFUSED);
    struct lb_leaf *route = world_leaf(&world->broker, LB_LEAF_ROUTE, 41);
    struct lb_leaf *deliver = world_leaf(&world->broker, LB_LEAF_DELIVER, 41);
    world_remove(&world->adapter, world_leaf(&world->adapter, LB_LEAF_READ, 41));
    route->peer_leaf[0] ^= 1;
    route->request_hash[0] ^= 1;
    deliver->request_hash[0] ^= 1;
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
}

/* Answered at 59.99 s and delivered in the next minute, at every place of the range. */
static void entries_on_either_side_of_a_minute(void **state)
{
    (void)state;
    struct world *world = world_new();
    struct lb_reconcile_run run;
    for (int64_t minute = -31; minute <= 31; minute++) {
        world->now_ms = WORLD_NOW_MS + minute * 60000 - 15;
        (void)world_read(world, minute % 3 == 0 ? WORLD_LATE : WORLD_DELIVERED);
    }
    world_compare(world, &run);
    assert_int_equal(world->num_findings, 0);
    assert_true(run.num_differing > 50);
    free(world);
}

static void classes_have_words(void **state)
{
    (void)state;
    for (int class = 0; class < LB_RECONCILE_NUM_CLASSES; class++) {
        assert_true(strlen(lb_reconcile_class_en((enum lb_reconcile_class)class)) > 10);
        assert_true(strlen(lb_reconcile_class_zh((enum lb_reconcile_class)class)) > 10);
        size_t len = strlen(lb_reconcile_class_name((enum lb_reconcile_class)class));
        assert_true(len > 4 && len < LB_MAX_CODE_BYTES);
    }
    assert_string_equal(lb_reconcile_class_name(LB_RECONCILE_NUM_CLASSES), "UNKNOWN");
    assert_string_equal(lb_reconcile_field_name(0), "code");
    assert_string_equal(lb_reconcile_field_name(LB_RECONCILE_NUM_FIELDS), "");
}

#define WITH_WORLD(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(what_is_whole_matches),
        WITH_WORLD(only_the_minute_that_differs_is_looked_at),
        WITH_WORLD(a_read_gone_at_the_adapter),
        WITH_WORLD(both_halves_gone_at_the_broker),
        WITH_WORLD(a_route_gone_at_the_broker),
        WITH_WORLD(a_delivery_gone_at_the_broker),
        WITH_WORLD(a_code_rewritten),
        WITH_WORLD(views_rewritten_at_the_broker),
        WITH_WORLD(a_request_rewritten),
        WITH_WORLD(an_answer_rewritten),
        WITH_WORLD(a_detail_rewritten),
        WITH_WORLD(a_route_rewritten),
        WITH_WORLD(a_policy_rewritten),
        WITH_WORLD(an_invented_read),
        WITH_WORLD(a_clock_that_is_wrong),
        WITH_WORLD(what_failed_is_no_difference),
        WITH_WORLD(an_answer_a_minute_late),
        WITH_WORLD(an_open_route),
        cmocka_unit_test(an_open_route_has_its_time),
        WITH_WORLD(a_request_sent_twice),
        WITH_WORLD(another_adapters_reads_are_left_out),
        WITH_WORLD(a_txn_used_for_two_adapters),
        cmocka_unit_test(entries_on_either_side_of_a_minute),
        cmocka_unit_test(classes_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
