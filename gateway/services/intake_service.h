#ifndef GATEWAY_SERVICES_INTAKE_SERVICE_H
#define GATEWAY_SERVICES_INTAKE_SERVICE_H

#include "adapters/serve/intake_pull.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"

/*
 * The methods of lianban.v1.Adapter about parts of applications: ListParts, NextPart, GetPart,
 * AckPart, SayWord. Only for officers of the own organization that the policy names as clerks.
 */
struct lb_intake_service {
    const char *organization;
    struct lb_serve *serve;
    struct lb_log *log;
    struct lb_trust *trust;
    const struct lb_serve_policy *policy;
};

#define LB_INTAKE_METHODS 5
/* lb_intake_service_methods fills the table for a server; the service outlives it. */
void lb_intake_service_methods(struct lb_intake_service *service,
                               struct lb_rpc_method out[LB_INTAKE_METHODS]);

#endif
