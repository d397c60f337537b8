#include "gateway/evidence/reconcile_world.h"

#include <stdlib.h>

#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

/* Digests and entries as they travel; what a lying peer sends is not taken. */

#define MINUTE (WORLD_NOW_MS / 60000)

static struct lb_arena *arena;

static int set_up(void **state)
{
    struct world *world = world_new();
    for (size_t i = 0; i < 20; i++) {
        (void)world_read(world, WORLD_DELIVERED);
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

static struct lb_span packed(void *message)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_ok(lb_pb_pack(message, arena, &bytes));
    return bytes;
}

static void digests_survive_the_wire(void **state)
{
    const struct world *world = *state;
    struct lb_minute_digest *back = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY;
    size_t num = 0;
    size_t num_back = 0;
    int64_t to = 0;
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_minute_digest *digests = NULL;
    world_set(&world->broker, &set);
    assert_ok(lb_digests_make(&set, MINUTE, MINUTE + 100, WORLD_NOW_MS, arena, &digests, &num));
    lb_reconcile_set_free(&set);
    assert_int_equal(num, 3);
    assert_ok(lb_digests_pack(digests, num, MINUTE + 100, arena, &bytes));
    assert_ok(lb_digests_parse(bytes, MINUTE, MINUTE + 100, arena, &back, &num_back, &to));
    assert_int_equal(num_back, num);
    assert_int_equal(to, MINUTE + 100);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(back[i].minute, digests[i].minute);
        assert_int_equal(back[i].count, digests[i].count);
        assert_hash(&back[i].root, digests[i].root);
    }
}

static lb_status parse(Lianban__V1__GetDigestsResponse *answer)
{
    struct lb_minute_digest *digests = NULL;
    size_t num = 0;
    int64_t to = 0;
    return lb_digests_parse(packed(answer), 100, 200, arena, &digests, &num, &to);
}

static void digests_that_no_honest_peer_sends(void **state)
{
    Lianban__V1__GetDigestsResponse answer = LIANBAN__V1__GET_DIGESTS_RESPONSE__INIT;
    Lianban__V1__MinuteDigest one = LIANBAN__V1__MINUTE_DIGEST__INIT;
    Lianban__V1__MinuteDigest two = LIANBAN__V1__MINUTE_DIGEST__INIT;
    Lianban__V1__MinuteDigest *minutes[] = {&one, &two};
    uint8_t root[33] = {1};
    (void)state;
    one.minute = 110;
    two.minute = 111;
    one.count = two.count = 1;
    one.root = two.root = lb_pb_bytes(lb_span_of(root, 32));
    answer.minutes = minutes;
    answer.n_minutes = 2;
    answer.to_minute = 200;
    assert_ok(parse(&answer));
    const int64_t ends[] = {INT64_MIN, -1, 0, 100, 110, 111, 201, INT64_MAX};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        answer.to_minute = ends[i];
        assert_code(parse(&answer), LB_MALFORMED);
    }
    answer.to_minute = 200;
    const int64_t odd[] = {INT64_MIN, -1, 0, 99, 111, 112, 200, INT64_MAX};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        one.minute = odd[i];
        assert_code(parse(&answer), LB_MALFORMED);
    }
    one.minute = 110;
    for (size_t len = 0; len <= 33; len++) {
        one.root = lb_pb_bytes(lb_span_of(root, len));
        assert_true((parse(&answer) == LB_OK) == (len == 32));
    }
    one.root = two.root;
    one.count = 0;
    assert_code(parse(&answer), LB_MALFORMED);
    one.unclosed = 1;
    assert_ok(parse(&answer));
}

struct page {
    Lianban__V1__GetDigestEntriesResponse answer;
    Lianban__V1__DigestEntry entries[3];
    Lianban__V1__DigestEntry *list[3];
    struct lb_buf leaves[3];
};

