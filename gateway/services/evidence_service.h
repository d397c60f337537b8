#ifndef GATEWAY_SERVICES_EVIDENCE_SERVICE_H
#define GATEWAY_SERVICES_EVIDENCE_SERVICE_H

#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"

/* lianban.v1.Evidence: every node shows the head of its own log to any member. */
#define LB_EVIDENCE_METHODS 1
/* lb_evidence_service_methods fills the table for a server; the log outlives it. */
void lb_evidence_service_methods(struct lb_log *log, struct lb_rpc_method out[LB_EVIDENCE_METHODS]);

#endif
