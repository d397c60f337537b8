#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/store/store.h"

static const char *const schema[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER CHECK(size > 0), "
    "bytes BLOB)",
    NULL,
};

struct place {
    char folder[64];
    char path[128];
    struct lb_store *store;
};

static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/lb_store_XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof(place->path), "%s/x.db", place->folder);
    struct lb_store_options options = {
        .path = place->path, .migrations = schema, .application_id = 1, .create = true};
    assert_null(lb_store_open(&options, &place->store));
    *state = place;
    return 0;
}

/* Fails when closing has left a -wal or -shm file. */
static int close_place(void **state)
{
    struct place *place = *state;
    lb_store_close(place->store);
    int left = unlink(place->path) + rmdir(place->folder);
    free(place);
    return left;
}

static struct lb_store *store_of(void **state)
{
    return ((struct place *)*state)->store;
}

static struct lb_store *second_of(const struct place *place)
{
    struct lb_store_options options = {.path = place->path};
    struct lb_store *other = NULL;
    assert_null(lb_store_open(&options, &other));
    return other;
}

static struct lb_stmt *prepared(struct lb_store *store, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    lb_status status = lb_stmt_prepare(store, sql, &stmt);
    if (status != LB_OK)
        fail_msg("%s: %s", status->what, lb_store_error_text(store));
    return stmt;
}

static enum lb_code exec_code(struct lb_store *store, const char *sql)
{
    return lb_status_code(lb_store_exec(store, sql));
}

static int64_t count(struct lb_store *store)
{
    struct lb_stmt *stmt = prepared(store, "SELECT count(*) FROM t");
    bool row = false;
    assert_null(lb_stmt_step(stmt, &row));
    int64_t value = row ? lb_stmt_int(stmt, 0) : -1;
    lb_stmt_free(stmt);
    return value;
}

static void constraints_are_told_apart(void **state)
{
    struct lb_store *store = store_of(state);
    assert_null(lb_store_exec(store, "INSERT INTO t(id, name) VALUES(1, 'secret-name')"));
    assert_int_equal(exec_code(store, "INSERT INTO t(id) VALUES(1)"), LB_STORE_CONFLICT);
    assert_int_equal(exec_code(store, "INSERT INTO t(name) VALUES('secret-name')"),
                     LB_STORE_CONFLICT);
    assert_null(strstr(lb_store_error_text(store), "secret-name"));
    assert_int_equal(exec_code(store, "INSERT INTO t(size) VALUES(-1)"), LB_STORE_FAILED);
    assert_null(lb_store_exec(store, "CREATE TABLE c(t INTEGER REFERENCES t(id))"));
    assert_int_equal(exec_code(store, "INSERT INTO c VALUES(99)"), LB_STORE_FAILED);
}

