#include "adapters/serve/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "adapters/sources/wants.h"
#include "gateway/base/log.h"

#define CONNECTION_ARENA_BYTES (4 * 1024 * 1024)
#define MAX_CONNECT_MS 5000
#define AGAIN_MS 500  /* after a failure to connect */
#define SLOW_MS 1000  /* after a query that was */

struct prepared {
    lb_status status;              /* of preparing it */
    struct lb_source_stmt *rows;
    struct lb_source_stmt *as_of;  /* NULL when the view has none */
};

struct connection {
    struct lb_source *source;      /* NULL: to be opened */
    struct lb_arena *arena;        /* what its statements need */
    struct prepared *views;
    bool busy;
};

/* What is known of a view whatever the connection. */
struct shape {
    bool known;
    uint8_t digest[32];
    atomic_llong slow_until_ms;
};

struct lb_serve_pool {
    struct lb_serve_pool_options options;
    atomic_bool stopping;
    bool serving;                  /* no longer starting */
    atomic_llong again_ms;         /* nobody connects before */
    struct shape *shapes;          /* of the views, when they were first prepared */
    pthread_mutex_t lock;
    pthread_cond_t free_one;
    struct connection connections[];
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The lock keeps lb_serve_pool_stop from a source that is gone. */
static void set_source(struct lb_serve_pool *pool, struct connection *connection,
                       struct lb_source *source)
{
    (void)pthread_mutex_lock(&pool->lock);
    connection->source = source;
    (void)pthread_mutex_unlock(&pool->lock);
}

static void disconnect(struct lb_serve_pool *pool, struct connection *connection)
{
    struct lb_source *source = connection->source;
    set_source(pool, connection, NULL);
    if (source != NULL)
        pool->options.plugin->close(source);
}

/* A view that was prepared on tables of another shape at the start is not what its policy's author
 * looked at. */
static lb_status check_shape(struct lb_serve_pool *pool, struct connection *connection, size_t view)
{
    struct shape *first = &pool->shapes[view];
    uint8_t digest[32];
    LB_TRY(lb_sources_shape_digest(pool->options.plugin, connection->views[view].rows,
                                   connection->arena, digest));
    (void)pthread_mutex_lock(&pool->lock);
    bool same = !first->known || memcmp(first->digest, digest, sizeof(digest)) == 0;
    if (!first->known)
        memcpy(first->digest, digest, sizeof(digest));
    first->known = true;
    (void)pthread_mutex_unlock(&pool->lock);
    LB_ENSURE(same, LB_SOURCE_CHANGED, "the query gives other columns than at the start");
    return LB_OK;
}

static lb_status prepare_one(struct lb_serve_pool *pool, struct connection *connection, size_t view,
                             struct lb_diag *diag)
{
    struct prepared *prepared = &connection->views[view];
    LB_TRY(lb_sources_prepare(pool->options.plugin, connection->source,
                              pool->options.policy->views[view], connection->arena, diag,
                              &prepared->rows, &prepared->as_of));
    return check_shape(pool, connection, view);
}

/* A mistake of the configuration stops the start; later it is other tables that the query meets. */
static lb_status in_service(const struct lb_serve_pool *pool, lb_status status)
{
    LB_ENSURE(lb_status_code(status) != LB_CONFIG_INVALID || !pool->serving, LB_SOURCE_CHANGED,
              "the query does not compile");
    return status;
}

static bool fails_alone(lb_status status)
{
    return lb_status_code(status) == LB_SOURCE_CHANGED;
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
        *prepared = (struct prepared){0};
        prepared->status = in_service(pool, prepare_one(pool, connection, i, &inner));
        if (prepared->status == LB_OK || fails_alone(prepared->status))
            continue;
        lb_diag_set(diag, "view %s: %.900s", view->id, inner.text);
        return prepared->status;
    }
    return LB_OK;
}

