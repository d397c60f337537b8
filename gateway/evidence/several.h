#ifndef GATEWAY_EVIDENCE_SEVERAL_H
#define GATEWAY_EVIDENCE_SEVERAL_H

#include "gateway/evidence/compare.h"

/*
 * Comparing an adapter's log with several brokers'. An adapter's READ entry does not say which
 * broker sent the read; but it names the ROUTE entry it answers by its hash, and that stands in one
 * broker's log. So all of them are looked at together, and each is then compared with its own part:
 * what names no broker's ROUTE entry, and is of a txn that none of them has, goes to the first.
 */
struct lb_reconcile_several {
    struct lb_reconcile_side adapter;
    const struct lb_reconcile_side *brokers;  /* each only what has to do with this adapter */
    size_t num_brokers;
    int64_t from_minute, to_minute;           /* to before to_minute */
    int64_t now_ms;
    /* One for each broker: `found` and `arg` are the caller's, all else is set by the run. */
    struct lb_reconcile_run *runs;
};

/* lb_reconcile_several_run compares all of them, or nobody: as lb_reconcile_compare. */
LB_MUST lb_status lb_reconcile_several_run(const struct lb_reconcile_several *several);

/* lb_reconcile_set_of_broker copies from an adapter's sorted set the part of the broker number
 * `which` of `brokers` (sorted sets). As sorted. NO_MEMORY. */
LB_MUST lb_status lb_reconcile_set_of_broker(const struct lb_reconcile_set *adapter,
                                             const struct lb_reconcile_set *brokers,
                                             size_t num_brokers, size_t which,
                                             struct lb_reconcile_set *out);

#endif
