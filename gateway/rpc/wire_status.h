#ifndef GATEWAY_RPC_WIRE_STATUS_H
#define GATEWAY_RPC_WIRE_STATUS_H

#include <grpc/grpc.h>

#include "gateway/base/status.h"

/*
 * Our statuses as they travel: the canonical gRPC code, the code's fixed English sentence, and the
 * trailing metadata grpc-status-details-bin with a google.rpc.Status whose one detail is a
 * lianban.v1.ErrorDetail.
 */
struct lb_rpc_wire_status {
    grpc_status_code code;
    grpc_slice message;
    grpc_metadata detail;
    size_t num_details; /* 0 or 1 */
};

/* lb_rpc_wire_status_of makes what is sent for a status. Codes that outsiders may not see are
 * replaced first (lb_code_outer); what becomes ANSWERED travels as plain OK. */
void lb_rpc_wire_status_of(lb_status status, struct lb_rpc_wire_status *out);
void lb_rpc_wire_status_cleanup(struct lb_rpc_wire_status *wire);

/* lb_rpc_wire_status_read turns what a server sent into a status: its named code when that is a
 * known outer code of the same canonical one, otherwise a code by the canonical one alone. */
lb_status lb_rpc_wire_status_read(grpc_status_code code, grpc_slice message,
                                  const grpc_metadata_array *trailing);

#endif
