#ifndef GATEWAY_CTL_STATUS_JUDGE_H
#define GATEWAY_CTL_STATUS_JUDGE_H

#include "gateway/base/clock.h"
#include "gateway/trust/directory.h"
#include "lianban/v1/node.pb-c.h"

/* Inside gateway/ctl: what `lianban status` says of a member. */
enum lb_status_level { LB_STATUS_GREEN, LB_STATUS_YELLOW, LB_STATUS_RED };

struct lb_status_finding {
    enum lb_status_level level;
    const char *zh, *en;  /* static; "" when there is nothing to say */
};

#define LB_STATUS_MAX_FINDINGS 8

/* lb_status_judge judges a member by what a broker said at broker_unix_ms; it fills at most
 * LB_STATUS_MAX_FINDINGS, the gravest first, and returns how many. */
size_t lb_status_judge(const Lianban__V1__MemberStatus *member, enum lb_node_kind kind,
                       int64_t broker_unix_ms, struct lb_status_finding *out);
/* lb_status_judge_broker judges the broker itself. */
size_t lb_status_judge_broker(const Lianban__V1__GetStatusResponse *response,
                              struct lb_status_finding *out);

#endif
