#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/pool.h"

/* The department's connections over a source that does as it is told here. */

#define NUM_VIEWS 4

/* What the source does, and what was done to it. */
static struct {
    atomic_bool refuses;     /* to open */
    atomic_bool hangs;       /* until its time is up, or until it is cancelled */
    atomic_bool cancelled;
    atomic_int num_opened;   /* ever */
    atomic_int num_open;
    atomic_int most_open;
    atomic_int num_tried;
    const char *type;        /* of the only column of the query "SELECT 2" */
    bool gone;               /* "SELECT 2" does not compile */
    const char *columns[1];  /* of every statement, until its connection is closed */
} fake;

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static lb_status fake_open(void *ctx, const struct lb_source_options *options,
                           struct lb_diag *diag, struct lb_source **out)
{
    (void)ctx;
    (void)options;
    (void)diag;
    (void)atomic_fetch_add(&fake.num_tried, 1);
    LB_ENSURE(!atomic_load(&fake.refuses), LB_SOURCE_UNAVAILABLE, "down");
    (void)atomic_fetch_add(&fake.num_opened, 1);
    fake.columns[0] = "v";
    int open = atomic_fetch_add(&fake.num_open, 1) + 1;
    if (open > atomic_load(&fake.most_open))
        atomic_store(&fake.most_open, open);
    *out = (struct lb_source *)(void *)&fake;
    return LB_OK;
}

static void fake_close(struct lb_source *source)
{
    (void)source;
    fake.columns[0] = NULL;
    (void)atomic_fetch_sub(&fake.num_open, 1);
}

static lb_status fake_prepare(struct lb_source *source, const struct lb_source_query *query,
                              struct lb_diag *diag, struct lb_source_stmt **out)
{
    (void)source;
    (void)diag;
    LB_ENSURE(!fake.gone || strcmp(query->text, "SELECT 2") != 0, LB_CONFIG_INVALID, "gone");
    *out = (struct lb_source_stmt *)(void *)(uintptr_t)query->text;
    return LB_OK;
}

static lb_status fake_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                           size_t num_params, const struct lb_source_limits *limits,
                           struct lb_arena *arena, struct lb_source_result *out_result)
{
    (void)stmt;
    (void)params;
    (void)num_params;
    (void)arena;
    int64_t until_ms = now_ms() + limits->timeout_ms;
    while (atomic_load(&fake.hangs) && now_ms() < until_ms && !atomic_load(&fake.cancelled))
        (void)usleep(1000);
    LB_ENSURE(!atomic_load(&fake.hangs), LB_SOURCE_TIMEOUT, "hangs");
    *out_result = (struct lb_source_result){
        .num_columns = 1, .columns = limits->columns != NULL ? limits->columns : fake.columns};
    return LB_OK;
}

static void fake_cancel(struct lb_source *source)
{
    (void)source;
    atomic_store(&fake.cancelled, true);
}

static lb_status fake_describe(struct lb_source_stmt *stmt, struct lb_arena *arena,
                               struct lb_source_shape *out_shape)
{
    static const char *const names[] = {"v"};
    static const char *const other[] = {"bigint"};
    (void)arena;
    bool second = strcmp((const char *)stmt, "SELECT 2") == 0;
    *out_shape = (struct lb_source_shape){1, names, second ? &fake.type : other};
    return LB_OK;
}

static const struct lb_source_plugin plugin = {
    .api_version = LB_SOURCE_API_VERSION,
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .prepare = fake_prepare,
    .read = fake_read,
    .cancel = fake_cancel,
    .describe = fake_describe,
};

static const struct lb_view first = {
    .id = "a.b", .query = "SELECT 1", .max_rows = 1, .timeout_ms = 3000};
static const struct lb_view second = {
    .id = "a.c", .query = "SELECT 2", .max_rows = 1, .timeout_ms = 3000};
