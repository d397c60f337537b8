#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/store/schema.h"

/* What becomes of a store whose program is replaced: forward, step by step, and never between. */

#define APP_ID 0x4C425454U
#define ROWS "8000"
#define KILLS 12

#define FIRST                                                                                      \
    "CREATE TABLE t1(x INTEGER) STRICT; WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1"   \
    " FROM n WHERE x < " ROWS ") INSERT INTO t1 SELECT x FROM n;"

/* Each step leaves one table, which the next one replaces. */
static const char *const steps[] = {
    FIRST,
    "CREATE TABLE t2(x INTEGER) STRICT; INSERT INTO t2 SELECT x FROM t1; DROP TABLE t1;",
    "CREATE TABLE t3(x INTEGER) STRICT; INSERT INTO t3 SELECT x FROM t2; DROP TABLE t2;",
    NULL,
};
static const char *const first_step[] = {FIRST, NULL};

static const struct lb_store_schema now = {"x.db", APP_ID, steps};
static const struct lb_store_schema before = {"x.db", APP_ID, first_step};

struct place {
    char folder[64];
    char path[128];
};

static void begin(struct place *place, const struct lb_store_schema *as)
{
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/lb_schema_XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof(place->path), "%s/x.db", place->folder);
    const struct lb_store_options options = {.path = place->path, .migrations = as->migrations,
                                             .application_id = as->application_id, .create = true};
    struct lb_store *store = NULL;
    assert_true(lb_store_open(&options, &store) == LB_OK);
    lb_store_close(store);
}

static void end(const struct place *place)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < 4; i++) {
        char path[160];
        (void)snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(place->folder), 0);
}

static uint64_t found(const struct place *place)
{
    uint64_t version = 0;
    assert_true(lb_store_schema_found(&now, place->path, &version) == LB_OK);
    return version;
}

static int64_t ask(struct lb_store *store, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_true(lb_stmt_prepare(store, sql, &stmt) == LB_OK);
    assert_true(lb_stmt_step(stmt, &row) == LB_OK && row);
    int64_t value = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return value;
}

/* The one table of its version, with every row, and no other. */
static void assert_whole(const struct place *place, uint64_t version)
{
    const struct lb_store_options options = {.path = place->path, .read_only = true};
    struct lb_store *store = NULL;
    char sql[64];
    assert_true(lb_store_open(&options, &store) == LB_OK);
    assert_int_equal(ask(store, "SELECT count(*) FROM sqlite_schema"), 1);
    (void)snprintf(sql, sizeof(sql), "SELECT count(DISTINCT x) FROM t%d", (int)version);
    assert_int_equal(ask(store, sql), strtol(ROWS, NULL, 10));
    lb_store_close(store);
}

static void what_is_lacking_is_done(void **state)
{
    struct place place;
    (void)state;
    begin(&place, &before);
    assert_int_equal(found(&place), 1);
    assert_int_equal(lb_store_schema_steps(&now), 3);
    assert_true(lb_store_schema_raise(&now, place.path) == LB_OK);
    assert_int_equal(found(&place), 3);
    assert_whole(&place, 3);
    assert_true(lb_store_schema_raise(&now, place.path) == LB_OK);
    assert_int_equal(found(&place), 3);
    end(&place);
}

static void there_is_no_way_back(void **state)
{
    struct place place;
    (void)state;
    begin(&place, &now);
    lb_status status = lb_store_schema_raise(&before, place.path);
    assert_int_equal(lb_status_code(status), LB_VERSION_UNSUPPORTED);
    assert_int_equal(found(&place), 3);
    assert_whole(&place, 3);
    end(&place);
}

static void another_kind_is_refused(void **state)
{
    const struct lb_store_schema other = {"y.db", APP_ID + 1, steps};
    struct place place;
    uint64_t version = 7;
    (void)state;
    begin(&place, &before);
    assert_int_equal(lb_status_code(lb_store_schema_found(&other, place.path, &version)),
                     LB_STORE_FAILED);
    assert_int_equal(version, 7);
    assert_int_equal(lb_status_code(lb_store_schema_raise(&other, place.path)), LB_STORE_FAILED);
    assert_int_equal(found(&place), 1);
    end(&place);
}

/* Whether it was still at work when it was killed, so many microseconds after it began. */
static bool kill_while_raising(const struct place *place, useconds_t after_us)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lb_status raised = lb_store_schema_raise(&now, place->path);
        _exit(raised == LB_OK ? 0 : 1);
    }
    (void)usleep(after_us);
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void killed_anywhere_it_is_of_one_version(void **state)
{
    unsigned killed = 0;
    (void)state;
    for (useconds_t i = 0; i < KILLS; i++) {
        struct place place;
        begin(&place, &before);
        killed += kill_while_raising(&place, i * 1200) ? 1 : 0;
        /* Whoever opens it first moves what was committed out of the write-ahead log. */
        uint64_t version = found(&place);
        assert_in_range(version, 1, 3);
        assert_whole(&place, version);
        assert_true(lb_store_schema_raise(&now, place.path) == LB_OK);
        assert_whole(&place, 3);
        end(&place);
    }
    assert_true(killed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lacking_is_done),
        cmocka_unit_test(there_is_no_way_back),
        cmocka_unit_test(another_kind_is_refused),
        cmocka_unit_test(killed_anywhere_it_is_of_one_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
