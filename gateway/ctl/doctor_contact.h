#ifndef GATEWAY_CTL_DOCTOR_CONTACT_H
#define GATEWAY_CTL_DOCTOR_CONTACT_H

#include "gateway/ctl/doctor.h"

/* lb_doctor_judge_contact judges what a member said: who it is, its certificate, its directory; and
 * keeps its time. */
void lb_doctor_judge_contact(struct lb_doctor *doctor, const char *spiffe,
                             const struct lb_ctl_contact *contact, enum lb_doctor_state grave);
/* lb_doctor_judge_self judges what the own running node said. */
void lb_doctor_judge_self(struct lb_doctor *doctor, const struct lb_ctl_contact *contact);

#endif
