#include "adapters/serve/intake_states.h"

#include <stddef.h>
#include <stdint.h>

#define NUM_WORDS (LIANBAN__V1__WORD__KIND__NOT_REACHED + 1)
#define NUM_PARTS (LIANBAN__V1__PART__KIND__WITHDRAWAL + 1)

/* 0 is what may not be: nothing ever leads to LB_INTAKE_NOTED. */
static const uint8_t AFTER_WORD[LB_NUM_INTAKE_STATES][NUM_WORDS] = {
    [LB_INTAKE_OPEN] = {[LIANBAN__V1__WORD__KIND__ACCEPTED] = LB_INTAKE_ACCEPTED,
                        [LIANBAN__V1__WORD__KIND__RETURNED] = LB_INTAKE_RETURNED,
                        [LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED] = LB_INTAKE_ASKED},
    [LB_INTAKE_ASKED] = {[LIANBAN__V1__WORD__KIND__ACCEPTED] = LB_INTAKE_ACCEPTED,
                         [LIANBAN__V1__WORD__KIND__RETURNED] = LB_INTAKE_RETURNED,
                         [LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED] = LB_INTAKE_ASKED},
    [LB_INTAKE_ACCEPTED] = {[LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED] = LB_INTAKE_OWED,
                            [LIANBAN__V1__WORD__KIND__DECIDED] = LB_INTAKE_DECIDED,
                            [LIANBAN__V1__WORD__KIND__CORRECTED] = LB_INTAKE_ACCEPTED},
    [LB_INTAKE_OWED] = {[LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED] = LB_INTAKE_OWED,
                        [LIANBAN__V1__WORD__KIND__DECIDED] = LB_INTAKE_DECIDED,
                        [LIANBAN__V1__WORD__KIND__CORRECTED] = LB_INTAKE_OWED},
    [LB_INTAKE_RETURNED] = {[LIANBAN__V1__WORD__KIND__CORRECTED] = LB_INTAKE_RETURNED},
    [LB_INTAKE_DECIDED] = {[LIANBAN__V1__WORD__KIND__CORRECTED] = LB_INTAKE_DECIDED},
    [LB_INTAKE_WITHDRAWING] = {[LIANBAN__V1__WORD__KIND__WITHDRAWN] = LB_INTAKE_WITHDRAWN},
    [LB_INTAKE_TO_CONTACT] = {[LIANBAN__V1__WORD__KIND__CONTACTED] = LB_INTAKE_CONTACTED,
                              [LIANBAN__V1__WORD__KIND__APPLIED] = LB_INTAKE_APPLIED,
                              [LIANBAN__V1__WORD__KIND__DECLINED] = LB_INTAKE_DECLINED,
                              [LIANBAN__V1__WORD__KIND__NOT_REACHED] = LB_INTAKE_NOT_REACHED},
    [LB_INTAKE_CONTACTED] = {[LIANBAN__V1__WORD__KIND__APPLIED] = LB_INTAKE_APPLIED,
                             [LIANBAN__V1__WORD__KIND__DECLINED] = LB_INTAKE_DECLINED,
                             [LIANBAN__V1__WORD__KIND__NOT_REACHED] = LB_INTAKE_NOT_REACHED},
};

static const uint8_t AFTER_WORD_OF_REQUEST[LB_NUM_INTAKE_STATES][NUM_WORDS] = {
    [LB_INTAKE_OPEN] = {[LIANBAN__V1__WORD__KIND__ACCEPTED] = LB_INTAKE_ACCEPTED,
                        [LIANBAN__V1__WORD__KIND__DECIDED] = LB_INTAKE_DECIDED},
    [LB_INTAKE_ACCEPTED] = {[LIANBAN__V1__WORD__KIND__DECIDED] = LB_INTAKE_DECIDED,
                            [LIANBAN__V1__WORD__KIND__CORRECTED] = LB_INTAKE_ACCEPTED},
    [LB_INTAKE_DECIDED] = {[LIANBAN__V1__WORD__KIND__CORRECTED] = LB_INTAKE_DECIDED},
};

