#ifndef ADAPTERS_SERVE_BUDGET_H
#define ADAPTERS_SERVE_BUDGET_H

#include "adapters/serve/sql.h"
#include "policy/engine/view.h"

/*
 * How often one operator and one requester were answered, for each view and for the department as a
 * whole. Counted in the entry's own transaction, so neither a crash nor a crowd of requests gets
 * past a budget; what is refused, for whatever reason, counts for nobody. A window is counted in
 * slots of which the oldest counts whole: no span of an hour (or a day) ever has more than its
 * budget, while one that is used up comes back after up to 65 minutes (25 hours).
 */
struct lb_serve_budgets {
    struct lb_serve_sql sql;
    int64_t next_purge_unix_s;
};

/* lb_serve_budgets_init begins with nothing prepared. */
void lb_serve_budgets_init(struct lb_serve_budgets *budgets);

/* Who is to be answered. */
struct lb_budget_asker {
    const char *requester;    /* organization */
    const char *person;       /* `sub` of the operator token */
};

/* lb_serve_budgets_take counts one answer under the limits of one view, or of the department for an
 * empty name. Runs on the sequencer inside an open transaction, which its failure must undo.
 * BUDGET_EXHAUSTED, STORE_FAILED. */
LB_MUST lb_status lb_serve_budgets_take(struct lb_serve_budgets *budgets, struct lb_store *store,
                                        int64_t now_unix_s, const char *view,
                                        const struct lb_budgets *limits,
                                        const struct lb_budget_asker *asker);

#endif
