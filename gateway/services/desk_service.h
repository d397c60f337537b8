#ifndef GATEWAY_SERVICES_DESK_SERVICE_H
#define GATEWAY_SERVICES_DESK_SERVICE_H

#include "gateway/services/consent_service.h"

/* The part of lianban.v1.ConsentOffice that only the office's own desks call, but Confirm and
 * Revoke. */
#define LB_DESK_METHODS 7

/* lb_desk_service_methods fills the table for a server; the service outlives it. */
void lb_desk_service_methods(struct lb_consent_service *service,
                             struct lb_rpc_method out[LB_DESK_METHODS]);

#endif
