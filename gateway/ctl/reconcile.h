#ifndef GATEWAY_CTL_RECONCILE_H
#define GATEWAY_CTL_RECONCILE_H

#include "gateway/ctl/args.h"
#include "gateway/ctl/port.h"
#include "gateway/evidence/several.h"
#include "gateway/trust/directory.h"

/* What the parts of `log reconcile` share. */

#define LB_CTL_RECONCILE_SHOWN 10000  /* findings that are listed; more are only counted */
#define LB_CTL_RECONCILE_PAIRS 64
#define LB_CTL_RECONCILE_BROKERS 8

/* A broker and an adapter that were compared. */
struct lb_ctl_reconcile_pair {
    const char *broker;   /* SPIFFE ids */
    const char *adapter;
    struct lb_reconcile_tally tally;
    uint64_t num_equal;
    uint64_t num_differing;
};

struct lb_ctl_reconcile_finding {
    struct lb_reconcile_finding finding;
    const char *adapter;  /* "" when no adapter's log says whose it was */
};

struct lb_ctl_parcels;
/* What is wrong with entries about a parcel (reconcile_parcels.h). */
struct lb_ctl_parcel_finding {
    int class;               /* an enum lb_ctl_parcel_class */
    uint8_t txn[16];
    int64_t time_ms;
    const char *at;          /* whose entry is missing, or is another; "" when it is not known */
    const char *said_by;     /* whose entry says so, and its number there */
    uint64_t index;
};

/* A log that lies in a folder, read whole. */
struct lb_ctl_reconcile_log {
    const char *folder;
    const char *spiffe;
    enum lb_node_kind kind;
    struct lb_reconcile_set set;
};

struct lb_ctl_reconcile {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list folders;
    const char *profile_path;  /* an officer's; NULL: folders alone */
    const char *since;
    const char *until;
    int64_t from_ms, to_ms;
    int64_t now_ms;
    struct lb_ctl_reconcile_log *logs;
    struct lb_ctl_reconcile_pair pairs[LB_CTL_RECONCILE_PAIRS];
    size_t num_pairs;
    struct lb_ctl_reconcile_finding *shown;
    size_t num_shown;
    uint64_t num_found;
    uint64_t num_not_compared;  /* reads routed to adapters that were not asked */
    struct lb_ctl_parcels *parcels;  /* reconcile_parcels.h; while folders are compared */
    struct lb_ctl_parcel_finding *parcels_shown;
    size_t num_parcels_shown;
    uint64_t num_parcels;       /* that were looked at; folders only */
};

/* lb_ctl_reconcile_add runs one comparison and keeps what it found. As lb_reconcile_compare;
 * TOO_LARGE past LB_CTL_RECONCILE_PAIRS. */
LB_MUST lb_status lb_ctl_reconcile_add(struct lb_ctl_reconcile *reconcile, const char *broker,
                                       const char *adapter, struct lb_reconcile_side at_broker,
                                       struct lb_reconcile_side at_adapter);
/* lb_ctl_reconcile_several does the same for an adapter and all brokers together. */
LB_MUST lb_status lb_ctl_reconcile_several(struct lb_ctl_reconcile *reconcile,
                                           const char *const *brokers,
                                           const struct lb_reconcile_side *at_brokers,
                                           size_t num_brokers, const char *adapter,
                                           struct lb_reconcile_side at_adapter);
/* lb_ctl_reconcile_keep notes a finding of no comparison. */
void lb_ctl_reconcile_keep(struct lb_ctl_reconcile *reconcile, const char *adapter,
                           const struct lb_reconcile_finding *finding);

/* lb_ctl_reconcile_folders compares logs that lie in folders: the brokers' with each adapter's.
 * What lb_log_reader_open, lb_reconcile_gather_all and lb_reconcile_compare say, with a sentence
 * in diag; CONFIG_INVALID for folders that are no such logs. */
LB_MUST lb_status lb_ctl_reconcile_folders(struct lb_ctl_reconcile *reconcile);
/* lb_ctl_reconcile_open reads one folder's log into `out`, whose set the caller frees. */
LB_MUST lb_status lb_ctl_reconcile_open(struct lb_ctl_reconcile *reconcile, const char *folder,
                                        struct lb_ctl_reconcile_log *out);
/* lb_ctl_reconcile_ask compares logs of running nodes, by an officer's certificate: the own
 * adapter's, or the one that lies in the only folder, with every broker's; a broker's that lies
 * in the folder with the adapter's. What the nodes say, with a sentence in diag. */
LB_MUST lb_status lb_ctl_reconcile_ask(struct lb_ctl_reconcile *reconcile);

/* lb_ctl_reconcile_print prints what came out. NO_MEMORY. */
LB_MUST lb_status lb_ctl_reconcile_print(const struct lb_ctl_reconcile *reconcile);

#endif
