#include "gateway/rpc/args.h"

#include <grpc/compression.h>
#include <grpc/support/log.h>
#include <limits.h>
#include <stdint.h>

#include "gateway/base/limits.h"

/* A silent peer is asked after 10 s and given up 8 s later. A server permits that to clients. */
#define KEEPALIVE_TIME_MS 10000
#define KEEPALIVE_TIMEOUT_MS 8000
#define KEEPALIVE_PERMIT_MS 5000
#define HANDSHAKE_TIMEOUT_MS 10000
#define CONNECT_TIMEOUT_MS 5000
#define FIRST_BACKOFF_MS 100
#define MAX_BACKOFF_MS 1000
#define ONLY_IDENTITY_COMPRESSION 1
/* Streams beyond max_calls that may be open on one connection, so that they are told BUSY instead
 * of waiting unanswered at the client. */
#define REFUSABLE_STREAMS 64

static void set(struct lb_rpc_args *args, const char *key, int value)
{
    GPR_ASSERT(args->args.num_args < LB_RPC_MAX_ARGS);
    grpc_arg *arg = &args->array[args->args.num_args++];
    *arg = (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key};
    arg->value.integer = value;
}

static void set_common(struct lb_rpc_args *args)
{
    args->args = (grpc_channel_args){.num_args = 0, .args = args->array};
    set(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, LB_MAX_MESSAGE_BYTES);
    set(args, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, LB_MAX_MESSAGE_BYTES);
    set(args, GRPC_ARG_MAX_METADATA_SIZE, LB_RPC_MAX_METADATA_BYTES);
    set(args, GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_TIME_MS);
    set(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
    set(args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    set(args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    set(args, GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
    set(args, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    set(args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, ONLY_IDENTITY_COMPRESSION);
    set(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
}

void lb_rpc_args_server(struct lb_rpc_args *args, size_t max_calls)
{
    set_common(args);
    size_t streams = max_calls < INT_MAX - REFUSABLE_STREAMS ? max_calls : INT_MAX / 2;
    set(args, GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)streams + REFUSABLE_STREAMS);
    set(args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, KEEPALIVE_PERMIT_MS);
    set(args, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS);
    /* Otherwise a second process could take the same port and a share of the connections. */
    set(args, GRPC_ARG_ALLOW_REUSEPORT, 0);
}

void lb_rpc_args_channel(struct lb_rpc_args *args)
{
    set_common(args);
    set(args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, FIRST_BACKOFF_MS);
    set(args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, MAX_BACKOFF_MS);
    /* In spite of its name, how long one attempt to connect may take. */
    set(args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS);
    /* Connections are never shared with another channel, whose verifier may differ. */
    set(args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    /* Nothing is sent twice, or through a proxy, or as a name server says. */
    set(args, GRPC_ARG_ENABLE_RETRIES, 0);
    set(args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    set(args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
}
