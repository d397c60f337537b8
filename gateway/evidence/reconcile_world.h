#ifndef GATEWAY_EVIDENCE_RECONCILE_WORLD_H
#define GATEWAY_EVIDENCE_RECONCILE_WORLD_H

#include "gateway/evidence/test_util.h"

#include "gateway/evidence/compare.h"

/*
 * Two logs as they grow from reads that were routed, answered and delivered, for tests: leaves in
 * memory that a test may change before they are compared.
 */
#define WORLD_MAX 4096
#define WORLD_NOW_MS INT64_C(1763700000000) /* the first second of a minute */
#define WORLD_ADAPTER "spiffe://example/adapter/tax"

struct world_log {
    struct lb_leaf leaves[WORLD_MAX];
    bool gone[WORLD_MAX];
    size_t num;
};

struct world {
    struct world_log broker;
    struct world_log adapter;
    int64_t now_ms;
    uint32_t last_txn;
    struct lb_reconcile_finding findings[WORLD_MAX];
    size_t num_findings;
};

struct world *world_new(void);

/* What becomes of a read. */
enum world_end {
    WORLD_DELIVERED,
    WORLD_REFUSED,      /* delivered, with a code and without an answer */
    WORLD_LATE,         /* answered, but the broker had given up */
    WORLD_UNREACHED,    /* failed, and the adapter never saw it */
    WORLD_OPEN,         /* routed, and nothing else */
    WORLD_LOST,         /* routed and answered, and nothing else */
};
/* world_read adds the entries of one read at the time it is now, 20 ms of it; returns its
 * number. */
uint32_t world_read(struct world *world, enum world_end end);
/* world_leaf is a log's nth leaf of a type. */
struct lb_leaf *world_leaf(struct world_log *log, enum lb_leaf_type type, size_t nth);
/* world_remove takes it out. */
void world_remove(struct world_log *log, const struct lb_leaf *leaf);
/* world_set makes the set of what a log says, sorted; world_part of a broker what is the
 * adapter's. */
void world_set(const struct world_log *log, struct lb_reconcile_set *out);

/* world_compare runs a comparison of the hour around WORLD_NOW_MS; findings are in the world. */
void world_compare(struct world *world, struct lb_reconcile_run *out_run);
/* world_only expects one finding of this class and these fields, in all. */
const struct lb_reconcile_finding *world_only(struct world *world, enum lb_reconcile_class class,
                                              unsigned fields);

#endif
