#include "gateway/backup/fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/store/store.h"

/* What is copied, and how. */

static void make_database(struct world *world, const char *name, struct lb_store **out)
{
    static const char *const schema[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY)", NULL};
    const struct lb_store_options options = {
        .path = test_path(world->fixture, world->fixture->folder, name),
        .migrations = schema, .application_id = 9, .create = true};
    assert_ok(lb_store_open(&options, out));
    assert_ok(lb_store_exec(*out, "INSERT INTO t VALUES (1), (2)"));
}

static bool has(const struct lb_backup_result *result, const char *name)
{
    for (size_t i = 0; i < result->manifest.num_files; i++)
        if (strcmp(result->manifest.files[i].name, name) == 0)
            return true;
    return false;
}

static void a_state_is_copied_without_its_keys(void **state)
{
    struct world world;
    struct lb_backup_result result;
    struct lb_store *other = NULL;
    world_begin(state, &world);
    make_database(&world, "consent.db", &other);
    world_made(&world, &result);
    lb_store_close(other);
    assert_int_equal(result.manifest.num_files, 6);
    assert_true(has(&result, "state/evidence.db") && has(&result, "state/ratchet"));
    assert_true(has(&result, "state/consent.db") && has(&result, "state/closed.yaml"));
    assert_true(has(&result, "state/seen/peer") && has(&result, "state/shards/2025h2.db"));
    assert_int_equal(result.num_left_out, 2);
    assert_string_equal(result.left_out[0], "odd-name");
    assert_string_equal(result.left_out[1], "token.key");
    assert_int_not_equal(access(world_in(&world, "state/odd-name"), F_OK), 0);
    assert_int_not_equal(access(world_in(&world, "keys"), F_OK), 0);
    assert_string_equal(result.manifest.origin, TEST_ORIGIN);
    struct lb_backup_result again;
    assert_ok(world_check(&world, &again));
    assert_memory_equal(again.manifest_sha256, result.manifest_sha256, 32);
    assert_int_equal(again.manifest.log_size, result.manifest.log_size);
}

static int check_mode(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    return (info->st_mode & 0777) == (kind == FTW_D ? 0700U : 0600U) ? 0 : 1;
}

static void nobody_else_can_read_it(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    mode_t old = umask(0);
    world_made(&world, &result);
    (void)umask(old);
    assert_int_equal(nftw(world.out, check_mode, 16, FTW_PHYS), 0);
}

static void open_as_a_log(struct world *world, const char *folder, enum lb_code code)
{
    char own[sizeof(world->fixture->folder)];
    struct lb_log_options options = test_options(world->fixture);
    struct lb_log *log = NULL;
    (void)snprintf(own, sizeof(own), "%s", folder);
    options.folder = own;
    options.create = false;
    assert_code(lb_log_open(&options, &world->fixture->diag, &log), code);
    if (log != NULL)
        test_append(log, 2);
    lb_log_close(log);
}

static void a_running_log_is_copied_as_one_that_opens(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    world.log = test_open(world.fixture);
    world_made(&world, &result);
    uint64_t size = test_size(world.fixture, world.log);
    lb_log_close(world.log);
    assert_true(world.told > 5);
    assert_true(size > result.manifest.log_size);
    assert_ok(world_check(&world, &result));
    open_as_a_log(&world, world_in(&world, "state"), LB_CODE_OK);
    /* It is another log's future now, and no longer what was made. */
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

/* Why the ratchet is not simply copied. */
static void the_logs_own_ratchet_would_be_ahead(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    world.log = test_open(world.fixture);
    world_made(&world, &result);
    lb_log_close(world.log);
    test_copy(test_path(world.fixture, world.fixture->folder, "ratchet"),
              world_in(&world, "state/ratchet"));
    open_as_a_log(&world, world_in(&world, "state"), LB_LOG_BEHIND);
}

static void named_keys_are_copied_and_nothing_says_so(void **state)
{
    struct world world;
    struct lb_backup_result result;
    struct lb_span manifest;
    world_begin(state, &world);
    world.keys[0] = test_path(world.fixture, world.fixture->folder, "token.key");
    world.num_keys = 1;
    world_made(&world, &result);
    assert_int_equal(access(world_in(&world, "keys/token.key"), F_OK), 0);
    assert_ok(lb_file_read(world_in(&world, "manifest.json"), 1U << 20, world.fixture->arena,
                           &manifest));
    assert_null(memmem(manifest.ptr, manifest.len, "key", 3));
    assert_ok(world_check(&world, &result));
    assert_int_equal(result.num_keys, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_is_copied_without_its_keys),
        cmocka_unit_test(nobody_else_can_read_it),
        cmocka_unit_test(a_running_log_is_copied_as_one_that_opens),
        cmocka_unit_test(the_logs_own_ratchet_would_be_ahead),
        cmocka_unit_test(named_keys_are_copied_and_nothing_says_so),
    };
    return cmocka_run_group_tests(tests, test_shard_fill, test_tear_down);
}
