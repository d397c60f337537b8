#ifndef GATEWAY_CTL_DOCTOR_DAYS_H
#define GATEWAY_CTL_DOCTOR_DAYS_H

#include "gateway/ctl/doctor.h"

#define LB_DOCTOR_DAY_S INT64_C(86400)

/* lb_doctor_days_state judges what is left of a certificate: 30 days or less is to look at, one day
 * or less is bad. */
enum lb_doctor_state lb_doctor_days_state(int64_t left_s);
/* lb_doctor_days_text is "12 days", or hours when there are less than two. */
const char *lb_doctor_days_text(struct lb_doctor *doctor, int64_t left_s);

#endif
