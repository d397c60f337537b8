#ifndef GATEWAY_SERVICES_SCHEMA_H
#define GATEWAY_SERVICES_SCHEMA_H

#include "gateway/base/arena.h"

/* The wire contract's files, found by their names and by what is in them. */
struct lb_schema;

/* The contract of this build (//proto:contract): every .proto file and what it imports, as protoc
 * describes them. */
extern const unsigned char lb_schema_contract[];
extern const size_t lb_schema_contract_len;

/* lb_schema_new reads a serialized google.protobuf.FileDescriptorSet. MALFORMED, TOO_LARGE,
 * NO_MEMORY. */
LB_MUST lb_status lb_schema_new(struct lb_span files, struct lb_schema **out_schema);
void lb_schema_free(struct lb_schema *schema);

/* lb_schema_file gives the FileDescriptorProto of a file by its name ("lianban/v1/node.proto"), or
 * of the file that has a message, enum, service, method or field by its full name. The empty span
 * when there is none. Any thread. */
struct lb_span lb_schema_file(const struct lb_schema *schema, const char *name);
struct lb_span lb_schema_symbol(const struct lb_schema *schema, const char *symbol);

#endif
