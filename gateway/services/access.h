#ifndef GATEWAY_SERVICES_ACCESS_H
#define GATEWAY_SERVICES_ACCESS_H

#include "gateway/base/meter.h"
#include "gateway/evidence/log.h"
#include "gateway/rpc/runtime.h"
#include "gateway/services/sightings.h"
#include "gateway/trust/trust.h"

/* lb_access_verifier makes the RPC layer judge every peer by what the node believes. */
struct lb_rpc_verifier lb_access_verifier(struct lb_trust *trust);

/* What a node that keeps a log judges its peers by. */
struct lb_access {
    struct lb_trust *trust;
    struct lb_log *log;  /* NULL: refusals are not counted */
    struct lb_meter *meter;              /* likewise */
    struct lb_sightings *sightings;      /* NULL: who passes is not noted */
};

/* lb_access_counting_verifier is lb_access_verifier that also counts every peer it refuses in the
 * log. access outlives the server or channel. */
struct lb_rpc_verifier lb_access_counting_verifier(struct lb_access *access);

/* lb_access_need refuses a peer with ROLE_NOT_ALLOWED unless it is listed with one of the kinds
 * (bit 1 << enum lb_node_kind). */
LB_MUST lb_status lb_access_need(struct lb_trust *trust, const struct lb_rpc_peer *peer,
                                 unsigned kinds);
/* lb_access_need_officer refuses everybody but an officer of this organization with
 * ROLE_NOT_ALLOWED. */
LB_MUST lb_status lb_access_need_officer(struct lb_trust *trust, const struct lb_rpc_peer *peer,
                                         const char *organization);
/* lb_access_need_operator refuses everybody but the brokers and officers of the operator's
 * organization with ROLE_NOT_ALLOWED, and counts that in the log. */
LB_MUST lb_status lb_access_need_operator(struct lb_trust *trust, struct lb_log *log,
                                          const char *peer, const char *organization);

#endif
