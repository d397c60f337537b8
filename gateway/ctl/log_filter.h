#ifndef GATEWAY_CTL_LOG_FILTER_H
#define GATEWAY_CTL_LOG_FILTER_H

#include "gateway/evidence/leaf.h"

/* Which entries of a log to list; what is not set lets everything pass. */
struct lb_ctl_log_filter {
    const char *code;         /* exactly; NULL: any */
    enum lb_leaf_type type;   /* 0: any */
    char txn[33];             /* its first hex digits, lower case; "": any */
    int64_t since_ms;         /* not before; 0: any */
};

/* lb_ctl_log_filter_type finds a type by its name in either case; false if there is none. */
bool lb_ctl_log_filter_type(const char *name, enum lb_leaf_type *out_type);
/* lb_ctl_log_filter_txn takes 4 to 32 hex digits; false for anything else. */
bool lb_ctl_log_filter_txn(const char *digits, struct lb_ctl_log_filter *filter);
/* lb_ctl_log_filter_match says whether an entry is to be listed. */
bool lb_ctl_log_filter_match(const struct lb_ctl_log_filter *filter, const struct lb_leaf *leaf);

#endif
