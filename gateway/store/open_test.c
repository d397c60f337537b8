#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/store/store.h"

/* Its highest bit is set: the file holds it as a negative number. */
#define APP_ID 0xFC42AF01U
#define NOBODY 65534

static const char *const two_steps[] = {
    "CREATE TABLE a(x INTEGER); INSERT INTO a VALUES(1);",
    "CREATE TABLE b(y TEXT)",
    NULL,
};

static const char *const one_step[] = {"CREATE TABLE a(x INTEGER); INSERT INTO a VALUES(1);", NULL};

struct place {
    char folder[64];
    char path[128];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/lb_open_XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof(place->path), "%s/x.db", place->folder);
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    (void)chmod(place->folder, 0700);
    for (size_t i = 0; i < 4; i++) {
        char path[160];
        (void)snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        (void)unlink(path);
    }
    int left = rmdir(place->folder);
    free(place);
    return left;
}

static struct lb_store_options fresh(const struct place *place)
{
    return (struct lb_store_options){
        .path = place->path, .migrations = two_steps, .application_id = APP_ID, .create = true};
}

static struct lb_store *opened(struct lb_store_options options)
{
    struct lb_store *store = NULL;
    lb_status status = lb_store_open(&options, &store);
    if (status != LB_OK)
        fail_msg("%s", status->what);
    return store;
}

static enum lb_code open_code(struct lb_store_options options)
{
    struct lb_store *store = NULL;
    lb_status status = lb_store_open(&options, &store);
    assert_true((status == LB_OK) == (store != NULL));
    lb_store_close(store);
    return lb_status_code(status);
}

static int64_t number(struct lb_store *store, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_null(lb_stmt_prepare(store, sql, &stmt));
    assert_null(lb_stmt_step(stmt, &row));
    assert_true(row);
    int64_t value = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return value;
}

static void paths_that_are_no_files_are_refused(void **state)
{
    const struct place *place = *state;
    struct lb_store_options options = fresh(place);
    static const char *const bad[] = {"", "file:x.db", "file::memory:?cache=shared", ":other:",
                                      "/nonexistent/folder/x.db", "/tmp", "/dev/null"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        options.path = bad[i];
        assert_int_equal(open_code(options), LB_FILE_FAILED);
    }
    options = fresh(place);
    options.create = false;
    assert_int_equal(open_code(options), LB_FILE_FAILED);
    assert_int_equal(access(place->path, F_OK), -1);
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_int_equal(open_code(options), LB_FILE_FAILED);
}

static void files_that_are_no_databases_are_refused_untouched(void **state)
{
    const struct place *place = *state;
    char garbage[5000];
    memset(garbage, 'x', sizeof(garbage));
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(garbage, 1, sizeof(garbage), file), sizeof(garbage));
    (void)fclose(file);
    assert_int_equal(open_code(fresh(place)), LB_STORE_FAILED);
    struct lb_store_options reading = {.path = place->path, .read_only = true};
    assert_int_equal(open_code(reading), LB_STORE_FAILED);
    char after[5000];
    file = fopen(place->path, "r");
    assert_non_null(file);
    assert_int_equal(fread(after, 1, sizeof(after), file), sizeof(after));
    (void)fclose(file);
    assert_memory_equal(after, garbage, sizeof(after));
}

static void a_truncated_database_is_refused(void **state)
{
    const struct place *place = *state;
    lb_store_close(opened(fresh(place)));
    assert_int_equal(truncate(place->path, 5000), 0);
    assert_int_equal(open_code(fresh(place)), LB_STORE_FAILED);
    assert_int_equal(truncate(place->path, 50), 0);
    assert_int_equal(open_code(fresh(place)), LB_STORE_FAILED);
}

static void read_only_excludes_making_and_migrating(void **state)
{
    const struct place *place = *state;
    struct lb_store_options options = fresh(place);
    options.read_only = true;
    assert_int_equal(open_code(options), LB_STORE_FAILED);
    options.migrations = NULL;
    assert_int_equal(open_code(options), LB_STORE_FAILED);
    assert_int_equal(access(place->path, F_OK), -1);
}

static void files_are_private_whatever_the_umask(void **state)
{
    const struct place *place = *state;
    mode_t before = umask(0);
    struct lb_store *store = opened(fresh(place));
    (void)umask(before);
    assert_null(lb_store_exec(store, "INSERT INTO b VALUES('x')"));
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[160];
        struct stat info;
        (void)snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 07777, 0600);
    }
    lb_store_close(store);
}

