#ifndef GATEWAY_SERVICES_STATION_SERVICE_H
#define GATEWAY_SERVICES_STATION_SERVICE_H

#include "adapters/officer/questions.h"
#include "gateway/evidence/log.h"
#include "gateway/rpc/server.h"
#include "gateway/trust/trust.h"

/*
 * Evidence.NextAccessQuestion and AnswerAccessQuestion: the security officer's station, which runs
 * at the officer's, fetches what a read asks about accesses and brings the answer.
 */
struct lb_station_service {
    const char *organization;
    struct lb_log *log;
    struct lb_trust *trust;
    struct lb_officer_questions *questions;
};

#define LB_STATION_METHODS 2
/* lb_station_service_methods fills the table for a server; the service outlives it. */
void lb_station_service_methods(struct lb_station_service *service,
                                struct lb_rpc_method out[LB_STATION_METHODS]);

#endif
