#ifndef ADAPTERS_API_TRY_H
#define ADAPTERS_API_TRY_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/* Trying a department's database from outside its adapter: can it be opened, does each view's query
 * fit, and how long does one take. */

struct lb_try_ask {
    const char *policy;    /* the department's policy file */
    const char *config;    /* the node's configuration, for its `source` */
    int64_t timeout_ms;    /* of one query */
    int64_t unix_s;        /* now, for the queries' dates */
};

/* One view. */
struct lb_tried_view {
    const char *view;
    lb_status status;  /* LB_OK, or why its query did not run */
    const char *word;  /* the source's sentence, "" for none; never about a person */
    int64_t took_ms;
};

struct lb_tried {
    int64_t open_ms;
    size_t num_views;
    const struct lb_tried_view *views;
};

#endif
