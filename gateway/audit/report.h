#ifndef GATEWAY_AUDIT_REPORT_H
#define GATEWAY_AUDIT_REPORT_H

#include "gateway/audit/review.h"
#include "gateway/base/buf.h"

/*
 * The month's report: one HTML file that needs nothing from anywhere. Totals by operator, purpose,
 * class and office, refusals, the days and hours, what the review queue holds and how it was
 * settled, and every access with the leaf that proves it. Chinese and English beside each other.
 * It filters by a few lines of script that the file's own policy allows by their hash; without
 * script everything is shown. On paper it is the superior's report: the list of accesses is an
 * annex that a tick leaves out.
 */
#define LB_REPORT_MAX_ROWS 20000           /* listed; the totals count all */
#define LB_REPORT_MAX_BYTES (64U * 1024 * 1024)

struct lb_report_options {
    const char *month;            /* "2026-11", for the heading */
    int64_t from_ms, until_ms;
    int64_t zone_ms;              /* of local time, ahead of UTC */
    int64_t now_ms;
    const char *by;               /* who made it */
    const char *log_folder;       /* for the commands that prove an entry */
    bool has_entry;               /* the report itself is an entry of the log */
    uint64_t entry;
    /* Gives a leaf's hash; ABSENT when the log cannot be read here. NULL: no hashes. */
    lb_status (*leaf_hash)(void *ctx, uint64_t index, uint8_t out[32]);
    void *ctx;
};

struct lb_report_counts {
    uint64_t num_rows;      /* accesses of the month */
    uint64_t num_listed;
    uint64_t num_denied;
    size_t num_open, num_closed;  /* alerts */
};

/* lb_report_write appends the file to out, which the caller made with LB_REPORT_MAX_BYTES. review
 * may be NULL: then the report says that there is no queue. STORE_FAILED, NO_MEMORY, TOO_LARGE;
 * what leaf_hash says but ABSENT. */
LB_MUST lb_status lb_report_write(struct lb_audit_index *index, struct lb_review *review,
                                  const struct lb_report_options *options, struct lb_buf *out,
                                  struct lb_report_counts *out_counts);

#endif
