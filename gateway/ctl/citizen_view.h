#ifndef GATEWAY_CTL_CITIZEN_VIEW_H
#define GATEWAY_CTL_CITIZEN_VIEW_H

#include "gateway/ctl/officer.h"

/* What the person themself is told: when, which office, why, on what basis, which fields, refused
 * or not. Nobody's pseudonym, no case, no code of ours. Purposes that a law lets the department
 * conceal are left out, and the page does not say so; the entry of the query does. */

/* lb_ctl_citizen_print prints it of what officer->filter lets pass. */
LB_MUST lb_status lb_ctl_citizen_print(struct lb_ctl_officer *officer,
                                       const struct lb_ctl_list *concealed);

#endif
