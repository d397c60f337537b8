#ifndef GATEWAY_RPC_PEER_H
#define GATEWAY_RPC_PEER_H

#include <grpc/grpc_security.h>

#include "gateway/rpc/runtime.h"

/* lb_rpc_peer_empty is the peer of a Unix socket, and of a call not connected yet. */
const struct lb_rpc_peer *lb_rpc_peer_empty(void);

/* lb_rpc_peer_of_handshake reads who is there from a finished handshake. PEER_UNVERIFIED unless the
 * certificate has exactly one URI SAN and that is a SPIFFE id of less than LB_MAX_SPIFFE_BYTES;
 * TOO_LARGE above LB_MAX_PEM_BYTES. The peer is freed with free(). */
LB_MUST lb_status lb_rpc_peer_of_handshake(
    const grpc_tls_custom_verification_check_request *request, struct lb_rpc_peer **out_peer);

/* lb_rpc_peer_of_call reads the same from a call's authentication context, and from nothing else.
 * PEER_UNVERIFIED as well when there is none. */
LB_MUST lb_status lb_rpc_peer_of_call(grpc_call *call, struct lb_rpc_peer **out_peer);

/* lb_rpc_peer_copy copies a peer for its own owner; NULL when memory is exhausted. */
struct lb_rpc_peer *lb_rpc_peer_copy(const struct lb_rpc_peer *peer);

#endif
