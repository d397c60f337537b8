#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/store/faults.h"
#include "gateway/store/store.h"

#define ROWS 4000 /* a few steps */
#define APPLICATION_ID 7

static const char *const schema[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, bytes BLOB)",
    NULL,
};

struct place {
    char folder[64];
    char path[128];
    char copy[128];
    struct lb_store *store;   /* the writer */
    struct lb_store *reader;
    unsigned told;
    uint64_t last_done, all;
    bool write_meanwhile;
    lb_status answer;         /* of the progress */
};

static void put_rows(struct lb_store *store, int64_t from, int64_t num)
{
    struct lb_stmt *stmt = NULL;
    assert_null(lb_stmt_prepare(store, "INSERT INTO t(id, bytes) VALUES(?1, randomblob(2000))",
                                &stmt));
    assert_null(lb_store_begin(store));
    for (int64_t i = 0; i < num; i++) {
        assert_null(lb_stmt_bind_int(stmt, 1, from + i));
        assert_null(lb_stmt_run(stmt));
    }
    assert_null(lb_store_commit(store));
    lb_stmt_free(stmt);
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/lb_copy_XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof(place->path), "%s/x.db", place->folder);
    (void)snprintf(place->copy, sizeof(place->copy), "%s/copy.db", place->folder);
    const struct lb_store_options options = {.path = place->path, .migrations = schema,
                                             .application_id = APPLICATION_ID, .create = true};
    assert_null(lb_store_open(&options, &place->store));
    put_rows(place->store, 1, ROWS);
    const struct lb_store_options reading = {.path = place->path, .read_only = true};
    assert_null(lb_store_open(&reading, &place->reader));
    *state = place;
    return 0;
}

/* Fails when anything but the two databases is left. */
static int tear_down(void **state)
{
    struct place *place = *state;
    faults_set(NULL);
    lb_store_close(place->reader);
    lb_store_close(place->store);
    (void)unlink(place->copy);
    int left = unlink(place->path) + rmdir(place->folder);
    free(place);
    return left;
}

static lb_status tell(void *ctx, uint64_t done, uint64_t all)
{
    struct place *place = ctx;
    place->told++;
    place->last_done = done;
    place->all = all;
    if (place->write_meanwhile)
        put_rows(place->store, ROWS + (int64_t)place->told * 100, 10);
    return place->answer;
}

static lb_status copy(struct place *place)
{
    const struct lb_store_progress progress = {tell, place};
    return lb_store_copy(place->reader, place->copy, &progress);
}

static int64_t number(const char *path, const char *sql)
{
    const struct lb_store_options options = {
        .path = path, .read_only = true, .application_id = APPLICATION_ID};
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_null(lb_store_open(&options, &store));
    assert_null(lb_stmt_prepare(store, sql, &stmt));
    assert_null(lb_stmt_step(stmt, &row));
    int64_t value = row ? lb_stmt_int(stmt, 0) : -1;
    lb_store_close(store);
    return value;
}

static void a_copy_has_what_was_there_when_it_began(void **state)
{
    struct place *place = *state;
    place->write_meanwhile = true;
    assert_null(copy(place));
    assert_true(place->told > 4);
    assert_int_equal(place->last_done, place->all);
    assert_int_equal(number(place->copy, "SELECT count(*) FROM t"), ROWS);
    assert_true(number(place->path, "SELECT count(*) FROM t") > ROWS);
    assert_int_equal(number(place->copy, "PRAGMA user_version"), 1);
}

static void a_copy_needs_nothing_beside_it(void **state)
{
    struct place *place = *state;
    struct stat info;
    char side[160];
    uint8_t head[20];
    assert_null(copy(place));
    FILE *file = fopen(place->copy, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
    (void)fclose(file);
    assert_int_equal(head[18], 1); /* rollback mode */
    assert_int_equal(head[19], 1);
    assert_int_equal(number(place->copy, "SELECT count(*) FROM t"), ROWS);
    (void)snprintf(side, sizeof(side), "%s-wal", place->copy);
    assert_int_not_equal(stat(side, &info), 0);
    assert_int_equal(stat(place->copy, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void nothing_is_written_over(void **state)
{
    struct place *place = *state;
    FILE *file = fopen(place->copy, "wb");
    assert_non_null(file);
    (void)fputs("mine", file);
    (void)fclose(file);
    assert_int_equal(lb_status_code(copy(place)), LB_FILE_FAILED);
    struct stat info;
    assert_int_equal(stat(place->copy, &info), 0);
    assert_int_equal(info.st_size, 4);
}

static void who_is_told_can_end_it(void **state)
{
    struct place *place = *state;
    place->answer = LB_FAULT(LB_LOG_FULL, "no room");
    assert_int_equal(lb_status_code(copy(place)), LB_LOG_FULL);
    assert_int_equal(place->told, 1);
    /* The snapshot is given up too. */
    (void)unlink(place->copy);
    place->answer = LB_OK;
    put_rows(place->store, 100000, 1);
    assert_null(copy(place));
    assert_int_equal(number(place->copy, "SELECT count(*) FROM t"), ROWS + 1);
}

static void within_a_transaction_it_is_refused(void **state)
{
    struct place *place = *state;
    assert_null(lb_store_begin(place->store));
    assert_int_equal(lb_status_code(lb_store_copy(place->store, place->copy, NULL)),
                     LB_STORE_FAILED);
    lb_store_rollback(place->store);
    assert_int_not_equal(access(place->copy, F_OK), 0);
}

static void a_writer_may_copy_too(void **state)
{
    struct place *place = *state;
    assert_null(lb_store_copy(place->store, place->copy, NULL));
    assert_int_equal(number(place->copy, "SELECT count(*) FROM t"), ROWS);
    put_rows(place->store, 200000, 1);
}

static void a_full_disk_is_told(void **state)
{
    struct place *place = *state;
    const struct faults_plan plan = {FAULTS_WRITE, FAULTS_FULL, "copy.db", 100, 0};
    faults_set(&plan);
    lb_status status = copy(place);
    assert_int_equal(lb_status_code(status), LB_STORE_FAILED);
    assert_int_equal(lb_store_trouble(status), LB_STORE_TROUBLE_FULL);
    faults_set(NULL);
    assert_int_equal(number(place->path, "SELECT count(*) FROM t"), ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_has_what_was_there_when_it_began, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_copy_needs_nothing_beside_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_written_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_told_can_end_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(within_a_transaction_it_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_writer_may_copy_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, set_up, tear_down),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