static void page_of(const struct world *world, struct page *page)
{
    lianban__v1__get_digest_entries_response__init(&page->answer);
    for (size_t i = 0; i < 3; i++) {
        lb_buf_init(&page->leaves[i], LB_MAX_LEAF_BYTES);
        assert_ok(lb_leaf_encode(&world->broker.leaves[i], &page->leaves[i]));
        lianban__v1__digest_entry__init(&page->entries[i]);
        page->entries[i].index = 10 + i;
        page->entries[i].leaf = lb_pb_bytes(lb_buf_span(&page->leaves[i]));
        page->list[i] = &page->entries[i];
    }
    page->answer.entries = page->list;
    page->answer.n_entries = 3;
}

static void page_free(struct page *page)
{
    for (size_t i = 0; i < 3; i++)
        lb_buf_cleanup(&page->leaves[i]);
}

static lb_status take(struct page *page, int64_t minute, uint64_t from_index)
{
    struct lb_reconcile_set set = {.entries = NULL};
    uint64_t next = 0;
    lb_status status =
        lb_digest_entries_parse(packed(&page->answer), minute, from_index, &set, &next);
    if (status == LB_OK)
        assert_int_equal(set.num, page->answer.n_entries);
    lb_reconcile_set_free(&set);
    return status;
}

static void entries_that_no_honest_peer_sends(void **state)
{
    struct page page;
    page_of(*state, &page);
    assert_ok(take(&page, MINUTE, 0));
    assert_ok(take(&page, MINUTE, 10));
    assert_ok(take(&page, MINUTE + 3, 0));
    assert_code(take(&page, MINUTE, 11), LB_MALFORMED);
    assert_code(take(&page, MINUTE + 4, 0), LB_MALFORMED);
    assert_code(take(&page, MINUTE - 4, 0), LB_MALFORMED);
    const uint64_t nexts[] = {1, 12, 14, UINT64_MAX};
    for (size_t i = 0; i < sizeof(nexts) / sizeof(nexts[0]); i++) {
        page.answer.next_index = nexts[i];
        assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    }
    page.answer.next_index = 13;
    assert_ok(take(&page, MINUTE, 0));
    page.answer.next_index = 0;
    page.entries[1].index = 10;
    assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    page.entries[1].index = UINT64_MAX;
    assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    page.entries[1].index = 11;
    page.entries[1].leaf.len--;
    assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    page.entries[1].leaf.len++;
    page.answer.n_entries = 0;
    page.answer.next_index = 1;
    assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    page_free(&page);
}

static void entries_about_nothing_are_refused(void **state)
{
    struct world *world = *state;
    struct page page;
    world->broker.leaves[1].type = LB_LEAF_ADMIN;
    page_of(world, &page);
    assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    page_free(&page);
    world->broker.leaves[1].type = LB_LEAF_DELIVER;
    memset(world->broker.leaves[1].txn, 0, 16);
    page_of(world, &page);
    assert_code(take(&page, MINUTE, 0), LB_MALFORMED);
    page_free(&page);
}

static void one_index_has_one_entry(void **state)
{
    struct world *world = *state;
    struct lb_reconcile_set set = {.entries = NULL};
    struct lb_hash hash = {{1}};
    assert_ok(lb_reconcile_set_add(&set, 4, &world->broker.leaves[0], &hash));
    assert_ok(lb_reconcile_set_add(&set, 4, &world->broker.leaves[0], &hash));
    assert_ok(lb_reconcile_set_sort(&set));
    assert_int_equal(set.num, 1);
    hash.bytes[0] = 2;
    assert_ok(lb_reconcile_set_add(&set, 4, &world->broker.leaves[0], &hash));
    assert_code(lb_reconcile_set_sort(&set), LB_MALFORMED);
    lb_reconcile_set_free(&set);
    assert_ok(lb_reconcile_set_sort(&set));
}

#define WITH_WORLD(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(digests_survive_the_wire),
        WITH_WORLD(digests_that_no_honest_peer_sends),
        WITH_WORLD(entries_that_no_honest_peer_sends),
        WITH_WORLD(entries_about_nothing_are_refused),
        WITH_WORLD(one_index_has_one_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
