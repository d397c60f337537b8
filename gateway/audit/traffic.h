#ifndef GATEWAY_AUDIT_TRAFFIC_H
#define GATEWAY_AUDIT_TRAFFIC_H

#include "gateway/audit/review.h"

/*
 * A department's month as its log would have it, for tests: windows of several offices with their
 * hours, lunch, late evenings, duty on holidays, substitutes, leave, newcomers, typing errors,
 * expired grants, repeated requests, a campaign; and, if wanted, misuse among it. The same seed
 * gives the same month. traffic_live.c has the rates.
 */
struct traffic;

/* What a row was made as. */
enum traffic_kind {
    TRAFFIC_ORDINARY,
    TRAFFIC_RELATIVE,      /* an own-relative look-up */
    TRAFFIC_NIGHT,         /* an after-hours bulk run */
    TRAFFIC_SHARED,        /* a shared credential: the second place */
    TRAFFIC_ENUMERATION,
    TRAFFIC_HONEY,
    TRAFFIC_NUM_KINDS
};

struct traffic_options {
    uint64_t seed;
    unsigned first_day, num_days;  /* of 2026, from 0 */
    unsigned num_operators;
    bool misuse;
};

/* traffic_new makes the month; NULL when memory is exhausted. */
struct traffic *traffic_new(const struct traffic_options *options);
void traffic_free(struct traffic *traffic);
/* traffic_source gives its rows from one on. */
struct lb_review_source traffic_source(struct traffic *traffic, uint64_t from);
size_t traffic_num(const struct traffic *traffic);
enum traffic_kind traffic_kind_of(const struct traffic *traffic, uint64_t index);
/* traffic_lists writes the officer's lists that belong to it: relatives, colleagues, protected
 * persons, a honey record. */
void traffic_lists(const struct traffic *traffic, struct lb_buf *out_yaml);

#endif
