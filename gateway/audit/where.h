#ifndef GATEWAY_AUDIT_WHERE_H
#define GATEWAY_AUDIT_WHERE_H

#include "gateway/audit/inside.h"
#include "gateway/base/buf.h"

/* A filter as the WHERE clause of a query over `access a`: text of ours with numbered parameters,
 * values bound beside it. */
#define LB_AUDIT_MAX_PARAMS 40

struct lb_audit_param {
    enum lb_column_type type;  /* LB_COL_INT, _TEXT, _BLOB */
    int64_t number;
    struct lb_span bytes;      /* borrowed from the filter or the arena */
};

struct lb_audit_where {
    struct lb_buf text;        /* the caller cleans it up */
    size_t num_params;
    struct lb_audit_param params[LB_AUDIT_MAX_PARAMS];
    bool by_time;              /* rows come out of a secondary index, in the order of time */
};

/* lb_audit_where_begin starts a query's text; _filter appends "WHERE ..." for a filter (which stays
 * the caller's); _bind prepares and binds. STORE_FAILED, NO_MEMORY. */
void lb_audit_where_begin(struct lb_audit_where *where, const char *select);
LB_MUST lb_status lb_audit_where_filter(struct lb_audit_where *where, struct lb_audit_index *index,
                                        const struct lb_audit_filter *filter);
LB_MUST lb_status lb_audit_where_prepare(struct lb_audit_where *where, struct lb_audit_index *index,
                                         struct lb_stmt **out_stmt);

#endif
