#ifndef GATEWAY_AUDIT_REVIEW_SOURCE_H
#define GATEWAY_AUDIT_REVIEW_SOURCE_H

#include "gateway/audit/review.h"

/* The rows of an officer's index, as the review queue takes them. */
struct lb_review_rows {
    struct lb_audit_state state;
    struct lb_audit_scan *scan;
};

/* lb_review_rows_open begins at an entry (and a time, 0 for any). The index outlives it.
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_review_rows_open(struct lb_audit_index *index, uint64_t from,
                                      int64_t since_ms, struct lb_review_rows *out_rows,
                                      struct lb_review_source *out_source);
/* lb_review_rows_close ends it. */
void lb_review_rows_close(struct lb_review_rows *rows);

#endif
