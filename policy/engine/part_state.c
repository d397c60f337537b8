#include "policy/engine/part_state.h"

#include <stdint.h>
#include <string.h>

#define PREPARED LB_PART_PREPARED
#define HELD LB_PART_HELD
#define WAITING LB_PART_WAITING
#define DELIVERED LB_PART_DELIVERED
#define ACCEPTED LB_PART_ACCEPTED
#define WANTED LB_PART_SUPPLEMENT_WANTED
#define SUPPLIED LB_PART_SUPPLEMENTED
#define DECIDED LB_PART_DECIDED
#define RETURNED LB_PART_RETURNED
#define WITHDRAWN LB_PART_WITHDRAWN
#define DEAD LB_PART_DEAD
#define NO LB_PART_NONE

/* Rows by state, columns by event, both in the order of their enums; NO: it has no place there. A
 * department's word can overtake the news that it has the part, from another broker. */
static const uint8_t table[LB_NUM_PART_STATES][LB_NUM_PART_EVENTS] = {
    /* on the way: held, away, unsealed, delivered, refused, retried, dropped; supplemented;
     * said: accepted, returned, wanted, decided, withdrawn, corrected */
    [PREPARED] = {HELD, WAITING, PREPARED, DELIVERED, DEAD, NO, NO, NO,
                  ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, NO},
    [HELD] = {HELD, WAITING, PREPARED, DELIVERED, DEAD, NO, NO, NO,
              ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, NO},
    [WAITING] = {HELD, WAITING, PREPARED, DELIVERED, DEAD, NO, NO, NO,
                 ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, NO},
    [DELIVERED] = {DELIVERED, DELIVERED, DELIVERED, DELIVERED, DELIVERED, NO, NO, NO,
                   ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, NO},
    [ACCEPTED] = {ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, NO, NO, NO,
                  NO, NO, WANTED, DECIDED, WITHDRAWN, ACCEPTED},
    [WANTED] = {WANTED, WANTED, WANTED, WANTED, WANTED, NO, NO, SUPPLIED,
                ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, WANTED},
    [SUPPLIED] = {SUPPLIED, SUPPLIED, SUPPLIED, SUPPLIED, SUPPLIED, NO, NO, SUPPLIED,
                  ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, SUPPLIED},
    [DECIDED] = {DECIDED, DECIDED, DECIDED, DECIDED, DECIDED, NO, NO, NO,
                 NO, NO, NO, NO, NO, DECIDED},
    [RETURNED] = {RETURNED, RETURNED, RETURNED, RETURNED, RETURNED, NO, NO, NO,
                  NO, NO, NO, NO, NO, RETURNED},
    [WITHDRAWN] = {WITHDRAWN, WITHDRAWN, WITHDRAWN, WITHDRAWN, WITHDRAWN, NO, NO, NO,
                   NO, NO, NO, NO, NO, WITHDRAWN},
    /* one broker's refusal does not stand against another's receipt, or the department's own word
     * */
    [DEAD] = {DEAD, DEAD, DEAD, DELIVERED, DEAD, PREPARED, WITHDRAWN, NO,
              ACCEPTED, RETURNED, WANTED, DECIDED, WITHDRAWN, NO},
};

lb_status lb_part_next(enum lb_part_state state, enum lb_part_event event,
                       enum lb_part_state *out_state)
{
    LB_ENSURE((unsigned)state < LB_NUM_PART_STATES && (unsigned)event < LB_NUM_PART_EVENTS,
              LB_CASE_STATE, "no such state or event of a part");
    enum lb_part_state next = (enum lb_part_state)table[state][event];
    LB_ENSURE(next != LB_PART_NONE, LB_CASE_STATE, "this has no place where the part stands");
    *out_state = next;
    return LB_OK;
}

bool lb_part_is_over(enum lb_part_state state)
{
    return state == DECIDED || state == RETURNED || state == WITHDRAWN;
}

bool lb_part_is_due(enum lb_part_state state)
{
    return state != NO && state != WANTED && !lb_part_is_over(state);
}

bool lb_part_has_left(enum lb_part_state state)
{
    return state >= DELIVERED && state <= WITHDRAWN;
}

static const char *const names[LB_NUM_PART_STATES] = {
    [LB_PART_NONE] = "",
    [PREPARED] = "PREPARED",
    [HELD] = "HELD",
    [WAITING] = "WAITING",
    [DELIVERED] = "DELIVERED",
    [ACCEPTED] = "ACCEPTED",
    [WANTED] = "SUPPLEMENT_WANTED",
    [SUPPLIED] = "SUPPLEMENTED",
    [DECIDED] = "DECIDED",
    [RETURNED] = "RETURNED",
    [WITHDRAWN] = "WITHDRAWN",
    [DEAD] = "DEAD",
};

const char *lb_part_state_name(enum lb_part_state state)
{
    return (unsigned)state < LB_NUM_PART_STATES ? names[state] : "";
}

enum lb_part_state lb_part_state_by_name(const char *name)
{
    for (unsigned i = 1; i < LB_NUM_PART_STATES; i++)
        if (strcmp(names[i], name) == 0)
            return (enum lb_part_state)i;
    return LB_PART_NONE;
}
