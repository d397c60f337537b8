#ifndef GATEWAY_EXCHANGE_GATHER_H
#define GATEWAY_EXCHANGE_GATHER_H

#include "gateway/evidence/log.h"

/*
 * Entries that wait for each other for a moment, so that they share a commit, its signature, and
 * the messages in front of and behind it. Nobody is told of an entry before it is durable, as ever;
 * it only begins its way later, by LB_GATHER_MOST_US at most. Whoever must not wait says so, and
 * takes along what waits.
 */
struct lb_gather;

#define LB_GATHER_MOST_US 16000

/* lb_gather_new starts the thread that sends on what has waited long enough. NO_MEMORY. */
LB_MUST lb_status lb_gather_new(struct lb_log *log, struct lb_gather **out_gather);
/* lb_gather_free ends it; nothing may wait. NULL is allowed. */
void lb_gather_free(struct lb_gather *gather);

/* lb_gather_add takes entries that have a `done`, in their order, and sends them on after wait_us
 * at most, with all others: at once for 0, or when many wait. `done` is called as after
 * lb_log_append, and with its status for an entry that the log did not take; perhaps before this
 * returns, so not under a lock that it takes. Any thread. */
void lb_gather_add(struct lb_gather *gather, struct lb_log_entry *const *entries, size_t num,
                   int64_t wait_us);

#endif
