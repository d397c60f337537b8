#include "gateway/evidence/test_shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"

static void fill_done(struct lb_log_entry *entry, lb_status status)
{
    atomic_uint *done = entry->owner;
    assert_ok(status);
    atomic_fetch_add(done, 1);
}

/* What test_fill makes, in a few commits. */
static void fill(struct fixture *fixture)
{
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry *entries = calloc(TEST_ENTRIES, sizeof(*entries));
    atomic_uint done = 0;
    assert_non_null(entries);
    for (size_t i = 0; i < TEST_ENTRIES; i++) {
        entries[i] = i % 5 == 0 ? test_entry() : test_detailed(i);
        if (i == TEST_REVIEWED) {
            entries[i].leaf.type = LB_LEAF_REVIEW;
            entries[i].has_subject = true;
            memset(entries[i].subject, 200, sizeof(entries[i].subject));
        }
        entries[i].done = fill_done;
        entries[i].owner = &done;
        assert_ok(lb_log_append(log, &entries[i]));
    }
    while (atomic_load(&done) < TEST_ENTRIES)
        (void)usleep(1000);
    entries[0] = test_entry();
    entries[0].leaf.type = LB_LEAF_ERASURE;
    entries[0].has_subject = true;
    memset(entries[0].subject, 2, sizeof(entries[0].subject));
    assert_ok(lb_log_append_wait(log, &entries[0]));
    free(entries);
    test_append(log, 3);
    lb_log_close(log);
}

int test_shard_fill(void **state)
{
    (void)test_set_up(state);
    struct fixture *fixture = *state;
    fill(fixture);
    fixture->clock.now_unix_ms = TEST_NEXT_HALF_MS;
    (void)test_shard_copy_log(fixture, fixture->folder, TEST_FILLED);
    test_shard_copy(fixture, 1);
    (void)test_shard_copy_log(fixture, fixture->folder, TEST_COPIED);
    test_shard_keep(fixture, 1);
    (void)test_shard_copy_log(fixture, fixture->folder, TEST_KEPT);
    return 0;
}

void test_shard_begin(struct fixture *fixture, const char *from)
{
    const char *base = test_path(fixture, fixture->root, from);
    const char *own = test_path(fixture, fixture->root, "own");
    (void)unlink(lb_arena_printf(fixture->arena, "%s/shards/2025h2.away", own));
    (void)test_shard_copy_log(fixture, base, "own");
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s", own);
    fixture->clock.now_unix_ms = TEST_NEXT_HALF_MS;
    atomic_store(&fixture->disk.free_bytes, UINT64_C(64) << 30);
}

void test_shard_copy(struct fixture *fixture, size_t num)
{
    const struct lb_shard_copy_options options = {
        .folder = fixture->folder,
        .verifier = &fixture->verifier,
        .until_ms = fixture->clock.now_unix_ms,
        .disk = &fixture->disk.disk,
    };
    struct lb_shard_copied copied;
    lb_status status = lb_shard_copy(&options, &fixture->diag, &copied);
    if (status != LB_OK)
        print_error("%s\n", fixture->diag.text);
    assert_ok(status);
    assert_int_equal(copied.num, num);
}

static bool is_kept(const struct lb_shard_list *list, size_t num)
{
    size_t linked = 0;
    for (size_t i = 0; i < list->num; i++)
        linked += list->lines[i].state == LB_SHARD_LINKED;
    return linked >= num && list->num_left == 0;
}

void test_shard_wait(struct fixture *fixture, size_t num)
{
    struct lb_shard_list list = {.num = 0};
    for (int i = 0; i < 400 && !is_kept(&list, num); i++) {
        fixture->clock.now_monotonic_ms += 100;
        (void)usleep(20000);
        assert_ok(lb_shard_list_read(fixture->folder, &fixture->diag, &list));
    }
    assert_true(is_kept(&list, num));
}

void test_shard_keep(struct fixture *fixture, size_t num)
{
    struct lb_log *log = test_open(fixture);
    test_shard_wait(fixture, num);
    lb_log_close(log);
}

const char *test_shard_path(struct fixture *fixture, const char *folder, const char *name)
{
    return lb_arena_printf(fixture->arena, "%s/shards/%s.db", folder, name);
}

const char *test_shard_copy_log(struct fixture *fixture, const char *folder, const char *name)
{
    const char *to = test_copy_log(fixture, folder, name);
    assert_ok(lb_file_mkdirs(test_path(fixture, to, "shards")));
    for (const char *const *at = (const char *const[]){"2025h2", "2026h1", NULL}; *at != NULL;
         at++) {
        const char *from = test_shard_path(fixture, folder, *at);
        (void)unlink(test_shard_path(fixture, to, *at));
        if (access(from, F_OK) == 0)
            test_copy(from, test_shard_path(fixture, to, *at));
    }
    return to;
}

void test_shard_alter(struct fixture *fixture, const char *path, const char *sql)
{
    const struct lb_store_options options = {.path = path, .busy_timeout_ms = 1000};
    struct lb_store *store = NULL;
    (void)fixture;
    assert_ok(lb_store_open(&options, &store));
    lb_status status = lb_store_exec(store, sql);
    if (status != LB_OK)
        print_error("%s: %s\n", sql, lb_store_error_text(store));
    assert_ok(status);
    if (strstr(sql, "journal_mode") == NULL)
        assert_ok(lb_store_exec(store, "PRAGMA journal_mode=DELETE"));
    lb_store_close(store);
}

void test_whole(struct fixture *fixture, const char *folder, uint64_t size)
{
    struct lb_log_verdict verdict;
    lb_status status = test_verify(fixture, folder, &verdict);
    if (status != LB_OK)
        print_error("%s\n", fixture->diag.text);
    assert_ok(status);
    assert_int_equal(verdict.size, size);
}

lb_status test_shard_read(struct fixture *fixture, const char *folder, uint64_t index)
{
    struct lb_log_reader *reader = NULL;
    struct lb_leaf leaf;
    struct lb_hash hash;
    assert_ok(lb_log_reader_open(folder, &fixture->diag, &reader));
    lb_status status = lb_log_reader_leaf(reader, index, fixture->arena, &leaf, &hash);
    const char *trouble = lb_log_reader_trouble(reader);
    if (status != LB_OK && trouble != NULL)
        assert_non_null(strstr(trouble, "shard 2025h2 (entries 0 to 511)"));
    lb_log_reader_close(reader);
    return status;
}

struct lb_shard_list test_shard_list(struct fixture *fixture)
{
    struct lb_shard_list list;
    assert_ok(lb_shard_list_read(fixture->folder, &fixture->diag, &list));
    return list;
}

void test_shard_two(struct fixture *fixture)
{
    test_shard_begin(fixture, TEST_KEPT);
    struct lb_log *log = test_open(fixture);
    test_append(log, 235); /* and one tile is full */
    lb_log_close(log);
    fixture->clock.now_unix_ms = TEST_AFTER_HALF_MS;
    test_shard_copy(fixture, 1);
    test_shard_keep(fixture, 2);
}
