#ifndef ADAPTERS_SERVE_POOL_H
#define ADAPTERS_SERVE_POOL_H

#include "adapters/api/source.h"
#include "adapters/serve/policy.h"

/*
 * The department's connections: a fixed number, each with every view prepared once. A connection
 * whose read failed is closed and opened anew by its next user, so a restarted database needs no
 * help; one that can't be reached is asked again after a moment only, so that it does not take the
 * time of every request. A view whose tables changed since the start is refused by itself, until
 * the adapter is started again and somebody has looked.
 */
struct lb_serve_pool;

/* All is borrowed. */
struct lb_serve_pool_options {
    const struct lb_source_plugin *plugin;
    struct lb_source_options database;  /* timeout_ms and stopping are the pool's own */
    size_t num_connections;
    const struct lb_serve_policy *policy;
    enum lb_view_source source;  /* of its views; the others are not prepared here */
};

/* lb_serve_pool_new opens one connection and prepares every view to find mistakes at start; the
 * others open when first needed. A database that is away is no mistake: it is asked again as at any
 * other time. CONFIG_INVALID, SOURCE_WRITABLE, SOURCE_DENIED, SOURCE_NO_DRIVER with a sentence in
 * diag; NO_MEMORY. */
LB_MUST lb_status lb_serve_pool_new(const struct lb_serve_pool_options *options,
                                    struct lb_diag *diag, struct lb_serve_pool **out_pool);
void lb_serve_pool_free(struct lb_serve_pool *pool);
/* lb_serve_pool_stop ends what is being read, and all that is asked afterwards, with
 * SOURCE_UNAVAILABLE or SOURCE_TIMEOUT: a database that hangs does not hold the shutdown. NULL is
 * allowed. */
void lb_serve_pool_stop(struct lb_serve_pool *pool);

/* What one view gave for one subject. */
struct lb_serve_rows {
    lb_status status;                /* LB_OK, AMBIGUOUS, SOURCE_UNAVAILABLE, SOURCE_TIMEOUT,
                                      * SOURCE_CHANGED, SOURCE_MAINTENANCE (not asked), and those
                                      * of opening */
    struct lb_source_result result;
    char as_of[11];                  /* "" when the source does not say */
};

struct lb_serve_query {
    size_t view;                     /* index in the policy */
    const struct lb_source_param *params;
    size_t num_params;
    const char *const *columns;      /* as lb_source_limits has them; the result has these names,
                                      * for the connection may end before it is looked at */
    size_t num_columns;
};

/* lb_serve_pool_read runs the queries one after the other on one connection; waiting for it and all
 * queries together take at most max_ms, and what was not asked by then has timed out. out_rows has
 * one element per query. BUSY when no connection came free. */
LB_MUST lb_status lb_serve_pool_read(struct lb_serve_pool *pool,
                                     const struct lb_serve_query *queries, size_t num_queries,
                                     int64_t max_ms, struct lb_arena *arena,
                                     struct lb_serve_rows *out_rows);

/* lb_serve_pool_is_quick says whether a view of this pool may be asked while other reads wait: the
 * source is one of this process, and a second has passed since one of the view's queries took more
 * than LB_SERVE_QUICK_MS. */
#define LB_SERVE_QUICK_MS 4
bool lb_serve_pool_is_quick(struct lb_serve_pool *pool, size_t view);

#endif
