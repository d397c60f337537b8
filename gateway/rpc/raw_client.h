#ifndef GATEWAY_RPC_RAW_CLIENT_H
#define GATEWAY_RPC_RAW_CLIENT_H

#include <grpc/compression.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "gateway/base/span.h"

/* A client that keeps none of our rules, for tests of what a server does with it: one call, whose
 * steps are batches that the test asks for. Everything blocks, at most 8 s. */
struct raw_call {
    grpc_channel *channel;
    grpc_completion_queue *queue;
    grpc_call *call;
    bool begun; /* the first metadata is sent */
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice message;
};

/* raw_open connects with these credentials (taken over) and makes a call of the method, whose
 * messages are packed so where that makes them smaller. */
void raw_open(struct raw_call *raw, const char *target, grpc_channel_credentials *credentials,
              grpc_compression_algorithm packing, const char *method);
/* raw_metadata sends the first metadata: one pair, or none when key is NULL; raw_message a
 * message. Each returns whether the core took it. */
bool raw_metadata(struct raw_call *raw, const char *key, struct lb_span value);
bool raw_message(struct raw_call *raw, struct lb_span bytes);
/* raw_finish half-closes (with the metadata, if it was not sent), reads one message if one comes,
 * and waits for the status. */
grpc_status_code raw_finish(struct raw_call *raw);
void raw_cleanup(struct raw_call *raw);

#endif
