#ifndef GATEWAY_RPC_ARGS_H
#define GATEWAY_RPC_ARGS_H

#include <grpc/grpc.h>

/* Settings of the core, all bounds of both ends in one place. */
#define LB_RPC_MAX_ARGS 24
#define LB_RPC_MAX_METADATA_BYTES (16 * 1024)

struct lb_rpc_args {
    grpc_channel_args args;
    grpc_arg array[LB_RPC_MAX_ARGS];
};

/* lb_rpc_args_server fills the settings of a server that takes max_calls calls at a time;
 * lb_rpc_args_channel those of a channel. The struct must stay where it is while it is used. */
void lb_rpc_args_server(struct lb_rpc_args *args, size_t max_calls);
void lb_rpc_args_channel(struct lb_rpc_args *args);

#endif
