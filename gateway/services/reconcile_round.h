#ifndef GATEWAY_SERVICES_RECONCILE_ROUND_H
#define GATEWAY_SERVICES_RECONCILE_ROUND_H

#include "gateway/base/clock.h"
#include "gateway/evidence/compare.h"
#include "gateway/evidence/log.h"
#include "gateway/evidence/several.h"

/*
 * One round of a node's own reconciling with one counterpart: what was not compared yet, up to a
 * few minutes ago, is compared; each difference becomes a REVIEW entry, whose code is the class,
 * and a line for whoever runs the node. How far it came is kept in a file, so that no minute is
 * left out and none is told twice, through restarts and absences of either side.
 */
#define LB_RECONCILE_SETTLE_MINUTES 4   /* until then a read may still be under way */
#define LB_RECONCILE_MAX_PEERS 8
#define LB_RECONCILE_ALL_BROKERS "every broker"
#define LB_RECONCILE_SHOWN 32           /* differences told one by one in a round */

/* One of several brokers. */
struct lb_reconcile_peer {
    const char *spiffe;
    const struct lb_reconcile_remote *remote;
};

struct lb_reconcile_round {
    const char *folder;        /* of the own evidence log */
    const char *marks;         /* folder of the files that say how far it came */
    struct lb_log *log;
    const struct lb_clock *clock;
    const char *counterpart;   /* SPIFFE id; for lb_reconcile_round_own the node's own */
    bool is_broker;            /* the own log is the broker's */
    const struct lb_reconcile_remote *remote;
    /* For lb_reconcile_round_several, in the place of `counterpart` and `remote`. */
    const struct lb_reconcile_peer *peers;
    size_t num_peers;
    uint64_t num_found;        /* set by the round */
    int64_t behind_minutes;    /* set by the round: what is left to be compared, if it failed */
};

/* lb_reconcile_round_run compares with the counterpart, at most a day of it. On failure nothing was
 * concluded, and the next round asks again. The first round of all only remembers when it was.
 * Statuses of lb_reconcile_compare and lb_log_append_wait; FILE_FAILED. */
LB_MUST lb_status lb_reconcile_round_run(struct lb_reconcile_round *round);
/* lb_reconcile_round_several compares an adapter's log with all brokers' together, or with
 * nobody's: while one of them can't be asked, nothing is concluded. `counterpart` is set to a name
 * for all. It goes on where the rounds with single ones ended, and they where it does. */
LB_MUST lb_status lb_reconcile_round_several(struct lb_reconcile_round *round);
/* lb_reconcile_round_own looks in a broker's own log for what was routed and never closed: that
 * needs no counterpart, so the rounds with adapters leave it out. */
LB_MUST lb_status lb_reconcile_round_own(struct lb_reconcile_round *round);

#endif