static lb_status open_source(struct lb_serve_pool *pool, int64_t max_ms, struct lb_diag *diag,
                             struct lb_source **out_source)
{
    const struct lb_source_plugin *plugin = pool->options.plugin;
    struct lb_source_options options = pool->options.database;
    options.timeout_ms = max_ms < MAX_CONNECT_MS ? max_ms : MAX_CONNECT_MS;
    options.stopping = &pool->stopping;
    LB_ENSURE(!atomic_load(&pool->stopping), LB_SOURCE_UNAVAILABLE, "the adapter is stopping");
    LB_ENSURE(now_ms() >= atomic_load(&pool->again_ms), LB_SOURCE_UNAVAILABLE,
              "the database could not be reached a moment ago");
    lb_status status = plugin->open(plugin->ctx, &options, diag, out_source);
    if (status != LB_OK) {
        atomic_store(&pool->again_ms, now_ms() + AGAIN_MS);
        lb_log_failure("source_not_opened", status);
    }
    return status;
}

static lb_status connect(struct lb_serve_pool *pool, struct connection *connection, int64_t max_ms,
                         struct lb_diag *diag)
{
    struct lb_source *source = NULL;
    LB_TRY(open_source(pool, max_ms, diag, &source));
    lb_arena_reset(connection->arena);
    set_source(pool, connection, source);
    lb_status status = prepare_all(pool, connection, diag);
    if (status != LB_OK)
        disconnect(pool, connection);
    return status;
}

static lb_status make_connection(struct lb_serve_pool *pool, struct connection *connection)
{
    connection->views = calloc(pool->options.policy->num_views + 1, sizeof(*connection->views));
    connection->arena = lb_arena_new(CONNECTION_ARENA_BYTES);
    LB_ENSURE(connection->views != NULL && connection->arena != NULL, LB_NO_MEMORY,
              "prepared views");
    return LB_OK;
}

static lb_status make_connections(struct lb_serve_pool *pool)
{
    pool->shapes = calloc(pool->options.policy->num_views + 1, sizeof(*pool->shapes));
    LB_ENSURE(pool->shapes != NULL, LB_NO_MEMORY, "shapes of views");
    for (size_t i = 0; i < pool->options.num_connections; i++)
        LB_TRY(make_connection(pool, &pool->connections[i]));
    return LB_OK;
}

static void init_lock(struct lb_serve_pool *pool)
{
    pthread_condattr_t monotonic;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->free_one, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

/* After a power cut the machines come up in any order. */
static lb_status first_connection(struct lb_serve_pool *pool, struct lb_diag *diag)
{
    lb_status status = connect(pool, &pool->connections[0], MAX_CONNECT_MS, diag);
    enum lb_code code = lb_status_code(status);
    if (code != LB_SOURCE_UNAVAILABLE && code != LB_SOURCE_TIMEOUT && code != LB_SOURCE_NO_HOST &&
        code != LB_SOURCE_FULL)
        return status;
    lb_log_event(LB_LOG_WARN, "source_away_at_start", "\"code\":\"%s\"", lb_code_name(code));
    return LB_OK;
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
    init_lock(pool);
    lb_status status = make_connections(pool);
    if (status == LB_OK)
        status = first_connection(pool, diag);
    if (status != LB_OK) {
        lb_serve_pool_free(pool);
        return status;
    }
    pool->serving = true;
    *out_pool = pool;
    return LB_OK;
}

void lb_serve_pool_free(struct lb_serve_pool *pool)
{
    if (pool == NULL)
        return;
    for (size_t i = 0; i < pool->options.num_connections; i++) {
        disconnect(pool, &pool->connections[i]);
        lb_arena_free(pool->connections[i].arena);
        free(pool->connections[i].views);
    }
    free(pool->shapes);
    (void)pthread_cond_destroy(&pool->free_one);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}

void lb_serve_pool_stop(struct lb_serve_pool *pool)
{
    if (pool == NULL)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->stopping, true);
    for (size_t i = 0; i < pool->options.num_connections; i++)
        if (pool->connections[i].source != NULL && pool->options.plugin->cancel != NULL)
            pool->options.plugin->cancel(pool->connections[i].source);
    (void)pthread_mutex_unlock(&pool->lock);
}

