#ifndef GATEWAY_CTL_RECOVER_H
#define GATEWAY_CTL_RECOVER_H

#include "gateway/ctl/env.h"
#include "gateway/trust/directory.h"

/* Inside gateway/ctl: what the words of `node recover` share. */

/* A recovery, by a file or still in memory, with what it is judged by. */
struct lb_ctl_recovery {
    struct lb_ctl_env *env;
    struct lb_arena *arena;
    struct lb_diag *diag;
    const struct lb_directory *directory;
    struct lb_recovery recovery;
    size_t num_signed;  /* officers whose signature verifies */
};

/* lb_ctl_recovery_load reads a draft or a note and sets recovery and num_signed. FILE_FAILED and
 * the statuses of lb_recovery_read with a sentence in diag. */
LB_MUST lb_status lb_ctl_recovery_load(struct lb_ctl_recovery *own, const char *path,
                                       struct lb_span *out_note);
/* lb_ctl_recovery_check holds it against the directory: the node's log is the lost one, or already
 * this new one; the two officers are listed with these keys; every member that speaks is listed and
 * has signed its line. CONFIG_INVALID, SIGNATURE_INVALID, LOG_FORK with a sentence in diag. */
LB_MUST lb_status lb_ctl_recovery_check(struct lb_ctl_recovery *own);
/* lb_ctl_recovery_print tells what it says: what is lost, who saw it, and what members have to
 * confirm. NO_MEMORY. */
LB_MUST lb_status lb_ctl_recovery_print(const struct lb_ctl_recovery *own);

#endif
