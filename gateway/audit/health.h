#ifndef GATEWAY_AUDIT_HEALTH_H
#define GATEWAY_AUDIT_HEALTH_H

#include "gateway/audit/index.h"

/* What the index says about the log's own well-being, without anything personal. */
struct lb_audit_health {
    uint64_t unclosed;        /* broker: requests routed a minute ago or more, without an end */
    int64_t longest_gap_ms;   /* between two entries while the node ran, where a canary comes every
                                 minute */
    uint64_t gap_index;       /* the entry after it */
    uint64_t recoveries;      /* RECOVERY entries */
    uint64_t restarts;        /* STARTED entries */
    uint64_t unclean;         /* of them, those without a STOPPED before */
    uint64_t broken;          /* details that do not open */
    uint64_t denials, emergencies, errors;
};

/* lb_audit_health looks at the entries since a time (the unclosed among all since then).
 * STORE_FAILED. */
LB_MUST lb_status lb_audit_health(struct lb_audit_index *index, int64_t since_ms, int64_t now_ms,
                                  struct lb_audit_health *out);

/* Details that are due for erasure: still open and older than the retention, of persons whom nobody
 * was given anything about since; officers' reviews do not count. */
struct lb_audit_due {
    uint64_t entries, subjects;
    int64_t oldest_ms;        /* 0 for none */
    uint64_t held_entries;    /* of them, those that a hold keeps */
};
/* lb_audit_due counts; held names cases (NULL-terminated) whose details must not be erased. */
LB_MUST lb_status lb_audit_due(struct lb_audit_index *index, int64_t before_ms,
                               const char *const *held, struct lb_audit_due *out);

#endif
