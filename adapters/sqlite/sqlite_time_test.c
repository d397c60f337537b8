#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/sqlite/sqlite_fixture.h"
#include "gateway/store/store.h"

/* Runs for minutes unless it is interrupted, and gives no row on the way. */
#define ENDLESS                                                                                    \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000000000) "        \
    "SELECT max(i) AS top FROM n"

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_slow_read_times_out_and_the_next_works(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result = {.num_rows = 77};
    struct lb_source_stmt *slow = fixture_prepare(fixture, ENDLESS);
    struct lb_source_stmt *quick =
        fixture_prepare(fixture, "SELECT cents FROM wage WHERE id_no = :id_no");
    for (int i = 0; i < 3; i++) {
        int64_t start_ms = now_ms();
        assert_int_equal(
            fixture_read_within(fixture, slow, "a", lb_source_all(10, 100), &result),
            LB_SOURCE_TIMEOUT);
        assert_true(now_ms() - start_ms >= 100);
        assert_true(now_ms() - start_ms < 5000);
        assert_int_equal(result.num_rows, 77);
        assert_int_equal(fixture_read_as(fixture, quick, "a", &result), LB_CODE_OK);
        assert_int_equal(result.num_rows, 2);
        result.num_rows = 77;
    }
    assert_int_equal(
        fixture_read_within(fixture, quick, "a", lb_source_all(10, 0), &result),
        LB_SOURCE_TIMEOUT);
    assert_int_equal(
        fixture_read_within(fixture, quick, "a", lb_source_all(10, -5), &result),
        LB_SOURCE_TIMEOUT);
    assert_int_equal(fixture_read_as(fixture, quick, "a", &result), LB_CODE_OK);
}

static void *cancel_soon(void *arg)
{
    struct fixture *fixture = arg;
    const struct timespec wait = {0, 50 * 1000000L};
    (void)nanosleep(&wait, NULL);
    fixture->plugin->cancel(fixture->source);
    return NULL;
}

static void a_read_is_cancelled_from_another_thread(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result = {0};
    struct lb_source_stmt *slow = fixture_prepare(fixture, ENDLESS);
    struct lb_source_stmt *quick =
        fixture_prepare(fixture, "SELECT cents FROM wage WHERE id_no = :id_no");
    fixture->plugin->cancel(fixture->source);  /* nothing is being read: no effect */
    assert_int_equal(fixture_read_as(fixture, quick, "a", &result), LB_CODE_OK);
    pthread_t thread;
    int64_t start_ms = now_ms();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, fixture), 0);
    assert_int_equal(
        fixture_read_within(fixture, slow, "a", lb_source_all(10, 60000), &result),
        LB_SOURCE_TIMEOUT);
    assert_true(now_ms() - start_ms < 5000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(fixture_read_as(fixture, quick, "a", &result), LB_CODE_OK);
}

static void a_locked_database_is_unavailable_until_released(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result;
    struct lb_source_stmt *stmt =
        fixture_prepare(fixture, "SELECT cents FROM wage WHERE id_no = :id_no");
    const struct lb_store_options options = {.path = fixture->path};
    struct lb_store *writer = NULL;
    assert_true(lb_store_open(&options, &writer) == LB_OK);
    assert_true(lb_store_exec(writer, "PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE") == LB_OK);
    assert_int_equal(fixture_read_as(fixture, stmt, "a", &result), LB_SOURCE_UNAVAILABLE);
    struct lb_source *second = NULL;
    assert_int_equal(
        lb_status_code(fixture_open(fixture, fixture->path, &fixture->diag, &second)),
        LB_SOURCE_UNAVAILABLE);
    assert_null(second);
    assert_true(lb_store_exec(writer, "UPDATE wage SET cents = 9; COMMIT") == LB_OK);
    assert_int_equal(fixture_read_as(fixture, stmt, "a", &result), LB_CODE_OK);
    assert_int_equal(result.cells[0].number, 9);
    assert_true(lb_store_exec(writer, "DROP TABLE wage") == LB_OK);
    assert_int_equal(fixture_read_as(fixture, stmt, "a", &result), LB_SOURCE_CHANGED);
    lb_store_close(writer);
}

static void many_quick_reads_are_not_disturbed(void **state)
{
    struct fixture *fixture = *state;
    struct lb_source_result result;
    struct lb_source_stmt *stmt =
        fixture_prepare(fixture, "SELECT cents FROM wage WHERE id_no = :id_no");
    for (int i = 0; i < 5000; i++) {
        lb_arena_reset(fixture->arena);
        struct lb_source_limits limits = lb_source_all(10, i % 2 == 0 ? 60000 : 1000);
        assert_int_equal(fixture_read_within(fixture, stmt, "a", limits, &result), LB_CODE_OK);
    }
    fixture->plugin->close(NULL);
    assert_int_equal(fixture->plugin->api_version, LB_SOURCE_API_VERSION);
    assert_string_equal(fixture->plugin->name, "sqlite");
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_slow_read_times_out_and_the_next_works),
        WITH_FIXTURE(a_read_is_cancelled_from_another_thread),
        WITH_FIXTURE(a_locked_database_is_unavailable_until_released),
        WITH_FIXTURE(many_quick_reads_are_not_disturbed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