static void a_full_disk_is_a_failure_and_rolls_back(void **state)
{
    struct lb_store *store = store_of(state);
    assert_null(lb_store_exec(store, "PRAGMA max_page_count=8"));
    assert_null(lb_store_begin(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(1)"));
    lb_status status = lb_store_exec(store, "INSERT INTO t(bytes) VALUES(zeroblob(100000))");
    assert_int_equal(lb_status_code(status), LB_STORE_FAILED);
    assert_string_equal(status->what, "disk full");
    lb_store_rollback(store);
    assert_int_equal(count(store), 0);
}

static void another_writer_is_told(void **state)
{
    const struct place *place = *state;
    struct lb_store *other = second_of(place);
    assert_null(lb_store_begin(other));
    assert_int_equal(lb_status_code(lb_store_begin(place->store)), LB_STATE_LOCKED);
    assert_int_equal(exec_code(place->store, "INSERT INTO t(id) VALUES(1)"), LB_STATE_LOCKED);
    assert_int_equal(count(place->store), 0);
    assert_null(lb_store_commit(other));
    assert_null(lb_store_begin(place->store));
    lb_store_close(other);
    assert_null(lb_store_commit(place->store));
}

static void transactions_do_not_nest_or_end_twice(void **state)
{
    struct lb_store *store = store_of(state);
    assert_int_equal(lb_status_code(lb_store_commit(store)), LB_STORE_FAILED);
    assert_int_equal(lb_status_code(lb_store_savepoint(store)), LB_STORE_FAILED);
    assert_int_equal(lb_status_code(lb_store_release(store)), LB_STORE_FAILED);
    assert_int_equal(lb_status_code(lb_store_undo(store)), LB_STORE_FAILED);
    lb_store_rollback(store);
    assert_null(lb_store_begin(store));
    assert_int_equal(lb_status_code(lb_store_begin(store)), LB_STORE_FAILED);
    for (unsigned i = 0; i < LB_STORE_MAX_SAVEPOINTS; i++)
        assert_null(lb_store_savepoint(store));
    assert_int_equal(lb_status_code(lb_store_savepoint(store)), LB_STORE_FAILED);
    assert_int_equal(lb_status_code(lb_store_commit(store)), LB_STORE_FAILED);
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(1)"));
    lb_store_rollback(store);
    assert_int_equal(count(store), 0);
    assert_int_equal(lb_status_code(lb_store_release(store)), LB_STORE_FAILED);
}

static void undo_drops_only_the_inner_step(void **state)
{
    struct lb_store *store = store_of(state);
    assert_null(lb_store_begin(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(1)"));
    assert_null(lb_store_savepoint(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(2)"));
    assert_null(lb_store_undo(store));
    assert_null(lb_store_savepoint(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(3)"));
    assert_null(lb_store_release(store));
    assert_null(lb_store_commit(store));
    assert_int_equal(count(store), 2);
}

/* Each ends the savepoint that was begun last. */
static void savepoints_end_from_within(void **state)
{
    struct lb_store *store = store_of(state);
    assert_null(lb_store_begin(store));
    assert_null(lb_store_savepoint(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(1)"));
    assert_null(lb_store_savepoint(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(2)"));
    assert_null(lb_store_undo(store));
    assert_int_equal(lb_status_code(lb_store_commit(store)), LB_STORE_FAILED);
    assert_null(lb_store_release(store));
    assert_null(lb_store_savepoint(store));
    assert_null(lb_store_savepoint(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(3)"));
    assert_null(lb_store_release(store));
    assert_null(lb_store_undo(store));
    assert_null(lb_store_commit(store));
    assert_int_equal(count(store), 1);
}

static void a_read_only_store_reads_one_moment_and_never_writes(void **state)
{
    const struct place *place = *state;
    struct lb_store_options options = {.path = place->path, .read_only = true};
    struct lb_store *reader = NULL;
    assert_null(lb_store_open(&options, &reader));
    assert_int_equal(exec_code(reader, "INSERT INTO t(id) VALUES(1)"), LB_STORE_FAILED);
    assert_int_equal(exec_code(reader, "PRAGMA query_only=OFF; DELETE FROM t"), LB_STORE_FAILED);
    assert_int_equal(exec_code(reader, "PRAGMA user_version=9"), LB_STORE_FAILED);
    assert_null(lb_store_begin(reader));
    assert_int_equal(count(reader), 0);
    assert_null(lb_store_exec(place->store, "INSERT INTO t(id) VALUES(1)"));
    assert_int_equal(count(reader), 0);
    assert_null(lb_store_commit(reader));
    assert_int_equal(count(reader), 1);
    lb_store_close(reader);
}

static void what_is_deleted_is_gone_from_the_file(void **state)
{
    const struct place *place = *state;
    static const char secret[] = "99010119700101001X-very-secret";
    assert_null(lb_store_exec(place->store,
                              "INSERT INTO t(name) VALUES('99010119700101001X-very-secret');"
                              "PRAGMA wal_checkpoint(TRUNCATE)"));
    for (int deleted = 0; deleted <= 1; deleted++) {
        static char content[1 << 20];
        FILE *file = fopen(place->path, "r");
        assert_non_null(file);
        size_t len = fread(content, 1, sizeof(content), file);
        (void)fclose(file);
        assert_true(len > 0 && len < sizeof(content));
        assert_int_equal(memmem(content, len, secret, sizeof(secret) - 1) == NULL, deleted);
        assert_null(lb_store_exec(place->store,
                                  "DELETE FROM t; PRAGMA wal_checkpoint(TRUNCATE)"));
    }
}

struct interrupter {
    struct lb_store *store;
    atomic_bool done;
};

static void *interrupt_until_done(void *arg)
{
    struct interrupter *self = arg;
    while (!atomic_load(&self->done)) {
        struct timespec pause = {.tv_nsec = 5000000};
        (void)nanosleep(&pause, NULL);
        lb_store_interrupt(self->store);
    }
    return NULL;
}

static void an_endless_statement_is_interrupted(void **state)
{
    struct interrupter self = {.store = store_of(state)};
    struct lb_stmt *stmt = prepared(self.store, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT "
                                                "i + 1 FROM n) SELECT count(*) FROM n");
    bool row = true;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_until_done, &self), 0);
    enum lb_code code = lb_status_code(lb_stmt_step(stmt, &row));
    atomic_store(&self.done, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(code, LB_DEADLINE);
    assert_int_equal(count(self.store), 0);
}

static void closing_takes_statements_and_transaction_along(void **state)
{
    const struct place *place = *state;
    struct lb_store *store = second_of(place);
    bool row = false;
    lb_stmt_free(prepared(store, "SELECT 1"));
    struct lb_stmt *stmt = prepared(store, "SELECT 1 UNION SELECT 2");
    lb_stmt_free(prepared(store, "SELECT 2"));
    assert_null(lb_stmt_step(stmt, &row));
    assert_null(lb_store_begin(store));
    assert_null(lb_store_exec(store, "INSERT INTO t(id) VALUES(1)"));
    lb_store_close(store);
    assert_int_equal(count(place->store), 0);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, open_place, close_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(constraints_are_told_apart),
        TEST(a_full_disk_is_a_failure_and_rolls_back),
        TEST(another_writer_is_told),
        TEST(transactions_do_not_nest_or_end_twice),
        TEST(undo_drops_only_the_inner_step),
        TEST(savepoints_end_from_within),
        TEST(a_read_only_store_reads_one_moment_and_never_writes),
        TEST(what_is_deleted_is_gone_from_the_file),
        TEST(an_endless_statement_is_interrupted),
        TEST(closing_takes_statements_and_transaction_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