static const struct lb_view *const views[NUM_VIEWS] = {&first, &second, &first, &first};
static const struct lb_serve_policy policy = {.num_views = NUM_VIEWS, .views = views};

static struct lb_serve_pool *open_pool(size_t num_connections)
{
    struct lb_serve_pool *pool = NULL;
    struct lb_diag diag;
    const struct lb_serve_pool_options options = {
        .plugin = &plugin, .num_connections = num_connections, .policy = &policy};
    assert_true(lb_serve_pool_new(&options, &diag, &pool) == LB_OK);
    return pool;
}

static void start_fake(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.type = "numeric(12,2)";
}

static struct lb_serve_pool *make(size_t num_connections)
{
    start_fake();
    return open_pool(num_connections);
}

static enum lb_code read_view(struct lb_serve_pool *pool, size_t view, int64_t max_ms)
{
    const struct lb_serve_query query = {.view = view};
    struct lb_serve_rows rows;
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    lb_status status = lb_serve_pool_read(pool, &query, 1, max_ms, arena, &rows);
    lb_arena_free(arena);
    return lb_status_code(status != LB_OK ? status : rows.status);
}

static void all_queries_share_one_time(void **state)
{
    struct lb_serve_query queries[NUM_VIEWS];
    struct lb_serve_rows rows[NUM_VIEWS];
    struct lb_serve_pool *pool = make(1);
    (void)state;
    atomic_store(&fake.hangs, true);
    for (size_t i = 0; i < NUM_VIEWS; i++)
        queries[i] = (struct lb_serve_query){.view = i};
    int64_t start = now_ms();
    assert_true(lb_serve_pool_read(pool, queries, NUM_VIEWS, 400, NULL, rows) == LB_OK);
    int64_t took = now_ms() - start;
    for (size_t i = 0; i < NUM_VIEWS; i++)
        assert_int_equal(lb_status_code(rows[i].status), LB_SOURCE_TIMEOUT);
    assert_in_range(took, 390, 1200); /* not four times as long */
    lb_serve_pool_free(pool);
    assert_int_equal(atomic_load(&fake.num_open), 0);
}

static void a_database_that_is_down_is_asked_now_and_then(void **state)
{
    struct lb_serve_pool *pool = make(1);
    (void)state;
    atomic_store(&fake.hangs, true);
    assert_int_equal(read_view(pool, 0, 20), LB_SOURCE_TIMEOUT);
    atomic_store(&fake.hangs, false);
    atomic_store(&fake.refuses, true);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(read_view(pool, 0, 1000), LB_SOURCE_UNAVAILABLE);
    assert_in_range(atomic_load(&fake.num_tried), 2, 20);
    atomic_store(&fake.refuses, false);
    int64_t until_ms = now_ms() + 30000;
    while (read_view(pool, 0, 1000) != LB_CODE_OK)
        assert_true(now_ms() < until_ms);
    lb_serve_pool_free(pool);
}

/* It was never there: what it then has is held against the views as at any other time. */
static void a_database_may_come_up_later(void **state)
{
    (void)state;
    start_fake();
    atomic_store(&fake.refuses, true);
    struct lb_serve_pool *pool = open_pool(1);
    assert_int_equal(read_view(pool, 0, 1000), LB_SOURCE_UNAVAILABLE);
    fake.gone = true;
    atomic_store(&fake.refuses, false);
    int64_t until_ms = now_ms() + 30000;
    while (read_view(pool, 0, 1000) != LB_CODE_OK)
        assert_true(now_ms() < until_ms);
    assert_int_equal(read_view(pool, 1, 1000), LB_SOURCE_CHANGED);
    assert_int_equal(read_view(pool, 0, 1000), LB_CODE_OK);
    lb_serve_pool_free(pool);
}

static void *read_once(void *pool)
{
    (void)read_view(pool, 0, 300);
    return NULL;
}

