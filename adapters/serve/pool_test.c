#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/serve/pool.h"

/* The department's connections over a source that hangs until its time is up. */

#define NUM_VIEWS 4

static int no_database;

static lb_status hang_open(void *ctx, const struct lb_source_options *options,
                           struct lb_diag *diag, struct lb_source **out)
{
    (void)ctx;
    (void)options;
    (void)diag;
    *out = (struct lb_source *)(void *)&no_database;
    return LB_OK;
}

static void hang_close(struct lb_source *source)
{
    (void)source;
}

static lb_status hang_prepare(struct lb_source *source, const struct lb_source_query *query,
                              struct lb_diag *diag, struct lb_source_stmt **out)
{
    (void)source;
    (void)query;
    (void)diag;
    *out = (struct lb_source_stmt *)(void *)&no_database;
    return LB_OK;
}

static lb_status hang_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                           size_t num_params, const struct lb_source_limits *limits,
                           struct lb_arena *arena, struct lb_source_result *out_result)
{
    (void)stmt;
    (void)params;
    (void)num_params;
    (void)arena;
    (void)out_result;
    (void)usleep((useconds_t)limits->timeout_ms * 1000);
    LB_FAIL(LB_SOURCE_TIMEOUT, "hangs");
}

static const struct lb_source_plugin hanging = {
    .api_version = LB_SOURCE_API_VERSION,
    .name = "hanging",
    .open = hang_open,
    .close = hang_close,
    .prepare = hang_prepare,
    .read = hang_read,
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void all_queries_share_one_time(void **state)
{
    (void)state;
    static const struct lb_view view = {
        .id = "a.b", .query = "SELECT 1", .max_rows = 1, .timeout_ms = 3000};
    static const struct lb_view *const views[NUM_VIEWS] = {&view, &view, &view, &view};
    const struct lb_serve_policy policy = {.num_views = NUM_VIEWS, .views = views};
    struct lb_serve_query queries[NUM_VIEWS];
    struct lb_serve_rows rows[NUM_VIEWS];
    struct lb_serve_pool *pool = NULL;
    struct lb_diag diag;
    const struct lb_serve_pool_options options = {
        .plugin = &hanging, .num_connections = 1, .policy = &policy};
    assert_true(lb_serve_pool_new(&options, &diag, &pool) == LB_OK);
    for (size_t i = 0; i < NUM_VIEWS; i++)
        queries[i] = (struct lb_serve_query){i, NULL, 0};
    int64_t start = now_ms();
    assert_true(lb_serve_pool_read(pool, queries, NUM_VIEWS, 400, NULL, rows) == LB_OK);
    int64_t took = now_ms() - start;
    for (size_t i = 0; i < NUM_VIEWS; i++)
        assert_int_equal(lb_status_code(rows[i].status), LB_SOURCE_TIMEOUT);
    assert_in_range(took, 390, 1200); /* not four times as long */
    lb_serve_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_queries_share_one_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
