#ifndef GATEWAY_WINDOW_CORRECTIONS_H
#define GATEWAY_WINDOW_CORRECTIONS_H

#include "gateway/window/inside.h"

/*
 * Inside gateway/window: citizens' requests that a department correct what it said (PIPL 46), as
 * the records have them. Under the case's lock.
 *
 *   WAITING  --an ANSWER record follows-->  CORRECTED | KEPT
 *   WAITING  --its day has passed-->        OVERDUE, which still takes the answer
 */
enum lb_correction_state {
    LB_CORRECTION_WAITING,
    LB_CORRECTION_OVERDUE,
    LB_CORRECTION_CORRECTED,
    LB_CORRECTION_KEPT
};

/* lb_correction_state_of tells it of a CORRECTION record, on a day (YYYY-MM-DD);
 * lb_correction_state_name is its word. */
enum lb_correction_state lb_correction_state_of(const struct lb_window_case *entry, size_t number,
                                                const char *today);
const char *lb_correction_state_name(enum lb_correction_state state);

/* lb_correction_of finds the request about a member's fact that was not answered yet, and
 * lb_correction_answer the answer to a request; 0 for none. */
size_t lb_correction_of(const struct lb_window_case *entry, size_t member, const char *fact);
size_t lb_correction_answer(const struct lb_window_case *entry, size_t number);
/* lb_correction_says compares what a request says, but for its day. */
bool lb_correction_says(const struct lb_case_record *record, struct lb_span said);

/* lb_corrections_count counts those that nobody answered, and those of them past their day, by this
 * machine's own. */
void lb_corrections_count(const struct lb_window_case *entry, uint32_t *out_open,
                          uint32_t *out_overdue);
/* lb_corrections_write lists all of a case in a result; NO_MEMORY. */
LB_MUST lb_status lb_corrections_write(const struct lb_window_case *entry, struct lb_arena *arena,
                                       Lianban__V1__CaseResult *result);

#endif
