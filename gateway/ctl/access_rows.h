#ifndef GATEWAY_CTL_ACCESS_ROWS_H
#define GATEWAY_CTL_ACCESS_ROWS_H

#include "gateway/ctl/officer.h"

/* Rows of the index as a result: who, when, why, on whose behalf, which fields. */

/* lb_ctl_access_sheet begins a sheet with the columns of an access. */
void lb_ctl_access_sheet(const struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet);
/* lb_ctl_access_row adds the row that the scan stands on; `remark` is a line under it or NULL.
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_ctl_access_row(struct lb_ctl_sheet *sheet, struct lb_audit_scan *scan,
                                    const struct lb_audit_row *row, const char *remark);

/* lb_ctl_access_list adds what officer->filter lets pass, at most officer->limit rows, and sets
 * *out_more and *out_next to where to go on. `remark` may be NULL, or judges each row (its text is
 * in the officer's arena). */
struct lb_ctl_remark {
    lb_status (*of)(void *ctx, const struct lb_audit_row *row, const char **out_text);
    void *ctx;
};
LB_MUST lb_status lb_ctl_access_list(struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet,
                                     const struct lb_ctl_remark *remark, bool *out_more,
                                     uint64_t *out_next);
/* lb_ctl_access_print lists and prints with the officer's facts: what most commands are. */
LB_MUST lb_status lb_ctl_access_print(struct lb_ctl_officer *officer,
                                      const struct lb_ctl_remark *remark);

/* lb_ctl_decision_name is "allow", "deny", ...; lb_ctl_decision_parse reads it. */
const char *lb_ctl_decision_name(enum lb_audit_decision decision);
bool lb_ctl_decision_parse(const char *name, enum lb_audit_decision *out);

#endif
