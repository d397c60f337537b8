#ifndef GATEWAY_CTL_TOTALS_ROWS_H
#define GATEWAY_CTL_TOTALS_ROWS_H

#include "gateway/audit/totals.h"
#include "gateway/ctl/officer.h"

/* lb_ctl_totals_print prints counted groups with the officer's facts. */
LB_MUST lb_status lb_ctl_totals_print(const struct lb_ctl_officer *officer,
                                      const struct lb_audit_totals_options *options,
                                      const struct lb_audit_total *totals, size_t num);
/* lb_ctl_zone_ms is how far local time is ahead of UTC now. */
int64_t lb_ctl_zone_ms(const struct lb_clock *clock);

#endif
