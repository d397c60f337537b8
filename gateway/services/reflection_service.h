#ifndef GATEWAY_SERVICES_REFLECTION_SERVICE_H
#define GATEWAY_SERVICES_REFLECTION_SERVICE_H

#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/services/schema.h"
#include "gateway/trust/trust.h"

/*
 * grpc.reflection.v1.ServerReflection and its v1alpha: which services a broker has and what their
 * messages are, for tools in the hands of its operator. Everybody else is refused
 * (ROLE_NOT_ALLOWED), which is evidence.
 */
#define LB_REFLECTION_MAX_SERVICES 16
/* Questions on one stream; then BUSY. */
#define LB_REFLECTION_MAX_QUESTIONS 1024
#define LB_REFLECTION_MAX_BYTES 1024  /* of one; TOO_LARGE above */

struct lb_reflection_service {
    const char *organization;  /* the operator's */
    struct lb_log *log;
    struct lb_trust *trust;
    const struct lb_schema *schema;
    size_t num_services;       /* of which it tells; lb_reflection_service_list fills them in */
    char services[LB_REFLECTION_MAX_SERVICES][LB_MAX_NAME_BYTES + 1];
};

#define LB_REFLECTION_METHODS 2
/* lb_reflection_service_methods fills the table for a server; the service outlives it. */
void lb_reflection_service_methods(struct lb_reflection_service *service,
                                   struct lb_rpc_method out[LB_REFLECTION_METHODS]);
/* lb_reflection_service_list takes the services of a server's methods, and the health check's, as
 * far as the schema has them. Before the server starts. */
void lb_reflection_service_list(struct lb_reflection_service *service,
                                const struct lb_rpc_method *methods, size_t num);

#endif
