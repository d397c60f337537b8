#ifndef ADAPTERS_SERVE_INTAKE_STATES_H
#define ADAPTERS_SERVE_INTAKE_STATES_H

#include "gateway/base/status.h"
#include "lianban/v1/parcel.pb-c.h"

/*
 * What may follow what, at a department: a table for its words about a submission, one for those
 * about a citizen's correction request, and one for the parts that come behind a submission. Pure.
 * The numbers are in stores: they never change meaning.
 *
 *                     accepted  returned  wanted    decided  withdrawn  corrected
 *   open              accepted  returned  asked     -        -          -
 *   asked             accepted  returned  asked     -        -          -
 *   accepted          -         -         owed      decided  -          accepted
 *   owed              -         -         owed      decided  -          owed
 *   returned          -         -         -         -        -          returned
 *   decided           -         -         -         -        -          decided
 *   withdrawing       -         -         -         -        withdrawn  -
 *   withdrawn         -         -         -         -        -          -
 *
 *   of a request      accepted  decided   corrected
 *   open              accepted  decided   -
 *   accepted          -         decided   accepted
 *   decided           -         -         decided
 *
 *                     supplement  correction  withdrawal
 *   open              open        open        withdrawing
 *   asked             open        asked       withdrawing
 *   accepted          accepted    accepted    withdrawing
 *   owed              accepted    owed        withdrawing
 *   decided           -           decided     -
 *   any other         -           -           -
 *
 * Of a trigger's signal nothing can be said that is against anybody, and the two do not mix:
 *
 *                     contacted  applied  declined  not_reached      withdrawal
 *   to_contact        contacted  applied  declined  not_reached      closed
 *   contacted         -          applied  declined  not_reached      contacted
 *   applied           -          -        -         -                applied
 *   declined          -          -        -         -                declined
 *   not_reached       -          -        -         -                not_reached
 *   closed            -          -        -         -                -
 */
enum lb_intake_state {
    LB_INTAKE_NOTED = 0,        /* a part behind another one: nothing is said of it by itself */
    LB_INTAKE_OPEN = 1,
    LB_INTAKE_ASKED = 2,        /* a supplement is wanted, nothing is accepted yet */
    LB_INTAKE_ACCEPTED = 3,
    LB_INTAKE_OWED = 4,         /* accepted, and a supplement is wanted */
    LB_INTAKE_RETURNED = 5,
    LB_INTAKE_DECIDED = 6,
    LB_INTAKE_WITHDRAWING = 7,  /* the citizen withdraws; the department has not confirmed it */
    LB_INTAKE_WITHDRAWN = 8,
    /* of a signal */
    LB_INTAKE_TO_CONTACT = 9,
    LB_INTAKE_CONTACTED = 10,
    LB_INTAKE_APPLIED = 11,
    LB_INTAKE_DECLINED = 12,
    LB_INTAKE_NOT_REACHED = 13,
    LB_INTAKE_GIVEN_UP = 14,      /* the citizen withdrew before anybody was in contact */
    LB_NUM_INTAKE_STATES
};

/* lb_intake_first is the state of what is handed in about no other part: a submission or a
 * citizen's correction request, or a signal. */
enum lb_intake_state lb_intake_first(Lianban__V1__Part__Kind kind);
/* lb_intake_after_word is the state of a part of some kind after a word; CASE_STATE when it may not
 * be said now. */
LB_MUST lb_status lb_intake_after_word(Lianban__V1__Part__Kind part, enum lb_intake_state state,
                                       Lianban__V1__Word__Kind kind, enum lb_intake_state *out);
/* lb_intake_after_part is the state of a submission after a part about it; PART_UNKNOWN when none
 * is taken at this stage. */
LB_MUST lb_status lb_intake_after_part(enum lb_intake_state state, Lianban__V1__Part__Kind kind,
                                       enum lb_intake_state *out);
/* lb_intake_state_name is for people and programs: "open", "asked" ... */
const char *lb_intake_state_name(enum lb_intake_state state);

#endif