static void settings_hold(void **state)
{
    struct lb_store *store = opened(fresh(*state));
    assert_int_equal(number(store, "SELECT journal_mode='wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(number(store, "PRAGMA synchronous"), 2);
    assert_int_equal(number(store, "PRAGMA foreign_keys"), 1);
    assert_int_equal(number(store, "PRAGMA secure_delete"), 1);
    assert_int_equal(number(store, "PRAGMA trusted_schema"), 0);
    assert_int_equal(number(store, "PRAGMA cell_size_check"), 1);
    assert_int_equal((uint32_t)number(store, "PRAGMA application_id"), APP_ID);
    assert_int_equal(number(store, "PRAGMA user_version"), 2);
    assert_null(lb_store_exec(store, "PRAGMA writable_schema=ON"));
    assert_non_null(lb_store_exec(store, "DELETE FROM sqlite_schema"));
    assert_non_null(lb_store_exec(store, "SELECT \"no such column\""));
    assert_non_null(lb_store_exec(store, "SELECT load_extension('x')"));
    assert_null(lb_store_exec(store, "VACUUM"));
    lb_store_close(store);
}

static void steps_run_once_each_and_in_order(void **state)
{
    struct lb_store_options options = fresh(*state);
    options.migrations = one_step;
    lb_store_close(opened(options));
    for (int i = 0; i < 2; i++) {
        struct lb_store *store = opened(fresh(*state));
        assert_int_equal(number(store, "SELECT count(*) FROM a"), 1);
        assert_int_equal(number(store, "PRAGMA user_version"), 2);
        lb_store_close(store);
    }
}

static void a_newer_file_is_refused(void **state)
{
    struct lb_store_options options = fresh(*state);
    lb_store_close(opened(options));
    options.migrations = one_step;
    assert_int_equal(open_code(options), LB_VERSION_UNSUPPORTED);
}

static void a_failing_step_leaves_nothing(void **state)
{
    static const char *const broken[] = {
        "CREATE TABLE a(x INTEGER)", "CREATE TABLE b(y TEXT); INSERT INTO missing VALUES(1)", NULL};
    static const char *const escaping[] = {
        "CREATE TABLE a(x INTEGER)", "CREATE TABLE b(y TEXT); COMMIT", NULL};
    static const char *const mended[] = {"CREATE TABLE a(x INTEGER)", "CREATE TABLE c(z TEXT)",
                                         NULL};
    struct lb_store_options options = fresh(*state);
    options.migrations = broken;
    assert_int_equal(open_code(options), LB_STORE_FAILED);
    options.migrations = mended;
    struct lb_store *store = opened(options);
    assert_int_equal(number(store, "SELECT count(*) FROM sqlite_schema"), 2);
    lb_store_close(store);
    options.path = ":memory:";
    options.migrations = escaping;
    assert_int_equal(open_code(options), LB_STORE_FAILED);
}

static void another_programs_file_is_refused_unchanged(void **state)
{
    const struct place *place = *state;
    struct lb_store_options other = {.path = place->path, .create = true};
    struct lb_store *store = opened(other);
    assert_null(lb_store_exec(store, "PRAGMA journal_mode=DELETE; CREATE TABLE theirs(x)"));
    lb_store_close(store);
    assert_int_equal(open_code(fresh(place)), LB_STORE_FAILED);
    struct lb_store_options reading = {.path = place->path, .read_only = true};
    store = opened(reading);
    assert_int_equal(number(store, "SELECT journal_mode='delete' FROM pragma_journal_mode"), 1);
    assert_int_equal(number(store, "SELECT count(*) FROM sqlite_schema"), 1);
    lb_store_close(store);
}

static void the_application_id_is_checked(void **state)
{
    const struct place *place = *state;
    lb_store_close(opened(fresh(place)));
    struct lb_store_options options = fresh(place);
    assert_int_equal(open_code(options), LB_CODE_OK);
    options.application_id = APP_ID + 1;
    assert_int_equal(open_code(options), LB_STORE_FAILED);
    struct lb_store_options reading = {
        .path = place->path, .read_only = true, .application_id = APP_ID + 1};
    assert_int_equal(open_code(reading), LB_STORE_FAILED);
    reading.application_id = APP_ID;
    assert_int_equal(open_code(reading), LB_CODE_OK);
}

static void an_exclusive_lock_is_told(void **state)
{
    const struct place *place = *state;
    struct lb_store *holder = opened(fresh(place));
    assert_null(lb_store_exec(holder, "PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE"));
    struct lb_store_options reading = {.path = place->path, .read_only = true};
    assert_int_equal(open_code(reading), LB_STATE_LOCKED);
    assert_int_equal(open_code(fresh(place)), LB_STATE_LOCKED);
    lb_store_rollback(holder);
    assert_int_equal(open_code(reading), LB_CODE_OK);
    lb_store_close(holder);
}

static void *open_in_thread(void *path)
{
    struct lb_store_options options = {.path = path,
                                       .migrations = two_steps,
                                       .application_id = APP_ID,
                                       .create = true,
                                       .busy_timeout_ms = 20000};
    struct lb_store *store = NULL;
    lb_status status = lb_store_open(&options, &store);
    lb_store_close(store);
    return (void *)(uintptr_t)lb_status_code(status);
}

static void many_may_open_a_new_store_at_once(void **state)
{
    struct place *place = *state;
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_in_thread, place->path), 0);
    for (size_t i = 0; i < 8; i++) {
        void *code = NULL;
        assert_int_equal(pthread_join(threads[i], &code), 0);
        assert_int_equal((uintptr_t)code, LB_CODE_OK);
    }
    struct lb_store *store = opened(fresh(place));
    assert_int_equal(number(store, "SELECT count(*) FROM a"), 1);
    lb_store_close(store);
}