static void connections_are_no_more_than_said(void **state)
{
    struct lb_serve_pool *pool = make(3);
    pthread_t threads[12];
    (void)state;
    atomic_store(&fake.hangs, true);
    for (size_t i = 0; i < 12; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_once, pool), 0);
    for (size_t i = 0; i < 12; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&fake.most_open), 3);
    lb_serve_pool_free(pool);
}

static void *read_long(void *pool)
{
    return (void *)(uintptr_t)read_view(pool, 0, 60000);
}

static void a_stop_ends_what_hangs(void **state)
{
    struct lb_serve_pool *pool = make(2);
    pthread_t thread;
    void *code = NULL;
    (void)state;
    atomic_store(&fake.hangs, true);
    int64_t start = now_ms();
    assert_int_equal(pthread_create(&thread, NULL, read_long, pool), 0);
    (void)usleep(100000);
    lb_serve_pool_stop(pool);
    (void)pthread_join(thread, &code);
    assert_true(now_ms() - start < 2500); /* the view's own patience is 3 s */
    assert_true((uintptr_t)code == LB_SOURCE_TIMEOUT || (uintptr_t)code == LB_SOURCE_UNAVAILABLE);
    assert_int_equal(read_view(pool, 1, 1000), LB_SOURCE_UNAVAILABLE);
    lb_serve_pool_free(pool);
    lb_serve_pool_stop(NULL);
}

/* Loses the connection, so that the next read makes a new one. */
static void lose(struct lb_serve_pool *pool)
{
    atomic_store(&fake.hangs, true);
    assert_int_equal(read_view(pool, 0, 10), LB_SOURCE_TIMEOUT);
    atomic_store(&fake.hangs, false);
}

static void a_view_of_other_tables_fails_alone(void **state)
{
    struct lb_serve_pool *pool = make(1);
    (void)state;
    assert_int_equal(read_view(pool, 1, 1000), LB_CODE_OK);
    fake.type = "numeric(12,0)"; /* what was yuan would be taken for cents */
    lose(pool);
    assert_int_equal(read_view(pool, 1, 1000), LB_SOURCE_CHANGED);
    assert_int_equal(read_view(pool, 0, 1000), LB_CODE_OK);
    int opened = atomic_load(&fake.num_opened);
    assert_int_equal(read_view(pool, 1, 1000), LB_SOURCE_CHANGED);
    assert_int_equal(atomic_load(&fake.num_opened), opened); /* and costs no connection */
    fake.gone = true;
    lose(pool);
    assert_int_equal(read_view(pool, 1, 1000), LB_SOURCE_CHANGED);
    assert_int_equal(read_view(pool, 0, 1000), LB_CODE_OK);
    lb_serve_pool_free(pool);
}

/* The connection that gave it may be lost before a result is looked at. */
static void a_result_outlives_its_connection(void **state)
{
    struct lb_serve_pool *pool = make(1);
    struct lb_arena *arena = lb_arena_new(64 * 1024);
    static const char *const names[] = {"v"};
    const struct lb_serve_query query = {.columns = names, .num_columns = 1};
    struct lb_serve_rows rows;
    (void)state;
    assert_true(lb_serve_pool_read(pool, &query, 1, 1000, arena, &rows) == LB_OK);
    assert_true(rows.status == LB_OK);
    lose(pool);
    assert_null(fake.columns[0]);
    assert_int_equal(rows.result.num_columns, 1);
    assert_string_equal(rows.result.columns[0], "v");
    lb_arena_free(arena);
    lb_serve_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_outlives_its_connection),
        cmocka_unit_test(all_queries_share_one_time),
        cmocka_unit_test(a_database_that_is_down_is_asked_now_and_then),
        cmocka_unit_test(a_database_may_come_up_later),
        cmocka_unit_test(connections_are_no_more_than_said),
        cmocka_unit_test(a_stop_ends_what_hangs),
        cmocka_unit_test(a_view_of_other_tables_fails_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
