#include "gateway/evidence/reconcile_world.h"

#include <stdlib.h>

#include "gateway/crypto/hash.h"

/* Digests say whether two sides know the same. */

#define MINUTE (WORLD_NOW_MS / 60000)
#define NUM_READS 20

static struct lb_arena *arena;

/* The same numbers in every run. */
static unsigned dice(void)
{
    static uint32_t last = 7;
    last = last * 1664525U + 1013904223U;
    return last >> 16;
}

static int set_up(void **state)
{
    struct world *world = world_new();
    for (size_t i = 0; i < NUM_READS; i++) {
        (void)world_read(world, i % 7 == 0 ? WORLD_REFUSED : WORLD_DELIVERED);
        world->now_ms += i % 8 == 0 ? 59000 : 0;
    }
    arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    *state = world;
    return arena == NULL;
}

static int tear_down(void **state)
{
    lb_arena_free(arena);
    free(*state);
    return 0;
}

static struct lb_minute_digest *digests_of(const struct world_log *log, size_t *out_num)
{
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_minute_digest *digests = NULL;
    world_set(log, &set);
    assert_ok(lb_digests_make(&set, MINUTE, MINUTE + 100, WORLD_NOW_MS + 3600000, arena, &digests,
                              out_num));
    lb_reconcile_set_free(&set);
    return digests;
}

static bool agree(const struct world *world)
{
    size_t num_broker = 0;
    size_t num_adapter = 0;
    const struct lb_minute_digest *broker = digests_of(&world->broker, &num_broker);
    const struct lb_minute_digest *adapter = digests_of(&world->adapter, &num_adapter);
    if (num_broker != num_adapter)
        return false;
    for (size_t i = 0; i < num_broker; i++) {
        bool same = broker[i].minute == adapter[i].minute && broker[i].count == adapter[i].count &&
                    memcmp(broker[i].root.bytes, adapter[i].root.bytes, 32) == 0;
        if (!same)
            return false;
    }
    return true;
}

static void equal_sets_have_equal_digests(void **state)
{
    struct world *world = *state;
    size_t num = 0;
    size_t count = 0;
    assert_true(agree(world));
    const struct lb_minute_digest *digests = digests_of(&world->adapter, &num);
    assert_int_equal(num, 3);
    for (size_t i = 0; i < num; i++)
        count += digests[i].count;
    assert_int_equal(count, NUM_READS);
}

/* Whatever order the entries have: the reads of an adapter come from many workers. */
static void order_does_not_matter(void **state)
{
    struct world *world = *state;
    for (size_t i = world->adapter.num - 1; i > 0; i--) {
        size_t other = dice() % (i + 1);
        struct lb_leaf leaf = world->adapter.leaves[i];
        world->adapter.leaves[i] = world->adapter.leaves[other];
        world->adapter.leaves[other] = leaf;
    }
    assert_true(agree(world));
}

static void change(struct lb_leaf *leaf, unsigned what)
{
    uint8_t *const fields[] = {leaf->txn,          leaf->policy_hash, leaf->fields_hash,
                               leaf->detail_hash,  leaf->request_hash, leaf->answer_hash,
                               leaf->peer_leaf};
    if (what < 7)
        fields[what][dice() % 16] ^= (uint8_t)(1U << dice() % 8);
    else if (what == 7)
        leaf->code[0] ^= 1;
    else if (what == 8)
        leaf->views[0] ^= 1;
    else if (what == 9)
        leaf->time_ms++;
    else
        leaf->count++;
}

/* Any field of any entry of the adapter's. */
static void any_change_at_the_adapter_is_found(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->adapter.num; i++) {
        struct lb_leaf before = world->adapter.leaves[i];
        for (unsigned what = 0; what <= 10; what++) {
            change(&world->adapter.leaves[i], what);
            assert_false(agree(world));
            world->adapter.leaves[i] = before;
        }
        world->adapter.gone[i] = true;
        assert_false(agree(world));
        world->adapter.gone[i] = false;
    }
    assert_true(agree(world));
}

