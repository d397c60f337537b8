#ifndef POLICY_ENGINE_PART_STATE_H
#define POLICY_ENGINE_PART_STATE_H

#include "gateway/base/status.h"

/*
 * Where a department's part of a case stands, and what moves it: one table (part_state.c), no clock
 * and nothing stored. Brokers' news comes late, twice and out of order, so news about the way
 * changes nothing once the department has the part. What a department said never comes undone; a
 * correction stands behind what it corrects.
 */
enum lb_part_state {
    LB_PART_NONE,               /* there is no such part */
    LB_PART_PREPARED,           /* on the window's disk, and nobody else's for all it knows */
    LB_PART_HELD,               /* a broker has it on disk and goes on trying */
    LB_PART_WAITING,            /* so it does, and the department is away */
    LB_PART_DELIVERED,          /* the department has it for good */
    LB_PART_ACCEPTED,           /* taken on, under the department's number */
    LB_PART_SUPPLEMENT_WANTED,  /* something is missing; the department waits */
    LB_PART_SUPPLEMENTED,       /* it was sent after */
    LB_PART_DECIDED,
    LB_PART_RETURNED,           /* not taken on */
    LB_PART_WITHDRAWN,
    LB_PART_DEAD,               /* nobody will take it as it is: a person has to look */
    LB_NUM_PART_STATES
};

enum lb_part_event {
    /* on the way */
    LB_PART_IS_HELD,
    LB_PART_IS_AWAY,            /* held, and the department can't be reached */
    LB_PART_IS_UNSEALED,        /* to be sealed anew: the key it was sealed for is no longer used */
    LB_PART_IS_DELIVERED,       /* by the department's own receipt */
    LB_PART_IS_REFUSED,         /* for good */
    LB_PART_IS_RETRIED,         /* a person sends it off again */
    LB_PART_IS_DROPPED,         /* a person gives up what nobody took */
    /* from the window */
    LB_PART_IS_SUPPLEMENTED,
    /* what the department says */
    LB_PART_SAID_ACCEPTED,
    LB_PART_SAID_RETURNED,
    LB_PART_SAID_WANTED,
    LB_PART_SAID_DECIDED,
    LB_PART_SAID_WITHDRAWN,
    LB_PART_SAID_CORRECTED,
    LB_NUM_PART_EVENTS
};

/* lb_part_next is the state that an event leads to; CASE_STATE when it has no place there, or there
 * is no such state or event. */
LB_MUST lb_status lb_part_next(enum lb_part_state state, enum lb_part_event event,
                               enum lb_part_state *out_state);

/* lb_part_is_over says whether nothing is expected any more, from nobody. */
bool lb_part_is_over(enum lb_part_state state);
/* lb_part_is_due says whether the department's time runs. */
bool lb_part_is_due(enum lb_part_state state);
/* lb_part_has_left says whether the department has the part for good. */
bool lb_part_has_left(enum lb_part_state state);

/* lb_part_state_name returns "PREPARED", "HELD", ..., "" for LB_PART_NONE and what is no state. */
const char *lb_part_state_name(enum lb_part_state state);
/* lb_part_state_by_name finds one; LB_PART_NONE when there is none. */
enum lb_part_state lb_part_state_by_name(const char *name);

#endif
