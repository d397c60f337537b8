#ifndef GATEWAY_WINDOW_GRADED_H
#define GATEWAY_WINDOW_GRADED_H

#include "gateway/window/inside.h"

/*
 * Inside gateway/window: facts that an officer added in a department's place. They stand in the
 * case's records only; what the department said stays as it is, and as soon as it does answer,
 * that holds again. All under the case's lock.
 */

/* lb_graded_open says whether an officer's fact may stand in the place of what a department said:
 * FACT_ANSWERED when it has answered, PART_REFUSED when the citizen refused or withdrew that, and
 * MALFORMED for a share or a token, which mean nothing to a person. */
LB_MUST lb_status lb_graded_open(const struct lb_window_case *entry, size_t member, size_t fact);

/* lb_graded_record is the newest record of an officer's fact that stands now; NULL for none. */
const struct lb_case_record *lb_graded_record(const struct lb_window_case *entry, size_t member,
                                              size_t fact);
/* lb_graded_grade is the letter of such a record; lb_graded_counts says whether the form counts
 * it. */
char lb_graded_grade(const struct lb_case_record *record);
bool lb_graded_counts(const struct lb_form_fact *fact, const struct lb_case_record *record);

/* lb_graded_value is what the rules judge by: what an officer added if it stands and counts, else
 * what the department said. A text borrows from the case. */
struct lb_fact lb_graded_value(const struct lb_window_case *entry, size_t member, size_t fact);

/* lb_graded_parse reads a value of the fact's kind; MALFORMED. A text is borrowed. */
LB_MUST lb_status lb_graded_parse(const struct lb_form_fact *fact, struct lb_span text,
                                  struct lb_fact *out);

#endif
