#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/evidence/test_shard.h"

/* A shard past the first full tile of level 1 (65,536 entries): tiles of level 0 go from the log's
 * own file too, and what a shard gives is held against their parent. */

#define ENTRIES 66000
#define SHARDED 65792 /* 257 tiles */
#define AT_ONCE 4096

static void count_done(struct lb_log_entry *entry, lb_status status)
{
    atomic_uint *done = entry->owner;
    assert_ok(status);
    atomic_fetch_add(done, 1);
}

static void fill(struct lb_log *log, size_t num)
{
    struct lb_log_entry *entries = calloc(AT_ONCE, sizeof(*entries));
    assert_non_null(entries);
    for (size_t at = 0; at < num; at += AT_ONCE) {
        size_t some = num - at < AT_ONCE ? num - at : AT_ONCE;
        atomic_uint done = 0;
        for (size_t i = 0; i < some; i++) {
            entries[i] = test_entry();
            entries[i].leaf.txn[0] = (uint8_t)(at + i);
            entries[i].leaf.txn[1] = (uint8_t)((at + i) >> 8);
            entries[i].done = count_done;
            entries[i].owner = &done;
            assert_ok(lb_log_append(log, &entries[i]));
        }
        while (atomic_load(&done) < some)
            (void)usleep(1000);
    }
    free(entries);
}

static bool is_kept(struct fixture *fixture)
{
    struct lb_shard_list list = test_shard_list(fixture);
    return list.num == 1 && list.lines[0].state == LB_SHARD_LINKED && list.num_left == 0;
}

/* The sequencer removes rows between entries. */
static void keep(struct fixture *fixture, struct lb_log *log)
{
    for (int i = 0; i < 3000 && !is_kept(fixture); i++) {
        fixture->clock.now_monotonic_ms += 100;
        test_append(log, 1);
    }
    assert_true(is_kept(fixture));
}

static void prove(struct fixture *fixture, struct lb_log *log, uint64_t index, uint64_t size)
{
    struct lb_hash *path = NULL;
    size_t num = 0;
    struct lb_span leaf;
    struct lb_hash hash, root;
    struct lb_merkle_frontier frontier;
    lb_merkle_frontier_init(&frontier);
    for (uint64_t i = 0; i < size; i++) {
        assert_ok(lb_log_leaf(log, i, fixture->arena, &leaf));
        lb_merkle_leaf(leaf, &hash);
        lb_merkle_frontier_add(&frontier, &hash);
    }
    lb_merkle_frontier_root(&frontier, &root);
    assert_ok(lb_log_leaf(log, index, fixture->arena, &leaf));
    lb_merkle_leaf(leaf, &hash);
    assert_ok(lb_log_inclusion(log, index, size, fixture->arena, &path, &num));
    assert_ok(lb_merkle_verify_inclusion(&hash, index, size, path, num, &root));
}

static int64_t count(struct fixture *fixture, const char *sql)
{
    const struct lb_store_options options = {
        .path = test_path(fixture, fixture->folder, "evidence.db"), .read_only = true};
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_stmt_prepare(store, sql, &stmt));
    assert_ok(lb_stmt_step(stmt, &row));
    int64_t value = lb_stmt_int(stmt, 0);
    lb_store_close(store);
    return value;
}

static void a_tile_is_held_against_its_parent(void **state)
{
    struct fixture *fixture = *state;
    struct lb_hash hashes[256];
    struct lb_span leaf;
    struct lb_log *log = test_open(fixture);
    fill(log, ENTRIES);
    fixture->clock.now_unix_ms = TEST_NEXT_HALF_MS;
    test_shard_copy(fixture, 1);
    lb_log_close(log);
    log = test_open(fixture);
    keep(fixture, log);
    prove(fixture, log, 700, 1500);
    lb_log_close(log);
    /* Number 256, the only one of level 0 below a parent that is not full; and that of level 1. */
    assert_int_equal(count(fixture, "SELECT count(*) FROM tile WHERE key < 257"), 1);
    assert_int_equal(count(fixture, "SELECT min(key) FROM tile"), 256);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    const char *path = test_shard_path(fixture, fixture->folder, TEST_SHARD);
    long size = test_file_size(path);
    test_shard_alter(fixture, path, "UPDATE tile SET hashes ="
                                    " (SELECT hashes FROM tile WHERE key = 4) WHERE key = 3");
    assert_int_equal(test_file_size(path), size);
    log = test_open(fixture);
    assert_code(lb_log_tile(log, 0, 3, 256, hashes), LB_LOG_FORK);
    assert_code(lb_log_leaf(log, 3 * 256 + 1, fixture->arena, &leaf), LB_LOG_FORK);
    assert_ok(lb_log_leaf(log, 5 * 256, fixture->arena, &leaf));
    lb_log_close(log);
    assert_code(test_verify(fixture, fixture->folder, &verdict), LB_LOG_FORK);
    /* Not one is needed to go on. */
    assert_ok(lb_shard_away(fixture->folder, TEST_SHARD, &fixture->diag));
    assert_int_equal(unlink(path), 0);
    log = test_open(fixture);
    fill(log, 300);
    lb_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tile_is_held_against_its_parent, test_set_up,
                                        test_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
