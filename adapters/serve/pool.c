#include "adapters/serve/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/limits.h"

struct prepared {
    struct lb_source_stmt *rows;
    struct lb_source_stmt *as_of;  /* NULL when the view has none */
};

struct connection {
    struct lb_source *source;      /* NULL: to be opened */
    struct prepared *views;
    bool busy;
};

struct lb_serve_pool {
    struct lb_serve_pool_options options;
    pthread_mutex_t lock;
    pthread_cond_t free_one;
    struct connection connections[];
};

static void disconnect(struct lb_serve_pool *pool, struct connection *connection)
{
    if (connection->source != NULL)
        pool->options.plugin->close(connection->source);
    connection->source = NULL;
}

static lb_status prepare_all(struct lb_serve_pool *pool, struct connection *connection,
                             struct lb_diag *diag)
{
    for (size_t i = 0; i < pool->options.policy->num_views; i++) {
        const struct lb_view *view = pool->options.policy->views[i];
        struct prepared *prepared = &connection->views[i];
        struct lb_diag inner = {""};
        if (view->source != pool->options.source)
            continue;
        prepared->as_of = NULL;
        lb_status status =
            pool->options.plugin->prepare(connection->source, view->query, &inner, &prepared->rows);
        if (status == LB_OK && view->as_of_query != NULL)
            status = pool->options.plugin->prepare(connection->source, view->as_of_query, &inner,
                                           &prepared->as_of);
        if (status != LB_OK) {
            lb_diag_set(diag, "view %s: %.900s", view->id, inner.text);
            return status;
        }
    }
    return LB_OK;
}

static lb_status connect(struct lb_serve_pool *pool, struct connection *connection,
                         struct lb_diag *diag)
{
    const struct lb_source_plugin *plugin = pool->options.plugin;
    LB_TRY(plugin->open(plugin->ctx, pool->options.location, diag, &connection->source));
    lb_status status = prepare_all(pool, connection, diag);
    if (status != LB_OK)
        disconnect(pool, connection);
    return status;
}

lb_status lb_serve_pool_new(const struct lb_serve_pool_options *options, struct lb_diag *diag,
                            struct lb_serve_pool **out_pool)
{
    size_t num_connections = options->num_connections;
    LB_ENSURE(options->plugin->api_version == LB_SOURCE_API_VERSION, LB_VERSION_UNSUPPORTED,
              "source plugin of another version");
    struct lb_serve_pool *pool =
        calloc(1, sizeof(*pool) + num_connections * sizeof(pool->connections[0]));
    LB_ENSURE(pool != NULL, LB_NO_MEMORY, "source pool");
    pool->options = *options;
    (void)pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->free_one, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    lb_status status = LB_OK;
    for (size_t i = 0; i < num_connections && status == LB_OK; i++) {
        pool->connections[i].views = calloc(options->policy->num_views, sizeof(struct prepared));
        if (pool->connections[i].views == NULL)
            status = LB_FAULT(LB_NO_MEMORY, "prepared views");
    }
    if (status == LB_OK)
        status = connect(pool, &pool->connections[0], diag);
    if (status != LB_OK) {
        lb_serve_pool_free(pool);
        return status;
    }
    *out_pool = pool;
    return LB_OK;
}

void lb_serve_pool_free(struct lb_serve_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->options.num_connections; i++) {
        disconnect(pool, &pool->connections[i]);
        free(pool->connections[i].views);
    }
    (void)pthread_cond_destroy(&pool->free_one);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct connection *find_free(struct lb_serve_pool *pool)
{
    for (size_t i = 0; i < pool->options.num_connections; i++) {
        if (!pool->connections[i].busy)
            return &pool->connections[i];
    }
    return NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct connection *take(struct lb_serve_pool *pool, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000L};
    (void)pthread_mutex_lock(&pool->lock);
    struct connection *connection = find_free(pool);
    int timed_out = 0;
    while (connection == NULL && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&pool->free_one, &pool->lock, &until);
        connection = find_free(pool);
    }
    if (connection != NULL)
        connection->busy = true;
    (void)pthread_mutex_unlock(&pool->lock);
    return connection;
}

static void give(struct lb_serve_pool *pool, struct connection *connection)
{
    (void)pthread_mutex_lock(&pool->lock);
    connection->busy = false;
    (void)pthread_cond_signal(&pool->free_one);
    (void)pthread_mutex_unlock(&pool->lock);
}

/* A view without a date is not stale by itself; one that should have a date and gives none is
 * unavailable, because its freshness can't be judged. */
static lb_status read_as_of(struct lb_serve_pool *pool, struct lb_source_stmt *stmt,
                            const struct lb_serve_query *query, int64_t timeout_ms,
                            struct lb_arena *arena, char out[11])
{
    struct lb_source_limits limits = {.max_rows = 1, .timeout_ms = timeout_ms};
    struct lb_source_result result;
    LB_TRY(pool->options.plugin->read(stmt, query->params, query->num_params, &limits, arena,
                                      &result));
    LB_ENSURE(result.num_rows == 1 && result.num_columns == 1 &&
                  result.cells[0].kind == LB_SOURCE_TEXT && result.cells[0].text.len == 10,
              LB_SOURCE_UNAVAILABLE, "as_of gave no date");
    memcpy(out, result.cells[0].text.ptr, 10);
    out[10] = 0;
    return LB_OK;
}

static lb_status read_view(struct lb_serve_pool *pool, struct connection *connection,
                           const struct lb_serve_query *query, int64_t until_ms,
                           struct lb_arena *arena, struct lb_serve_rows *rows)
{
    const struct lb_view *view = pool->options.policy->views[query->view];
    const struct prepared *prepared = &connection->views[query->view];
    int64_t start_ms = now_ms();
    if (until_ms > start_ms + view->timeout_ms)
        until_ms = start_ms + view->timeout_ms;
    LB_ENSURE(until_ms > start_ms, LB_SOURCE_TIMEOUT, "no time is left for the query");
    if (prepared->as_of != NULL)
        LB_TRY(read_as_of(pool, prepared->as_of, query, until_ms - start_ms, arena, rows->as_of));
    struct lb_source_limits limits = {view->max_rows, until_ms - now_ms()};
    LB_ENSURE(limits.timeout_ms > 0, LB_SOURCE_TIMEOUT, "no time is left for the query");
    return pool->options.plugin->read(prepared->rows, query->params, query->num_params, &limits,
                                      arena, &rows->result);
}

lb_status lb_serve_pool_read(struct lb_serve_pool *pool, const struct lb_serve_query *queries,
                             size_t num_queries, int64_t max_ms, struct lb_arena *arena,
                             struct lb_serve_rows *out_rows)
{
    const int64_t until_ms = now_ms() + max_ms;
    struct connection *connection = take(pool, until_ms);
    LB_ENSURE(connection != NULL, LB_BUSY, "every connection to the database is in use");
    for (size_t i = 0; i < num_queries; i++) {
        struct lb_diag diag;
        struct lb_serve_rows *rows = &out_rows[i];
        *rows = (struct lb_serve_rows){.status = LB_OK};
        if (connection->source == NULL)
            rows->status = connect(pool, connection, &diag);
        if (rows->status == LB_OK)
            rows->status = read_view(pool, connection, &queries[i], until_ms, arena, rows);
        if (rows->status != LB_OK && rows->status->code != LB_AMBIGUOUS &&
            rows->status->code != LB_NO_MEMORY)
            disconnect(pool, connection);
    }
    give(pool, connection);
    return LB_OK;
}
