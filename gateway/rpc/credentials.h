#ifndef GATEWAY_RPC_CREDENTIALS_H
#define GATEWAY_RPC_CREDENTIALS_H

#include <grpc/grpc_security.h>

#include "gateway/rpc/core.h"
#include "gateway/rpc/gate.h"

/* Certificate files that are watched, one entry per identity, shared by all servers and channels of
 * the runtime (a watch costs a thread). */
struct lb_rpc_files;
void lb_rpc_files_free(struct lb_rpc_files *files);

/*
 * lb_rpc_credentials_server and _channel make credentials: TLS with this identity and the gate's
 * judgement when there is an identity, plaintext when it is NULL. Both must pass: the core checks
 * the peer's chain against ca_path and that it holds the key, and then the gate decides about it.
 * The identity has been tested by lb_rpc_identity_check. NO_MEMORY.
 */
LB_MUST lb_status lb_rpc_credentials_server(struct lb_rpc_runtime *runtime,
                                            const struct lb_rpc_identity *identity,
                                            struct lb_rpc_gate *gate,
                                            grpc_server_credentials **out_credentials);
LB_MUST lb_status lb_rpc_credentials_channel(struct lb_rpc_runtime *runtime,
                                             const struct lb_rpc_identity *identity,
                                             struct lb_rpc_gate *gate,
                                             grpc_channel_credentials **out_credentials);

#endif