static const uint8_t AFTER_PART[LB_NUM_INTAKE_STATES][NUM_PARTS] = {
    [LB_INTAKE_OPEN] = {[LIANBAN__V1__PART__KIND__SUPPLEMENT] = LB_INTAKE_OPEN,
                        [LIANBAN__V1__PART__KIND__CORRECTION] = LB_INTAKE_OPEN,
                        [LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_WITHDRAWING},
    [LB_INTAKE_ASKED] = {[LIANBAN__V1__PART__KIND__SUPPLEMENT] = LB_INTAKE_OPEN,
                         [LIANBAN__V1__PART__KIND__CORRECTION] = LB_INTAKE_ASKED,
                         [LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_WITHDRAWING},
    [LB_INTAKE_ACCEPTED] = {[LIANBAN__V1__PART__KIND__SUPPLEMENT] = LB_INTAKE_ACCEPTED,
                            [LIANBAN__V1__PART__KIND__CORRECTION] = LB_INTAKE_ACCEPTED,
                            [LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_WITHDRAWING},
    [LB_INTAKE_OWED] = {[LIANBAN__V1__PART__KIND__SUPPLEMENT] = LB_INTAKE_ACCEPTED,
                        [LIANBAN__V1__PART__KIND__CORRECTION] = LB_INTAKE_OWED,
                        [LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_WITHDRAWING},
    [LB_INTAKE_DECIDED] = {[LIANBAN__V1__PART__KIND__CORRECTION] = LB_INTAKE_DECIDED},
    [LB_INTAKE_TO_CONTACT] = {[LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_GIVEN_UP},
    [LB_INTAKE_CONTACTED] = {[LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_CONTACTED},
    [LB_INTAKE_APPLIED] = {[LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_APPLIED},
    [LB_INTAKE_DECLINED] = {[LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_DECLINED},
    [LB_INTAKE_NOT_REACHED] = {[LIANBAN__V1__PART__KIND__WITHDRAWAL] = LB_INTAKE_NOT_REACHED},
};

enum lb_intake_state lb_intake_first(Lianban__V1__Part__Kind kind)
{
    return kind == LIANBAN__V1__PART__KIND__SIGNAL ? LB_INTAKE_TO_CONTACT : LB_INTAKE_OPEN;
}

lb_status lb_intake_after_word(Lianban__V1__Part__Kind part, enum lb_intake_state state,
                               Lianban__V1__Word__Kind kind, enum lb_intake_state *out)
{
    const uint8_t(*table)[NUM_WORDS] = part == LIANBAN__V1__PART__KIND__CORRECTION_REQUEST
                                           ? AFTER_WORD_OF_REQUEST
                                           : AFTER_WORD;
    LB_ENSURE((unsigned)state < LB_NUM_INTAKE_STATES && (unsigned)kind < NUM_WORDS &&
                  table[state][kind] != 0,
              LB_CASE_STATE, "that can't be said now");
    *out = (enum lb_intake_state)table[state][kind];
    return LB_OK;
}

lb_status lb_intake_after_part(enum lb_intake_state state, Lianban__V1__Part__Kind kind,
                               enum lb_intake_state *out)
{
    LB_ENSURE((unsigned)state < LB_NUM_INTAKE_STATES && (unsigned)kind < NUM_PARTS &&
                  AFTER_PART[state][kind] != 0,
              LB_PART_UNKNOWN, "nothing of this kind is taken at this stage");
    *out = (enum lb_intake_state)AFTER_PART[state][kind];
    return LB_OK;
}

const char *lb_intake_state_name(enum lb_intake_state state)
{
    static const char *const names[LB_NUM_INTAKE_STATES] = {
        [LB_INTAKE_NOTED] = "noted",       [LB_INTAKE_OPEN] = "open",
        [LB_INTAKE_ASKED] = "asked",       [LB_INTAKE_ACCEPTED] = "accepted",
        [LB_INTAKE_OWED] = "owed",         [LB_INTAKE_RETURNED] = "returned",
        [LB_INTAKE_DECIDED] = "decided",   [LB_INTAKE_WITHDRAWING] = "withdrawing",
        [LB_INTAKE_WITHDRAWN] = "withdrawn",
        [LB_INTAKE_TO_CONTACT] = "to_contact",
        [LB_INTAKE_CONTACTED] = "contacted",
        [LB_INTAKE_APPLIED] = "applied",
        [LB_INTAKE_DECLINED] = "declined",
        [LB_INTAKE_NOT_REACHED] = "not_reached",
        [LB_INTAKE_GIVEN_UP] = "closed",
    };
    return (unsigned)state < LB_NUM_INTAKE_STATES ? names[state] : "unknown";
}
