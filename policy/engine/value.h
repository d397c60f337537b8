#ifndef POLICY_ENGINE_VALUE_H
#define POLICY_ENGINE_VALUE_H

#include "gateway/base/span.h"

/* What a source hands up and what an operator releases. Both are three-valued: a NULL cell and an
 * unknown fact are never FALSE and never zero. */

enum lb_cell_kind { LB_CELL_NULL, LB_CELL_INT, LB_CELL_TEXT };

/* One cell of a department's row: money in integer cents, dates YYYY-MM-DD, months YYYY-MM, codes
 * and names as UTF-8 text. */
struct lb_cell {
    enum lb_cell_kind kind;
    int64_t number;
    struct lb_span text;
};

/* All rows of one read, row by row. Lives in the call's arena. */
struct lb_rows {
    size_t num_columns;
    const char *const *columns;
    size_t num_rows;
    const struct lb_cell *cells;  /* num_rows * num_columns */
};

enum lb_fact_state {
    LB_FACT_OK = 1,
    LB_FACT_DENIED,
    LB_FACT_UNAVAILABLE,
    LB_FACT_TIMEOUT,
    LB_FACT_NOT_FOUND,
    LB_FACT_AMBIGUOUS,
    LB_FACT_STALE,
    LB_FACT_DRY_RUN,  /* the department's rule is tried out only: nothing was released */
};

enum lb_fact_kind { LB_FACT_UNKNOWN, LB_FACT_TRUTH, LB_FACT_NUMBER, LB_FACT_TEXT };

/* What leaves. `kind` is set only when state is OK; UNKNOWN then is an honest unknown. */
struct lb_fact {
    enum lb_fact_state state;
    enum lb_fact_kind kind;
    bool truth;
    int64_t number;
    struct lb_span text;
};

/* lb_fact_state_name returns "ok", "denied", ... as the window shows it. */
const char *lb_fact_state_name(enum lb_fact_state state);

#endif
