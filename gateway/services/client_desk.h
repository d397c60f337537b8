#ifndef GATEWAY_SERVICES_CLIENT_DESK_H
#define GATEWAY_SERVICES_CLIENT_DESK_H

#include "gateway/ctl/port.h"
#include "gateway/trust/trust.h"

/* lb_client_open_desk reads what the profile names, learns the office's address from the
 * directory and makes the port; `ctx` is not used. CONFIG_INVALID, FILE_FAILED,
 * DIRECTORY_INVALID, DIRECTORY_ROLLBACK, KEY_CHANGED, PEER_UNLISTED (the directory has no such
 * office, or it does not listen), NO_MEMORY, with a sentence in diag. */
LB_MUST lb_status lb_client_open_desk(void *ctx, const struct lb_ctl_desk_profile *profile,
                                      const struct lb_clock *clock, struct lb_diag *diag,
                                      struct lb_ctl_desk_port *out);

/* lb_client_open_log makes the port to any node's Evidence service, by the profile of an auditor or
 * an officer; statuses as above, and ABSENT when the directory lists no log of that node. */
LB_MUST lb_status lb_client_open_log(void *ctx, const struct lb_ctl_desk_profile *profile,
                                     const char *spiffe, const struct lb_clock *clock,
                                     struct lb_diag *diag, struct lb_ctl_log_port *out);

/* lb_client_endpoint copies a member's address out of the directory, or `address` in its place if
 * that is given. PEER_UNLISTED for nobody's, and for one that does not fit. */
LB_MUST lb_status lb_client_endpoint(struct lb_trust *trust, const char *spiffe,
                                     const char *address, char *out, size_t size);
/* lb_client_open_trust opens what a profile lets believe in; its state folder is made. Failures as
 * above. */
LB_MUST lb_status lb_client_open_trust(const struct lb_ctl_desk_profile *profile,
                                       const struct lb_clock *clock, struct lb_diag *diag,
                                       struct lb_trust **out_trust);

#endif
