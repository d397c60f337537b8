#ifndef GATEWAY_CTL_OWNER_H
#define GATEWAY_CTL_OWNER_H

#include <sys/types.h>

#include "gateway/base/diag.h"
#include "gateway/base/status.h"

/* Inside gateway/ctl: commands that write into a node's state beside it. A file of another account
 * would not be read there, so root acts as the account whose state it is. */

/* lb_ctl_owner_become takes that account when the caller is root; *user is who the caller was, for
 * lb_ctl_owner_leave (LB_DEFER). FILE_FAILED. */
LB_MUST lb_status lb_ctl_owner_become(const char *state, uid_t user);
void lb_ctl_owner_leave(const uid_t *user);

/* lb_ctl_owner_lock waits for the lock of a file in the state folder, so that two commands do not
 * undo each other; lb_ctl_owner_unlock is for LB_DEFER. FILE_FAILED. */
LB_MUST lb_status lb_ctl_owner_lock(const char *path, int *out_fd);
void lb_ctl_owner_unlock(const int *fd);

#endif
