#ifndef GATEWAY_SERVICES_MESSAGE_JSON_H
#define GATEWAY_SERVICES_MESSAGE_JSON_H

#include "gateway/json/json.h"
#include "gateway/wire/pb.h"

/*
 * Messages of the wire contract as JSON: protobuf's own mapping (proto3 JSON) with the names of the
 * fields as the .proto files spell them. 64-bit numbers are decimal strings, bytes are base64,
 * enumerations are names. Every field of a message that is written stands there, also when it is
 * empty, but for messages and members of a oneof that are not set.
 */

/* lb_message_of_json reads one message of a type, strictly: MALFORMED for an unknown or doubled
 * member, null, a value of another kind or out of range, two members of one oneof. Left out
 * members keep their default. NO_MEMORY past the arena's cap. */
LB_MUST lb_status lb_message_of_json(const ProtobufCMessageDescriptor *type, struct lb_span text,
                                     struct lb_arena *arena, void *out_message);

/* lb_message_to_json writes a message as one line. NO_MEMORY past the arena's cap; INTERNAL for a
 * field of a type that the contract does not use. */
LB_MUST lb_status lb_message_to_json(const void *message, struct lb_arena *arena,
                                     struct lb_span *out_text);

#endif
