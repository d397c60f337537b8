#include "gateway/backup/fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/file.h"

/* What is not copied, and what a check does not take for a copy. */

/* --- what is refused --- */

static void a_key_that_is_open_or_twice_is_refused(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    world.keys[0] = test_path(world.fixture, world.fixture->folder, "token.key");
    world.keys[1] = world.keys[0];
    world.num_keys = 2;
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    world_remove(world.out);
    world.num_keys = 1;
    assert_int_equal(chmod(world.keys[0], 0640), 0);
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

static void a_folder_that_is_not_empty_or_not_alone_is_refused(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    assert_int_equal(mkdir(world.out, 0755), 0);
    assert_int_equal(chmod(world.out, 0755), 0);
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_int_equal(chmod(world.out, 0700), 0);
    assert_ok(lb_file_write(world_in(&world, ".hidden"), lb_span_str("x"), 0600));
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_int_equal(unlink(world_in(&world, ".hidden")), 0);
    world_made(&world, &result);
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_ok(world_check(&world, &result));
    world.out = test_path(world.fixture, world.fixture->folder, "inside");
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_int_not_equal(access(world.out, F_OK), 0);
    world.fixture->folder[0] = 'x';
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
}

static void a_link_in_the_state_is_refused(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    assert_int_equal(symlink("/etc/passwd", test_path(world.fixture, world.fixture->folder, "l")),
                     0);
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

/* SQLite could leave files there that the node can't open. Only root can try it. */
static void another_accounts_state_is_refused(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    if (chown(world.fixture->folder, 1, 1) != 0)
        skip();
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    assert_non_null(strstr(world.fixture->diag.text, "another account"));
    assert_int_not_equal(access(world.out, F_OK), 0);
}

static void the_nodes_own_room_is_left_alone(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    atomic_store(&world.fixture->disk.free_bytes, WORLD_KEEP_FREE - 1);
    assert_code(world_make(&world, &result), LB_LOG_FULL);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

static void a_shard_that_is_missing_is_named(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    const char *shard = test_path(world.fixture, world.fixture->folder, "shards/2025h2.db");
    assert_int_equal(unlink(shard), 0);
    assert_code(world_make(&world, &result), LB_LOG_BEHIND);
    assert_non_null(strstr(world.fixture->diag.text, "2025h2"));
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

static void a_log_that_does_not_verify_is_no_backup(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    test_sql(world.fixture, world.fixture->folder,
             "UPDATE leaf SET bytes = randomblob(length(bytes)) WHERE idx = 520");
    assert_code(world_make(&world, &result), LB_LOG_FORK);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

static void a_copy_that_was_cut_off_is_refused(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    world.die = true;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lb_status_ignore(world_make(&world, &result)); /* it dies in there */
        _exit(1);
    }
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(WEXITSTATUS(ended), 7);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
    assert_non_null(strstr(world.fixture->diag.text, "never finished"));
    world.die = false;
    assert_code(world_make(&world, &result), LB_FILE_FAILED);
    world_remove(world.out);
    world_made(&world, &result);
}

/* --- what a check finds --- */

static void every_changed_byte_is_found(void **state)
{
    static const char *const names[] = {"state/evidence.db", "state/ratchet", "state/closed.yaml",
                                        "state/seen/peer", "state/shards/2025h2.db"};
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    world_made(&world, &result);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = world_in(&world, names[i]);
        long at = test_file_size(path) - 1;
        test_flip(path, at);
        assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
        assert_non_null(strstr(world.fixture->diag.text, names[i]));
        test_flip(path, at);
    }
    assert_ok(world_check(&world, &result));
}

static void files_too_many_or_too_few_are_found(void **state)
{
    struct world world;
    struct lb_backup_result result;
    world_begin(state, &world);
    world_made(&world, &result);
    const char *peer = world_in(&world, "state/seen/peer");
    const char *aside = test_path(world.fixture, world.fixture->root, "aside");
    assert_int_equal(rename(peer, aside), 0);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
    assert_non_null(strstr(world.fixture->diag.text, "is missing"));
    assert_int_equal(rename(aside, peer), 0);
    assert_ok(world_check(&world, &result));
    const char *more = world_in(&world, "state/zz");
    assert_ok(lb_file_write(more, lb_span_str("x"), 0600));
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
    assert_int_equal(unlink(more), 0);
    assert_int_equal(unlink(world_in(&world, "manifest.json")), 0);
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
}

/* Whoever changes a file and the manifest with it can't change the log. */
static void a_manifest_that_fits_another_log_is_found(void **state)
{
    struct world world;
    struct lb_backup_result result;
    struct lb_span text;
    world_begin(state, &world);
    world_made(&world, &result);
    struct lb_backup_manifest manifest = result.manifest;
    manifest.log_size--;
    assert_ok(lb_backup_manifest_write(&manifest, world.fixture->arena, &text));
    assert_ok(lb_file_write(world_in(&world, "manifest.json"), text, 0600));
    assert_code(world_check(&world, &result), LB_BACKUP_BROKEN);
    struct lb_note_verifier verifier;
    uint8_t other[32] = {1};
    assert_ok(lb_note_verifier_init(TEST_ORIGIN, other, &verifier));
    lb_note_verifier_cleanup(&world.fixture->verifier);
    world.fixture->verifier = verifier;
    assert_code(world_check(&world, &result), LB_LOG_FORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_open_or_twice_is_refused),
        cmocka_unit_test(a_folder_that_is_not_empty_or_not_alone_is_refused),
        cmocka_unit_test(a_link_in_the_state_is_refused),
        cmocka_unit_test(another_accounts_state_is_refused),
        cmocka_unit_test(the_nodes_own_room_is_left_alone),
        cmocka_unit_test(a_shard_that_is_missing_is_named),
        cmocka_unit_test(a_log_that_does_not_verify_is_no_backup),
        cmocka_unit_test(a_copy_that_was_cut_off_is_refused),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(files_too_many_or_too_few_are_found),
        cmocka_unit_test(a_manifest_that_fits_another_log_is_found),
    };
    return cmocka_run_group_tests(tests, test_shard_fill, test_tear_down);
}
