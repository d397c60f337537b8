#ifndef GATEWAY_AUDIT_TOTALS_H
#define GATEWAY_AUDIT_TOTALS_H

#include "gateway/audit/index.h"

/* Counting rows of the index by one or two of their columns. */
enum lb_audit_key {
    LB_AUDIT_BY_NONE,
    LB_AUDIT_BY_OPERATOR,
    LB_AUDIT_BY_OFFICE,
    LB_AUDIT_BY_UNIT,
    LB_AUDIT_BY_PURPOSE,
    LB_AUDIT_BY_BASIS,
    LB_AUDIT_BY_CASE,
    LB_AUDIT_BY_CODE,      /* the outer one */
    LB_AUDIT_BY_INNER,
    LB_AUDIT_BY_CLASS,     /* "1".."4" */
    LB_AUDIT_BY_VIEWS,
    LB_AUDIT_BY_FORM,
    LB_AUDIT_BY_DECISION,  /* a number of enum lb_audit_decision */
    LB_AUDIT_BY_DAY,       /* "2026-07-01", local */
    LB_AUDIT_BY_HOUR,      /* "00".."23", local */
    LB_AUDIT_BY_SUBJECT,   /* 64 hex digits */
    LB_AUDIT_NUM_KEYS
};

struct lb_audit_total {
    const char *key, *key2;      /* in the arena; "" for none */
    uint64_t rows, requests;     /* requests counts what was aggregated */
    uint64_t denied, emergencies;
    uint64_t subjects;           /* distinct */
    uint64_t days;               /* distinct, local */
    int64_t first_ms, last_ms;
    uint64_t first_index, last_index;
    int class_max;
};

struct lb_audit_totals_options {
    const struct lb_audit_filter *filter;
    enum lb_audit_key by, by2;
    int64_t zone_ms;             /* of local time, ahead of UTC */
    uint64_t min_days;           /* only groups on at least so many days */
    int64_t first_since_ms;      /* only groups whose first row is not before; 0: any */
    bool by_first;               /* newest first use first; else the largest group first */
    size_t limit;
};

/* lb_audit_totals counts; rows whose key is missing are a group under "". STORE_FAILED,
 * NO_MEMORY. */
LB_MUST lb_status lb_audit_totals(struct lb_audit_index *index,
                                  const struct lb_audit_totals_options *options,
                                  struct lb_arena *arena, struct lb_audit_total **out_totals,
                                  size_t *out_num);

#endif
