#include "gateway/backup/rehearse.h"

#include <sys/stat.h>
#include <unistd.h>

#include "gateway/backup/fixture.h"

/* What a newer program would make of a node's stores, and what it would refuse, on a copy. */

#define APP_ID 9U

static const char *const old_steps[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY);"
                                        "INSERT INTO t VALUES (1), (2);", NULL};
static const char *const new_steps[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY);"
                                        "INSERT INTO t VALUES (1), (2);",
                                        "ALTER TABLE t ADD COLUMN more TEXT", NULL};
static const char *const bad_steps[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY);"
                                        "INSERT INTO t VALUES (1), (2);",
                                        "INSERT INTO t VALUES (2)", NULL};

struct rehearsal {
    struct world world;
    struct lb_store_schema kinds[3];
    struct lb_rehearsed rows[LB_REHEARSE_MAX];
    size_t num;
    const char *own;  /* the node's consent.db */
};

/* The node's own store has the old steps; the program knows `steps`. */
static void begin(void **state, struct rehearsal *rehearsal, const char *const *steps,
                  const char *const *has)
{
    struct lb_store *store = NULL;
    world_begin(state, &rehearsal->world);
    struct fixture *fixture = rehearsal->world.fixture;
    rehearsal->own = test_path(fixture, fixture->folder, "consent.db");
    const struct lb_store_options options = {
        .path = rehearsal->own, .migrations = has, .application_id = APP_ID, .create = true};
    assert_ok(lb_store_open(&options, &store));
    lb_store_close(store);
    assert_ok(lb_log_kind(fixture->migrations, fixture->arena, &rehearsal->kinds[0]));
    rehearsal->kinds[1] = (struct lb_store_schema){"consent.db", APP_ID, steps};
    rehearsal->kinds[2] = (struct lb_store_schema){"not-there.db", APP_ID + 1, steps};
}

static lb_status rehearse(struct rehearsal *rehearsal)
{
    struct fixture *fixture = rehearsal->world.fixture;
    const struct lb_backup_options options = world_options(&rehearsal->world);
    lb_status status = lb_rehearse(&options, rehearsal->kinds, 3, fixture->arena, &fixture->diag,
                                   rehearsal->rows, &rehearsal->num);
    if (status != LB_OK)
        assert_true(strlen(fixture->diag.text) > 20);
    return status;
}

static uint64_t version_of(const struct rehearsal *rehearsal, const char *path)
{
    uint64_t version = 0;
    assert_ok(lb_store_schema_found(&rehearsal->kinds[1], path, &version));
    return version;
}

static void the_copy_is_brought_forward(void **state)
{
    struct rehearsal rehearsal = {.num = 0};
    begin(state, &rehearsal, new_steps, old_steps);
    assert_ok(rehearse(&rehearsal));
    assert_int_equal(rehearsal.num, 2);
    assert_string_equal(rehearsal.rows[0].name, "evidence.db");
    assert_int_equal(rehearsal.rows[0].found, rehearsal.rows[0].known);
    assert_string_equal(rehearsal.rows[1].name, "consent.db");
    assert_int_equal(rehearsal.rows[1].found, 1);
    assert_int_equal(rehearsal.rows[1].known, 2);
    assert_true(rehearsal.rows[1].bytes > 0);
    assert_int_equal(version_of(&rehearsal, rehearsal.own), 1);
    assert_int_equal(version_of(&rehearsal, world_in(&rehearsal.world, "state/consent.db")), 2);
    /* Nobody takes it for a backup. */
    struct lb_backup_result again;
    assert_int_equal(lb_status_code(world_check(&rehearsal.world, &again)), LB_BACKUP_BROKEN);
    assert_ok(lb_rehearse_clear(rehearsal.world.out));
    assert_int_not_equal(access(rehearsal.world.out, F_OK), 0);
    assert_int_equal(lb_status_code(lb_rehearse_clear(rehearsal.world.out)), LB_FILE_FAILED);
}

static void a_newer_store_is_named_and_nothing_copied(void **state)
{
    struct rehearsal rehearsal = {.num = 0};
    begin(state, &rehearsal, old_steps, new_steps);
    assert_int_equal(lb_status_code(rehearse(&rehearsal)), LB_VERSION_UNSUPPORTED);
    assert_non_null(strstr(rehearsal.world.fixture->diag.text, "consent.db: a newer version"));
    assert_int_equal(rehearsal.num, 2);
    assert_int_equal(rehearsal.rows[1].found, 2);
    assert_int_equal(rehearsal.rows[1].known, 1);
    assert_int_not_equal(access(rehearsal.world.out, F_OK), 0);
    assert_int_equal(version_of(&rehearsal, rehearsal.own), 2);
}

static void a_step_that_fails_is_found_here(void **state)
{
    struct rehearsal rehearsal = {.num = 0};
    begin(state, &rehearsal, bad_steps, old_steps);
    assert_int_equal(lb_status_code(rehearse(&rehearsal)), LB_STORE_CONFLICT);
    assert_non_null(strstr(rehearsal.world.fixture->diag.text, "consent.db: the copy cannot be"));
    assert_int_equal(version_of(&rehearsal, rehearsal.own), 1);
    assert_int_equal(version_of(&rehearsal, world_in(&rehearsal.world, "state/consent.db")), 1);
}

static void another_kind_of_file_is_named(void **state)
{
    struct rehearsal rehearsal = {.num = 0};
    begin(state, &rehearsal, new_steps, old_steps);
    rehearsal.kinds[1].application_id = APP_ID + 5;
    assert_int_equal(lb_status_code(rehearse(&rehearsal)), LB_STORE_FAILED);
    assert_non_null(strstr(rehearsal.world.fixture->diag.text, "consent.db: "));
    assert_int_not_equal(access(rehearsal.world.out, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_is_brought_forward),
        cmocka_unit_test(a_newer_store_is_named_and_nothing_copied),
        cmocka_unit_test(a_step_that_fails_is_found_here),
        cmocka_unit_test(another_kind_of_file_is_named),
    };
    return cmocka_run_group_tests(tests, test_shard_fill, test_tear_down);
}
