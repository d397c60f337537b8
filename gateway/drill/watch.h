#ifndef GATEWAY_DRILL_WATCH_H
#define GATEWAY_DRILL_WATCH_H

#include "gateway/base/clock.h"
#include "gateway/evidence/log.h"
#include "policy/engine/drill.h"

/*
 * The drill that a node runs: `drill.yaml` in its state, looked at once a second. Entries (ADMIN,
 * the file's hash as request hash):
 *
 *   DRILL_STARTED    before anything is made believe; again after a restart
 *   DRILL_<FAULT>    how many requests were answered so since the last such entry
 *   DRILL_NOTICED    doctor or status was told of it, for the first time in a step
 *   DRILL_ENDED      its time was over, also while the node was away; then the file is removed
 *   DRILL_STOPPED    somebody removed the file before that
 *
 * Without a durable DRILL_STARTED there is no drill, and none past its time whatever the log does.
 */
struct lb_drill_watch;

struct lb_drill_watch_options {
    const char *path;               /* of drill.yaml */
    bool at_broker;                 /* whose faults it knows; a plan with others is not run */
    struct lb_log *log;
    const struct lb_clock *clock;
};

/* lb_drill_watch_new copies the path. NO_MEMORY. _free takes NULL. */
LB_MUST lb_status lb_drill_watch_new(const struct lb_drill_watch_options *options,
                                     struct lb_drill_watch **out_watch);
void lb_drill_watch_free(struct lb_drill_watch *watch);

/* lb_drill_watch_tick looks at the file and writes what there is to write; once a second, one
 * thread; waits for the log. */
void lb_drill_watch_tick(struct lb_drill_watch *watch);

/* lb_drill_fault says whether a fault is to be made believe now, and counts it: ask it only about a
 * request that is marked as drill. False for a NULL watch. Any thread; never waits for the log. */
bool lb_drill_fault(struct lb_drill_watch *watch, enum lb_drill_fault fault);
/* lb_drill_tell gives the name of the drill under way, or "", to somebody who looks after the node,
 * and notes that it was noticed. NULL is allowed. Any thread. */
void lb_drill_tell(struct lb_drill_watch *watch, char out[LB_MAX_NAME_BYTES + 1]);

#endif
