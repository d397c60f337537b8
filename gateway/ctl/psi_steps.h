#ifndef GATEWAY_CTL_PSI_STEPS_H
#define GATEWAY_CTL_PSI_STEPS_H

#include "gateway/ctl/psi.h"

/* Inside gateway/ctl: the steps of a run, behind the commands of their names. */

/* What a step has to say. */
struct lb_ctl_psi_told {
    size_t people;        /* on the own list; 0 when it was not read */
    size_t size;          /* of what was sent or came, filled up */
    size_t num_invalid;   /* records left out */
    int64_t count;        /* in both; -1 before the end */
    uint8_t run[LB_PSI_RUN_BYTES];
};

/* Each does one step whole. Statuses of what it uses (psi.h); PSI_TOO_FEW when too few are in both
 * to be told; MALFORMED for what the other side made wrongly; RECEIPT_INVALID when its log does not
 * show the step. */
LB_MUST lb_status lb_ctl_psi_offer_step(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told);
LB_MUST lb_status lb_ctl_psi_answer_step(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told);
LB_MUST lb_status lb_ctl_psi_finish_step(struct lb_ctl_psi *psi, struct lb_ctl_psi_told *told);

#endif
