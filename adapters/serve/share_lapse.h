#ifndef ADAPTERS_SERVE_SHARE_LAPSE_H
#define ADAPTERS_SERVE_SHARE_LAPSE_H

#include "adapters/serve/sql.h"

/*
 * Inside adapters/serve: households that were stated and came to nothing. A total needs this
 * department's share of every person of the run, so as long as one of them has none no total can be
 * known, to anybody. Then a person may be stated with others, and the runs before are given up for
 * good: none of their shares is answered any more, and so none of their totals ever completes.
 */
#define LB_SHARE_IDLE_S 600 /* nobody cuts into a run that is under way */

/* lb_share_lapse_init makes the statements; it needs no end of its own. */
void lb_share_lapse_init(struct lb_serve_sql *sql);
/* lb_share_may_lapse says whether no run of a household has a share for as many persons as it
 * states, and none was asked about since a time. Runs on the sequencer. STORE_FAILED. */
LB_MUST lb_status lb_share_may_lapse(struct lb_serve_sql *sql, struct lb_store *store,
                                     int64_t household, int64_t since_unix_s, bool *out_may);
/* lb_share_lapse gives up its runs and lets its persons go. What they were asked goes on to count.
 * Within the entry's transaction. STORE_FAILED. */
LB_MUST lb_status lb_share_lapse(struct lb_serve_sql *sql, struct lb_store *store,
                                 int64_t household);

#endif
