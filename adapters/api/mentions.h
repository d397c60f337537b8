#ifndef ADAPTERS_API_MENTIONS_H
#define ADAPTERS_API_MENTIONS_H

#include "adapters/api/query.h"

/*
 * What a query names, read from its words, for sources whose database can't be asked for a plan.
 * The query has been through lb_source_translate.
 */

#define LB_SOURCE_MAX_MENTIONS 128
#define LB_SOURCE_MAX_KEYS 8

struct lb_source_mentions {
    bool sure;           /* the query was read to its end, and understood */
    size_t num_names;    /* of tables, columns and whatever else, as they stand, without quotes */
    struct lb_span names[LB_SOURCE_MAX_MENTIONS];
    size_t num_keys;     /* of columns that must equal :id_no, without what stands before a '.' */
    struct lb_span keys[LB_SOURCE_MAX_KEYS];
};

/* lb_source_mention reads a query; the names borrow from it. */
void lb_source_mention(const char *query, const struct lb_source_dialect *dialect,
                       struct lb_source_mentions *out);

#endif