/* A DELIVER entry's own time, fields and detail are nothing the adapter knows of; a ROUTE entry's
 * are, by its hash. */
static void any_change_at_the_broker_is_found(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->broker.num; i++) {
        struct lb_leaf before = world->broker.leaves[i];
        bool deliver = before.type == LB_LEAF_DELIVER;
        for (unsigned what = 0; what <= 10; what++) {
            bool own = deliver && (what == 2 || what == 3 || what >= 9);
            change(&world->broker.leaves[i], what);
            assert_true(agree(world) == own);
            world->broker.leaves[i] = before;
        }
        world->broker.gone[i] = true;
        assert_false(agree(world));
        world->broker.gone[i] = false;
    }
    assert_true(agree(world));
}

static void an_added_read_is_found(void **state)
{
    struct world *world = *state;
    world->adapter.leaves[world->adapter.num] = world->adapter.leaves[5];
    world->adapter.leaves[world->adapter.num++].txn[9] = 1;
    assert_false(agree(world));
    world->adapter.num--;
    /* The same entry twice is not the same as once. */
    world->adapter.leaves[world->adapter.num++] = world->adapter.leaves[5];
    assert_false(agree(world));
}

/* One digest by hand, so that another program can be written from the words. */
static void a_digest_is_as_documented(void **state)
{
    (void)state;
    struct world *world = world_new();
    (void)world_read(world, WORLD_DELIVERED);
    const struct lb_leaf *read = &world->adapter.leaves[0];
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_buf text;
    struct lb_hash element, want;
    uint8_t views[32];
    size_t num = 0;
    world_set(&world->adapter, &set);
    lb_sha256(lb_span_str("tax.wage"), views);
    lb_buf_init(&text, 1024);
    lb_buf_put_str(&text, "lianban reconcile v1");
    lb_buf_put(&text, lb_span_of(read->txn, 16));
    lb_buf_put_field16(&text, lb_span_str("ANSWERED"));
    lb_buf_put(&text, lb_span_of(views, 32));
    lb_buf_put(&text, lb_span_of(read->request_hash, 32));
    lb_buf_put(&text, lb_span_of(read->answer_hash, 32));
    lb_buf_put(&text, lb_span_of(read->policy_hash, 32));
    lb_buf_put(&text, lb_span_of(read->peer_leaf, 32));
    lb_buf_put(&text, lb_span_of(set.entries[0].hash.bytes, 32));
    lb_sha256(lb_buf_span(&text), element.bytes);
    lb_merkle_leaf(lb_span_of(element.bytes, 32), &want);
    assert_hash(&digests_of(&world->adapter, &num)->root, want);
    assert_int_equal(num, 1);
    lb_buf_cleanup(&text);
    lb_reconcile_set_free(&set);
    free(world);
}

static void an_open_route_is_counted(void **state)
{
    struct world *world = *state;
    size_t num = 0;
    (void)world_read(world, WORLD_OPEN);
    const struct lb_minute_digest *digests = digests_of(&world->broker, &num);
    assert_int_equal(digests[num - 1].unclosed, 1);
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_minute_digest *early = NULL;
    world_set(&world->broker, &set);
    assert_ok(lb_digests_make(&set, MINUTE, MINUTE + 100, world->now_ms, arena, &early, &num));
    assert_int_equal(early[num - 1].unclosed, 0);
    lb_reconcile_set_free(&set);
}

#define WITH_WORLD(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(equal_sets_have_equal_digests),
        WITH_WORLD(order_does_not_matter),
        WITH_WORLD(any_change_at_the_adapter_is_found),
        WITH_WORLD(any_change_at_the_broker_is_found),
        WITH_WORLD(an_added_read_is_found),
        WITH_WORLD(a_digest_is_as_documented),
        WITH_WORLD(an_open_route_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