/* Opens read-only as a user who owns nothing here; gives the code, and 1000 when the row is
 * wrong. */
static int code_as_nobody(const char *path)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 ||
                               setuid(NOBODY) != 0))
            _exit(250);
        struct lb_store_options options = {.path = path, .read_only = true};
        struct lb_store *store = NULL;
        struct lb_stmt *stmt = NULL;
        bool row = false;
        lb_status status = lb_store_open(&options, &store);
        if (status != LB_OK)
            _exit((int)lb_status_code(status));
        bool read = lb_stmt_prepare(store, "SELECT x FROM a", &stmt) == LB_OK &&
                    lb_stmt_step(stmt, &row) == LB_OK && row && lb_stmt_int(stmt, 0) == 1;
        bool wrote = lb_store_exec(store, "INSERT INTO a VALUES(2)") == LB_OK;
        _exit(read && !wrote ? LB_CODE_OK : 251);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void a_folder_we_may_not_write_is_read(void **state)
{
    const struct place *place = *state;
    struct lb_store *store = opened(fresh(place));
    assert_int_equal(chmod(place->path, 0644), 0);
    assert_null(lb_store_exec(store, "PRAGMA journal_mode=DELETE"));
    lb_store_close(store);
    assert_int_equal(chmod(place->folder, 0555), 0);
    assert_int_equal(code_as_nobody(place->path), LB_CODE_OK);
    assert_int_equal(chmod(place->path, 0600), 0);
    if (geteuid() == 0)
        assert_int_equal(code_as_nobody(place->path), LB_FILE_FAILED);
}

static void a_wal_database_is_read_beside_its_writer(void **state)
{
    const struct place *place = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct lb_store *writer = opened(fresh(place));
    for (size_t i = 0; i < 3; i++) {
        char path[160];
        (void)snprintf(path, sizeof(path), "%s%s", place->path, suffixes[i]);
        assert_int_equal(chmod(path, 0644), 0);
    }
    assert_int_equal(chmod(place->folder, 0555), 0);
    assert_int_equal(code_as_nobody(place->path), LB_CODE_OK);
    assert_null(lb_store_exec(writer, "INSERT INTO b VALUES('still works')"));
    assert_int_equal(chmod(place->folder, 0755), 0);
    lb_store_close(writer);
}

static void a_wal_database_at_rest_is_refused_where_we_may_not_write(void **state)
{
    const struct place *place = *state;
    lb_store_close(opened(fresh(place)));
    assert_int_equal(chmod(place->path, 0644), 0);
    assert_int_equal(chmod(place->folder, 0555), 0);
    assert_int_equal(code_as_nobody(place->path), LB_FILE_FAILED);
    assert_int_equal(chmod(place->folder, geteuid() == 0 ? 0777 : 0700), 0);
    assert_int_equal(code_as_nobody(place->path), LB_CODE_OK);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, make_place, drop_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_that_are_no_files_are_refused),
        TEST(files_that_are_no_databases_are_refused_untouched),
        TEST(a_truncated_database_is_refused),
        TEST(read_only_excludes_making_and_migrating),
        TEST(files_are_private_whatever_the_umask),
        TEST(settings_hold),
        TEST(steps_run_once_each_and_in_order),
        TEST(a_newer_file_is_refused),
        TEST(a_failing_step_leaves_nothing),
        TEST(another_programs_file_is_refused_unchanged),
        TEST(the_application_id_is_checked),
        TEST(an_exclusive_lock_is_told),
        TEST(many_may_open_a_new_store_at_once),
        TEST(a_folder_we_may_not_write_is_read),
        TEST(a_wal_database_is_read_beside_its_writer),
        TEST(a_wal_database_at_rest_is_refused_where_we_may_not_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