static struct connection *find_free(struct lb_serve_pool *pool)
{
    for (size_t i = 0; i < pool->options.num_connections; i++) {
        if (!pool->connections[i].busy)
            return &pool->connections[i];
    }
    return NULL;
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
    struct lb_source_limits limits = lb_source_all(1, timeout_ms);
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

/* `until_ms` has the view's own patience in it. */
static lb_status read_view(struct lb_serve_pool *pool, struct connection *connection,
                           const struct lb_serve_query *query, int64_t until_ms,
                           struct lb_arena *arena, struct lb_serve_rows *rows)
{
    const struct lb_view *view = pool->options.policy->views[query->view];
    const struct prepared *prepared = &connection->views[query->view];
    int64_t start_ms = now_ms();
    LB_ENSURE(until_ms > start_ms, LB_SOURCE_TIMEOUT, "no time is left for the query");
    LB_TRY(prepared->status);
    if (prepared->as_of != NULL)
        LB_TRY(read_as_of(pool, prepared->as_of, query, until_ms - start_ms, arena, rows->as_of));
    struct lb_source_limits limits = {.max_rows = view->max_rows,
                                      .timeout_ms = until_ms - now_ms(),
                                      .columns = query->columns,
                                      .num_columns = query->num_columns};
    LB_ENSURE(limits.timeout_ms > 0, LB_SOURCE_TIMEOUT, "no time is left for the query");
    LB_ENSURE(!atomic_load(&pool->stopping), LB_SOURCE_UNAVAILABLE, "the adapter is stopping");
    return pool->options.plugin->read(prepared->rows, query->params, query->num_params, &limits,
                                      arena, &rows->result);
}

static void note_time(struct lb_serve_pool *pool, size_t view, int64_t began_ms)
{
    int64_t now = now_ms();
    if (now - began_ms > LB_SERVE_QUICK_MS)
        atomic_store(&pool->shapes[view].slow_until_ms, now + SLOW_MS);
}

bool lb_serve_pool_is_quick(struct lb_serve_pool *pool, size_t view)
{
    return pool->options.plugin->in_process &&
           atomic_load(&pool->shapes[view].slow_until_ms) <= now_ms();
}

/* After these the connection is as good as before. */
static bool spares_connection(enum lb_code code)
{
    return code == LB_CODE_OK || code == LB_AMBIGUOUS || code == LB_NO_MEMORY;
}

static lb_status ask(struct lb_serve_pool *pool, struct connection *connection,
                     const struct lb_serve_query *query, int64_t until_ms, struct lb_arena *arena,
                     struct lb_serve_rows *rows)
{
    struct lb_diag diag;
    const struct lb_view *view = pool->options.policy->views[query->view];
    int64_t start_ms = now_ms();
    if (until_ms > start_ms + view->timeout_ms)
        until_ms = start_ms + view->timeout_ms;
    LB_ENSURE(!atomic_load(&pool->stopping), LB_SOURCE_UNAVAILABLE, "the adapter is stopping");
    LB_ENSURE(until_ms > start_ms, LB_SOURCE_TIMEOUT, "no time is left for the query");
    if (connection->source == NULL)
        LB_TRY(connect(pool, connection, until_ms - start_ms, &diag));
    return read_view(pool, connection, query, until_ms, arena, rows);
}

lb_status lb_serve_pool_read(struct lb_serve_pool *pool, const struct lb_serve_query *queries,
                             size_t num_queries, int64_t max_ms, struct lb_arena *arena,
                             struct lb_serve_rows *out_rows)
{
    const int64_t until_ms = now_ms() + max_ms;
    struct connection *connection = take(pool, until_ms);
    LB_ENSURE(connection != NULL, LB_BUSY, "every connection to the database is in use");
    for (size_t i = 0; i < num_queries; i++) {
        struct lb_serve_rows *rows = &out_rows[i];
        int64_t began_ms = now_ms();
        *rows = (struct lb_serve_rows){.status = LB_OK};
        rows->status = ask(pool, connection, &queries[i], until_ms, arena, rows);
        note_time(pool, queries[i].view, began_ms);
        enum lb_code code = lb_status_code(rows->status);
        if (code == LB_SOURCE_CHANGED)
            lb_log_failure("source_changed", rows->status);
        if (!spares_connection(code) && connection->views[queries[i].view].status == LB_OK)
            disconnect(pool, connection);
    }
    give(pool, connection);
    return LB_OK;
}
