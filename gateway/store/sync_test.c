#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/store/faults.h"
#include "gateway/store/store.h"

/* Who waits for the disk, and when. */

static const char *const schema[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY)", NULL};
static const struct faults_plan no_sync = {FAULTS_SYNC, FAULTS_IO, "-wal", 1, 0};

struct place {
    char folder[64];
    char path[128];
    struct lb_store *store;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/lb_sync_XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof(place->path), "%s/x.db", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    faults_set(NULL);
    lb_store_close(place->store);
    (void)unlink(place->path);
    int left = rmdir(place->folder);
    free(place);
    return left;
}

static struct lb_store *open_store(struct place *place, bool own_syncs)
{
    const struct lb_store_options options = {.path = place->path,
                                             .migrations = schema,
                                             .application_id = 7,
                                             .create = true,
                                             .own_syncs = own_syncs};
    struct lb_store *store = NULL;
    assert_null(lb_store_open(&options, &store));
    return store;
}

static lb_status put(struct lb_store *store)
{
    assert_null(lb_store_begin(store));
    assert_null(lb_store_exec(store, "INSERT INTO t DEFAULT VALUES"));
    lb_status status = lb_store_commit(store);
    if (status != LB_OK)
        lb_store_rollback(store);
    return status;
}

static void a_commit_waits_for_the_disk(void **state)
{
    struct place *place = *state;
    place->store = open_store(place, false);
    assert_null(put(place->store));
    faults_set(&no_sync);
    assert_int_equal(lb_status_code(put(place->store)), LB_STORE_FAILED);
    assert_int_equal(faults_hits(), 1);
}

static void with_own_syncs_only_the_sync_does(void **state)
{
    struct place *place = *state;
    place->store = open_store(place, true);
    assert_null(put(place->store));
    faults_set(&no_sync);
    assert_null(put(place->store));
    assert_int_equal(faults_hits(), 0);
    lb_status status = lb_store_sync(place->store);
    assert_int_equal(lb_status_code(status), LB_STORE_FAILED);
    assert_int_equal(lb_store_trouble(status), LB_STORE_TROUBLE_DISK);
    assert_int_equal(faults_hits(), 1);
    faults_set(NULL);
    assert_null(lb_store_sync(place->store));
}

static void commits_are_counted(void **state)
{
    struct place *place = *state;
    place->store = open_store(place, true);
    uint64_t before = lb_store_commits(place->store);
    assert_null(put(place->store));
    assert_null(lb_store_exec(place->store, "INSERT INTO t DEFAULT VALUES")); /* by itself */
    assert_int_equal(lb_store_commits(place->store), before + 2);
    assert_null(lb_store_exec(place->store, "SELECT * FROM t"));
    assert_null(lb_store_begin(place->store));
    assert_null(lb_store_exec(place->store, "INSERT INTO t DEFAULT VALUES"));
    lb_store_rollback(place->store);
    assert_int_equal(lb_store_commits(place->store), before + 2);
}

/* What an earlier process committed without waiting is on disk before anybody builds on it. */
static void opening_syncs_what_is_there(void **state)
{
    struct place *place = *state;
    const struct lb_store_options options = {.path = place->path, .own_syncs = true};
    struct lb_store *second = NULL;
    place->store = open_store(place, true);
    assert_null(put(place->store));
    faults_set(&no_sync);
    assert_int_equal(lb_status_code(lb_store_open(&options, &second)), LB_STORE_FAILED);
    assert_int_equal(faults_hits(), 1);
}

static void a_reader_can_have_it_synced(void **state)
{
    struct place *place = *state;
    const struct lb_store_options options = {.path = place->path, .read_only = true};
    struct lb_store *reader = NULL;
    place->store = open_store(place, true);
    assert_null(put(place->store));
    assert_null(lb_store_open(&options, &reader));
    assert_null(lb_store_sync(reader));
    faults_set(&no_sync);
    assert_int_equal(lb_status_code(lb_store_sync(reader)), LB_STORE_FAILED);
    lb_store_close(reader);
}

static void without_a_wal_there_is_nothing_to_do(void **state)
{
    struct place *place = *state;
    const struct lb_store_options memory = {.path = ":memory:"};
    char copy[160];
    (void)snprintf(copy, sizeof(copy), "%s/copy.db", place->folder);
    const struct lb_store_options options = {.path = copy, .read_only = true};
    struct lb_store *store = NULL;
    assert_null(lb_store_open(&memory, &store));
    assert_null(lb_store_sync(store));
    lb_store_close(store);
    place->store = open_store(place, false);
    assert_null(lb_store_copy(place->store, copy, NULL));
    assert_null(lb_store_open(&options, &store));
    assert_null(lb_store_sync(store));
    lb_store_close(store);
    assert_int_equal(unlink(copy), 0);
}

#define TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_waits_for_the_disk),
        TEST(with_own_syncs_only_the_sync_does),
        TEST(commits_are_counted),
        TEST(opening_syncs_what_is_there),
        TEST(a_reader_can_have_it_synced),
        TEST(without_a_wal_there_is_nothing_to_do),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
