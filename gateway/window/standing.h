#ifndef GATEWAY_WINDOW_STANDING_H
#define GATEWAY_WINDOW_STANDING_H

#include "gateway/window/inside.h"

/* Inside gateway/window: where a case stands, and whose turn it is. All under the case's lock. */

/* lb_case_phase is the case's state, as CaseResult has it. */
const char *lb_case_phase(const struct lb_window_case *entry, bool collecting);
/* lb_case_turn says who has to do something: citizen, departments, officer, nobody. */
const char *lb_case_turn(const struct lb_window_case *entry, bool collecting);
/* lb_case_misses says whether a fact that was asked is neither answered nor added so that it
 * counts. */
bool lb_case_misses(const struct lb_window_case *entry, size_t member, size_t fact);

/* What a person decided. */
struct lb_case_decision {
    size_t record;       /* 0: nobody has */
    size_t suggestion;   /* the record that it was decided upon */
    struct lb_form_class class;
    bool outdated;       /* judged anew since, with another outcome */
};
struct lb_case_decision lb_case_decided(const struct lb_window_case *entry);

/* lb_case_class finds a class of the form by its id, `otherwise` included, and its place: the most
 * favourable is 0. False for any other, MANUAL too. */
bool lb_case_class(const struct lb_form *form, struct lb_span id, struct lb_form_class *out_class,
                   size_t *out_place);

/* lb_standing_write adds suggestion, decision, turn and what officers added to a result;
 * NO_MEMORY. */
LB_MUST lb_status lb_standing_write(const struct lb_window_case *entry, bool collecting,
                                    struct lb_arena *arena, Lianban__V1__CaseResult *result);

#endif
