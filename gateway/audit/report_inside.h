#ifndef GATEWAY_AUDIT_REPORT_INSIDE_H
#define GATEWAY_AUDIT_REPORT_INSIDE_H

#include "gateway/audit/html.h"
#include "gateway/audit/report.h"
#include "gateway/audit/totals.h"

/* Inside the report. */

#define REPORT_MAX_GROUPS 200       /* of one table */
#define REPORT_MAX_COUNTED 10000    /* operators that the summary counts */

struct report {
    struct lb_audit_index *index;
    struct lb_review *review;
    const struct lb_report_options *options;
    struct lb_audit_filter filter;   /* the month's accesses */
    struct lb_arena *arena;
    struct lb_arena *scratch;        /* of one alert */
    struct lb_buf *out;
    struct lb_report_counts counts;
};

/* lb_report_totals counts the month by a column, the largest groups first. */
LB_MUST lb_status lb_report_totals(struct report *report, enum lb_audit_key by, size_t limit,
                                   struct lb_audit_total **out_totals, size_t *out_num);
/* The report's parts, in their order. */
LB_MUST lb_status lb_report_summary(struct report *report);
LB_MUST lb_status lb_report_charts(struct report *report);
LB_MUST lb_status lb_report_tables(struct report *report);
LB_MUST lb_status lb_report_reviews(struct report *report);
LB_MUST lb_status lb_report_rows(struct report *report);

#endif
