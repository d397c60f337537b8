#ifndef GATEWAY_WINDOW_FIGURES_H
#define GATEWAY_WINDOW_FIGURES_H

#include "gateway/store/store.h"
#include "gateway/window/inside.h"

/*
 * Inside gateway/window: leaders' figures. When a case that was judged is closed, what it adds to
 * its form's row of the month goes into the store in the transaction that erases it: once, whatever
 * dies. Counts alone are kept, and none of a single case.
 */

/* What cases add up to. */
struct lb_figures {
    int64_t cases, facts, prefilled, saved, manual, decided, departed, days;
};

#define LB_FIGURES_MONTH_BYTES 8 /* YYYY-MM, NUL */

/* The table. */
#define LB_FIGURES_SQL                                                                             \
    "CREATE TABLE figures(month TEXT NOT NULL, form TEXT NOT NULL, cases INTEGER NOT NULL,"        \
    " facts INTEGER NOT NULL, prefilled INTEGER NOT NULL, saved INTEGER NOT NULL,"                 \
    " manual INTEGER NOT NULL, decided INTEGER NOT NULL, departed INTEGER NOT NULL,"               \
    " days INTEGER NOT NULL, PRIMARY KEY(month, form)) WITHOUT ROWID;"

/* What one case adds, when it is closed. */
struct lb_case_figures {
    char month[LB_FIGURES_MONTH_BYTES];
    const char *form;
    struct lb_figures figures;
};

/* lb_figures_of counts a case, now; false when it was never judged and so adds nothing. Under the
 * case's lock. */
bool lb_figures_of(const struct lb_window_case *entry, struct lb_case_figures *out);

/* lb_figures_add adds it up, inside a transaction of the caller's. Statuses of the store. */
LB_MUST lb_status lb_figures_add(struct lb_store *store, const struct lb_case_figures *figures);

/* lb_figures_read reads a month's rows by form, in the arena. Statuses of the store; NO_MEMORY. */
struct lb_figures_row {
    const char *form;
    struct lb_figures figures;
};
LB_MUST lb_status lb_figures_read(struct lb_store *store, const char *month,
                                  struct lb_arena *arena, struct lb_figures_row **out_rows,
                                  size_t *out_num);

#endif
