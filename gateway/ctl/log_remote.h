#ifndef GATEWAY_CTL_LOG_REMOTE_H
#define GATEWAY_CTL_LOG_REMOTE_H

#include "gateway/ctl/port.h"
#include "gateway/evidence/export.h"

/* lb_ctl_log_pull reads another node's log over its port into an export: its newest checkpoint,
 * whether that extends what was exported before, then every tile and entry, each checked before it
 * is written. Statuses of lb_export_grow, and what the other side says; with a sentence in diag. */
LB_MUST lb_status lb_ctl_log_pull(struct lb_ctl_log_port *port, struct lb_export *export,
                                  struct lb_diag *diag, struct lb_export_result *out_result);
/* lb_ctl_log_close closes a port; one that was never opened is fine. */
void lb_ctl_log_close(struct lb_ctl_log_port *port);

#endif
