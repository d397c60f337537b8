#ifndef ADAPTERS_API_COLUMNS_H
#define ADAPTERS_API_COLUMNS_H

#include "adapters/api/source.h"

/*
 * Which columns of a prepared query one read hands up. A view may have hundreds and be asked three:
 * the others are neither looked for one by one nor copied.
 */

struct lb_source_place;

/* The columns that a query gives. */
struct lb_source_columns {
    size_t num;
    const char *const *names;                /* in the query's order, none twice */
    const struct lb_source_place *by_name;
};

/* Those of them that a read hands up, in the query's order, none twice. */
struct lb_source_taken {
    size_t num;
    const char *const *names;  /* the asker's own, or all of the query's */
    const size_t *at;          /* in the query */
};

/* lb_source_columns_make looks a query's columns over once; `names` is borrowed, the rest lives in
 * the arena. NO_MEMORY. */
LB_MUST lb_status lb_source_columns_make(const char *const *names, size_t num,
                                         struct lb_arena *arena, struct lb_source_columns *out);

/* lb_source_columns_take finds what a read is asked for; it lives in the arena. SOURCE_UNAVAILABLE
 * for a name that the query does not give, NO_MEMORY. */
LB_MUST lb_status lb_source_columns_take(const struct lb_source_columns *columns,
                                         const struct lb_source_limits *limits,
                                         struct lb_arena *arena, struct lb_source_taken *out);

#endif
